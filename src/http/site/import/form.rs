//! The form as it was sent, and what it asks for.

use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;

use super::{Entered, ImportProblem, MINUTES, USUAL_MINUTES};
use crate::{
    config::Config,
    domain::{
        data_centre::DataCentre,
        organization::{Environment, ZohoOrganizationId},
        product::Product,
        scope::ScopeSet,
        secret::{AuthorizationCode, ClientSecret, RefreshToken},
        text,
    },
    vault::import::{
        GivenOrganization, Import, OwnClient, Token,
        draft::{client_id, secret},
    },
};

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ImportForm {
    pub(super) csrf: String,
    product: String,
    data_centre: String,
    scopes: String,
    self_client_code: String,
    minutes: String,
    code_ends: String,
    refresh_token: String,
    client_id: String,
    client_secret: String,
    organization: String,
    organization_name: String,
    environment: String,
}

/// A form with its choices read.
#[derive(Default)]
pub(super) struct Read {
    pub(super) product: Option<Product>,
    pub(super) data_centre: Option<DataCentre>,
    /// Reckoned from the first time the code was sent.
    pub(super) code_ends: Option<DateTime<Utc>>,
    minutes: Option<u8>,
    form: ImportForm,
}

impl Read {
    pub(super) fn of(form: ImportForm, now: DateTime<Utc>) -> Self {
        let minutes = form.minutes.parse().ok().filter(|minutes| MINUTES.contains(minutes));
        let longest = now + TimeDelta::minutes((*MINUTES.end()).into());
        let before = form.code_ends.parse::<DateTime<Utc>>().ok().filter(|ends| *ends <= longest);
        let has_code = !form.self_client_code.trim().is_empty();
        // Who asks for another count has another code.
        let ends = match (before, minutes) {
            (Some(before), None) => Some(before),
            (_, minutes) => Some(now + TimeDelta::minutes(minutes.unwrap_or(USUAL_MINUTES).into())),
        };
        Self {
            product: form.product.parse().ok(),
            data_centre: form.data_centre.parse().ok(),
            code_ends: ends.filter(|_| has_code),
            minutes,
            form,
        }
    }

    pub(super) fn entered(&self) -> Entered {
        let form = &self.form;
        Entered {
            scopes: form.scopes.clone(),
            organization: form.organization.clone(),
            organization_name: form.organization_name.clone(),
            environment: form.environment.clone(),
            client_id: form.client_id.clone(),
            minutes: self.minutes.unwrap_or(USUAL_MINUTES),
        }
    }

    /// All that is wrong, in the order of the fields.
    pub(super) fn parse(&self, config: &Config, now: DateTime<Utc>) -> Result<Import, Vec<ImportProblem>> {
        let form = &self.form;
        let mut problems = Vec::new();
        let mut note = |problem| problems.push(problem);
        if self.product.is_none() {
            note(ImportProblem::ProductMissing);
        }
        let data_centre = self.data_centre.filter(|data_centre| config.zoho.servers.hosts(*data_centre).is_some());
        if data_centre.is_none() {
            note(ImportProblem::DataCentreMissing);
        }
        let scopes = form.scopes.parse::<ScopeSet>().map_err(|_| note(ImportProblem::ScopesMalformed));
        let token = self.token(now).map_err(&mut note);
        let client = self.client().map_err(&mut note);
        let organization = self.organization().map_err(&mut note);
        let environment = Some(form.environment.as_str()).filter(|key| !key.is_empty()).map(str::parse::<Environment>);
        let environment = environment.transpose().map_err(|_| note(ImportProblem::EnvironmentUnknown));
        let wanted = || {
            let product = self.product?;
            let scopes = scopes.ok()?;
            Some(Import {
                product,
                data_centre: data_centre?,
                scopes: if scopes.is_empty() { config.usual_scopes(product) } else { scopes },
                organization: organization.ok()?,
                environment: environment.ok()?,
                client: client.ok()?,
                token: token.ok()?,
            })
        };
        wanted().ok_or(problems)
    }

    fn token(&self, now: DateTime<Utc>) -> Result<Token, ImportProblem> {
        let (code, token) = (self.form.self_client_code.trim(), self.form.refresh_token.trim());
        match (code.is_empty(), token.is_empty()) {
            (true, true) => Err(ImportProblem::TokenMissing),
            (false, false) => Err(ImportProblem::TokenTwice),
            (false, true) if self.code_ends.is_some_and(|ends| ends <= now) => Err(ImportProblem::CodeRunOut),
            (false, true) => {
                let code = secret(code).map_err(|_| ImportProblem::CodeMalformed)?;
                Ok(Token::SelfClientCode(AuthorizationCode::new(code)))
            }
            (true, false) => {
                let token = secret(token).map_err(|_| ImportProblem::TokenMalformed)?;
                Ok(Token::RefreshToken(RefreshToken::new(token)))
            }
        }
    }

    fn client(&self) -> Result<Option<OwnClient>, ImportProblem> {
        let (id, key) = (self.form.client_id.trim(), self.form.client_secret.trim());
        if id.is_empty() && key.is_empty() {
            return Ok(None);
        }
        match (client_id(id), secret(key)) {
            (Ok(id), Ok(key)) => Ok(Some(OwnClient { id, secret: ClientSecret::new(key) })),
            _ => Err(ImportProblem::ClientIncomplete),
        }
    }

    fn organization(&self) -> Result<Option<GivenOrganization>, ImportProblem> {
        if self.form.organization.trim().is_empty() {
            return Ok(None);
        }
        let id: ZohoOrganizationId =
            self.form.organization.parse().map_err(|_| ImportProblem::OrganizationMalformed)?;
        let name = Some(text::clean(&self.form.organization_name)).filter(|name| !name.is_empty());
        Ok(Some(GivenOrganization { id, name }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(code: &str, minutes: &str, code_ends: &str) -> ImportForm {
        ImportForm {
            self_client_code: code.to_owned(),
            minutes: minutes.to_owned(),
            code_ends: code_ends.to_owned(),
            ..ImportForm::default()
        }
    }

    #[test]
    fn a_code_ends_when_it_was_said_to_and_no_later_for_being_sent_again() {
        let now = crate::http::page::tests::now();
        let first = Read::of(form("1000.c", "5", ""), now);
        assert_eq!(first.code_ends, Some(now + TimeDelta::minutes(5)));
        let ends = (now + TimeDelta::minutes(5)).to_rfc3339();
        let again = Read::of(form("1000.c", "", &ends), now + TimeDelta::minutes(2));
        assert_eq!(again.code_ends, first.code_ends);
        assert!(matches!(again.token(now + TimeDelta::minutes(2)), Ok(Token::SelfClientCode(_))));
        assert!(matches!(again.token(now + TimeDelta::minutes(5)), Err(ImportProblem::CodeRunOut)));
        let another = Read::of(form("1000.d", "3", &ends), now + TimeDelta::minutes(4));
        assert_eq!(another.code_ends, Some(now + TimeDelta::minutes(7)));
        assert_eq!(Read::of(form("", "3", ""), now).code_ends, None);
        let far = (now + TimeDelta::hours(5)).to_rfc3339();
        assert_eq!(Read::of(form("1000.c", "", &far), now).code_ends, Some(now + TimeDelta::minutes(3)));
    }
}
