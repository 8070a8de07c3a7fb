import assert from 'node:assert/strict';
import type { Answer, RequestOptions, TestApp } from '../create-test-app.ts';
import { type BotMessage, simulateChat, type SimulatedChat } from './simulated-chat.ts';

export const LINKS = '/api/v1/auth/telegram/links';

/** A link as its browser holds it. */
export interface BrowserLink {
  linkId: string;
  payload: string;
  number: string;
  state(): Promise<string>;
  complete(options?: RequestOptions): Promise<Answer>;
}

let lastCaller = 0;

/** A browser begins; each from an address of its own. */
export async function beginLink(app: TestApp, options: RequestOptions = {}): Promise<BrowserLink> {
  const from = `198.51.${Math.floor(++lastCaller / 250)}.${lastCaller % 250}`;
  const { status, body } = await app.post(LINKS, {}, { from, ...options });
  assert.equal(status, 200, JSON.stringify(body));
  const linkId = body.link_id as string;
  return {
    linkId,
    payload: new URL(body.url as string).searchParams.get('start') ?? '',
    number: body.match_number as string,
    state: async () => (await app.get(`${LINKS}/${linkId}`)).body.state as string,
    complete: (more) => app.post(`${LINKS}/${linkId}/complete`, {}, more),
  };
}

export const start = (chat: SimulatedChat, link: BrowserLink): Promise<BotMessage> =>
  chat.say(`/start ${link.payload}`);

/** The button that carries a number, or begins with an action. */
export function buttonOf(message: BotMessage | undefined, wanted: string): string {
  const button = message?.buttons.find(
    ({ text, callback_data }) => text === wanted || callback_data?.startsWith(`link:${wanted}:`),
  );
  assert.ok(button?.callback_data, `a button ${wanted} under: ${message?.text}`);
  return button.callback_data;
}

/** Opens, chooses the right number and confirms. */
export async function confirmLink(
  app: TestApp,
  link: BrowserLink,
  chat: SimulatedChat = simulateChat(app),
): Promise<SimulatedChat> {
  const asked = await start(chat, link);
  const sure = await chat.press(buttonOf(asked, link.number));
  await chat.press(buttonOf(sure, 'yes'));
  return chat;
}
