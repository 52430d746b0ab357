//! How long an access token lives, whatever the answer says (`zoho-oauth.md` §6, security.md D-11).

use std::time::Duration;

use super::json::Json;

/// What every access token lives at Zoho (§9), and the most we believe.
const LONGEST: f64 = 3600.0;
/// Above this `expires_in` cannot be seconds: Connect answers 3600000 and nothing beside it.
const LONGEST_IN_SECONDS: f64 = 86_400.0;

/// The lifetime rule: `expires_in_sec` if it is there, else `expires_in`, which may be
/// milliseconds; number or numeric text; an hour where neither makes sense, and never more.
/// A nonsensical lifetime is no reason to drop the tokens that came with it.
pub(super) fn lifetime(answer: Json<'_>) -> Duration {
    let positive = |name| answer.member(name).ok().flatten()?.number().filter(|number| *number > 0.0);
    let seconds = positive("expires_in_sec").or_else(|| {
        positive("expires_in").map(|number| if number > LONGEST_IN_SECONDS { number / 1000.0 } else { number })
    });
    Duration::from_secs_f64(seconds.unwrap_or(LONGEST).min(LONGEST))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(members: &str) -> u64 {
        lifetime(Json::parse(&format!("{{{members}}}")).unwrap()).as_secs()
    }

    #[test]
    fn r16_every_dialect_means_an_hour() {
        for dialect in [
            r#""expires_in":3600"#,
            r#""expires_in":"3600""#,
            r#""expires_in":3600.0"#,
            r#""expires_in":3600000"#,
            r#""expires_in":"3600000""#,
            r#""expires_in":3600000,"expires_in_sec":3600"#,
            r#""expires_in":3600000,"expires_in_sec":"3600""#,
            r#""expires_in_sec":3600"#,
            "",
        ] {
            assert_eq!(seconds(dialect), 3600, "{dialect}");
        }
    }

    #[test]
    fn r16_shorter_lives_are_believed() {
        assert_eq!(seconds(r#""expires_in":1800"#), 1800);
        assert_eq!(seconds(r#""expires_in":1800000"#), 1800);
        assert_eq!(seconds(r#""expires_in":1,"expires_in_sec":60"#), 60);
        assert_eq!(seconds(r#""expires_in_sec":0,"expires_in":900"#), 900);
    }

    #[test]
    fn r16_nothing_makes_a_token_live_longer() {
        for value in [
            "86400",
            "9e99",
            "1e999999",
            "-1",
            "0",
            "-9e99",
            "null",
            "true",
            "[]",
            "{}",
            "\"\"",
            "\"soon\"",
            "\"nan\"",
            "\"inf\"",
            "\"-inf\"",
            "\"9e999\"",
            "18446744073709551616",
            "\"999999999999999999999999\"",
        ] {
            assert_eq!(seconds(&format!(r#""expires_in":{value}"#)), 3600, "{value}");
            assert_eq!(seconds(&format!(r#""expires_in_sec":{value}"#)), 3600, "{value}");
        }
        assert_eq!(seconds(r#""expires_in":5,"expires_in":9"#), 3600);
    }
}
