import type { InlineKeyboardButton } from 'grammy/types';
import { isUuid } from '../kernel/id.ts';
import {
  answerTelegramLink,
  chooseTelegramNumber,
  type LinkQuestion,
  openTelegramLink,
  type TelegramAsker,
} from '../signin/answer-telegram-link.ts';
import { LINK_PAYLOAD_PREFIX } from '../telegram-proofs/telegram-proofs.ts';
import type { Conversation } from './conversation.ts';
import type { Feature } from './features.ts';
import { linkWordsOf } from './sign-in-link-words.ts';
import { fill } from './words.ts';

/** “Continue with Telegram”: a link from a browser, asked about here and confirmed here (S11). */
export const signInLinkFeature: Feature = {
  startPayloads: [{ prefix: LINK_PAYLOAD_PREFIX, handle: open }],
  callbacks: [{ prefix: 'link', handle: press }],
};

async function open(conversation: Conversation, payload: string): Promise<void> {
  const { context, tenant, clues } = conversation;
  tell(conversation, await openTelegramLink(context.signIn, tenant, askerOf(conversation), payload, clues));
}

async function press(conversation: Conversation, rest: string): Promise<void> {
  const { context, tenant, clues } = conversation;
  const [action = '', id = '', number = ''] = rest.split(':');
  if (!isUuid(id)) return;
  const asker = askerOf(conversation);
  if (action === 'number' && /^\d{2}$/.test(number)) {
    const chosen = { id, number: Number(number) };
    return tell(conversation, await chooseTelegramNumber(context.signIn, tenant, asker, chosen, clues));
  }
  if (action !== 'yes' && action !== 'no') return;
  const answer = { id, confirm: action === 'yes' };
  tell(conversation, await answerTelegramLink(context.signIn, tenant, asker, answer, clues));
}

function tell(conversation: Conversation, question: LinkQuestion): void {
  const { tenant, change } = conversation;
  const words = linkWordsOf(conversation.locale);
  if (question.state === 'confirmed') return change(words.confirmed);
  if (question.state === 'denied') return change(words.denied);
  if (question.state === 'gone') return change(conversation.words.start.unknownLink);
  const { link } = question;
  const facts = fill(link.purpose === 'link' ? words.linkFacts : words.signInFacts, {
    tenant: tenant.name,
    device: link.device_name,
    place: link.ip,
    time: timeOf(link.created_at, conversation.locale),
  });
  const deny: InlineKeyboardButton[] = [{ text: words.deny, callback_data: `link:no:${link.id}` }];
  if (question.state === 'confirm') {
    const yes: InlineKeyboardButton[] = [{ text: words.confirm, callback_data: `link:yes:${link.id}` }];
    const sure = link.purpose === 'link' ? words.sureToLink : words.sure;
    return change(`${facts}\n\n${sure}`, { buttons: [yes, deny] });
  }
  const numbers = question.choices.map(
    (number): InlineKeyboardButton => ({
      text: String(number),
      callback_data: `link:number:${link.id}:${number}`,
    }),
  );
  const rows = [0, 3, 6].map((first) => numbers.slice(first, first + 3));
  const ask = question.state === 'wrong' ? words.wrongNumber : words.chooseNumber;
  change(`${facts}\n\n${ask}`, { buttons: [...rows, deny] });
}

function askerOf({ chat }: Conversation): TelegramAsker {
  return {
    id: chat.telegram_user_id,
    firstName: chat.first_name,
    lastName: chat.last_name,
    username: chat.username,
  };
}

/** When the browser asked, in words: the person's own clock is not known, so it says whose clock it is. */
function timeOf(moment: Date, locale: string): string {
  const options = { dateStyle: 'medium', timeStyle: 'short', timeZone: 'UTC' } as const;
  return `${new Intl.DateTimeFormat(locale, options).format(moment)} UTC`;
}
