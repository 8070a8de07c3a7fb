import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createBotApi } from '../../src/telegram/telegram.ts';
import { startFakeBotApi } from '../telegram/fake-bot-api.ts';

// Ten times as fast as the real limits, so that it takes seconds; the pacer's own test has the real figures.
const PACE = { callsPerWindow: 250, windowMilliseconds: 1000, chatMilliseconds: 100, groupMilliseconds: 300 };
const LIMITS = { callsPerWindow: 300, windowMilliseconds: 1000, chatMilliseconds: 60 };
const TOKEN = '7171717171:AAEdocumentation_only_token_000000000';

test('R05 2,000 messages under enforced limits and injected 429s: none lost, none doubled, silence in each pause', async () => {
  const fake = await startFakeBotApi(LIMITS);
  try {
    fake.state.pauseEvery = 500;
    const api = createBotApi({ token: TOKEN, apiRoot: fake.url, pace: PACE });
    const send = (index: number) =>
      api.call('sendMessage', { chat_id: 1000 + (index % 400), text: `message ${index}` }, { patient: true });
    const answers = await Promise.all(Array.from({ length: 2000 }, (_, index) => send(index)));
    assert.ok(answers.every(({ ok }) => ok));
    assert.equal(new Set(fake.sent.map(({ text }) => text)).size, 2000);
    assert.equal(fake.sent.length, 2000);
    assert.ok(fake.state.pauses >= 3, `${fake.state.pauses} pauses`);
    assert.equal(fake.state.duringPause, 0);
    assert.deepEqual(fake.problems, []);
  } finally {
    await fake.close();
  }
});
