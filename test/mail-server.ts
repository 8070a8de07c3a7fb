import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import PostalMime, { type Email } from 'postal-mime';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';

/** A certificate for localhost that nobody else trusts, and its key: for tests only. */
export const TEST_CERTIFICATE = `-----BEGIN CERTIFICATE-----
MIIBmzCCAUGgAwIBAgIUUp6kFbgfJeyAku6ibbDSisofx/cwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyMTEwMDU0OFoYDzIxMjYxMDI4
MTAwNTQ4WjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAAQXfz7sKEnUlRbZt/5RVvSNP1cYFX3hg49KgGo6lzMMSd5hjTKFVGVK
JkZ6kUUNJG7/yiG0x9BFVCoDqkgn2MXso28wbTAdBgNVHQ4EFgQUj80jn8goJW2d
+UrGH9O2qOW/wOEwHwYDVR0jBBgwFoAUj80jn8goJW2d+UrGH9O2qOW/wOEwDwYD
VR0TAQH/BAUwAwEB/zAaBgNVHREEEzARgglsb2NhbGhvc3SHBH8AAAEwCgYIKoZI
zj0EAwIDSAAwRQIgG5Ndrv7agcICp2X6+yN+uMXDq1SFgQK6zfp41/OYBpECIQCp
iUrgvsWwPcRB2J08aNf5Tvxk1VNaZQ9OLSVMAJDYrA==
-----END CERTIFICATE-----`;
const TEST_KEY = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgagNnhN4+Pa7I1i95
gV5jG2t6IkImHi1rIHXKhQPN9rihRANCAAQXfz7sKEnUlRbZt/5RVvSNP1cYFX3h
g49KgGo6lzMMSd5hjTKFVGVKJkZ6kUUNJG7/yiG0x9BFVCoDqkgn2MXs
-----END PRIVATE KEY-----`;

export interface ReceivedMail {
  /** The envelope: who it really went to. */
  recipients: string[];
  sender: string;
  secure: boolean;
  user: string | undefined;
  raw: string;
  parsed: Email;
}

/** A mail server that answers as told. */
export interface MailServer {
  port: number;
  url: string;
  received: ReceivedMail[];
  /** Recipients it was asked for, accepted or not. */
  asked: string[];
  /** The SMTP answer to the next recipients: 250 takes them. */
  answer: number;
  /** The same to the next senders. */
  senderAnswer: number;
  close(): Promise<void>;
}

export interface MailServerOptions {
  /** TLS from the first byte. */
  implicitTls?: boolean;
  /** Offer STARTTLS. */
  startTls?: boolean;
  login?: { user: string; password: string };
  port?: number;
  /** Milliseconds before a message is taken. */
  delay?: number;
}

/** Starts a real SMTP server on 127.0.0.1. */
export async function createMailServer(options: MailServerOptions = {}): Promise<MailServer> {
  const { login } = options;
  const received: ReceivedMail[] = [];
  async function keep(raw: string, facts: Omit<ReceivedMail, 'raw' | 'parsed'>): Promise<void> {
    received.push({ ...facts, raw, parsed: await PostalMime.parse(raw) });
  }
  const settings: SMTPServerOptions = {
    secure: options.implicitTls ?? false,
    key: TEST_KEY,
    cert: TEST_CERTIFICATE,
    authOptional: login === undefined,
    disabledCommands: [...(options.startTls ? [] : ['STARTTLS']), ...(login ? [] : ['AUTH'])],
    logger: false,
    closeTimeout: 100,
    onAuth(auth, _session, done) {
      const right = auth.username === login?.user && auth.password === login?.password;
      done(right ? null : answerOf(535, 'no'), right ? { user: auth.username ?? '' } : undefined);
    },
    onMailFrom(_address, _session, done) {
      done(mail.senderAnswer === 250 ? null : answerOf(mail.senderAnswer, 'not a sender of ours'));
    },
    onRcptTo(address, _session, done) {
      mail.asked.push(address.address);
      done(mail.answer === 250 ? null : answerOf(mail.answer, `about <${address.address}>`));
    },
    onData(stream, session, done) {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        const raw = Buffer.concat(chunks).toString();
        const { envelope, secure, user } = session;
        void keep(raw, {
          recipients: envelope.rcptTo.map(({ address }) => address),
          sender: envelope.mailFrom === false ? '' : envelope.mailFrom.address,
          secure,
          user: user as string | undefined,
        });
        setTimeout(done, options.delay ?? 0);
      });
    },
  };
  const server = new SMTPServer(settings);
  server.on('error', () => {});
  server.listen(options.port ?? 0, '127.0.0.1');
  await once(server.server, 'listening');
  const { port } = server.server.address() as { port: number };
  const mail: MailServer = {
    port,
    url: `smtp://127.0.0.1:${port}?tls=off`,
    received,
    asked: [],
    answer: 250,
    senderAnswer: 250,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
      }),
  };
  return mail;
}

/** Takes connections and never says a word. */
export async function createSilentServer(): Promise<{ port: number; close(): Promise<void> }> {
  const sockets = new Set<{ destroy(): void }>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as { port: number }).port,
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  };
}

function answerOf(code: number, message: string): Error {
  return Object.assign(new Error(message), { responseCode: code });
}
