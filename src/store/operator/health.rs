//! How the installation fares at each of Zoho's data centres.

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::PgExecutor;

use crate::{
    domain::{data_centre::DataCentre, trouble::Trouble},
    store::{
        StoreError, connection::refresh::BUDGET_SPAN, console_list::MOST_COUNTED, known, shut_gate::BELIEVED, tx::Tx,
    },
};

/// Refreshes of some minutes.
#[derive(Debug)]
pub(crate) struct Piece {
    pub(crate) data_centre: DataCentre,
    /// Which piece of the time that was asked for, the first is 0.
    pub(crate) piece: i32,
    pub(crate) refreshed: i64,
    pub(crate) failed: i64,
    pub(crate) total_ms: i64,
    pub(crate) longest_ms: i64,
}

/// What went well, and what did not, in `pieces` of so many minutes each, from `since` on.
pub(crate) async fn list_pieces(
    tx: &mut Tx,
    since: DateTime<Utc>,
    minutes: i32,
    pieces: i32,
) -> Result<Vec<Piece>, StoreError> {
    let rows = sqlx::query!(
        r#"select data_centre, floor(extract(epoch from minute - $1) / 60 / $2::integer)::integer as "piece!",
               coalesce(sum(refreshes) filter (where outcome in ('refreshed', 'ended')), 0)::bigint as "refreshed!",
               coalesce(sum(refreshes) filter (where outcome not in ('refreshed', 'ended')), 0)::bigint as "failed!",
               sum(total_ms)::bigint as "total_ms!", max(longest_ms) as "longest_ms!"
           from refresh_minute where minute >= $1 and minute < $1 + $2 * $3::integer * interval '1 minute'
           group by data_centre, 2 order by data_centre, 2"#,
        since,
        minutes,
        pieces,
    )
    .fetch_all(&mut **tx)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(Piece {
                data_centre: known(&row.data_centre, "refresh_minute.data_centre")?,
                piece: row.piece,
                refreshed: row.refreshed,
                failed: row.failed,
                total_ms: row.total_ms,
                longest_ms: row.longest_ms,
            })
        })
        .collect()
}

/// What stands at a data centre at this moment, each counted up to `MOST_COUNTED` and one.
#[derive(Debug)]
pub(crate) struct Standing {
    pub(crate) data_centre: DataCentre,
    /// Refreshes that are due.
    pub(crate) due: i64,
    pub(crate) throttled: i64,
    pub(crate) unavailable: i64,
    /// Misconfigured or unreadable.
    pub(crate) broken: i64,
    /// Replicas whose breaker is open, which show no client, or keep a distance.
    pub(crate) broken_gates: i64,
    pub(crate) misconfigured_gates: i64,
    pub(crate) slow_gates: i64,
}

pub(crate) async fn list_standing(
    tx: &mut Tx,
    data_centres: &[DataCentre],
    now: DateTime<Utc>,
) -> Result<Vec<Standing>, StoreError> {
    let keys: Vec<_> = data_centres.iter().map(|data_centre| data_centre.key().to_owned()).collect();
    let products: Vec<_> = crate::domain::product::Product::ALL.map(|product| product.key().to_owned()).to_vec();
    let rows = sqlx::query!(
        r#"select key as "key!",
               (select count(*) from (
                    select from connection c where c.status = 'active' and c.data_centre = key and c.refresh_at <= $2 limit $3) due)
                   as "due!",
               (select count(*) from (
                    select from unnest($4::text[]) p (product)
                    join connection c on c.data_centre = key and c.product = p.product and c.trouble = $5 limit $3) t) as "throttled!",
               (select count(*) from (
                    select from unnest($4::text[]) p (product)
                    join connection c on c.data_centre = key and c.product = p.product and c.trouble = $6 limit $3) t) as "unavailable!",
               (select count(*) from (
                    select from unnest($4::text[]) p (product)
                    join connection c on c.data_centre = key and c.product = p.product and c.trouble = $7 limit $3) t) as "broken!",
               (select count(*) from shut_gate g where g.data_centre = key and g.seen_at >= $8 and g.state = 'broken') as "broken_gates!",
               (select count(*) from shut_gate g where g.data_centre = key and g.seen_at >= $8 and g.state = 'misconfigured')
                   as "misconfigured_gates!",
               (select count(*) from shut_gate g where g.data_centre = key and g.seen_at >= $8 and g.state = 'slow') as "slow_gates!"
           from unnest($1::text[]) key"#,
        &keys,
        now,
        MOST_COUNTED + 1,
        &products,
        Trouble::Throttled.rank(),
        Trouble::Unavailable.rank(),
        Trouble::Broken.rank(),
        now - BELIEVED,
    )
    .fetch_all(&mut **tx)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(Standing {
                data_centre: known(&row.key, "data_centre")?,
                due: row.due,
                throttled: row.throttled,
                unavailable: row.unavailable,
                broken: row.broken,
                broken_gates: row.broken_gates,
                misconfigured_gates: row.misconfigured_gates,
                slow_gates: row.slow_gates,
            })
        })
        .collect()
}

/// A connection that comes near Zoho's limit of refreshes.
#[derive(Debug)]
pub(crate) struct HotConnection {
    pub(crate) connection_id: uuid::Uuid,
    pub(crate) product: String,
    pub(crate) tenant_name: String,
    /// Within the span that Zoho counts.
    pub(crate) calls: i64,
}

/// The index knows them from 7 calls on.
pub(crate) async fn list_hot_connections(
    db: impl PgExecutor<'_>,
    now: DateTime<Utc>,
) -> Result<Vec<HotConnection>, StoreError> {
    Ok(sqlx::query_as!(
        HotConnection,
        r#"select c.connection_id, c.product, t.name as tenant_name, counted.calls as "calls!"
           from connection c
           join tenant t using (tenant_id)
           cross join lateral (select count(*) as calls from unnest(c.token_calls) at where at > $1 and at <= $2) counted
           where cardinality(c.token_calls) >= 7 and counted.calls >= 7
           order by counted.calls desc, c.connection_id limit 20"#,
        now - BUDGET_SPAN,
        now + TimeDelta::seconds(20),
    )
    .fetch_all(db)
    .await?)
}

/// A person who comes near Zoho's limit of refresh tokens.
#[derive(Debug)]
pub(crate) struct CrowdedPerson {
    pub(crate) display_name: String,
    pub(crate) email: String,
    pub(crate) data_centre: String,
    pub(crate) tokens: i64,
}

/// Counted anew, of those that were noticed last.
pub(crate) async fn list_crowded_people(db: impl PgExecutor<'_>, from: i64) -> Result<Vec<CrowdedPerson>, StoreError> {
    Ok(sqlx::query_as!(
        CrowdedPerson,
        r#"select p.display_name, p.email, p.data_centre, counted.tokens as "tokens!"
           from (select person_id, client_id from budget_watch order by noticed_at desc limit 200) hint
           join person p using (person_id)
           cross join lateral (
               select count(*) as tokens from connection c
               where c.person_id = hint.person_id and c.client_id = hint.client_id and c.trouble between 1 and 6) counted
           where counted.tokens >= $1
           order by counted.tokens desc, p.person_id limit 20"#,
        from,
    )
    .fetch_all(db)
    .await?)
}
