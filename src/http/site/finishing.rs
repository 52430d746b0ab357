//! While the exchange with Zoho runs: a page that asks again by itself until there is a place to go to.

use askama::Template;

use crate::http::page::Shell;

#[derive(Template)]
#[template(path = "finishing.html")]
pub(crate) struct FinishingPage {
    pub(crate) shell: Shell,
    pub(crate) stage: Finishing,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Finishing {
    UnderWay,
    /// It lasts longer than it should; asked less often.
    Slow,
}

#[cfg(test)]
impl FinishingPage {
    pub(crate) fn samples() -> Vec<(&'static str, Self)> {
        let page = |stage| Self { shell: Shell::anonymous(), stage };
        vec![("under-way", page(Finishing::UnderWay)), ("slow", page(Finishing::Slow))]
    }
}
