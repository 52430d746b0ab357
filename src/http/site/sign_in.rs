//! `/`: the button, and what pressing it means.

use actix_web::{
    HttpRequest, HttpResponse,
    http::{
        StatusCode,
        header::{HeaderName, HeaderValue},
    },
    web,
};
use askama::Template;
use serde::Deserialize;

use super::{at_stake::AtStakePage, parts::AtStake};
use crate::{
    app::App,
    domain::{
        connection::Status, data_centre::DataCentre, product::Product, return_path::ReturnPath, scope::ScopeSet,
        secret::FormToken,
    },
    http::{
        add_cookie,
        caller::Visitor,
        cookie,
        form::Posted,
        page::{self, Place, Shell},
        problem::Problem,
        see_other,
        tenant::check_not_suspended,
    },
    login::{self, Begin, begin::scopes_of},
    store::{connection, login_attempt::Purpose, tenant},
};

#[derive(Template)]
#[template(path = "sign_in.html")]
pub(crate) struct SignInPage {
    pub(crate) shell: Shell,
    /// The product that the button connects.
    pub(crate) product: &'static str,
    /// Every scope that will be asked for.
    pub(crate) scopes: Vec<String>,
    /// One of our own paths, already checked (security.md S-39).
    pub(crate) return_to: Option<String>,
    /// Whether a client for China is configured: Zoho runs it apart, and its flow must start there.
    pub(crate) china: bool,
    pub(crate) notice: Option<SignInNotice>,
}

#[derive(Clone, Copy)]
pub(crate) enum SignInNotice {
    SignedOut,
    /// A page was asked for that needs a sign-in, or the session has ended.
    SignInFirst,
}

/// `GET /`
pub(crate) async fn home(
    app: web::Data<App>,
    visitor: Visitor,
    query: web::Query<HomeQuery>,
) -> Result<HttpResponse, Problem> {
    if visitor.session.is_some() {
        return Ok(see_other("/connections"));
    }
    let return_to = query.return_to.as_deref().and_then(ReturnPath::parse);
    let notice = match (&return_to, query.signed_out.is_some()) {
        (_, true) => Some(SignInNotice::SignedOut),
        (Some(_), false) => Some(SignInNotice::SignInFirst),
        (None, false) => None,
    };
    let product = app.config.login_product;
    let page = SignInPage {
        shell: visitor.shell(&app, Place::Elsewhere),
        product: product.key(),
        scopes: scopes_of(&app, Some(product), &ScopeSet::default()).names().to_vec(),
        return_to: return_to.map(|path| path.as_str().to_owned()),
        china: app.config.zoho.starts_at_cn(),
        notice,
    };
    Ok(page::respond(StatusCode::OK, &page)?)
}

