//! A tenant is a customer of the SaaS; a membership says what a person may do in it.

use super::members::plain;

/// What a member may do. Order is power.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum Role {
    Member,
    Admin,
    Owner,
}

impl Role {
    pub const fn key(self) -> &'static str {
        match self {
            Self::Member => "member",
            Self::Admin => "admin",
            Self::Owner => "owner",
        }
    }
}

/// How a tenant stands as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    Active,
    /// Nothing of it works until an operator resumes it.
    Suspended,
    /// What it had is being ended.
    Deleting,
    /// Its history is left, and its name.
    Deleted,
}

impl Standing {
    pub const ALL: [Self; 4] = [Self::Active, Self::Suspended, Self::Deleting, Self::Deleted];

    pub const fn of(is_suspended: bool, is_deleted: bool, is_erased: bool) -> Self {
        match (is_suspended, is_deleted, is_erased) {
            (_, _, true) => Self::Deleted,
            (_, true, false) => Self::Deleting,
            (true, false, false) => Self::Suspended,
            (false, false, false) => Self::Active,
        }
    }

    pub const fn key(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Suspended => "suspended",
            Self::Deleting => "deleting",
            Self::Deleted => "deleted",
        }
    }

    pub fn from_key(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|standing| standing.key() == key)
    }
}

/// Longest slug that is accepted; it stands in addresses.
const LONGEST_SLUG: usize = 63;

/// A slug that a caller wants. Ours end with six random characters, so that nobody has to ask first.
pub fn parse_slug(text: &str) -> Result<String, &'static str> {
    let well_formed = (1..=LONGEST_SLUG).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        && !text.starts_with('-')
        && !text.ends_with('-');
    if well_formed { Ok(text.to_owned()) } else { Err("must be 1 to 63 of a-z, 0-9 and, in between, hyphens") }
}

/// Longest id of a tenant in the SaaS.
const LONGEST_EXTERNAL_ID: usize = 200;

/// The SaaS's own id for a tenant.
pub fn parse_external_id(text: &str) -> Result<String, &'static str> {
    let id = plain(text)?;
    if id.len() <= LONGEST_EXTERNAL_ID { Ok(id) } else { Err("must have at most 200 bytes") }
}

/// Longest readable part of a slug; six random characters follow.
const SLUG_STEM: usize = 32;

/// A slug for a tenant of that name: readable, and unique by chance rather than by a look-up, so
/// that nobody learns which names are taken.
pub fn slug_for(name: &str) -> String {
    let mut stem = String::new();
    for character in name.chars().flat_map(char::to_lowercase) {
        if stem.len() >= SLUG_STEM {
            break;
        }
        if character.is_ascii_alphanumeric() {
            stem.push(character);
        } else if !stem.is_empty() && !stem.ends_with('-') {
            stem.push('-');
        }
    }
    let stem = stem.trim_end_matches('-');
    let tail = format!("{:06x}", rand::random::<u32>() & 0x00ff_ffff);
    if stem.is_empty() { format!("tenant-{tail}") } else { format!("{stem}-{tail}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slug_is_readable_and_plain() {
        assert!(slug_for("Zylker Straße & Söhne").starts_with("zylker-stra-e-s-hne-"));
        assert!(slug_for("株式会社").starts_with("tenant-"));
        assert!(slug_for(&"x".repeat(500)).len() <= 40);
    }
}
