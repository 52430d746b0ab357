//! One object per line, with the members of `POST /connections`.

use std::io::{BufRead, Read as _};

use zeroize::Zeroizing;

use super::rows::Row;
use crate::{
    domain::members::Members,
    vault::import::draft::{self, Defaults},
};

/// Longest line that is looked at, as for a body of the API.
const LONGEST: u64 = 16 * 1024;

pub(super) fn read(
    mut file: impl BufRead,
    defaults: &Defaults,
    send: &mut impl FnMut(Row) -> bool,
) -> Result<(), String> {
    let mut line = 0;
    loop {
        let mut text = Zeroizing::new(Vec::new());
        let read = file.by_ref().take(LONGEST + 1).read_until(b'\n', &mut text).map_err(|error| error.to_string())?;
        if read == 0 {
            return Ok(());
        }
        line += 1;
        let is_long = text.len() as u64 > LONGEST && !text.ends_with(b"\n");
        if is_long {
            file.skip_until(b'\n').map_err(|error| error.to_string())?;
        }
        if text.trim_ascii().is_empty() {
            continue;
        }
        let wanted = if is_long { Err("the line is longer than 16 KB".to_owned()) } else { parse(&text, defaults) };
        if !send(Row { line, wanted }) {
            return Ok(());
        }
    }
}

fn parse(line: &[u8], defaults: &Defaults) -> Result<(String, crate::vault::import::Import), String> {
    let line = std::str::from_utf8(line).map_err(|_| "the line is not UTF-8".to_owned())?;
    // Some programs begin a file with a byte order mark.
    let mut members = Members::read(line.trim_start_matches('\u{feff}')).ok_or("the line is no JSON object")?;
    let wanted = draft::read(&mut members, defaults);
    let mistakes: Vec<_> = members.mistakes().iter().map(ToString::to_string).collect();
    match wanted {
        Some(wanted) if mistakes.is_empty() => Ok(wanted),
        _ => Err(mistakes.join("; ")),
    }
}

/// Lines that hold anything.
pub(super) fn count(mut file: impl BufRead) -> Option<u64> {
    let (mut rows, mut line) = (0, Zeroizing::new(Vec::new()));
    loop {
        line.clear();
        if file.by_ref().take(LONGEST + 1).read_until(b'\n', &mut line).ok()? == 0 {
            return Some(rows);
        }
        if line.len() as u64 > LONGEST && !line.ends_with(b"\n") {
            file.skip_until(b'\n').ok()?;
        }
        rows += u64::from(!line.trim_ascii().is_empty());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_line_stops_nothing_and_is_named_by_its_number() {
        let good =
            r#"{"tenant":"acme","product":"crm","data_centre":"eu","scopes":["a.b.READ"],"refresh_token":"1000.r"}"#;
        let long = format!("{{\"tenant\":\"{}\"}}", "x".repeat(20_000));
        let file = format!("\u{feff}{good}\n\n{{\"tenant\":\"acme\"}}\nnothing\n{long}\n  {good}");
        let mut told = Vec::new();
        let mut send = |row: Row| {
            told.push((row.line, row.wanted.map(|(tenant, _)| tenant)));
            true
        };
        read(file.as_bytes(), &Defaults::default(), &mut send).expect("read to its end");
        let wrong = |why: &str| Err(why.to_owned());
        assert_eq!(
            told,
            [
                (1, Ok("acme".to_owned())),
                (3, wrong("product is missing; data_centre is missing; scopes is missing; refresh_token is missing")),
                (4, wrong("the line is no JSON object")),
                (5, wrong("the line is longer than 16 KB")),
                (6, Ok("acme".to_owned())),
            ]
        );
        assert_eq!(count(file.as_bytes()), Some(5));
    }
}
