-- Sessions that a person's devices share, the devices that joined them, and chats that follow their person.

alter table sessions add column shared boolean not null default false; -- one token for every device of its owner
-- The rule itself: an account has one shared session at a time, whatever two sign-ins do at once.
create unique index sessions_shared on sessions (tenant_id, user_id) where shared and revoked_at is null;

alter table devices add column joined_session_id uuid; -- the shared session that this device lives in beside its first one
create index devices_joined on devices (tenant_id, joined_session_id) where joined_session_id is not null;
create index devices_chat on devices (tenant_id, telegram_chat_id) where telegram_chat_id is not null;

-- The code that a chat waits for: only the chat that asked for it can use it there.
create table chat_challenges (
  tenant_id uuid not null,
  chat_id bigint not null,
  verification_id uuid not null,
  primary key (tenant_id, chat_id)
);

-- An account has one chat at a time. Two that prove its number at once: one after the other.
create unique index telegram_chats_current on telegram_chats (tenant_id, user_id) where user_id is not null;

-- When an account's chat changed: the earlier one may undo it, once, for a while.
create table chat_moves (
  tenant_id uuid not null,
  id uuid not null,
  user_id uuid not null,
  from_chat_id bigint not null,
  to_chat_id bigint not null,
  moved_at timestamptz not null,
  undo_until timestamptz not null,
  undone_at timestamptz,
  primary key (tenant_id, id),
  foreign key (tenant_id, user_id) references users (tenant_id, id) on delete cascade
);
create index chat_moves_user on chat_moves (tenant_id, user_id, moved_at);
