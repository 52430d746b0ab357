//! Step 5: one transaction for person, client, organization, connection and audit.

use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::sync::Mutex;

use super::{
    By, Import, ImportError, Imported, OwnClient,
    identify::{Identified, Which},
    prove::Proved,
};
use crate::{
    app::App,
    domain::{
        data_centre::DataCentre,
        ids::{AuditEventId, RevocationId, TenantId, ZohoClientId},
        organization::Environment,
    },
    store::{
        StoreError,
        audit_event::{self, AuditEvent},
        connection::imported,
        organization, person,
        revocation::{self, Deleted},
        tenant,
        tx::Connection,
        zoho_client::{self, CLIENT_SECRET, NewZohoClient},
    },
    vault::{
        deposit::{Deposit, Deposited, Target, deposit},
        seal::Place,
    },
};

/// Tries again for a while: the database may be away for a moment, and of two imports of the same at
/// once one finds the other's row.
pub(super) async fn settle_soon(
    app: &App,
    tenant_id: TenantId,
    import: &Import,
    proved: &Proved,
    identified: &Identified,
    kept: Option<RevocationId>,
    by: &By,
) -> Result<Imported, ImportError> {
    let settling = Settling {
        app,
        tenant_id,
        import,
        proved,
        identified,
        kept,
        by,
        audit_event_id: AuditEventId::new(),
        now: app.clock.shared_now(),
        in_doubt: Mutex::new(None),
    };
    let policy = backon::ExponentialBuilder::default().with_min_delay(Duration::from_millis(250)).with_max_times(5);
    let settled = backon::Retryable::retry(|| settling.settle(), policy)
        .when(|error| matches!(error, ImportError::Store(StoreError::Database(_))))
        .await?;
    app.wake_revocations.notify_one();
    Ok(settled)
}

struct Settling<'a> {
    app: &'a App,
    tenant_id: TenantId,
    import: &'a Import,
    proved: &'a Proved,
    identified: &'a Identified,
    kept: Option<RevocationId>,
    by: &'a By,
    /// The same for every try, so that what was committed is found.
    audit_event_id: AuditEventId,
    now: DateTime<Utc>,
    /// What the last try came to that got as far as its commit.
    in_doubt: Mutex<Option<Imported>>,
}

impl Settling<'_> {
    async fn settle(&self) -> Result<Imported, ImportError> {
        let Self { app, tenant_id, import, proved, identified, kept, by, audit_event_id, now, ref in_doubt } = *self;
        // As engine: a person's refresh tokens are counted across tenants.
        let mut tx = app.pools.begin_as_engine().await?;
        if tenant::is_suspended_for_share(&mut *tx, tenant_id).await? {
            return Err(ImportError::Suspended);
        }
        if let Some(kept) = kept {
            match revocation::delete(&mut tx, kept).await? {
                // Gone: a commit of ours was in doubt, and did count, which the audit event shows below.
                Deleted::Now | Deleted::Gone => {}
                Deleted::TooLate => return Err(ImportError::Unavailable),
            }
        }
        let person_id = match &identified.profile {
            Some(profile) => Some(person::upsert_imported(&mut *tx, import.data_centre, profile, now).await?),
            None => None,
        };
        let zoho_client_id = match &import.client {
            Some(own) => Some(keep_client(app, &mut tx, tenant_id, import.data_centre, own, now).await?),
            None => None,
        };
        let organization_id = match &identified.organization {
            Which::One(found) => {
                let environment = identified.environment.or(import.environment).unwrap_or(Environment::Production);
                let (place, product) = (import.data_centre, import.product);
                Some(organization::upsert(&mut *tx, tenant_id, place, product, environment, found, now).await?)
            }
            Which::Choose(_) => None,
        };
        let target = match (organization_id, &identified.organization) {
            (Some(organization_id), _) => Target::Organization(organization_id),
            (None, Which::Choose(among)) => Target::Choice(among),
            (None, Which::One(_)) => return Err(StoreError::Inconsistent("organization").into()),
        };
        let calls = imported::find_token_calls(&mut *tx, tenant_id, person_id, organization_id, import.product).await?;
        let new = Deposit {
            tenant_id,
            person_id,
            person_is_new: false,
            zoho_client_id,
            product: import.product,
            data_centre: import.data_centre,
            grant: &proved.grant,
            scopes_requested: &import.scopes,
            environment: identified.environment,
            // Of a refresh token nobody tells when it was granted.
            consented_at: now,
            target,
        };
        let Deposited { connection_id, existed, had_same_token } = deposit(app, &mut tx, &new, now).await?;
        if !import.token.is_code() {
            let mut calls = if had_same_token { calls } else { Vec::new() };
            calls.push(proved.asked_at);
            imported::update_token_calls(&mut *tx, tenant_id, connection_id, &calls).await?;
        }
        let is_choosing = organization_id.is_none();
        let event = AuditEvent {
            actor: by.actor.clone(),
            action: "imported",
            outcome: if is_choosing { "choosing" } else { "done" },
            tenant_id: Some(tenant_id),
            connection_id: Some(connection_id),
            peer: by.peer.clone(),
            request_id: by.request_id,
            detail: None,
        };
        let recorded = audit_event::insert_once(&mut *tx, audit_event_id, &event, now).await?;
        let mut in_doubt = in_doubt.lock().await;
        if let (false, Some(imported)) = (recorded, *in_doubt) {
            // Everything stands, once; this try is rolled back.
            return Ok(imported);
        }
        let imported = Imported { connection_id, existed, is_choosing };
        *in_doubt = Some(imported);
        tx.commit().await?;
        Ok(imported)
    }
}

/// The row of a client that Zoho has just accepted, with this secret.
async fn keep_client(
    app: &App,
    tx: &mut Connection,
    tenant_id: TenantId,
    data_centre: DataCentre,
    own: &OwnClient,
    now: DateTime<Utc>,
) -> Result<ZohoClientId, StoreError> {
    let seal = |id| app.keys.seal(&Place::column(CLIENT_SECRET, tenant_id, id), own.secret.expose().as_bytes());
    let new_id = ZohoClientId::new();
    let sealed = seal(new_id);
    let new = NewZohoClient {
        tenant_id,
        zoho_client_id: new_id,
        data_centre,
        client_id: &own.id,
        client_secret_sealed: &sealed,
    };
    if zoho_client::insert(&mut *tx, &new, now).await? {
        return Ok(new_id);
    }
    let known = zoho_client::find_id(&mut *tx, tenant_id, data_centre, &own.id).await?;
    let known = known.ok_or(StoreError::Inconsistent("zoho_client"))?;
    zoho_client::update_secret(&mut *tx, tenant_id, known, &seal(known)).await?;
    Ok(known)
}
