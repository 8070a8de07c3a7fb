import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { withBlock } from '../../scripts/settings-reference.ts';
import { createTestApp, type TestApp } from '../create-test-app.ts';
import { until } from '../telegram/fake-bot-api.ts';
import { type BotMessage, contactUpdate, type Person, telegramOf } from '../telegram/person.ts';

const PAGE = join(import.meta.dirname, '../../docs/guides/telegram.md');
const BEGIN = '<!-- conversation: written by `FIRSTPROOF_WRITE_GUIDE=1 npm test -- telegram-guide` -->';
const END = '<!-- end of conversation -->';
const PHONE_BEGIN =
  '<!-- conversation by phone: written by `FIRSTPROOF_WRITE_GUIDE=1 npm test -- telegram-guide` -->';
const PHONE_END = '<!-- end of conversation by phone -->';
const ADA: Person = { id: 513_611_281, first_name: 'Ada', language_code: 'en' };
const ADA_ELSEWHERE: Person = { ...ADA, id: 513_611_299 };
const LOLA: Person = { id: 513_611_400, first_name: 'Lola', language_code: 'uz' };

/** Writes a conversation down, codes and tokens replaced by examples. */
function createRecorder(app: TestApp) {
  const telegram = telegramOf(app);
  const lines: string[] = [];
  const secrets = new Map<string, string>();
  const shown = (text: string): string =>
    [...secrets].reduce((all, [secret, example]) => all.replaceAll(secret, example), text);
  const tell = (who: string, text: string): void => {
    const margin = Math.max(5, who.length + 2);
    lines.push(
      ...shown(text)
        .split('\n')
        .map((line, index) => `${(index === 0 ? `${who}:` : '').padEnd(margin)}${line}`.trimEnd()),
    );
  };
  const answer = (message: BotMessage | undefined): void => {
    tell('Bot', (message?.text ?? '').replace(/fps_[\w-]{80}/, 'fps_…'));
    for (const row of message?.buttons ?? [])
      lines.push(`     ${row.map(({ text }) => `[${text}]`).join(' ')}`);
    lines.push('');
  };
  return {
    telegram,
    secrets,
    tell,
    answer,
    note: (text: string): void => void lines.push(`     (${text})`, ''),
    line: (...more: string[]): void => void lines.push(...more),
    async write(text: string, person = ADA, name = person.first_name): Promise<BotMessage | undefined> {
      tell(name, text);
      const message = await telegram.write(person, text);
      answer(message);
      return message;
    },
    async press(
      message: BotMessage | undefined,
      index: number,
      person = ADA,
    ): Promise<BotMessage | undefined> {
      const button = (message?.buttons ?? []).flat()[index];
      tell(person.first_name, `presses [${button?.text}]`);
      const next = await telegram.press(person, button?.callback_data ?? '');
      answer(next);
      return next;
    },
    /** Everything that the bot says to the sender's own contact. */
    async share(person: Person, phone: string, name = person.first_name): Promise<void> {
      const before = (await telegram.messages(person)).length;
      tell(name, '(shares the contact)');
      await telegram.bring(contactUpdate(person, { phone_number: phone, user_id: person.id }));
      const messages = await telegram.messages(person);
      for (const message of messages.slice(0, messages.length - before).reverse()) answer(message);
    },
    text: (): string => `\`\`\`text\n${lines.join('\n').trimEnd()}\n\`\`\``,
  };
}

/** Every command once, as Ada sees it. */
async function converse(): Promise<string> {
  const app = await createTestApp();
  const { write, press, tell, line, note, secrets, text } = createRecorder(app);
  const askForCode = async (): Promise<{ code: string; handle: string }> => {
    app.clock.advance(120);
    const newest = await app.newestMessage(String(ADA.id));
    const sent = await app.post('/api/v1/auth/send-verification', { telegram_user_id: ADA.id });
    const code = await app.code(String(ADA.id), { after: newest });
    secrets.set(code, '123456');
    return { code, handle: sent.body.verification_id as string };
  };
  try {
    await write('/start');
    await write('/help');
    const { code } = await askForCode();
    line('     (asks for a code on the site)');
    const { body } = await app.get(`/dev/messages?to=${ADA.id}&limit=1`);
    tell('Bot', body[0].text);
    line(`     [📋 123456]`, '');
    await write(`/verify ${code === '000000' ? '111111' : '000000'}`);
    await write(`/verify ${code}`);
    await write('/name My phone');
    const site = await askForCode();
    app.clock.advance(60);
    const proof = { verification_id: site.handle, code: site.code, device: { name: 'Firefox on Linux' } };
    await app.post('/api/v1/auth/verify-code', proof);
    note('signs in on the site as well');
    const list = await write('/devices');
    await press(await press(list, 0), 1);
    await press(await press(await write('/logout'), 0), 0);
    await write('Hello?');
    return text();
  } finally {
    await app.close();
  }
}

/** /auth: the own contact, the move to another chat and its undo; a typed number, in another language. */
async function converseByPhone(): Promise<string> {
  const app = await createTestApp();
  const { write, press, share, note, secrets, answer, text } = createRecorder(app);
  try {
    await write('/auth');
    await share(ADA, '998901234567');
    note('the same number is proved in another chat');
    await write('/auth', ADA_ELSEWHERE, 'Ada 2');
    await share(ADA_ELSEWHERE, '998901234567', 'Ada 2');
    note('in the earlier chat');
    const moved = await newest(app, ADA, 'another Telegram chat');
    answer(moved);
    await press(moved, 0);
    note('Lola’s Telegram speaks Uzbek, and she prefers to type her number');
    await write('/auth', LOLA);
    await write('+998 90 765 43 20', LOLA);
    await write('/cancel', LOLA);
    await write('+998 90 765 43 21', LOLA);
    const code = await app.code('+998907654321');
    secrets.set(code, '123456');
    await write(code, LOLA);
    return text();
  } finally {
    await app.close();
  }
}

/** A notice comes by the outbox, in its own time. */
async function newest(app: TestApp, person: Person, what: string): Promise<BotMessage | undefined> {
  let found: BotMessage | undefined;
  await until(async () => {
    const { body } = await app.get(`/dev/messages?to=${person.id}&limit=5`);
    found = (body as BotMessage[]).find(({ text }) => text.includes(what));
    return found !== undefined;
  }, `a message of ${what}`);
  return found;
}

test('the guide shows each command as the bot answers it today', async () => {
  const page = readFileSync(PAGE, 'utf8');
  const [commands, byPhone] = [await converse(), await converseByPhone()];
  const wanted = withBlock(withBlock(page, BEGIN, commands, END), PHONE_BEGIN, byPhone, PHONE_END);
  if (process.env['FIRSTPROOF_WRITE_GUIDE'] === '1') writeFileSync(PAGE, wanted);
  else assert.equal(page, wanted, 'refresh it: FIRSTPROOF_WRITE_GUIDE=1 npm test -- telegram-guide');
});
