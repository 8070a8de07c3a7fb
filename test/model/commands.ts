import assert from 'node:assert/strict';
import fc from 'fast-check';
import { wrongCode } from '../wrong-code.ts';
import { type Foretell, Happening, type Model, Request } from './command.ts';
import * as rules from './state.ts';
import type { SessionState, State, VerificationState } from './state.ts';
import type { Run } from './system.ts';

/** Chooses among what there is by any number. */
function pick<T>(from: readonly T[], index: number): T | undefined {
  return from[index % Math.max(1, from.length)];
}

const AUTH = '/api/v1/auth';
const DAY = 86_400;
type Named = VerificationState & { handle: string; code: string };
const named = (all: readonly VerificationState[]): Named[] =>
  all.filter((one): one is Named => one.handle !== undefined && one.code !== undefined);

/** Notes the code behind a new handle, and that it is the one that goes out. */
async function learnCode(run: Run, verification: VerificationState | undefined, handle: unknown) {
  assert.ok(verification && typeof handle === 'string');
  verification.handle = handle;
  verification.code = await run.codeOf(handle);
  if (!run.fired) await run.delivered(verification.address, verification.code, verification.sends);
}

const send =
  (address: number): Foretell =>
  (state, run) => {
    const allowed = rules.maySend(state, address);
    if (allowed) rules.issued(state, address);
    const body = { email: run.addresses[address] };
    return {
      ...{ method: 'POST', path: `${AUTH}/send-verification`, body, statuses: [allowed ? 200 : 429] },
      learn: async (answer) => {
        if (allowed) await learnCode(run, state.verifications.at(-1), answer.body.verification_id);
      },
    };
  };

const resend =
  (index: number): Foretell =>
  (state, run) => {
    const verification = pick(named(state.verifications), index);
    if (!verification) return undefined;
    const request = {
      method: 'POST',
      path: `${AUTH}/resend-otp`,
      body: { verification_id: verification.handle },
    };
    if (!rules.handleLives(state, verification)) return { ...request, statuses: [404] };
    if (!rules.maySend(state, verification.address)) return { ...request, statuses: [429] };
    if (!rules.isWaiting(state, verification)) {
      rules.issued(state, verification.address);
      return {
        ...{ ...request, statuses: [200] },
        learn: (answer) => learnCode(run, state.verifications.at(-1), answer.body.verification_id),
      };
    }
    rules.resent(state, verification);
    const { handle, code } = verification;
    return {
      ...{ ...request, statuses: [200] },
      async learn(answer) {
        assert.equal(answer.body.verification_id, handle);
        await learnCode(run, verification, handle);
        assert.equal(verification.code, code, 'the same code goes out again');
      },
    };
  };

type Guess = 'right' | 'wrong' | 'of another' | 'elsewhere' | 'superseded';
const STATUSES = { used: [404], expired: [410, 404], dead: [429], budget: [429], wrong: [401] } as const;

const verify =
  (index: number, guess: Guess, other: number): Foretell =>
  (state, run) => {
    const from = guess === 'superseded' ? state.gone : state.verifications;
    const verification = pick(named(from), index);
    if (!verification) return undefined;
    const { handle, code } = verification;
    let typed = guess === 'wrong' ? wrongCode(code) : code;
    if (guess === 'of another') typed = pick(named(state.verifications), other)?.code ?? code;
    const request = {
      ...{ method: 'POST', path: `${AUTH}/verify-code`, body: { verification_id: handle, code: typed } },
      ...(guess === 'elsewhere' ? { tenant: 'default' } : {}),
    };
    if (guess === 'elsewhere' || guess === 'superseded') return { ...request, statuses: [404] };
    const isNew = !state.addresses[verification.address]?.hasAccount;
    const judgement = rules.judge(state, verification, typed === code);
    rules.judged(state, verification, judgement);
    if (judgement !== 'proved') return { ...request, statuses: STATUSES[judgement] };
    const session = state.sessions.at(-1) as SessionState;
    return {
      ...{ ...request, statuses: [isNew ? 201 : 200] },
      learn({ body }) {
        assert.equal(body.user.email, run.addresses[verification.address]);
        session.id = body.session.id;
        session.deviceId = body.session.device_id;
        session.access = { token: body.access_token, expiresAt: rules.accessEnds(state) };
        session.refresh = [body.refresh_token];
      },
    };
  };

