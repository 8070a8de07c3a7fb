-- A message that goes on to SMS or a call pays its tolls before it leaves, whichever server sends it.
alter table messages
  add column toll_at timestamptz, -- taken for the channel whose turn it is; null: not yet, or spent by a try that may have left
  add column toll_micros bigint; -- so much of the day's money, in millionths

-- Providers whose circuit breaker is open on some server, for whoever looks into the deployment from outside.
create table provider_failures (
  provider text primary key,
  since timestamptz not null,
  last_at timestamptz not null
);
