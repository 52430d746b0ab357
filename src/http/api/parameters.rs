//! Query parameters, read with all their mistakes at once: what is unknown, doubled or malformed is
//! named in `errors[]` (design.md §6).

use std::{collections::BTreeMap, fmt::Display, str::FromStr};

use actix_web::HttpRequest;
use url::form_urlencoded;

use crate::{
    domain::text,
    http::problem::{MemberError, Problem},
};

/// Mistakes told at once; nobody makes more by accident.
const MOST_ERRORS: usize = 20;
/// Longest value that is looked at.
const LONGEST: usize = 1024;

#[derive(Debug)]
pub(crate) struct Parameters {
    /// `None` is one that was too long, which is said already.
    given: BTreeMap<String, Option<String>>,
    errors: Vec<MemberError>,
}

/// The id in the path of a call that takes no parameters. What is no id is nobody's.
pub(super) fn id_alone<T: FromStr>(request: &HttpRequest) -> Result<T, Problem> {
    Parameters::read(request.query_string()).finish()?;
    request.match_info().get("id").and_then(|id| id.parse().ok()).ok_or(Problem::NOT_FOUND)
}

impl Parameters {
    pub(crate) fn read(query: &str) -> Self {
        let mut parameters = Self { given: BTreeMap::new(), errors: Vec::new() };
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            if parameters.given.contains_key(&*name) {
                parameters.add(&name, "must be given once");
            } else if value.len() > LONGEST {
                parameters.add(&name, "is too long");
                parameters.given.insert(name.into_owned(), None);
            } else {
                parameters.given.insert(name.into_owned(), Some(value.into_owned()));
            }
        }
        parameters
    }

    /// For the fields of a form, where an empty one was not filled in.
    pub(crate) fn take_filled<T, E: Display>(
        &mut self,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        if self.given.get(name).is_some_and(|value| value.as_deref() == Some("")) {
            self.given.remove(name);
        }
        self.take(name, parse)
    }

    /// One parameter, as the type it stands for. An empty one is a mistake: as a filter it would say "any"
    /// (security.md S-42).
    pub(crate) fn take<T, E: Display>(&mut self, name: &str, parse: impl FnOnce(&str) -> Result<T, E>) -> Option<T> {
        let value = self.given.remove(name).flatten()?;
        if value.is_empty() {
            self.add(name, "must not be empty");
            return None;
        }
        match parse(&value) {
            Ok(value) => Some(value),
            Err(error) => {
                self.add(name, error);
                None
            }
        }
    }

    /// What nobody took is unknown.
    pub(crate) fn finish(mut self) -> Result<(), Problem> {
        for name in std::mem::take(&mut self.given).into_keys() {
            self.add(&name, "is no parameter of this call");
        }
        self.errors.truncate(MOST_ERRORS);
        if self.errors.is_empty() { Ok(()) } else { Err(Problem::Invalid(self.errors)) }
    }

    pub(crate) fn add(&mut self, name: &str, detail: impl Display) {
        self.errors.push(MemberError { member: text::shown(&text::clean(name)), detail: detail.to_string() });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Result<u8, &'static str> {
        text.parse().map_err(|_| "must be a number")
    }

    #[test]
    fn every_mistake_is_named_at_once() {
        let mut parameters = Parameters::read("limit=many&limit=2&color=blue&page=");
        assert_eq!(parameters.take("limit", number), None);
        assert_eq!(parameters.take("page", number), None);
        let Err(Problem::Invalid(errors)) = parameters.finish() else { panic!("not refused") };
        let told: Vec<_> = errors.iter().map(|error| format!("{} {}", error.member, error.detail)).collect();
        assert_eq!(
            told,
            [
                "limit must be given once",
                "limit must be a number",
                "page must not be empty",
                "color is no parameter of this call"
            ]
        );
        let mut parameters = Parameters::read("limit=7");
        assert_eq!(parameters.take("limit", number), Some(7));
        assert!(parameters.finish().is_ok());
        let mut parameters = Parameters::read(&format!("limit={}", "9".repeat(LONGEST + 1)));
        assert_eq!(parameters.take("limit", number), None);
        assert!(matches!(parameters.finish(), Err(Problem::Invalid(errors)) if errors.len() == 1), "said once");
    }
}
