-- Removal of a person's data on request. What is left of the account is its id, so that tokens which were issued for it
-- stay refused everywhere; the worker removes that, too.
alter table users add column erased_at timestamptz;
create index users_erased on users (erased_at) where erased_at is not null;
