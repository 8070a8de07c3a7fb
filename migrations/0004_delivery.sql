-- Fall-back: a message has a plan of channels and tells what was tried; every handing-over to a provider is a row of
-- its own, which delivery reports, costs and conversion are counted by.

alter table messages
  add column plan text[] not null default '{}', -- the channels in their order; `channel` is the one whose turn it is
  add column tried text[] not null default '{}', -- providers that have failed for this channel
  add column sends smallint not null default 0, -- how often a provider was handed it or refused it
  add column delivered_at timestamptz, -- a provider has told so, of whichever of its sends
  add column next_channel_at timestamptz; -- sent, and a channel is left: silence until then makes it the next one's turn
update messages set plan = array[channel];
create index messages_silence on messages (next_channel_at) where next_channel_at is not null;
create index messages_verification on messages (tenant_id, verification_id) where verification_id is not null;

create table message_sends (
  tenant_id uuid not null,
  message_id uuid not null,
  place smallint not null, -- the first, second … of its message
  verification_id uuid,
  channel text not null,
  provider text not null,
  provider_message_id text,
  -- refused: never taken. failed: taken, and reported as not delivered. States never go backwards.
  state text not null check (state in ('sent', 'delivered', 'failed', 'refused')),
  error text,
  country text, -- of a phone, ISO 3166-1 alpha-2
  prefix text, -- of a phone: all but its last four digits, seven digits at most
  price numeric(12, 6) not null default 0,
  took_milliseconds int not null, -- until the provider had answered
  sent_at timestamptz not null,
  reported_at timestamptz,
  primary key (tenant_id, message_id, place)
) with (fillfactor = 90);
create index message_sends_report on message_sends (provider, provider_message_id)
  where provider_message_id is not null;
create index message_sends_time on message_sends using brin (sent_at);

-- What cannot be reached in a way, as a provider has told; forgotten again after a while.
create table suppressions (
  tenant_id uuid not null,
  channel text not null,
  recipient text not null,
  provider text not null,
  error text,
  created_at timestamptz not null,
  expires_at timestamptz not null,
  primary key (tenant_id, channel, recipient)
);

-- Where the servers of a deployment agree when a provider may be asked next. Unlogged: it is about the next seconds.
create unlogged table provider_paces (
  provider text primary key,
  next_at timestamptz not null
);
