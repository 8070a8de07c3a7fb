import { accountOf, type Conversation } from './conversation.ts';
import type { Feature } from './features.ts';
import { withWayIn } from './sign-in-answers.ts';
import { fill } from './words.ts';

/** As a device's name over HTTP: one line, nothing that turns its direction around. */
// oxlint-disable-next-line no-control-regex -- control characters are what is refused
const DEVICE_NAME = /^[^\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]{1,100}$/;

/** /name: what this chat is called among the person's devices. */
export const nameFeature: Feature = {
  commands: [{ name: 'name', description: (words) => words.commands.name, handle: rename }],
};

async function rename(conversation: Conversation, name: string): Promise<void> {
  const { context, tenant, chat, words, clues, say } = conversation;
  if (name === '') return say(words.name.ask);
  if (!DEVICE_NAME.test(name)) return say(words.name.invalid);
  const { sessions } = context.signIn;
  const userId = await accountOf(conversation);
  const devices = userId === undefined ? [] : await sessions.devices({ tenant, userId });
  const here = devices.find((device) => device.telegram_chat_id === chat.chat_id);
  if (userId === undefined || !here) return say(withWayIn(conversation, words.notSignedIn));
  await sessions.renameDevice({ tenant, userId }, here.id, name, clues.caller);
  say(fill(words.name.done, { name }));
}
