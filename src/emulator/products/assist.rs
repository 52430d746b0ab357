//! Zoho Assist: whose account is this? One organization, always.

use serde_json::json;

use super::call::Call;
use super::refusal::Reason;
use crate::emulator::accounts::user_info::number;
use crate::emulator::answer::Answer;

pub(super) fn answer(call: &Call<'_>, path: &[&str]) -> Option<Answer> {
    match path {
        ["user"] if call.is("GET") => Some(user(call).unwrap_or_else(|refusal| refusal)),
        _ => None,
    }
}

fn user(call: &Call<'_>) -> Result<Answer, Answer> {
    let allowed = call.allow("ZohoAssist.userapi.READ")?;
    let form = call.state.settings.products.ids;
    let named = call.request.header("x-com-zoho-assist-orgid");
    let place = match named {
        Some(id) => Some(allowed.place(id).ok_or_else(|| call.refuse(Reason::Organization))?),
        None => allowed.places().first().map(|(_, place)| *place),
    };
    let mut representation = json!({
        "zuid": allowed.person.zuid, "user_role": 2, "user_email": allowed.person.email,
        "license": {"license_type": "TRIAL"},
    });
    if let Some(place) = place {
        representation["org_details"] = json!({"zsoid": number(&place.id, form), "org_name": place.name});
    }
    Ok(Answer::json(200, &json!({"resource_type": "user", "representation": representation})))
}
