//! What an authorization request asks for, and the four mistakes that end on a page of Zoho's instead of a redirect.

use crate::emulator::data_centre::DataCentre;
use crate::emulator::ledger::{Challenge, ChallengeMethod};
use crate::emulator::request::Parameters;
use crate::emulator::scopes;
use crate::emulator::world::{Organization, Person, World};

/// `/oauth/v2/auth`, read.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) client_id: String,
    pub(super) redirect_uri: String,
    pub(super) scopes: Vec<String>,
    pub(super) offline: bool,
    pub(super) prompt: bool,
    pub(super) state: Option<String>,
    pub(super) challenge: Option<Challenge>,
}

/// Shown as a page, never told to the client (zoho-oauth.md §4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mistake {
    Client,
    ResponseType,
    RedirectUri,
    Scope,
    Challenge,
    NotEnabledHere,
}

impl Asked {
    pub(super) fn read(world: &World, parameters: &Parameters) -> Result<Self, Mistake> {
        let client_id = parameters.get("client_id").unwrap_or_default();
        let client = world.client(client_id).ok_or(Mistake::Client)?;
        if parameters.get("response_type") != Some("code") {
            return Err(Mistake::ResponseType);
        }
        let redirect_uri = parameters.get("redirect_uri").unwrap_or_default();
        if !client.redirect_uris.iter().any(|known| known == redirect_uri) {
            return Err(Mistake::RedirectUri);
        }
        let scopes = parameters.get("scope").and_then(scopes::parse).ok_or(Mistake::Scope)?;
        Ok(Self {
            client_id: client_id.to_owned(),
            redirect_uri: redirect_uri.to_owned(),
            scopes,
            offline: parameters.get("access_type").is_some_and(|kind| kind.eq_ignore_ascii_case("offline")),
            prompt: parameters.get("prompt").is_some_and(|prompt| prompt.eq_ignore_ascii_case("consent")),
            state: parameters.get("state").map(ToOwned::to_owned),
            challenge: challenge(parameters)?,
        })
    }

    /// The client must be switched on where the person lives, which is known only after sign-in.
    pub(super) fn check_enabled(&self, world: &World, data_centre: DataCentre) -> Result<(), Mistake> {
        let on = world.client(&self.client_id).is_some_and(|client| client.is_on(data_centre));
        if on { Ok(()) } else { Err(Mistake::NotEnabledHere) }
    }
}

/// `plain` is the default method (RFC 7636 §4.3).
fn challenge(parameters: &Parameters) -> Result<Option<Challenge>, Mistake> {
    let Some(value) = parameters.get("code_challenge") else {
        return if parameters.get("code_challenge_method").is_some() { Err(Mistake::Challenge) } else { Ok(None) };
    };
    let method = match parameters.get("code_challenge_method") {
        None | Some("plain") => ChallengeMethod::Plain,
        Some("S256") => ChallengeMethod::S256,
        Some(_) => return Err(Mistake::Challenge),
    };
    if !(43..=128).contains(&value.len()) {
        return Err(Mistake::Challenge);
    }
    Ok(Some(Challenge { method, value: value.to_owned() }))
}

/// The organizations a person can choose from: those that offer at least one product the scopes are for.
pub(in crate::emulator) fn candidates<'a>(person: &'a Person, scopes: &[String]) -> Vec<&'a Organization> {
    let products: Vec<&str> = scopes.iter().filter_map(|scope| scopes::product(scope)).collect();
    let offers = |organization: &&Organization| products.iter().any(|product| !organization.places(product).is_empty());
    person.organizations.iter().filter(offers).collect()
}
