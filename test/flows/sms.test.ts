import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { createTestApp, type TestApp } from '../create-test-app.ts';

describe('what an SMS looks like on a phone', () => {
  let app: TestApp;
  before(async () => {
    app = await createTestApp({
      tenants: {
        us: {
          sms: { autofill_host: 'auth.example.com', android_app_hash: 'FA+9qCX9VSu' },
          delivery: { prices: { 'development-inbox': { US: 0.01 } } },
        },
      },
    });
  });
  after(() => app.close());

  const received = async (to: string) => {
    await app.code(to);
    const { body } = await app.get(`/dev/messages?to=${encodeURIComponent(to)}&limit=1`);
    return body[0] as { id: string; text: string; code: string };
  };
  const sizeShown = async (id: string) => {
    const page = await (await fetch(`${app.url}/dev/inbox?message=${id}`)).text();
    return /<p class="quiet size"[^>]*>([^<]*)</.exec(page)?.[1];
  };

  test('the code stands for the app and, last, for the page, in one segment; the inbox tells its size', async () => {
    await app.post('/api/v1/auth/send-verification', { phone: '+14155550101', locale: 'en' });
    const { id, text, code } = await received('+14155550101');
    assert.ok(text.endsWith(`\nFA+9qCX9VSu\n@auth.example.com #${code}`), text);
    assert.equal(await sizeShown(id), `1 segment · GSM-7 · ${text.length} of 160`);
    await app.post('/api/v1/auth/send-verification', { phone: '+14155550102', locale: 'ru' });
    const russian = await received('+14155550102');
    assert.ok(russian.text.endsWith(`\n@auth.example.com #${russian.code}`), russian.text);
    assert.equal(await sizeShown(russian.id), `1 segment · UCS-2 · ${russian.text.length} of 70`);
  });

  test('a host or a hash of another shape is refused with its place', async () => {
    const headers = { 'x-api-key': app.apiKey };
    for (const [name, value] of Object.entries({
      autofill_host: 'https://auth.example.com',
      android_app_hash: '<#>',
    })) {
      const body = { settings: { sms: { [name]: value } } };
      const answer = await app.request('PATCH', '/api/v1/admin/tenants/us', body, { headers });
      assert.equal(answer.status, 400);
      assert.equal(answer.body.issues[0].path, `/settings/sms/${name}`);
    }
  });

  test('words of one’s own that take two segments cost two messages', async () => {
    const us = app.app.tenants.bySlug('us');
    assert.ok(us);
    const sms = `{{code}} ${'is the code of your school. '.repeat(6)}`;
    await app.app.tenants.update(us, { branding: { messages: { sign_in_code: { en: { sms } } } } });
    const cost = async () => {
      const database = app.databases.of('us');
      const [row] = await database.sql<{ cost: number }[]>`
        select coalesce(sum(price), 0)::float8 as cost from message_sends`;
      return row?.cost ?? 0;
    };
    const spent = async () => (await app.app.tolls.ledger(us.id)).reduce((sum, { money }) => sum + money, 0);
    const [before, spentBefore] = [await cost(), await spent()];
    await app.post('/api/v1/auth/send-verification', { phone: '+14155550103', locale: 'en' });
    const { id } = await received('+14155550103');
    assert.match((await sizeShown(id)) ?? '', /^2 segments · GSM-7 · /);
    for (let tries = 0; tries < 100 && (await cost()) === before; tries += 1)
      await new Promise((resolve) => setTimeout(resolve, 20));
    assert.equal(Math.round(((await cost()) - before) * 1000) / 1000, 0.02);
    const charged = async () => Math.round(((await spent()) - spentBefore) * 1000) / 1000;
    for (let tries = 0; tries < 100 && (await charged()) !== 0.02; tries += 1)
      await new Promise((resolve) => setTimeout(resolve, 20));
    assert.equal(await charged(), 0.02, 'the ledger tells what it has cost');
  });
});
