//! Tables for spreadsheets, sent row by row as they are read. What Zoho lets people be called is never a formula there
//! (security.md S-65).

use std::future::Future;

use actix_web::{
    HttpResponse,
    http::header::{CACHE_CONTROL, CONTENT_DISPOSITION},
    web::Bytes,
};
use futures_util::stream;

use crate::{store::StoreError, telemetry::chain};

/// What spreadsheets take for the beginning of a formula; the wide forms, too, which some of them fold.
const FORMULA: [char; 10] = ['=', '+', '-', '@', '|', '%', '＝', '＋', '－', '＠'];

/// A quoted cell. One that would begin as a formula begins with an apostrophe, which spreadsheets read as "this is text".
pub(crate) fn cell(text: &str) -> String {
    let text: String = text.chars().map(|character| if character.is_control() { ' ' } else { character }).collect();
    let first = text.chars().find(|character| !character.is_whitespace());
    let guard = if first.is_some_and(|first| FORMULA.contains(&first)) { "'" } else { "" };
    format!("\"{guard}{}\"", text.replace('"', "\"\""))
}

/// A line of RFC 4180.
pub(crate) fn line<T: AsRef<str>>(cells: &[T]) -> String {
    let cells: Vec<_> = cells.iter().map(|text| cell(text.as_ref())).collect();
    format!("{}\r\n", cells.join(","))
}

/// Asks `next` for one piece after another: the lines, and where it goes on; `None` ends the table. A table that cannot be
/// read to its end breaks off, and the browser says so.
pub(crate) fn respond<State, Next, Reading>(name: &str, head: String, begin: State, next: Next) -> HttpResponse
where
    State: 'static,
    Next: Fn(State) -> Reading + 'static,
    Reading: Future<Output = Result<(String, Option<State>), StoreError>> + 'static,
{
    let pieces = stream::try_unfold((Some(begin), Some(head), next), |(state, head, next)| async move {
        if let Some(head) = head {
            return Ok::<_, StoreError>(Some((Bytes::from(head), (state, None, next))));
        }
        let Some(state) = state else { return Ok(None) };
        let (lines, state) = next(state).await.inspect_err(|error| {
            tracing::error!(error = chain(error), "a table broke off");
        })?;
        Ok(Some((Bytes::from(lines), (state, None, next))))
    });
    HttpResponse::Ok()
        .content_type("text/csv; charset=utf-8")
        .insert_header((CACHE_CONTROL, "no-store"))
        .insert_header((CONTENT_DISPOSITION, format!("attachment; filename=\"{name}.csv\"")))
        .streaming(pieces)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s65_no_cell_begins_as_a_formula_and_none_ends_early() {
        for formula in ["=1+1", "+1", "-1", "@SUM(A1)", " =1", "\t=1", "＝1", "|calc"] {
            let cell = cell(formula);
            assert!(cell.starts_with("\"'"), "{cell}");
        }
        assert_eq!(cell("Zylker"), "\"Zylker\"");
        assert_eq!(cell("a\"b\r\n=c"), "\"a\"\"b  =c\"");
        assert_eq!(line(&["a", "", "b,c"]), "\"a\",\"\",\"b,c\"\r\n");
    }
}
