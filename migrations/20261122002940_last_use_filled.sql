-- Blocks nobody who reads.
select set_config('app.actor', 'engine', true);
update connection set last_used_day = (last_used_at at time zone 'utc')::date - date '1970-01-01'
where last_used_at is not null and last_used_day = 0;
update organization o set last_used_day = used.day
from (select tenant_id, organization_id, max(last_used_day) as day from connection
      where last_used_day > 0 group by tenant_id, organization_id) used
where o.tenant_id = used.tenant_id and o.organization_id = used.organization_id and o.last_used_day < used.day;
select set_config('app.actor', '', true);
