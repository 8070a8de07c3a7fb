-- Fixed codes for test addresses: how often each was used, and what came of them. The codes themselves stand sealed in
-- the tenant's settings; an entry has a new id whenever it gets a new code.

create table test_address_uses (
  tenant_id uuid not null,
  entry_id uuid not null,
  used integer not null default 0,
  last_used_at timestamptz,
  primary key (tenant_id, entry_id)
);

alter table verifications add column test_entry uuid; -- its code is the fixed one of this entry; nothing was sent
alter table users add column test_entry uuid; -- made by a fixed code, and gone with its entry; null: a real account

-- The few of them are found without a look at everybody.
create index users_test on users (tenant_id, test_entry) where test_entry is not null;
