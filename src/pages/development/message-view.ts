import { type InboxMessage, sizeOfSms } from '../../delivery/delivery.ts';
import { html, type Html } from '../../web/html.ts';
import { chatView } from './chat-view.ts';
import { CHANNEL_NAMES } from './message-list.ts';

/** One message as its channel would show it, with its code ready to be copied. */
export function messageView(message: InboxMessage, tenant: string, words: string): Html {
  const { channel, to, subject, code, created_at: at } = message;
  return html`<header class="head">
<div><p class="quiet"><a class="back" href="/dev/inbox">All messages</a>${CHANNEL_NAMES[channel] ?? channel} to</p>
<h2><bdi>${to}</bdi></h2>
<p class="quiet">${subject !== null && html`<bdi class="subject">${subject}</bdi> · `}<time datetime="${at}">${at.slice(0, 19).replace('T', ' ')}</time></p></div>
${code !== null && html`<button class="button copy" type="button" data-copy="${code}"><span class="digits">${code}</span><span data-done="Copied">Copy the code</span></button>`}
</header>
${bodyOf(message, tenant, words)}`;
}

function bodyOf(message: InboxMessage, tenant: string, words: string): Html {
  if (message.channel === 'email') return letter(message);
  if (message.channel === 'telegram' && /^\d+$/.test(message.to)) return chatView(message, tenant, words);
  return html`<div class="phone"><p class="bubble ${message.channel}"><bdi>${message.text}</bdi></p>
${message.channel === 'sms' && sizeLine(message.text)}</div>`;
}

/** What the message costs, in the measure of networks: each segment is paid like a message. */
function sizeLine(text: string): Html {
  const { encoding, segments, used, places } = sizeOfSms(text);
  const count = segments === 1 ? '1 segment' : `${segments} segments`;
  return html`<p class="quiet size"${segments > 1 && html` data-long`}>${count} · ${encoding} · ${used} of ${places}</p>`;
}

/** The letter in both widths, and its plain text: chosen by radio buttons, so that it works without the script. */
function letter({ id, html: markup, text }: InboxMessage): Html {
  const views: readonly (readonly [string, string])[] =
    markup === null
      ? [['plain', 'Plain text']]
      : [
          ['narrow', 'Phone'],
          ['wide', 'Desktop'],
          ['plain', 'Plain text'],
        ];
  return html`<fieldset class="letter"><legend class="spoken">Shown as</legend>
${views.map(([name, label], index) => html`<input type="radio" name="as" id="as-${name}" class="spoken"${index === 0 && html` checked`}><label for="as-${name}">${label}</label>`)}
${markup !== null && html`<iframe class="sheetlike" title="The e-mail as it looks" src="/dev/inbox/${id}/letter" loading="eager"></iframe>`}
<pre class="sheetlike plain" tabindex="0"><bdi>${text}</bdi></pre>
</fieldset>`;
}
