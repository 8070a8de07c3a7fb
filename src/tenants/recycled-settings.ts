import { type Static, Type } from 'typebox';

/** What a phone number alone still opens after its account lay idle: by then it may be somebody else's number. */
export const recycledNumbersSchema = Type.Object(
  {
    /** second_proof: another way of the account must be proved, too. new_account: the number begins a new one. */
    mode: Type.Optional(Type.Enum(['second_proof', 'new_account', 'off'])),
    /** Days since the account's last sign-in. A session lives for thirty at most: whoever is signed in is not idle. */
    idle_days: Type.Optional(Type.Integer({ minimum: 31, maximum: 3650 })),
    /** second_proof, and the account has no other way: does the number begin a new account, or sign in after all? */
    alone: Type.Optional(Type.Enum(['new_account', 'sign_in'])),
  },
  { additionalProperties: false },
);

export interface RecycledNumbersPolicy {
  mode: 'second_proof' | 'new_account' | 'off';
  idleDays: number;
  alone: 'new_account' | 'sign_in';
}

/** Fills in the defaults. */
export function recycledNumbersPolicyOf(
  settings: Static<typeof recycledNumbersSchema> | undefined,
): RecycledNumbersPolicy {
  return {
    mode: settings?.mode ?? 'second_proof',
    idleDays: settings?.idle_days ?? 90,
    alone: settings?.alone ?? 'new_account',
  };
}
