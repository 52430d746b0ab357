//! What every page carries, and the values that pages print: names from outside, moments, shortened ids.
//!
//! Pages are view structs of their own (one beside each handler in `site/`); all words are in the templates.

use std::fmt;

use actix_web::{
    HttpResponse,
    http::{StatusCode, header::CACHE_CONTROL},
};
use askama::Template;
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};

use crate::{domain::text, store::membership::Membership};

/// The frame around a page: `base.html` takes it.
pub(crate) struct Shell {
    /// What this installation is called: the largest word of the sign-in page, the end of every title.
    pub(crate) site: Label,
    pub(crate) person: Option<SignedIn>,
    /// The form token of this browser session; empty when nobody is signed in, for then no page has a form.
    pub(crate) csrf: String,
    pub(crate) request_id: String,
    pub(crate) here: Place,
    /// The tenant whose console the navigation leads to.
    pub(crate) console: Option<TenantConsole>,
    /// In a console: all tenants that the person administers.
    pub(crate) tenants: Vec<TenantConsole>,
    /// Whether the person runs the installation, and so has pages that nobody else has.
    pub(crate) is_operator: bool,
    /// On the operators' pages: how the installation fares, which the favicon shows.
    pub(crate) wellness: Wellness,
    /// Whether Zoho is an emulator here.
    pub(crate) demo: bool,
}

pub(crate) struct SignedIn {
    pub(crate) name: Label,
    pub(crate) email: Label,
    /// The key of the person's data centre: `eu`.
    pub(crate) data_centre: &'static str,
}

/// A tenant that the person administers.
pub(crate) struct TenantConsole {
    pub(crate) slug: String,
    pub(crate) name: Label,
    pub(crate) is_suspended: bool,
}

impl TenantConsole {
    pub(crate) fn of(membership: &Membership) -> Self {
        Self {
            slug: membership.tenant_slug.clone(),
            name: Label::new(&membership.tenant_name),
            is_suspended: membership.is_suspended,
        }
    }
}

/// How the installation fares, in one word.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Wellness {
    #[default]
    Well,
    Attention,
    Broken,
}

/// The entry of the navigation that the page belongs to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Connections,
    Organizations,
    TenantConnections,
    Members,
    ApiKeys,
    OnboardingLinks,
    Webhooks,
    Audit,
    OperatorTenants,
    OperatorConnections,
    OperatorHealth,
    Elsewhere,
}

impl Place {
    /// One of the operators' pages.
    pub(crate) const fn is_operators(self) -> bool {
        matches!(self, Self::OperatorTenants | Self::OperatorConnections | Self::OperatorHealth)
    }
}

impl Shell {
    pub(crate) fn favicon(&self) -> &'static str {
        match self.wellness {
            Wellness::Well => "favicon.svg",
            Wellness::Attention => "favicon-attention.svg",
            Wellness::Broken => "favicon-broken.svg",
        }
    }

    /// Whether a rail of links stands beside the page.
    pub(crate) fn has_rail(&self) -> bool {
        self.console.is_some() || self.here.is_operators()
    }
}

/// Text from outside, cut to what a page shows of it (security.md S-66). Templates set it in `<bdi>`.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Label(String);

impl Label {
    pub(crate) fn new(text: &str) -> Self {
        Self(text::shown(text))
    }
}

impl Label {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<&str> for Label {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A point in time as seen from the moment the page was made.
#[derive(Clone, Copy)]
pub(crate) struct Moment {
    at: DateTime<Utc>,
    from_now: TimeDelta,
}

impl Moment {
    pub(crate) fn new(at: DateTime<Utc>, now: DateTime<Utc>) -> Self {
        Self { at, from_now: at - now }
    }

    /// For `datetime`: RFC 3339.
    pub(crate) fn iso(&self) -> String {
        self.at.to_rfc3339_opts(SecondsFormat::Secs, true)
    }

    /// The time of the day, where no script knows the reader's.
    pub(crate) fn clock(&self) -> String {
        self.at.format("%H:%M UTC").to_string()
    }

    /// For `title`, and where no script runs.
    pub(crate) fn utc(&self) -> String {
        self.at.format("%Y-%m-%d %H:%M:%S UTC").to_string()
    }

    pub(crate) fn is_ahead(&self) -> bool {
        self.from_now > TimeDelta::zero()
    }

    /// Seconds still to go; none once it has passed.
    pub(crate) fn seconds_left(&self) -> i64 {
        self.from_now.num_seconds().max(0)
    }

