import type { BotWords } from '../words.ts';

export const english: BotWords = {
  description:
    'I bring you sign-in codes and show you where you are signed in. Press Start so that I may write to you.',
  shortDescription: 'Sign-in codes and your devices.',
  commands: {
    start: 'Begin',
    verify: 'Sign in with a code',
    devices: 'Where you are signed in',
    name: 'Name this device',
    logout: 'Sign out here',
    help: 'What I can do',
  },
  unknown: 'I did not understand that. /help shows what I can do.',
  privateOnly: 'I only work in a private chat: write to me there.',
  notSignedIn:
    'You are not signed in in this chat. Ask for a code on the site, then send it to me with /verify.',
  start: {
    greeting: 'Hello {{name}}! I am the bot of {{tenant}}: I bring you your sign-in codes.',
    yourId: 'Your Telegram user id, for the sign-in page: {{id}}',
    copyId: 'Copy the id',
    unknownLink: 'This link does not work (any more). Go back to where you found it and begin again.',
  },
  help: [
    'What I can do:',
    '/verify 123456 – sign in with a code that I brought you',
    '/devices – see where you are signed in, and end what is not yours',
    '/name My phone – name this device',
    '/logout – sign out in this chat',
    '',
    'Never give a code or a token to anybody. Nobody from {{tenant}} will ask you for one.',
  ].join('\n'),
  verify: {
    ask: 'Send the code after the command: /verify 123456',
    created: 'Your account at {{tenant}} is made, and you are signed in.',
    signedIn: 'You are signed in at {{tenant}}.',
    token: 'Your session token. Whoever has it is you: paste it only where you want to be signed in.',
    copyToken: 'Copy the token',
  },
  refusals: {
    INVALID_CODE: 'This code is not right. Check it and try again.',
    CODE_EXPIRED: 'This code has expired. Ask for a new one.',
    VERIFICATION_NOT_FOUND:
      'No code is waiting for you, or it was already used. Ask for a new one on the site.',
    TOO_MANY_ATTEMPTS: 'Too many wrong codes. Wait a while, then ask for a new one.',
    RATE_LIMITED: 'That was too fast. Wait a while and try again.',
    ACCOUNT_DISABLED: 'This account has been closed.',
    ACCOUNT_NOT_FOUND: 'There is no account for you here, and new ones are not open.',
    INVALID_REQUEST: 'A code consists of digits only.',
    other: 'That did not work. Try again in a moment.',
  },
  attemptsLeft: 'Tries left: {{count}}.',
  devices: {
    list: 'You are signed in here:',
    none: 'You are signed in nowhere.',
    thisChat: 'this chat',
    lastSeen: 'last used {{time}}',
    end: 'End {{number}}',
    endOthers: 'End all others',
    confirmOne: 'Sign out “{{name}}”?',
    confirmOthers: 'Sign out everywhere but in this chat?',
    yes: 'Yes, sign out',
    no: 'No, go back',
    ended: 'Signed out: {{count}}.',
    gone: 'That device is signed out already.',
  },
  name: {
    ask: 'Send the name after the command: /name My phone',
    done: 'This device is now called “{{name}}”.',
    invalid: 'A name has 1 to 100 characters in one line.',
  },
  logout: {
    done: 'You are signed out in this chat.',
    everywhere: 'Sign out everywhere',
    confirm: 'Sign out everywhere, on every device?',
    endedAll: 'You are signed out everywhere. Sessions ended: {{count}}.',
  },
};
