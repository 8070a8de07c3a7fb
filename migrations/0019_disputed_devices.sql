-- A device of which the owner has said that it was not them is no device of theirs any more: its token has no share of
-- what is kept for the owner where strangers guess (S31).
alter table devices add column disputed_at timestamptz;
