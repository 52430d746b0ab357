//! Step 1: what cannot work, seen without asking Zoho.

use super::{Import, Objection};
use crate::{config::Config, domain::organization::Environment};

pub(crate) fn check(config: &Config, import: &Import) -> Result<(), Objection> {
    let zoho = &config.zoho;
    let hosts = zoho.servers.hosts(import.data_centre).ok_or(Objection::DataCentreOff)?;
    // Where our own client is switched on says nothing about another.
    let is_ours_on = zoho.enabled.contains(&import.data_centre) && zoho.client_secret(import.data_centre).is_some();
    if import.client.is_none() && !is_ours_on {
        return Err(Objection::DataCentreOff);
    }
    hosts
        .product(import.product, import.environment.unwrap_or(Environment::Production))
        .ok_or(Objection::ProductNotOffered)?;
    if import.product.discovery_scope().is_none() && import.organization.is_none() {
        return Err(Objection::OrganizationNeeded);
    }
    Ok(())
}
