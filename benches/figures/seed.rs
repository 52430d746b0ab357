//! Rows by the hundred thousand, put where the product would have put them. The import of the product proves each token
//! at Zoho first, which is right and takes longer than the figures.

use sqlx::{AssertSqlSafe, PgConnection, types::Uuid};

use crate::{Outcome, emulator::Granted, sealing::Key};

/// A connection about to be made, of a tenant, person and organization of its own or shared by the hundred.
#[derive(Debug)]
pub(crate) struct Seed {
    pub(crate) data_centre: &'static str,
    pub(crate) tokens: Granted,
    /// From now on, in seconds.
    pub(crate) access_token_lives: f64,
    pub(crate) refresh_in: f64,
}

/// Connections of one tenant.
const PER_TENANT: usize = 100;
/// Rows of one statement.
const BATCH: usize = 10_000;

/// Stores them, as if they had been used a few minutes ago; returns their ids in the same order.
pub(crate) async fn connections(
    database: &mut PgConnection,
    key: &Key,
    client_id: &str,
    seeds: &[Seed],
) -> Outcome<Vec<Uuid>> {
    let mut made = Vec::with_capacity(seeds.len());
    for batch in seeds.chunks(BATCH) {
        made.extend(insert(database, key, client_id, batch).await?);
    }
    sqlx::raw_sql("analyze tenant, person, organization, connection").execute(database).await?;
    Ok(made)
}

async fn insert(database: &mut PgConnection, key: &Key, client_id: &str, seeds: &[Seed]) -> Outcome<Vec<Uuid>> {
    let tenants: Vec<_> = (0..seeds.len().div_ceil(PER_TENANT)).map(|_| Uuid::now_v7()).collect();
    let tenant_of: Vec<_> = (0..seeds.len()).map(|index| tenants[index / PER_TENANT]).collect();
    let new_ids = || seeds.iter().map(|_| Uuid::now_v7()).collect::<Vec<_>>();
    let (people, organizations, connections) = (new_ids(), new_ids(), new_ids());
    let sealed = |column: &str, secret: fn(&Granted) -> &String| -> Vec<Vec<u8>> {
        let rows = seeds.iter().zip(&tenant_of).zip(&connections);
        rows.map(|((seed, tenant), row)| key.seal(column, *tenant, *row, secret(&seed.tokens))).collect()
    };
    sqlx::query(
        "insert into tenant (tenant_id, external_id, name, slug, created_at)
         select t, t::text, 'Tenant ' || t, t::text, now() from unnest($1::uuid[]) t",
    )
    .bind(&tenants)
    .execute(&mut *database)
    .await?;
    sqlx::query(
        "with new as (
             select * from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::bytea[], $7::bytea[],
                 $8::float8[], $9::float8[])
                 new (tenant_id, person_id, organization_id, connection_id, data_centre, refresh_token, access_token, lives, refresh_in)
         ), today as (
             select (now() at time zone 'utc')::date - date '1970-01-01' as today
         ), person as (
             insert into person (person_id, data_centre, zuid, display_name, email, created_at, signed_in_at)
             select person_id, data_centre, person_id::text, 'Ann Example', 'ann@example.com', now(), now() from new
         ), organization as (
             insert into organization (tenant_id, organization_id, data_centre, product, zoho_id, environment, name, created_at,
                 last_used_day)
             select tenant_id, organization_id, data_centre, 'assist', organization_id::text, 'production', 'Zylker', now(), today
             from new, today
         )
         insert into connection (tenant_id, connection_id, person_id, organization_id, product, data_centre, status,
             scopes_requested, scopes_granted, client_id, refresh_token_sealed, access_token_sealed, access_token_expires_at,
             token_version, health, connected_at, consented_at, refresh_at, last_used_at, last_used_day)
         select tenant_id, connection_id, person_id, organization_id, 'assist', data_centre, 'active',
             scopes, scopes, $10, refresh_token, access_token, now() + lives * interval '1 s', 1, 'ok', now(), now(),
             now() + refresh_in * interval '1 s', now() - interval '5 minutes', today
         from new, today, (select array['AaaServer.profile.READ', 'ZohoAssist.userapi.READ'] scopes) scopes",
    )
    .bind(&tenant_of)
    .bind(&people)
    .bind(&organizations)
    .bind(&connections)
    .bind(seeds.iter().map(|seed| seed.data_centre).collect::<Vec<_>>())
    .bind(sealed("connection.refresh_token_sealed", |tokens| &tokens.refresh_token))
    .bind(sealed("connection.access_token_sealed", |tokens| &tokens.access_token))
    .bind(seeds.iter().map(|seed| seed.access_token_lives).collect::<Vec<_>>())
    .bind(seeds.iter().map(|seed| seed.refresh_in).collect::<Vec<_>>())
    .bind(client_id)
    .execute(database)
    .await?;
    Ok(connections)
}

