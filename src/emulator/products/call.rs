//! One call of a product's API, and what its token allows.

use super::Host;
use super::refusal::{Reason, refuse};
use crate::emulator::answer::Answer;
use crate::emulator::clock::Millis;
use crate::emulator::ledger::AccessToken;
use crate::emulator::request::Request;
use crate::emulator::scopes;
use crate::emulator::state::State;
use crate::emulator::world::{Organization, Person, Place};

#[derive(Debug, Clone, Copy)]
pub(super) struct Call<'a> {
    pub(super) state: &'a State,
    pub(super) request: &'a Request,
    pub(super) product: &'static str,
    pub(super) now: Millis,
    host: Host,
}

/// A call whose token was accepted.
#[derive(Debug, Clone, Copy)]
pub(super) struct Allowed<'a> {
    pub(super) person: &'a Person,
    pub(super) token: &'a AccessToken,
    product: &'static str,
}

impl<'a> Call<'a> {
    pub(super) fn new(state: &'a State, request: &'a Request, host: Host, product: &'static str, now: Millis) -> Self {
        Self { state, request, product, now, host }
    }

    /// The same call, understood as one of another product.
    pub(super) fn of(&self, product: &'static str) -> Self {
        Self { product, ..*self }
    }

    pub(super) fn is(&self, method: &str) -> bool {
        self.request.method == method || (method == "GET" && self.request.method == "HEAD")
    }

    /// The token as the ledger has it, dead or alive.
    pub(super) fn presented(&self) -> Option<&'a AccessToken> {
        self.request.access_token().and_then(|value| self.state.ledger.access_token(value))
    }

    /// Accepts the token if it lives, belongs to this host and covers `scope`; otherwise the product's refusal.
    pub(super) fn allow(&self, scope: &str) -> Result<Allowed<'a>, Answer> {
        let allowed = self.allow_any()?;
        if !scopes::allow(&allowed.token.grant.scopes, scope) {
            return Err(self.refuse(Reason::Scope));
        }
        Ok(allowed)
    }

    /// As [`Call::allow`], with any scope of the product.
    pub(super) fn allow_product(&self) -> Result<Allowed<'a>, Answer> {
        let allowed = self.allow_any()?;
        if !allowed.token.grant.scopes.iter().any(|scope| scopes::product(scope) == Some(self.product)) {
            return Err(self.refuse(Reason::Scope));
        }
        Ok(allowed)
    }

    fn allow_any(&self) -> Result<Allowed<'a>, Answer> {
        if self.request.header("authorization").is_none() {
            return Err(self.refuse(Reason::NoHeader));
        }
        let token = self.presented().ok_or_else(|| self.refuse(Reason::Invalid))?;
        if token.end.is_none() && self.now >= token.expires {
            return Err(self.refuse(Reason::Expired));
        }
        let here =
            token.grant.data_centre() == self.host.data_centre && token.grant.environment == self.host.environment;
        let person = self.state.world.people.get(&token.grant.person);
        match person.filter(|_| here && token.end.is_none()) {
            Some(person) => Ok(Allowed { person, token, product: self.product }),
            None => Err(self.refuse(Reason::Invalid)),
        }
    }

    pub(super) fn refuse(&self, reason: Reason) -> Answer {
        refuse(self.product, reason, &self.state.settings)
    }
}

impl<'a> Allowed<'a> {
    /// The organizations this token opens: the chosen one, or all of the environment where none was chosen.
    pub(super) fn organizations(&self) -> impl Iterator<Item = &'a Organization> + use<'a> {
        let grant = &self.token.grant;
        let opened = |organization: &&Organization| {
            organization.environment == grant.environment
                && grant.organization.as_ref().is_none_or(|bound| *bound == organization.id)
        };
        self.person.organizations.iter().filter(opened).collect::<Vec<_>>().into_iter()
    }

    /// What the product calls an organization, within them.
    pub(super) fn places(&self) -> Vec<(&'a Organization, &'a Place)> {
        let product = self.product;
        self.organizations()
            .flat_map(|organization| organization.places(product).iter().map(move |place| (organization, place)))
            .collect()
    }

    pub(super) fn place(&self, id: &str) -> Option<&'a Place> {
        self.places().into_iter().find(|(_, place)| place.id == id).map(|(_, place)| place)
    }
}
