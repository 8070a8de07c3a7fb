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
