//! Invitations to connect an organization to a tenant, each found by the digest of its token.

mod ends;
pub(crate) mod listed;
mod reconnects;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::{PgExecutor, types::Json};

pub(crate) use reconnects::Reconnects;

pub(crate) use ends::{End, find_due, update_due, update_ended};

use super::{StoreError, known};
use crate::domain::{
    data_centre::DataCentre,
    digest::Digest,
    ids::{ConnectionId, OnboardingLinkId, PersonId, TenantId},
    onboarding::{EmailDomain, LinkState, Refusal, ReturnUrl},
    organization::{Environment, FoundOrganization, ZohoOrganizationId},
    product::Product,
    scope::ScopeSet,
};

/// Who made a link.
#[derive(Debug, Clone)]
pub(crate) enum Inviter {
    Person(PersonId),
    ApiKey(String),
}

/// A link about to be stored.
#[derive(Debug)]
pub(crate) struct NewLink<'a> {
    pub(crate) onboarding_link_id: OnboardingLinkId,
    pub(crate) tenant_id: TenantId,
    pub(crate) token_digest: &'a Digest,
    pub(crate) product: Product,
    pub(crate) scopes: &'a ScopeSet,
    pub(crate) expected_email_domain: Option<&'a EmailDomain>,
    pub(crate) expected_organization: Option<&'a ZohoOrganizationId>,
    pub(crate) return_url: Option<&'a ReturnUrl>,
    /// Absent: whoever opens it connects something.
    pub(crate) reconnects: Option<ConnectionId>,
    pub(crate) inviter: &'a Inviter,
    pub(crate) expires_at: DateTime<Utc>,
}

/// False where a link of that id exists.
pub(crate) async fn insert(db: impl PgExecutor<'_>, new: &NewLink<'_>, now: DateTime<Utc>) -> Result<bool, StoreError> {
    let (person_id, api_key_id) = match new.inviter {
        Inviter::Person(person_id) => (Some(*person_id), None),
        Inviter::ApiKey(api_key_id) => (None, Some(api_key_id.as_str())),
    };
    let done = sqlx::query!(
        "insert into onboarding_link (onboarding_link_id, tenant_id, token_digest, product, scopes, expected_email_domain,
             expected_organization, return_url, invited_by_person_id, invited_by_api_key_id, created_at, expires_at, state, due_at,
             reconnects_connection_id)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 'created', $12, $13)
         on conflict (onboarding_link_id) do nothing",
        new.onboarding_link_id as OnboardingLinkId,
        new.tenant_id as TenantId,
        new.token_digest.as_slice(),
        new.product.key(),
        new.scopes.names(),
        new.expected_email_domain.map(EmailDomain::as_str),
        new.expected_organization.map(ZohoOrganizationId::as_str),
        new.return_url.map(ReturnUrl::as_str),
        person_id as Option<PersonId>,
        api_key_id,
        now,
        new.expires_at,
        new.reconnects as Option<ConnectionId>,
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// A link with what rests in it.
#[derive(Debug, Clone)]
pub(crate) struct OnboardingLink {
    pub(crate) onboarding_link_id: OnboardingLinkId,
    pub(crate) tenant_id: TenantId,
    pub(crate) tenant_name: String,
    pub(crate) tenant_is_suspended: bool,
    pub(crate) product: Product,
    pub(crate) scopes: ScopeSet,
    pub(crate) expected_email_domain: Option<EmailDomain>,
    pub(crate) expected_organization: Option<ZohoOrganizationId>,
    pub(crate) return_url: Option<ReturnUrl>,
    pub(crate) reconnects: Option<Reconnects>,
    /// It asks for a reconnect of what was disconnected, or is gone.
    is_void: bool,
    /// Absent: a program of the tenant's.
    pub(crate) inviter: Option<String>,
    pub(crate) expires_at: DateTime<Utc>,
    /// As it is written; what has run out may not be swept yet.
    pub(crate) written_state: LinkState,
    pub(crate) refusal: Option<Refusal>,
    pub(crate) browser_digest: Option<Vec<u8>>,
    pub(crate) person: Option<Consenter>,
    pub(crate) confirm_by: Option<DateTime<Utc>>,
    pub(crate) connection_id: Option<ConnectionId>,
}

/// Who has consented.
#[derive(Debug, Clone)]
pub(crate) struct Consenter {
    pub(crate) person_id: PersonId,
    pub(crate) data_centre: DataCentre,
    pub(crate) display_name: String,
    pub(crate) email: String,
}

impl OnboardingLink {
    /// Whether that is the browser that started it.
    pub(crate) fn is_of(&self, browser: &Digest) -> bool {
        self.browser_digest.as_deref() == Some(browser.as_slice())
    }

