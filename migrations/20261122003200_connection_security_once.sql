-- Who asks is looked up once a statement, and not once a row: in a list of thousands that was most of the work. What may be
-- seen is as before.
alter policy named_tenant on connection using (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid));
alter policy named_actor on connection using ((select current_setting('app.actor', true)) = any (array['engine', 'operator']));
