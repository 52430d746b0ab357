//! One connection by the caller's own ids: tenant, product, organization, person.
//!
//! Nothing stands in for an id that is missing or empty (security.md S-43): an empty one is refused,
//! somebody must be named, and two that fit are told instead of one taken.

use std::str::FromStr;

use super::{connections::person, paging::plain_text, parameters::Parameters, schema::Connection};
use crate::{
    app::App,
    domain::{
        ids::{ConnectionId, TenantId},
        organization::ZohoOrganizationId,
        product::Product,
    },
    http::problem::Problem,
    store::{
        StoreError,
        connection::listed::{Filter, list},
        tenant,
    },
};

/// Candidates that are told; whoever has more needs another way to tell them apart anyway.
const MOST_CANDIDATES: i64 = 20;

/// Why there is not one.
#[derive(Debug)]
pub(super) enum NotOne {
    /// None, or several; and whose they would be, where that was said.
    Refused(Problem, Option<TenantId>),
    Store(StoreError),
}

impl From<StoreError> for NotOne {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

#[derive(Debug)]
pub(super) struct Search {
    tenant: Option<String>,
    filter: Filter,
}

impl Search {
    /// `tenant_id` is that of the key.
    pub(super) fn take(parameters: &mut Parameters, tenant_id: Option<TenantId>) -> Self {
        let tenant = parameters.take("tenant", plain_text);
        let filter = Filter {
            product: parameters.take("product", Product::from_str),
            organization: parameters.take("organization", ZohoOrganizationId::from_str),
            person: parameters.take("person", person),
            ..Filter::default()
        };
        let names_somebody = tenant.is_some() || filter.organization.is_some() || filter.person.is_some();
        if !names_somebody && (tenant_id.is_none() || filter.product.is_none()) {
            parameters.add("tenant", "is needed, or an organization or person: say whose token you want");
        }
        Self { tenant, filter }
    }

    /// What was disconnected gives way to what was not.
    pub(super) async fn find_one(self, app: &App, key_tenant: Option<TenantId>) -> Result<ConnectionId, NotOne> {
        let mut filter = Filter { tenant_id: key_tenant, without_ended: true, ..self.filter };
        let mut tx = match key_tenant {
            Some(tenant_id) => app.pools.begin_as_tenant(tenant_id).await?,
            None => app.pools.begin_as_engine().await?,
        };
        if let Some(name) = &self.tenant {
            let named = tenant::find_by_any_name(&mut *tx, name).await?;
            let named = named.filter(|named| key_tenant.is_none_or(|own| own == *named));
            filter.tenant_id = Some(named.ok_or(NotOne::Refused(Problem::NOT_FOUND, key_tenant))?);
        }
        let mut found = list(&mut tx, &filter, None, MOST_CANDIDATES).await?;
        if found.is_empty() {
            filter.without_ended = false;
            found = list(&mut tx, &filter, None, MOST_CANDIDATES).await?;
        }
        tx.commit().await?;
        match found.as_slice() {
            [] => Err(NotOne::Refused(Problem::NOT_FOUND, filter.tenant_id)),
            [one] => Ok(one.connection_id),
            _ => {
                let candidates = found.into_iter().map(Connection::from).collect();
                Err(NotOne::Refused(Problem::Ambiguous(candidates), filter.tenant_id))
            }
        }
    }
}
