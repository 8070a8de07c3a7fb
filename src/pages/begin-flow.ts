import type { FastifyReply } from 'fastify';
import { parseEmail } from '../kernel/email.ts';
import type { ErrorDetails } from '../kernel/errors.ts';
import { maskAddress } from '../signin/address.ts';
import type { VerificationSent } from '../signin/send-verification.ts';
import { type Flow, flowsOf, keepFlow, type NamedFlow } from './flow.ts';
import { goTo, pathTo, type Visit } from './visit.ts';

export interface Begun {
  purpose: Flow['purpose'];
  address: { phone?: string; email?: string; telegram_user_id?: string };
  returnTo: string | undefined;
}

/** A code for an address of the account itself, so that a change may be made. */
interface BegunProof {
  purpose: 'step_up';
  kind: Flow['kind'];
  value: string;
  proving: string;
  returnTo: undefined;
}

/** A code is on its way: keeps what the next page needs and goes there. */
export function beginFlow(
  visit: Visit,
  sent: VerificationSent,
  begun: (Begun & { isReplacement?: boolean }) | BegunProof,
): FastifyReply {
  const { kind, value } = 'address' in begun ? identityOf(begun.address) : begun;
  const now = visit.context.clock.now().getTime();
  const flow: Flow = {
    purpose: begun.purpose,
    // A send by a page always answers with a handle; without one no code would fit, and the page says so.
    handle: sent.verificationId ?? '',
    tenant: sent.tenant.slug,
    channel: sent.channel,
    destination: sent.destination,
    kind,
    value,
    codeLength: sent.codeLength,
    expiresAt: now + sent.expiresIn * 1000,
    resendAt: now + sent.resendIn * 1000,
    attemptsLeft: sent.attemptsLeft,
    ...('proving' in begun ? { proving: begun.proving } : {}),
    ...('isReplacement' in begun && begun.isReplacement ? { isReplacement: true } : {}),
    ...(begun.returnTo === undefined ? {} : { returnTo: begun.returnTo }),
  };
  return toVerify(visit, keepFlow(visit, flow));
}

/**
 * A password sign-in met an address that waits for its proof, and its code is on its way: the next page takes it.
 * Undefined: what came back leads to no code.
 */
export function beginWaiting(visit: Visit, begun: Begun, details: ErrorDetails): FastifyReply | undefined {
  const { kind, value } = identityOf(begun.address);
  const handle = details.verification_id;
  if (handle === undefined || value === '') return undefined;
  const { site, context, clues } = visit;
  const now = context.clock.now().getTime();
  const named = {
    header: clues.tenantHeader,
    host: clues.host,
    ...(kind === 'phone' ? { phone: value } : {}),
  };
  const tenant = context.signIn.tenants.resolve(named) ?? site.tenant;
  const flow: Flow = {
    purpose: 'register',
    handle,
    tenant: tenant.slug,
    channel: kind === 'phone' ? 'sms' : kind,
    destination: maskAddress({ kind, value }),
    kind,
    value,
    codeLength: tenant.policy.codeLength('register'),
    expiresAt: now + (details.expires_in ?? 0) * 1000,
    resendAt: now + (details.resend_in ?? 0) * 1000,
    attemptsLeft: 5,
    problem: { name: 'notVerified' },
    ...(begun.returnTo === undefined ? {} : { returnTo: begun.returnTo }),
  };
  return toVerify(visit, keepFlow(visit, flow));
}

export function toVerify(visit: Visit, id: string): FastifyReply {
  return goTo(visit, pathTo(visit, '/verify', { flow: id }));
}

/** A code that this browser asked for a moment ago, for the same address and purpose: its page is where to go. */
export function findBegun(visit: Visit, begun: Pick<Begun, 'purpose' | 'address'>): NamedFlow | undefined {
  const { kind, value } = identityOf(begun.address);
  return flowsOf(visit).find(
    ({ flow }) =>
      flow.purpose === begun.purpose &&
      flow.kind === kind &&
      flow.value === value &&
      flow.expiresAt > visit.context.clock.now().getTime(),
  );
}

/** A code that this browser asked for, for the change that waits under this name. */
export function flowOfProving(visit: Visit, proving: string): NamedFlow | undefined {
  const now = visit.context.clock.now().getTime();
  return flowsOf(visit).find(({ flow }) => flow.proving === proving && flow.expiresAt > now);
}

function identityOf(address: Begun['address']): Pick<Flow, 'kind' | 'value'> {
  if (address.phone !== undefined) return { kind: 'phone', value: address.phone };
  if (address.email !== undefined) {
    const parsed = parseEmail(address.email);
    return { kind: 'email', value: parsed.ok ? parsed.email : address.email };
  }
  return { kind: 'telegram', value: address.telegram_user_id ?? '' };
}
