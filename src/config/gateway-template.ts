/** What a template of a gateway may say of the message. */
export const slots = [
  'to', // E.164: +998901234567
  'to_digits', // the same without the plus
  'text',
  'code',
  'id', // ours: the same for each try of one message
  'sender', // the tenant's name
  'locale',
  'expires_in', // seconds
  'token', // what the login gave
  'callback_url',
  'encoding', // written {{encoding:a|b}}: a for texts of GSM-7, b where they need UCS-2
] as const;

export type Slot = (typeof slots)[number];

/**
 * A text with holes. Secrets are parts of their own: what a secret holds is never read as a template, and no template
 * text is ever printed with it.
 */
export type Template = readonly TemplatePart[];

/** `words`: what a gateway calls GSM-7 and UCS-2. */
export type TemplatePart = string | { slot: Slot; words?: readonly [string, string] };

/** Finds what `${env:NAME}` or `${file:path}` stands for; a sentence when there is nothing. */
export type Resolve = (
  kind: 'env' | 'file',
  name: string,
) => { ok: true; value: string } | { ok: false; message: string };

const HOLE = /\{\{\s*([a-z_]+)(?::([^{}|]*)\|([^{}|]*))?\s*\}\}|\$\{(env|file):([^}]+)\}/g;

/** @throws TemplateFault with what is wrong and what would be right */
export function parseTemplate(text: string, resolve: Resolve): Template {
  const parts: TemplatePart[] = [];
  let end = 0;
  for (const match of text.matchAll(HOLE)) {
    const [whole, slotName, plain, wide, kind, name] = match;
    if (match.index > end) parts.push(text.slice(end, match.index));
    end = match.index + whole.length;
    if (slotName === undefined) {
      const found = resolve(kind as 'env' | 'file', name ?? '');
      if (!found.ok) throw new TemplateFault(found.message);
      parts.push(found.value);
      continue;
    }
    const slot = slots.find((candidate) => candidate === slotName);
    if (!slot) throw new TemplateFault(`{{${slotName}}} is unknown; there are ${slots.join(', ')}`);
    const hasWords = plain !== undefined && wide !== undefined;
    if (hasWords !== (slot === 'encoding')) {
      throw new TemplateFault('{{encoding:a|b}} has two words, for GSM-7 and UCS-2; no other place has any');
    }
    parts.push(hasWords ? { slot, words: [plain, wide] } : { slot });
  }
  if (end < text.length) parts.push(text.slice(end));
  return parts;
}

export class TemplateFault extends Error {}

/** Does anything in it come from the message? */
export function hasSlot(template: Template, slot?: Slot): boolean {
  return template.some((part) => typeof part !== 'string' && (slot === undefined || part.slot === slot));
}
