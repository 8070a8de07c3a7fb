import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadConfig } from './config.ts';
import { parseSmtpUrl } from './mail-settings.ts';

test('a mail server’s URL tells host, port, TLS and who we are', () => {
  const read = (text: string) => {
    const parsed = parseSmtpUrl(text);
    return parsed.ok ? parsed.server : parsed.message;
  };
  const nobody = { user: undefined, password: undefined, connections: 5 };
  assert.deepEqual(read('smtps://a%40b:p%3Aw@mail.example'), {
    host: 'mail.example',
    port: 465,
    tls: 'implicit',
    user: 'a@b',
    password: 'p:w',
    connections: 5,
  });
  assert.equal((read('smtps://m.example?connections=20') as { connections: number }).connections, 20);
  assert.deepEqual(read('smtp://mail.example'), {
    host: 'mail.example',
    port: 587,
    tls: 'required',
    ...nobody,
  });
  assert.deepEqual(read('smtp://[::1]:1025/?tls=off'), { host: '::1', port: 1025, tls: 'off', ...nobody });
  assert.equal((read('smtp://m.example?tls=opportunistic') as { tls: string }).tls, 'opportunistic');
  for (const wrong of [
    'mail.example:587',
    'http://mail.example',
    'smtp://',
    'smtp://m.example?tls=maybe',
    'smtps://m.example?tls=off',
    'smtp://m.example?pool=true',
    'smtp://m.example?connections=0',
    'smtp://m.example?connections=101',
    'smtp://m.example?connections=many',
    'smtp://m.example/inbox',
    'smtp://a:%zz@m.example',
  ]) {
    assert.equal(typeof read(wrong), 'string', wrong);
  }
});

test('a mail server without a sender, and a sender that is no address, keep the server from starting', () => {
  const problems = (env: Record<string, string>) => {
    const result = loadConfig({ env: { FIRSTPROOF_MODE: 'development', ...env } });
    return result.ok ? [] : result.problems.map(({ setting }) => setting);
  };
  const url = 'smtp://mail.example';
  assert.deepEqual(problems({ SMTP_URL: url, SMTP_FROM: 'no-reply@auth.example' }), []);
  assert.deepEqual(problems({ SMTP_URL: url }), ['SMTP_FROM']);
  assert.deepEqual(problems({ SMTP_URL: url, SMTP_FROM: 'Us <us@auth.example>' }), ['SMTP_FROM']);
  assert.deepEqual(problems({ SMTP_URL: 'mail.example', SMTP_FROM: 'us@auth.example' }), ['SMTP_URL']);
  const [problem] = [loadConfig({ env: { SMTP_URL: 'smtp://u:s3cret@m.example/x' } })].flatMap((result) =>
    result.ok ? [] : result.problems.filter(({ setting }) => setting === 'SMTP_URL'),
  );
  assert.doesNotMatch(problem?.message ?? '', /s3cret/);
});
