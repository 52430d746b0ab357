-- A Zoho user. Identity is (data_centre, zuid); the e-mail address is display only.
create table person (
    person_id uuid primary key,
    data_centre text not null,
    zuid text not null,
    display_name text not null,
    email text not null,
    created_at timestamptz not null,
    signed_in_at timestamptz not null,
    constraint person_identity unique (data_centre, zuid)
);

alter table person enable row level security;
alter table person force row level security;
create policy named_actor on person using (current_setting('app.actor', true) = 'engine');
