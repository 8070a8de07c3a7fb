import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import postgres from 'postgres';
import { importUsers, type ImportOptions } from '../../src/cli/user-import.ts';
import { advanceImport, findUnfinishedImport } from '../../src/users/users.ts';
import { createTestApp, TEST_SECRET, type TestApp } from '../create-test-app.ts';
import { makeFolder, type Ran, runCli } from './run-cli.ts';

const PROGRAM = join(import.meta.dirname, '../../bin/firstproof.js');
const BCRYPT = `$2b$10$${'a'.repeat(53)}`;
const ARGON2 = '$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHRzb21lc2FsdA$aGFzaGhhc2hoYXNoaGFzaGhhc2hoYXNo';
const SCRYPT = '$scrypt$ln=15,r=8,p=1$c29tZXNhbHRzb21lc2FsdA$aGFzaGhhc2hoYXNoaGFzaGhhc2hoYXNo';

let app: TestApp;
let folder: string;
let env: Record<string, string>;
let files = 0;

before(async () => {
  app = await createTestApp();
  folder = makeFolder();
  env = {
    DATABASE_URL: app.urls.get('control') ?? '',
    FIRSTPROOF_DATABASES: `us=${app.urls.get('us')},uz=${app.urls.get('uz')}`,
    FIRSTPROOF_PUBLIC_URL: 'https://auth.test',
    FIRSTPROOF_SECRET: TEST_SECRET,
  };
});
after(async () => {
  await app.close();
  rmSync(folder, { recursive: true, force: true });
});

const cli = (words: readonly string[]): Promise<Ran> => runCli(words, { cwd: folder, env });

function file(name: string, content: string | Buffer): string {
  const path = join(folder, `${++files}-${name}`);
  writeFileSync(path, content);
  return path;
}

const jsonLines = (rows: readonly object[]): string => rows.map((row) => `${JSON.stringify(row)}\n`).join('');

/** The import itself, without the program around it. */
function importInto(
  slug: string,
  path: string,
  options: ImportOptions = {},
  more: { stopped?: () => boolean } = {},
) {
  const tenant = app.app.tenants.bySlug(slug);
  assert.ok(tenant);
  const { newId } = app.app;
  const tools = { database: app.databases.of(tenant.database), tenant, newId, now: () => app.clock.now() };
  return importUsers({ ...tools, stopped: more.stopped ?? (() => false) }, path, options);
}

function refusals(path: string): Record<number, Record<string, string>> {
  const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
  return Object.fromEntries(
    lines.map((text) => {
      const { line, issues } = JSON.parse(text) as {
        line: number;
        issues: { path: string; message: string }[];
      };
      return [line, Object.fromEntries(issues.map((issue) => [issue.path, issue.message]))];
    }),
  );
}

async function tenant(slug: string, settings: object = {}): Promise<void> {
  const made = await app.post(
    '/api/v1/admin/tenants',
    { slug, name: slug, settings },
    { headers: { 'x-api-key': app.apiKey } },
  );
  assert.equal(made.status, 201);
}

const people = (slug: string) => {
  const { id } = app.app.tenants.bySlug(slug) ?? {};
  return app.databases.control.sql<
    {
      username: string | null;
      role: string;
      first_name: string | null;
      password_hash: string | null;
      is_verified: boolean;
      is_active: boolean;
      custom_fields: object;
      created: string;
      identities: string[];
    }[]
  >`
    select u.username, u.role, u.first_name, u.password_hash, u.is_verified, u.is_active, u.custom_fields,
      u.created_at::date::text as created,
      array(select i.kind || ':' || i.value || case when i.verified_at is null then '?' else '' end
        from identities i where i.tenant_id = u.tenant_id and i.user_id = u.id order by i.kind) as identities
    from users u where u.tenant_id = ${id ?? null} order by u.id`;
};

