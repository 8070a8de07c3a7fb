import { openConnection, type Connection, writeRequest } from './http-client.ts';
import { createCodeReader } from './inbox.ts';
import type { LoadJob, LoadReport } from './load-job.ts';
import { percentile } from './statistics.ts';
import { clientLine, products, type Credential, type ReadCode } from './products.ts';

/** One step of the closed loop: the n-th flow of the virtual user `user`. */
type Flow = (connection: Connection, user: number, n: number) => Promise<void>;

/** A run that only fails must end, and say why, before its time is up. */
const hopeless = 200;

/** +1 202 and seven digits that begin with neither 0 nor 1: libphonenumber-js/max finds all of them valid. */
function phoneNumber(n: number): string {
  return `+1202${2_000_000 + (n % 8_000_000)}`;
}

/** The address of an account that stays between runs. Its phones are not those of new accounts. */
function returningAddress(n: number, by: 'email' | 'phone' = 'email'): string {
  return by === 'email' ? `returning-${n}@example.com` : `+1303${2_000_000 + n}`;
}

function createFlow(job: LoadJob, readCode: ReadCode, enrolled: Credential[]): Flow {
  const product = products[job.product];
  const headers = job.headerLines;
  // Each run gets a million numbers of its own, each virtual user every connections-th of them.
  const unique = (user: number, n: number): number => job.run * 1_000_000 + n * job.connections + user;
  switch (job.scenario) {
    case 'enrol':
      return async ({ exchange }, user, n) => {
        const account = n * job.connections + user;
        enrolled.push(
          await product.signIn(
            exchange,
            readCode,
            returningAddress(account, job.by),
            account,
            'either',
            headers,
          ),
        );
      };
    case 'sign-up':
      return async ({ exchange }, user, n) => {
        const account = unique(user, n);
        await product.signIn(exchange, readCode, `new-${account}@example.com`, account, 'new');
      };
    case 'sign-up-phone':
      return async ({ exchange }, user, n) => {
        const account = unique(user, n);
        await product.signIn(exchange, readCode, phoneNumber(account), account, 'new');
      };
    case 'sign-in': {
      // Virtual users share out the accounts, so that no two ever use one address at the same time.
      const share = Math.max(1, Math.floor(job.population / job.connections));
      return async ({ exchange }, user) => {
        const account = Math.floor(Math.random() * share) * job.connections + user;
        await product.signIn(
          exchange,
          readCode,
          returningAddress(account, job.by),
          account,
          'returning',
          headers,
        );
      };
    }
    case 'refresh': {
      // A token is good once: each virtual user renews a session of its own, begun by its first flow.
      const tokens: (string | undefined)[] = [];
      return async ({ exchange }, user) => {
        tokens[user] ??= (
          await product.signIn(exchange, readCode, returningAddress(user, job.by), user, 'returning', headers)
        ).refreshToken;
        const answer = await exchange(
          writeRequest('POST', '/api/v1/auth/refresh', [clientLine(user)], { refresh_token: tokens[user] }),
        );
        if (answer.status !== 200)
          throw new Error(`refresh answered ${answer.status}: ${answer.body.slice(0, 200)}`);
        tokens[user] = (JSON.parse(answer.body) as { refresh_token: string }).refresh_token;
      };
    }
    case 'session-check': {
      const requests = job.credentials.map((credential) => product.sessionRequest(credential));
      return async ({ exchange }, user, n) => {
        const which = (n * job.connections + user) % requests.length;
        const answer = await exchange(requests[which] as string);
        const expected = job.product === 'hello' ? 'hello' : (job.credentials[which]?.expected ?? '');
        if (answer.status !== 200 || !answer.body.includes(expected)) {
          throw new Error(`session check answered ${answer.status}: ${answer.body.slice(0, 200)}`);
        }
      };
    }
  }
}

async function run(job: LoadJob): Promise<LoadReport> {
  const enrolled: Credential[] = [];
  const flow = createFlow(job, createCodeReader(), enrolled);
  const latencies: number[] = [];
  let errors = 0;
  let firstError: string | null = null;
  const startedAt = performance.now();
  const endsAt = startedAt + job.seconds * 1000;

  async function virtualUser(user: number): Promise<void> {
    const connection = openConnection(job.ports[user % job.ports.length] as number);
    for (let n = 0; ; n += 1) {
      const flowStart = performance.now();
      if (job.scenario === 'enrol' ? n * job.connections + user >= job.population : flowStart >= endsAt)
        break;
      if (errors >= hopeless) break;
      try {
        await flow(connection, user, n);
        latencies.push(performance.now() - flowStart);
      } catch (error) {
        errors += 1;
        firstError ??= error instanceof Error ? error.message : String(error);
      }
    }
    connection.close();
  }

  await Promise.all(Array.from({ length: job.connections }, (_, user) => virtualUser(user)));
  const seconds = (performance.now() - startedAt) / 1000;
  return {
    flows: latencies.length,
    perSecond: latencies.length / seconds,
    p50: percentile(latencies, 0.5),
    p99: percentile(latencies, 0.99),
    errors,
    firstError,
    credentials: enrolled,
  };
}

process.once('message', (message) => {
  run(message as LoadJob).then(
    (report) => process.send?.(report, () => process.exit(0)),
    (error: unknown) => {
      console.error(error);
      process.exit(1);
    },
  );
});
// The parent may be gone before it could say so.
process.once('disconnect', () => process.exit(1));