    /// How far away, in the largest unit that fits: `(3, "hour")`. Less than a minute is nothing.
    pub(crate) fn distance(&self) -> (i64, &'static str) {
        const UNITS: [(i64, &str); 5] =
            [(31_536_000, "year"), (2_592_000, "month"), (86_400, "day"), (3_600, "hour"), (60, "minute")];
        let seconds = self.from_now.num_seconds().abs();
        UNITS
            .into_iter()
            .find(|(size, _)| seconds >= *size)
            .map_or((0, "minute"), |(size, unit)| (seconds / size, unit))
    }
}

/// An id with its middle left out, so that both ends can be compared by eye: `929000…15001`.
pub(crate) fn shorten(id: &str) -> String {
    const HEAD: usize = 6;
    const TAIL: usize = 5;
    let characters: Vec<char> = id.chars().collect();
    if characters.len() <= HEAD + TAIL + 3 {
        return id.to_owned();
    }
    let head = characters.iter().take(HEAD);
    let tail = characters.iter().skip(characters.len() - TAIL);
    head.chain(['…'].iter()).chain(tail).collect()
}

/// A page as an answer. Pages are personal, and a cache must not keep them (security.md S-34).
pub(crate) fn respond(status: StatusCode, page: &impl Template) -> askama::Result<HttpResponse> {
    let body = page.render()?;
    Ok(HttpResponse::build(status)
        .content_type("text/html; charset=utf-8")
        .insert_header((CACHE_CONTROL, "no-store"))
        .body(body))
}

#[cfg(test)]
impl Shell {
    pub(crate) fn sample(here: Place) -> Self {
        Self {
            site: "Acme Field Service".into(),
            person: Some(SignedIn { name: "Ann Lindqvist".into(), email: "ann@example.com".into(), data_centre: "eu" }),
            csrf: "p3Jx0sample0form0token".to_owned(),
            request_id: "019aa3f2-7c1e-7d10-9b2f-3a5e8c7d6b41".to_owned(),
            here,
            console: None,
            tenants: Vec::new(),
            is_operator: false,
            wellness: Wellness::Well,
            demo: true,
        }
    }

    /// One of the operators' pages.
    pub(crate) fn operator(here: Place) -> Self {
        Self { is_operator: true, ..Self::sample(here) }
    }

    /// In a tenant's console.
    pub(crate) fn console(tenant: &str, here: Place) -> Self {
        let named =
            |slug: &str, name: &str| TenantConsole { slug: slug.to_owned(), name: name.into(), is_suspended: false };
        let tenants = vec![named("acme-3f9c1a", tenant), named("zylker-0b7d22", "Zylker")];
        Self { console: Some(named("acme-3f9c1a", tenant)), tenants, ..Self::sample(here) }
    }

    pub(crate) fn anonymous() -> Self {
        Self { person: None, csrf: String::new(), ..Self::sample(Place::Elsewhere) }
    }

    /// Everything that Zoho lets people be called.
    pub(crate) fn worst(here: Place) -> Self {
        Self {
            site: "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft".into(),
            person: Some(SignedIn {
                name: tests::HOSTILE.into(),
                email:
                    "a.very.long.local.part.that.never.seems.to.end.at.all@subdomain.of.a.rather.long.domain.example"
                        .into(),
                data_centre: "sa",
            }),
            demo: false,
            ..Self::sample(here)
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use chrono::TimeZone;

    use super::*;
    use unicode_segmentation::UnicodeSegmentation as _;

    pub(crate) const HOSTILE: &str = "<script>alert(1)</script>\" onmouseover='x' \u{202e}&amp; شركة الأمل للتجارة";
    pub(crate) const ENDLESS: &str =
        "ZylkerZylkerZylkerZylkerZylkerZylkerZylkerZylkerZylkerZylkerZylkerZylkerZylkerZylker GmbH & Co. KG";

    pub(crate) fn now() -> DateTime<Utc> {
        Utc.with_ymd_and_hms(2026, 11, 21, 10, 0, 0).single().expect("a valid date")
    }

    /// `seconds` after (or, negative, before) the sample now.
    pub(crate) fn moment(seconds: i64) -> Moment {
        Moment::new(now() + TimeDelta::seconds(seconds), now())
    }

    #[test]
    fn a_page_is_html_that_no_cache_keeps() {
        #[derive(Template)]
        #[template(source = "<p>{{ words }}</p>", ext = "html")]
        struct Page {
            words: &'static str,
        }
        let answer = respond(StatusCode::FORBIDDEN, &Page { words: "<no>" }).expect("it renders");
        assert_eq!(answer.status(), StatusCode::FORBIDDEN);
        let header = |name: &str| answer.headers().get(name).and_then(|value| value.to_str().ok());
        assert_eq!(header("content-type"), Some("text/html; charset=utf-8"));
        assert_eq!(header("cache-control"), Some("no-store"));
    }

    #[test]
    fn a_label_ends_at_two_hundred_graphemes_or_a_kilobyte() {
        assert_eq!(Label::new("Zylker").to_string(), "Zylker");
        assert_eq!(Label::new("").to_string(), "");
        assert_eq!(Label::new(&"👩‍🚀".repeat(90)).to_string().graphemes(true).count(), 90);
        assert_eq!(Label::new(&"x".repeat(300)).to_string().chars().count(), 201);
        assert!(Label::new(&format!("e{}", "\u{301}".repeat(5000))).to_string().len() < 1100);
    }

    #[test]
    fn a_moment_is_told_in_the_largest_unit_that_fits() {
        let told = |seconds| moment(seconds).distance();
        assert_eq!(told(-59), (0, "minute"));
        assert_eq!(told(-60), (1, "minute"));
        assert_eq!(told(7_300), (2, "hour"));
        assert_eq!(told(-86_400 * 40), (1, "month"));
        assert!(moment(5).is_ahead() && !moment(-5).is_ahead());
        assert_eq!(moment(-5).seconds_left(), 0);
        assert_eq!(moment(0).iso(), "2026-11-21T10:00:00Z");
    }

    #[test]
    fn a_long_id_keeps_both_ends() {
        assert_eq!(shorten("77000000"), "77000000");
        assert_eq!(shorten("9290000000150010007"), "929000…10007");
        assert_eq!(shorten(""), "");
    }
}
