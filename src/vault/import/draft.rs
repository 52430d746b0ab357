//! An import as a caller writes it: the members of `POST /connections`, also a line of a file
//! (design.md §6).

use std::{collections::BTreeMap, str::FromStr};

use super::{GivenOrganization, Import, OwnClient, Token};
use crate::domain::{
    data_centre::DataCentre,
    members::{Members, plain},
    organization::{Environment, ZohoOrganizationId},
    product::Product,
    scope::ScopeSet,
    secret::{AuthorizationCode, ClientSecret, RefreshToken},
};

/// What counts where an object does not say it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Defaults {
    pub(crate) tenant: Option<String>,
    pub(crate) product: Option<Product>,
    pub(crate) data_centre: Option<DataCentre>,
    pub(crate) scopes: Option<ScopeSet>,
    /// Where nobody has said any scopes, those that consent would be asked for. Empty: they must be said.
    pub(crate) usual_scopes: BTreeMap<Product, ScopeSet>,
}

impl Defaults {
    pub(crate) fn scopes_of(&self, product: Option<Product>) -> Option<ScopeSet> {
        let usual = || self.usual_scopes.get(&product?).cloned();
        self.scopes.clone().or_else(usual)
    }
}

/// The tenant as it is named, and what is to be imported into it. `None` where a mistake was noted.
pub(crate) fn read(members: &mut Members, defaults: &Defaults) -> Option<(String, Import)> {
    let tenant = or_default(members, "tenant", plain, defaults.tenant.clone());
    let product = or_default(members, "product", Product::from_str, defaults.product);
    let data_centre = or_default(members, "data_centre", DataCentre::from_str, defaults.data_centre);
    let scopes = scopes(members, defaults, product);
    let (organization, client, token) = (organization(members), client(members), token(members));
    let (organization, environment) = organization.ok()?;
    let import = Import {
        product: product?,
        data_centre: data_centre?,
        scopes: scopes?,
        organization,
        environment,
        client: client.ok()?,
        token: token?,
    };
    Some((tenant?, import))
}

/// A mistake stands among those of the members.
struct Noted;

fn or_default<T, E: std::fmt::Display>(
    members: &mut Members,
    name: &str,
    parse: impl FnOnce(&str) -> Result<T, E>,
    default: Option<T>,
) -> Option<T> {
    match default {
        Some(default) if !members.has(name) => Some(default),
        _ => members.need(name, parse),
    }
}

fn scopes(members: &mut Members, defaults: &Defaults, product: Option<Product>) -> Option<ScopeSet> {
    if let Some(default) = defaults.scopes_of(product).filter(|_| !members.has("scopes")) {
        return Some(default);
    }
    // Those of no product are nobody's mistake but the product's.
    let would_be_usual = product.is_none() && !defaults.usual_scopes.is_empty() && !members.has("scopes");
    if would_be_usual || !members.is_there("scopes") {
        return None;
    }
    let scopes: Result<ScopeSet, _> = members.take_list("scopes")?.join(",").parse();
    match scopes {
        Ok(scopes) if scopes.is_empty() => members.add("scopes", "must name at least one scope"),
        Ok(scopes) => return Some(scopes),
        Err(error) => members.add("scopes", error),
    }
    None
}

fn organization(members: &mut Members) -> Result<(Option<GivenOrganization>, Option<Environment>), Noted> {
    let is_given = members.has("organization");
    let Some(mut inner) = members.open("organization") else {
        return if is_given { Err(Noted) } else { Ok((None, None)) };
    };
    let id = inner.need("id", ZohoOrganizationId::from_str);
    let name = inner.take("name", plain);
    let environment = inner.take("environment", Environment::from_str);
    members.close(inner);
    Ok((Some(GivenOrganization { id: id.ok_or(Noted)?, name }), environment))
}

fn client(members: &mut Members) -> Result<Option<OwnClient>, Noted> {
    let is_given = members.has("client");
    let Some(mut inner) = members.open("client") else {
        return if is_given { Err(Noted) } else { Ok(None) };
    };
    let id = inner.need("id", client_id);
    let secret = inner.need("secret", secret);
    members.close(inner);
    Ok(Some(OwnClient { id: id.ok_or(Noted)?, secret: ClientSecret::new(secret.ok_or(Noted)?) }))
}

