//! The sealed secrets, for whoever seals them anew (`rewrap`).

use sqlx::PgExecutor;

use super::StoreError;
use crate::{
    domain::ids::{TenantId, WebhookEndpointId},
    store::rewrap::{BATCH, swap_by_id},
};

#[derive(Debug)]
pub(crate) struct SealedSecrets {
    pub(crate) webhook_endpoint_id: WebhookEndpointId,
    pub(crate) tenant_id: Option<TenantId>,
    pub(crate) secrets_sealed: Vec<u8>,
}

pub(crate) async fn list(
    db: impl PgExecutor<'_>,
    after: Option<WebhookEndpointId>,
) -> Result<Vec<SealedSecrets>, StoreError> {
    Ok(sqlx::query_as!(
        SealedSecrets,
        r#"select webhook_endpoint_id as "webhook_endpoint_id: WebhookEndpointId", tenant_id as "tenant_id: TenantId", secrets_sealed
           from webhook_endpoint
           where webhook_endpoint_id > coalesce($1, '00000000-0000-0000-0000-000000000000'::uuid)
           order by webhook_endpoint_id limit $2"#,
        after as Option<WebhookEndpointId>,
        BATCH,
    )
    .fetch_all(db)
    .await?)
}

swap_by_id!(
    update,
    WebhookEndpointId,
    "update webhook_endpoint e set secrets_sealed = s.new
     from unnest($1::uuid[], $2::bytea[], $3::bytea[]) s (webhook_endpoint_id, old, new)
     where e.webhook_endpoint_id = s.webhook_endpoint_id and e.secrets_sealed = s.old"
);
