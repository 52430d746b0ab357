//! Zoho Connect: networks (it calls them scopes), and the tasks of one. Nearly every call names its `scopeID`.

use serde_json::{Value, json};

use super::call::Call;
use super::refusal::Reason;
use crate::emulator::answer::Answer;

pub(super) fn answer(call: &Call<'_>, path: &[&str]) -> Option<Answer> {
    match path {
        ["api", "allScopes"] if call.is("GET") => Some(networks(call).unwrap_or_else(|refusal| refusal)),
        ["api", "tasks" | "myTasks" | "userTasks"] if call.is("GET") => {
            Some(tasks(call).unwrap_or_else(|refusal| refusal))
        }
        _ => None,
    }
}

fn networks(call: &Call<'_>) -> Result<Answer, Answer> {
    let allowed = call.allow("zohopulse.networklist.READ")?;
    let networks: Vec<Value> = (0..)
        .zip(allowed.places())
        .map(|(index, (organization, place))| {
            json!({
                "name": place.name, "id": place.id, "soid": organization.id, "isDefault": (index == 0).to_string(),
                "url": format!("https://connect.zoho.example/portal/{}", place.id),
            })
        })
        .collect();
    Ok(Answer::json(200, &json!({"allScopes": {"scopes": networks}})))
}

fn tasks(call: &Call<'_>) -> Result<Answer, Answer> {
    let allowed = call.allow("zohopulse.tasks.READ")?;
    let parameters = call.request.parameters();
    let id = parameters.get("scopeID").unwrap_or_default();
    let network = allowed.place(id).ok_or_else(|| call.refuse(Reason::Organization))?;
    let tasks: Vec<Value> = (1..=3)
        .map(|number| json!({"id": format!("{id}{number}"), "title": format!("Task {number} of {}", network.name), "status": "open"}))
        .collect();
    Ok(Answer::json(200, &json!({"userTasks": {"tasks": tasks, "scopeID": id}})))
}
