//! Importing a token that Zoho granted elsewhere: to a self client, or before this program was there
//! (design.md §6, `zoho-oauth.md` §12).
//!
//! 1. **Check** (`check`): what cannot work is refused before Zoho is asked and a code is spent.
//! 2. **Prove** (`prove`): a code is exchanged once (`store/imported_code.rs`), without a redirect URI; a refresh token is
//!    refreshed once. In a task that outlives the caller (security.md D-5).
//! 3. **Keep** (`keep`): what came of a code is committed as a token to be revoked, before anything
//!    slower is asked. Whoever dies from here on loses nothing: it is revoked, or connected.
//! 4. **Identify** (`identify`): the person, if the profile scope was granted, and the organization.
//! 5. **Settle** (`settle`): one transaction for person, client, organization, connection and audit.
//!
//! A refresh token that was given to us is never revoked by a failure: somebody else may be using it.

mod check;
pub(crate) mod draft;
mod identify;
mod keep;
mod objection;
mod prove;
mod settle;

use std::{sync::Arc, time::Duration};

use subtle::ConstantTimeEq as _;

use crate::{
    app::App,
    config::Config,
    domain::{
        data_centre::DataCentre,
        ids::{ConnectionId, RequestId, TenantId},
        organization::{Environment, ZohoOrganizationId},
        product::Product,
        scope::ScopeSet,
        secret::{AuthorizationCode, ClientSecret, RefreshToken},
        tenant::Standing,
    },
    store::{
        StoreError,
        audit_event::{self, Actor, AuditEvent},
        tenant,
    },
    telemetry::chain,
};

pub(crate) use check::check;
pub(crate) use objection::Objection;

/// What is to be imported.
#[derive(Debug, Clone)]
pub(crate) struct Import {
    pub(crate) product: Product,
    pub(crate) data_centre: DataCentre,
    /// What the token was granted for, as far as the caller knows; Zoho's own word outweighs it.
    pub(crate) scopes: ScopeSet,
    pub(crate) organization: Option<GivenOrganization>,
    /// As the caller knows it, where Zoho's answer does not tell.
    pub(crate) environment: Option<Environment>,
    /// Absent: the token belongs to our own client.
    pub(crate) client: Option<OwnClient>,
    pub(crate) token: Token,
}

#[derive(Debug, Clone)]
pub(crate) struct GivenOrganization {
    pub(crate) id: ZohoOrganizationId,
    pub(crate) name: Option<String>,
}

/// A client of Zoho's console that is not ours.
#[derive(Debug, Clone)]
pub(crate) struct OwnClient {
    pub(crate) id: String,
    pub(crate) secret: ClientSecret,
}

#[derive(Debug, Clone)]
pub(crate) enum Token {
    /// Made in Zoho's console; lives for minutes and works once.
    SelfClientCode(AuthorizationCode),
    RefreshToken(RefreshToken),
}

impl Token {
    const fn is_code(&self) -> bool {
        matches!(self, Self::SelfClientCode(_))
    }
}

