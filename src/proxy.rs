//! One call to a product on behalf of a connection.
//!
//! 1. [`admit`]: the connection's token is vended, which also tells product, data centre and
//!    organization; the path must be the product's (security.md S-60); the organization is named to
//!    the product where it wants that; then a place is taken among the calls under way (S-64).
//! 2. [`Admitted::send`]: the call is sent. If the product says that the token is no good, one
//!    refresh, shared by all who say so, and one more try (S-63); then the product's own answer,
//!    whatever it is.
//! 3. The answer's body flows through a task that keeps the place until the body has ended, failed,
//!    taken too long, or its reader has gone (`flow`).
//!
//! Never more than two calls reach the product, and the second only after it refused the first.

pub(crate) mod answer;
pub(crate) mod flow;
pub(crate) mod limits;
mod organization;
pub(crate) mod refused_tokens;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use chrono::TimeDelta;

use crate::{
    app::App,
    domain::{
        ids::{ConnectionId, TenantId},
        product::Product,
        proxy_path::ProxyPath,
        proxy_query::ProxyQuery,
    },
    proxy::{
        answer::Answered,
        limits::{Busy, Place},
    },
    vault::access_token::{VendError, Vended, Wanted, vend},
    zoho::{CallLimits, Method, ProductAnswer, ProductCall, Unanswered, Verdict},
};

/// A product must begin to answer within a minute, an agent within ten (design.md §6).
const FIRST_BYTE: Duration = Duration::from_secs(60);
const FIRST_BYTE_OF_AN_AGENT: Duration = Duration::from_secs(600);
/// Between two pieces of an answer that has begun. An agent may begin its answer and go on thinking.
const IDLE: Duration = Duration::from_secs(30);
/// For the rest of an answer that has begun, so that a byte a second does not go on for days.
const REST: Duration = Duration::from_secs(300);
/// The largest answer that is passed on: above the largest file Zoho's APIs take (CRM: 20 MB).
const LARGEST_ANSWER: u64 = 32 * 1024 * 1024;
/// The life a token must have left: a call takes that long to arrive, not to be answered.
const MINIMUM: TimeDelta = TimeDelta::seconds(60);

/// What a back end asks for.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) connection_id: ConnectionId,
    /// The key's; absent: every tenant.
    pub(crate) tenant_id: Option<TenantId>,
    pub(crate) method: Method,
    pub(crate) path: ProxyPath,
    pub(crate) query: ProxyQuery,
    /// From the list of those that are passed on.
    pub(crate) headers: Vec<(&'static str, String)>,
}

