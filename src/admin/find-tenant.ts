import type { FastifyReply, FastifyRequest } from 'fastify';
import { refuse } from '../kernel/errors.ts';
import type { ChangedBy, Tenant } from '../tenants/tenants.ts';
import { sendRefusal } from '../web/server.ts';
import type { AdminContext } from './admin.ts';

/** The tenant of a path and who changes it, where the API key reaches it; otherwise the refusal is sent. */
export async function findTenant(
  context: AdminContext,
  request: FastifyRequest,
  reply: FastifyReply,
  slug: string,
): Promise<{ tenant: Tenant; by: ChangedBy } | undefined> {
  const authorised = await context.authorise(request);
  if (!authorised.ok) {
    sendRefusal(reply, authorised);
    return undefined;
  }
  const { apiKey } = authorised;
  const tenant = context.tenants.bySlug(slug);
  if (!tenant || (apiKey.tenantId !== null && apiKey.tenantId !== tenant.id)) {
    sendRefusal(reply, refuse('TENANT_NOT_FOUND'));
    return undefined;
  }
  return { tenant, by: { actor: `api_key:${apiKey.id}`, caller: context.callerOf(request) } };
}
