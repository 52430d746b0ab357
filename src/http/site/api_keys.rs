//! `/tenants/{tenant}/api-keys`: the tenant's own keys, and making one. A key is shown in the answer to
//! its form and never again, also when that form is sent once more (security.md S-51).

use actix_web::{HttpResponse, http::StatusCode, web};
use askama::Template;
use chrono::{DateTime, TimeDelta, Utc};

use crate::{
    app::App,
    console::{NewKey, create_api_key},
    domain::{
        api_key::Grant,
        secret::{ApiKey, FormToken, random_token},
        text,
    },
    http::{
        answers,
        form::{Posted, with_boxes},
        page::{self, Label, Moment, Place, Shell},
        problem::Problem,
        tenant::TenantAdmin,
    },
    store::api_key::{self, TenantKey},
};

#[derive(Template)]
#[template(path = "api_keys.html")]
pub(crate) struct ApiKeysPage {
    pub(crate) shell: Shell,
    pub(crate) slug: String,
    pub(crate) tenant: Label,
    pub(crate) made: Option<Made>,
    /// Those that count.
    pub(crate) keys: Vec<KeyRow>,
    /// Revoked or expired.
    pub(crate) ended: Vec<KeyRow>,
    pub(crate) form: KeyForm,
    /// Whether the sign-in is recent enough to change something.
    pub(crate) may_change: bool,
}

pub(crate) enum Made {
    /// Shown this once.
    Key { name: Label, key: ApiKey, api: String },
    /// The form was sent again.
    Before,
}

pub(crate) struct KeyRow {
    pub(crate) id: String,
    pub(crate) name: Label,
    /// `connections:read` and so on
    pub(crate) grants: Vec<String>,
    /// Absent: made by a command, or by somebody who has left.
    pub(crate) creator: Option<Label>,
    pub(crate) created_at: Moment,
    pub(crate) last_used_at: Option<Moment>,
    pub(crate) end: KeyEnd,
}

#[derive(Clone, Copy)]
pub(crate) enum KeyEnd {
    Never,
    Expires(Moment),
    Expired(Moment),
    Revoked(Moment),
}

/// "Make a key": `POST /tenants/{tenant}/api-keys`.
pub(crate) struct KeyForm {
    pub(crate) nonce: String,
    pub(crate) name: String,
    pub(crate) grants: Vec<GrantBox>,
    pub(crate) lives: Vec<LifeOption>,
    pub(crate) problems: Vec<KeyProblem>,
}

pub(crate) struct GrantBox {
    pub(crate) key: &'static str,
    pub(crate) checked: bool,
}

pub(crate) struct LifeOption {
    pub(crate) life: Life,
    pub(crate) selected: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyProblem {
    NameMissing,
    GrantsMissing,
}

/// How long a key lives.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Life {
    Month,
    Quarter,
    Year,
    Endless,
}

impl Life {
    const ALL: [Self; 4] = [Self::Month, Self::Quarter, Self::Year, Self::Endless];

    const fn key(self) -> &'static str {
        match self {
            Self::Month => "30d",
            Self::Quarter => "90d",
            Self::Year => "365d",
            Self::Endless => "never",
        }
    }

    fn end(self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let days = match self {
            Self::Month => 30,
            Self::Quarter => 90,
            Self::Year => 365,
            Self::Endless => return None,
        };
        Some(now + TimeDelta::days(days))
    }
}

impl KeyForm {
    fn of(request: &KeyRequest, problems: Vec<KeyProblem>) -> Self {
        let grants = Grant::ALL.into_iter();
        let lives = Life::ALL.into_iter();
        Self {
            nonce: random_token(),
            name: request.name.clone(),
            grants: grants
                .map(|grant| GrantBox { key: grant.key(), checked: request.grants.contains(&grant) })
                .collect(),
            lives: lives.map(|life| LifeOption { life, selected: life == request.life }).collect(),
            problems,
        }
    }

    fn has(&self, problem: KeyProblem) -> bool {
        self.problems.contains(&problem)
    }

    /// The words, if that is a problem.
    fn error<'a>(&self, problem: KeyProblem, words: &'a str) -> &'a str {
        if self.has(problem) { words } else { "" }
    }
}

/// What the form said.
struct KeyRequest {
    csrf: String,
    nonce: String,
    name: String,
    grants: Vec<Grant>,
    life: Life,
}

impl Default for KeyRequest {
    fn default() -> Self {
        let (csrf, nonce, name) = Default::default();
        Self { csrf, nonce, name, grants: Vec::new(), life: Life::Quarter }
    }
}

