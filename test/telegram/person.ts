import type { Answer, TestApp } from '../create-test-app.ts';

/** Somebody with Telegram on the phone. */
export interface Person {
  id: number;
  first_name: string;
  last_name?: string;
  username?: string;
  language_code?: string;
}

/** What the bot wrote, newest first, as the development inbox keeps it. */
export interface BotMessage {
  id: string;
  text: string;
  code: string | null;
  buttons?: { text: string; callback_data?: string; copy_text?: { text: string } }[][];
}

let lastUpdate = 1000;

/** An id that no update had before. */
function nextUpdateId(): number {
  return ++lastUpdate;
}

/** The update that Telegram makes of a message written in the private chat. */
export function textUpdate(person: Person, text: string) {
  const update_id = nextUpdateId();
  const isCommand = text.startsWith('/');
  const length = text.split(' ')[0]?.length ?? 0;
  return {
    update_id,
    message: {
      message_id: update_id,
      date: 1_772_366_400,
      chat: { ...person, type: 'private' },
      from: { ...person, is_bot: false },
      text,
      ...(isCommand ? { entities: [{ type: 'bot_command', offset: 0, length }] } : {}),
    },
  };
}

/** The update that Telegram makes of a shared contact; `more` changes the message around it. */
export function contactUpdate(
  person: Person,
  contact: Record<string, unknown>,
  more: Record<string, unknown> = {},
) {
  const update = textUpdate(person, 'x');
  const { text: _text, ...message } = update.message;
  return { ...update, message: { ...message, contact: { first_name: 'Ada', ...contact }, ...more } };
}

/** The update that Telegram makes of a pressed button. */
export function pressUpdate(person: Person, data: string) {
  const update_id = nextUpdateId();
  const chat = { ...person, type: 'private' };
  const bot = { id: 1, is_bot: true, first_name: 'Firstproof', username: 'firstproof__simulated_bot' };
  return {
    update_id,
    callback_query: {
      id: String(update_id),
      from: { ...person, is_bot: false },
      chat_instance: '1',
      data,
      message: { message_id: 1, date: 1_772_366_400, chat, from: bot, text: '…' },
    },
  };
}

/** The update that Telegram makes of a person who stops the bot or starts it again. */
export function membershipUpdate(person: Person, status: 'kicked' | 'member') {
  const bot = { id: 1, is_bot: true, first_name: 'Firstproof' };
  const before = status === 'kicked' ? 'member' : 'kicked';
  return {
    update_id: nextUpdateId(),
    my_chat_member: {
      chat: { ...person, type: 'private' },
      from: { ...person, is_bot: false },
      date: 1_772_366_400,
      old_chat_member: { user: bot, status: before, ...(before === 'kicked' ? { until_date: 0 } : {}) },
      new_chat_member: { user: bot, status, ...(status === 'kicked' ? { until_date: 0 } : {}) },
    },
  };
}

/** A person before the simulated Telegram of a test server. */
export function telegramOf(test: TestApp, tenant?: string) {
  const headers = tenant === undefined ? {} : { 'x-tenant': tenant };
  const bring = (update: unknown): Promise<Answer> => test.post('/dev/telegram/updates', update, { headers });
  async function messages(person: Person): Promise<BotMessage[]> {
    return (await test.get(`/dev/messages?to=${person.id}`)).body;
  }
  async function newest(person: Person): Promise<BotMessage | undefined> {
    // Codes and notices come by the outbox, in their own time; what the bot itself says has buttons, if only none.
    return (await messages(person)).find(({ buttons }) => buttons !== undefined);
  }
  return {
    bring,
    messages,
    /** Writes to the bot; gives its newest answer. */
    async write(person: Person, text: string): Promise<BotMessage | undefined> {
      await bring(textUpdate(person, text));
      return newest(person);
    },
    /** Presses a button; gives the newest answer. */
    async press(person: Person, data: string): Promise<BotMessage | undefined> {
      await bring(pressUpdate(person, data));
      return newest(person);
    },
  };
}
