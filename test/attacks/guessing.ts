import type { Answer } from '../create-test-app.ts';
import { solve } from '../solve-challenge.ts';
import { type Attack, type Figure, mostWithin, type Target } from './target.ts';

const MINUTE = 60;
const DAYS = 8;
const EVERY_MINUTES = 30;
const GUESSES_A_ROUND = 12;

/** A victim by all the writings of one address, and the ways by which a code is sent to it. */
interface Victim {
  name: string;
  writings: readonly object[];
  channels: readonly (string | undefined)[];
  /** Does the attacker solve the challenges that are put? */
  pays: boolean;
}

const victims: readonly Victim[] = [
  {
    name: 'an e-mail address',
    writings: [
      { email: 'victim@example.com' },
      { email: 'Victim@Example.COM' },
      { email: ' victim@example.com' },
    ],
    channels: [undefined, 'email'],
    pays: false,
  },
  {
    name: 'an e-mail address, with work',
    writings: [{ email: 'wanted@example.com' }, { email: 'Wanted@Example.COM' }],
    channels: [undefined, 'email'],
    pays: true,
  },
  {
    name: 'a phone number',
    writings: [{ phone: '+14155550123' }, { phone: '+1 (415) 555-0123' }, { phone: '+1-415-555-0123' }],
    channels: [undefined, 'sms', 'voice', 'telegram'],
    pays: false,
  },
];

/** Every call that makes the server send a code to an address, in both dialects. */
const ways: readonly { path: string; more?: object; byChannel?: boolean }[] = [
  { path: '/api/v1/auth/send-verification', byChannel: true },
  { path: '/api/v1/auth/resend-otp', byChannel: true },
  { path: '/api/v1/auth/forgot-password' },
  { path: '/api/v1/auth/register', more: { password: 'amber-Lantern-77' } },
  { path: '/api/v1/auth/login', more: { password: 'amber-Lantern-77' } },
  { path: '/api/auth/resend-otp' },
  { path: '/api/auth/forgot-password' },
];

/** For eight days: every way to have codes sent, every handle and the address itself guessed at, never from one address twice. */
export const guessing: Attack = {
  name: 'guessing',
  story:
    'one victim, eight days, new codes by every call, channel and spelling, each request from a new address',
  async run(target) {
    const figures: Figure[] = [];
    for (const victim of victims) figures.push(...(await guessAt(target, victim)));
    return figures;
  },
};

async function guessAt(target: Target, victim: Victim): Promise<Figure[]> {
  const compared: number[] = [];
  const handles = new Set<string>();
  let requests = 0;
  let solved = 0;
  let guess = 0;
  const began = target.clock.now().getTime();
  for (let round = 0; round < (DAYS * 1440) / EVERY_MINUTES; round++) {
    const sent = await Promise.all(
      ways.map(({ path, more, byChannel }, index) => {
        const writing = victim.writings[(round + index) % victim.writings.length];
        const channel = byChannel ? victim.channels[round % victim.channels.length] : undefined;
        return target.ask(path, { ...writing, ...more, ...(channel ? { channel } : {}) });
      }),
    );
    if (victim.pays && sent[0]?.body.error === 'PROOF_OF_WORK_REQUIRED') {
      solved++;
      sent.push(await sendPaid(target, victim));
    }
    for (const { body } of sent) {
      const handle = body?.verification_id ?? body?.data?.verification_id;
      if (typeof handle === 'string') handles.add(handle);
    }
    const newest = [...handles].slice(-4);
    const tried = await Promise.all(
      Array.from({ length: GUESSES_A_ROUND }, (_, number) => {
        const handle = newest[number % (newest.length + 1)];
        const address = victim.writings[number % victim.writings.length];
        const path = number % 3 === 2 ? '/api/auth/verify-otp' : '/api/v1/auth/verify-code';
        const code = String(100_000 + (guess++ % 900_000));
        return target.ask(path, { ...(handle === undefined ? address : { verification_id: handle }), code });
      }),
    );
    requests += sent.length + tried.length;
    const now = target.clock.now().getTime();
    for (const { body } of tried) if (body.error === 'INVALID_CODE') compared.push(now);
    target.clock.advance(EVERY_MINUTES * MINUTE);
  }
  const last = compared.at(-1);
  const attack = `guessing at ${victim.name}`;
  return [
    { attack, figure: 'requests made', reached: requests },
    { attack, figure: 'guesses compared in the worst hour', reached: mostWithin(compared, 3600), most: 10 },
    { attack, figure: 'guesses compared in the worst day', reached: mostWithin(compared, 86_400), most: 20 },
    ...(victim.pays ? [{ attack, figure: 'challenges solved', reached: solved }] : []),
    { attack, figure: `guesses compared in ${DAYS} days`, reached: compared.length, most: mostOf(victim) },
    { attack, figure: 'of them toward the hundred that close it', ...(await closingOf(target, victim)) },
    {
      attack,
      figure: 'hours until the last of them',
      reached: last === undefined ? 'none' : Math.round((last - began) / 3_600_000),
    },
  ];
}

/** Twenty free ones, with what was on its way when they were used up; and the hundred, for who pays. */
const mostOf = ({ pays }: Victim): number => (pays ? 129 : 29);

/** Nobody closes an address for nothing. */
async function closingOf(target: Target, victim: Victim): Promise<{ reached: number; most: number }> {
  const [{ email, phone } = {}] = victim.writings as { email?: string; phone?: string }[];
  const databases = [target.databases.control, target.databases.of('us')];
  const rows = await Promise.all(
    databases.map(
      ({ sql }) => sql<{ closing: number }[]>`
        select failures_in_a_row as closing from address_budgets where value = ${email ?? phone ?? ''}`,
    ),
  );
  const reached = Math.max(0, ...rows.flat().map(({ closing }) => closing));
  return { reached, most: victim.pays ? 100 : 0 };
}

/** The same as anybody's send, once the puzzle of a fresh address is solved. */
async function sendPaid(target: Target, victim: Victim): Promise<Answer> {
  const from = target.newCaller();
  const { body } = await target.get('/api/v1/auth/challenge', { from });
  const headers = { 'x-challenge-solution': await solve(body.challenge) };
  return target.ask('/api/v1/auth/send-verification', victim.writings[0] ?? {}, { from, headers });
}