impl KeyRequest {
    fn parse(fields: Vec<(String, String)>) -> Result<Self, Problem> {
        let ([csrf, nonce, name, life], grants) = with_boxes(fields, ["csrf", "nonce", "name", "expires"], "grant")?;
        let life = life.unwrap_or_else(|| Life::Quarter.key().to_owned());
        Ok(Self {
            csrf: csrf.unwrap_or_default(),
            nonce: nonce.filter(|nonce| !nonce.is_empty()).unwrap_or_else(random_token),
            name: text::clean(&name.unwrap_or_default()),
            grants,
            life: Life::ALL.into_iter().find(|known| known.key() == life).ok_or(Problem::INVALID)?,
        })
    }

    fn problems(&self) -> Vec<KeyProblem> {
        let name = self.name.is_empty().then_some(KeyProblem::NameMissing);
        let grants = self.grants.is_empty().then_some(KeyProblem::GrantsMissing);
        name.into_iter().chain(grants).collect()
    }
}

impl ApiKeysPage {
    async fn of(app: &App, admin: &TenantAdmin, made: Option<Made>, form: KeyForm) -> Result<Self, Problem> {
        let now = app.clock.shared_now();
        let mut tx = app.pools.begin_as_tenant(admin.tenant.tenant_id).await?;
        let keys = api_key::list_of_tenant(&mut *tx, admin.tenant.tenant_id, None, now).await?;
        tx.commit().await?;
        let (ended, keys) = keys.iter().map(|key| KeyRow::of(key, now)).partition(KeyRow::has_ended);
        Ok(Self {
            shell: admin.shell(app, Place::ApiKeys),
            slug: admin.tenant.tenant_slug.clone(),
            tenant: Label::new(&admin.tenant.tenant_name),
            made,
            keys,
            ended,
            form,
            may_change: admin.member.signed_in_recently(app),
        })
    }
}

impl KeyRow {
    pub(crate) fn of(key: &TenantKey, now: DateTime<Utc>) -> Self {
        let end = match (key.revoked_at, key.expires_at) {
            (Some(at), _) => KeyEnd::Revoked(Moment::new(at, now)),
            (None, Some(at)) if at <= now => KeyEnd::Expired(Moment::new(at, now)),
            (None, Some(at)) => KeyEnd::Expires(Moment::new(at, now)),
            (None, None) => KeyEnd::Never,
        };
        Self {
            id: key.api_key_id.clone(),
            name: Label::new(&key.name),
            grants: key.grants.clone(),
            creator: key.creator.as_deref().map(Label::new),
            created_at: Moment::new(key.created_at, now),
            last_used_at: key.last_used_at.map(|at| Moment::new(at, now)),
            end,
        }
    }

    pub(crate) fn has_ended(&self) -> bool {
        matches!(self.end, KeyEnd::Expired(_) | KeyEnd::Revoked(_))
    }
}

/// `GET /tenants/{tenant}/api-keys`
pub(crate) async fn get_api_keys(app: web::Data<App>, admin: TenantAdmin) -> Result<HttpResponse, Problem> {
    let form = KeyForm::of(&KeyRequest::default(), Vec::new());
    let page = ApiKeysPage::of(&app, &admin, None, form).await?;
    Ok(page::respond(StatusCode::OK, &page)?)
}

/// `POST /tenants/{tenant}/api-keys`: answers with the key in place of a redirect, because nothing
/// keeps it that could be redirected to.
pub(crate) async fn post_api_keys(
    app: web::Data<App>,
    Posted(admin, fields): Posted<TenantAdmin, Vec<(String, String)>>,
) -> Result<HttpResponse, Problem> {
    let request = KeyRequest::parse(fields)?;
    admin.member.check(&FormToken::new(request.csrf.as_str()))?;
    admin.check_recent_sign_in(&app, "api-keys")?;
    let problems = request.problems();
    if !problems.is_empty() {
        let page = ApiKeysPage::of(&app, &admin, None, KeyForm::of(&request, problems)).await?;
        return Ok(answers::with_page(page::respond(StatusCode::BAD_REQUEST, &page)?));
    }
    let new = NewKey {
        name: &request.name,
        grants: &request.grants,
        expires_at: request.life.end(app.clock.shared_now()),
        nonce: &request.nonce,
    };
    let (status, made) = match create_api_key(&app, admin.change(), &new).await? {
        Some(made) => {
            let api = format!("{}/api/v1", app.config.public_url.origin());
            (StatusCode::OK, Made::Key { name: Label::new(&request.name), key: made.key, api })
        }
        None => (StatusCode::CONFLICT, Made::Before),
    };
    let form = KeyForm::of(&KeyRequest::default(), Vec::new());
    let page = ApiKeysPage::of(&app, &admin, Some(made), form).await?;
    Ok(answers::with_page(page::respond(status, &page)?))
}

#[cfg(test)]
mod samples;
