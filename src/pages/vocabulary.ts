/** Forms by the plural rules of the language; `{count}` is the number. */
export type Plural = Partial<Record<Intl.LDMLPluralRule, string>> & { other: string };

/** What went wrong, as far as a person can do something about it. */
export const problemNames = [
  'checkFields',
  'formExpired',
  'noCookies',
  'foreignForm',
  'invalidCode',
  'codeExpired',
  'verificationGone',
  'tooManyAttempts',
  'resendTooSoon',
  'rateLimited',
  'invalidCredentials',
  'notVerified',
  'accountNotFound',
  'accountDisabled',
  'alreadyRegistered',
  'addressTaken',
  'lastIdentity',
  'tooManyAddresses',
  'registrationClosed',
  'countryNotAllowed',
  'telegramChatUnknown',
  'channelUnavailable',
  'sessionEnded',
  'stepUpRequired',
  'challengeFailed',
  'busy',
  'fault',
] as const;
export type ProblemName = (typeof problemNames)[number];

/** What is wrong with one field. */
export const fieldProblemNames = [
  'required',
  'tooLong',
  'tooShort',
  'wholeNumber',
  'number',
  'atLeast',
  'atMost',
  'characters',
  'phone',
  'phoneCountry',
  'phoneExtension',
  'email',
  'telegram',
  'username',
  'usernameTaken',
  'code',
  'password',
  'passwordCommon',
  'passwordPersonal',
  'notAllowed',
  'invalid',
] as const;
export type FieldProblemName = (typeof fieldProblemNames)[number];

/** A page that only tells something: its title, one sentence, and what to do next. */
export interface Told {
  title: string;
  text: string;
}

/** Every word of the hosted pages in one language. `{tenant}` and its like are filled in. */
export interface Words {
  direction: 'ltr' | 'rtl';
  /** The language's name in itself. */
  name: string;
  skip: string;
  language: string;
  help: string;
  continue: string;
  cancel: string;
  save: string;
  saved: string;
  optional: string;
  or: string;
  show: string;
  hide: string;
  choose: string;
  signIn: {
    title: string;
    lead: string;
    leadClosed: string;
    action: string;
    newHere: string;
    create: string;
  };
  ways: { legend: string; phone: string; email: string; telegram: string; username: string };
  byPassword: {
    title: string;
    lead: string;
    action: string;
    usePassword: string;
    useCode: string;
    forgot: string;
  };
  already: { title: string; text: string; continue: string; other: string };
  signUp: { title: string; lead: string; action: string; haveAccount: string; closed: Told };
  fields: {
    country: string;
    phone: string;
    phoneHint: string;
    email: string;
    emailPlaceholder: string;
    telegram: string;
    telegramHint: string;
    username: string;
    usernameHint: string;
    password: string;
    newPassword: string;
    passwordHint: string;
    firstName: string;
    lastName: string;
    code: string;
    deviceName: string;
  };
  verify: {
    title: string;
    /** `{destination}` */
    sms: string;
    email: string;
    telegram: string;
    action: string;
    change: string;
    resend: string;
    /** `{time}`: minutes and seconds, or a length of time in words. */
    resendIn: string;
    resendReady: string;
    resent: string;
    another: string;
    life: string;
    attempts: Plural;
    nothing: Told;
    spam: string;
    voice: string;
    /** `{channel}` is one of `channels`. */
    otherChannel: string;
    queued: string;
    sent: string;
    delivered: string;
    failed: string;
    /** `{channel}` and `{time}` */
    next: string;
    nextNow: string;
  };
  /** How a code comes, as it stands in a sentence: "by SMS". */
  channels: { sms: string; email: string; telegram: string; voice: string };
  forgot: { title: string; lead: string; action: string; remembered: string };
  reset: { title: string; lead: string; action: string; done: string; gone: Told };
  setPassword: { title: string; lead: string; later: string };
  account: {
    title: string;
    profile: string;
    addresses: string;
    verified: string;
    notVerified: string;
    passwordTitle: string;
    passwordText: string;
    passwordAction: string;
    navigation: string;
    add: string;
    remove: string;
    welcome: string;
    change: string;
    addTitle: string;
    addLead: string;
    /** `{address}` */
    changeTitle: string;
    added: string;
    changed: string;
    removed: string;
    /** `{address}` */
    removeTitle: string;
    removeText: string;
    username: string;
    usernameText: string;
  };
  prove: {
    title: string;
    lead: string;
    /** `{destination}` */
    send: string;
    password: string;
    stuck: Told;
    held: Told;
    gone: Told;
  };
  /** A number that does not open its idle account alone. */
  secondProof: {
    title: string;
    lead: string;
    anew: string;
    anewText: string;
    stuck: Told;
    forgotten: Told;
  };
  devices: {
    title: string;
    lead: string;
    thisDevice: string;
    lastSeen: string;
    firstSeen: string;
    place: string;
    rename: string;
    end: string;
    endOthers: string;
    others: Plural;
    ended: string;
    renamed: string;
    only: string;
  };
  signOut: {
    title: string;
    text: string;
    action: string;
    everywhere: string;
    stay: string;
    done: Told;
    again: string;
  };
  telegram: {
    title: string;
    lead: string;
    open: string;
    scan: string;
    number: string;
    waiting: string;
    typeId: string;
    unavailable: Told;
    refresh: string;
    begin: string;
    /** Beside `begin`: at Telegram itself, without the bot. */
    login: string;
    opened: string;
    confirmed: string;
    linkTitle: string;
    /** `{time}` */
    life: string;
    again: string;
    denied: Told;
    expired: Told;
    used: Told;
  };
  notFound: Told;
  noTenant: Told;
  noChannel: Told;
  badReturn: Told;
  tooMuch: Told;
  unreadable: Told;
  fault: Told;
  startAgain: string;
  backToAccount: string;
  problems: Record<ProblemName, string>;
  /** `{time}` */
  tryIn: string;
  fieldProblems: Record<FieldProblemName, string>;
  challenge: { label: string; working: string; done: string; needsScript: string };
}
