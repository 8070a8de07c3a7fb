import { durationIn } from '../kernel/duration.ts';
import type { ErrorCode, Issue, Refused } from '../kernel/errors.ts';
import { errorCatalogue } from '../kernel/errors.ts';
import { type WorkAsked, workOf } from './challenge.ts';
import { textOf } from './context.ts';
import type { Visit } from './visit.ts';
import { type FieldProblemName, fill, type ProblemName } from './words.ts';

/** What a page says went wrong: one sentence above the form, and one beside each field at fault. */
export interface Problem {
  status: number;
  notice: string | undefined;
  /** By the name of the form's field. */
  fields: Readonly<Record<string, string>>;
  /** The field that the sentence above the form is about. */
  about?: string;
  /** The bot to open first, where that is what helps. */
  botLink?: string;
  /** What the form has to bring the next time. */
  work?: WorkAsked;
}

/** Codes that people meet. Any other becomes "something went wrong on our side". */
const NAMES: Partial<Record<ErrorCode, ProblemName>> = {
  INVALID_REQUEST: 'checkFields',
  WEAK_PASSWORD: 'checkFields',
  INVALID_CODE: 'invalidCode',
  INVALID_CREDENTIALS: 'invalidCredentials',
  ACCOUNT_NOT_VERIFIED: 'notVerified',
  ACCOUNT_DISABLED: 'accountDisabled',
  STEP_UP_REQUIRED: 'stepUpRequired',
  REGISTRATION_CLOSED: 'registrationClosed',
  COUNTRY_NOT_ALLOWED: 'countryNotAllowed',
  VERIFICATION_NOT_FOUND: 'verificationGone',
  ACCOUNT_NOT_FOUND: 'accountNotFound',
  ALREADY_REGISTERED: 'alreadyRegistered',
  LAST_IDENTITY: 'lastIdentity',
  TELEGRAM_CHAT_UNKNOWN: 'telegramChatUnknown',
  CODE_EXPIRED: 'codeExpired',
  TOO_MANY_ATTEMPTS: 'tooManyAttempts',
  RESEND_TOO_SOON: 'resendTooSoon',
  PROOF_OF_WORK_REQUIRED: 'challengeFailed',
  RATE_LIMITED: 'rateLimited',
  CHANNEL_UNAVAILABLE: 'channelUnavailable',
  OVERLOADED: 'busy',
  TOKEN_INVALID: 'sessionEnded',
  TOKEN_EXPIRED: 'sessionEnded',
  SESSION_ENDED: 'sessionEnded',
};

/** What is refused for the address that was typed. */
const OF_THE_ADDRESS: readonly ErrorCode[] = [
  'ACCOUNT_NOT_FOUND',
  'ALREADY_REGISTERED',
  'COUNTRY_NOT_ALLOWED',
];

/** Where a refusal means something else than at a sign-in. */
export type OtherNames = Partial<Record<ErrorCode, ProblemName>>;

/** By which words a refusal is told. */
export function problemName(refused: Refused, others: OtherNames = {}): ProblemName {
  return others[refused.error] ?? NAMES[refused.error] ?? 'fault';
}

/** Seconds until it is worth trying again, where the refusal knows. */
export function waitOf(refused: Refused): number | undefined {
  const { retry_after: retryAfter, resend_in: resendIn } = refused.details;
  return retryAfter ?? resendIn;
}

/** The sentence for a problem, with the time to wait. */
export function problemText(
  { words, locale }: Pick<Visit, 'words' | 'locale'>,
  name: ProblemName,
  seconds?: number,
): string {
  const sentence = words.problems[name];
  if (seconds === undefined || seconds <= 0) return sentence;
  return `${sentence} ${fill(words.tryIn, { time: durationIn(locale, seconds) })}`;
}

/** Why a change has to wait after the account moved to another chat, and for how long. */
export function heldText({ words, locale }: Pick<Visit, 'words' | 'locale'>, seconds: number): string {
  return `${words.prove.held.text} ${fill(words.tryIn, { time: durationIn(locale, seconds) })}`;
}

