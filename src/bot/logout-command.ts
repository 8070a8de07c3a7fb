import { accountOf, type Conversation } from './conversation.ts';
import type { Feature } from './features.ts';
import { withWayIn } from './sign-in-answers.ts';
import { fill } from './words.ts';

/** /logout: ends what was begun in this chat, and offers to end everything. */
export const logoutFeature: Feature = {
  commands: [{ name: 'logout', description: (words) => words.commands.logout, handle: signOut }],
  callbacks: [{ prefix: 'logout', handle: press }],
};

async function signOut(conversation: Conversation): Promise<void> {
  const { context, tenant, chat, words, clues, say } = conversation;
  const userId = await accountOf(conversation);
  if (userId === undefined) return say(withWayIn(conversation, words.notSignedIn));
  const who = { tenant, userId };
  const { count } = await context.signIn.sessions.endChat(who, chat.chat_id, 'this', clues.caller);
  const elsewhere = await context.signIn.sessions.devices(who);
  const buttons = [[{ text: words.logout.everywhere, callback_data: 'logout:ask' }]];
  say(
    count > 0 ? words.logout.done : withWayIn(conversation, words.notSignedIn),
    elsewhere.length > 0 ? { buttons } : {},
  );
}

async function press(conversation: Conversation, action: string): Promise<void> {
  const { context, tenant, chat, words, clues, change } = conversation;
  if (action !== 'all') {
    return change(words.logout.confirm, {
      buttons: [
        [{ text: words.devices.yes, callback_data: 'logout:all' }],
        [{ text: words.devices.no, callback_data: 'devices:list' }],
      ],
    });
  }
  const userId = await accountOf(conversation);
  if (userId === undefined) return change(words.devices.none);
  const { sessions } = context.signIn;
  const { count } = await sessions.endChat({ tenant, userId }, chat.chat_id, 'all', clues.caller);
  change(fill(words.logout.endedAll, { count: String(count) }));
}
