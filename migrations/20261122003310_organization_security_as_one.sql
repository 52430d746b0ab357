-- As for connections.
alter policy named_actor on organization using ((select current_setting('app.actor', true) in ('engine', 'operator')));
