//! In place of a page that needs a sign-in of the last minutes: what for, and the way there and back.

use askama::Template;

use crate::http::page::Shell;

#[derive(Template)]
#[template(path = "sign_in_again.html")]
pub(crate) struct SignInAgainPage {
    pub(crate) shell: Shell,
    /// One of our own paths, already checked (security.md S-39).
    pub(crate) return_to: String,
}

#[cfg(test)]
impl SignInAgainPage {
    pub(crate) fn samples() -> Vec<(&'static str, Self)> {
        let shell = Shell::console("Acme", crate::http::page::Place::ApiKeys);
        vec![("typical", Self { shell, return_to: "/tenants/acme-3f9c1a/api-keys".to_owned() })]
    }
}