/// Who imports.
#[derive(Debug, Clone)]
pub(crate) struct By {
    pub(crate) actor: Actor,
    pub(crate) request_id: Option<RequestId>,
    pub(crate) peer: Option<String>,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Imported {
    pub(crate) connection_id: ConnectionId,
    /// It was there before, and has this token now.
    pub(crate) existed: bool,
    /// Zoho lists several organizations, and the code that was spent cannot be asked again.
    pub(crate) is_choosing: bool,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum ImportError {
    /// What was given does not work; nothing but other values helps.
    #[error(transparent)]
    Refused(#[from] Objection),
    #[error("the tenant is suspended")]
    Suspended,
    #[error("zoho does not accept the client, or not its secret")]
    Misconfigured,
    #[error("zoho throttles these requests")]
    Throttled { retry_after: Option<Duration> },
    #[error("zoho is unavailable")]
    Unavailable,
    #[error("zoho's answer makes no sense")]
    Misbehaved,
    /// Too many codes and tokens of this peer were dead.
    #[error("too many imports of this peer failed")]
    TooManyFailures { retry_after: Duration },
    #[error("too many imports are under way")]
    Busy,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl ImportError {
    /// The class, as logs and the audit trail name it.
    pub(crate) const fn class(&self) -> &'static str {
        match self {
            Self::Refused(objection) => objection.class(),
            Self::Suspended => "tenant_suspended",
            Self::Misconfigured => "misconfigured",
            Self::Throttled { .. } => "throttled",
            Self::Unavailable => "unavailable",
            Self::Misbehaved => "misbehaved",
            Self::TooManyFailures { .. } => "too_many_failures",
            Self::Busy => "busy",
            Self::Store(_) => "store",
        }
    }
}

/// Imports. What has begun is finished, whatever becomes of the caller.
pub(crate) async fn import(
    app: &Arc<App>,
    tenant_id: TenantId,
    mut import: Import,
    by: By,
) -> Result<Imported, ImportError> {
    import.client = import.client.filter(|client| !is_ours(&app.config, import.data_centre, client));
    // Before a code is spent; what is suspended meanwhile is found out when it is settled.
    if tenant::find_standing(app.pools.engine(), tenant_id).await? != Some(Standing::Active) {
        return Err(ImportError::Suspended);
    }
    check(&app.config, &import)?;
    let peer = by.peer.clone();
    if let Some(retry_after) = peer.as_deref().and_then(|peer| app.limits.failed_exchanges.exceeded(peer)) {
        return Err(ImportError::TooManyFailures { retry_after });
    }
    let permit = app.limits.exchanges(import.data_centre).ok_or(ImportError::Busy)?;
    let task = {
        let app = Arc::clone(app);
        app.clone().spawn(async move {
            let outcome = run(&app, tenant_id, &import, &by).await;
            drop(permit);
            if let Err(error) = &outcome {
                tracing::warn!(data_centre = %import.data_centre, class = error.class(), tenant.id = %tenant_id, "a token was not imported");
                if let (Some(peer), ImportError::Refused(Objection::DeadCode | Objection::DeadToken)) = (&peer, error) {
                    app.limits.failed_exchanges.count(peer);
                }
                note_failure(&app, tenant_id, &by, error).await;
            }
            outcome
        })
    };
    task.await.unwrap_or_else(|error| {
        tracing::error!(error = %error, "the task of an import ended early");
        Err(ImportError::Unavailable)
    })
}

/// Who spells out our own client means the settings': its secret may change there.
fn is_ours(config: &Config, data_centre: DataCentre, client: &OwnClient) -> bool {
    let same_secret = |ours: &ClientSecret| ours.expose().as_bytes().ct_eq(client.secret.expose().as_bytes()).into();
    config.zoho.client_id(data_centre) == client.id && config.zoho.client_secret(data_centre).is_some_and(same_secret)
}

async fn run(app: &App, tenant_id: TenantId, import: &Import, by: &By) -> Result<Imported, ImportError> {
    let proved = prove::prove(app, import).await?;
    let Token::SelfClientCode(_) = import.token else {
        let identified = identify::identify(app, import, &proved.grant).await?;
        return settle::settle_soon(app, tenant_id, import, &proved, &identified, None, by).await;
    };
    crate::fail_point!("after_exchange");
    let kept = keep::keep(app, tenant_id, import.data_centre, &proved.grant).await?;
    crate::fail_point!("after_escrow");
    let imported = match identify::identify(app, import, &proved.grant).await {
        Ok(identified) => settle::settle_soon(app, tenant_id, import, &proved, &identified, Some(kept), by).await,
        Err(error) => Err(error),
    };
    if imported.is_err() {
        keep::give_up(app, kept).await;
    }
    imported
}

/// A database that is away must not hide why nothing was imported.
async fn note_failure(app: &App, tenant_id: TenantId, by: &By, error: &ImportError) {
    let event = AuditEvent {
        actor: by.actor.clone(),
        action: "import_failed",
        outcome: "failed",
        tenant_id: Some(tenant_id),
        connection_id: None,
        peer: by.peer.clone(),
        request_id: by.request_id,
        detail: Some(error.class().to_owned()),
    };
    if let Err(error) = audit_event::insert(app.pools.engine(), &event, app.clock.shared_now()).await {
        tracing::warn!(error = chain(&error), "a failed import is not in the audit trail");
    }
}
