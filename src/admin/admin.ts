import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { FastifyBaseLogger, FastifyInstance, FastifyRequest, RawServerDefault } from 'fastify';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Accounts } from '../accounts/accounts.ts';
import type { Caller } from '../audit/audit.ts';
import type { Refused } from '../kernel/errors.ts';
import type { Keys } from '../keys/keys.ts';
import type { KnownApiKey, TelegramLogins, Tenants } from '../tenants/tenants.ts';
import { type AdministeredBots, telegramBotRoutes, TOKEN_ADVICE } from './telegram-bot-routes.ts';
import { LOGIN_ADVICE, telegramLoginRoutes } from './telegram-login-routes.ts';
import { auditRoutes } from './audit-routes.ts';
import { tenantRoutes } from './tenant-routes.ts';
import { userRecordRoutes } from './user-record-routes.ts';
import { userRoutes } from './user-routes.ts';

export { LOGIN_ADVICE, TOKEN_ADVICE };

/** What the admin API works with. */
export interface AdminContext {
  accounts: Accounts;
  tenants: Tenants;
  keys: Keys;
  bots: AdministeredBots;
  telegramLogins: TelegramLogins;
  /** Names of the databases that a tenant may keep its rows in. */
  databaseNames: readonly string[];
  /** The API key of a request, if it carries the scope `admin`. */
  authorise(request: FastifyRequest): Promise<{ ok: true; apiKey: KnownApiKey } | Refused>;
  /** Who asks, for the audit. */
  callerOf(request: FastifyRequest): Caller;
}

/** A server whose routes take their types from their schemas. */
export type AdminServer = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>;

/** Registers /api/v1/admin: everything an operator's programs may do. Each call wants an API key of scope `admin`. */
export function registerAdmin(server: FastifyInstance, context: AdminContext): void {
  tenantRoutes(server.withTypeProvider<TypeBoxTypeProvider>(), context);
  telegramBotRoutes(server.withTypeProvider<TypeBoxTypeProvider>(), context);
  userRoutes(server.withTypeProvider<TypeBoxTypeProvider>(), context);
  userRecordRoutes(server.withTypeProvider<TypeBoxTypeProvider>(), context);
  auditRoutes(server.withTypeProvider<TypeBoxTypeProvider>(), context);
  telegramLoginRoutes(server.withTypeProvider<TypeBoxTypeProvider>(), context);
}
