import { type Static, Type } from 'typebox';
import { Compile } from 'typebox/compile';
import { isPlainHost } from '../kernel/plain-host.ts';
import { parseEmail } from '../kernel/email.ts';
import type { Issue } from '../kernel/errors.ts';
import { SUPPORTED_LOCALES } from '../kernel/locale.ts';
import { schemaIssues, textOf } from '../web/schema-issues.ts';
import { oneLineText } from './one-line-text.ts';

/** Messages that carry a code. */
export const codeTemplates = [
  'sign_in_code',
  'verify_sign_up',
  'forgot_password',
  'link_code',
  'step_up_code',
] as const;
/** Messages that tell the owner what happened. */
const noticeTemplates = [
  'password_changed',
  'new_device',
  'address_changed',
  'chat_moved',
  'number_unproved',
  'account_locked',
  'address_closed',
  'number_taken_over',
  'already_registered',
] as const;
/** Every message Firstproof sends, by what it is for. */
export const templateNames = [...codeTemplates, ...noticeTemplates] as const;
export type TemplateName = (typeof templateNames)[number];

/** What `{{…}}` may stand for in a tenant's own words. Plain substitution: there is nothing to execute. */
const PLACEHOLDERS = ['tenant', 'name', 'support'] as const;
const CODE_PLACEHOLDERS = [...PLACEHOLDERS, 'code', 'minutes'];
const NOTICE_PLACEHOLDERS = [...PLACEHOLDERS, 'device', 'place', 'time', 'address'];

const closed = { additionalProperties: false } as const;
const severalLines = textOf(
  '^[^\\u0000-\\u0009\\u000b-\\u001f\\u007f]*$',
  'may not hold control characters besides line feeds',
);
const overrideSchema = Type.Object(
  {
    /** The e-mail's subject: one line. */
    subject: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 150,
        ...oneLineText,
      }),
    ),
    /** What the e-mail says before the code or the facts. An empty line begins a new paragraph. */
    text: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 2000,
        ...severalLines,
      }),
    ),
    /** The whole SMS or Telegram text. */
    sms: Type.Optional(Type.String({ minLength: 1, maxLength: 300, ...severalLines })),
  },
  closed,
);
const localesSchema = Type.Object(
  Object.fromEntries(SUPPORTED_LOCALES.map((locale) => [locale, Type.Optional(overrideSchema)])),
  closed,
);
export const brandingSchema = Type.Object(
  {
    /** The logo's address, https. Shown at most 40 pixels high. */
    logo_url: Type.Optional(Type.String({ maxLength: 2048 })),
    colours: Type.Optional(
      Type.Object(
        {
          primary: Type.Optional(
            Type.String(textOf('^#[0-9a-fA-F]{6}$', 'must be a colour such as #1f3a5f')),
          ),
        },
        closed,
      ),
    ),
    /** Where people write to for help; answers to e-mails go there as well. */
    support_address: Type.Optional(Type.String({ maxLength: 254 })),
    /** The tenant's own words, by template and locale. */
    messages: Type.Optional(
      Type.Object(
        Object.fromEntries(templateNames.map((name) => [name, Type.Optional(localesSchema)])),
        closed,
      ),
    ),
  },
  closed,
);

/** A tenant's own words for one message. */
export type MessageOverride = Static<typeof overrideSchema>;

/** What a tenant looks like in messages, as it is stored. */
export interface Branding {
  logo_url?: string;
  colours?: { primary?: string };
  support_address?: string;
  messages?: { [Name in TemplateName]?: Record<string, MessageOverride> };
}

/** What a message needs to know of its sender. */
export interface Brand {
  name: string;
  logoUrl: string | null;
  /** #rrggbb */
  primaryColour: string | null;
  supportAddress: string | null;
  /** The tenant's own words, where it has some. */
  override(template: TemplateName, locale: string): MessageOverride | undefined;
}

const validator = Compile(brandingSchema);

/** The templates of the schema are made from a list, which takes their names out of its type. */
function isBranding(branding: unknown): branding is Branding {
  return validator.Check(branding);
}

/**
 * What is wrong with this branding: a JSON pointer and a sentence each; empty when nothing is. Placeholders that no
 * message of that kind fills are refused here, so that nobody is ever greeted as `{{nmae}}`.
 */
export function brandingIssues(branding: unknown): Issue[] {
  if (!isBranding(branding)) return schemaIssues(validator.Errors(branding));
  const { logo_url: logoUrl, support_address: support, messages = {} } = branding;
  const issues: Issue[] = [];
  if (logoUrl !== undefined && !isLogoUrl(logoUrl)) {
    issues.push({
      path: '/logo_url',
      message: 'must be an https address of a plain host, without user and password',
    });
  }
  if (support !== undefined && !parseEmail(support).ok) {
    issues.push({ path: '/support_address', message: 'must be an e-mail address' });
  }
  for (const [template, locales] of Object.entries(messages)) {
    for (const [locale, override] of Object.entries(locales)) {
      for (const [field, text] of Object.entries(override)) {
        const message = wordingIssue(template as TemplateName, field, text);
        if (message) issues.push({ path: `/messages/${template}/${locale}/${field}`, message });
      }
    }
  }
  return issues;
}

function wordingIssue(template: TemplateName, field: string, text: string): string | undefined {
  const carriesCode = codeTemplates.some((name) => name === template);
  const known = carriesCode ? CODE_PLACEHOLDERS : NOTICE_PLACEHOLDERS;
  const used = Array.from(text.matchAll(/\{\{([^{}]*)\}\}/g), (match) => match[1] ?? '');
  const unknown = used.find((name) => !known.includes(name));
  const advice = `use ${known.map((name) => `{{${name}}}`).join(', ')}`;
  if (unknown !== undefined) return `{{${unknown.slice(0, 40)}}} is not known here: ${advice}`;
  if (/\{\{|\}\}/.test(text.replace(/\{\{[^{}]*\}\}/g, ''))) return `holds half a placeholder: ${advice}`;
  if (carriesCode && field === 'sms' && !used.includes('code')) return 'must hold {{code}}';
  return undefined;
}

function isLogoUrl(text: string): boolean {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  return (
    url?.protocol === 'https:' && url.username === '' && url.password === '' && isPlainHost(url.hostname)
  );
}

/** The sender of a tenant's messages. */
export function brandOf(tenant: { name: string; branding: Branding }): Brand {
  const { branding } = tenant;
  return {
    name: tenant.name,
    logoUrl: branding.logo_url ?? null,
    primaryColour: branding.colours?.primary ?? null,
    supportAddress: branding.support_address ?? null,
    override: (template, locale) => branding.messages?.[template]?.[locale],
  };
}
