//! Which client of Zoho's a grant belongs to, and its secret: ours from the settings, or an imported
//! one that is kept sealed.

use super::seal::{OpenError, Place};
use crate::{
    app::App,
    domain::{
        data_centre::DataCentre,
        ids::{TenantId, ZohoClientId},
        secret::ClientSecret,
    },
    store::{StoreError, zoho_client},
    zoho::Client,
};

#[derive(Debug)]
pub(crate) struct Credentials {
    id: String,
    secret: ClientSecret,
}

impl Credentials {
    pub(crate) fn as_client(&self) -> Client<'_> {
        Client { id: &self.id, secret: &self.secret }
    }
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum NoCredentials {
    #[error("no client secret is set for this data centre")]
    NotSet,
    #[error("the client secret does not open")]
    Unreadable(#[from] OpenError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Our own secret is read from the settings each time, so that a corrected one counts at once.
pub(crate) async fn credentials(
    app: &App,
    tenant_id: TenantId,
    data_centre: DataCentre,
    client_id: &str,
    zoho_client_id: Option<ZohoClientId>,
) -> Result<Credentials, NoCredentials> {
    let Some(zoho_client_id) = zoho_client_id else {
        let secret = app.config.zoho.client_secret(data_centre).ok_or(NoCredentials::NotSet)?.clone();
        return Ok(Credentials { id: client_id.to_owned(), secret });
    };
    let stored = zoho_client::find(app.pools.engine(), tenant_id, zoho_client_id).await?;
    let stored = stored.ok_or(StoreError::Inconsistent("connection.zoho_client_id"))?;
    let place = Place::column(zoho_client::CLIENT_SECRET, tenant_id, zoho_client_id);
    let secret = app.keys.open_text(&place, &stored.client_secret_sealed)?;
    Ok(Credentials { id: stored.client_id, secret: ClientSecret::new(secret.as_str()) })
}
