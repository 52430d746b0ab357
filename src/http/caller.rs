//! Who is asking: read per request, so that a change holds with the next one (security.md S-29).

use std::{future::Future, net::IpAddr, pin::Pin, sync::Arc, time::Duration};

use actix_web::{FromRequest, HttpMessage as _, HttpRequest, dev::Payload, web};
use chrono::TimeDelta;

use super::{cookie, csrf, page, problem::Problem};
use crate::{
    app::App,
    domain::{
        digest::digest,
        ids::RequestId,
        person::PersonKey,
        return_path::ReturnPath,
        secret::{FormToken, SessionToken},
    },
    login::Visit,
    store::{browser_session, browser_session::BrowserSession, person::Person},
    telemetry::{Caller, note_caller, note_route},
};

/// Who waits for longer is told that the database is away (security.md S-1: within a second).
const PATIENCE: Duration = Duration::from_millis(900);
/// What a page fetches by itself keeps nobody signed in (security.md S-28).
const UNASKED: &str = "x-unasked";
/// A sign-in is recent for so long (security.md S-49).
const RECENT: TimeDelta = TimeDelta::minutes(5);

/// A browser, signed in or not.
#[derive(Debug)]
pub(crate) struct Visitor {
    pub(crate) request_id: RequestId,
    pub(crate) peer: String,
    pub(crate) session: Option<BrowserSession>,
    token: Option<SessionToken>,
}

/// A browser that is signed in; whoever is not is sent to the sign-in page.
#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) request_id: RequestId,
    pub(crate) peer: String,
    pub(crate) session: BrowserSession,
    token: SessionToken,
}

impl Visitor {
    pub(crate) fn visit(&self) -> Visit {
        Visit {
            session_digest: self.token.as_ref().map(|token| digest(token.expose().as_bytes())),
            session: self.session.clone(),
            peer: self.peer.clone(),
            request_id: self.request_id,
        }
    }

    pub(crate) fn shell(&self, app: &App, here: page::Place) -> page::Shell {
        let csrf = self.token.as_ref().filter(|_| self.session.is_some()).map(csrf::form_token);
        shell(app, self.request_id, self.session.as_ref(), csrf, here)
    }

    /// The form token counts for this session alone.
    pub(crate) fn accepts(&self, form_token: &FormToken) -> bool {
        self.token.as_ref().is_some_and(|token| csrf::matches(token, form_token))
    }
}

impl Member {
    pub(super) fn of(visitor: Visitor) -> Option<Self> {
        let Visitor { request_id, peer, session, token } = visitor;
        Some(Self { request_id, peer, session: session?, token: token? })
    }

    pub(crate) fn person(&self) -> &Person {
        &self.session.person
    }

    pub(crate) fn shell(&self, app: &App, here: page::Place) -> page::Shell {
        shell(app, self.request_id, Some(&self.session), Some(csrf::form_token(&self.token)), here)
    }

    pub(crate) fn signed_in_recently(&self, app: &App) -> bool {
        app.clock.shared_now() - self.session.created_at <= RECENT
    }

    /// Every change needs this session's form token (security.md S-38).
    pub(crate) fn check(&self, form_token: &FormToken) -> Result<(), Problem> {
        if csrf::matches(&self.token, form_token) { Ok(()) } else { Err(Problem::FormExpired) }
    }
}

fn shell(
    app: &App,
    request_id: RequestId,
    session: Option<&BrowserSession>,
    csrf: Option<FormToken>,
    here: page::Place,
) -> page::Shell {
    page::Shell {
        site: page::Label::new("Login with Zoho"),
        person: session.map(|session| &session.person).map(|person| page::SignedIn {
            name: page::Label::new(if person.display_name.is_empty() { &person.email } else { &person.display_name }),
            email: page::Label::new(&person.email),
            data_centre: person.data_centre.key(),
        }),
        csrf: csrf.map(|token| token.expose().to_owned()).unwrap_or_default(),
        request_id: request_id.to_string(),
        here,
        console: None,
        tenants: Vec::new(),
        wellness: page::Wellness::Well,
        is_operator: session.is_some_and(|session| is_operator(app, session)),
        demo: app.config.demo,
    }
}

