//! The form that makes a tenant, read with all its mistakes at once.

use serde::Deserialize;

use crate::{
    domain::{
        members::plain,
        tenant::{parse_external_id, parse_slug, slug_for},
        text,
    },
    vault::tenant::MakeTenant,
};

/// What the form said.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewTenant {
    #[serde(default)]
    pub(super) csrf: String,
    name: String,
    external_id: String,
    #[serde(default)]
    slug: String,
}

/// "Make a tenant", as it is shown.
#[derive(Default)]
pub(crate) struct TenantForm {
    pub(crate) name: String,
    pub(crate) external_id: String,
    pub(crate) slug: String,
    pub(crate) problems: Vec<TenantProblem>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TenantProblem {
    NameMissing,
    ExternalIdMalformed,
    ExternalIdTaken,
    SlugMalformed,
    SlugTaken,
}

impl TenantProblem {
    #[cfg(test)]
    pub(super) const ALL: [Self; 5] =
        [Self::NameMissing, Self::ExternalIdMalformed, Self::ExternalIdTaken, Self::SlugMalformed, Self::SlugTaken];

    /// The field to jump to.
    pub(crate) fn field(self) -> &'static str {
        match self {
            Self::NameMissing => "name",
            Self::ExternalIdMalformed | Self::ExternalIdTaken => "external_id",
            Self::SlugMalformed | Self::SlugTaken => "slug",
        }
    }
}

impl TenantForm {
    pub(super) fn of(sent: NewTenant, problems: Vec<TenantProblem>) -> Self {
        Self { name: sent.name, external_id: sent.external_id, slug: sent.slug, problems }
    }

    /// What is wrong with that field.
    pub(crate) fn problem(&self, field: &str) -> Option<TenantProblem> {
        self.problems.iter().copied().find(|problem| problem.field() == field)
    }
}

impl NewTenant {
    pub(super) fn parse(&self) -> Result<MakeTenant, Vec<TenantProblem>> {
        let name = plain(&text::clean(&self.name)).map_err(|_| TenantProblem::NameMissing);
        let external_id = parse_external_id(&self.external_id).map_err(|_| TenantProblem::ExternalIdMalformed);
        let wanted = Some(self.slug.trim()).filter(|slug| !slug.is_empty());
        let slug = wanted.map(parse_slug).transpose().map_err(|_| TenantProblem::SlugMalformed);
        match (name, external_id, slug) {
            (Ok(name), Ok(external_id), Ok(slug)) => {
                Ok(MakeTenant { generated: slug_for(&name), external_id, name, slug })
            }
            (name, external_id, slug) => {
                Err([name.err(), external_id.err(), slug.err()].into_iter().flatten().collect())
            }
        }
    }
}
