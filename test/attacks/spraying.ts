import { type Attack, type Figure, inParallel, type Target, tally, wordOf } from './target.ts';

const VICTIMS = 400;
const PASSWORD = 'violet-Harbour-42';

/** Many victims, few tries at each: the budgets of addresses do not see it, those of callers must. */
export const spraying: Attack = {
  name: 'spraying',
  story: `${VICTIMS} victims, one try at each, from one address and from one IPv6 network`,
  async run(target) {
    return [
      ...(await sprayCodes(target, 'one address', () => '203.0.113.5', 'a')),
      ...(await sprayCodes(target, 'an IPv6 /64', (index) => `2001:db8:5:5::${index.toString(16)}`, 'b')),
      ...(await sprayPasswords(target)),
    ];
  },
};

async function sprayCodes(
  target: Target,
  who: string,
  from: (index: number) => string,
  prefix: string,
): Promise<Figure[]> {
  const emails = Array.from({ length: VICTIMS }, (_, index) => `spray-${prefix}${index}@example.com`);
  const answers = await inParallel(emails, 8, async (email, index) => {
    const sent = await target.ask('/api/v1/auth/send-verification', { email }, { from: from(index) });
    const tried = await target.ask(
      '/api/v1/auth/verify-code',
      { email, code: '123456' },
      { from: from(index) },
    );
    return { sent: wordOf(sent), tried: wordOf(tried) };
  });
  const sends = tally(answers.map(({ sent }) => sent))['sent'] ?? 0;
  const compared = tally(answers.map(({ tried }) => tried))['INVALID_CODE'] ?? 0;
  const attack = `spraying codes from ${who}`;
  target.clock.advance(7200);
  return [
    { attack, figure: 'codes sent in an hour', reached: sends, most: 30 },
    { attack, figure: 'guesses compared in an hour', reached: compared, most: 30 },
  ];
}

/** One common password at many accounts. */
async function sprayPasswords(target: Target): Promise<Figure[]> {
  const { sql } = target.databases.control;
  const emails = Array.from({ length: VICTIMS }, (_, index) => `sprayed-${index}@example.com`);
  const [first] = emails;
  await target.ask('/api/v1/auth/register', { email: first, password: PASSWORD });
  await target.ask('/api/v1/auth/verify-code', { email: first, code: await target.code(first as string) });
  // The others are copies of the first, as 400 sign-ups would have left them.
  await sql`
    insert into users (tenant_id, id, password_hash, is_verified, is_disabled, created_at, updated_at)
    select tenant_id, ('00000000-0000-7000-8000-' || lpad(to_hex(number), 12, '0'))::uuid, password_hash, true, false,
      created_at, updated_at
    from users, generate_series(1, ${VICTIMS - 1}::int) as number
    where id = (select user_id from identities where value = ${first as string})`;
  await sql`
    insert into identities (tenant_id, kind, value, id, user_id, as_entered, verified_at, created_at)
    select tenant_id, 'email', 'sprayed-' || number || '@example.com',
      ('00000000-0000-7000-9000-' || lpad(to_hex(number), 12, '0'))::uuid,
      ('00000000-0000-7000-8000-' || lpad(to_hex(number), 12, '0'))::uuid,
      'sprayed-' || number || '@example.com', verified_at, created_at
    from identities, generate_series(1, ${VICTIMS - 1}::int) as number
    where value = ${first as string}`;
  const answers = await inParallel(emails, 4, (email) =>
    target.ask('/api/v1/auth/login', { email, password: 'Password-2026' }, { from: '203.0.113.6' }),
  );
  const compared = tally(answers.map(wordOf))['INVALID_CREDENTIALS'] ?? 0;
  return [
    {
      attack: 'spraying passwords from one address',
      figure: 'passwords compared in an hour',
      reached: compared,
      most: 100,
    },
  ];
}
