-- Wrong codes close an address only where whoever began the code has paid for it (C11).

-- Was it begun by somebody who solved a challenge, or is known? Then its wrong codes count toward the hundred.
-- It takes the place of is_unchallenged, which stays for servers of the version before and goes with a later migration.
alter table verifications add column closes_address boolean not null default false;

-- Wrong codes since the last right one, of codes that anybody may have asked for.
alter table address_budgets add column strangers_in_a_row int not null default 0;