/** A refusal of a use case as a page tells it. */
export function problemOf(visit: Visit, refused: Refused, others?: OtherNames): Problem {
  const fields = issueTexts(visit, refused.details.issues ?? []);
  const botLink = refused.details.bot_link;
  const work = workOf(visit.form, refused);
  // No page holds a password: what was typed would be missing without a word.
  if (work?.isRetyped) fields['password'] ??= fieldText(visit, 'required');
  // Asked for the first time it is no problem: the page says what it does.
  const isQuiet = work !== undefined && !work.isAgain && refused.error === 'PROOF_OF_WORK_REQUIRED';
  const wait = work ? undefined : waitOf(refused);
  return {
    status: pageStatus(errorCatalogue[refused.error].status),
    notice: isQuiet ? undefined : problemText(visit, problemName(refused, others), wait),
    fields,
    ...(OF_THE_ADDRESS.includes(refused.error) ? { about: textOf(visit.form, 'with') } : {}),
    ...(botLink === undefined ? {} : { botLink }),
    ...(work === undefined ? {} : { work }),
  };
}

/** What is wrong with each field of the form, the first of several. */
export function issueTexts(visit: Visit, issues: readonly Issue[]): Record<string, string> {
  const fields: Record<string, string> = {};
  for (const issue of issues) {
    const name = fieldOf(issue.path);
    fields[name] ??= fieldText(visit, ...fieldProblem(issue));
  }
  return fields;
}

/** Problems that the page itself found. */
export function fieldProblems(visit: Visit, found: Readonly<Record<string, FieldProblemName>>): Problem {
  const fields = Object.fromEntries(
    Object.entries(found).map(([name, problem]) => [name, fieldText(visit, problem)]),
  );
  return { status: 422, notice: visit.words.problems.checkFields, fields };
}

export function noticeProblem(visit: Visit, name: ProblemName, status: number): Problem {
  return { status, notice: visit.words.problems[name], fields: {} };
}

/** 401 would ask for a header that browsers have no form for. */
function pageStatus(status: number): number {
  return status === 400 || status === 401 ? 422 : status;
}

function fieldText({ words, locale }: Visit, problem: FieldProblemName, count?: number): string {
  const shown = count === undefined ? '' : new Intl.NumberFormat(locale).format(count);
  return fill(words.fieldProblems[problem], { count: shown });
}

/** `/custom_fields/school/grade` is the field `custom_fields.school.grade`. */
function fieldOf(path: string): string {
  const name = path
    .slice(1)
    .split('/')
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'))
    .join('.');
  return name === 'new_password' ? 'password' : name;
}

/** Sentences of the use cases, recognised: the pages say the same in five languages. */
const SENTENCES: readonly (readonly [RegExp, FieldProblemName])[] = [
  [/required/, 'required'],
  [/with its country code/, 'phoneCountry'],
  [/extension/, 'phoneExtension'],
  [/number that exists/, 'phone'],
  [/e-mail address|format "email"/, 'email'],
  [/Telegram user id/, 'telegram'],
  [/username is taken/, 'usernameTaken'],
  [/letters, digits, _/, 'username'],
  [/control characters/, 'characters'],
  [/most used|easy to guess/, 'passwordCommon'],
  [/made of your name/, 'passwordPersonal'],
  [/at least (\d+) characters|fewer than (\d+) characters/, 'tooShort'],
  [/(\d+) characters at most|to (\d+) characters|more than (\d+) characters/, 'tooLong'],
  [/be integer/, 'wholeNumber'],
  [/be number/, 'number'],
  [/be >= (-?\d[\d.]*)/, 'atLeast'],
  [/be <= (-?\d[\d.]*)/, 'atMost'],
  [/cannot be used here|cannot be registered|switched off/, 'notAllowed'],
];

function fieldProblem({ message }: Issue): [FieldProblemName, number?] {
  for (const [pattern, name] of SENTENCES) {
    const match = pattern.exec(message);
    const count = match?.slice(1).find((group) => group !== undefined);
    if (match) return count === undefined ? [name] : [name, Number(count)];
  }
  return ['invalid'];
}
