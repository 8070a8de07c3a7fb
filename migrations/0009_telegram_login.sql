-- Telegram's OpenID Connect login: the client that BotFather gave to a tenant. In the control database alone.

create table telegram_logins (
  tenant_id uuid primary key,
  client_id bigint not null, -- the bot's id
  secret_sealed bytea not null,
  updated_at timestamptz not null
);
