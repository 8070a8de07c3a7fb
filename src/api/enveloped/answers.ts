import type { Address } from '../../signin/address.ts';
import type { VerificationSent } from '../../signin/send-verification.ts';
import type { SignedIn } from '../../signin/signed-in.ts';
import type { ResetGranted } from '../../signin/verify-code.ts';
import type { Tenant } from '../../tenants/tenants.ts';
import { addressData } from '../register.ts';
import { verificationSentBody } from '../send-verification.ts';

/** A sent code; `address` where the caller named it. */
export function codeSentData(sent: VerificationSent, address: Address | undefined) {
  const { success: _success, message: _message, ...details } = verificationSentBody(sent);
  return { ...(address ? addressData(address) : {}), ...details };
}

/** Somebody signed in. */
export function signedInData({ tokens, tenant, user, isNewUser, setPassword }: SignedIn) {
  return {
    token: tokens.access_token,
    token_type: tokens.token_type,
    ...(tokens.refresh_token === undefined ? {} : { refresh_token: tokens.refresh_token }),
    expires_in: tokens.expires_in,
    tenant: tenantOf(tenant),
    user,
    is_new_user: isNewUser,
    ...(setPassword ? { next_action: 'SET_PASSWORD', reset_token: setPassword.resetToken } : {}),
  };
}

/** A proved recovery: the token sets a new password and nothing else. */
export function resetGrantedData({ tenant, user, resetToken, resetExpiresIn }: ResetGranted) {
  return {
    token: resetToken,
    token_type: 'Bearer' as const,
    expires_in: resetExpiresIn,
    tenant: tenantOf(tenant),
    user,
    is_new_user: false,
    next_action: 'RESET_PASSWORD',
  };
}

function tenantOf({ id, slug, name }: Tenant) {
  return { id, slug, name };
}
