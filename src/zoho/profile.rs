//! Who the person behind a token is (`zoho-oauth.md` §8).

use super::{CallError, Zoho, json::Json, refusal::accepted, wire::Answer};
use crate::domain::{person::Profile, secret::AccessToken};

impl Zoho {
    pub async fn profile(&self, accounts: &str, token: &AccessToken) -> Result<Profile, CallError> {
        let answer = self.get(accounts, "/oauth/user/info", token, self.timeouts.other).await?;
        read(&answer)
    }
}

/// The ZUID is who somebody is, so it must be there and be a number (security.md S-21, S-22); names
/// are display only and may be missing or odd.
fn read(answer: &Answer) -> Result<Profile, CallError> {
    let json = accepted(None, answer)?;
    let zuid = json.member("ZUID").ok().flatten().and_then(|zuid| zuid.id().ok()?.parse().ok());
    let zuid = zuid.ok_or(CallError::Unusable("the profile has no ZUID"))?;
    let email = text(json, "Email");
    let full_name = format!("{} {}", text(json, "First_Name"), text(json, "Last_Name"));
    let display_name = text(json, "Display_Name");
    let name = [display_name.trim(), full_name.trim(), &email].into_iter().find(|name| !name.is_empty());
    Ok(Profile::new(zuid, name.unwrap_or_default(), &email))
}

fn text(json: Json<'_>, name: &str) -> String {
    json.text_member(name).ok().flatten().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::zoho::Refusal;

    fn of(body: &str) -> Result<Profile, CallError> {
        read(&Answer::of(200, body))
    }

    #[test]
    fn a_profile_is_read_with_its_zuid_as_number_or_text() {
        for zuid in ["795000000", "\"795000000\""] {
            let profile = of(&format!(
                r#"{{"First_Name":"Ann","Email":"ann@example.com","Last_Name":"","Display_Name":"ann","ZUID":{zuid}}}"#
            ))
            .unwrap();
            assert_eq!(profile.zuid.as_str(), "795000000");
            assert_eq!(profile.display_name, "ann");
            assert_eq!(profile.email, "ann@example.com");
        }
    }

    #[test]
    fn s22_without_a_zuid_there_is_nobody() {
        for zuid in ["0", "\"0\"", "null", "-1", "7.95e8", "\"\"", "\"ann\"", "[1]", "true", &"9".repeat(31)] {
            let error = of(&format!(r#"{{"Email":"ann@example.com","ZUID":{zuid}}}"#)).unwrap_err();
            assert_eq!(error, CallError::Unusable("the profile has no ZUID"), "{zuid}");
        }
        assert!(matches!(of("{}"), Err(CallError::Unusable(_))));
    }

    #[test]
    fn s66_names_may_be_odd_or_missing() {
        let name = |members: &str| of(&format!(r#"{{"ZUID":1{members}}}"#)).unwrap().display_name;
        assert_eq!(name(r#","Display_Name":"A\u0000\ud800b""#), "A\u{fffd}\u{fffd}b");
        assert_eq!(name(r#","Display_Name":" ","First_Name":"Ann","Last_Name":"Lee""#), "Ann Lee");
        assert_eq!(name(r#","Display_Name":5,"First_Name":"Ann""#), "Ann");
        assert_eq!(name(r#","Email":"ann@example.com""#), "ann@example.com");
        assert_eq!(name(""), "");
    }

    #[test]
    fn a_bad_token_or_scope_is_a_refusal() {
        let said = |body| read(&Answer::of(401, body)).unwrap_err();
        assert_eq!(said(r#"{"response":"error","cause":"INVALID_OAUTHSCOPE"}"#), CallError::Refused(Refusal::Scope));
        assert_eq!(said(r#"{"response":"error","cause":"INVALID_OAUTHTOKEN"}"#), CallError::Refused(Refusal::Token));
        assert_eq!(said(""), CallError::Refused(Refusal::Token));
    }

    proptest! {
        #[test]
        fn no_answer_upsets_the_reader(status in 200_u16..600, body in ".*", zuid in ".*") {
            let _ = read(&Answer::of(status, &body)).is_ok();
            let _ = of(&serde_json::json!({ "ZUID": zuid }).to_string()).is_ok();
        }
    }
}
