//! A back end with its key: `Backend<ConnectionsRead>` in a handler's signature *is* the check.
//!
//! 1. One `Authorization` header at most, of the scheme `Bearer`; a key anywhere else is no key
//!    (security.md S-51).
//! 2. A peer that sent too many wrong keys waits, whatever it sends now.
//! 3. The key is judged by what is stored at this moment; all that is wrong with a key is one answer
//!    (S-54). A right key does not notice who guesses at it from elsewhere.
//! 4. Its tenant must not be suspended, and it must have the grant; lists and look-ups then run within its tenant.

use std::{future::Future, marker::PhantomData, pin::Pin, sync::Arc, time::Duration};

use actix_web::{
    FromRequest, HttpRequest,
    dev::Payload,
    http::header::{AUTHORIZATION, HeaderValue},
    web,
};

use crate::{
    app::App,
    domain::{api_key::Grant, ids::TenantId, secret::ApiKey},
    http::{
        caller::{peer, request_id},
        problem::{MemberError, Problem},
        site::problem_types::ProblemType,
    },
    store::{
        StoreError,
        audit_event::{Actor, AuditEvent},
        tx::Tx,
    },
    telemetry::{Caller, note_caller, note_route},
    vault::{
        api_key::{id_of, judge},
        usage::Full,
    },
};

/// A grant as a type, so that a signature can name it.
pub(crate) trait Needs: 'static {
    const GRANT: Grant;
}

macro_rules! grants {
    ($($grant:ident),+ $(,)?) => {$(
        #[derive(Debug)]
        pub(crate) struct $grant;

        impl Needs for $grant {
            const GRANT: Grant = Grant::$grant;
        }
    )+};
}

grants! { ConnectionsRead, ConnectionsWrite, TokensRead, Proxy, OnboardingWrite, WebhooksWrite, AuditRead }

/// A program whose key counts and has the grant.
#[derive(Debug)]
pub(crate) struct Backend<G> {
    /// Absent: every tenant.
    pub(crate) tenant_id: Option<TenantId>,
    /// For the record; it is no secret.
    pub(crate) api_key_id: String,
    grant: PhantomData<G>,
}

impl<G> Backend<G> {
    /// A transaction that sees what this key may see.
    pub(crate) async fn begin(&self, app: &App) -> Result<Tx, StoreError> {
        match self.tenant_id {
            Some(tenant_id) => app.pools.begin_as_tenant(tenant_id).await,
            None => app.pools.begin_as_engine().await,
        }
    }
}

impl<G: Needs> FromRequest for Backend<G> {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let app = request.app_data::<web::Data<App>>().expect("the route table sets it").clone().into_inner();
        Box::pin(backend(app, request.clone()))
    }
}

async fn backend<G: Needs>(app: Arc<App>, request: HttpRequest) -> Result<Backend<G>, Problem> {
    note_route(&request);
    let peer = peer(&app, &request);
    if let Some(wait) = app.limits.failed_keys.exceeded(&peer) {
        return Err(too_many(wait));
    }
    let key = sent_key(&request)?.ok_or(UNAUTHENTICATED)?;
    let Some(judged) = judge(&app, &key).await? else {
        let id = id_of(&key);
        let limited = app.limits.failed_key_ids.exceeded(id).filter(|_| !id.is_empty());
        app.limits.failed_keys.count(&peer);
        app.limits.failed_key_ids.count(id);
        return Err(limited.map_or(UNAUTHENTICATED, too_many));
    };
    note_caller(&request, Caller::Backend);
    app.key_uses.note(id_of(&key), app.clock.shared_now());
    if judged.is_suspended {
        return Err(Problem::Suspended);
    }
    if !judged.may(G::GRANT) {
        return Err(refuse(&app, &request, (judged.tenant_id, id_of(&key)), peer, G::GRANT));
    }
    Ok(Backend { tenant_id: judged.tenant_id, api_key_id: id_of(&key).to_owned(), grant: PhantomData })
}

/// What a key may not do is on record (security.md S-70).
fn refuse(
    app: &App,
    request: &HttpRequest,
    (tenant_id, api_key_id): (Option<TenantId>, &str),
    peer: String,
    lacks: Grant,
) -> Problem {
    let event = AuditEvent {
        actor: Actor::ApiKey(api_key_id.to_owned()),
        action: "call_refused",
        outcome: "refused",
        tenant_id,
        connection_id: None,
        peer: Some(peer),
        request_id: Some(request_id(request)),
        detail: Some(lacks.key().to_owned()),
    };
    match app.usage.note_refusal(event, app.clock.shared_now()) {
        Ok(()) => Problem::explained(ProblemType::Forbidden),
        Err(Full) => Problem::unavailable(),
    }
}

const UNAUTHENTICATED: Problem = Problem::explained(ProblemType::Unauthenticated);

const fn too_many(wait: Duration) -> Problem {
    Problem::Explained { problem: ProblemType::TooManyRequests, retry_after: Some(wait) }
}

/// What was sent as a key, well-formed or not. Absent where nothing was.
fn sent_key(request: &HttpRequest) -> Result<Option<ApiKey>, Problem> {
    let mut values = request.headers().get_all(AUTHORIZATION);
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        let detail = "must be sent once".to_owned();
        return Err(Problem::Invalid(vec![MemberError { member: "Authorization".to_owned(), detail }]));
    }
    Ok(bearer(value))
}

fn bearer(value: &HeaderValue) -> Option<ApiKey> {
    let (scheme, key) = value.as_bytes().split_at_checked("Bearer".len())?;
    let key = key.strip_prefix(b" ").filter(|_| scheme.eq_ignore_ascii_case(b"bearer"))?;
    // What is no text is a key nobody has.
    Some(ApiKey::new(std::str::from_utf8(key).unwrap_or_default().trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s54_the_scheme_has_no_case_and_what_follows_is_the_key() {
        let key = |value: &[u8]| {
            bearer(&HeaderValue::from_bytes(value).expect("a header")).map(|key| key.expose().to_owned())
        };
        for good in ["Bearer lwz_a", "bearer lwz_a", "BEARER  lwz_a "] {
            assert_eq!(key(good.as_bytes()).as_deref(), Some("lwz_a"), "{good}");
        }
        assert_eq!(key(b"Bearer \xff\xfe").as_deref(), Some(""));
        for other in ["", "lwz_a", "Basic bHd6", "Bearerlwz_a", "Bearer"] {
            assert_eq!(key(other.as_bytes()), None, "{other}");
        }
    }
}