/// Why the product's answer is not what the back end gets.
#[derive(Debug, Clone, Copy, thiserror::Error)]
pub(crate) enum ProxyError {
    #[error(transparent)]
    Vend(#[from] VendError),
    #[error("the path is not one of {0}'s API")]
    ForeignPath(Product),
    /// The query names another organization than the connection's.
    #[error("the query names another organization in {0}")]
    ForeignOrganization(&'static str),
    #[error("the data centre has no host of this product")]
    NotOffered,
    #[error("too many calls at once")]
    Busy(Busy),
    #[error(transparent)]
    Unanswered(#[from] Unanswered),
}

/// A call that may be sent.
#[derive(Debug)]
pub(crate) struct Admitted {
    asked: Asked,
    vended: Vended,
    query: ProxyQuery,
    place: Place,
    /// What getting a token took.
    token_time: Duration,
}

/// Step 1.
pub(crate) async fn admit(app: &Arc<App>, mut asked: Asked) -> Result<Admitted, ProxyError> {
    let started = Instant::now();
    let vended = vend(app, &wanted(&asked, None)).await?;
    let token_time = started.elapsed();
    if !asked.path.is_of(vended.product) {
        return Err(ProxyError::ForeignPath(vended.product));
    }
    let query = organization::name(&mut asked, &vended)?;
    let place = app.proxy_limits.enter(vended.tenant_id, vended.data_centre).await.map_err(|busy| {
        count(vended.product, busy.outcome());
        ProxyError::Busy(busy)
    })?;
    Ok(Admitted { asked, vended, query, place, token_time })
}

fn wanted(asked: &Asked, rejected: Option<String>) -> Wanted {
    Wanted { connection_id: asked.connection_id, tenant_id: asked.tenant_id, minimum: MINIMUM, rejected }
}

impl Admitted {
    /// Whose token it is.
    pub(crate) const fn connection(&self) -> (TenantId, ConnectionId) {
        (self.vended.tenant_id, self.vended.connection_id)
    }

    /// Step 2.
    pub(crate) async fn send(mut self, app: &Arc<App>, body: &Bytes) -> Result<Answered, ProxyError> {
        let started = Instant::now();
        let mut answer = self.call(app, body).await?;
        let mut renewal = Duration::ZERO;
        let mut tries = 1;
        if answer.verdict == Verdict::TokenRefused
            && let Some(renewed) = self.renewed(app, &mut renewal).await?
        {
            // The refused answer goes before the next call: it holds a connection.
            drop(answer);
            self.vended = renewed;
            tries = 2;
            answer = self.call(app, body).await?;
            if answer.verdict == Verdict::TokenRefused {
                app.refused_tokens.note(self.vended.connection_id, app.clock.shared_now());
            }
        }
        let zoho_time = started.elapsed().saturating_sub(renewal);
        count(self.vended.product, outcome(&answer));
        let timing = answer::Timing { token: self.token_time + renewal, zoho: zoho_time, tries };
        Ok(Answered::new(self.vended.connection_id, answer, timing, self.asked.method, self.place))
    }

    /// Another token than the refused one, if there can be one.
    async fn renewed(&self, app: &Arc<App>, took: &mut Duration) -> Result<Option<Vended>, ProxyError> {
        let refused = &self.vended;
        if app.refused_tokens.is_spared(refused.connection_id, refused.refreshed_at, app.clock.shared_now()) {
            return Ok(None);
        }
        let started = Instant::now();
        let renewed = vend(app, &wanted(&self.asked, Some(refused.token_id.clone()))).await;
        *took = started.elapsed();
        let renewed = match renewed {
            Ok(renewed) => renewed,
            // There is no other token at the moment: what the product said is all there is to say.
            Err(
                VendError::Throttled { .. }
                | VendError::Unavailable { .. }
                | VendError::Misconfigured { .. }
                | VendError::Misbehaved
                | VendError::Unreadable
                | VendError::Busy,
            ) => return Ok(None),
            Err(ended) => return Err(ended.into()),
        };
        metrics::counter!("proxy_retries_total", "product" => refused.product.key()).increment(1);
        // A connection that was reconnected in between could have become another.
        let is_other = renewed.token_id != refused.token_id;
        Ok(Some(renewed).filter(|renewed| is_other && renewed.organization == refused.organization))
    }

    async fn call(&self, app: &App, body: &Bytes) -> Result<ProductAnswer, ProxyError> {
        let Vended { product, data_centre, ref organization, .. } = self.vended;
        let origin = app.hosts(data_centre).product(product, organization.environment).ok_or(ProxyError::NotOffered)?;
        let call = ProductCall {
            product,
            origin,
            method: self.asked.method,
            path: &self.asked.path,
            query: &self.query,
            headers: &self.asked.headers,
            body,
            limits: limits_of(product),
        };
        app.zoho.call(&call, &self.vended.access_token).await.map_err(|unanswered| {
            count(product, unanswered.class());
            let (product, data_centre, class) = (product.key(), data_centre.key(), unanswered.class());
            tracing::warn!(product, data_centre, class, "a proxied call has no answer");
            ProxyError::Unanswered(unanswered)
        })
    }
}

fn limits_of(product: Product) -> CallLimits {
    let (first_byte, idle) = match product {
        Product::ZiaAgents => (FIRST_BYTE_OF_AN_AGENT, FIRST_BYTE_OF_AN_AGENT),
        Product::Assist | Product::Salesiq | Product::Connect | Product::Crm | Product::Desk | Product::Books => {
            (FIRST_BYTE, IDLE)
        }
    };
    CallLimits { first_byte, idle, whole: first_byte + REST, size: LARGEST_ANSWER }
}

/// What became of a call, as metrics name it.
fn outcome(answer: &ProductAnswer) -> &'static str {
    match (answer.verdict, answer.status) {
        (Verdict::TokenRefused, _) => "token-refused",
        (Verdict::Throttled, _) => "throttled",
        (Verdict::Answered, 400..=499) => "4xx",
        (Verdict::Answered, 500..) => "5xx",
        (Verdict::Answered, _) => "answered",
    }
}

fn count(product: Product, outcome: &'static str) {
    metrics::counter!("proxy_requests_total", "product" => product.key(), "outcome" => outcome).increment(1);
}
