import assert from 'node:assert/strict';
import { test } from 'node:test';
import { banner } from './banner.ts';
import { explainFault } from './explain-fault.ts';
import { createReadableLog } from './log.ts';
import { table, tableToFit } from './table.ts';

test('columns are as wide as their widest cell, and an empty cell is a dash', () => {
  assert.equal(
    table(
      ['slug', 'name'],
      [
        ['us', 'Market US'],
        ['default', ''],
      ],
    ),
    'SLUG     NAME\nus       Market US\ndefault  -\n',
  );
});

test('numbers stand at the right; where the terminal is too narrow each row is told in lines of its own', () => {
  const heading = ['tenant', 'channel', 'sent', 'verified', 'cost'];
  const rows = [
    ['us', 'sms', '1200', '9', '60.00 USD'],
    ['default', '', '3', '', ''],
  ];
  const whole = tableToFit(heading, rows, 3, 80);
  assert.equal(
    whole,
    'TENANT   CHANNEL  SENT  VERIFIED       COST\n' +
      'us       sms      1200         9  60.00 USD\n' +
      'default  -           3         -          -\n',
  );
  assert.equal(tableToFit(heading, rows, 3, 43), whole, 'it fits to the column');
  assert.equal(tableToFit(heading, rows, 3, undefined), whole, 'a file is as wide as it has to be');
  assert.equal(
    tableToFit(heading, rows, 3, 24),
    'us  sms\n  sent 1200  verified 9\n  cost 60.00 USD\n\ndefault\n  sent 3  verified -\n  cost -\n',
  );
});

test('no line of the banner is wider than 100 columns, but for the commands to copy', () => {
  const text = banner({
    url: 'http://localhost:3000',
    database: 'embedded PostgreSQL in ./data',
    apiKey: `fp_sk_${'x'.repeat(43)}`,
    version: '0.1.0',
    milliseconds: 1234,
    warnings: ['tenant default: look here.'],
  });
  const wide = text.split('\n').filter((line) => line.length > 100 && !line.startsWith('  curl '));
  assert.deepEqual(wide, []);
  assert.match(text, /ready in 1\.2 s/);
  assert.match(text, /^ {2}!! tenant default: look here\.$/m);
});

test('the readable log keeps its level, shows causes, and a stack only for an error', () => {
  const lines: string[] = [];
  const log = createReadableLog('warn', (line) => lines.push(line));
  log.info({}, 'not shown');
  log.warn({ event: 'feed_lost', database: 'us', error: new Error('gone: bot123:abc-DEF') }, 'feed lost');
  log.error({ error: new Error('broken') }, 'a request failed');
  assert.match(lines[0] ?? '', /^\d\d:\d\d:\d\d warn {2}feed lost database=us: gone: bot<token>\n$/);
  assert.match(lines[1] ?? '', /error a request failed: broken\n {4}at /);
  assert.equal(lines.length, 2);
});

test('a fault that somebody can mend is one sentence; a file that is missing is no database', () => {
  const refused = Object.assign(new Error('connect ECONNREFUSED'), {
    code: 'ECONNREFUSED',
    syscall: 'connect',
  });
  assert.match(explainFault(refused).message, /^A database cannot be used: nothing listens/);
  const missing = Object.assign(new Error('ENOENT: no such file'), { code: 'ENOENT', syscall: 'open' });
  assert.match(explainFault(missing).message, /ENOENT: no such file\n {4}at /);
  const taken = Object.assign(new Error('listen'), { code: 'EADDRINUSE', port: 3000 });
  assert.match(explainFault(taken).message, /^Port 3000 is taken/);
});
