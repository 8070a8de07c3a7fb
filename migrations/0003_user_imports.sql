-- Imports of existing users: how far each file has come, written in the transaction of each batch, so that a killed
-- import goes on exactly where it stopped.

create table user_imports (
  tenant_id uuid not null,
  id uuid not null,
  file_hash bytea not null, -- SHA-256 of the file
  file_name text not null,
  rows_done bigint not null default 0, -- rows of the file, from its beginning, whose outcome is committed
  imported bigint not null default 0,
  refused bigint not null default 0,
  report_bytes bigint not null default 0, -- as much of the report belongs to those rows
  started_at timestamptz not null,
  updated_at timestamptz not null,
  finished_at timestamptz,
  primary key (tenant_id, id)
);
create unique index user_imports_unfinished on user_imports (tenant_id, file_hash) where finished_at is null;
