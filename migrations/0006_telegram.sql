-- Telegram: the bot of each tenant, the private chats it knows, and which updates have had their effect.

-- In the control database alone. A row without a token is the bot that the configuration names.
create table telegram_bots (
  tenant_id uuid primary key,
  bot_id bigint not null,
  username text, -- as Telegram last told it
  token_sealed bytea,
  setup_hash bytea, -- of the webhook, commands and descriptions that Telegram was last told
  leased_by uuid, -- the one server that speaks to Telegram for it: sets it up, or polls it
  leased_until timestamptz,
  updated_at timestamptz not null
);
-- Two tenants with one bot would see each other's people.
create unique index telegram_bots_bot on telegram_bots (bot_id);

create table telegram_chats (
  tenant_id uuid not null,
  chat_id bigint not null,
  telegram_user_id bigint not null,
  first_name text,
  last_name text,
  username text,
  language text,
  blocked_at timestamptz, -- the person stopped the bot: nothing reaches this chat
  user_id uuid, -- the account that this chat currently belongs to
  linked_at timestamptz,
  first_seen timestamptz not null,
  last_seen timestamptz not null,
  primary key (tenant_id, chat_id)
);
create index telegram_chats_user on telegram_chats (tenant_id, user_id) where user_id is not null;

-- Telegram delivers at least once. A row is leased while its update is handled, and done once that is committed.
create table telegram_updates (
  tenant_id uuid not null,
  update_id bigint not null,
  attempts smallint not null default 1,
  leased_until timestamptz not null,
  done_at timestamptz,
  received_at timestamptz not null,
  primary key (tenant_id, update_id)
);
create index telegram_updates_received on telegram_updates (received_at);

-- Who named the account: an application passing on what it was told, Telegram itself, or the owner.
alter table users add column named_by text check (named_by in ('telegram', 'owner'));
