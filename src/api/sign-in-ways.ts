import { Type } from 'typebox';
import { signInWays } from '../signin/sign-in-ways.ts';
import { brandOf } from '../tenants/tenants.ts';
import { sendRefusal } from '../web/server.ts';
import type { ApiServer } from './api.ts';
import { type ApiContext, cluesOf } from './context.ts';
import { closed, failures, fields } from './schemas.ts';

const orNull = Type.Union([Type.String(), Type.Null()]);
const SignUp = Type.Object({
  required_fields: Type.Array(Type.Enum(['first_name', 'last_name', 'username', 'password'])),
  custom_fields: Type.Union([Type.Record(Type.String(), Type.Unknown()), Type.Null()], {
    description: 'JSON Schema of custom_fields; null where any are taken.',
  }),
});

const Ways = Type.Object(
  {
    success: Type.Literal(true),
    tenant: Type.Object({ slug: Type.String(), name: Type.String() }),
    locale: Type.String({ description: 'The tenant’s own language.' }),
    registration: Type.Enum(['open', 'closed']),
    by_code: Type.Array(Type.Enum(['phone', 'email', 'telegram']), {
      description: 'Kinds of address to which a code can be sent, in the tenant’s order.',
    }),
    by_password: Type.Array(Type.Enum(['phone', 'email', 'username']), {
      description: 'By what a password may be given; empty where there are none.',
    }),
    password_min_length: Type.Union([Type.Integer(), Type.Null()], {
      description: 'Characters that a new password has at least; null where there are none.',
    }),
    sign_up: Type.Union([SignUp, Type.Null()], {
      description: 'What a registration asks for besides its address; null where new accounts are not open.',
    }),
    by_telegram_link: Type.Boolean({ description: 'Can a sign-in be confirmed in a bot?' }),
    default_country: orNull,
    phone_prefixes: Type.Array(Type.String(), { description: 'Numbers of which countries; empty: of all.' }),
    branding: Type.Object({ primary_colour: orNull, logo_url: orNull, support_address: orNull }),
  },
  { description: 'What a sign-in form may offer.' },
);

/** GET /api/v1/auth/ways */
export function signInWaysRoute(server: ApiServer, context: ApiContext): void {
  server.get(
    '/api/v1/auth/ways',
    {
      schema: {
        summary: 'How people may sign in here: for a form of your own',
        tags: ['sign in'],
        querystring: Type.Object({ tenant: Type.Optional(fields.tenant) }, closed),
        response: { 200: Ways, ...failures(404) },
      },
    },
    async (request, reply) => {
      const ways = signInWays(context.signIn, request.query, cluesOf(context, request));
      if (!ways.ok) return sendRefusal(reply, ways);
      const { tenant } = ways;
      const { registration, requiredFields, customFields, passwords, defaultCountry } = tenant.policy;
      const brand = brandOf(tenant);
      return {
        success: true as const,
        tenant: { slug: tenant.slug, name: tenant.name },
        locale: tenant.locale,
        registration,
        by_code: ways.byCode,
        by_password: ways.byPassword,
        password_min_length: passwords.enabled ? passwords.minLength : null,
        sign_up:
          registration === 'closed'
            ? null
            : { required_fields: [...requiredFields], custom_fields: customFields ?? null },
        by_telegram_link: ways.byTelegramLink,
        default_country: defaultCountry ?? null,
        phone_prefixes: [...tenant.phonePrefixes],
        branding: {
          primary_colour: brand.primaryColour,
          logo_url: brand.logoUrl,
          support_address: brand.supportAddress,
        },
      };
    },
  );
}
