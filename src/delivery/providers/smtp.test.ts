import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createTransport } from 'nodemailer';
import PostalMime from 'postal-mime';
import type { Envelope } from '../provider.ts';
import { explainFault, mailOf } from './smtp.ts';

test('what an SMTP answer means: 5xx about the message is final, everything else is tried again', () => {
  const said = (code: string, responseCode?: number, response?: string) =>
    explainFault({ code, responseCode, response });
  const refused = (error: string) => ({ state: 'refused', error });
  const later = (error: string) => ({ state: 'retry', error, notBeforeSeconds: 45 });
  const again = (error: string) => ({ state: 'retry', error });
  const cases = [
    [said('EENVELOPE', 550, '550 5.1.1 <ada@example.org> unknown'), refused('smtp EENVELOPE 550 5.1.1')],
    [said('EENVELOPE', 553, '553 no'), refused('smtp EENVELOPE 553')],
    [said('EMESSAGE', 554, '554 5.7.1 spam'), refused('smtp EMESSAGE 554 5.7.1')],
    [said('EENVELOPE', 450, '450 4.2.0 greylisted'), later('smtp EENVELOPE 450 4.2.0')],
    [said('EMESSAGE', 452), later('smtp EMESSAGE 452')],
    [said('EENVELOPE', 421), later('smtp EENVELOPE 421')],
    [said('EENVELOPE', 530, '530 5.7.0 sign in first'), later('smtp EENVELOPE 530 5.7.0')],
    [said('EAUTH', 535, '535 5.7.8 bad password'), again('smtp EAUTH 535 5.7.8')],
    [said('EPROTOCOL', 554, '554 not today'), again('smtp EPROTOCOL 554')],
    [said('ECONNECTION'), again('smtp ECONNECTION')],
    [said('ETIMEDOUT'), again('smtp ETIMEDOUT')],
    [said('ETLS'), again('smtp ETLS')],
    [said('EDNS'), again('smtp EDNS')],
    [explainFault({ code: 'E EVIL <ada@example.org>' }), again('smtp failed')],
    [explainFault(undefined), again('smtp failed')],
  ] as const;
  for (const [result, expected] of cases) assert.deepEqual(result, expected);
});

test('a server that does not take our sender is an alarm: it refuses us, whoever the recipient is', () => {
  const atSender = (responseCode: number, response: string) =>
    explainFault({ code: 'EENVELOPE', command: 'MAIL FROM', responseCode, response });
  assert.deepEqual(atSender(553, '553 5.7.1 sender not owned by user'), {
    state: 'refused',
    error: 'smtp EENVELOPE 553 5.7.1 sender',
    remedy: 'alarm',
  });
  // It wants a sign-in or encryption: its breaker is to hear of that, and the operator may mend it meanwhile.
  assert.deepEqual(atSender(530, '530 5.7.0 must issue STARTTLS'), {
    state: 'retry',
    error: 'smtp EENVELOPE 530 5.7.0 sender',
  });
  assert.deepEqual(atSender(451, '451 4.3.0 later'), {
    state: 'retry',
    error: 'smtp EENVELOPE 451 4.3.0 sender',
    notBeforeSeconds: 45,
  });
});

test('whatever stands in names, subject and text: one recipient, one From, no header of its own', async () => {
  const transport = createTransport({ streamTransport: true, buffer: true });
  const nasty = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 60 }),
    fc.constantFrom(
      'X\r\nBcc: evil@evil.example',
      'a@b.example, evil@evil.example',
      '"<evil@evil.example>"',
      'X\u2028Bcc: evil@evil.example',
      '=?utf-8?q?x=0d=0aBcc:_evil@evil.example?=',
      'group: evil@evil.example;',
    ),
  );
  const property = fc.asyncProperty(nasty, nasty, nasty, async (senderName, subject, text) => {
    const envelope: Envelope = {
      id: '0190b2f0-0000-7000-8000-000000000000',
      tenantId: 't',
      channel: 'email',
      to: 'ada@example.org',
      subject,
      text,
      html: null,
      code: null,
      expiresIn: 60,
      senderName,
      replyTo: 'help@example.org',
    };
    const info = await transport.sendMail(mailOf(envelope, 'no-reply@auth.example.com', 'auth.example.com'));
    assert.deepEqual(info.envelope, { from: 'no-reply@auth.example.com', to: ['ada@example.org'] });
    const raw = (info.message as Buffer).toString();
    const head = raw.slice(0, raw.indexOf('\r\n\r\n'));
    assert.doesNotMatch(head, /^(?:bcc|cc):/im);
    assert.equal(head.match(/^(?:from|to|reply-to|message-id):/gim)?.length, 4);
    assert.ok((head.match(/^subject:/gim)?.length ?? 0) <= 1);
    const parsed = await PostalMime.parse(raw);
    assert.equal(parsed.from?.address, 'no-reply@auth.example.com');
    assert.deepEqual(
      parsed.to?.map(({ address }) => address),
      ['ada@example.org'],
    );
    assert.deepEqual(
      parsed.replyTo?.map(({ address }) => address),
      ['help@example.org'],
    );
    assert.equal(parsed.messageId, '<0190b2f0-0000-7000-8000-000000000000@auth.example.com>');
  });
  await fc.assert(property, { numRuns: 300 });
});
