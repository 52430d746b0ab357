//! Whether every key that stored values need is there (security.md R-23).

use super::Finding;
use crate::{app, clock::Clock, config::Config, store::StoreError, vault::rewrap};

const AREA: &str = "keys";

/// Asks the database, which has been found to be well.
pub(super) async fn examine(config: &Config, clock: &Clock) -> Vec<Finding> {
    let pools = match app::open_database(config, clock).await {
        Ok(pools) => pools,
        Err(error) => {
            return vec![Finding::wrong(AREA, format!("cannot be compared with what is stored: {error}"), "see above")];
        }
    };
    let missing = rewrap::missing_keys(&pools, &app::key_ring(config)).await;
    pools.close().await;
    match missing {
        Ok(missing) if missing.is_empty() => vec![Finding::well(AREA, "all that is stored has its key")],
        Ok(missing) => missing
            .into_iter()
            .map(|key| {
                let found = format!("`{}` is not in ENCRYPTION_KEYS, and {} stored values need it", key.id, key.values);
                let cure = "put it back behind the first key, then run `login-with-zoho keys rewrap` before it goes";
                Finding::wrong(AREA, found, cure)
            })
            .collect(),
        Err(error) if error.lacks_schema() => {
            vec![Finding::note("database", "has no schema yet", "`serve` makes it, or `login-with-zoho migrate`")]
        }
        Err(StoreError::Database(_) | StoreError::Inconsistent(_)) => {
            vec![Finding::wrong(AREA, "cannot be compared with what is stored", "see Postgres's log, then ask again")]
        }
    }
}
