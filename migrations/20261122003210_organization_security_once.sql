-- As for connections.
alter policy named_tenant on organization using (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid));
alter policy named_actor on organization using ((select current_setting('app.actor', true)) = any (array['engine', 'operator']));
