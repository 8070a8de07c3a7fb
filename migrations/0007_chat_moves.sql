-- Sessions that a person's devices share, and the devices that joined them.

alter table sessions add column shared boolean not null default false; -- one token for every device of its owner
-- The rule itself: an account has one shared session at a time, whatever two sign-ins do at once.
create unique index sessions_shared on sessions (tenant_id, user_id) where shared and revoked_at is null;

alter table devices add column joined_session_id uuid; -- the shared session that this device lives in beside its first one
create index devices_joined on devices (tenant_id, joined_session_id) where joined_session_id is not null;
create index devices_chat on devices (tenant_id, telegram_chat_id) where telegram_chat_id is not null;
