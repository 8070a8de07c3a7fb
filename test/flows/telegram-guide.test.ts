import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { withBlock } from '../../scripts/settings-reference.ts';
import { createTestApp } from '../create-test-app.ts';
import { type BotMessage, type Person, telegramOf } from '../telegram/person.ts';

const PAGE = join(import.meta.dirname, '../../docs/guides/telegram.md');
const BEGIN = '<!-- conversation: written by `FIRSTPROOF_WRITE_GUIDE=1 npm test -- telegram-guide` -->';
const END = '<!-- end of conversation -->';
const ADA: Person = { id: 513_611_281, first_name: 'Ada', language_code: 'en' };

/** Every command once, as Ada sees it; codes and tokens replaced by examples. */
async function converse(): Promise<string> {
  const app = await createTestApp();
  const telegram = telegramOf(app);
  const lines: string[] = [];
  const secrets = new Map<string, string>();
  const shown = (text: string): string =>
    [...secrets].reduce((all, [secret, example]) => all.replaceAll(secret, example), text);
  const tell = (who: string, text: string): void => {
    lines.push(
      ...shown(text)
        .split('\n')
        .map((line, index) => `${(index === 0 ? `${who}:` : '').padEnd(5)}${line}`.trimEnd()),
    );
  };
  const answer = (message: BotMessage | undefined): void => {
    tell('Bot', (message?.text ?? '').replace(/fps_[\w-]{80}/, 'fps_…'));
    for (const row of message?.buttons ?? [])
      lines.push(`     ${row.map(({ text }) => `[${text}]`).join(' ')}`);
    lines.push('');
  };
  const write = async (text: string): Promise<BotMessage | undefined> => {
    tell('Ada', text);
    const message = await telegram.write(ADA, text);
    answer(message);
    return message;
  };
  const press = async (message: BotMessage | undefined, index: number): Promise<BotMessage | undefined> => {
    const button = (message?.buttons ?? []).flat()[index];
    tell('Ada', `presses [${button?.text}]`);
    const next = await telegram.press(ADA, button?.callback_data ?? '');
    answer(next);
    return next;
  };
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
    lines.push('     (asks for a code on the site)');
    const { body } = await app.get(`/dev/messages?to=${ADA.id}&limit=1`);
    tell('Bot', body[0].text);
    lines.push(`     [📋 123456]`, '');
    await write(`/verify ${code === '000000' ? '111111' : '000000'}`);
    await write(`/verify ${code}`);
    await write('/name My phone');
    const site = await askForCode();
    app.clock.advance(60);
    const proof = { verification_id: site.handle, code: site.code, device: { name: 'Firefox on Linux' } };
    await app.post('/api/v1/auth/verify-code', proof);
    lines.push('     (signs in on the site as well)', '');
    const list = await write('/devices');
    await press(await press(list, 0), 1);
    await press(await press(await write('/logout'), 0), 0);
    await write('Hello?');
    return `\`\`\`text\n${lines.join('\n').trimEnd()}\n\`\`\``;
  } finally {
    await app.close();
  }
}

test('the guide shows each command as the bot answers it today', async () => {
  const page = readFileSync(PAGE, 'utf8');
  const wanted = withBlock(page, BEGIN, await converse(), END);
  if (process.env['FIRSTPROOF_WRITE_GUIDE'] === '1') writeFileSync(PAGE, wanted);
  else assert.equal(page, wanted, 'refresh it: FIRSTPROOF_WRITE_GUIDE=1 npm test -- telegram-guide');
});
