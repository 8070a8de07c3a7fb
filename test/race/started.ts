import assert from 'node:assert/strict';
import type { TestApp } from '../create-test-app.ts';
import { solve } from '../solve-challenge.ts';

/** A code that is on its way to its owner, and the handle of whoever asked for it. */
export interface Started {
  email: string;
  handle: string;
  code: string;
}

let counter = 0;

/** An address that no other test of this file uses. */
export function newEmail(): string {
  return `person-${++counter}@example.com`;
}

/** Callers of their own, so that no test spends another's sends. */
export function newCaller(): string {
  counter++;
  return `198.18.${counter >> 8}.${counter & 255}`;
}

/**
 * Starts a sign-in and reads its code from the inbox.
 * @param paid a challenge is solved first: wrong codes then count toward the hundred that close the address
 */
export async function start(app: TestApp, email = newEmail(), paid = false): Promise<Started> {
  const before = await app.newestMessage(email);
  const from = newCaller();
  const headers: Record<string, string> = {};
  if (paid) {
    const { body } = await app.get('/api/v1/auth/challenge', { from });
    headers['x-challenge-solution'] = await solve(body.challenge);
  }
  const sent = await app.post('/api/v1/auth/send-verification', { email }, { from, headers });
  assert.equal(sent.status, 200, JSON.stringify(sent.body));
  const code = await app.code(email, { after: before });
  return { email, handle: sent.body.verification_id, code };
}

/** So many different codes, none of them one of `right`. */
export function wrongCodes(count: number, ...right: readonly string[]): string[] {
  const codes: string[] = [];
  for (let number = 100_000; codes.length < count; number++) {
    if (!right.includes(String(number))) codes.push(String(number));
  }
  return codes;
}

export const verifyPath = '/api/v1/auth/verify-code';
export const sendPath = '/api/v1/auth/send-verification';
export const resendPath = '/api/v1/auth/resend-otp';
export const refreshPath = '/api/v1/auth/refresh';

/** Somebody who has just signed in. */
export interface SignedIn {
  email: string;
  userId: string;
  sessionId: string;
  deviceId: string;
  access: string;
  /** Empty for an opaque session, which has only the one token. */
  refresh: string;
}

/** Signs an address in; one that is known signs in once more, on another device. */
export async function signIn(
  app: TestApp,
  email = newEmail(),
  style: 'jwt' | 'opaque' = 'jwt',
): Promise<SignedIn> {
  const { status, body } = await app.signIn({ email }, { style }, { from: newCaller() });
  assert.ok(status === 200 || status === 201, JSON.stringify(body));
  return {
    email,
    userId: body.user.id,
    sessionId: body.session.id,
    deviceId: body.session.device_id,
    access: body.access_token,
    refresh: body.refresh_token ?? '',
  };
}

/** What a server says of a token right now. */
export async function checkToken(app: TestApp, token: string): Promise<number> {
  return (await app.get('/api/v1/auth/session', { token })).status;
}

/** Fails unless a session is over everywhere: its tokens, old and new, its introspection, its row. */
export async function assertEnded(
  servers: readonly TestApp[],
  session: { sessionId: string; access: readonly string[]; refresh: readonly string[] },
): Promise<void> {
  const access = [...new Set(session.access)];
  const statuses = await Promise.all(
    servers.flatMap((server) => access.map((token) => checkToken(server, token))),
  );
  assert.ok(
    statuses.every((status) => status === 401),
    `an access token of an ended session was taken at its next request: ${statuses.join()}`,
  );
  for (const server of servers) {
    for (const token of access) {
      const headers = { 'x-api-key': server.apiKey };
      const { body } = await server.post('/api/v1/introspect', { token }, { headers });
      assert.deepEqual(body, { active: false });
    }
    for (const refresh_token of new Set(session.refresh)) {
      const answer = await server.post(refreshPath, { refresh_token });
      assert.equal(answer.status, 401, 'a refresh token of an ended session');
    }
  }
  const [first] = servers;
  const [row] = await (first as TestApp).databases.control.sql`
    select revoked_at from sessions where id = ${session.sessionId}`;
  assert.ok(row?.['revoked_at'], 'the session is marked as ended');
}
