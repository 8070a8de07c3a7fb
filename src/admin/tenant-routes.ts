import { Type } from 'typebox';
import { type Refused, refuse } from '../kernel/errors.ts';
import type { KnownApiKey, Tenant } from '../tenants/tenants.ts';
import { failures } from '../web/schemas.ts';
import { sendRefusal } from '../web/server.ts';
import type { AdminContext, AdminServer } from './admin.ts';
import { actorOf, ofAdmin, ofTenant, reaches, reachTenantBySlug } from './reach.ts';
import {
  answerOf,
  changesOf,
  issuesOf,
  newTenantOf,
  NewTenantBody,
  TenantAnswer,
  TenantPatch,
} from './tenant-body.ts';

const One = Type.Object({ success: Type.Literal(true), tenant: TenantAnswer });

/** GET and POST /api/v1/admin/tenants, GET and PATCH /api/v1/admin/tenants/{slug} */
export function tenantRoutes(server: AdminServer, context: AdminContext): void {
  const { tenants } = context;

  server.get(
    '/api/v1/admin/tenants',
    {
      schema: {
        summary: 'All tenants',
        description: 'A key that belongs to one tenant sees that one.',
        ...ofAdmin,
        response: {
          200: Type.Object({ success: Type.Literal(true), tenants: Type.Array(TenantAnswer) }),
          ...failures(401, 403),
        },
      },
    },
    async (request, reply) => {
      const authorised = await context.authorise(request);
      if (!authorised.ok) return sendRefusal(reply, authorised);
      const seen = tenants.all().filter((tenant) => reaches(authorised.apiKey, tenant));
      return { success: true as const, tenants: seen.map(answerOf) };
    },
  );

  server.post(
    '/api/v1/admin/tenants',
    {
      schema: {
        summary: 'Make a tenant',
        description:
          'Every server of the deployment knows it at once. Wants a key that belongs to no tenant.',
        ...ofAdmin,
        body: NewTenantBody,
        response: { 201: One, ...failures(401, 403) },
      },
    },
    async (request, reply) => {
      const authorised = await context.authorise(request);
      if (!authorised.ok) return sendRefusal(reply, authorised);
      if (authorised.apiKey.tenantId !== null) return sendRefusal(reply, refuse('SCOPE_REQUIRED'));
      const wanted = newTenantOf(request.body);
      const outcome = await tenants.edit(
        (all) => {
          const issues = issuesOf(wanted, all, context.databaseNames);
          if (all.some((other) => other.slug === wanted.slug)) {
            issues.unshift({ path: '/slug', message: 'is taken by another tenant' });
          }
          return issues.length > 0 ? refuse('INVALID_REQUEST', { issues }) : { ok: true, create: wanted };
        },
        actorOf(context, authorised.apiKey, request),
      );
      if (!outcome.ok) return sendRefusal(reply, outcome);
      // A sign-in may follow in the next moment, and wants a key to sign with.
      await context.keys.ensure(outcome.tenant.id);
      return reply.code(201).send({ success: true as const, tenant: answerOf(outcome.tenant) });
    },
  );

  server.get(
    '/api/v1/admin/tenants/:slug',
    {
      schema: {
        summary: 'One tenant',
        ...ofTenant,
        response: { 200: One, ...failures(401, 403, 404) },
      },
    },
    async (request, reply) => {
      const reached = await reachTenantBySlug(context, request, reply);
      return reached ? { success: true as const, tenant: answerOf(reached.tenant) } : reply;
    },
  );

  server.patch(
    '/api/v1/admin/tenants/:slug',
    {
      schema: {
        summary: 'Change a tenant',
        description:
          'A JSON Merge Patch (RFC 7396): members left out stay as they are; within settings and branding, objects ' +
          'are merged, null takes a member away (its default counts again), lists replace. Slug, kind and database never ' +
          'change; hosts and phone_prefixes only by a key that belongs to no tenant.',
        ...ofTenant,
        body: TenantPatch,
        response: { 200: One, ...failures(401, 403, 404) },
      },
    },
    async (request, reply) => {
      const authorised = await context.authorise(request);
      if (!authorised.ok) return sendRefusal(reply, authorised);
      const outcome = await tenants.edit(
        (all) => {
          const found = find(all, authorised.apiKey, request.params.slug);
          if (!found.ok) return found;
          const changes = changesOf(found.tenant, request.body);
          if (authorised.apiKey.tenantId !== null && leadsOthers(found.tenant, changes)) {
            return refuse('SCOPE_REQUIRED', {}, LEADS_OTHERS);
          }
          const issues = issuesOf({ ...found.tenant, ...changes }, all, context.databaseNames);
          return issues.length > 0
            ? refuse('INVALID_REQUEST', { issues })
            : { ok: true, change: found.tenant, changes };
        },
        actorOf(context, authorised.apiKey, request),
      );
      return outcome.ok
        ? { success: true as const, tenant: answerOf(outcome.tenant) }
        : sendRefusal(reply, outcome);
    },
  );
}

const LEADS_OTHERS =
  'Hosts and phone prefixes decide whose a request of this deployment is: they are changed by a key that belongs to no tenant.';

/**
 * Would requests be led here that were not? Whoever may say so takes the host of the deployment itself, or the numbers
 * of another market, and with them the sign-ins of people who never heard of this tenant.
 */
function leadsOthers(tenant: Tenant, { hosts, phonePrefixes }: ReturnType<typeof changesOf>): boolean {
  return (
    (hosts !== undefined && !isSameList(hosts, tenant.hosts)) ||
    (phonePrefixes !== undefined && !isSameList(phonePrefixes, tenant.phonePrefixes))
  );
}

function isSameList(left: readonly string[], right: readonly string[]): boolean {
  return left.length === right.length && left.every((one, index) => one === right[index]);
}

/** Among tenants as the database has them now: what is held in memory may be a moment old. */
function find(
  all: readonly Tenant[],
  apiKey: KnownApiKey,
  slug: string,
): { ok: true; tenant: Tenant } | Refused {
  const tenant = all.find((candidate) => candidate.slug === slug);
  return tenant && reaches(apiKey, tenant) ? { ok: true, tenant } : refuse('TENANT_NOT_FOUND');
}