test('CSV and JSON Lines give the same accounts: canonical addresses, hashes as they are, proved or not', async () => {
  const csv = file(
    'people.csv',
    `\ufeffEmail,phone,telegram_user_id,username,first_name,last_name,role,password_hash,verified,custom_fields,created_at\r\n` +
      `Ada@EXAMPLE.org,,,ada,Ada,Lovelace,,${BCRYPT},true,"{""grade"": 3, ""note"": ""a, b""}",2020-01-02\r\n` +
      `,901234567,,,"Дил\u02bbноза ""D""",,teacher,"${ARGON2}",no,,2021-03-04T23:00:00+05:00\r\n` +
      `\r\n` +
      `bob@example.org,,777,,,,,"${SCRYPT}",,,\r\n` +
      `carol@example.org,,,,,,,,1,,`,
  );
  const jsonl = file(
    'people.jsonl',
    jsonLines([
      {
        email: 'Ada@EXAMPLE.org',
        username: 'ada',
        first_name: 'Ada',
        last_name: 'Lovelace',
        password_hash: BCRYPT,
        verified: true,
        custom_fields: { grade: 3, note: 'a, b' },
        created_at: '2020-01-02',
      },
      {
        phone: '901234567',
        first_name: 'Дил\u02bbноза "D"',
        role: 'teacher',
        password_hash: ARGON2,
        verified: false,
        created_at: '2021-03-04T23:00:00+05:00',
      },
      { email: 'bob@example.org', telegram_user_id: 777, password_hash: SCRYPT, phone: null },
      { email: 'carol@example.org', verified: true },
    ]),
  );
  for (const [slug, path] of [
    ['csv', csv],
    ['jsonl', jsonl],
  ] as const) {
    await tenant(slug, { default_country: 'UZ' });
    assert.deepEqual(await importInto(slug, path), {
      rows: 4,
      imported: 4,
      refused: 0,
      report: undefined,
      finished: true,
    });
    const rest = { is_active: false, username: null, first_name: null, role: 'user', custom_fields: {} };
    assert.deepEqual(
      (await people(slug)).map((row) => ({ ...row })),
      [
        {
          ...rest,
          username: 'ada',
          first_name: 'Ada',
          password_hash: BCRYPT,
          is_verified: true,
          custom_fields: { grade: 3, note: 'a, b' },
          created: '2020-01-02',
          identities: ['email:ada@example.org'],
        },
        {
          ...rest,
          first_name: 'Дил\u02bbноза "D"',
          role: 'teacher',
          password_hash: ARGON2,
          is_verified: false,
          created: '2021-03-04',
          identities: ['phone:+998901234567?'],
        },
        {
          ...rest,
          password_hash: SCRYPT,
          is_verified: false,
          created: '2026-03-01',
          identities: ['email:bob@example.org?', 'telegram:777?'],
        },
        {
          ...rest,
          password_hash: null,
          is_verified: true,
          created: '2026-03-01',
          identities: ['email:carol@example.org'],
        },
      ],
    );
  }
  const audit = await app.databases.control.sql`
    select subject, data - 'import' as data from audit_events where action = 'users.imported' order by id`;
  assert.deepEqual(
    audit.map((row) => ({ ...row })),
    [
      { subject: 'tenant:csv', data: { file: csv.slice(folder.length + 1), imported: 4, refused: 0 } },
      { subject: 'tenant:jsonl', data: { file: jsonl.slice(folder.length + 1), imported: 4, refused: 0 } },
    ],
  );
});

