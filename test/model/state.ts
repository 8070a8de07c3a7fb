/** What the agreement says of one tenant: the rules in plain words, with no database and no HTTP. Times: milliseconds. */
export interface State {
  now: number;
  addresses: AddressState[];
  verifications: VerificationState[];
  sessions: SessionState[];
  /** Codes that were superseded by the proof of another. */
  gone: VerificationState[];
}

export interface AddressState {
  sentAt: number[];
  failedAt: number[];
  hasAccount: boolean;
}

export interface VerificationState {
  address: number;
  /** Undefined when the answer that carried it was lost. */
  handle: string | undefined;
  code: string | undefined;
  createdAt: number;
  attempts: number;
  sends: number;
  consumedAt: number | undefined;
}

export interface SessionState {
  address: number;
  /** Undefined when the answer that told it was lost. */
  id: string | undefined;
  deviceId: string | undefined;
  access: { token: string; expiresAt: number } | undefined;
  /** The refresh tokens by counter; undefined where an answer was lost. */
  refresh: (string | undefined)[];
  rotatedAt: number | undefined;
  createdAt: number;
  endedAt: number | undefined;
}

const SECOND = 1000;
const HOUR = 3600 * SECOND;
const DAY = 24 * HOUR;
const CODE_LIFE = 300 * SECOND;
const SESSION_LIFE = 30 * DAY;
const ACCESS_LIFE = 900 * SECOND;
const PROOF_LIFE = 300 * SECOND;
const GRACE = 10 * SECOND;
const KEPT = 7 * DAY;
const KEPT_SESSIONS = 30 * DAY;

const within = (moments: readonly number[], span: number, now: number): number =>
  moments.filter((moment) => moment > now - span).length;

export function newState(addresses: number, now: number): State {
  return {
    now,
    addresses: Array.from({ length: addresses }, () => ({ sentAt: [], failedAt: [], hasAccount: false })),
    verifications: [],
    sessions: [],
    gone: [],
  };
}

function addressOf(state: State, index: number): AddressState {
  const address = state.addresses[index];
  if (!address) throw new Error(`the model has no address ${index}`);
  return address;
}

/** Is a wrong code still allowed, when so many are kept for others? */
const failuresAllow = ({ failedAt }: AddressState, now: number, kept: number): boolean =>
  within(failedAt, HOUR, now) < 10 - kept && within(failedAt, DAY, now) < 20 - kept;

/** Every request of a run comes from another network: an account with a device keeps three of ten from all of them. */
const keptForOwner = (state: State, index: number): number =>
  state.sessions.some((session) => session.address === index) ? 3 : 0;

/** Every code that its holder has not tried keeps one comparison from everybody else. */
function keptForHolders(state: State, index: number): number {
  return state.verifications.filter(
    (one) =>
      one.address === index &&
      one.attempts === 0 &&
      one.consumedAt === undefined &&
      one.createdAt + CODE_LIFE > state.now,
  ).length;
}

/** May another code go to this address? One in 60 s until the code is used; 5 in ten minutes; 20 a day. */
export function maySend(state: State, index: number): boolean {
  const { now } = state;
  const address = addressOf(state, index);
  const last = address.sentAt.at(-1);
  const cool =
    last === undefined ||
    last <= now - 60 * SECOND ||
    state.verifications.some((one) => one.address === index && (one.consumedAt ?? -1) >= last);
  const owners = keptForOwner(state, index);
  const left =
    within(address.sentAt, 600 * SECOND, now) < 5 - owners / 3 &&
    within(address.sentAt, DAY, now) < 20 - owners;
  const kept = address.failedAt.length === 0 ? 0 : owners + keptForHolders(state, index);
  return cool && left && failuresAllow(address, now, kept);
}

/** A new code was sent. */
export function issued(state: State, index: number, handle?: string, code?: string): void {
  const { now } = state;
  addressOf(state, index).sentAt.push(now);
  state.verifications.push({
    address: index,
    handle,
    code,
    createdAt: now,
    attempts: 0,
    sends: 1,
    consumedAt: undefined,
  });
}

/** The waiting code was sent again. */
export function resent(state: State, verification: VerificationState): void {
  addressOf(state, verification.address).sentAt.push(state.now);
  verification.sends += 1;
}

/** Can this code still be sent again under its own handle? */
export const isWaiting = (state: State, verification: VerificationState): boolean =>
  verification.createdAt + CODE_LIFE > state.now && verification.attempts < 5;

