import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { Ran } from './run-cli.ts';
import { createImportApp, jsonLines, refusals } from './import-app.ts';

const { app, folder, cli, close, file, importInto, tenant, people } = await createImportApp();
after(close);

const BCRYPT = `$2b$10$${'a'.repeat(53)}`;
const ARGON2 = '$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHRzb21lc2FsdA$aGFzaGhhc2hoYXNoaGFzaGhhc2hoYXNo';
const SCRYPT = '$scrypt$ln=15,r=8,p=1$c29tZXNhbHRzb21lc2FsdA$aGFzaGhhc2hoYXNoaGFzaGhhc2hoYXNo';

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
