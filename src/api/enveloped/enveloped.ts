import type { ApiServer } from '../api.ts';
import type { ApiContext } from '../context.ts';
import { accountRoutes } from './account.ts';
import { passwordRoutes } from './passwords.ts';
import { secondProofRoute } from './second-proof.ts';
import { signUpRoutes } from './sign-up.ts';

/**
 * The enveloped dialect under /api/auth, for front ends written to it: the same use cases, fields and errors as
 * /api/v1/auth, answered as `{ success, message, data }`.
 */
export function envelopedRoutes(server: ApiServer, context: ApiContext): void {
  signUpRoutes(server, context);
  secondProofRoute(server, context);
  passwordRoutes(server, context);
  accountRoutes(server, context);
}
