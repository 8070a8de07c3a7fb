import type { InboxMessage } from '../../delivery/delivery.ts';
import { html, type Html } from '../../web/html.ts';

/** A button as the Bot API has it, below a message or in place of the keyboard. */
interface Button {
  text: string;
  callback_data?: string;
  url?: string;
  copy_text?: { text: string };
  request_contact?: boolean;
}

/**
 * A message of the simulated Telegram with its buttons, and a line to write to the bot: as the person of that chat,
 * without Telegram. Without a message the chat has not begun.
 * @param tenant slug of the bot's tenant @param words what is about to be written
 */
export function chatView(
  message: Pick<InboxMessage, 'to' | 'text' | 'buttons'>,
  tenant: string,
  words = '',
): Html {
  const rows = (message.buttons ?? []) as (Button | string)[][];
  return html`<div class="phone" data-chat="${message.to}" data-tenant="${tenant}">
${message.text !== '' && html`<p class="bubble telegram"><bdi>${message.text}</bdi></p>`}
${rows.length > 0 && html`<div class="keys">${rows.map((row) => html`<div>${row.map(keyOf)}</div>`)}</div>`}
<form class="write" hidden>
<label class="spoken" for="words">Write to the bot</label>
<input id="words" name="words" value="${words}" placeholder="/start, /verify 123456, /help …" autocomplete="off" maxlength="4096">
<button class="button small">Write</button>
<p class="quiet">As Telegram user ${message.to}, on the simulated Telegram.</p>
</form>
<noscript><p class="quiet">With JavaScript, buttons work and you can write to the bot.</p></noscript>
</div>`;
}

function keyOf(given: Button | string): Html {
  const button = typeof given === 'string' ? { text: given } : given;
  if (button.url !== undefined && /^https?:/.test(button.url)) {
    return html`<a class="button plain small" href="${button.url}" rel="noreferrer">${button.text}</a>`;
  }
  if (button.copy_text) {
    return html`<button class="button plain small" type="button" data-copy="${button.copy_text.text}"><span data-done="Copied">${button.text}</span></button>`;
  }
  if (button.request_contact) {
    return html`<button class="button plain small" type="button" data-contact>${button.text}</button>`;
  }
  if (button.callback_data !== undefined) {
    return html`<button class="button plain small" type="button" data-press="${button.callback_data}">${button.text}</button>`;
  }
  return html`<button class="button plain small" type="button" data-write="${button.text}">${button.text}</button>`;
}
