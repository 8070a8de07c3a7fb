import type { ProofWay, SignedIn, VerificationSent } from '../answers.ts';
import { FirstproofError } from '../errors.ts';
import type { Calls, Registration, Way } from './calls.ts';
import type { AddressScreen, CodeScreen, Screen, SecondProofScreen, Stage } from './screens.ts';

/** Each step calls the server and answers with the screen that follows; what the server refuses is thrown. */

export function addressOf(way: Way, typed: string): Record<string, string> {
  return { [way === 'telegram' ? 'telegram_user_id' : way]: typed };
}

const now = (): number => performance.now();

function codeScreen(
  from: AddressScreen,
  typed: string,
  sent: VerificationSent,
  id = sent.verification_id ?? '',
): CodeScreen {
  return { at: 'code', sent, id, resendAt: now() + sent.resend_in * 1000, isResent: false, from, typed };
}

/** Asks for a code. One that was sent from here a moment ago is the one to type. */
async function ask(
  { lastCode }: Stage,
  from: AddressScreen,
  typed: string,
  call: (earlier: CodeScreen | undefined) => Promise<VerificationSent>,
): Promise<Screen> {
  const isSame = lastCode?.from.at === from.at && lastCode.from.way === from.way && lastCode.typed === typed;
  const earlier = isSame ? lastCode : undefined;
  try {
    return codeScreen(from, typed, await call(earlier));
  } catch (fault) {
    if (!earlier || !(fault instanceof FirstproofError) || fault.code !== 'RESEND_TOO_SOON') throw fault;
    const { resend_in, retry_after } = fault.details;
    return { ...earlier, isResent: false, resendAt: now() + (resend_in ?? retry_after ?? 0) * 1000 };
  }
}

export function sendCode(stage: Stage, calls: Calls, from: AddressScreen, typed: string): Promise<Screen> {
  return ask(stage, from, typed, () => calls.send(addressOf(from.way, typed), stage.language));
}

/** Keeps what was typed at sign-up; sent again it corrects what waits, as only its own handle allows. */
export function register(
  stage: Stage,
  calls: Calls,
  from: AddressScreen,
  typed: string,
  registration: Registration,
): Promise<Screen> {
  return ask(stage, from, typed, (earlier) =>
    calls.register({ ...registration, ...(earlier ? { verification_id: earlier.id } : {}) }, stage.language),
  );
}

export function recover(stage: Stage, calls: Calls, from: AddressScreen, typed: string): Promise<Screen> {
  return ask(stage, from, typed, () => calls.forgot(addressOf(from.way, typed), stage.language));
}

export async function logIn(
  calls: Calls,
  from: AddressScreen,
  typed: string,
  password: string,
): Promise<Screen> {
  const address = addressOf(from.way, typed);
  try {
    return { at: 'done', signedIn: await calls.login({ ...address, password }) };
  } catch (fault) {
    const details = fault instanceof FirstproofError ? fault.details : {};
    const id = details.verification_id;
    if (id === undefined) throw fault;
    // An address that waits for its proof: its code is on the way.
    const { expires_in = 0, resend_in = 0, channel = 'email' in address ? 'email' : 'sms' } = details;
    const known = { success: true, message: '', code_length: 0, attempts_left: 5 } as const;
    return codeScreen(from, typed, { ...known, channel, destination: typed, expires_in, resend_in }, id);
  }
}

export async function verify(calls: Calls, { id, from }: CodeScreen, code: string): Promise<Screen> {
  let answer: SignedIn;
  try {
    answer = await calls.verify(id, code);
  } catch (fault) {
    if (!(fault instanceof FirstproofError) || fault.code !== 'SECOND_PROOF_REQUIRED') throw fault;
    const { second_proof_token: token, ways = [] } = fault.details;
    return { at: 'second-proof', token, ways, from };
  }
  const { next_action: next, reset_token: token } = answer;
  if (token !== undefined && next === 'RESET_PASSWORD') return { at: 'reset', token, way: from.way };
  if (token !== undefined && next === 'SET_PASSWORD')
    return { at: 'reset', token, way: from.way, after: answer };
  return { at: 'done', signedIn: answer };
}

/** One more way than the number. @param password where that is the way */
export async function proveAgain(
  stage: Stage,
  calls: Calls,
  { token = '' }: SecondProofScreen,
  { method, identity_id: identityId }: ProofWay,
  password: string,
): Promise<Screen> {
  const by =
    method === 'password'
      ? { password }
      : method === 'new_account'
        ? { new_account: true as const }
        : { identity_id: identityId ?? '' };
  const answer = await calls.secondProof(token, by, stage.language);
  if ('access_token' in answer) return { at: 'done', signedIn: answer };
  const way = method === 'telegram' ? 'telegram' : 'email';
  return codeScreen({ at: 'address', way, byPassword: false }, answer.destination, answer);
}

export async function resend(calls: Calls, screen: CodeScreen): Promise<Screen> {
  const sent = await calls.resend(screen.id);
  const id = sent.verification_id ?? screen.id;
  return { ...codeScreen(screen.from, screen.typed, sent, id), isResent: true };
}

/** Whoever was signed in before is new still: the session that follows is another, the account is the same. */
export async function setPassword(
  calls: Calls,
  token: string,
  password: string,
  after: SignedIn | undefined,
): Promise<Screen> {
  const signedIn = await calls.reset(token, password);
  return { at: 'done', signedIn: after ? { ...signedIn, is_new_user: after.is_new_user } : signedIn };
}