/// For lists alone: tokens that nobody will open, statuses, products and data centres as they may be mixed, one tenant
/// with a tenth of all and two thousand that share the rest. Everything but people is found again by `list-<number>`.
pub(crate) async fn list(database: &mut PgConnection, client_id: &str, count: usize) -> Outcome {
    // What these rows name is there: to check it takes longer than to insert them.
    sqlx::raw_sql("set session_replication_role = replica").execute(&mut *database).await?;
    for statement in LIST {
        sqlx::query(statement).bind(i64::try_from(count)?).bind(client_id).execute(&mut *database).await?;
    }
    // One by one: several statements at once are a transaction.
    for table in ["tenant", "person", "organization", "connection"] {
        sqlx::raw_sql(AssertSqlSafe(format!("vacuum analyze {table}"))).execute(&mut *database).await?;
    }
    Ok(())
}

/// Lets whoever signed in last see the large tenant's console, and the operators' pages.
pub(crate) async fn let_in(database: &mut PgConnection) -> Outcome {
    sqlx::raw_sql(
        "with last as (select person_id, data_centre, zuid from person order by signed_in_at desc limit 1),
         operator as (
             insert into operator (data_centre, zuid, granted_at) select data_centre, zuid, now() from last
             on conflict do nothing)
         insert into membership (tenant_id, person_id, role, created_at)
         select md5('tenant0')::uuid, person_id, 'owner', now() from last on conflict do nothing",
    )
    .execute(database)
    .await?;
    Ok(())
}

const LIST: [&str; 4] = [
    "insert into tenant (tenant_id, external_id, name, slug, created_at)
     select md5('tenant' || n)::uuid, 'list-' || n, 'Tenant ' || n, 'list-' || n, now() from generate_series(0, 2000) n
     where $1::int8 > 0 and $2::text is not null",
    "insert into person (person_id, data_centre, zuid, display_name, email, created_at, signed_in_at, email_lower)
     select md5('person' || n)::uuid, 'eu', (7700000000 + n)::text, 'Person ' || n, 'person' || n || '@example.com', now(), now(),
         'person' || n || '@example.com'
     from generate_series(1, $1::int8 / 2) n where $2::text is not null",
    // The tenant with a tenth has a few Zia Agents only. What triggers would keep is put there: people, trouble, and
    // what is searched for.
    "insert into organization (tenant_id, organization_id, data_centre, product, zoho_id, environment, name, created_at, people, trouble,
         last_used_day)
     select md5('tenant' || case n % 10 when 0 then 0 else n % 2000 + 1 end)::uuid, md5('organization' || n)::uuid, 'eu',
         (array['assist', 'salesiq', 'connect', 'crm', 'desk', 'books', 'zia_agents'])[1 +
             case when n % 10 = 0 and n % 20000 <> 0 then n / 10 % 6 else n % 7 end], 'list-' || n, 'production',
         'Organization ' || n, now(), case when n % 100 = 1 then 0 else 1 end,
         case when n % 50 = 0 then 0 when n % 100 = 1 then 7 else 6 end,
         case when n % 3 = 0 then 0 else now()::date - date '1970-01-01' - n % 400 end
     from generate_series(1, $1::int8) n where $2::text is not null",
    "insert into connection (tenant_id, connection_id, person_id, organization_id, product, data_centre, status, status_reason,
         scopes_requested, scopes_granted, client_id, refresh_token_sealed, token_version, health, connected_at, consented_at, refresh_at,
         organization_name_lower, organization_zoho_id_lower, person_email_lower, last_used_at, last_used_day)
     select md5('tenant' || case n % 10 when 0 then 0 else n % 2000 + 1 end)::uuid, md5('connection' || n)::uuid,
         md5('person' || (n / 2 + 1) % ($1::int8 / 2) + 1)::uuid, md5('organization' || n)::uuid,
         (array['assist', 'salesiq', 'connect', 'crm', 'desk', 'books', 'zia_agents'])[1 +
             case when n % 10 = 0 and n % 20000 <> 0 then n / 10 % 6 else n % 7 end], 'eu',
         case when n % 50 = 0 then 'needs_reconnect' when n % 100 = 1 then 'disconnected' else 'active' end,
         case when n % 50 = 0 then 'revoked' end, array['ZohoAssist.userapi.READ'], array['ZohoAssist.userapi.READ'], $2, '\\x00',
         1, 'ok', now(), now(), now() + interval '30 days', 'organization ' || n, 'list-' || n,
         'person' || (n / 2 + 1) % ($1::int8 / 2) + 1 || '@example.com', case when n % 3 <> 0 then now() - n % 400 * interval '1 day' end,
         case when n % 3 = 0 then 0 else now()::date - date '1970-01-01' - n % 400 end
     from generate_series(1, $1::int8) n",
];
