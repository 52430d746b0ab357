//! Zoho `SalesIQ`: portals, and the conversations of one.

use serde_json::{Value, json};

use super::call::Call;
use super::refusal::Reason;
use crate::emulator::answer::Answer;

pub(super) fn answer(call: &Call<'_>, path: &[&str]) -> Option<Answer> {
    match path {
        ["portals"] if call.is("GET") => Some(portals(call).unwrap_or_else(|refusal| refusal)),
        [portal, "conversations"] if call.is("GET") => {
            Some(conversations(call, portal).unwrap_or_else(|refusal| refusal))
        }
        _ => None,
    }
}

fn portals(call: &Call<'_>) -> Result<Answer, Answer> {
    let allowed = call.allow("SalesIQ.portals.READ")?;
    let portals: Vec<Value> = allowed
        .places()
        .into_iter()
        .map(|(organization, place)| {
            json!({
                "owner_zuid": allowed.person.zuid, "operator_id": format!("{}000001", organization.id), "name": place.name,
                "created_time": "1520060535062", "screenname": place.id,
            })
        })
        .collect();
    Ok(Answer::json(200, &json!({"url": "/api/v2/portals", "object": "list", "data": portals})))
}

fn conversations(call: &Call<'_>, portal: &str) -> Result<Answer, Answer> {
    let allowed = call.allow("SalesIQ.conversations.READ")?;
    let place = allowed.place(portal).ok_or_else(|| call.refuse(Reason::Organization))?;
    let conversations: Vec<Value> = (1..=3)
        .map(|number| {
            json!({
                "id": format!("{number}000000000{number}"), "reference_id": number.to_string(), "question": format!("Question {number} to {}", place.name),
                "chat_status": {"status_key": 4}, "visitor": {"email": format!("visitor{number}@example.com")},
            })
        })
        .collect();
    Ok(Answer::json(200, &json!({"url": call.request.path, "object": "list", "data": conversations})))
}
