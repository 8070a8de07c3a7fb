import { formatPhone } from '../kernel/phone-countries.ts';
import type { PublicUser } from '../users/users.ts';

/** What a person is called on their own pages: their name, else an address of theirs. */
export function personName(user: PublicUser): string {
  const name = [user.first_name, user.last_name].filter((part) => part !== null).join(' ');
  const phone = user.phone === null ? null : formatPhone(user.phone);
  return name || user.username || user.email || phone || user.telegram_user_id || '';
}
