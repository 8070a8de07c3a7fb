/** A user as the server shows it. */
export interface User {
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

export interface Tokens {
  access_token: string;
  token_type: 'Bearer';
  expires_in: number;
  refresh_token?: string;
  session_token?: string;
}

export interface Session {
  id: string;
  device_id: string;
  created_at: string;
  expires_at: string;
}

export interface SignedIn extends Tokens {
  success: true;
  message: string;
  user: User;
  tenant: { id: string; slug: string; name: string };
  session: Session;
  is_new_user: boolean;
  next_action?: string;
  reset_token?: string;
}

export interface VerificationSent {
  success: true;
  message: string;
  verification_id?: string;
  channel: string;
  destination: string;
  code_length: number;
  expires_in: number;
  resend_in: number;
  attempts_left: number;
}

/** How an account that lay idle can be proved in one more way; an address is masked. */
export interface ProofWay {
  method: 'phone' | 'email' | 'telegram' | 'password' | 'new_account';
  identity_id?: string;
  channel?: string;
  destination?: string;
}

/** What an account is signed in to, by phone or by chat; the token only by chat. */
export interface AuthState {
  success: true;
  authorized: boolean;
  phone: string | null;
  user: User | null;
  session: Session | null;
  chat_id?: string;
  access_token?: string;
  expires_in?: number;
  moved_at?: string | null;
  held_until?: string | null;
}
