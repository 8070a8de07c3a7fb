import type { Feature } from './features.ts';
import { fill } from './words.ts';

/** /help */
export const helpFeature: Feature = {
  commands: [
    {
      name: 'help',
      description: (words) => words.commands.help,
      async handle({ words, tenant, say }) {
        say(fill(words.help, { tenant: tenant.name }));
      },
    },
  ],
};