/// For answers that no handler made: whoever an extractor has found out about, or nobody.
pub(crate) fn shell_of(app: &App, request: &HttpRequest) -> page::Shell {
    let extensions = request.extensions();
    let known = extensions.get::<Known>();
    let csrf = known.map(|known| csrf::form_token(&known.token));
    shell(app, request_id(request), known.map(|known| &known.session), csrf, page::Place::Elsewhere)
}

/// Who turned out to be signed in, for the page of a problem.
struct Known {
    session: BrowserSession,
    token: SessionToken,
}

/// Whether the person runs the installation: by the setting, or by the command as it stood when the session
/// was looked up, with this request.
pub(super) fn is_operator(app: &App, session: &BrowserSession) -> bool {
    let Person { data_centre, zuid, .. } = &session.person;
    let key = PersonKey { data_centre: *data_centre, zuid: zuid.clone() };
    session.is_granted_operator || app.config.operators.contains(&key)
}

pub(crate) fn request_id(request: &HttpRequest) -> RequestId {
    request.extensions().get::<RequestId>().copied().unwrap_or_else(RequestId::new)
}

/// Whether `TRUSTED_PROXIES` names it.
pub(crate) fn is_trusted_proxy(app: &App, address: IpAddr) -> bool {
    app.config.trusted_proxies.iter().any(|network| network.contains(address))
}

/// The peer's address: the socket's, unless that is a proxy we were told to believe (security.md
/// S-35).
pub(crate) fn peer(app: &App, request: &HttpRequest) -> String {
    let Some(socket) = request.peer_addr().map(|address| address.ip()) else { return "unknown".to_owned() };
    let is_trusted = |address| is_trusted_proxy(app, address);
    if !is_trusted(socket) {
        return socket.to_string();
    }
    let forwarded = request.headers().get_all("x-forwarded-for").filter_map(|value| value.to_str().ok());
    let hops: Vec<&str> = forwarded.flat_map(|value| value.split(',')).map(str::trim).collect();
    let mut nearest = socket;
    for hop in hops.into_iter().rev() {
        // What is no address was not written by a proxy of ours.
        let Ok(address) = hop.parse() else { break };
        nearest = address;
        if !is_trusted(address) {
            break;
        }
    }
    nearest.to_string()
}

async fn visitor(app: Arc<App>, request: HttpRequest) -> Result<Visitor, Problem> {
    let visitor = unannounced(&app, &request).await?;
    announce(&request, &visitor);
    Ok(visitor)
}

/// Who it is, as long as nothing else of the request knows: should it end in a problem, the page greets nobody.
pub(super) async fn unannounced(app: &App, request: &HttpRequest) -> Result<Visitor, Problem> {
    note_route(request);
    let token = cookie::session(app, request);
    let session = match &token {
        Some(token) => live_session(app, token, !request.headers().contains_key(UNASKED)).await?,
        None => None,
    };
    Ok(Visitor { request_id: request_id(request), peer: peer(app, request), session, token })
}

pub(super) fn announce(request: &HttpRequest, visitor: &Visitor) {
    if let (Some(session), Some(token)) = (&visitor.session, &visitor.token) {
        note_caller(request, Caller::Person);
        request.extensions_mut().insert(Known { session: session.clone(), token: token.clone() });
    }
}

async fn live_session(app: &App, token: &SessionToken, is_asked: bool) -> Result<Option<BrowserSession>, Problem> {
    let now = app.clock.shared_now();
    let digest = digest(token.expose().as_bytes());
    let find = browser_session::find(app.pools.engine(), &digest, now);
    let session = tokio::time::timeout(PATIENCE, find).await.map_err(|_| Problem::unavailable())??;
    if is_asked && session.as_ref().is_some_and(|session| session.is_due_to_be_seen) {
        browser_session::update_seen(app.pools.engine(), &digest, now).await?;
    }
    Ok(session)
}

impl FromRequest for Visitor {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let app = request.app_data::<web::Data<App>>().expect("the route table sets it").clone().into_inner();
        Box::pin(visitor(app, request.clone()))
    }
}

impl FromRequest for Member {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let visitor = Visitor::from_request(request, payload);
        // A form that was sent signed out leads to the pages, not back into the form.
        let wanted = if request.method().is_safe() { ReturnPath::parse(request.path()) } else { None };
        Box::pin(async move { Self::of(visitor.await?).ok_or(Problem::SignInFirst { return_to: wanted }) })
    }
}
