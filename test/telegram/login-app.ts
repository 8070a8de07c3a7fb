import assert from 'node:assert/strict';
import { createTestApp, type RequestOptions } from '../create-test-app.ts';
import { newCaller } from '../race/started.ts';
import { createFakeLogin, LOGIN_CLIENT, type LoginPerson } from './fake-login.ts';

export const LOGIN_PATH = '/api/v1/auth/telegram/oidc';
/** Where the tenant lets Telegram lead people back to. */
export const BACK = 'https://app.example/back';
const START = new Date('2026-03-01T12:00:00.000Z');

/** A server whose tenant `default` signs people in by Telegram's login, the Telegram it asks, and what a website does. */
export async function createLoginApp() {
  let seconds = (): number => START.getTime() / 1000;
  const fake = await createFakeLogin(() => Math.floor(seconds()));
  const usual = { ...fake.state };
  const app = await createTestApp({
    start: START,
    fetch: fake.fetch,
    providerTimeoutMilliseconds: 300,
    env: {
      TELEGRAM_LOGIN_CLIENT_ID: LOGIN_CLIENT.id,
      TELEGRAM_LOGIN_CLIENT_SECRET: LOGIN_CLIENT.secret,
    },
    tenants: { default: { telegram_sign_in: { return_addresses: [BACK] } } },
  });
  seconds = () => app.clock.now().getTime() / 1000;

  async function begin(options: RequestOptions = {}): Promise<{ login_id: string; url: string }> {
    const answer = await app.post(LOGIN_PATH, { redirect_uri: BACK }, { from: newCaller(), ...options });
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    return { login_id: answer.body.login_id, url: answer.body.authorization_url };
  }

  const complete = (body: Record<string, unknown>, options: RequestOptions = {}) =>
    app.post(`${LOGIN_PATH}/complete`, body, { from: newCaller(), ...options });

  async function signIn(person: LoginPerson, options: RequestOptions = {}) {
    const { login_id, url } = await begin(options);
    return complete({ login_id, ...fake.approve(url, person) }, options);
  }

  /** Fails unless what is said to be Telegram's answer is worth nothing. */
  async function refused(body: Record<string, unknown>, options: RequestOptions = {}): Promise<void> {
    const answer = await complete(body, options);
    assert.deepEqual(
      [answer.status, answer.body.error],
      [401, 'TELEGRAM_DATA_INVALID'],
      JSON.stringify(answer.body),
    );
  }

  return {
    app,
    fake,
    /** After each test: Telegram tells the truth again. */
    restore: (): void => void Object.assign(fake.state, usual, { claims: {} }),
    /** The clock that Telegram dates its tokens by. */
    seconds: () => seconds(),
    begin,
    complete,
    signIn,
    refused,
  };
}

let lastId = 940_000_000;
export function newPerson(more: Partial<LoginPerson> = {}): LoginPerson {
  return { id: ++lastId, name: 'Mia Wong', ...more };
}

let lastPhone = 3000;
export function newPhone(): string {
  return `1415555${++lastPhone}`;
}
