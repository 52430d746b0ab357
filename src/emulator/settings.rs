//! Everything about the emulator that the control port can change while it runs: dialects and limits.
//!
//! The documents contradict each other in places (zoho-oauth.md marks them X); each contradiction is a setting here, with
//! the commonest or strictest form as its default. A limit that is `null` is off.

use serde::{Deserialize, Serialize};

use super::clock::Millis;

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Settings {
    /// Answer `/oauth/v2/auth` with the redirect at once, for the person named below.
    pub(super) auto_approve: bool,
    /// Who that is: an e-mail address or `eu:795000000`; null is the first sample person.
    pub(super) current_person: Option<String>,
    pub(super) organization_choice: OrganizationChoice,
    pub(super) sign_in_delay_ms: u64,
    pub(super) callback: CallbackDialect,
    pub(super) refusal: RefusalDialect,
    pub(super) token: TokenDialect,
    pub(super) throttle: ThrottleDialect,
    pub(super) products: ProductDialect,
    pub(super) limits: Limits,
    /// How many entries the journal keeps; 0 keeps none.
    pub(super) journal_limit: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            auto_approve: false,
            current_person: None,
            organization_choice: OrganizationChoice::Consent,
            sign_in_delay_ms: 0,
            callback: CallbackDialect::default(),
            refusal: RefusalDialect::default(),
            token: TokenDialect::default(),
            throttle: ThrottleDialect::default(),
            products: ProductDialect::default(),
            limits: Limits::default(),
            journal_limit: 10_000,
        }
    }
}

/// Where a person with several organizations chooses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum OrganizationChoice {
    /// On the consent page, as documented; the token is bound to the choice.
    Consent,
    /// Nowhere: the token is bound to no organization and discovery lists all of them.
    Product,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct CallbackDialect {
    pub(super) order: ParameterOrder,
    pub(super) trailing_ampersand: bool,
    pub(super) location: bool,
    pub(super) accounts_server: bool,
}

impl Default for CallbackDialect {
    fn default() -> Self {
        Self { order: ParameterOrder::CodeFirst, trailing_ampersand: false, location: true, accounts_server: true }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum ParameterOrder {
    CodeFirst,
    StateFirst,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RefusalDialect {
    pub(super) state: bool,
    pub(super) location: bool,
    pub(super) accounts_server: bool,
}

impl Default for RefusalDialect {
    fn default() -> Self {
        Self { state: true, location: false, accounts_server: false }
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct TokenDialect {
    pub(super) expires_in: ExpiresIn,
    pub(super) api_domain: ApiDomain,
    pub(super) scope: ScopeSpelling,
    /// Status of `{"error": …}` answers other than throttling.
    pub(super) error_status: u16,
    /// The word for a PKCE verifier that does not match: not established, so it is a setting.
    pub(super) pkce_error: String,
    pub(super) zuid: IdForm,
}

impl Default for TokenDialect {
    fn default() -> Self {
        Self {
            expires_in: ExpiresIn::Seconds,
            api_domain: ApiDomain::Present,
            scope: ScopeSpelling::Normalized,
            error_status: 200,
            pkce_error: "invalid_code".to_owned(),
            zuid: IdForm::Number,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum ExpiresIn {
    /// `"expires_in": 3600`
    Seconds,
    /// `"expires_in": 3600000, "expires_in_sec": 3600`
    MillisecondsAndSeconds,
    /// `"expires_in": 3600000`, as Connect writes it
    Milliseconds,
    /// `"expires_in_sec": 3600` alone
    SecondsUnderTheOldName,
    /// `"expires_in": "3600"`
    Text,
    Absent,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum ApiDomain {
    Present,
    Absent,
    AbsentOnRefresh,
    /// `https://api.zoho.com`, as some samples of the documentation have it
    AsInOldSamples,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum ScopeSpelling {
    Normalized,
    Expanded,
    LowerCase,
    Commas,
    Absent,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum IdForm {
    Number,
    Text,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct ThrottleDialect {
    pub(super) status: u16,
    pub(super) error: String,
    pub(super) text: String,
    /// The value of a `Retry-After` header; Zoho sends none.
    pub(super) retry_after: Option<String>,
}

impl Default for ThrottleDialect {
    fn default() -> Self {
        Self {
            status: 400,
            error: "Access Denied".to_owned(),
            text: "You have made too many requests continuously. Please try again after some time.".to_owned(),
            retry_after: None,
        }
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct ProductDialect {
    /// `SalesIQ` answers a bad token with 200 (documented) or 400 (seen).
    pub(super) salesiq_error_status: u16,
    /// `SalesIQ` calls an expired token 1008 like any other bad one, or 1001 with status 400 (seen).
    pub(super) salesiq_expired_is_1001: bool,
    /// How long an agent thinks.
    pub(super) zia_agents_delay_ms: u64,
    pub(super) ids: IdForm,
}

impl Default for ProductDialect {
    fn default() -> Self {
        Self { salesiq_error_status: 200, salesiq_expired_is_1001: false, zia_agents_delay_ms: 0, ids: IdForm::Number }
    }
}

/// zoho-oauth.md §9. `null` is unlimited.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Limits {
    pub(super) code_seconds: u32,
    pub(super) access_token_seconds: u32,
    /// Per client and person.
    pub(super) refresh_tokens_per_person: Option<usize>,
    pub(super) refresh_tokens_beyond: Beyond,
    /// Per refresh token; the oldest dies.
    pub(super) live_access_tokens: Option<usize>,
    /// Per refresh token and window; more are throttled for the rest of the window.
    pub(super) refreshes_per_window: Option<u32>,
    pub(super) window_seconds: u32,
    /// Per client and person in ten minutes.
    pub(super) codes_per_10_minutes: Option<usize>,
    /// Per client and person.
    pub(super) refresh_tokens_per_minute: Option<usize>,
    pub(super) uses_per_refresh_token: Option<u64>,
}

/// What happens beyond the limit of refresh tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Beyond {
    /// The oldest dies without a word.
    Evict,
    /// The exchange is answered like throttling, as one FAQ of Zoho's has it.
    Deny,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            code_seconds: 120,
            access_token_seconds: 3600,
            refresh_tokens_per_person: Some(20),
            refresh_tokens_beyond: Beyond::Evict,
            live_access_tokens: Some(10),
            refreshes_per_window: Some(10),
            window_seconds: 600,
            codes_per_10_minutes: None,
            refresh_tokens_per_minute: None,
            uses_per_refresh_token: None,
        }
    }
}

impl Limits {
    pub(super) fn window(&self) -> Millis {
        Millis::from(self.window_seconds) * 1000
    }
}

/// Lays `change` over `value`, member by member, as RFC 7396 has it for objects; `null` is kept, because here it means "off".
pub(super) fn merge(value: &mut serde_json::Value, change: serde_json::Value) {
    match (value, change) {
        (serde_json::Value::Object(members), serde_json::Value::Object(changes)) => {
            for (name, change) in changes {
                merge(members.entry(name).or_insert(serde_json::Value::Null), change);
            }
        }
        (value, change) => *value = change,
    }
}
