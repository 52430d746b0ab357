//! The connection that a link asks to be reconnected.

use super::{StoreError, known};
use crate::domain::{
    data_centre::DataCentre,
    ids::{ConnectionId, PersonId},
    organization::FoundOrganization,
};

/// Its person's business alone.
#[derive(Debug, Clone)]
pub(crate) struct Reconnects {
    pub(crate) connection_id: ConnectionId,
    pub(crate) person_id: PersonId,
    pub(crate) email: String,
    pub(crate) data_centre: DataCentre,
    pub(crate) organization: FoundOrganization,
}

/// As a query joins them: all of them, or none.
pub(super) struct Columns {
    pub(super) connection_id: Option<ConnectionId>,
    pub(super) person_id: Option<PersonId>,
    pub(super) email: Option<String>,
    pub(super) data_centre: Option<String>,
    pub(super) zoho_id: Option<String>,
    pub(super) name: Option<String>,
}

impl Columns {
    pub(super) fn read(self) -> Result<Option<Reconnects>, StoreError> {
        let Self {
            connection_id: Some(connection_id),
            person_id: Some(person_id),
            email: Some(email),
            data_centre: Some(data_centre),
            zoho_id: Some(zoho_id),
            name: Some(name),
        } = self
        else {
            return Ok(None);
        };
        let organization = FoundOrganization::new(known(&zoho_id, "organization.zoho_id")?, &name);
        let data_centre = known(&data_centre, "connection.data_centre")?;
        Ok(Some(Reconnects { connection_id, person_id, email, data_centre, organization }))
    }
}
