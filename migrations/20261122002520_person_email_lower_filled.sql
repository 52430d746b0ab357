-- Blocks nobody who reads.
select set_config('app.actor', 'engine', true);
update person set email_lower = lower(email);
select set_config('app.actor', '', true);
