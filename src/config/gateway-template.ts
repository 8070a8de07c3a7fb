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
] as const;

export type Slot = (typeof slots)[number];

/**
 * A text with holes. Secrets are parts of their own: what a secret holds is never read as a template, and no template
 * text is ever printed with it.
 */
export type Template = readonly (string | { slot: Slot })[];

/** Finds what `${env:NAME}` or `${file:path}` stands for; a sentence when there is nothing. */
export type Resolve = (
  kind: 'env' | 'file',
  name: string,
) => { ok: true; value: string } | { ok: false; message: string };

const HOLE = /\{\{\s*([a-z_]+)\s*\}\}|\$\{(env|file):([^}]+)\}/g;

/** @throws TemplateFault with what is wrong and what would be right */
export function parseTemplate(text: string, resolve: Resolve): Template {
  const parts: (string | { slot: Slot })[] = [];
  let end = 0;
  for (const match of text.matchAll(HOLE)) {
    const [whole, slotName, kind, name] = match;
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
    parts.push({ slot });
  }
  if (end < text.length) parts.push(text.slice(end));
  return parts;
}

export class TemplateFault extends Error {}

/** Does anything in it come from the message? */
export function hasSlot(template: Template, slot?: Slot): boolean {
  return template.some((part) => typeof part !== 'string' && (slot === undefined || part.slot === slot));
}
