import { Type } from 'typebox';

/** No field that is not named here is accepted. */
export const closed = { additionalProperties: false } as const;

/** What stands in an answer that asks for a proof of work. */
export const challengeFields = {
  challenge: Type.Object(
    { parameters: Type.Record(Type.String(), Type.Unknown()), signature: Type.String() },
    {
      description:
        'A challenge of ALTCHA (PBKDF2/SHA-256). Its solution, base64 of `{ challenge, solution: { counter, derivedKey } }`, goes into the header X-Challenge-Solution of the same request.',
    },
  ),
  captcha: Type.Optional(
    Type.Object(
      { provider: Type.Enum(['hcaptcha', 'turnstile']), site_key: Type.String() },
      { description: 'Asked for beside it: the token goes into the header X-Captcha-Response.' },
    ),
  ),
};

export const Failure = Type.Object(
  {
    success: Type.Literal(false),
    statusCode: Type.Integer(),
    error: Type.String({ description: 'A code of the catalogue.' }),
    message: Type.String(),
    attempts_left: Type.Optional(Type.Integer()),
    retry_after: Type.Optional(Type.Integer()),
    resend_in: Type.Optional(Type.Integer()),
    expires_in: Type.Optional(Type.Integer()),
    channel: Type.Optional(Type.String()),
    next_action: Type.Optional(Type.String()),
    verification_id: Type.Optional(Type.String()),
    ways: Type.Optional(
      Type.Array(
        Type.Object({
          method: Type.Enum(['phone', 'email', 'telegram', 'password', 'new_account']),
          identity_id: Type.Optional(Type.String()),
          channel: Type.Optional(Type.String()),
          destination: Type.Optional(Type.String()),
        }),
        { description: 'STEP_UP_REQUIRED and SECOND_PROOF_REQUIRED: what leads on.' },
      ),
    ),
    second_proof_token: Type.Optional(
      Type.String({ description: 'SECOND_PROOF_REQUIRED: for POST /api/v1/auth/second-proof.' }),
    ),
    challenge: Type.Optional(challengeFields.challenge),
    captcha: challengeFields.captcha,
    bot_link: Type.Optional(Type.String({ description: 'Where to meet the Telegram bot.' })),
    issues: Type.Optional(Type.Array(Type.Object({ path: Type.String(), message: Type.String() }))),
  },
  { description: 'Refused; error says why.' },
);

/** The refusals every call may give, and those named. */
export function failures(...statuses: number[]): Record<number, typeof Failure> {
  return Object.fromEntries([400, 500, 503, ...statuses].map((status) => [status, Failure]));
}

/** Done, and a sentence for people. */
export const Done = Type.Object({ success: Type.Literal(true), message: Type.String() });

/** A call that wants an API key. */
export const apiKey = [{ api_key: [] }];