test('each row that cannot be an account is told with its line, field and reason; the others go in', async () => {
  await tenant('picky');
  await importInto(
    'picky',
    file('before.jsonl', jsonLines([{ email: 'here@example.org', username: 'Here' }])),
  );
  const rows: [object | string, Record<string, RegExp>][] = [
    [{ email: 'good@example.org', username: 'good' }, {}],
    [{ email: 'GOOD@example.org' }, { '/email': /line 1 already/ }],
    [{ email: 'other@example.org', username: 'GOOD' }, { '/username': /line 1 already/ }],
    [{ email: 'Here@example.org' }, { '/email': /here already/ }],
    [{ email: 'there@example.org', username: 'hERE' }, { '/username': /here already/ }],
    [{ email: 'a@b@c' }, { '/email': /not an e-mail/ }],
    [{ email: 'x@example.org\r\nBcc: evil@evil.example' }, { '/email': /not an e-mail/ }],
    [{ phone: '0901234567' }, { '/phone': /country code/ }],
    [{ phone: '+99890123' }, { '/phone': /./ }],
    [{ telegram_user_id: -5 }, { '/telegram_user_id': /positive/ }],
    [{ username: 'nobody' }, { '/': /no email, phone or telegram/ }],
    [
      { email: 'n@example.org', first_name: 'A\nB', last_name: 'x'.repeat(101) },
      { '/first_name': /one line/, '/last_name': /100/ },
    ],
    [{ email: 'p@example.org', password_hash: 'hunter2' }, { '/password_hash': /bcrypt/ }],
    [
      { email: 'p@example.org', password_hash: '5f4dcc3b5aa765d61d8327deb882cf99' },
      { '/password_hash': /bcrypt/ },
    ],
    [
      { email: 'p@example.org', password_hash: BCRYPT.replace('$10$', '$31$') },
      { '/password_hash': /bearable/ },
    ],
    [
      { email: 'p@example.org', password_hash: ARGON2.replace('m=65536', 'm=4194304') },
      { '/password_hash': /bearable/ },
    ],
    [
      { email: 'p@example.org', password_hash: SCRYPT.replace('ln=15', 'ln=30') },
      { '/password_hash': /bearable/ },
    ],
    [{ email: 'v@example.org', verified: 'perhaps' }, { '/verified': /true or false/ }],
    [{ email: 'c@example.org', custom_fields: [1] }, { '/custom_fields': /JSON object/ }],
    [{ email: 'd@example.org', created_at: '31.12.2020' }, { '/created_at': /time of the past/ }],
    [{ email: 'd@example.org', created_at: '2199-01-01' }, { '/created_at': /time of the past/ }],
    [{ email: 'u@example.org', is_admin: true }, { '/is_admin': /not a field/ }],
    ['{"email":"j@example.org"', { '': /not valid JSON/ }],
    ['{"email":"j@example.org","email":"k@example.org"}', { '/email': /more than once/ }],
    ['["j@example.org"]', { '': /not a JSON object/ }],
    [`{"email":"${'x'.repeat(70_000)}"}`, { '': /longer than/ }],
    [{ email: 'last@example.org' }, {}],
  ];
  const path = file(
    'picky.jsonl',
    rows.map(([row]) => `${typeof row === 'string' ? row : JSON.stringify(row)}\n`).join(''),
  );
  const outcome = await importInto('picky', path);
  assert.deepEqual(outcome, {
    rows: 27,
    imported: 2,
    refused: 25,
    report: `${path}.refused.jsonl`,
    finished: true,
  });
  const told = refusals(`${path}.refused.jsonl`);
  for (const [index, [row, expected]] of rows.entries()) {
    const issues = told[index + 1] ?? {};
    assert.deepEqual(Object.keys(issues), Object.keys(expected), JSON.stringify(row).slice(0, 100));
    for (const [field, message] of Object.entries(expected)) assert.match(issues[field] ?? '', message);
  }
  assert.doesNotMatch(readFileSync(`${path}.refused.jsonl`, 'utf8'), /hunter2|\$2b\$10|5f4dcc|example\.org/);
});

test('a market takes its own prefixes only, into its own database', async () => {
  const path = file('uz.csv', 'phone,verified\n+998901234501,true\n+14155552671,true\n901234502,false\n');
  const outcome = await importInto('uz', path);
  assert.deepEqual([outcome.imported, outcome.refused], [2, 1]);
  const { sql } = app.databases.of('uz');
  const rows = await sql`select value, verified_at is not null as verified from identities order by value`;
  assert.deepEqual(
    rows.map((row) => [row['value'], row['verified']]),
    [
      ['+998901234501', true],
      ['+998901234502', false],
    ],
  );
  assert.match(refusals(`${path}.refused.jsonl`)[3]?.['/phone'] ?? '', /prefixes/);
});

test('an imported person signs in to the account that was imported, and is verified by the first proof', async () => {
  await tenant('alumni');
  await importInto(
    'alumni',
    file('a.jsonl', jsonLines([{ email: 'Grace@example.org', first_name: 'Grace', role: 'teacher' }])),
  );
  const signedIn = await app.signIn(
    { email: 'grace@example.org' },
    {},
    { headers: { 'x-tenant': 'alumni' } },
  );
  assert.equal(signedIn.status, 200);
  const { is_new_user: isNew, user } = signedIn.body;
  assert.deepEqual([isNew, user.first_name, user.role, user.is_verified], [false, 'Grace', 'teacher', true]);
});

