//! Lists, page after page: `limit`, and where a cursor says to go on (design.md §6).

use super::{cursor::List, parameters::Parameters};
use crate::{
    domain::ids::TenantId,
    store::{StoreError, tenant, tx::Tx},
    vault::seal::KeyRing,
};

const DEFAULT_LIMIT: i64 = 50;
const MOST: i64 = 200;

/// One page of a list, as it was asked for.
#[derive(Debug)]
pub(super) struct Paging<Position> {
    list: List,
    limit: i64,
    pub(super) after: Option<Position>,
}

impl<Position> Paging<Position> {
    /// Takes `limit` and `cursor`. A cursor counts for the same list alone: the call, whose key, and
    /// which filters.
    pub(super) fn read(
        parameters: &mut Parameters,
        keys: &KeyRing,
        list: List,
        parse: impl FnOnce(&str) -> Option<Position>,
    ) -> Self {
        let limit = parameters.take("limit", limit).unwrap_or(DEFAULT_LIMIT);
        let after = parameters.take("cursor", |cursor| list.open(keys, cursor, parse));
        Self { list, limit, after }
    }

    /// Rows to ask for: one more tells whether there is another page.
    pub(super) const fn rows(&self) -> i64 {
        self.limit + 1
    }

    /// Rows of a page.
    pub(super) fn limit(&self) -> usize {
        usize::try_from(self.limit).unwrap_or(usize::MAX)
    }

    /// The cursor of a page that begins there.
    pub(super) fn seal(&self, keys: &KeyRing, position: &str) -> String {
        self.list.seal(keys, position)
    }

    /// The rows of this page, and the cursor of the next.
    pub(super) fn cut<Row>(
        &self,
        keys: &KeyRing,
        mut rows: Vec<Row>,
        position: impl FnOnce(&Row) -> String,
    ) -> (Vec<Row>, Option<String>) {
        let has_more = rows.len() > self.limit();
        rows.truncate(self.limit());
        let next = rows.last().filter(|_| has_more).map(|last| self.seal(keys, &position(last)));
        (rows, next)
    }
}

fn limit(text: &str) -> Result<i64, &'static str> {
    text.parse().ok().filter(|limit| (1..=MOST).contains(limit)).ok_or("must be 1 to 200")
}

/// Postgres refuses U+0000 in text (security.md D-14).
pub(super) fn plain_text(text: &str) -> Result<String, &'static str> {
    if text.chars().any(char::is_control) { Err("must hold no control characters") } else { Ok(text.to_owned()) }
}

/// What a list is narrowed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Narrowed {
    To(Option<TenantId>),
    /// The tenant is not there, or not this key's: it has nothing.
    Nothing,
}

/// The tenant of a key, or the one that was named, which narrows and never widens (security.md S-42).
pub(super) async fn narrow(tx: &mut Tx, own: Option<TenantId>, name: Option<&str>) -> Result<Narrowed, StoreError> {
    let Some(name) = name else { return Ok(Narrowed::To(own)) };
    let named = tenant::find_by_any_name(&mut **tx, name).await?;
    let named = named.filter(|named| own.is_none_or(|own| own == *named));
    Ok(named.map_or(Narrowed::Nothing, |named| Narrowed::To(Some(named))))
}
