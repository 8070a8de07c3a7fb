import type { FastifyRequest } from 'fastify';
import { parsePhone } from '../kernel/phone.ts';
import type { Tenant } from '../tenants/tenants.ts';
import { type ApiContext, cluesOf } from './context.ts';

/** What a body may say of whose request it is. */
interface NamingBody {
  tenant?: unknown;
  phone?: unknown;
}

/** The tenant that a request names by header, body, host or phone, as the use cases will find it; undefined: none. */
export function namedTenant(
  context: Pick<ApiContext, 'clientAddress' | 'signIn'>,
  request: FastifyRequest,
): Tenant | undefined {
  const { tenant, phone } = (request.body ?? {}) as NamingBody;
  const { tenantHeader, host } = cluesOf(context, request);
  const parsed = typeof phone === 'string' ? parsePhone(phone) : undefined;
  return context.signIn.tenants.resolve({
    header: tenantHeader,
    body: typeof tenant === 'string' ? tenant : undefined,
    host,
    phone: parsed?.ok ? parsed.phone : undefined,
  });
}
