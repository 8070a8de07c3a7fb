-- Guards against guessing, toll fraud and repetition.

-- Who started a verification (the caller's network), and whether a challenge was put to them that they did not solve.
alter table verifications
  add column started_by text,
  add column holder_tries smallint not null default 0, -- wrong codes typed with its handle, or from where it was started
  add column is_unchallenged boolean not null default true; -- false: failures count for the hour, not toward the 100

-- When an address was closed after too many wrong codes in a row.
alter table address_budgets add column closed_at timestamptz;

-- Which devices and networks are an account's own.
create index devices_user on devices (tenant_id, user_id);

-- Messages that cost money: how many went out and what they were reckoned to cost, by number range, country and tenant;
-- and, under keys that begin with `ledger:`, for each day what every country took. Kept in the control database.
create table toll_counters (
  tenant_id uuid not null,
  key text not null,
  window_ends_at timestamptz not null,
  used bigint not null,
  granted bigint not null, -- what the last statement that asked was given
  asked bigint not null,
  most bigint not null,
  primary key (tenant_id, key)
) with (fillfactor = 70);

-- Number ranges to which nothing is sent for a while, because what was sent there was hardly ever typed.
create table toll_blocks (
  tenant_id uuid not null,
  prefix text not null,
  blocked_until timestamptz not null,
  sent int not null,
  verified int not null,
  primary key (tenant_id, prefix)
);
