import type { Database } from '../db/database.ts';
import {
  admitFragment,
  type IdentityRow,
  lockUser,
  newAgentFragment,
  passwordDroppedFragment,
  type ProfileChanges,
  provedSinceFragment,
  readUser,
  updateProfileFragment,
  type UserRow,
} from './store.ts';

export type { IdentityRow, ProfileChanges, UserRow };
export {
  admitFragment as admit,
  lockUser,
  newAgentFragment as isNewAgent,
  passwordDroppedFragment as passwordDropped,
  provedSinceFragment as provedSince,
  updateProfileFragment as changeProfile,
};

export {
  admitPlainFragment as admitPlain,
  type GivenPerson,
  givenPersonColumns,
  identitiesOfEntering,
  plainFragment as plainOf,
} from './plain-admit-store.ts';
export {
  dropPasswordSince,
  enterFragment as enter,
  findPasswordHash,
  type PasswordHolder,
  readPasswordHolder as findPasswordHolder,
  replacePassword,
  setPasswordFragment as setPassword,
} from './password-store.ts';
export {
  formerFragment as formerHolder,
  idleFragment as idleHolder,
  type IdleVerdict,
} from './idle-store.ts';
export {
  type DirectoryRow,
  eraseUser,
  readErasure,
  searchUsers,
  setDisabledFragment as setDisabled,
  sweepErased,
  type UserSearch,
} from './directory-store.ts';
export {
  addressesFragment as addressesOf,
  findHolder,
  holderFragment as holderOf,
  holdsFragment as holds,
  identitiesFragment as identitiesOf,
  linkFragment as link,
  lockHolder,
  markProvedFragment as markProved,
  removeIdentity,
  restoreIdentity,
} from './identity-store.ts';

export {
  readAccountKind as accountKindOf,
  readTestAccounts as findTestAccounts,
  removeTestAccountFragment as removeTestAccount,
} from './test-account-store.ts';

export {
  advanceImport,
  beginImport,
  findTaken,
  findUnfinishedImport,
  type ImportedIdentity,
  type ImportedUser,
  type ImportProgress,
  insertImported,
} from './import-store.ts';

/** The unique index whose violation means: this username is somebody else's. */
export const USERNAME_INDEX = 'users_username';

/** A user as answers show it. Ids are strings; times are ISO 8601 in UTC. */
export interface PublicUser {
  id: string;
  phone: string | null;
  email: string | null;
  telegram_user_id: string | null;
  role: string;
  first_name: string | null;
  last_name: string | null;
  username: string | null;
  custom_fields: Record<string, unknown>;
  is_active: boolean;
  is_verified: boolean;
  last_login: string | null;
  created_at: string;
  updated_at: string;
  identities: { id: string; kind: string; value: string; is_verified: boolean }[];
}

/** Is this address one of the user's? */
export function hasAddress(
  user: Pick<UserRow, 'identities'>,
  { kind, value }: { kind: string; value: string },
): boolean {
  return user.identities.some((identity) => identity.kind === kind && identity.value === value);
}

/** What a person and their application may see of an account. */
export function publicUser(
  row: Omit<UserRow, 'is_disabled' | 'epoch' | 'locale' | 'test_entry' | 'identities'> & {
    identities: readonly IdentityRow[];
  },
): PublicUser {
  const first = (kind: IdentityRow['kind']): string | null =>
    row.identities.find((identity) => identity.kind === kind)?.value ?? null;
  return {
    id: row.id,
    phone: first('phone'),
    email: first('email'),
    telegram_user_id: first('telegram'),
    role: row.role,
    first_name: row.first_name,
    last_name: row.last_name,
    username: row.username,
    custom_fields: row.custom_fields,
    is_active: row.is_active,
    is_verified: row.is_verified,
    last_login: row.last_login?.toISOString() ?? null,
    created_at: row.created_at.toISOString(),
    updated_at: row.updated_at.toISOString(),
    identities: row.identities.map((identity) => ({
      id: identity.id,
      kind: identity.kind,
      value: identity.value,
      is_verified: identity.verified_at !== null,
    })),
  };
}

/** Reads one user with addresses, or undefined. */
export function findUser(database: Database, tenantId: string, userId: string): Promise<UserRow | undefined> {
  return readUser(database, tenantId, userId);
}
