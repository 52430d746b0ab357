//! `…/emulator/echo` under each product's prefix tells what arrived: for programs that pass calls on.

use std::collections::BTreeMap;

use serde_json::json;

use super::call::Call;
use crate::emulator::answer::Answer;
use crate::emulator::journal::body;
use crate::emulator::scopes;

/// Under the prefix Assist and `SalesIQ` share, the token tells which of the two is meant; a portal in front means `SalesIQ`.
pub(super) fn answer(call: &Call<'_>, rest: &str) -> Answer {
    let of_salesiq = || {
        let token = call.presented();
        let has = |product| {
            token.is_some_and(|token| token.grant.scopes.iter().any(|scope| scopes::product(scope) == Some(product)))
        };
        !rest.starts_with("emulator/") || (has("salesiq") && !has("assist"))
    };
    let call = if call.product == "assist" && of_salesiq() { call.of("salesiq") } else { *call };
    let allowed = match call.allow_product() {
        Ok(allowed) => allowed,
        Err(refusal) => return refusal,
    };
    let mut headers: BTreeMap<&str, String> = BTreeMap::new();
    for (name, value) in &call.request.headers {
        headers.entry(name).and_modify(|known| *known = format!("{known}, {value}")).or_insert_with(|| value.clone());
    }
    let (name, text) = body(&call.request.body);
    let mut echo = json!({
        "product": call.product, "method": call.request.method, "path": call.request.path, "query": call.request.query,
        "headers": headers, "listener": call.request.listener.to_string(), "organization": allowed.token.grant.organization,
    });
    echo[name] = json!(text);
    Answer::json(200, &echo)
}
