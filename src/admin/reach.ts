import { Type } from 'typebox';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { DirectoryRow } from '../accounts/accounts.ts';
import type { Caller } from '../audit/audit.ts';
import { type Refused, refuse, refuseField } from '../kernel/errors.ts';
import { isUuid } from '../kernel/id.ts';
import type { KnownApiKey, Tenant } from '../tenants/tenants.ts';
import { textOf } from '../web/schema-issues.ts';
import { apiKey, closed } from '../web/schemas.ts';
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
      ...textOf('^([1-9]|[1-9]\\d|1\\d\\d|200)$', 'must be a number from 1 to 200'),
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

/** What every call here has in common, as its schema says it; what is about one tenant, what about one account. */
export const ofAdmin = { tags: ['admin'], security: apiKey };
export const ofTenant = { ...ofAdmin, params: Type.Object({ slug: Type.String({ maxLength: 63 }) }) };
export const ofUser = {
  ...ofAdmin,
  params: Type.Object({ id: Type.String({ maxLength: 36 }) }),
  querystring: Type.Object(tenantQuery, closed),
};

/** Does a key act for this tenant? One of a single tenant never learns which others there are. */
export function reaches(key: KnownApiKey, tenant: Tenant): boolean {
  return key.tenantId === null || key.tenantId === tenant.id;
}

/** Who changes something, for the audit. */
export function actorOf(context: AdminContext, key: KnownApiKey, request: FastifyRequest): Reached['by'] {
  return { actor: `api_key:${key.id}`, caller: context.callerOf(request) };
}

export interface Reached {
  tenant: Tenant;
  by: { actor: string; caller: Caller };
}

/** The tenant in the path, where the request's key reaches it, and who asks; otherwise the refusal is sent. */
export async function reachTenantBySlug(
  context: AdminContext,
  request: FastifyRequest<{ Params: { slug: string } }>,
  reply: FastifyReply,
): Promise<Reached | undefined> {
  const authorised = await context.authorise(request);
  if (!authorised.ok) return refused(reply, authorised);
  return reach(context, authorised.apiKey, request, reply, request.params.slug);
}

/** The same for the tenant in the query or the header; left out, it is the key's own. */
export async function reachTenant(
  context: AdminContext,
  request: FastifyRequest<{ Querystring: { tenant?: string } }>,
  reply: FastifyReply,
): Promise<Reached | undefined> {
  const authorised = await context.authorise(request);
  if (!authorised.ok) return refused(reply, authorised);
  const { apiKey: key } = authorised;
  const named = request.query.tenant ?? (request.headers['x-tenant'] as string | undefined);
  if (named !== undefined) return reach(context, key, request, reply, named);
  const tenant = key.tenantId === null ? undefined : context.tenants.byId(key.tenantId);
  if (!tenant) return refused(reply, refuseField('/tenant', 'is required: this key reaches every tenant'));
  return { tenant, by: actorOf(context, key, request) };
}

function reach(
  context: AdminContext,
  key: KnownApiKey,
  request: FastifyRequest,
  reply: FastifyReply,
  slug: string,
): Reached | undefined {
  const tenant = context.tenants.bySlug(slug);
  if (!tenant || !reaches(key, tenant)) return refused(reply, refuse('TENANT_NOT_FOUND'));
  return { tenant, by: actorOf(context, key, request) };
}

/** The account in the path and its tenant, where the request's key reaches it; otherwise the refusal is sent. */
export async function reachUser(
  context: AdminContext,
  request: FastifyRequest<{ Querystring: { tenant?: string }; Params: { id: string } }>,
  reply: FastifyReply,
): Promise<(Reached & { user: DirectoryRow }) | undefined> {
  const reached = await reachTenant(context, request, reply);
  if (!reached) return undefined;
  const { id } = request.params;
  const user = isUuid(id) ? await context.accounts.find(reached.tenant, id) : undefined;
  return user
    ? { ...reached, user }
    : refused(reply, refuse('NOT_FOUND', {}, 'This tenant has no such account.'));
}

function refused(reply: FastifyReply, refusal: Refused): undefined {
  sendRefusal(reply, refusal);
  return undefined;
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
