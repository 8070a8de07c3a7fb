import { authWordsOf } from './auth-words.ts';
import type { Feature } from './features.ts';
import { takesPhones } from './sign-in-answers.ts';
import { fill } from './words.ts';

/** /help */
export const helpFeature: Feature = {
  commands: [
    {
      name: 'help',
      description: (words) => words.commands.help,
      async handle(conversation) {
        const { words, tenant, locale, say } = conversation;
        const auth = takesPhones(conversation) ? `${authWordsOf(locale).help}\n` : '';
        say(fill(words.help, { tenant: tenant.name, auth }));
      },
    },
  ],
};
