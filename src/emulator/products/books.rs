//! Zoho Books: organizations, and the contacts of the one named in the query.

use serde_json::{Value, json};

use super::call::Call;
use super::refusal::Reason;
use crate::emulator::answer::Answer;

pub(super) fn answer(call: &Call<'_>, path: &[&str]) -> Option<Answer> {
    match path {
        ["organizations"] if call.is("GET") => Some(organizations(call).unwrap_or_else(|refusal| refusal)),
        ["contacts"] if call.is("GET") => Some(contacts(call).unwrap_or_else(|refusal| refusal)),
        _ => None,
    }
}

fn organizations(call: &Call<'_>) -> Result<Answer, Answer> {
    let allowed = call.allow_product()?;
    let organizations: Vec<Value> = (0..)
        .zip(allowed.places())
        .map(|(index, (_, place))| {
            json!({"organization_id": place.id, "name": place.name, "is_default_org": index == 0, "currency_code": "USD"})
        })
        .collect();
    Ok(Answer::json(200, &json!({"code": 0, "message": "success", "organizations": organizations})))
}

fn contacts(call: &Call<'_>) -> Result<Answer, Answer> {
    let allowed = call.allow_product()?;
    let parameters = call.request.parameters();
    let id = parameters.get("organization_id").unwrap_or_default();
    let place = allowed.place(id).ok_or_else(|| call.refuse(Reason::Organization))?;
    let contacts: Vec<Value> =
        (1..=3).map(|number| json!({"contact_id": format!("{id}{number}"), "contact_name": format!("Contact {number} of {}", place.name)})).collect();
    Ok(Answer::json(200, &json!({"code": 0, "message": "success", "contacts": contacts})))
}
