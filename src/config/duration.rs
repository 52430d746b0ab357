//! Durations as people write them: `400d`, `90d`, `12h`, `30m`, `45s`.

use std::time::Duration;

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a duration is a whole number and a unit, like 400d, 12h, 30m or 45s")]
pub(crate) struct BadDuration;

/// A positive duration of at most a hundred years.
pub(crate) fn parse_duration(text: &str) -> Result<Duration, BadDuration> {
    const LONGEST: u64 = 100 * 365 * 86_400;
    let text = text.trim();
    let number_ends = text.find(|character: char| !character.is_ascii_digit()).ok_or(BadDuration)?;
    let (number, unit) = text.split_at(number_ends);
    let seconds_per_unit = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return Err(BadDuration),
    };
    let seconds = number.parse::<u64>().ok().and_then(|number| number.checked_mul(seconds_per_unit));
    match seconds {
        Some(seconds @ 1..=LONGEST) => Ok(Duration::from_secs(seconds)),
        _ => Err(BadDuration),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_a_number_and_a_unit() {
        assert_eq!(parse_duration("400d"), Ok(Duration::from_secs(400 * 86_400)));
        assert_eq!(parse_duration(" 12h "), Ok(Duration::from_secs(43_200)));
        assert_eq!(parse_duration("30m"), Ok(Duration::from_secs(1_800)));
        assert_eq!(parse_duration("45s"), Ok(Duration::from_secs(45)));
        for bad in ["", "d", "400", "0d", "-1d", "1.5h", "1 d", "1D", "1w", "99999999999999999999d", "36501d", "1é"] {
            assert_eq!(parse_duration(bad), Err(BadDuration), "{bad:?}");
        }
    }
}
