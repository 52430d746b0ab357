-- When it was resumed last: what waited until then is tried for a day from then on.
alter table tenant add column resumed_at timestamptz;
