-- Sign-up with a password: what a person typed waits here, its password already hashed, until the address is proved.
-- Never an account and never a reservation: several may wait for one address, and the first proof removes them all.

create table pending_registrations (
  tenant_id uuid not null,
  id uuid not null,
  kind text not null check (kind in ('phone', 'email')),
  value text not null,
  registration_data jsonb not null default '{}', -- first_name, last_name, username, role, custom_fields
  password_hash text, -- salted per address, so that equal passwords of one address are equal here
  created_at timestamptz not null,
  updated_at timestamptz not null,
  expires_at timestamptz not null,
  primary key (tenant_id, id),
  check (expires_at <= updated_at + interval '24 hours')
) with (fillfactor = 80);
create index pending_registrations_address on pending_registrations (tenant_id, kind, value);
-- The same password for the same address is the same holder: their registration is updated, not doubled.
create unique index pending_registrations_holder on pending_registrations (tenant_id, kind, value, password_hash);
create index pending_registrations_expiry on pending_registrations (expires_at);

alter table verifications
  add column pending_registration_id uuid, -- register: what its proof completes
  add column vouches_password boolean not null default false, -- whoever started it typed the waiting password
  add column is_decoy boolean not null default false, -- no code fits it and none was sent; it counts like any other
  add column reset_at timestamptz; -- recover: when its proof was spent on a new password

-- When somebody last typed another password than the waiting one for this address.
alter table address_budgets add column contested_at timestamptz;