test('a dry run tells what an import would do, and writes nothing', async () => {
  await tenant('dry');
  const path = file(
    'dry.jsonl',
    jsonLines([{ email: 'a@example.org' }, { email: 'A@example.org' }, { email: 'b@example.org' }]),
  );
  const dry = await importInto('dry', path, { dryRun: true });
  assert.deepEqual([dry.rows, dry.imported, dry.refused], [3, 2, 1]);
  assert.equal((await people('dry')).length, 0);
  const real = await importInto('dry', path);
  assert.deepEqual([real.rows, real.imported, real.refused], [3, 2, 1]);
  assert.deepEqual(refusals(`${path}.dry-run.jsonl`), refusals(`${path}.refused.jsonl`));
});

test('somebody who signs up in the middle of a batch keeps the address; the row is refused, the batch goes in', async () => {
  await tenant('racing');
  const { id } = app.app.tenants.bySlug('racing') ?? {};
  assert.ok(id);
  const other = postgres(app.urls.get('control') ?? '', { max: 1, onnotice: () => {} });
  let release = (): void => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  let written = (): void => {};
  const ready = new Promise<void>((resolve) => {
    written = resolve;
  });
  const user = app.app.newId();
  const signUp = other.begin(async (sql) => {
    await sql`insert into users (tenant_id, id) values (${id}, ${user})`;
    await sql`insert into identities (tenant_id, kind, value, id, user_id, as_entered, created_at)
      values (${id}, 'email', 'raced@example.org', ${app.app.newId()}, ${user}, 'raced@example.org', now())`;
    written();
    await held;
  });
  await ready;
  const path = file(
    'race.jsonl',
    jsonLines([{ email: 'raced@example.org' }, { email: 'calm@example.org' }, { email: 'bad' }]),
  );
  const running = importInto('racing', path);
  await wait(300);
  release();
  await signUp;
  await other.end();
  const outcome = await running;
  assert.deepEqual([outcome.rows, outcome.imported, outcome.refused], [3, 1, 2]);
  assert.deepEqual(Object.keys(refusals(`${path}.refused.jsonl`)), ['1', '3']);
  assert.equal((await people('racing')).length, 2);
});

test('a killed import goes on where its last batch was committed: every row once, every refusal told once', async () => {
  await tenant('killed');
  const many = 30_000;
  const rows = Array.from({ length: many }, (_, index) =>
    index % 100 === 7
      ? { email: `broken ${index}` }
      : { email: `k${index}@example.org`, username: `k${index}` },
  );
  const path = file('many.jsonl', jsonLines(rows));
  const words = ['user', 'import', path, '--tenant', 'killed', '--json'];
  const done = async () => {
    const [row] = await app.databases.control.sql`
      select rows_done::int as rows from user_imports where finished_at is null`;
    return (row?.['rows'] ?? 0) as number;
  };
  const child = spawn(process.execPath, [PROGRAM, ...words], {
    cwd: folder,
    env: { PATH: process.env['PATH'] ?? '', ...env },
    stdio: 'ignore',
  });
  while ((await done()) < 2000 && child.exitCode === null) await wait(5);
  child.kill('SIGKILL');
  await once(child, 'exit');
  const reached = await done();
  assert.ok(reached >= 2000 && reached < many, `killed at ${reached}`);
  assert.equal((await people('killed')).length, reached - Math.round(reached / 100));

  const without = await cli(words);
  assert.equal(without.code, 1);
  assert.match(without.stderr, /stopped after \d+ rows.*--resume/);
  const both = await Promise.all([cli([...words, '--resume']), cli([...words, '--resume'])]);
  const finished = both.filter(({ stdout }) => stdout !== '');
  assert.ok(finished.length >= 1, both[0]?.stderr);
  if (finished.length === 1) {
    // The other one found its mark moved, or nothing left to resume.
    const [loser] = both.filter(({ stdout }) => stdout === '');
    assert.match(loser?.stderr ?? '', /Another import of this file|No import of this file/);
  }
  const outcome = JSON.parse(finished[0]?.stdout ?? '{}') as {
    rows: number;
    imported: number;
    refused: number;
  };
  assert.deepEqual([outcome.rows, outcome.imported, outcome.refused], [many, 29_700, 300]);
  assert.equal((await people('killed')).length, 29_700);
  const again = await cli([...words, '--resume']);
  assert.match(again.stderr, /No import of this file was stopped/);
});