    /// How far it is, also before the worker has written that its time is up.
    pub(crate) fn state(&self, now: DateTime<Utc>) -> LinkState {
        state_at(self.written_state, self.is_void, self.expires_at, self.confirm_by, now)
    }
}

fn state_at(
    written: LinkState,
    is_void: bool,
    expires_at: DateTime<Utc>,
    confirm_by: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> LinkState {
    if is_void && written.is_open() {
        return LinkState::Withdrawn;
    }
    let is_over = match written {
        LinkState::Created | LinkState::Started => expires_at <= now,
        LinkState::Consented => confirm_by.is_none_or(|confirm_by| confirm_by <= now),
        LinkState::Connected | LinkState::Refused | LinkState::Expired | LinkState::Withdrawn => false,
    };
    if is_over { LinkState::Expired } else { written }
}

/// By what a link is looked up.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Named {
    Token(Digest),
    Id(OnboardingLinkId),
}

pub(crate) async fn find(db: impl PgExecutor<'_>, named: &Named) -> Result<Option<OnboardingLink>, StoreError> {
    let (token, id) = match named {
        Named::Token(digest) => (Some(digest.as_slice()), None),
        Named::Id(id) => (None, Some(*id)),
    };
    let row = sqlx::query!(
        r#"select l.onboarding_link_id as "onboarding_link_id: OnboardingLinkId", l.tenant_id as "tenant_id: TenantId",
                  t.name as tenant_name, t.suspended_at is not null as "tenant_is_suspended!", l.product, l.scopes, l.expected_email_domain, l.expected_organization, l.return_url,
                  i.display_name as "inviter_name?", i.email as "inviter_email?", l.expires_at, l.state, l.refused_because,
                  l.browser_digest, l.confirm_by, l.connection_id as "connection_id: ConnectionId",
                  p.person_id as "person_id?: PersonId", p.data_centre as "data_centre?", p.display_name as "display_name?",
                  p.email as "email?", l.reconnects_connection_id as "reconnects: ConnectionId",
                  c.connection_id as "reconnects_connection_id?: ConnectionId", rp.person_id as "reconnects_person_id?: PersonId",
                  rp.email as "reconnects_email?", c.data_centre as "reconnects_data_centre?", o.zoho_id as "reconnects_zoho_id?",
                  o.name as "reconnects_name?"
           from onboarding_link l
           join tenant t using (tenant_id)
           left join person i on i.person_id = l.invited_by_person_id
           left join person p on p.person_id = l.person_id
           left join connection c
               on c.tenant_id = l.tenant_id and c.connection_id = l.reconnects_connection_id and c.status <> 'disconnected'
           left join person rp on rp.person_id = c.person_id
           left join organization o on o.tenant_id = c.tenant_id and o.organization_id = c.organization_id
           where l.token_digest = $1 or l.onboarding_link_id = $2"#,
        token,
        id as Option<OnboardingLinkId>,
    )
    .fetch_optional(db)
    .await?;
    row.map(|row| {
        let person = match (row.person_id, row.data_centre, row.display_name, row.email) {
            (Some(person_id), Some(data_centre), Some(display_name), Some(email)) => Some(Consenter {
                person_id,
                data_centre: known(&data_centre, "person.data_centre")?,
                display_name,
                email,
            }),
            _ => None,
        };
        let reconnects = reconnects::Columns {
            connection_id: row.reconnects_connection_id,
            person_id: row.reconnects_person_id,
            email: row.reconnects_email,
            data_centre: row.reconnects_data_centre,
            zoho_id: row.reconnects_zoho_id,
            name: row.reconnects_name,
        }
        .read()?;
        Ok(OnboardingLink {
            onboarding_link_id: row.onboarding_link_id,
            tenant_id: row.tenant_id,
            tenant_name: row.tenant_name,
            tenant_is_suspended: row.tenant_is_suspended,
            product: known(&row.product, "onboarding_link.product")?,
            scopes: ScopeSet::from_stored(row.scopes),
            expected_email_domain: optional(row.expected_email_domain, "onboarding_link.expected_email_domain")?,
            expected_organization: optional(row.expected_organization, "onboarding_link.expected_organization")?,
            return_url: row.return_url.as_deref().and_then(ReturnUrl::from_stored),
            is_void: row.reconnects.is_some() && reconnects.is_none(),
            reconnects,
            inviter: row.inviter_name.filter(|name| !name.is_empty()).or(row.inviter_email),
            expires_at: row.expires_at,
            written_state: known(&row.state, "onboarding_link.state")?,
            refusal: optional(row.refused_because, "onboarding_link.refused_because")?,
            browser_digest: row.browser_digest,
            person,
            confirm_by: row.confirm_by,
            connection_id: row.connection_id,
        })
    })
    .transpose()
}

