import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Tenant } from '../tenants/tenants.ts';
import { CliError } from './errors.ts';
import { listSettable, readAssignments } from './tenant-assignments.ts';

const tenant = {
  slug: 'us',
  name: 'Market US',
  locale: 'en',
  hosts: [],
  phonePrefixes: ['+1'],
  settings: { code: { length: 8 }, sessions: { style: 'jwt', idle_seconds: 900 } },
  branding: { logo_url: 'https://cdn.example/logo.png', colours: { primary: '#112233' } },
} as unknown as Tenant;

test('values take the type of their setting, and what is not named stays', () => {
  const { changes, shown } = readAssignments(
    tenant,
    ['sessions.access_ttl_seconds=600', 'channels=sms,email', 'registration=closed', 'name=A = B'],
    [],
  );
  assert.deepEqual(changes, {
    name: 'A = B',
    settings: {
      code: { length: 8 },
      sessions: { style: 'jwt', idle_seconds: 900, access_ttl_seconds: 600 },
      channels: ['sms', 'email'],
      registration: 'closed',
    },
  });
  assert.deepEqual(shown[0], { path: 'sessions.access_ttl_seconds', before: '(default)', after: '600' });
  assert.deepEqual(shown[3], { path: 'name', before: 'Market US', after: 'A = B' });
});

test('an empty value and --unset return to the default, and leave no empty object behind', () => {
  const { changes, shown } = readAssignments(tenant, ['code.length='], ['sessions.idle_seconds']);
  assert.deepEqual(changes.settings, { sessions: { style: 'jwt' } });
  assert.deepEqual(shown[0], { path: 'code.length', before: '8', after: '(default)' });
});

test('branding is set beside the settings, down to single words, and neither touches the other', () => {
  const { changes, shown } = readAssignments(
    tenant,
    [
      'branding.support_address=help@school.example',
      'branding.messages.sign_in_code.en.subject={{code}} opens {{tenant}}',
      'branding.logo_url=',
    ],
    [],
  );
  assert.deepEqual(changes, {
    branding: {
      colours: { primary: '#112233' },
      support_address: 'help@school.example',
      messages: { sign_in_code: { en: { subject: '{{code}} opens {{tenant}}' } } },
    },
  });
  assert.deepEqual(shown[2], {
    path: 'branding.logo_url',
    before: 'https://cdn.example/logo.png',
    after: '(default)',
  });
  assert.deepEqual(readAssignments(tenant, ['code.length=6'], []).changes, {
    settings: { code: { length: 6 }, sessions: { style: 'jwt', idle_seconds: 900 } },
  });
});

test('the tenant that was read is never changed in place', () => {
  const before = structuredClone(tenant.settings);
  readAssignments(tenant, ['code.length=6', 'sessions.style=opaque'], []);
  assert.deepEqual(tenant.settings, before);
});

test('an unknown path is refused with the known ones, a wrong type with the right one', () => {
  const refusal = (word: string): string => {
    try {
      readAssignments(tenant, [word], []);
    } catch (fault) {
      assert.ok(fault instanceof CliError);
      assert.equal(fault.exitCode, 2);
      return fault.message;
    }
    return 'accepted';
  };
  assert.match(refusal('code.size=3'), /no setting "code\.size"[^]*code\.length=<6-10>/);
  assert.match(refusal('codelength=3'), /no setting "codelength"[^]*code\.length=<6-10>/);
  for (const word of ['code.size=3', 'codelength=3', 'nonsense=3'])
    assert.ok(refusal(word).split('\n').length < 12, 'what is wrong stays on the screen');
  assert.match(refusal('nonsense=3'), /tenant set --help/);
  assert.match(refusal('__proto__.polluted=1'), /no setting/);
  assert.match(refusal('constructor=1'), /no setting/);
  assert.match(refusal('code.length=eight'), /code\.length takes <6-10>/);
  assert.match(refusal('code.length'), /no assignment/);
  assert.match(refusal('slug=x'), /no setting "slug"/);
  assert.match(refusal('branding.color=red'), /no setting "branding\.color"[^]*branding\.colours\.primary=/);
  assert.match(refusal('code.lenght='), /no setting "code\.lenght"/, 'to take away what there is not');
});

test('every setting of the schema can be set', () => {
  const paths = listSettable().map((one) => one.path);
  for (const path of ['name', 'channels', 'code.lifetime_seconds', 'sessions.style', 'branding.logo_url']) {
    assert.ok(paths.includes(path), path);
  }
  assert.equal(paths.filter((path) => path.startsWith('branding.messages')).length, 1, 'not one line each');
});
