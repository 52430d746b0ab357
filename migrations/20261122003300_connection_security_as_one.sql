-- Whether an actor sees every row is one answer a statement: as a comparison a row, the planner takes it that hardly a row is
-- seen, and sorts thousands where it could walk to the first fifty. What may be seen is as before.
alter policy named_actor on connection using ((select current_setting('app.actor', true) in ('engine', 'operator')));
