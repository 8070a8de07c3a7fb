import assert from 'node:assert/strict';
import type { TestApp } from '../create-test-app.ts';

export interface Button {
  text: string;
  callback_data?: string;
}

/** What the bot last wrote into a chat. */
export interface BotMessage {
  text: string;
  buttons: Button[];
}

/** One person's private chat with the simulated bot. */
export interface SimulatedChat {
  id: number;
  /** Says something; gives what the bot answers. */
  say(text: string): Promise<BotMessage>;
  /** Presses a button of any message, perhaps one that is not this chat's; gives what the bot last wrote here. */
  press(data: string): Promise<BotMessage | undefined>;
  last(): Promise<BotMessage | undefined>;
}

let lastId = 940_000_000;
let lastUpdate = 1;

/** Somebody new who talks to the bot of a tenant. */
export function simulateChat(
  app: TestApp,
  options: { tenant?: string; from?: Record<string, unknown>; chat?: Record<string, unknown> } = {},
): SimulatedChat {
  const id = ++lastId;
  const headers = options.tenant === undefined ? {} : { 'x-tenant': options.tenant };
  const from = {
    id,
    is_bot: false,
    first_name: 'Nora',
    username: `nora_${id}`,
    language_code: 'en',
    ...options.from,
  };
  const chat = { id, type: 'private', first_name: 'Nora', ...options.chat };
  const update = async (content: Record<string, unknown>): Promise<void> => {
    const answer = await app.post(
      '/dev/telegram/updates',
      { update_id: ++lastUpdate, ...content },
      { headers },
    );
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
  };
  const last = async (): Promise<BotMessage | undefined> => {
    const { body } = await app.get(`/dev/messages?to=${id}&limit=1`);
    const [message] = body as { text: string; buttons?: Button[][] }[];
    return message && { text: message.text, buttons: (message.buttons ?? []).flat() };
  };
  return {
    id,
    last,
    async say(text) {
      await update({ message: { message_id: lastUpdate, date: 0, chat, from, text } });
      const message = await last();
      assert.ok(message, 'the bot answered');
      return message;
    },
    async press(data) {
      const message = { message_id: 1, date: 0, chat };
      await update({ callback_query: { id: String(lastUpdate), from, message, chat_instance: '1', data } });
      return last();
    },
  };
}
