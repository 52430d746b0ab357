//! `OpenID` Connect, as far as Zoho's documents and captures go (zoho-oauth.md §8).
//!
//! The sample `id_token` of the documentation has a JOSE header with `key_id` for `kid`, `typ` JWS and `=` padding, which
//! strict libraries refuse; so has this one. Its signature is made with a throw-away key and the key list is empty: a client
//! that believes an `id_token` of the emulator has checked nothing, and that is worth finding out here.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::token::credentials;
use super::token_answer::error;
use crate::emulator::answer::Answer;
use crate::emulator::data_centre::DataCentre;
use crate::emulator::ledger::Grant;
use crate::emulator::request::Request;
use crate::emulator::state::{Shared, State};
use crate::emulator::world::Person;

pub(super) fn discovery(shared: &Shared, here: DataCentre) -> Answer {
    let issuer = shared.addresses.accounts(here);
    let url = |path: &str| format!("{issuer}{path}");
    let document = json!({
        "issuer": issuer,
        "authorization_endpoint": url("/oauth/v2/auth"),
        "token_endpoint": url("/oauth/v2/token"),
        "userinfo_endpoint": url("/oauth/v2/userinfo"),
        "introspection_endpoint": url("/oauth/v2/introspect"),
        "revocation_endpoint": url("/oauth/v2/token/revoke"),
        "jwks_uri": url("/oauth/v2/keys"),
        "response_types_supported": ["code"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256", "RS384"],
        "scopes_supported": ["openid", "email", "profile"],
        "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
        "code_challenge_methods_supported": ["plain", "S256"],
        "claims_supported": ["sub", "iss", "aud", "exp", "iat", "email", "email_verified", "first_name", "last_name", "name"],
    });
    Answer::json(200, &document)
}

pub(super) fn keys() -> Answer {
    Answer::json(200, &json!({"keys": []}))
}

/// Seen answering 400 with a page instead of claims; here that happens without the scope `openid`.
pub(super) fn user_info(shared: &Shared, request: &Request, here: DataCentre) -> Answer {
    let state = shared.read();
    let token = request.access_token().and_then(|value| state.ledger.access_token(value));
    let live = token.filter(|token| token.is_live(shared.clock.now()) && token.grant.data_centre() == here);
    let open = live.filter(|token| token.grant.scopes.iter().any(|scope| scope == "openid"));
    match open.and_then(|token| state.world.people.get(&token.grant.person).map(|person| (person, token))) {
        Some((person, token)) => Answer::json(200, &claims(person, &token.grant)),
        None => Answer::html(400, "<!doctype html><title>Error</title><h1>Bad request</h1><p>(emulated Zoho)</p>"),
    }
}

pub(super) fn introspect(shared: &Shared, request: &Request, here: DataCentre) -> Answer {
    let parameters = request.token_parameters();
    let basic = request.basic();
    let (client_id, secret) = credentials(&parameters, basic.as_ref());
    let state = shared.read();
    let right =
        state.world.client(client_id).filter(|client| client.is_on(here)).and_then(|client| client.secret(here));
    if right.is_none() || right != secret {
        return error(&state.settings, "invalid_client");
    }
    let token = parameters.get("token").and_then(|value| state.ledger.access_token(value));
    let live = token.filter(|token| {
        token.is_live(shared.clock.now()) && token.grant.data_centre() == here && token.grant.client_id == client_id
    });
    Answer::json(
        200,
        &live.map_or(json!({"active": false}), |token| {
            json!({
                "active": true, "client_id": client_id, "scope": token.grant.scopes.join(" "), "token_type": "Bearer",
                "exp": token.expires / 1000, "iat": token.created / 1000, "sub": token.grant.person.zuid,
            })
        }),
    )
}

fn claims(person: &Person, grant: &Grant) -> Value {
    let mut claims = json!({"sub": person.zuid});
    if grant.scopes.iter().any(|scope| scope == "email") {
        claims["email"] = json!(person.email);
        claims["email_verified"] = json!(true);
    }
    if grant.scopes.iter().any(|scope| scope == "profile") {
        claims["first_name"] = json!(person.first_name);
        claims["last_name"] = json!(person.last_name);
        claims["name"] = json!(person.display_name);
    }
    claims
}

/// Only where an `OpenID` scope was granted.
pub(super) fn id_token(shared: &Shared, state: &State, grant: &Grant) -> Option<String> {
    if !grant.scopes.iter().any(|scope| ["openid", "email", "profile"].contains(&scope.as_str())) {
        return None;
    }
    let mut claims = claims(state.world.people.get(&grant.person)?, grant);
    let now = shared.clock.now() / 1000;
    claims["iss"] = json!(shared.addresses.accounts(grant.data_centre()));
    claims["aud"] = json!(grant.client_id);
    claims["iat"] = json!(now);
    claims["exp"] = json!(now + 3600);
    let header = json!({"key_id": "emulator", "typ": "JWS", "alg": "RS256"});
    let signed = format!("{}.{}", URL_SAFE.encode(header.to_string()), URL_SAFE.encode(claims.to_string()));
    let signature = Sha256::digest(format!("{signed}.{}", rand::random::<u128>()));
    Some(format!("{signed}.{}", URL_SAFE.encode(signature)))
}
