import type { InboxMessage } from '../../delivery/delivery.ts';
import { html, type Html } from '../../web/html.ts';
import type { InboxQuery } from './inbox.ts';

const CHANNELS = ['sms', 'voice', 'email', 'telegram'] as const;
export const CHANNEL_NAMES: Readonly<Record<string, string>> = {
  sms: 'SMS',
  voice: 'Call',
  email: 'E-mail',
  telegram: 'Telegram',
};

/** The messages, newest first, with a way to see one channel alone. */
export function messageList(
  query: InboxQuery,
  messages: readonly InboxMessage[],
  chosen: InboxMessage | undefined,
): Html {
  return html`<nav class="channels" aria-label="Channel">${[undefined, ...CHANNELS].map(
    (channel) =>
      html`<a href="${addressOf({ to: query.to, channel })}"${channel === query.channel && html` aria-current="true"`}>${channel === undefined ? 'All' : CHANNEL_NAMES[channel]}</a>`,
  )}</nav>
<ol>${messages.map((message) => item(query, message, message.id === chosen?.id))}</ol>
${messages.length === 0 && html`<p class="quiet">No messages.</p>`}`;
}

function item(query: InboxQuery, message: InboxMessage, isChosen: boolean): Html {
  const { id, channel, to, subject, text, code, created_at: at } = message;
  const href = addressOf({ to: query.to, channel: query.channel, message: id });
  return html`<li><a class="item ${channel}" href="${href}"${isChosen && html` aria-current="true"`}>
<span class="channel">${CHANNEL_NAMES[channel] ?? channel}</span>
<bdi class="to">${to}</bdi>
<time datetime="${at}">${at.slice(11, 16)}</time>
<bdi class="excerpt">${subject ?? text.slice(0, 120)}</bdi>
</a>${code !== null && html`<button class="copy" type="button" data-copy="${code}" aria-label="Copy the code ${code}">${code}</button>`}</li>`;
}

function addressOf(query: {
  to?: string | undefined;
  channel?: string | undefined;
  message?: string;
}): string {
  const given = Object.entries(query).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return given.length === 0 ? '/dev/inbox' : `/dev/inbox?${new URLSearchParams(given).toString()}`;
}
