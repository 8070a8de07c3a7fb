-- Signing in by Telegram: links that a browser begins and the bot confirms, and signed data that works once. All of
-- them are short-lived and swept.

create table telegram_links (
  tenant_id uuid not null,
  id uuid not null,
  handle_hash bytea not null, -- of what the browser holds
  payload_hash bytea not null, -- of what the link carries into Telegram
  purpose text not null check (purpose in ('sign_in', 'link')),
  user_id uuid, -- link: the account that asks for it
  state text not null default 'waiting'
    check (state in ('waiting', 'opened', 'matched', 'confirmed', 'completed', 'denied', 'burned')),
  mismatches smallint not null default 0,
  opened_by bigint, -- the Telegram account that opened it: nobody else may answer
  first_name text, -- as Telegram told them when it was opened
  last_name text,
  username text,
  device_name text not null, -- what the question in Telegram says of the browser
  ip text not null,
  created_at timestamptz not null,
  expires_at timestamptz not null,
  primary key (tenant_id, id),
  check (expires_at <= created_at + interval '600 seconds'),
  check ((opened_by is null) = (state = 'waiting')),
  check ((user_id is null) = (purpose = 'sign_in'))
) with (fillfactor = 80);
create unique index telegram_links_payload on telegram_links (tenant_id, payload_hash);
create index telegram_links_expiry on telegram_links (expires_at);

-- Mini App and widget data that has signed somebody in. It is refused by its age once it is older than this row lives.
create table telegram_login_data (
  tenant_id uuid not null,
  data_hash bytea not null,
  expires_at timestamptz not null,
  primary key (tenant_id, data_hash)
);
create index telegram_login_data_expiry on telegram_login_data (expires_at);
