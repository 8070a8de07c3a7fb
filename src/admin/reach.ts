import { Type } from 'typebox';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Actor } from '../accounts/accounts.ts';
import { refuse, refuseField } from '../kernel/errors.ts';
import { isUuid } from '../kernel/id.ts';
import type { Tenant } from '../tenants/tenants.ts';
import { sendRefusal } from '../web/server.ts';
import type { AdminContext } from './admin.ts';

/** Whose accounts are meant, and which part of a list: the query of every list here. */
export const tenantQuery = {
  tenant: Type.Optional(
    Type.String({ maxLength: 63, description: 'Whose. Left out: of the X-Tenant header, or of the key.' }),
  ),
};
export const pageQuery = {
  limit: Type.Optional(
    Type.String({
      pattern: '^([1-9]|[1-9]\\d|1\\d\\d|200)$',
      description: 'Up to 200; 50 unless told otherwise.',
    }),
  ),
  before: Type.Optional(
    Type.String({ maxLength: 36, description: 'The next_before of the page before this one.' }),
  ),
};
export const nextBefore = Type.Union([Type.String(), Type.Null()], {
  description: 'For the next page; null: this was the last.',
});

/** The tenant that a request names and its key reaches, and who asks; otherwise the refusal is sent. */
export async function reachTenant(
  context: AdminContext,
  request: FastifyRequest<{ Querystring: { tenant?: string } }>,
  reply: FastifyReply,
): Promise<{ tenant: Tenant; by: Actor } | undefined> {
  const authorised = await context.authorise(request);
  if (!authorised.ok) {
    sendRefusal(reply, authorised);
    return undefined;
  }
  const { apiKey } = authorised;
  const named = request.query.tenant ?? (request.headers['x-tenant'] as string | undefined);
  const tenant =
    named === undefined
      ? apiKey.tenantId === null
        ? undefined
        : context.tenants.byId(apiKey.tenantId)
      : context.tenants.bySlug(named);
  if (named === undefined && !tenant) {
    sendRefusal(reply, refuseField('/tenant', 'is required: this key reaches every tenant'));
    return undefined;
  }
  // A key of one tenant never learns which others there are.
  if (!tenant || (apiKey.tenantId !== null && apiKey.tenantId !== tenant.id)) {
    sendRefusal(reply, refuse('TENANT_NOT_FOUND'));
    return undefined;
  }
  return { tenant, by: { actor: `api_key:${apiKey.id}`, caller: context.callerOf(request) } };
}

/** A page's beginning as the request names it; false after a refusal was sent. */
export function readBefore(
  reply: FastifyReply,
  before: string | undefined,
  isPlace: (text: string) => boolean = isUuid,
): boolean {
  if (before === undefined || isPlace(before)) return true;
  sendRefusal(reply, refuseField('/before', 'is no next_before of a page'));
  return false;
}

/** How many entries a page has. */
export function limitOf(query: { limit?: string }): number {
  return Number(query.limit ?? 50);
}

/** What to ask for next; null after the last page. */
export function nextOf(rows: readonly { id: string }[], limit: number): string | null {
  return rows.length < limit ? null : (rows.at(-1)?.id ?? null);
}
