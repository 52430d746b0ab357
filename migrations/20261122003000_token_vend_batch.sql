-- Many counts at once are put down as they come, a row for hundreds of them, and added to token_vend when their minute is
-- over: a row of token_vend is then written once a minute, and not every half second.
create table token_vend_batch (
    -- Ascends with time.
    token_vend_batch_id uuid primary key,
    -- Of which connections: what is added up at once is all that there is of them.
    shard smallint not null,
    written_at timestamptz not null,
    -- Columns of token_vend, each with as many elements.
    tenant_ids uuid[] not null,
    connection_ids uuid[] not null,
    api_key_ids text[] not null,
    minutes timestamptz[] not null,
    outcomes text[] not null,
    vends bigint[] not null,
    first_at timestamptz[] not null,
    last_at timestamptz[] not null
);

-- Random ids and times do not get shorter, and are gone in a minute.
alter table token_vend_batch
    alter tenant_ids set storage external, alter connection_ids set storage external, alter api_key_ids set storage external,
    alter minutes set storage external, alter outcomes set storage external, alter vends set storage external,
    alter first_at set storage external, alter last_at set storage external;

alter table token_vend_batch enable row level security;
alter table token_vend_batch force row level security;
create policy named_actor on token_vend_batch using (current_setting('app.actor', true) = 'engine');
