//! Login with Zoho: one trip to Zoho's consent page and back (design.md §4).
//!
//! 1. **Begin** (`begin`): 303 to Zoho; the attempt travels sealed in a cookie (`attempt`).
//! 2. **Come back**: `GET /oauth/callback`, parsed by `http::site::callback`.
//! 3. **Check** (`complete`, `judge`): cookie, state, age and, in connect flows, the same person and
//!    session.
//! 4. **Place** (`place`): `accounts-server` and `location` select a data centre.
//! 5. **Consume** (`take`) the state and the code in Postgres, once across all replicas.
//! 6. **Exchange** (`exchange`) in a task that outlives the browser; never twice.
//! 7. **Keep** (`escrow`): sealed and committed before anything else happens.
//! 8. **Identify**, 9. **find the organization** (`identify`): asked of Zoho.
//! 10. **Settle** (`settle`, `commit`): one transaction for person, organization, connection and
//!     session; or the end on a failure page (`fail`).
//!
//! Whoever delivers the same callback again is told where the first one led (`landing`). Steps 8 to 10 run again on any replica as long as the escrow stands (`worker`).

pub(crate) mod attempt;
pub(crate) mod begin;
mod commit;
pub(crate) mod complete;
mod escrow;
mod exchange;
mod fail;
mod identify;
mod judge;
pub(crate) mod landing;
mod place;
mod settle;
mod sign_out;
mod take;
pub(crate) mod worker;

pub(crate) use begin::{Begin, BeginError, begin};
pub(crate) use complete::{Answer, Arrival, Completed, Refused, Visit, complete};
pub(crate) use landing::finish;
pub(crate) use sign_out::sign_out;

/// Why nothing was connected; each has its page under `/problems/`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Failure {
    AccessDenied,
    DataCentreNotEnabled,
    ProductNotOffered,
    NoRefreshToken,
    CodeExpired,
    WrongPerson,
    TenantSuspended,
    OrganizationMismatch,
    NoOrganization,
    ProfileUnreadable,
    SignInLost,
    Throttled,
    Misconfigured,
    Misbehaved,
    Unavailable,
}

impl Failure {
    #[cfg(test)]
    pub(crate) const ALL: [Self; 15] = [
        Self::AccessDenied,
        Self::DataCentreNotEnabled,
        Self::ProductNotOffered,
        Self::NoRefreshToken,
        Self::CodeExpired,
        Self::WrongPerson,
        Self::TenantSuspended,
        Self::OrganizationMismatch,
        Self::NoOrganization,
        Self::ProfileUnreadable,
        Self::SignInLost,
        Self::Throttled,
        Self::Misconfigured,
        Self::Misbehaved,
        Self::Unavailable,
    ];

    pub(crate) const fn slug(self) -> &'static str {
        match self {
            Self::AccessDenied => "access-denied",
            Self::DataCentreNotEnabled => "data-centre-not-enabled",
            Self::ProductNotOffered => "product-not-offered",
            Self::NoRefreshToken => "no-refresh-token",
            Self::CodeExpired => "code-expired",
            Self::WrongPerson => "wrong-person",
            Self::TenantSuspended => "tenant-suspended",
            Self::OrganizationMismatch => "organization-mismatch",
            Self::NoOrganization => "no-organization",
            Self::ProfileUnreadable => "profile-unreadable",
            Self::SignInLost => "sign-in-lost",
            Self::Throttled => "zoho-throttled",
            Self::Misconfigured => "zoho-misconfigured",
            Self::Misbehaved => "zoho-misbehaved",
            Self::Unavailable => "zoho-unavailable",
        }
    }

    /// The page that explains it.
    pub(crate) fn landing(self) -> String {
        format!("/problems/{}", self.slug())
    }
}
