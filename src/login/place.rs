//! Step 4: which data centre the person came back from (security.md S-15 to S-17).

use super::Failure;
use crate::{config::ZohoClient, domain::data_centre::DataCentre};

/// Why a callback names no data centre we may talk to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NotPlaced {
    /// Foreign, unknown or contradictory: refused in place.
    Refused,
    /// Known, but switched off for this client: explained.
    Failed(Failure),
}

/// Both only select a row and must agree; one alone decides; neither means where the flow started.
pub(super) fn place(
    zoho: &ZohoClient,
    started_at: DataCentre,
    location: Option<&str>,
    accounts_server: Option<&str>,
) -> Result<DataCentre, NotPlaced> {
    let by_location =
        location.map(|location| location.parse::<DataCentre>().map_err(|_| NotPlaced::Refused)).transpose()?;
    let by_server = accounts_server
        .map(|server| zoho.servers.with_accounts_server(server).ok_or(NotPlaced::Refused))
        .transpose()?;
    let data_centre = match (by_location, by_server) {
        (Some(location), Some(server)) if location != server => return Err(NotPlaced::Refused),
        (Some(data_centre), _) | (None, Some(data_centre)) => data_centre,
        (None, None) => started_at,
    };
    // China stands apart: its client is another one, so a flow neither enters nor leaves it.
    let crosses = (data_centre == DataCentre::Cn) != (started_at == DataCentre::Cn);
    let is_on = zoho.servers.hosts(data_centre).is_some()
        && zoho.client_secret(data_centre).is_some()
        && zoho.enabled.contains(&data_centre);
    if crosses || !is_on {
        return Err(NotPlaced::Failed(Failure::DataCentreNotEnabled));
    }
    Ok(data_centre)
}
