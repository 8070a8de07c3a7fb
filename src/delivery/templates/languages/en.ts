import type { Words } from '../words.ts';

export const english: Words = {
  direction: 'ltr',
  greeting: 'Hello,',
  greetingByName: 'Hello {{name}},',
  minutes: { one: '{{count}} minute', other: '{{count}} minutes' },
  codeLabel: 'Your code',
  expiry: 'It works once, for the next {{minutes}}.',
  codeAdvice:
    'Do not share this code. Nobody from {{tenant}} will ever ask you for it, by phone or in writing.',
  facts: { device: 'Device', place: 'Place', time: 'Time', address: 'Address' },
  undo: 'Not me: undo',
  proveAgain: 'Prove my number',
  notMe: 'This was not me',
  support: 'Questions? Write to {{support}}.',
  footer: 'This message was sent by {{tenant}} to keep your account safe.',
  messages: {
    sign_in_code: {
      sms: '{{code}} is your {{tenant}} code. Never share it.',
      subject: '{{code}} is your {{tenant}} code',
      intro: 'Use this code to sign in to {{tenant}}:',
      ifNotYou: 'If you did not ask for it, ignore this message: nobody can sign in without the code.',
    },
    verify_sign_up: {
      sms: '{{code}} is your {{tenant}} sign-up code. Never share it.',
      subject: '{{code}} confirms your {{tenant}} account',
      intro:
        'Thank you for signing up with {{tenant}}. Enter this code to confirm that this address is yours:',
      ifNotYou: 'If you did not sign up, ignore this message: no account is made without the code.',
    },
    forgot_password: {
      sms: '{{code}} resets your {{tenant}} password. Never share it.',
      subject: '{{code}} resets your {{tenant}} password',
      intro: 'Use this code to choose a new password for {{tenant}}:',
      ifNotYou: 'If you did not ask for it, ignore this message: your password stays as it is.',
    },
    link_code: {
      sms: '{{code}} links this address to {{tenant}}. Never share it.',
      subject: '{{code}} adds this address to your {{tenant}} account',
      intro: 'Use this code to add this address to your {{tenant}} account:',
      ifNotYou: 'If you did not ask for it, ignore this message: the address is not added without the code.',
    },
    step_up_code: {
      sms: '{{code}} confirms it is you at {{tenant}}. Never share it.',
      subject: '{{code}} confirms that it is you',
      intro:
        'You are about to change something important at {{tenant}}. Use this code to confirm that it is you:',
      ifNotYou:
        'If you did not ask for it, somebody may be signed in as you: end your other sessions and change your password.',
    },
    password_changed: {
      sms: 'Your {{tenant}} password was changed. Not you? Reset it.',
      subject: 'Your {{tenant}} password was changed',
      intro: 'The password of your {{tenant}} account was changed, and your other sessions were ended.',
      ifNotYou: 'If it was not you, choose a new password now with "Forgot password", and tell us.',
    },
    new_device: {
      sms: 'New sign-in to your {{tenant}} account. Not you? Act now.',
      subject: 'New sign-in to your {{tenant}} account',
      intro: 'Your {{tenant}} account was signed in to on a new device.',
      ifNotYou: 'If it was not you, end that session in your list of devices and change your password.',
    },
    address_changed: {
      sms: 'The addresses of your {{tenant}} account changed.',
      subject: 'An address of your {{tenant}} account was changed',
      intro: 'The addresses that sign in to your {{tenant}} account were changed.',
      ifNotYou: 'If it was not you, sign in now, check your addresses and tell us.',
    },
    chat_moved: {
      sms: 'Your {{tenant}} account moved to another Telegram chat. Not you? Undo it.',
      subject: 'Your {{tenant}} account uses another Telegram chat',
      intro: 'Your {{tenant}} account was moved to another Telegram chat, where its phone number was proved.',
      ifNotYou: 'If it was not you, press the button in the chat that you used before, within 72 hours.',
    },
    number_unproved: {
      sms: 'Codes of {{tenant}} no longer come to this chat: prove your number again.',
      subject: 'Prove your number to {{tenant}} again',
      intro:
        'Your number was last proved in your Telegram chat with {{tenant}} a long time ago, and numbers are given to other people. Until it is proved again, codes come another way.',
      ifNotYou: 'Press the button in that chat and share your own number.',
    },
    account_locked: {
      sms: 'Too many wrong tries on your {{tenant}} account. Not you? Stay calm: nobody got in.',
      subject: 'Too many wrong tries on your {{tenant}} account',
      intro:
        'Somebody tried too often to sign in to your {{tenant}} account with a wrong code or password. It is locked for a while, and nobody got in.',
      ifNotYou:
        'If it was not you, there is nothing to do now. Never share a code, and sign in another way if you cannot wait.',
    },
    address_closed: {
      sms: 'Codes for your {{tenant}} account are off after 100 wrong tries. Nobody got in. Sign in another way.',
      subject: 'Codes are switched off for an address of your {{tenant}} account',
      intro:
        'A hundred wrong codes in a row were tried for the address below. {{tenant}} sends and takes no more codes for it, and nobody got in.',
      ifNotYou:
        'Sign in another way, by another address or on a device that is signed in: then codes for it work again. If you cannot, write to us.',
    },
    number_taken_over: {
      sms: 'Your old phone number no longer signs in to your {{tenant}} account.',
      subject: 'Your phone number no longer signs in to your {{tenant}} account',
      intro:
        'Your {{tenant}} account was not used for a long time, and somebody has now proved the phone number below. It belongs to a new account. Yours keeps everything but the number, and nobody reaches it by that number.',
      ifNotYou:
        'If it was you, sign in by this address: your account is as it was. To have the number back, delete the new account first, or write to us.',
    },
    already_registered: {
      sms: 'You already have an account at {{tenant}}. Just sign in.',
      subject: 'You already have an account at {{tenant}}',
      intro:
        'Somebody, probably you, tried to sign up at {{tenant}} with this address. It already has an account: sign in instead, or choose "Forgot password".',
      ifNotYou: 'If it was not you, there is nothing to do: your account is unchanged.',
    },
  },
};
