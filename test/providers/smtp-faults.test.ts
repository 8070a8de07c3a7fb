import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { test } from 'node:test';
import { createSmtpProvider } from '../../src/delivery/delivery.ts';
import { envelopeOf } from './fake-provider.ts';

const PASSWORD = 'smtp-password-0123';
/** Patience of whoever sends; beyond it nothing may be held. */
const PATIENCE_MILLISECONDS = 1500;

type Say = (socket: Socket, line: string) => void;

/** Answers of a sound server, by the first word of the command. */
const SOUND: Record<string, string> = {
  EHLO: '250-mail.example\r\n250 AUTH PLAIN LOGIN',
  AUTH: '235 2.7.0 welcome',
  MAIL: '250 2.1.0 ok',
  RCPT: '250 2.1.5 ok',
  DATA: '354 go on',
  '.': '250 2.0.0 queued as 7',
  QUIT: '221 bye',
};

/** A mail server that is sound but for what a test says of one command; `greeting` is its first line. */
const but = (command: string, say: Say): Say => {
  return (socket, line) => {
    const word = line.split(' ')[0]?.toUpperCase() ?? '';
    if (word === command) return say(socket, line);
    if (word === 'GREETING') socket.write('220 mail.example ESMTP\r\n');
    else if (SOUND[word] !== undefined) socket.write(`${SOUND[word]}\r\n`);
  };
};
const says =
  (text: string): Say =>
  (socket) =>
    void socket.write(text);
const endless =
  (text: string): Say =>
  (socket) => {
    const more = (): void => {
      while (!socket.destroyed && socket.write(text));
      if (!socket.destroyed) socket.once('drain', more);
    };
    more();
  };
const drips =
  (text: string): Say =>
  (socket) => {
    const drip = setInterval(() => {
      if (socket.destroyed) clearInterval(drip);
      else socket.write(text);
    }, 20);
  };

const faults: Record<string, Say> = {
  'nothing at all': () => {},
  'silence after the sender': but('MAIL', () => {}),
  'silence after the message': but('.', () => {}),
  'a reset at once': (socket) => void socket.destroy(),
  'a reset at the recipient': but('RCPT', (socket) => void socket.destroy()),
  'a page of the web': but('GREETING', says('HTTP/1.1 400 Bad Request\r\n\r\n<html>no</html>\r\n')),
  'an empty line': but('GREETING', says('\r\n')),
  'bytes that are no text': but('GREETING', (socket) => void socket.write(Buffer.alloc(4096, 0xfe))),
  'a greeting without end': but('GREETING', endless('220-'.padEnd(65_536, 'x'))),
  'one line without end': but('EHLO', endless('x'.repeat(65_536))),
  'lines without end': but('EHLO', endless(`250-${'x'.repeat(1000)}\r\n`)),
  'an answer that drips': but('RCPT', drips('2')),
  'lines that drip': but('MAIL', drips('250-still here\r\n')),
  'a page instead of a yes': but('.', says('<html>queued</html>\r\n')),
  'a later, please': but('RCPT', says('450 4.2.0 greylisted, smtp-password-0123\r\n')),
  'out of order': but('.', says('451 4.3.0 out of order\r\n')),
  'too many connections': but('GREETING', says('421 4.7.0 too many connections\r\n')),
  'credentials refused': but('AUTH', says(`535 5.7.8 bad ${PASSWORD}\r\n`)),
  'no encryption where it is needed': but('MAIL', says('530 5.7.0 must issue STARTTLS\r\n')),
};

for (const [fault, say] of Object.entries(faults)) {
  test(`R03 smtp: ${fault} is a failure, bounded and without secrets`, async () => {
    const sockets = new Set<Socket>();
    const server = createServer((socket) => {
      sockets.add(socket);
      socket.on('error', () => {}).on('close', () => sockets.delete(socket));
      let waiting = '';
      let isData = false;
      say(socket, 'GREETING');
      socket.on('data', (part: Buffer) => {
        waiting += part.toString('latin1');
        for (let end = waiting.indexOf('\r\n'); end >= 0; end = waiting.indexOf('\r\n')) {
          const line = waiting.slice(0, end);
          waiting = waiting.slice(end + 2);
          if (isData && line !== '.') continue;
          isData = /^DATA$/i.test(line);
          say(socket, line);
        }
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const smtp = createSmtpProvider({
      server: { host: '127.0.0.1', port, tls: 'off', user: 'codes', password: PASSWORD, connections: 5 },
      from: 'codes@school.example',
      timeouts: { connect: 300, greeting: 300, idle: 400 },
    });
    const before = process.memoryUsage().rss;
    const envelope = envelopeOf({ channel: 'email', to: 'ada@example.org', subject: 'A code', html: null });
    const late = Promise.withResolvers<'held on to'>();
    const patience = AbortSignal.timeout(PATIENCE_MILLISECONDS);
    // A busy machine may be slow; one that holds on holds on for ever.
    const cut = setTimeout(() => late.resolve('held on to'), PATIENCE_MILLISECONDS * 10);
    const result = await Promise.race([smtp.send(envelope, patience), late.promise]);
    clearTimeout(cut);
    assert.ok(result !== 'held on to', 'the try ended');
    assert.equal(result.state, 'retry', JSON.stringify(result));
    for (const secret of [PASSWORD, '123456', 'ada@example.org', 'greylisted', 'html'])
      assert.ok(!JSON.stringify(result).includes(secret), JSON.stringify(result));
    assert.ok(process.memoryUsage().rss - before < 150e6, 'what it says is not kept');
    smtp.close();
    for (let tries = 0; tries < 500 && sockets.size > 0; tries += 1)
      await new Promise((resolve) => setTimeout(resolve, 10));
    assert.equal(sockets.size, 0, 'the connection is given up');
    server.close();
  });
}