fn token(members: &mut Members) -> Option<Token> {
    match (members.has("self_client_code"), members.has("refresh_token")) {
        (true, true) => {
            members.add("refresh_token", "must not be given beside self_client_code");
            members.take("self_client_code", secret);
            members.take("refresh_token", secret);
            None
        }
        (true, false) => {
            members.take("refresh_token", secret);
            members.take("self_client_code", secret).map(|code| Token::SelfClientCode(AuthorizationCode::new(code)))
        }
        (false, _) => {
            members.take("self_client_code", secret);
            members.need("refresh_token", secret).map(|token| Token::RefreshToken(RefreshToken::new(token)))
        }
    }
}

/// Longest client id; Zoho's have 35 characters.
const LONGEST_ID: usize = 200;

/// Opaque; it travels in a form, and is shown.
pub(crate) fn client_id(text: &str) -> Result<String, &'static str> {
    let id = secret(text)?;
    if id.len() <= LONGEST_ID { Ok(id) } else { Err("is too long") }
}

/// Codes, tokens and secrets are opaque, but never hold blanks: whoever pastes one may bring some.
pub(crate) fn secret(text: &str) -> Result<String, &'static str> {
    let text = text.trim();
    if text.is_empty() {
        Err("must not be empty")
    } else if text.bytes().all(|byte| byte.is_ascii_graphic()) {
        Ok(text.to_owned())
    } else {
        Err("must hold letters, digits and signs only")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mistakes(json: &str, defaults: &Defaults) -> Vec<String> {
        let mut members = Members::read(json).expect("an object");
        let draft = read(&mut members, defaults);
        let mistakes: Vec<_> = members.mistakes().iter().map(ToString::to_string).collect();
        assert_eq!(draft.is_none(), mistakes.iter().any(|mistake| !mistake.contains("no member")), "{mistakes:?}");
        mistakes
    }

    #[test]
    fn all_that_is_wrong_is_named_and_no_secret_repeated() {
        assert_eq!(
            mistakes("{}", &Defaults::default()),
            [
                "tenant is missing",
                "product is missing",
                "data_centre is missing",
                "scopes is missing",
                "refresh_token is missing"
            ]
        );
        let told = mistakes(
            r#"{"tenant":"a","product":"mail","data_centre":"EU","scopes":[],"organization":{"id":"a b","environment":"x"},
                "client":{"id":"1000.A"},"self_client_code":"1000.c c","refresh_token":"1000.rr","role":"owner"}"#,
            &Defaults::default(),
        );
        let members: Vec<_> = told.iter().map(|mistake| mistake.split(' ').next().expect("a name")).collect();
        assert_eq!(
            members,
            [
                "product",
                "data_centre",
                "scopes",
                "organization.id",
                "organization.environment",
                "client.secret",
                "refresh_token",
                "self_client_code",
                "role"
            ]
        );
        assert!(!told.join(" ").contains("1000."), "{told:?}");
    }

    #[test]
    fn what_a_file_does_not_say_may_be_said_once_for_all() {
        let defaults = Defaults {
            tenant: Some("acme".to_owned()),
            product: Some(Product::Crm),
            data_centre: Some(DataCentre::Eu),
            scopes: Some("ZohoCRM.org.READ".parse().expect("a scope")),
            usual_scopes: BTreeMap::new(),
        };
        let mut members = Members::read(r#"{"refresh_token":" 1000.r \n","product":"desk"}"#).expect("an object");
        let (tenant, import) = read(&mut members, &defaults).expect("complete");
        assert_eq!((tenant.as_str(), import.product, import.data_centre), ("acme", Product::Desk, DataCentre::Eu));
        assert!(matches!(import.token, Token::RefreshToken(token) if token.expose() == "1000.r"));
        assert!(members.mistakes().is_empty());
    }
}
