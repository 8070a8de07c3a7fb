import type { Answer } from '../create-test-app.ts';
import { type Attack, type Figure, type Target, wordOf } from './target.ts';

const PASSWORD = 'violet-Harbour-42';
const states = ['known', 'closed', 'waiting', 'nobody'] as const;

/** Every call that a stranger can make about an address. */
const calls: Record<string, (email: string) => object> = {
  '/api/v1/auth/send-verification': (email) => ({ email }),
  '/api/v1/auth/resend-otp': (email) => ({ email }),
  '/api/v1/auth/verify-code': (email) => ({ email, code: '000000' }),
  '/api/v1/auth/login': (email) => ({ email, password: 'amber-Lantern-77' }),
  '/api/v1/auth/forgot-password': (email) => ({ email }),
  '/api/v1/auth/register': (email) => ({ email, password: 'amber-Lantern-77' }),
  '/api/auth/login': (email) => ({ email, password: 'amber-Lantern-77' }),
  '/api/auth/forgot-password': (email) => ({ email }),
  '/api/auth/register': (email) => ({ email, password: 'amber-Lantern-77' }),
  '/api/auth/resend-otp': (email) => ({ email }),
};

/** Is there an account? Asked of every call, in each of the three ways a tenant may answer. */
export const enumeration: Attack = {
  name: 'enumeration',
  story: 'an account, a closed one, a waiting registration and nobody, asked about by every call',
  async run(target) {
    await setDetail(target, 'uniform');
    let most = 0;
    for (const [call, body] of Object.entries(calls)) {
      most = Math.max(most, await distinctAnswers(target, call, body));
    }
    await setDetail(target, 'explicit');
    const told = await tellingAnswers(target);
    await setDetail(target, 'explicit');
    const figures: Figure[] = [
      { attack: 'enumeration', figure: 'different answers to one call, uniform', reached: most, most: 1 },
      {
        attack: 'enumeration',
        figure: 'addresses told by login to one caller in an hour, explicit',
        reached: told,
        most: 10,
      },
    ];
    return figures;
  },
};

async function setDetail(target: Target, detail: 'uniform' | 'explicit'): Promise<void> {
  const tenant = target.app.tenants.bySlug('default');
  if (!tenant) throw new Error('no default tenant');
  await target.app.tenants.update(tenant, { settings: { ...tenant.settings, error_detail: detail } });
}

let people = 0;

/** Addresses of one length, one for each state. */
async function newPeople(target: Target): Promise<Record<(typeof states)[number], string>> {
  const number = String(++people).padStart(3, '0');
  const of = Object.fromEntries(
    states.map((state) => [state, `enum${number}${state.slice(0, 2)}@example.net`]),
  ) as Record<(typeof states)[number], string>;
  for (const email of [of.known, of.closed]) {
    await target.ask('/api/v1/auth/register', { email, password: PASSWORD });
    await target.ask('/api/v1/auth/verify-code', { email, code: await target.code(email) });
  }
  await target.databases.control.sql`
    update users set is_disabled = true where id = (select user_id from identities where value = ${of.closed})`;
  await target.ask('/api/v1/auth/register', { email: of.waiting, password: PASSWORD });
  target.clock.advance(3700);
  return of;
}

/** How many different answers the four states get, twice in a row. */
async function distinctAnswers(
  target: Target,
  path: string,
  bodyOf: (email: string) => object,
): Promise<number> {
  const of = await newPeople(target);
  let most = 0;
  for (let again = 0; again < 2; again++) {
    const seen = new Set<string>();
    for (const state of states) {
      const email = of[state];
      seen.add(visible(await target.ask(path, bodyOf(email)), email));
    }
    most = Math.max(most, seen.size);
  }
  return most;
}

/** Status, headers and body; the address, the handles and challenges stand for themselves. */
function visible(answer: Answer, email: string): string {
  const headers = [...answer.headers].filter(([name]) => name !== 'date');
  const text = JSON.stringify(answer.body)
    .replaceAll(email, '<address>')
    .replaceAll(/"(nonce|salt|signature)":"[0-9a-f]+"/g, '"$1":"<random>"')
    .replaceAll(/"verification_id":"[\w-]{50}"/g, '"verification_id":"<handle>"');
  return JSON.stringify([answer.status, headers, text]);
}

/** How many addresses one caller learns of in an hour where the tenant chose to tell. */
async function tellingAnswers(target: Target): Promise<number> {
  let told = 0;
  for (let index = 0; index < 60; index++) {
    const answer = await target.ask(
      '/api/v1/auth/login',
      { email: `asked-${index}@example.net`, password: 'amber-Lantern-77' },
      { from: '203.0.113.9' },
    );
    if (wordOf(answer) === 'ACCOUNT_NOT_FOUND') told++;
  }
  return told;
}
