import type { Conversation } from './conversation.ts';
import type { Feature } from './features.ts';
import { withWayIn } from './sign-in-answers.ts';
import { fill } from './words.ts';

/** /start: who the bot is, and the id that the sign-in page asks for. */
export const startFeature: Feature = {
  commands: [{ name: 'start', description: (words) => words.commands.start, handle: greet }],
};

async function greet(conversation: Conversation): Promise<void> {
  const { words, chat, tenant, say } = conversation;
  const id = chat.telegram_user_id;
  const name = chat.first_name ?? '';
  const greeting = name === '' ? words.start.greeting.replace(/,? \{\{name\}\}/, '') : words.start.greeting;
  const text = `${fill(greeting, { name, tenant: tenant.name })}\n\n${fill(words.start.yourId, { id })}`;
  say(withWayIn(conversation, text, '\n\n'), {
    buttons: [[{ text: words.start.copyId, copy_text: { text: id } }]],
  });
}
