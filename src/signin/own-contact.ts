/** What a message of Telegram tells that matters for the trust in a contact, as the Bot API names it. */
export interface ContactMessage {
  from?: { id: number; is_bot?: boolean } | undefined;
  chat: { id: number; type: string };
  sender_chat?: unknown;
  forward_origin?: unknown;
  via_bot?: unknown;
  business_connection_id?: string | undefined;
  contact?: { phone_number: string; user_id?: number | undefined; vcard?: string | undefined } | undefined;
}

export type ContactRefusal =
  /** Not in a private chat of its own: a group, a channel, a business connection. */
  | 'not_private'
  /** Somebody else wrote it first. */
  | 'forwarded'
  /** Of somebody else, or nobody can tell whose. */
  | 'not_own'
  | 'several_numbers';

/**
 * Is this the sender's own contact? Only Telegram's button for sharing one's contact fills in `user_id` with the
 * sender's: an absent one proves nothing (S10; Bot API: user_id is optional).
 */
export function readOwnContact(
  message: ContactMessage,
): { ok: true; phone: string } | { ok: false; reason: ContactRefusal } {
  const { from, chat, contact } = message;
  const isPrivate =
    chat.type === 'private' && from !== undefined && from.id === chat.id && from.is_bot !== true;
  if (!isPrivate || message.sender_chat !== undefined || message.business_connection_id !== undefined) {
    return { ok: false, reason: 'not_private' };
  }
  if (message.forward_origin !== undefined || message.via_bot !== undefined) {
    return { ok: false, reason: 'forwarded' };
  }
  if (contact?.user_id === undefined || contact.user_id !== from.id) return { ok: false, reason: 'not_own' };
  const numbers = [contact.phone_number, ...numbersIn(contact.vcard ?? '')].map(digitsOf);
  if (new Set(numbers).size > 1) return { ok: false, reason: 'several_numbers' };
  // Telegram writes numbers without the plus.
  const digits = numbers[0] ?? '';
  return digits === '' ? { ok: false, reason: 'not_own' } : { ok: true, phone: `+${digits}` };
}

/** The telephone numbers of a vCard (RFC 6350 6.4.1): `TEL;TYPE=cell:+1 …`, grouped (`item1.TEL`) and folded lines too. */
function numbersIn(vcard: string): string[] {
  const unfolded = vcard.replace(/\r?\n[ \t]/g, '');
  return Array.from(
    unfolded.matchAll(/^(?:[\w-]+\.)?TEL(?:;[^:\r\n]*)?:([^\r\n]*)/gim),
    (match) => match[1] ?? '',
  );
}

function digitsOf(number: string): string {
  return number.replace(/\D/g, '');
}
