import type postgres from 'postgres';
import { createSecrets } from '../../src/kernel/secrets.ts';
import { readHandle, sealContext } from '../../src/verification/policy.ts';
import { brokenInvariants } from '../model/invariants.ts';
import { describe, type Life } from './history.ts';
import { ask, type Reply } from './load.ts';

const AUTH = '/api/v1/auth';

/** What the database keeps of one life. */
interface Kept {
  sent: boolean;
  message: boolean;
  consumed: boolean | null;
  tenant_id: string | null;
  code_sealed: Buffer | null;
  user_id: string | null;
  live: boolean | null;
  counter: number | null;
}

/** Compares what was acknowledged with what is there; a sentence for each loss. */
export async function findLosses(databases: ReadonlyMap<string, postgres.Sql>, lives: readonly Life[]) {
  const losses: string[] = [];
  for (const [market, sql] of databases) {
    const here = lives.filter((life) => life.market === market && life.verificationId !== undefined);
    const kept = await readKept(sql, here);
    for (const [index, life] of here.entries()) losses.push(...lossesOf(life, kept[index] as Kept));
  }
  return losses;
}

function readKept(sql: postgres.Sql, lives: readonly Life[]): Promise<Kept[]> {
  const column = (pick: (life: Life) => string | undefined): (string | null)[] =>
    lives.map((life) => pick(life) ?? null);
  return sql<Kept[]>`
    select v.id is not null as sent, v.consumed_at is not null as consumed, v.tenant_id, v.code_sealed,
      exists (select from messages m where m.tenant_id = v.tenant_id and m.verification_id = v.id) as message,
      u.id as user_id, s.revoked_at is null as live, s.counter
    from unnest(${column((life) => readHandle(life.verificationId ?? '')?.id)}::uuid[],
        ${column((life) => life.user?.id)}::uuid[], ${column((life) => life.user?.sessionId)}::uuid[])
      with ordinality as asked (verification, person, session, place)
    left join verifications v on v.id = verification
    left join users u on u.id = person
    left join sessions s on s.id = session
    order by place`;
}

function lossesOf(life: Life, kept: Kept): string[] {
  const lost: string[] = [];
  const expect = (holds: boolean, what: string): void => {
    if (!holds)
      lost.push(`${what}: ${describe(life)}; kept: ${JSON.stringify({ ...kept, code_sealed: null })}`);
  };
  expect(kept.sent && kept.message, 'a code that was sent');
  if (life.verify === undefined) expect(kept.consumed === false, 'a code that nobody used is used');
  if (life.verify !== 'ok') return lost;
  const last = life.refresh.length - 1;
  expect(kept.consumed === true, 'the use of a code');
  expect(kept.user_id !== null, 'an account');
  expect(kept.counter === last || (life.refreshUnknown === true && kept.counter === last + 1), 'a refresh');
  if (life.signOut === 'ok') expect(kept.live === false, 'a sign-out');
  if (life.signOut === undefined) expect(kept.live === true, 'a session');
  return lost;
}

/**
 * Goes on living where the crash interrupted: codes that were sent still work, used ones never again, and tokens are
 * worth what their sessions are. Returns what went otherwise, and what the next check must expect.
 */
export async function goOn(
  url: string,
  databases: ReadonlyMap<string, postgres.Sql>,
  secret: string,
  lives: readonly Life[],
): Promise<string[]> {
  const wrong: string[] = [];
  await Promise.all(
    lives.map(async (life) => {
      const expect = (holds: boolean, what: string, reply: Reply): void => {
        if (!holds)
          wrong.push(`${what}: ${describe(life)}; answer ${reply.status} ${reply.body?.error ?? ''}`);
      };
      if (life.verificationId === undefined) return;
      const sql = databases.get(life.market) as postgres.Sql;
      const code = life.code ?? (await openCode(sql, secret, life.verificationId));
      const body = { verification_id: life.verificationId, code };
      const proof = await ask(url, 'POST', `${AUTH}/verify-code`, body);
      if (life.verify === 'ok') expect(proof.status === 404, 'a used code worked again', proof);
      if (life.verify === undefined)
        expect(proof.status === 201, 'a code that was sent does not work', proof);
      if (life.verify === 'unknown') expect([201, 404].includes(proof.status), 'a code in between', proof);
      const replay = await ask(url, 'POST', `${AUTH}/verify-code`, body);
      expect(replay.status === 404, 'a used code worked again', replay);
      if (life.user && life.signOut !== 'unknown') {
        const session = await ask(url, 'GET', `${AUTH}/session`, undefined, life.access);
        expect(session.status === (life.signOut === 'ok' ? 401 : 200), 'a session', session);
      }
      if (life.user && life.signOut === undefined) {
        const next = await ask(url, 'POST', `${AUTH}/refresh`, { refresh_token: life.refresh.at(-1) });
        expect(next.status === 200, 'the last refresh token', next);
        if (next.status === 200) life.refresh.push(next.body.refresh_token as string);
        life.refreshUnknown = false;
      }
    }),
  );
  return wrong;
}

async function openCode(sql: postgres.Sql, secret: string, verificationId: string): Promise<string> {
  const id = readHandle(verificationId)?.id ?? '';
  const [row] = await sql<Kept[]>`select tenant_id, code_sealed from verifications where id = ${id}`;
  if (!row?.code_sealed || row.tenant_id === null) return '000000';
  return createSecrets([secret]).open(row.code_sealed, sealContext(row.tenant_id, id)).toString();
}

/** Every invariant, and every row of every table read once through: a torn page or a broken index would show. */
export async function findDamage(databases: ReadonlyMap<string, postgres.Sql>): Promise<string[]> {
  const damage: string[] = [];
  for (const [market, sql] of databases) {
    damage.push(...(await brokenInvariants(sql)).map((sentence) => `${market}: ${sentence}`));
    const tables = await sql<{ name: string }[]>`
      select format('%I', relname) as name from pg_class
      where relkind = 'r' and relnamespace = 'public'::regnamespace`;
    for (const { name } of tables) {
      const counted = sql.unsafe(
        `select count(*)::int as rows, md5(string_agg(t::text, '' order by t::text)) from ${name} t`,
      );
      await counted.catch((error: unknown) => damage.push(`${market}.${name}: ${String(error)}`));
    }
  }
  return damage;
}