test('an import that is asked to stop finishes its batch, says so, and is resumed with its report intact', async () => {
  await tenant('stopped');
  const rows = Array.from({ length: 1500 }, (_, index) =>
    index % 500 === 3 ? { email: 'bad' } : { email: `s${index}@example.org` },
  );
  const path = file('stop.jsonl', jsonLines(rows));
  const stopped = await importInto('stopped', path, {}, { stopped: () => true });
  assert.deepEqual([stopped.rows, stopped.finished], [500, false]);
  const { sql, now } = app.databases.control;
  const tenantId = app.app.tenants.bySlug('stopped')?.id ?? '';
  const hash = createHash('sha256').update(readFileSync(path)).digest();
  const stale = await findUnfinishedImport(sql, tenantId, hash);
  assert.equal(stale?.rowsDone, 500);
  await importInto('stopped', path, { resume: true }, { stopped: () => true });
  const moved = { ...stale, rowsDone: 1500, finished: true };
  assert.equal(
    await advanceImport(sql, tenantId, stale, moved, now()),
    false,
    'a stale mark may not be moved',
  );
  // What a killed batch wrote and never committed.
  writeFileSync(`${path}.refused.jsonl`, '{"line":1004,"issues":[]}\n', { flag: 'a' });
  const resumed = await importInto('stopped', path, { resume: true });
  assert.deepEqual(
    [resumed.rows, resumed.imported, resumed.refused, resumed.finished],
    [1500, 1497, 3, true],
  );
  assert.deepEqual(readFileSync(`${path}.refused.jsonl`, 'utf8').match(/"line":\d+/g), [
    '"line":4',
    '"line":504',
    '"line":1004',
  ]);
});

test('the program: exit codes, a sentence for people, JSON for programs, and files that cannot be used', async () => {
  await tenant('program');
  const words = (path: string, ...more: string[]) => ['user', 'import', path, '--tenant', 'program', ...more];
  const good = await cli(words(file('good.csv', 'email,verified\na@example.org,true\n')));
  assert.deepEqual([good.code, good.stdout, good.stderr], [0, '1 rows: 1 imported, 0 refused.\n', '']);
  const path = file('half.csv', 'email\nb@example.org\nc@example.org,d\n"e\nf"\n');
  const half = await cli(words(path, '--json'));
  assert.equal(half.code, 1);
  assert.deepEqual(JSON.parse(half.stdout), {
    rows: 3,
    imported: 1,
    refused: 2,
    report: `${path}.refused.jsonl`,
    finished: true,
  });
  assert.deepEqual(Object.keys(refusals(`${path}.refused.jsonl`)), ['3', '5']);

  const refused = async (ran: Promise<Ran>, code: number, message: RegExp) => {
    const { code: found, stderr } = await ran;
    assert.match(stderr, message);
    assert.doesNotMatch(stderr, /\n {4}at /);
    assert.equal(found, code);
  };
  await refused(cli(words(join(folder, 'nowhere.csv'))), 1, /There is no file/);
  await refused(cli(words(file('people.txt', 'x'))), 2, /--format csv or --format jsonl/);
  await refused(
    cli(words(file('column.csv', 'email,shoe size\n'))),
    1,
    /unknown columns: shoe size.*There are: email/,
  );
  await refused(cli(words(file('twice.csv', 'email,Email\n'))), 1, /a column twice/);
  await refused(cli(words(file('empty.csv', ''))), 1, /no header/);
  await refused(cli(words(file('quote.csv', 'email\n"never closed\n'))), 1, /CSV from line/);
  await refused(
    cli(words(file('latin.csv', Buffer.from('email,first_name\na2@example.org,Jos\xe9\n', 'latin1')))),
    1,
    /not UTF-8/,
  );
  await refused(cli(['user', 'import', path, '--tenant', 'nobody']), 1, /no tenant "nobody"/);
  assert.equal(existsSync(`${join(folder, 'nowhere.csv')}.refused.jsonl`), false);
});
