import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createTestApp, type TestApp } from '../create-test-app.ts';
import {
  difference,
  setErrorDetail,
  type State,
  states,
  WRONG_PASSWORD as password,
  writePeople,
} from './people.ts';
import { createVisitor, type Got, type Visitor } from './visitor.ts';

let app: TestApp;
before(async () => {
  app = await createTestApp({ env: { FIRSTPROOF_BUDGETS: 'relaxed' } });
});
after(() => app.close());

/** One who asks about an address on the pages, and what they have shown so far. */
interface Asker {
  email: string;
  visitor: Visitor;
  /** The page that a form has led to. */
  flow: string;
  pages: Got[];
}
type Step = (asker: Asker) => Promise<void>;

const open =
  (path: string): Step =>
  async ({ visitor, pages }) => {
    pages.push(await visitor.get(path));
  };

/** Sends a form and follows where it leads, as a browser does. */
const send =
  (path: string, form: Record<string, string> = {}): Step =>
  async (asker) => {
    const { email, visitor, pages } = asker;
    const fields = path.startsWith('/verify') ? { flow: asker.flow } : { with: 'email', email };
    const answer = await visitor.post(path, { ...fields, ...form });
    pages.push(answer);
    const to = answer.headers.get('location');
    if (to === null) return;
    asker.flow = new URL(to, app.url).searchParams.get('flow') ?? asker.flow;
    pages.push(await visitor.get(to));
  };

/** What a stranger does next on the page that asks for the code. */
const follow = (again: Step): (Step | number)[] => [
  send('/verify', { code: '000000' }),
  send('/verify/resend'),
  again,
  61,
  send('/verify/resend'),
  send('/verify', { code: '000000' }),
];

const byCode = send('/sign-in');
const byPassword = send('/sign-in', { by: 'password', password });
const signUp = send('/sign-up', { password, first_name: 'Nora' });
const signUpPlainly = send('/sign-up');
const forgot = send('/forgot');

/** Every page where an address is typed, each with what may follow; numbers are seconds that pass. */
const WAYS: Readonly<Record<string, readonly (Step | number)[]>> = {
  'sign-in by a code': [open('/sign-in?with=email'), byCode, ...follow(byCode)],
  'sign-in by a password': [
    open('/sign-in?with=email&by=password'),
    byPassword,
    byPassword,
    open('/verify'),
    61,
    byPassword,
  ],
  'sign-up': [open('/sign-up?with=email'), signUp, ...follow(signUp)],
  'sign-up without a password': [open('/sign-up?with=email'), signUpPlainly, ...follow(signUpPlainly)],
  'forgotten password': [open('/forgot?with=email'), forgot, ...follow(forgot)],
  'one after the other': [open('/sign-in?with=email'), byPassword, signUp, forgot, byCode],
};

/** Explicit tenants tell how a code really travels, which takes as long as it takes. */
let travelsOpenly = false;

/** What a stranger sees of a page; random parts and the address itself stand for themselves. */
function visible({ status, headers, text }: Got, email: string): string {
  const shown = [...headers].flatMap(([name, value]) => {
    if (name === 'date' || (travelsOpenly && name === 'content-length')) return [];
    const told = value
      .replaceAll(/(firstproof-\w+-)?[\w-]{8}=[\w-]{60,}/g, (cookie) => `<cookie of ${cookie.length}>`)
      .replaceAll(/flow=[\w-]{8}/g, '<flow>')
      .replaceAll(/form=[\w-]+/g, '<form>');
    return [`${name}: ${told}`];
  });
  const page = text
    .replaceAll(email, '<address>')
    .replaceAll(/name="form_token" value="[^"]+"/g, '<token>')
    .replaceAll(/name="flow" value="[\w-]{8}"/g, '<flow>')
    .replaceAll(/flow=[\w-]{8}/g, '<flow>')
    .replaceAll(/(nonce|salt|signature|challenge|caller)&quot;:&quot;[^&]+&quot;/g, '$1:<random>');
  return JSON.stringify({ status, shown, page: travelsOpenly ? withoutTravel(page) : page });
}

function withoutTravel(page: string): string {
  return page.replaceAll(/<(\w+)[^>]* data-travel[^]*?<\/\1>/g, '<travel>');
}

