import type { Conversation } from './conversation.ts';
import type { Feature } from './features.ts';
import { fill } from './words.ts';

/** /start: who the bot is, and the id that the sign-in page asks for. */
export const startFeature: Feature = {
  commands: [{ name: 'start', description: (words) => words.commands.start, handle: greet }],
};

async function greet({ words, chat, tenant, say }: Conversation): Promise<void> {
  const id = chat.telegram_user_id;
  const greeting = fill(words.start.greeting, { name: chat.first_name ?? '', tenant: tenant.name });
  say(`${greeting}\n\n${fill(words.start.yourId, { id })}`, {
    buttons: [[{ text: words.start.copyId, copy_text: { text: id } }]],
  });
}
