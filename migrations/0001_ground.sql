-- The ground: tenants, users, identities, verifications, budgets, sessions, devices, keys, messages, audit.
-- The same tables stand in the control database and in the database of each market; tenants and api_keys are
-- filled in the control database only. Every tenant-owned key begins with tenant_id.

create table tenants (
  id uuid primary key,
  slug text not null unique check (slug ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
  name text not null,
  kind text not null default 'application' check (kind in ('application', 'market')),
  phone_prefixes text[] not null default '{}',
  hosts text[] not null default '{}',
  database text,
  locale text not null default 'en',
  settings jsonb not null default '{}',
  branding jsonb not null default '{}',
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);

create table api_keys (
  id uuid primary key,
  tenant_id uuid references tenants (id) on delete cascade, -- null: every tenant of the deployment
  name text not null,
  scopes text[] not null,
  key_hash bytea not null unique,
  created_at timestamptz not null default now(),
  last_used_at timestamptz,
  revoked_at timestamptz
);

create table users (
  tenant_id uuid not null,
  id uuid not null,
  role text not null default 'user',
  first_name text,
  last_name text,
  username text,
  custom_fields jsonb not null default '{}',
  password_hash text,
  is_active boolean not null default false,
  is_verified boolean not null default false,
  is_disabled boolean not null default false,
  live_sessions int not null default 0, -- is_active is true while this is above zero
  epoch int not null default 0,
  verification_id uuid, -- the proof that made this account; null for an imported one
  last_login timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (tenant_id, id)
) with (fillfactor = 80);
create unique index users_username on users (tenant_id, lower(username)) where username is not null;

create table identities (
  tenant_id uuid not null,
  kind text not null check (kind in ('phone', 'email', 'telegram')),
  value text not null,
  id uuid not null,
  user_id uuid not null,
  as_entered text not null,
  verified_at timestamptz, -- null only for an imported address that nobody has proved yet
  created_at timestamptz not null,
  primary key (tenant_id, kind, value),
  foreign key (tenant_id, user_id) references users (tenant_id, id) on delete cascade
);
create index identities_user on identities (tenant_id, user_id);

create table verifications (
  tenant_id uuid not null,
  id uuid not null,
  handle_hash bytea not null,
  purpose text not null check (purpose in ('sign_in', 'register', 'recover', 'link', 'step_up')),
  channel text not null,
  kind text not null,
  value text not null,
  as_entered text not null,
  locale text not null,
  code_hash bytea not null,
  code_sealed bytea, -- so that a resend carries the same code; wiped once used
  code_length smallint not null,
  attempts smallint not null default 0,
  max_attempts smallint not null,
  sends smallint not null default 1,
  user_id uuid, -- link and step_up: whose
  created_at timestamptz not null,
  last_sent_at timestamptz not null,
  expires_at timestamptz not null,
  consumed_at timestamptz,
  primary key (tenant_id, id),
  check (attempts <= max_attempts),
  check (expires_at <= created_at + interval '600 seconds')
) with (fillfactor = 80);
create index verifications_address on verifications (tenant_id, kind, value);

-- One row an address: what was sent to it and what was guessed wrong for it. It survives resend, channel, purpose
-- and alias, and it is the row that every send and every check of the address locks first.
create table address_budgets (
  tenant_id uuid not null,
  kind text not null,
  value text not null,
  sent_at timestamptz[] not null default '{}',
  failed_at timestamptz[] not null default '{}',
  failures_in_a_row int not null default 0,
  taken_by uuid not null, -- the verification (or resend) that took the last place among the sends
  primary key (tenant_id, kind, value)
) with (fillfactor = 70);

-- Counters of callers. Unlogged: they cost no disk flush, and a crash of PostgreSQL only forgives.
create unlogged table buckets (
  key text primary key,
  window_ends_at timestamptz not null,
  count int not null
) with (fillfactor = 70);

create table devices (
  tenant_id uuid not null,
  id uuid not null,
  user_id uuid not null,
  kind text not null,
  name text not null,
  telegram_chat_id bigint,
  user_agent text,
  last_ip text,
  first_seen timestamptz not null,
  last_seen timestamptz not null,
  primary key (tenant_id, id),
  foreign key (tenant_id, user_id) references users (tenant_id, id) on delete cascade
) with (fillfactor = 80);

create table sessions (
  tenant_id uuid not null,
  id uuid not null,
  user_id uuid not null,
  device_id uuid not null,
  style text not null check (style in ('jwt', 'opaque')),
  counter int not null default 0, -- which refresh token is the live one; the tokens themselves are never stored
  rotated_at timestamptz,
  amr text[] not null,
  created_at timestamptz not null,
  last_used_at timestamptz not null,
  expires_at timestamptz not null,
  revoked_at timestamptz,
  revoke_reason text,
  primary key (tenant_id, id),
  foreign key (tenant_id, user_id) references users (tenant_id, id) on delete cascade,
  foreign key (tenant_id, device_id) references devices (tenant_id, id) on delete cascade
) with (fillfactor = 80);
create index sessions_user on sessions (tenant_id, user_id) where revoked_at is null;
create index sessions_revoked on sessions (revoked_at) where revoked_at is not null;
create index sessions_expiry on sessions (expires_at) where revoked_at is null;

create table signing_keys (
  tenant_id uuid not null,
  kid text not null,
  alg text not null,
  private_key_sealed bytea not null,
  public_jwk jsonb not null,
  state text not null check (state in ('next', 'active', 'retiring', 'retired')),
  created_at timestamptz not null,
  not_before timestamptz not null, -- signs from then on; published before
  retire_at timestamptz, -- verifies until then
  primary key (tenant_id, kid)
);
create unique index signing_keys_active on signing_keys (tenant_id) where state = 'active';
create unique index signing_keys_next on signing_keys (tenant_id) where state = 'next';

create table messages (
  tenant_id uuid not null,
  id uuid not null,
  verification_id uuid,
  channel text not null,
  template text not null,
  locale text not null,
  payload_sealed bytea, -- wiped once the state is final
  state text not null check (state in ('queued', 'sending', 'sent', 'delivered', 'failed', 'abandoned')),
  attempts smallint not null default 0,
  due_at timestamptz not null,
  expires_at timestamptz not null,
  lease_until timestamptz,
  leased_by uuid,
  provider text,
  provider_message_id text,
  error text,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  primary key (tenant_id, id)
) with (fillfactor = 80);
create index messages_due on messages (due_at) where state in ('queued', 'sending');

create table audit_events (
  tenant_id uuid not null,
  id uuid not null,
  action text not null,
  actor text not null,
  subject text,
  ip text,
  user_agent text,
  at timestamptz not null,
  data jsonb not null default '{}',
  previous_hash bytea,
  hash bytea,
  primary key (tenant_id, id)
);

-- Development mode only: what would have gone out. Sealed like everything that carries a code.
create table dev_inbox (
  id uuid primary key,
  tenant_id uuid not null,
  recipient text not null,
  sealed bytea not null,
  created_at timestamptz not null
);
create index dev_inbox_recipient on dev_inbox (recipient, id desc);