let counter = 0;
async function askAll(way: readonly (Step | number)[]): Promise<Map<State, Asker>> {
  counter++;
  const askers = new Map<State, Asker>();
  for (const [index, state] of states.entries()) {
    // Names of one length, so that masked addresses look alike.
    const email = `v${String(counter).padStart(3, '0')}${index}@example.net`;
    await writePeople(app, state, [email]);
    const visitor = createVisitor(app, `198.51.${100 + counter}.${index + 1}`);
    askers.set(state, { email, visitor, flow: '', pages: [] });
  }
  for (const step of way) {
    if (typeof step === 'number') app.clock.advance(step);
    else await Promise.all([...askers.values()].map(step));
  }
  app.clock.advance(61);
  return askers;
}

/** What of these pages tells one state of an address from another. */
async function findTelling(): Promise<string[]> {
  const told: string[] = [];
  for (const [name, way] of Object.entries(WAYS)) {
    const askers = await askAll(way);
    const nobody = askers.get('nobody');
    assert.ok(nobody);
    assert.ok(nobody.pages.length > way.length - 2, name);
    assert.ok(
      nobody.pages.every(({ status }) => status < 500 && status !== 403),
      `${name}: ${nobody.pages.map(({ status }) => status).join(' ')}`,
    );
    for (const [state, asker] of askers) {
      for (const [step, page] of asker.pages.entries()) {
        const other = nobody.pages[step];
        const expected = other ? visible(other, nobody.email) : 'nothing';
        const seen = visible(page, asker.email);
        if (seen !== expected) {
          told.push(`${name}, page ${step}, ${state}: ${difference(seen, expected)}`);
        }
      }
      if (asker.pages.length !== nobody.pages.length) told.push(`${name}, ${state}: more pages, or fewer`);
    }
  }
  return told;
}

for (const detail of ['uniform', 'after_proof'] as const) {
  test(`S22 ${detail}: whatever a stranger types on the pages, in any order, they look alike for every address`, async () => {
    await setErrorDetail(app, detail);
    assert.deepEqual(await findTelling(), []);
  });
}

test('S22 explicit: the pages name the case where it helps, and nowhere else', async () => {
  await setErrorDetail(app, 'explicit');
  const last = async (form: Step, path: string): Promise<Record<string, string>> => {
    const askers = await askAll([open(path), form]);
    return Object.fromEntries(
      [...askers].map(([state, { pages }]) => {
        const { text = '' } = pages.at(-1) ?? {};
        const [, said = text.includes('name="code"') ? 'asks for the code' : text] =
          /role="alert"[^>]*><p>([^<]+)/.exec(text) ?? [];
        return [state, said];
      }),
    );
  };
  const everybody = Object.fromEntries(states.map((state) => [state, 'asks for the code']));
  const taken = 'There is an account with this address already. Sign in instead.';
  const unknown = 'No account has this address. Check it, or create an account.';
  const closed = 'This account has been closed by an administrator.';
  const wrong = 'These sign-in details are not right.';
  const waits = 'This address is not proved yet. Enter the code that we have sent to it.';
  assert.deepEqual(
    {
      code: await last(byCode, '/sign-in?with=email'),
      signUp: await last(signUp, '/sign-up?with=email'),
      password: await last(byPassword, '/sign-in?with=email&by=password'),
      forgot: await last(forgot, '/forgot?with=email'),
    },
    {
      code: everybody,
      signUp: { ...everybody, known: taken, closed: taken },
      password: { known: wrong, closed: wrong, imported: waits, waiting: waits, nobody: unknown },
      forgot: { ...everybody, closed, waiting: unknown, nobody: unknown },
    },
  );
});

test('S22 explicit, past its budget: the pages tell nothing any more', async () => {
  const usual = app;
  travelsOpenly = true;
  app = await createTestApp({
    env: { FIRSTPROOF_BUDGETS: 'relaxed', FIRSTPROOF_EXPLICIT_ANSWERS_PER_CALLER_PER_HOUR: '0' },
  });
  try {
    assert.deepEqual(await findTelling(), []);
  } finally {
    await app.close();
    app = usual;
    travelsOpenly = false;
  }
});