#[derive(Debug, Deserialize)]
pub(crate) struct HomeQuery {
    return_to: Option<String>,
    signed_out: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct LoginQuery {
    product: Option<String>,
    return_to: Option<String>,
    data_centre: Option<String>,
    /// The connection that may be lost over it, as the person was told.
    agreed: Option<String>,
}

/// `GET /login`: step 1 of the protocol (`login`). Changes nothing but the browser's cookies.
pub(crate) async fn login(
    app: web::Data<App>,
    visitor: Visitor,
    request: HttpRequest,
    query: web::Query<LoginQuery>,
) -> Result<HttpResponse, Problem> {
    let product = match query.product.as_deref() {
        None | Some("") => Some(app.config.login_product),
        Some("none") => None,
        Some(product) => Some(product.parse().map_err(|_| Problem::INVALID)?),
    };
    let data_centre = match query.data_centre.as_deref() {
        None | Some("") => app.config.zoho.home,
        Some("cn") if app.config.zoho.starts_at_cn() => DataCentre::Cn,
        Some(home) if home == app.config.zoho.home.key() => app.config.zoho.home,
        Some(_) => return Err(Problem::INVALID),
    };
    let offline = needs_consent(&app, &visitor, product).await?;
    let return_path = ReturnPath::parse_or_default(query.return_to.as_deref());
    if let (true, Some(product), Some(session)) = (offline, product, &visitor.session)
        && let Some((id, at_stake)) = AtStake::of(&app, &session.person).await?
        && query.agreed.as_deref() != Some(&id.to_string())
    {
        let shell = visitor.shell(&app, Place::Elsewhere);
        let page = AtStakePage::new(&app, shell, product, data_centre, &return_path, (id, at_stake));
        return Ok(page::respond(StatusCode::OK, &page)?);
    }
    let begin = Begin {
        purpose: Purpose::SignIn,
        lineage: None,
        product,
        extra_scopes: ScopeSet::default(),
        offline,
        data_centre,
        return_path,
    };
    begin_attempt(&app, &request, begin)
}

/// A browser we know, whose person has what is asked for, costs no refresh token.
async fn needs_consent(app: &App, visitor: &Visitor, product: Option<Product>) -> Result<bool, Problem> {
    let Some(product) = product else { return Ok(false) };
    let Some(session) = &visitor.session else { return Ok(true) };
    let person_id = session.person.person_id;
    let own = tenant::find_own(app.pools.engine(), person_id).await?;
    if let Some(tenant_id) = own {
        check_not_suspended(app, tenant_id).await?;
    }
    let needed = scopes_of(app, Some(product), &ScopeSet::default());
    let has_it = connection::list_of_person(app.pools.engine(), person_id, None).await?.iter().any(|connection| {
        Some(connection.tenant_id) == own
            && connection.product == product
            && connection.status == Status::Active
            && needed.missing_from(&connection.scopes_requested).is_empty()
    });
    Ok(!has_it)
}

/// 303 to Zoho with the attempt's cookie: the end of every way to begin.
pub(crate) fn begin_attempt(app: &App, request: &HttpRequest, begin: Begin) -> Result<HttpResponse, Problem> {
    let begun = login::begin(app, begin, app.clock.shared_now())?;
    let mut answer = see_other(&begun.location);
    for cookie in cookie::begin_attempt(app, request, &begun.attempt) {
        add_cookie(&mut answer, &cookie);
    }
    Ok(answer)
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LogoutForm {
    #[serde(default)]
    csrf: String,
    return_to: Option<String>,
}

/// `POST /logout`
pub(crate) async fn logout(
    app: web::Data<App>,
    Posted(visitor, form): Posted<Visitor, LogoutForm>,
) -> Result<HttpResponse, Problem> {
    if visitor.session.is_some() && !visitor.accepts(&FormToken::new(form.csrf)) {
        return Err(Problem::FormExpired);
    }
    login::sign_out(&app, &visitor.visit()).await?;
    let leads_to = form.return_to.map(|path| ReturnPath::parse_or_default(Some(&path)));
    let mut answer = see_other(leads_to.as_ref().map_or("/?signed_out=1", ReturnPath::as_str));
    add_cookie(&mut answer, &cookie::drop_session(&app));
    if app.config.public_url.is_https() {
        // Not "cookies": that would reach the SaaS's own, on the same registrable domain.
        let clear = HeaderValue::from_static("\"cache\", \"storage\"");
        answer.headers_mut().insert(HeaderName::from_static("clear-site-data"), clear);
    }
    Ok(answer)
}

#[cfg(test)]
impl SignInPage {
    pub(crate) fn samples() -> Vec<(&'static str, Self)> {
        let scopes = |scopes: &[&str]| scopes.iter().map(|scope| (*scope).to_owned()).collect();
        let typical = Self {
            shell: Shell::anonymous(),
            product: "assist",
            scopes: scopes(&["AaaServer.profile.READ", "ZohoAssist.userapi.READ"]),
            return_to: None,
            china: false,
            notice: None,
        };
        let signed_out = Self {
            product: "assist",
            shell: Shell::anonymous(),
            scopes: Vec::new(),
            china: true,
            notice: Some(SignInNotice::SignedOut),
            return_to: None,
        };
        let worst = Self {
            shell: Shell { person: None, csrf: String::new(), ..Shell::worst(crate::http::page::Place::Elsewhere) },
            product: "zia_agents",
            scopes: scopes(&[
                "AaaServer.profile.READ",
                "ZiaAgents.agents.TRIGGER",
                "ZohoSomethingNobodyHasEverHeardOf.averylongmodulename.anotherone.ALL",
            ]),
            return_to: Some("/connections?a=1&b=\"x\"".to_owned()),
            china: true,
            notice: Some(SignInNotice::SignInFirst),
        };
        vec![("typical", typical), ("signed-out", signed_out), ("worst", worst)]
    }
}
