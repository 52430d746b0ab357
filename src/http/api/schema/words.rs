//! Closed lists of words: each is described from the list that decides what is accepted and said.

use std::borrow::Cow;

use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        RefOr, Schema,
        schema::{ObjectBuilder, Type},
    },
};

use crate::{
    domain::{
        connection::{Health, ReconnectReason, Status},
        data_centre::DataCentre,
        onboarding::LinkState,
        organization::Environment,
        product::Product,
        webhook::{DeliveryStatus, EventType},
    },
    http::site::problem_types::{Met, ProblemType},
    vault::{access_token::Warning, disconnect::RevokedAtZoho},
};

macro_rules! words {
    ($($type:ident $name:literal $about:literal = $words:expr;)+) => {
        $(
            impl PartialSchema for $type {
                fn schema() -> RefOr<Schema> {
                    let words: Vec<String> = $words.into_iter().map(|word| word.to_string()).collect();
                    ObjectBuilder::new().schema_type(Type::String).description(Some($about)).enum_values(Some(words)).into()
                }
            }

            impl ToSchema for $type {
                fn name() -> Cow<'static, str> {
                    $name.into()
                }
            }
        )+
    };
}

/// `type` of a problem.
pub(super) struct ProblemPath;

words! {
    Product "Product" "What a token is for." = Product::ALL.map(Product::key);
    DataCentre "DataCentre" "Zoho's region where the person's account lives." = DataCentre::ALL.map(DataCentre::key);
    Environment "Environment" "Which of an organization's environments a token works in." = Environment::ALL.map(Environment::key);
    Status "Status" "Where a connection stands; only the person, or Zoho's certain word, changes it." = Status::KEYS;
    ReconnectReason "ReconnectReason" "`revoked`: access was withdrawn at Zoho. `evicted`: Zoho dropped it in favor of newer sign-ins of the same person." = ReconnectReason::ALL.map(ReconnectReason::key);
    Health "Health" "How the last call to Zoho went; trouble on the way, never a status." = Health::ALL.map(Health::key);
    Warning "Warning" "What the token cannot be blamed for: Zoho could not be asked for a newer one, scopes are missing, or the person's refresh tokens run out." = Warning::ALL.map(Warning::key);
    RevokedAtZoho "RevokedAtZoho" "What has become of a refresh token at Zoho. `already`: it was dead before. `pending`: tried until Zoho confirms. `shared`: another connection lives by the same imported token, and whoever ends the last one revokes it." = RevokedAtZoho::ALL.map(RevokedAtZoho::key);
    LinkState "OnboardingLinkState" "How far an onboarding link is; the last four are its end." = LinkState::KEYS.map(|(_, key)| key);
    EventType "EventType" "What endpoints can be told of." = EventType::WANTED.map(EventType::key);
    DeliveryStatus "DeliveryStatus" "`pending`: to be tried, perhaps again. `dead`: tried for a day, or the receiver answered 410." = DeliveryStatus::ALL.map(DeliveryStatus::key);
    ProblemPath "ProblemType" "Which problem it is; also a page with cause and cure." = problem_types();
}

fn problem_types() -> Vec<String> {
    let calling = ProblemType::ALL.into_iter().filter(|problem| problem.met() == Met::Calling);
    calling.map(ProblemType::path).chain(["about:blank".to_owned()]).collect()
}
