import type { Answer, RequestOptions } from '../create-test-app.ts';
import { solve } from '../solve-challenge.ts';
import { type Attack, type Figure, inParallel, type Target } from './target.ts';

const HOURS = 48;
/** After the first day every tenth minute is hammered, which changes nothing but the time that this takes. */
const minutesBetween = (hour: number): number => (hour < 24 ? 1 : 10);
/** When the owner comes back with a new code: after the first hour, that day, and the next. */
const RETURNS = [1, 8, 24, 32, 48];
const HOME = '198.51.100.20';

interface Owner {
  email: string;
  deviceToken: string;
  refreshToken: string;
}

/** Somebody who wants a person never to sign in again. */
export const lockOut: Attack = {
  name: 'lock-out',
  story: `four accounts hammered for ${HOURS} hours, each request from a new address; owners come back after ${RETURNS.join(', ')}`,
  async run(target) {
    const owners = await inParallel(['device', 'network', 'password', 'away'], 1, (name) =>
      newOwner(target, name),
    );
    const [device, network, password, away] = owners as [Owner, Owner, Owner, Owner];
    const tries = { device: 0, network: 0 };
    const awayRefused: number[] = [];
    let passwordRefused = 0;
    let refreshRefused = 0;
    for (let hour = 0; hour < HOURS; hour++) {
      for (let minute = 0; minute < 60; minute += minutesBetween(hour)) {
        await Promise.all(owners.map(({ email }) => hammer(target, email)));
        // In the midst of the hour: what strangers have used up comes back with the next one.
        if (minute === 30 && !(await signsInByPassword(target, password))) passwordRefused++;
        target.clock.advance(60 * minutesBetween(hour));
      }
      if (RETURNS.includes(hour + 1)) {
        const byDevice = await triesToSignIn(target, device, { deviceToken: device.deviceToken });
        const byNetwork = await triesToSignIn(target, network, { from: HOME });
        tries.device = Math.max(tries.device, byDevice);
        tries.network = Math.max(tries.network, byNetwork);
        if ((await triesToSignIn(target, away, {})) > 2) awayRefused.push(hour + 1);
      }
      const refreshed = await target.ask('/api/v1/auth/refresh', { refresh_token: password.refreshToken });
      if (refreshed.status !== 200) refreshRefused++;
      else password.refreshToken = refreshed.body.refresh_token as string;
    }
    const attack = 'locking out';
    const figures: Figure[] = [
      {
        attack,
        figure: 'tries of the owner on a known device, the worst of five returns',
        reached: tries.device,
        most: 2,
      },
      {
        attack,
        figure: 'tries of the owner in a known network, the worst of five returns',
        reached: tries.network,
        most: 2,
      },
      {
        attack,
        figure: `hours of ${HOURS} in which the password was refused`,
        reached: passwordRefused,
        most: 0,
      },
      {
        attack,
        figure: `hours of ${HOURS} in which the session could not be refreshed`,
        reached: refreshRefused,
        most: 0,
      },
      {
        attack,
        figure: `hours of ${RETURNS.join(', ')} at which a new device in a new network was refused`,
        reached: awayRefused.length === 0 ? 'none' : awayRefused.join(', '),
      },
    ];
    return figures;
  },
};

async function newOwner(target: Target, name: string): Promise<Owner> {
  const email = `owner-by-${name}@example.com`;
  await target.ask('/api/v1/auth/register', { email, password: 'violet-Harbour-42' }, { from: HOME });
  const code = await target.code(email);
  const { body } = await target.ask('/api/v1/auth/verify-code', { email, code }, { from: HOME });
  return { email, deviceToken: body.session.device_token, refreshToken: body.refresh_token };
}

async function signsInByPassword(target: Target, { email, deviceToken }: Owner): Promise<boolean> {
  const { status } = await target.ask(
    '/api/v1/auth/login',
    { email, password: 'violet-Harbour-42' },
    { headers: { 'x-device-token': deviceToken } },
  );
  return status === 200;
}

async function hammer(target: Target, email: string): Promise<void> {
  await target.ask('/api/v1/auth/send-verification', { email });
  await target.ask('/api/v1/auth/verify-code', { email, code: '100000' });
  await target.ask('/api/v1/auth/login', { email, password: 'amber-Lantern-77' });
}

/** Asks for a code and types it, again after a minute where that is refused; 9 where eight tries were not enough. */
async function triesToSignIn(
  target: Target,
  { email }: Owner,
  { deviceToken, from = target.newCaller() }: { deviceToken?: string; from?: string },
): Promise<number> {
  const options = { from, ...(deviceToken ? { headers: { 'x-device-token': deviceToken } } : {}) };
  for (let attempt = 1; attempt <= 8; attempt++) {
    const before = await target.newestMessage(email);
    const sent = await sendAsPagesDo(target, email, options);
    if (sent.status === 200) {
      const code = await target.code(email, { after: before });
      const { status } = await target.ask(
        '/api/v1/auth/verify-code',
        { verification_id: sent.body.verification_id, code },
        options,
      );
      if (status === 200) return attempt;
    }
    target.clock.advance(61);
  }
  return 9;
}

/** Asks for a code; a challenge that is put is solved unseen, as the hosted pages and the client do. */
async function sendAsPagesDo(target: Target, email: string, options: RequestOptions): Promise<Answer> {
  const path = '/api/v1/auth/send-verification';
  const sent = await target.ask(path, { email }, options);
  if (sent.body.error !== 'PROOF_OF_WORK_REQUIRED') return sent;
  const headers = { ...options.headers, 'x-challenge-solution': await solve(sent.body.challenge) };
  return target.ask(path, { email }, { ...options, headers });
}
