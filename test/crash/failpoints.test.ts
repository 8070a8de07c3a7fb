import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createTestApp, type TestApp } from '../create-test-app.ts';
import { wrongCode } from '../wrong-code.ts';
import { type Flow, keepsNothing, leavesNoWriteOut } from './failpoints.ts';

const AUTH = '/api/v1/auth';

let app: TestApp;
before(async () => {
  app = await createTestApp({ env: { FIRSTPROOF_SENDS_PER_CALLER_PER_HOUR: '100000' } });
});
after(() => app.close());

async function sendCode(email: string): Promise<{ verification_id: string; code: string }> {
  const earlier = await app.newestMessage(email);
  const sent = await app.post(`${AUTH}/send-verification`, { email });
  assert.equal(sent.status, 200);
  return { verification_id: sent.body.verification_id, code: await app.code(email, { after: earlier }) };
}

const FLOWS: Record<string, Flow> = {
  'send a code': {
    prepare: async (email) => () => app.post(`${AUTH}/send-verification`, { email }),
    good: 200,
    writes: ['address_budgets', 'verifications', 'messages', 'audit_events'],
  },
  'send it again': {
    async prepare(email) {
      const { verification_id } = await sendCode(email);
      app.clock.advance(61);
      return () => app.post(`${AUTH}/resend-otp`, { verification_id });
    },
    good: 200,
    writes: ['address_budgets', 'verifications', 'messages', 'audit_events'],
  },
  'a first proof': {
    async prepare(email) {
      const proof = await sendCode(email);
      return () => app.post(`${AUTH}/verify-code`, proof);
    },
    good: 201,
    writes: [
      ...['verifications', 'identities', 'users', 'devices', 'sessions'],
      ...[
        `audit_events where new.action = 'user.created'`,
        `audit_events where new.action = 'user.signed_in'`,
      ],
    ],
  },
  'a later proof after a wrong code': {
    async prepare(email) {
      await app.signIn({ email });
      const proof = await sendCode(email);
      const wrong = await app.post(`${AUTH}/verify-code`, { ...proof, code: wrongCode(proof.code) });
      assert.equal(wrong.status, 401);
      return () => app.post(`${AUTH}/verify-code`, proof);
    },
    good: 200,
    writes: [
      ...['verifications', 'address_budgets', 'identities', 'users', 'devices', 'sessions', 'audit_events'],
    ],
  },
  'a wrong code': {
    async prepare(email) {
      const { code, ...rest } = await sendCode(email);
      return () => app.post(`${AUTH}/verify-code`, { ...rest, code: wrongCode(code) });
    },
    good: 401,
    writes: ['verifications', 'address_budgets', 'audit_events'],
  },
  'a refresh': {
    async prepare(email) {
      const { body } = await app.signIn({ email });
      return () => app.post(`${AUTH}/refresh`, { refresh_token: body.refresh_token });
    },
    good: 200,
    writes: ['sessions'],
  },
  'a stolen refresh token': {
    async prepare(email) {
      const { body } = await app.signIn({ email });
      const refresh = () => app.post(`${AUTH}/refresh`, { refresh_token: body.refresh_token });
      assert.equal((await refresh()).status, 200);
      app.clock.advance(11);
      return refresh;
    },
    good: 401,
    writes: ['sessions', 'users', 'audit_events'],
  },
  'a sign-out': {
    async prepare(email) {
      const { body } = await app.signIn({ email });
      return () => app.post(`${AUTH}/logout`, undefined, { token: body.access_token });
    },
    good: 200,
    writes: ['sessions', 'users', 'audit_events'],
  },
};

for (const [name, flow] of Object.entries(FLOWS)) {
  test(`S06 ${name}: no write is left out here`, () => leavesNoWriteOut(app, flow));

  test(`S06 ${name}: whichever write fails, nothing of it is kept, and the next try succeeds`, () =>
    keepsNothing(app, flow));
}
