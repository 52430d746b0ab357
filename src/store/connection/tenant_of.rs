//! Whose a connection is, for what is put on record without its row at hand.

use sqlx::PgExecutor;

use crate::{
    domain::ids::{ConnectionId, TenantId},
    store::StoreError,
};

pub(crate) async fn find(db: impl PgExecutor<'_>, connection_id: ConnectionId) -> Result<Option<TenantId>, StoreError> {
    Ok(sqlx::query_scalar!(
        r#"select tenant_id as "tenant_id: TenantId" from connection where connection_id = $1"#,
        connection_id as ConnectionId,
    )
    .fetch_optional(db)
    .await?)
}
