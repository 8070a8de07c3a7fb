import type { SendResult } from '../delivery/delivery.ts';

/** What an answer of a provider means to whoever has just set it up, and what to do about it. */
export function explainResult(result: SendResult): { happened: string; remedy?: string } {
  if (result.state === 'sent') {
    const id = result.providerMessageId === null ? '' : `; its id there: ${result.providerMessageId}`;
    return { happened: `took it${id}` };
  }
  const { error } = result;
  const remedy = remedyOf(result);
  const how =
    result.state === 'refused'
      ? 'refused it for good'
      : result.retryAfterSeconds === undefined
        ? 'did not take it; a code would be tried again'
        : `wants quiet for ${result.retryAfterSeconds} seconds; a code would be tried again after them`;
  return { happened: `${how} (${error})`, ...(remedy === undefined ? {} : { remedy }) };
}

/** By the words in which providers' answers are kept; the first that fits. */
const REMEDIES: readonly (readonly [RegExp, string])[] = [
  [
    /^twilio 20003\b/,
    'Twilio does not know these credentials: look at TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN.',
  ],
  [
    /^twilio 20404\b/,
    'Twilio does not know this service: look at TWILIO_VERIFY_SERVICE_SID and the account.',
  ],
  [/^twilio 21608\b/, 'A trial account sends to numbers only that were verified in the console.'],
  [
    /^twilio (21408|60605)\b/,
    'Open this country in the console: Messaging or Verify, Settings, Geo permissions.',
  ],
  [/^twilio 30034\b/, 'Numbers of the United States want a registered sender (A2P 10DLC).'],
  [/^twilio (\d{5})\b/, 'What this number means: https://www.twilio.com/docs/api/errors/$1'],
  [/\bhttp (401|403)\b/, 'It does not accept the credentials, or this address of yours. Look at both there.'],
  [
    /\blogin failed\b/,
    'Its login did not give a token: look at the user name and password of the gateway’s file.',
  ],
  [/\bhttp 404\b/, 'There is nothing at that address: look at the URL of the gateway’s file.'],
  [/\bhttp 429\b/, 'Too many requests for this account.'],
  [/\bhttp 5\d\d\b/, 'It is out of order: look at its status page.'],
  [
    /\bredirect\b/,
    'It answers with another address, which is never followed. Put that one into the settings.',
  ],
  [
    /\b(timeout|TimeoutError)\b/,
    'It did not answer in time. Can this machine reach it? A firewall drops silently.',
  ],
  [
    /\bENOTFOUND\b|\bEDNS\b/,
    'Its host name is not known here: look at the spelling, and at the DNS of this machine.',
  ],
  [/\bECONNREFUSED\b/, 'Nothing listens there: look at host and port.'],
  [
    /\b(CERT|SELF_SIGNED|UNABLE_TO_VERIFY)/,
    'Its certificate is not trusted here: look at the host name, and at who signed it.',
  ],
  [/\bnetwork\b|\bECONNECTION\b|\bESOCKET\b/, 'No connection came about: look at host, port and firewall.'],
  [/^smtp EAUTH\b/, 'The mail server does not accept user and password of SMTP_URL.'],
  [
    /^smtp ETLS\b/,
    'The mail server offers no TLS that can be trusted: look at the port and the certificate.',
  ],
  [
    /^smtp EENVELOPE.* sender$/,
    'The mail server does not take your sender: look at SMTP_FROM, and at the user and password of SMTP_URL.',
  ],
  [/^smtp EENVELOPE\b/, 'The mail server refuses sender or recipient: look at SMTP_FROM and the address.'],
  [/^smtp EMESSAGE\b/, 'The mail server refuses the message: SPF, DKIM or its own rules.'],
  [
    /without success|without a message id|without an answer/,
    'Its answer is not what the file describes: compare "success", "message_id" and "error_code" with its documentation.',
  ],
  [
    /carries codes only|makes codes for signing in only/,
    'It carries codes alone: notices need another provider beside it.',
  ],
  [/^telegram (401|404)\b/, 'Telegram does not know this token: give the bot’s newest one.'],
  [/^telegram 4\d\d\b/, 'Has this person pressed Start in the bot, and not stopped it since?'],
];

function remedyOf(result: Exclude<SendResult, { state: 'sent' }>): string | undefined {
  for (const [pattern, words] of REMEDIES) {
    const match = pattern.exec(result.error);
    if (match) return words.replace('$1', match[1] ?? '');
  }
  if (result.state !== 'refused') return undefined;
  if (result.remedy === 'alarm') return 'Somebody has to look: credentials, settings or balance there.';
  if (result.remedy === 'suppress') return 'This number cannot be reached this way. Try another one.';
  return undefined;
}
