-- People who run the installation, named by command before or after their first sign-in. Those of
-- the OPERATORS setting are not here.
create table operator (
    data_centre text not null,
    zuid text not null,
    granted_at timestamptz not null,
    primary key (data_centre, zuid)
);

alter table operator enable row level security;
alter table operator force row level security;
create policy named_actor on operator using (current_setting('app.actor', true) = 'engine');
