import type { InlineKeyboardButton } from 'grammy/types';
import { isUuid } from '../kernel/id.ts';
import type { DeviceRow } from '../sessions/sessions.ts';
import { accountOf, type Conversation } from './conversation.ts';
import type { Feature } from './features.ts';
import { withWayIn } from './sign-in-answers.ts';
import { fill } from './words.ts';

/** More would not fit under one message; the rest shows once these are gone. */
const MOST_SHOWN = 20;

/** /devices: where the person is signed in, each with a button that ends it, after a question. */
export const devicesFeature: Feature = {
  commands: [{ name: 'devices', description: (words) => words.commands.devices, handle: list }],
  callbacks: [{ prefix: 'devices', handle: press }],
};

async function list(conversation: Conversation): Promise<void> {
  const { words, change } = conversation;
  const devices = await devicesOf(conversation);
  if (devices.length === 0) return change(withWayIn(conversation, words.devices.none));
  const lines = devices.map((device, index) => lineOf(conversation, device, index + 1));
  const ends = devices.map((device, index): InlineKeyboardButton[] => [
    {
      text: `${fill(words.devices.end, { number: String(index + 1) })}: ${shortName(device)}`,
      callback_data: `devices:ask:${device.id}`,
    },
  ]);
  const others = devices.some((device) => !isHere(conversation, device)) && devices.length > 1;
  change([words.devices.list, '', ...lines].join('\n'), {
    buttons: [
      ...ends,
      ...(others ? [[{ text: words.devices.endOthers, callback_data: 'devices:ask-others' }]] : []),
    ],
  });
}

async function press(conversation: Conversation, rest: string): Promise<void> {
  const [action = '', id = ''] = rest.split(':');
  if (action === 'ask' && isUuid(id)) return askOne(conversation, id);
  if (action === 'end' && isUuid(id)) return endOne(conversation, id);
  if (action === 'ask-others') return askOthers(conversation);
  if (action === 'end-others') return endOthers(conversation);
  return list(conversation);
}

async function askOne(conversation: Conversation, id: string): Promise<void> {
  const { words, change } = conversation;
  const device = (await devicesOf(conversation)).find((one) => one.id === id);
  if (!device) return change(words.devices.gone, { buttons: backTo(conversation) });
  change(fill(words.devices.confirmOne, { name: shortName(device) }), {
    buttons: choice(conversation, `devices:end:${id}`),
  });
}

async function askOthers(conversation: Conversation): Promise<void> {
  const { words, change } = conversation;
  change(words.devices.confirmOthers, { buttons: choice(conversation, 'devices:end-others') });
}

async function endOne(conversation: Conversation, id: string): Promise<void> {
  const { context, tenant, words, clues, change } = conversation;
  const userId = await accountOf(conversation);
  const ended =
    userId === undefined
      ? 0
      : (await context.signIn.sessions.endDevice({ tenant, userId }, id, clues.caller)).count;
  const text = ended === 0 ? words.devices.gone : fill(words.devices.ended, { count: '1' });
  change(text, { buttons: backTo(conversation) });
}

async function endOthers(conversation: Conversation): Promise<void> {
  const { context, chat, tenant, words, clues, change } = conversation;
  const userId = await accountOf(conversation);
  if (userId === undefined) return change(words.devices.none);
  const { count } = await context.signIn.sessions.endChat(
    { tenant, userId },
    chat.chat_id,
    'others',
    clues.caller,
  );
  change(fill(words.devices.ended, { count: String(count) }), { buttons: backTo(conversation) });
}

async function devicesOf(conversation: Conversation): Promise<DeviceRow[]> {
  const { context, tenant } = conversation;
  const userId = await accountOf(conversation);
  if (userId === undefined) return [];
  return (await context.signIn.sessions.devices({ tenant, userId })).slice(0, MOST_SHOWN);
}

function lineOf(conversation: Conversation, device: DeviceRow, number: number): string {
  const { words, locale } = conversation;
  const format = new Intl.DateTimeFormat(locale, {
    dateStyle: 'medium',
    timeStyle: 'short',
    timeZone: 'UTC',
  });
  const time = `${format.format(device.last_seen)} UTC`;
  const facts = [
    ...(isHere(conversation, device) ? [words.devices.thisChat] : []),
    fill(words.devices.lastSeen, { time }),
  ];
  return `${number}. ${device.name} – ${facts.join(', ')}`;
}

function isHere({ chat }: Conversation, device: DeviceRow): boolean {
  return device.telegram_chat_id === chat.chat_id;
}

function shortName({ name }: DeviceRow): string {
  if (name.length <= 40) return name;
  // Not half a character at the end: Telegram takes no message with one.
  return `${name.slice(0, 39).replace(/[\ud800-\udbff]$/, '')}…`;
}

function choice({ words }: Conversation, yes: string): InlineKeyboardButton[][] {
  return [
    [{ text: words.devices.yes, callback_data: yes }],
    [{ text: words.devices.no, callback_data: 'devices:list' }],
  ];
}

function backTo({ words }: Conversation): InlineKeyboardButton[][] {
  return [[{ text: words.commands.devices, callback_data: 'devices:list' }]];
}