/** Does this handle still lead to a code, its own or a fresh one? */
export const handleLives = (state: State, verification: VerificationState): boolean =>
  verification.consumedAt === undefined && verification.createdAt > state.now - DAY;

export type Judgement = 'used' | 'expired' | 'dead' | 'budget' | 'proved' | 'wrong';

/** Count, then compare, then consume: what a check of this code comes to. */
export function judge(state: State, verification: VerificationState, matches: boolean): Judgement {
  if (verification.consumedAt !== undefined) return 'used';
  if (verification.createdAt + CODE_LIFE <= state.now) return 'expired';
  if (verification.attempts >= 5) return 'dead';
  const others = verification.attempts === 0 ? 0 : keptForHolders(state, verification.address);
  const { failedAt } = addressOf(state, verification.address);
  const kept = failedAt.length === 0 ? 0 : keptForOwner(state, verification.address) + others;
  if (!failuresAllow(addressOf(state, verification.address), state.now, kept)) return 'budget';
  return matches ? 'proved' : 'wrong';
}

/** What a comparison leaves behind. */
export function judged(state: State, verification: VerificationState, judgement: Judgement): void {
  const address = addressOf(state, verification.address);
  if (judgement === 'wrong') {
    verification.attempts += 1;
    address.failedAt.push(state.now);
  }
  if (judgement !== 'proved') return;
  verification.attempts += 1;
  verification.consumedAt = state.now;
  address.failedAt = [];
  address.hasAccount = true;
  const superseded = (other: VerificationState): boolean =>
    other.address === verification.address && other.consumedAt === undefined;
  state.gone.push(...state.verifications.filter(superseded));
  state.verifications = state.verifications.filter((other) => !superseded(other));
  state.sessions.push({
    address: verification.address,
    id: undefined,
    deviceId: undefined,
    access: undefined,
    refresh: [undefined],
    rotatedAt: undefined,
    createdAt: state.now,
    endedAt: undefined,
  });
}

export const accessEnds = (state: State): number => state.now + ACCESS_LIFE;

/** Ends sessions of one address, as a sign-out does. */
export function signOut(state: State, which: (session: SessionState) => boolean): void {
  for (const session of state.sessions) if (which(session)) session.endedAt ??= state.now;
}

export const isLive = (state: State, session: SessionState): boolean =>
  session.endedAt === undefined && session.createdAt + SESSION_LIFE > state.now;

/** Was this session proved by its sign-in at most five minutes ago? Refreshing proves nobody. */
export const isProved = (state: State, session: SessionState): boolean =>
  session.createdAt + PROOF_LIFE >= state.now;

/** What presenting refresh token number `counter` comes to, and what it leaves behind. */
export function refreshed(
  state: State,
  session: SessionState,
  counter: number,
): 'next' | 'same' | 'stolen' | 'ended' {
  if (!isLive(state, session)) return 'ended';
  const current = session.refresh.length - 1;
  if (counter === current) {
    session.refresh.push(undefined);
    session.rotatedAt = state.now;
    return 'next';
  }
  if (counter === current - 1 && (session.rotatedAt ?? 0) > state.now - GRACE) return 'same';
  session.endedAt = state.now;
  return 'stolen';
}

/** Removes what the sweep removes, and ends what is past its life. */
export function swept(state: State): void {
  signOut(state, (session) => !isLive(state, session));
  state.sessions = state.sessions.filter((one) => (one.endedAt ?? state.now) >= state.now - KEPT_SESSIONS);
  state.verifications = state.verifications.filter((one) => one.createdAt >= state.now - KEPT);
}

/** What can be seen of a state from outside, in one text for each address. */
export function projection(state: State): string[] {
  return state.addresses.map((address, index) => {
    const codes = state.verifications
      .filter((one) => one.address === index)
      .map((one) => `${one.attempts}/${one.sends}${one.consumedAt === undefined ? '' : 'used'}`);
    const sessions = state.sessions
      .filter((one) => one.address === index)
      .map((one) => `${one.refresh.length - 1}${one.endedAt === undefined ? '' : 'ended'}`);
    const sent = within(address.sentAt, DAY, state.now);
    const failed = within(address.failedAt, DAY, state.now);
    return `account ${address.hasAccount} sent ${sent} failed ${failed} codes ${codes.sort().join(' ')} sessions ${sessions.sort().join(' ')}`;
  });
}
