-- The audit trail shows tampering: the worker gives each event its place in its tenant's chain, after the fact, so that
-- no sign-in waits for it. What is personal enters the chain only as a salted hash and can be erased without breaking it.

alter table audit_events
  add column position bigint, -- null: not chained yet
  add column personal_salt bytea, -- with it personal_hash can be checked; destroyed with the personal data
  add column personal_hash bytea,
  add column erased_by uuid; -- the event that tells of the erasure

create index audit_events_unchained on audit_events (tenant_id, at, id) where position is null;
-- Filled when an event is chained: they cost a sign-in nothing.
create unique index audit_events_position on audit_events (tenant_id, position) where position is not null;
create index audit_events_actor on audit_events (tenant_id, actor, position) where position is not null;
create index audit_events_subject on audit_events (tenant_id, subject, position) where position is not null;

create table audit_heads (
  tenant_id uuid not null primary key,
  position bigint not null, -- of the last event of the chain; 0: none yet
  hash bytea not null,
  pruned_position bigint not null default 0, -- events up to here were removed by the retention
  pruned_hash bytea not null,
  seal bytea not null -- keyed with the deployment's secret: whoever can only write the database cannot make one
);
