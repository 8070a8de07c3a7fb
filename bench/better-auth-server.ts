import { createServer } from 'node:http';
import { betterAuth } from 'better-auth';
import { getMigrations } from 'better-auth/db/migration';
import { toNodeHandler } from 'better-auth/node';
import { emailOTP } from 'better-auth/plugins';
import { Pool } from 'pg';

/**
 * The peer: Better Auth as a competent user of it would run it for sign-in by e-mail code, on node:http.
 * Environment: PORT, DATABASE_URL, BENCH_VARIANT=fastest for its signed session cookie cache and limits
 * counted in memory: an ended session then lives on for minutes, and several processes do not share a limit.
 */

const fastest = process.env['BENCH_VARIANT'] === 'fastest';
const port = Number(process.env['PORT']);
/** The newest code of each address; dropped once read, so that the inbox does not weigh on its memory. */
const inbox = new Map<string, { id: string; code: string; created_at: string }>();
let messages = 0;
/** On, counted in the database as ours are, and wide enough for a load program, as ours are. */
const relaxedLimit = { window: 60, max: 1_000_000 };

const auth = betterAuth({
  baseURL: `http://127.0.0.1:${port}`,
  secret: 'a-secret-of-the-benchmark-that-is-long-enough',
  database: new Pool({ connectionString: process.env['DATABASE_URL'] ?? '', max: 20 }),
  logger: { disabled: true },
  telemetry: { enabled: false },
  rateLimit: {
    enabled: true,
    storage: fastest ? 'memory' : 'database',
    ...relaxedLimit,
    customRules: { '/sign-in/*': relaxedLimit, '/email-otp/*': relaxedLimit },
  },
  session: { cookieCache: { enabled: fastest, maxAge: 300 } },
  plugins: [
    emailOTP({
      rateLimit: relaxedLimit,
      sendVerificationOTP: async ({ email, otp }) => {
        messages += 1;
        inbox.set(email, { id: String(messages), code: otp, created_at: new Date().toISOString() });
      },
    }),
  ],
});

const { runMigrations } = await getMigrations(auth.options);
await runMigrations();

const handleAuth = toNodeHandler(auth);
const server = createServer((request, response) => {
  const url = request.url ?? '/';
  if (url.startsWith('/api/auth/')) return void handleAuth(request, response);
  if (url === '/health/ready') return void response.end('{"status":"ready"}');
  if (url.startsWith('/dev/messages?to=')) {
    const to = new URL(url, 'http://localhost').searchParams.get('to') ?? '';
    const message = inbox.get(to);
    inbox.delete(to);
    return void response.end(JSON.stringify(message === undefined ? [] : [message]));
  }
  response.statusCode = 404;
  response.end();
});
server.listen(port, '127.0.0.1');
