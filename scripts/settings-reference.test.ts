import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type DocumentedSetting,
  envExampleBreaches,
  settingsTable,
  withSettingsTable,
} from './settings-reference.ts';

const settings: DocumentedSetting[] = [
  { name: 'PORT', section: 'server', description: 'Port | socket.', default: '3000', secret: false },
  { name: 'FIRSTPROOF_SECRET', section: 'security', description: 'Bytes.', default: undefined, secret: true },
];

test('each section is a table; a secret may also come from a file', () => {
  const table = settingsTable(settings);
  assert.match(table, /### Server\n\n.*\n.*\n\| `PORT` \| `3000` \| Port \\\| socket\. \|/);
  assert.match(table, /\| `FIRSTPROOF_SECRET`, `FIRSTPROOF_SECRET_FILE` \|  \| Bytes\. \|/);
});

test('the table is put between its marks, prose around it stays, and writing twice changes nothing', () => {
  const page = withSettingsTable('# Configuration\n\nBefore.\n', settings.slice(0, 1));
  const later = withSettingsTable(`${page}\nAfter.\n`, settings);
  assert.match(later, /^# Configuration\n\nBefore\.\n/);
  assert.match(later, /\nAfter\.\n$/);
  assert.match(later, /FIRSTPROOF_SECRET/);
  assert.equal(withSettingsTable(later, settings), later);
});

test('.env.example names every setting, no other, and no secret value', () => {
  assert.deepEqual(envExampleBreaches('# PORT=3000\nFIRSTPROOF_SECRET=\n', settings), []);
  assert.match(envExampleBreaches('# PORT=3000\n', settings).join(), /FIRSTPROOF_SECRET is missing/);
  assert.match(
    envExampleBreaches('PORT=1\nFIRSTPROOF_SECRET=\nPROT=1', settings).join(),
    /PROT is no setting/,
  );
  assert.match(envExampleBreaches('PORT=1\nFIRSTPROOF_SECRET=abc', settings).join(), /without a value/);
});