const refresh =
  (index: number, back: number): Foretell =>
  (state) => {
    const session = pick(state.sessions, index);
    const counter = Math.max(0, (session?.refresh.length ?? 0) - 1 - back);
    const token = session?.refresh[counter];
    if (!session || token === undefined) return undefined;
    const outcome = rules.refreshed(state, session, counter);
    const good = outcome === 'next' || outcome === 'same';
    const known = session.refresh.at(-1);
    return {
      ...{ method: 'POST', path: `${AUTH}/refresh`, body: { refresh_token: token } },
      statuses: [good ? 200 : 401],
      learn({ body }) {
        if (!good) return;
        assert.equal(session.refresh.includes(body.refresh_token), known !== undefined, 'one successor only');
        if (known !== undefined) assert.equal(body.refresh_token, known, 'a retry gets the same successor');
        session.refresh[session.refresh.length - 1] = body.refresh_token;
        session.access = { token: body.access_token, expiresAt: rules.accessEnds(state) };
      },
    };
  };

type Holder = SessionState & { access: NonNullable<SessionState['access']> };
const holder = (state: State, index: number): Holder | undefined =>
  pick(
    state.sessions.filter((one): one is Holder => one.access !== undefined),
    index,
  );
const admitted = (state: State, { access, ...session }: Holder): boolean =>
  rules.isLive(state, { ...session, access }) && access.expiresAt > state.now;

const signOut =
  (index: number, scope: 'this' | 'others' | 'all'): Foretell =>
  (state) => {
    const mine = holder(state, index);
    if (!mine) return undefined;
    const { token } = mine.access;
    const request = { method: 'POST', path: `${AUTH}/logout`, body: { scope }, token };
    if (!admitted(state, mine)) return { ...request, statuses: [401] };
    if (scope !== 'this' && !rules.isProved(state, mine)) return { ...request, statuses: [403] };
    rules.signOut(state, (one) => {
      if (one.address !== mine.address) return false;
      return scope === 'all' || (one === mine) === (scope === 'this');
    });
    return { ...request, statuses: [200] };
  };

const revokeDevice =
  (index: number, target: number): Foretell =>
  (state) => {
    const mine = holder(state, index);
    const theirs = pick(state.sessions, target);
    if (!mine || theirs?.deviceId === undefined) return undefined;
    const { token } = mine.access;
    const request = { method: 'DELETE', path: `${AUTH}/devices/${theirs.deviceId}`, token };
    if (!admitted(state, mine)) return { ...request, statuses: [401] };
    if (theirs !== mine && !rules.isProved(state, mine)) return { ...request, statuses: [403] };
    if (theirs.address !== mine.address || theirs.endedAt !== undefined)
      return { ...request, statuses: [404] };
    rules.signOut(state, (one) => one === theirs);
    return { ...request, statuses: [200] };
  };

function timePasses(seconds: number): Happening {
  return new Happening(`${seconds} s pass`, async (state, run) => {
    run.clock.advance(seconds);
    state.now = run.clock.now().getTime();
    // The workers sweep by their own clock every minute: what they might remove is removed at once.
    if (seconds < DAY) return;
    rules.swept(state);
    await run.servers[0].app.worker.sweep();
  });
}

/** Every command, the likely ones more often. `addresses` is how many the run has. */
export function commands(addresses: number): fc.Arbitrary<fc.AsyncCommand<Model, Run>>[] {
  const any = fc.nat(11);
  const at = fc.constantFrom<0 | 1>(0, 1);
  const fire = fc.oneof(
    { weight: 29, arbitrary: fc.constant(undefined) },
    { weight: 1, arbitrary: fc.nat(6) },
  );
  const request = <T extends unknown[]>(
    name: string,
    make: (...values: T) => Foretell,
    ...values: { [Index in keyof T]: fc.Arbitrary<T[Index]> }
  ): fc.Arbitrary<Request> =>
    fc
      .tuple(at, fire, fc.tuple(...values))
      .map(
        ([where, when, given]) =>
          new Request(`${name} ${given.join(' ')}`, where, when, make(...(given as T))),
      );
  const guess = fc.constantFrom<Guess>(
    'right',
    'right',
    'right',
    'wrong',
    'wrong',
    'of another',
    'elsewhere',
  );
  return [
    request('send', send, fc.nat(addresses - 1)),
    request('send', send, fc.nat(addresses - 1)),
    request('resend', resend, any),
    request('verify', verify, any, guess, any),
    request('verify', verify, any, fc.constant<Guess>('right'), any),
    request('verify', verify, any, fc.constantFrom<Guess>('wrong', 'superseded'), any),
    request('refresh', refresh, any, fc.constantFrom(0, 0, 0, 1, 2)),
    request('sign out', signOut, any, fc.constantFrom('this' as const, 'others' as const, 'all' as const)),
    request('revoke device', revokeDevice, any, any),
    fc.constantFrom(3, 11, 61, 61, 301, 901, 3601, DAY + 1, 8 * DAY, 31 * DAY).map(timePasses),
  ];
}
