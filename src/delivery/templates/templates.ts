import {
  type Brand,
  codeTemplates,
  type MessageOverride,
  type TemplateName,
  templateNames,
} from '../../tenants/tenants.ts';
import { displayText, oneLine } from './display-text.ts';
import { type Letter, renderLetter } from './layout.ts';
import { ownSmsText, type SmsAutofill, smsText } from './sms-text.ts';
import { substitute, substituteHtml, type Values, withoutName } from './substitute.ts';
import { messageLocales, minutesIn, momentIn, type Words, wordsOf } from './words.ts';

export { messageLocales, type TemplateName, templateNames };

/** What a notice tells beside its sentence. All of it may come from strangers; none of it is ever markup. */
export interface MessageDetails {
  deviceName?: string;
  /** Where it happened, as far as that is known. */
  place?: string;
  /** When it happened, ISO 8601. */
  at?: string;
  /** The address it is about, masked. */
  address?: string;
  /** Where "this was not me" leads; a secret. */
  link?: string;
}

/** What a rendering needs to know. Durations are whole seconds. */
export interface TemplateContent {
  template: TemplateName;
  channel: string;
  locale: string;
  tenantName: string;
  name: string | null;
  code: string | null;
  expiresIn: number;
  details?: MessageDetails;
  /** For SMS that carry a code; left out: the phone fills nothing in. */
  autofill?: SmsAutofill;
}

export interface RenderedMessage {
  subject: string | null;
  text: string;
  html: string | null;
}

/** A tenant that chose no colour. */
const PRIMARY_COLOUR = '#1f3a5f';
const NO_AUTOFILL: SmsAutofill = { host: null, androidHash: null };

/** Renders a message for its channel: an SMS or Telegram text, or an e-mail with subject, text and HTML. */
export function renderMessage(content: TemplateContent, brand?: Brand): RenderedMessage {
  const carriesCode = codeTemplates.some((name) => name === content.template);
  // A notice that was queued in the place of a code, so that nobody can tell, must not show one.
  const code = carriesCode ? content.code : null;
  const words = wordsOf(content.locale);
  const locale = messageLocales.includes(content.locale) ? content.locale : 'en';
  const message = words.messages[content.template];
  const isVoice = content.channel === 'voice';
  // Read aloud, 482913 is four hundred and eighty-two thousand, and the address of a page is noise.
  const shownCode = isVoice ? (code?.split('').join(', ') ?? null) : code;
  const values = valuesOf({ ...content, code: shownCode }, locale, brand);
  const own = ownWords(brand?.override(content.template, locale), values);
  const link = carriesCode || isVoice ? undefined : content.details?.link;
  if (content.channel !== 'email') {
    const isSms = content.channel === 'sms';
    const autofill = (isSms && content.autofill) || NO_AUTOFILL;
    const text =
      isSms && own.sms === undefined
        ? smsText(message.sms, values, autofill)
        : ownSmsText(own.sms ?? message.sms, values, autofill);
    return { subject: null, text: link === undefined ? text : `${text} ${link}`, html: null };
  }
  const intro = (own.text ?? message.intro).split(/\n\s*\n/).filter((part) => part.trim() !== '');
  const parts: Parts = {
    greeting: values['name'] === '' ? words.greeting : words.greetingByName,
    intro,
    notice: carriesCode ? words.expiry : message.ifNotYou,
    advice: carriesCode ? [words.codeAdvice, message.ifNotYou] : [],
    footer: [...(values['support'] === '' ? [] : [words.support]), words.footer],
    facts: carriesCode ? [] : factsOf(words, values),
    action: link === undefined ? null : { label: words.notMe, url: link },
  };
  const subject = oneLine(substitute(own.subject ?? message.subject, values));
  return {
    subject,
    text: plainText(parts, values, code),
    html: renderLetter({
      locale,
      direction: words.direction,
      subject,
      brandName: values['tenant'] ?? '',
      logoUrl: brand?.logoUrl ?? null,
      primaryColour: brand?.primaryColour ?? PRIMARY_COLOUR,
      ...lettered(parts, values),
      // The subject has the code already: the line beside it in the list of messages says for how long.
      preheader: substituteHtml((carriesCode ? words.expiry : intro[0]) ?? '', values),
      code: code === null ? null : { digits: code, label: words.codeLabel },
    }),
  };
}

/** A tenant's own words. A code to sign in goes out before anybody is looked up: it has no name to greet by. */
function ownWords(override: MessageOverride = {}, { name }: Values): MessageOverride {
  if (name !== '') return override;
  const parts = Object.entries(override).map(([part, text]) => [part, withoutName(text)] as const);
  // Words that were nothing but the name: the built-in ones.
  return Object.fromEntries(parts.filter(([, text]) => text.trim() !== ''));
}

interface Parts {
  greeting: string;
  intro: readonly string[];
  notice: string;
  advice: readonly string[];
  footer: readonly string[];
  facts: readonly { label: string; value: string }[];
  action: { label: string; url: string } | null;
}

/** What the button says that undoes what a notice tells of. */
export function undoLabel(locale: string): string {
  return wordsOf(locale).undo;
}

/** What the button says by which a chat proves its number again. */
export function proveAgainLabel(locale: string): string {
  return wordsOf(locale).proveAgain;
}

function valuesOf(content: TemplateContent, locale: string, brand: Brand | undefined): Values {
  const { details = {} } = content;
  return {
    tenant: oneLine(brand?.name ?? content.tenantName),
    name: displayText(content.name) ?? '',
    support: brand?.supportAddress ?? '',
    code: content.code ?? '',
    minutes: minutesIn(locale, content.expiresIn),
    device: displayText(details.deviceName, 100) ?? '',
    place: displayText(details.place, 100) ?? '',
    time: details.at === undefined ? '' : momentIn(locale, new Date(details.at)),
    address: oneLine(details.address ?? ''),
  };
}

function factsOf({ facts }: Words, values: Values): Parts['facts'] {
  return (['device', 'place', 'time', 'address'] as const).flatMap((name) => {
    const value = values[name] ?? '';
    return value === '' ? [] : [{ label: facts[name], value }];
  });
}

function lettered(
  parts: Parts,
  values: Values,
): Pick<Letter, 'greeting' | 'paragraphs' | 'facts' | 'action' | 'notice' | 'advice' | 'footer'> {
  const html = (text: string): string => substituteHtml(text, values);
  const multiline = (text: string): string => html(text).replaceAll('\n', '<br>');
  return {
    greeting: html(parts.greeting),
    paragraphs: parts.intro.map(multiline),
    facts: parts.facts,
    action: parts.action,
    notice: html(parts.notice),
    advice: parts.advice.map(html),
    footer: parts.footer.map(html),
  };
}

function plainText(parts: Parts, values: Values, code: string | null): string {
  const text = [
    parts.greeting,
    ...parts.intro,
    ...(code === null ? [] : ['{{code}}']),
    parts.notice,
    ...parts.advice,
  ].map((part) => substitute(part, values));
  if (parts.facts.length > 0) {
    const facts = parts.facts.map(({ label, value }) => `${label}: ${value}`).join('\n');
    text.splice(1 + parts.intro.length, 0, facts);
  }
  if (parts.action) text.push(`${parts.action.label}: ${parts.action.url}`);
  const footer = parts.footer.map((part) => substitute(part, values)).join('\n');
  return `${[...text, `-- \n${footer}`].join('\n\n')}\n`;
}
