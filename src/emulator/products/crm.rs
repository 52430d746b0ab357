//! Zoho CRM: the organization, and records of a module. Its environments differ by host.

use serde_json::{Value, json};

use super::call::Call;
use crate::emulator::answer::Answer;

pub(super) fn answer(call: &Call<'_>, path: &[&str]) -> Option<Answer> {
    let [version, rest @ ..] = path else { return None };
    if !version.starts_with('v') || version[1..].parse::<f32>().is_err() || !call.is("GET") {
        return None;
    }
    match rest {
        ["org"] => Some(organization(call).unwrap_or_else(|refusal| refusal)),
        [module] => Some(records(call, module).unwrap_or_else(|refusal| refusal)),
        _ => None,
    }
}

fn organization(call: &Call<'_>) -> Result<Answer, Answer> {
    let allowed = call.allow("ZohoCRM.org.READ")?;
    let organizations: Vec<Value> = allowed
        .places()
        .into_iter()
        .map(|(organization, place)| {
            json!({
                "id": place.id, "company_name": place.name, "zgid": organization.id, "primary_zuid": allowed.person.zuid,
                "primary_email": allowed.person.email, "country_code": allowed.person.data_centre.key().to_uppercase(),
            })
        })
        .collect();
    Ok(Answer::json(200, &json!({"org": organizations})))
}

fn records(call: &Call<'_>, module: &str) -> Result<Answer, Answer> {
    let allowed = call
        .allow("ZohoCRM.modules.READ")
        .or_else(|refusal| call.allow(&format!("ZohoCRM.modules.{module}.READ")).map_err(|_| refusal))?;
    let records: Vec<Value> = allowed
        .places()
        .into_iter()
        .flat_map(|(_, place)| {
            (1..=3).map(move |number| {
                json!({"id": format!("{}{number:03}", place.id), "Last_Name": format!("{module} {number}"), "Company": place.name})
            })
        })
        .collect();
    let info = json!({"per_page": 200, "count": records.len(), "page": 1, "more_records": false});
    Ok(Answer::json(200, &json!({"data": records, "info": info})))
}
