//! What the console's lists are narrowed to and ordered by. Each order has an index that is led by the tenant and holds
//! what may be filtered by and searched for; a page goes on after the position of the last row, however many come before it.

use std::fmt;

use uuid::Uuid;

use super::{StoreError, tx::Tx};
use crate::domain::{data_centre::DataCentre, ids::OrganizationId, product::Product, trouble::Trouble};

/// Absent is everything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Narrowed {
    pub(crate) product: Option<Product>,
    pub(crate) data_centre: Option<DataCentre>,
    pub(crate) trouble: Option<Trouble>,
    /// How a name, an id of Zoho's or an e-mail address begins, in any case.
    pub(crate) prefix: Option<String>,
    /// Of connections: those of one organization.
    pub(crate) organization_id: Option<OrganizationId>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Order {
    /// Whoever needs somebody soonest comes first.
    #[default]
    Trouble,
    Name,
    Newest,
    /// By the day, the latest first; who was never used comes last.
    Used,
}

impl Order {
    pub(crate) const ALL: [Self; 4] = [Self::Trouble, Self::Name, Self::Newest, Self::Used];

    pub(crate) const fn key(self) -> &'static str {
        match self {
            Self::Trouble => "trouble",
            Self::Name => "name",
            Self::Newest => "newest",
            Self::Used => "used",
        }
    }

    pub(crate) fn from_key(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|order| order.key() == key)
    }
}

/// Where a row stands in every order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Position {
    pub(crate) trouble: i16,
    pub(crate) last_used_day: i32,
    pub(crate) name: String,
    pub(crate) id: Uuid,
}

impl Position {
    pub(crate) fn to_text(&self) -> String {
        format!("{} {} {} {}", self.trouble, self.last_used_day, self.id, self.name)
    }

    pub(crate) fn from_text(text: &str) -> Option<Self> {
        let mut parts = text.splitn(4, ' ');
        let (trouble, day, id, name) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        Some(Self {
            trouble: trouble.parse().ok()?,
            last_used_day: day.parse().ok()?,
            id: id.parse().ok()?,
            name: name.to_owned(),
        })
    }
}

/// Has the transaction's statements planned for what is asked for.
pub(super) async fn prepare(tx: &mut Tx) -> Result<(), StoreError> {
    // Filters that are not set must vanish from the plan, or their indexes are not used; nobody's list is made by reading
    // everybody's; and fifty rows are not worth the start of another process.
    sqlx::raw_sql(
        "set local plan_cache_mode = force_custom_plan; set local enable_seqscan = off;
         set local max_parallel_workers_per_gather = 0",
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// What is counted at most.
pub(crate) const MOST_COUNTED: i64 = 1000;

/// A count that stops where more is not worth the time it takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Counted {
    pub(crate) known: i64,
    /// There may be more.
    pub(crate) has_more: bool,
}

impl Counted {
    /// Of what was counted up to `MOST_COUNTED` and one.
    pub(crate) const fn of(rows: i64) -> Self {
        let has_more = rows > MOST_COUNTED;
        Self { known: if has_more { MOST_COUNTED } else { rows }, has_more }
    }

    /// Where not all was looked through, no less than are in sight.
    pub(crate) fn or_these(self, rows: usize) -> Self {
        Self { known: self.known.max(i64::try_from(rows).unwrap_or(MOST_COUNTED)), ..self }
    }
}

impl fmt::Display for Counted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { known, has_more } = self;
        if *has_more { write!(f, "at least {known}") } else { write!(f, "{known}") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_leads_back_whatever_the_name() {
        for name in ["", "zylker", " two  words "] {
            let position = Position { trouble: 6, last_used_day: 20_778, name: name.to_owned(), id: Uuid::now_v7() };
            assert_eq!(Position::from_text(&position.to_text()), Some(position));
        }
        for odd in [
            "",
            "6",
            "6 0 x y",
            "6 019aa3f2-7c1e-7d10-9b2f-000000000001 a",
            "six 0 019aa3f2-7c1e-7d10-9b2f-000000000001 a",
        ] {
            assert_eq!(Position::from_text(odd), None, "{odd}");
        }
    }
}
