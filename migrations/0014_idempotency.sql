-- Requests that carried an Idempotency-Key: who answers one now, and for a day what was answered.
create table idempotent_requests (
  tenant_id uuid not null,
  id bytea not null, -- keyed hash of route, caller and key
  fingerprint bytea not null, -- keyed hash of the body
  claim uuid not null, -- the request that answers it
  lease_until timestamptz not null, -- a claim without an answer after this was left behind by a process that died
  expires_at timestamptz not null,
  answer_sealed bytea, -- null: still being answered
  primary key (tenant_id, id)
) with (fillfactor = 80);
create index idempotent_requests_expiry on idempotent_requests (expires_at);
