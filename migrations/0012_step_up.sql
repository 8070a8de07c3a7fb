-- Step-up, changes of addresses, and the notices that tell an account's owner of them.

alter table sessions
  add column proofs jsonb not null default '{}'; -- how it was proved in this session, and when: {"email": "2026-…"}

alter table verifications
  add column session_id uuid, -- link and step_up: only this session may finish it
  add column replaces_identity_id uuid; -- link: the address that the proved one takes the place of

alter table users
  add column locale text, -- the language of the account's first proof; notices are written in it
  add column password_changed_at timestamptz,
  add column known_agents text[] not null default '{}'; -- short hashes of the programs it was signed in with, the last 20
-- Administrators' sessions end sooner: they are found without a look at everybody.
create index users_administrators on users (tenant_id, id) where role = 'admin';

-- What an account's owner is to be told, written by the statement of the event itself. The worker makes messages of
-- it, so that no hot statement has to know where they go. Its link ("this was not me") works once, for 72 hours; the
-- link's secret is derived, never stored.
create table notices (
  tenant_id uuid not null,
  id uuid not null,
  user_id uuid not null,
  kind text not null,
  session_id uuid, -- where it happened
  used_kind text, -- the address by which it happened is told only where there is no other
  used_value text,
  details jsonb not null default '{}',
  created_at timestamptz not null,
  expires_at timestamptz not null,
  told_at timestamptz, -- its messages are in the outbox
  disputed_at timestamptz, -- somebody said: this was not me
  primary key (tenant_id, id),
  foreign key (tenant_id, user_id) references users (tenant_id, id) on delete cascade
) with (fillfactor = 80);
create index notices_untold on notices (created_at) where told_at is null;
create index notices_user on notices (tenant_id, user_id);
create index notices_expiry on notices (expires_at);
