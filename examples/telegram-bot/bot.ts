import { Bot, type Context, GrammyError, InlineKeyboard } from 'grammy';
// In a project of your own: import … from '@firstproof/client' and '@firstproof/client/phone-auth'.
import { FirstproofError } from '../../sdk/src/client.ts';
import type { PhoneAuth } from '../../sdk/src/phone-auth.ts';

export interface ExampleBotOptions {
  token: string;
  auth: PhoneAuth;
  /** Another Bot API than Telegram's. */
  apiRoot?: string;
  /** Told of what went wrong with a message; the bot goes on with the next. */
  onFault?: (fault: unknown) => void;
}

/** A bot of your own whose people sign in by their phone number, kept by a Firstproof server. */
export function createExampleBot({ token, auth, apiRoot, onFault }: ExampleBotOptions): Bot {
  const bot = new Bot(token, apiRoot === undefined ? {} : { client: { apiRoot } });
  // Without it grammY ends with the first fault, such as somebody who has just blocked the bot.
  bot.catch(({ error }) => onFault?.(error));

  // A chat stands for one person only where nobody else writes.
  const people = bot.chatType('private');

  people.use(async (ctx, next) => {
    try {
      await next();
    } catch (fault) {
      if (!(fault instanceof FirstproofError)) {
        // Before anything is said: whoever has blocked the bot is not reached by the excuse either.
        onFault?.(fault);
        if (!(fault instanceof GrammyError)) await ctx.reply('That did not work. Try again in a moment.');
        return;
      }
      // The server's sentences are written for people; `details` has what sentences of your own need.
      await ctx.reply(fault.details.issues?.[0]?.message ?? fault.message);
    }
  });

  people.command('start', (ctx) => ctx.reply('Hello! /auth signs you in by your phone number.'));

  people.command('auth', async (ctx) => {
    const state = await stateOf(ctx);
    const name = state?.phone;
    await ctx.reply(
      name ? `You are signed in as ${name}. /logout ends that.` : 'Type your number with its country code.',
    );
  });

  people.command('whoami', async (ctx) => {
    const state = await stateOf(ctx);
    if (!state) return void (await ctx.reply('You are not signed in. /auth changes that.'));
    await ctx.reply(`${state.phone}, with us since ${state.user?.created_at.slice(0, 10)}.`);
  });

  people.command('logout', async (ctx) => {
    const state = await stateOf(ctx);
    if (state) await auth.invalidateToken(String(ctx.chat.id));
    await ctx.reply(state ? 'You are signed out, on every device.' : 'You were not signed in.');
  });

  people.hears(/^\+[\d\s().-]{6,30}$/, async (ctx) => {
    const sent = await auth.sendOtp(String(ctx.chat.id), ctx.message?.text ?? '', ctx.from?.language_code);
    await ctx.reply(`A code is on its way to ${sent.destination}. Type it here.`);
  });

  people.hears(/^\d[\d\s-]{4,11}\d$/, async (ctx) => {
    const done = await auth.signIn(String(ctx.chat.id), ctx.message?.text ?? '');
    await ctx.reply(done.is_new_user ? 'Your account is made. Welcome!' : 'Welcome back!');
    // Whoever had the account in another chat hears of it there, and may take it back.
    const { moved_from: earlier, move_id: moveId } = done.chat;
    if (earlier === null || moveId === null) return;
    const undo = new InlineKeyboard().text('That was not me', `undo:${moveId}`);
    await bot.api.sendMessage(earlier, 'Your account was signed in from another chat.', {
      reply_markup: undo,
    });
  });

  people.callbackQuery(/^undo:(.+)$/, async (ctx) => {
    await auth.undoMove(String(ctx.chat?.id), ctx.match[1] ?? '');
    await ctx.answerCallbackQuery();
    await ctx.reply('Done: the account is in this chat again. /auth signs you in.');
  });

  people.on('message', (ctx) => ctx.reply('I did not understand that. /auth, /whoami, /logout'));

  async function stateOf(ctx: Context) {
    const chatId = String(ctx.chat?.id);
    await auth.loadUserAuth(chatId);
    return auth.authOf(chatId);
  }

  return bot;
}
