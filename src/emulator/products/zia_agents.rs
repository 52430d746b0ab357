//! Zia Agents: no organization can be discovered; it is sent as a header and compared. Agents take their time.

use serde_json::{Value, json};

use super::call::Call;
use super::refusal::Reason;
use crate::emulator::answer::Answer;

pub(super) fn answer(call: &Call<'_>, path: &[&str]) -> Option<Answer> {
    match path {
        ["v1", "agents", "query"] if call.is("POST") => Some(run(call, None).unwrap_or_else(|refusal| refusal)),
        ["v1", "agents", agent, "trigger"] if call.is("POST") => {
            Some(run(call, Some(agent)).unwrap_or_else(|refusal| refusal))
        }
        _ => None,
    }
}

/// `query` names its agent by header, `trigger` by path; a session id has digits only.
fn run(call: &Call<'_>, agent: Option<&str>) -> Result<Answer, Answer> {
    let allowed = call.allow("ZiaAgents.agents.TRIGGER")?;
    let header = |name| call.request.header(name).unwrap_or_default();
    allowed.place(header("x-ziaagents-org")).ok_or_else(|| call.refuse(Reason::Organization))?;
    if agent.is_none() && header("x-ziaagents-agent-id").is_empty() {
        return Ok(bad("INVALID_AGENT_ID", "X-ZIAAGENTS-AGENT-ID is missing"));
    }
    let session = call.request.header("x-ziaagents-agent-session-id");
    if session.is_some_and(|id| id.is_empty() || !id.bytes().all(|byte| byte.is_ascii_digit())) {
        return Ok(bad("INVALID_SESSION_ID", "The session id must be a number"));
    }
    let Some(query) = serde_json::from_slice::<Value>(&call.request.body)
        .ok()
        .and_then(|body| Some(body.get("query")?.as_str()?.to_owned()))
    else {
        return Ok(bad("INVALID_BODY", "The body has no query"));
    };
    let mut answer = json!({"data": {"response": format!("You asked: {query}")}});
    match agent {
        None => answer["executionId"] = json!(format!("{}0001", call.now)),
        Some(_) => answer["sessionId"] = json!(session.map_or_else(|| call.now.to_string(), ToOwned::to_owned)),
    }
    Ok(Answer::json(200, &answer).after(call.state.settings.products.zia_agents_delay_ms))
}

fn bad(code: &str, message: &str) -> Answer {
    Answer::json(400, &json!({"error": {"code": code, "message": message}}))
}
