//! Zoho Desk: organizations, and the tickets of the one named in the header `orgId`.

use serde_json::{Value, json};

use super::call::Call;
use super::refusal::Reason;
use crate::emulator::accounts::user_info::number;
use crate::emulator::answer::Answer;

pub(super) fn answer(call: &Call<'_>, path: &[&str]) -> Option<Answer> {
    match path {
        ["organizations"] if call.is("GET") => Some(organizations(call).unwrap_or_else(|refusal| refusal)),
        ["tickets"] if call.is("GET") => Some(tickets(call).unwrap_or_else(|refusal| refusal)),
        _ => None,
    }
}

fn organizations(call: &Call<'_>) -> Result<Answer, Answer> {
    let allowed = call.allow("Desk.basic.READ")?;
    let form = call.state.settings.products.ids;
    let organizations: Vec<Value> = (0..)
        .zip(allowed.places())
        .map(|(index, (_, place))| {
            json!({
                "id": number(&place.id, form), "companyName": place.name, "portalName": format!("desk{}", place.id),
                "isDefault": index == 0,
            })
        })
        .collect();
    Ok(Answer::json(200, &json!({"data": organizations})))
}

fn tickets(call: &Call<'_>) -> Result<Answer, Answer> {
    let allowed = call.allow("Desk.tickets.READ")?;
    let places = allowed.places();
    let place = match call.request.header("orgid") {
        Some(id) => places.iter().find(|(_, place)| place.id == id),
        None if places.len() == 1 => places.first(),
        None => {
            return Ok(Answer::json(
                422,
                &json!({"errorCode": "UNPROCESSABLE_ENTITY", "message": "Extra parameter 'orgId' is missing."}),
            ));
        }
    };
    let (_, place) = place.ok_or_else(|| call.refuse(Reason::Organization))?;
    let tickets: Vec<Value> = (1..=3)
        .map(|number| json!({"id": format!("{}{number:04}", place.id), "ticketNumber": number.to_string(), "subject": format!("Ticket {number} of {}", place.name), "status": "Open"}))
        .collect();
    Ok(Answer::json(200, &json!({"data": tickets})))
}
