import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createTestDatabase } from '../../test/postgres-for-tests.ts';
import { systemClock } from '../kernel/clock.ts';
import { createDatabase, type Database, type Fragment } from './database.ts';

let database: Database;
let drop: () => Promise<void>;
before(async () => {
  const test = await createTestDatabase();
  drop = test.drop;
  database = createDatabase({
    name: 'test',
    address: test.address,
    clock: systemClock,
    maxConnections: 2,
    prepare: true,
  });
});
after(async () => {
  await database.close();
  await drop();
});

test('composes parts, parameters and names in the order of the text', async () => {
  const { sql } = database;
  const inner = (value: number): Fragment => sql`(${value}::int + ${1}::int)`;
  const [row] = await sql`select ${inner(1)} as a, ${inner(10)} as b, ${'x'}::text as ${sql('odd "name')}`;
  assert.deepEqual({ ...row }, { a: 2, b: 11, 'odd "name': 'x' });
});

test('the same place may hold a value, another part or nothing, and each gets its own text', async () => {
  const { sql } = database;
  const choose = (part: Fragment | number): PromiseLike<unknown> => sql`select ${part} + ${5}::int as sum`;
  const sums = [];
  for (const part of [sql`1`, sql`${2}::int`, sql`${sql`3`} + ${4}::int`, sql`1`]) {
    const [row] = (await choose(part)) as { sum: number }[];
    sums.push(row?.sum);
  }
  assert.deepEqual(sums, [6, 7, 12, 6]);
  const [plain] = (await sql`select 1 ${sql``} as one`) as { one: number }[];
  assert.equal(plain?.one, 1);
});

test('a value is never text, and a fault reaches whoever awaits', async () => {
  const { sql } = database;
  const [row] = await sql`select ${"'; drop table users; --"}::text as text`;
  assert.equal(row?.text, "'; drop table users; --");
  await assert.rejects(sql`select 1 / ${0}::int`, { code: '22012' });
  await assert.rejects(sql`select ${undefined as never}::int`);
});

test('R15 statements past the most that may wait are refused before they begin, and only while they do', async () => {
  const { sql } = database;
  const waiting = Array.from({ length: 2000 }, () => sql`select pg_sleep(0.0005)`.then(() => 'done'));
  await assert.rejects(async () => sql`select 1`, { code: 'QUEUE_FULL' });
  assert.equal(new Set(await Promise.all(waiting)).size, 1);
  const [row] = await sql`select 1 as one`;
  assert.equal(row?.one, 1);
});

test('a transaction is rolled back whole', async () => {
  await assert.rejects(
    database.transaction(async (sql) => {
      await sql`create table kept (id int)`;
      throw new Error('stop');
    }),
    /stop/,
  );
  const [row] = await database.sql`select to_regclass('kept') as kept`;
  assert.equal(row?.kept, null);
});
