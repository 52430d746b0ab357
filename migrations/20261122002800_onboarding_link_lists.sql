-- Lists begin with the links that are open, then come those that have ended, each part newest first, and go on after a
-- position. Whatever asks for one state walks an index as well: of those that are open there are few.
create index onboarding_link_open on onboarding_link (tenant_id, created_at, onboarding_link_id) where ended_at is null;
create index onboarding_link_ended on onboarding_link (tenant_id, created_at, onboarding_link_id) where ended_at is not null;
create index onboarding_link_ended_by_state on onboarding_link (tenant_id, state, created_at, onboarding_link_id)
    where ended_at is not null;
drop index onboarding_link_by_tenant;