fn optional<T: std::str::FromStr>(text: Option<String>, what: &'static str) -> Result<Option<T>, StoreError> {
    text.map(|text| known(&text, what)).transpose()
}

/// Binds a link to the browser that starts it, once; that browser may start again. False: it has ended,
/// has been consented to, or is another browser's.
pub(crate) async fn update_started(
    db: impl PgExecutor<'_>,
    id: OnboardingLinkId,
    browser: &Digest,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let done = sqlx::query!(
        "update onboarding_link set state = 'started', browser_digest = $2, started_at = coalesce(started_at, $3)
         where onboarding_link_id = $1 and expires_at > $3
             and (state = 'created' or (state = 'started' and browser_digest = $2))",
        id as OnboardingLinkId,
        browser.as_slice(),
        now,
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// The link that a browser has started last and not finished.
pub(crate) async fn find_started(
    db: impl PgExecutor<'_>,
    browser: &Digest,
    now: DateTime<Utc>,
) -> Result<Option<OnboardingLinkId>, StoreError> {
    Ok(sqlx::query_scalar!(
        r#"select onboarding_link_id as "id: OnboardingLinkId" from onboarding_link
           where browser_digest = $1 and state = 'started' and expires_at > $2 order by started_at desc limit 1"#,
        browser.as_slice(),
        now,
    )
    .fetch_optional(db)
    .await?)
}

/// Locks a link for the change that follows in the same transaction.
pub(crate) async fn lock(db: impl PgExecutor<'_>, id: OnboardingLinkId) -> Result<(), StoreError> {
    sqlx::query!("select state from onboarding_link where onboarding_link_id = $1 for update", id as OnboardingLinkId)
        .fetch_optional(db)
        .await?;
    Ok(())
}

/// What rests between consent and confirmation.
#[derive(Debug)]
pub(crate) struct Resting<'a> {
    pub(crate) grant_sealed: &'a [u8],
    pub(crate) person_id: PersonId,
    pub(crate) data_centre: DataCentre,
    pub(crate) scopes_requested: &'a ScopeSet,
    pub(crate) organizations: &'a [FoundOrganization],
    pub(crate) environment: Option<Environment>,
    pub(crate) confirm_by: DateTime<Utc>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(transparent)]
struct Organizations(Vec<FoundOrganization>);

/// Lays a grant to rest in a link that was started. False: it was not, or not any more.
pub(crate) async fn update_consented(
    db: impl PgExecutor<'_>,
    id: OnboardingLinkId,
    resting: &Resting<'_>,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let done = sqlx::query!(
        "update onboarding_link set state = 'consented', grant_sealed = $2, person_id = $3, data_centre = $4, scopes_requested = $5,
             organizations = $6, environment = $7, consented_at = $8, confirm_by = $9, due_at = $9
         where onboarding_link_id = $1 and state = 'started' and expires_at > $8",
        id as OnboardingLinkId,
        resting.grant_sealed,
        resting.person_id as PersonId,
        resting.data_centre.key(),
        resting.scopes_requested.names(),
        Json(Organizations(resting.organizations.to_vec())) as Json<Organizations>,
        resting.environment.map(Environment::key),
        now,
        resting.confirm_by,
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// What rests in a link.
#[derive(Debug)]
pub(crate) struct Rested {
    pub(crate) grant_sealed: Vec<u8>,
    pub(crate) person_id: PersonId,
    pub(crate) data_centre: DataCentre,
    pub(crate) scopes_requested: ScopeSet,
    pub(crate) organizations: Vec<FoundOrganization>,
    pub(crate) environment: Option<Environment>,
    pub(crate) consented_at: DateTime<Utc>,
}

pub(crate) async fn find_rested(db: impl PgExecutor<'_>, id: OnboardingLinkId) -> Result<Option<Rested>, StoreError> {
    let row = sqlx::query!(
        r#"select grant_sealed as "grant_sealed!", person_id as "person_id!: PersonId", data_centre as "data_centre!",
                  scopes_requested as "scopes_requested!", organizations as "organizations!: Json<Organizations>", environment,
                  consented_at as "consented_at!"
           from onboarding_link where onboarding_link_id = $1 and state = 'consented'"#,
        id as OnboardingLinkId,
    )
    .fetch_optional(db)
    .await?;
    row.map(|row| {
        let Json(Organizations(organizations)) = row.organizations;
        Ok(Rested {
            grant_sealed: row.grant_sealed,
            person_id: row.person_id,
            data_centre: known(&row.data_centre, "onboarding_link.data_centre")?,
            scopes_requested: ScopeSet::from_stored(row.scopes_requested),
            organizations,
            environment: optional(row.environment, "onboarding_link.environment")?,
            consented_at: row.consented_at,
        })
    })
    .transpose()
}
