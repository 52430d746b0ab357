//! One handler for everything: read, record, strike or answer, write.

use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::Extensions;
use actix_web::rt::net::TcpStream;
use actix_web::{HttpRequest, HttpResponse, web};
use socket2::{SockRef, Socket};

use super::answer::Answer;
use super::data_centre::DataCentre;
use super::faults::{self, Act};
use super::listener::Listener;
use super::request::Request;
use super::state::Shared;
use super::{accounts, control, products};

/// The largest request body that is read.
const BODY_LIMIT: usize = 16 * 1024 * 1024;

/// A handle on the connection, so that a fault can reset it.
struct Wire(Socket);

/// Notes the bare connection, whether or not a request follows on it.
pub(super) fn on_connect(shared: &Shared, connection: &dyn Any, extensions: &mut Extensions) {
    let Some(stream) = connection.downcast_ref::<TcpStream>() else { return };
    let listener = stream.local_addr().ok().and_then(|address| shared.addresses.listener(address));
    if let Some(listener) = listener.filter(|listener| *listener != Listener::Control) {
        let peer = stream.peer_addr().map(|peer| peer.to_string()).unwrap_or_default();
        shared.journal.connection(shared.clock.now(), listener, peer);
    }
    if let Ok(socket) = SockRef::from(stream).try_clone() {
        extensions.insert(Wire(socket));
    }
}

pub(super) async fn handle(http: HttpRequest, payload: web::Payload, shared: web::Data<Arc<Shared>>) -> HttpResponse {
    let Some(listener) = shared.addresses.listener(http.app_config().local_addr()) else {
        return HttpResponse::InternalServerError().finish();
    };
    let body = match payload.to_bytes_limited(BODY_LIMIT).await {
        Ok(Ok(body)) => body,
        Ok(Err(_)) => return HttpResponse::BadRequest().finish(),
        Err(_) => return HttpResponse::PayloadTooLarge().finish(),
    };
    let request = read(&http, listener, body);
    if listener == Listener::Control {
        return faults::write(control::answer(&shared, &request), &Act::default(), None).await;
    }
    let secret = secret_in_line(&shared, &request);
    let sequence = shared.journal.request(shared.clock.now(), &request, secret);
    let strike = shared.faults.strike(&request);
    let (answer, act) = match &strike {
        None => (answer(&shared, &request), Act::default()),
        Some(strike) => {
            let real = strike.effect.then(|| answer(&shared, &request));
            (strike.act.apply(real), strike.act.clone())
        }
    };
    let silent = act.reset || act.hang;
    shared.journal.answered(sequence, (!silent).then_some(answer.status), strike.map(|strike| strike.id));
    let delay = answer.delay + Duration::from_millis(act.delay_ms.unwrap_or_default());
    if !delay.is_zero() {
        tokio::time::sleep(delay).await;
    }
    let socket = http.conn_data::<Wire>().map(|wire| &wire.0);
    faults::write(answer, &act, socket).await
}

fn read(http: &HttpRequest, listener: Listener, body: web::Bytes) -> Request {
    let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
    Request {
        listener,
        method: http.method().to_string(),
        path: http.uri().path().to_owned(),
        query: http.uri().query().unwrap_or_default().to_owned(),
        version: format!("{:?}", http.version()),
        headers: http.headers().iter().map(|(name, value)| (name.to_string(), text(value.as_bytes()))).collect(),
        body,
        peer: http.peer_addr().map(|peer| peer.to_string()).unwrap_or_default(),
    }
}

fn answer(shared: &Shared, request: &Request) -> Answer {
    match request.listener {
        Listener::Control => control::answer(shared, request),
        Listener::Accounts(data_centre) => accounts::answer(shared, request, data_centre),
        Listener::Api(data_centre, environment) => products::answer(shared, request, data_centre, environment),
    }
}

/// The name of the parameter whose value is a secret that this emulator knows or that its name declares to be one.
fn secret_in_line(shared: &Shared, request: &Request) -> Option<String> {
    if request.query.is_empty() && !request.path.contains("1000.") {
        return None;
    }
    let state = shared.read();
    let named = ["client_secret", "code", "refresh_token", "access_token", "token", "code_verifier"];
    let is_client_secret = |value: &str| {
        let current = state.world.clients.iter().any(|client| client.secrets.values().any(|secret| secret == value));
        current || state.secrets.iter().any(|secret| secret.value == value)
    };
    let is_secret = |name: &str, value: &str| {
        named.contains(&name) || state.ledger.knows(value) || (value.len() >= 8 && is_client_secret(value))
    };
    let parameters = request.parameters();
    let in_query = parameters.iter().find(|(name, value)| is_secret(name, value)).map(|(name, _)| name.clone());
    let mut segments = request.path.split('/');
    in_query.or_else(|| segments.any(|segment| is_secret("", segment)).then(|| "path".to_owned()))
}

/// The stylesheet, the same on every listener.
pub(super) fn asset(request: &Request) -> Option<Answer> {
    (request.path == "/emulator.css" && (request.method == "GET" || request.method == "HEAD")).then(|| {
        Answer::new(200, "text/css;charset=UTF-8", include_str!("../../static/emulator.css"))
            .with("cache-control", "max-age=60")
    })
}

/// Where a person's own accounts server goes on with a request that began elsewhere.
pub(super) fn accounts_url(shared: &Shared, data_centre: DataCentre, path_and_query: &str) -> String {
    format!("{}{path_and_query}", shared.addresses.accounts(data_centre))
}
