//! Calls of the document, grouped by tag.

use serde_json::Value;
use utoipa::openapi::{
    Content, OpenApi, RefOr, Required, Response,
    path::{Operation, Parameter, ParameterIn},
};

use super::{
    Prose, example,
    types::{Kind, kind},
};
use crate::http::api::openapi::operations;

pub(crate) struct Group {
    pub(crate) name: String,
    pub(crate) about: Prose,
    pub(crate) calls: Vec<Call>,
}

/// One call; the same call by several methods is one.
pub(crate) struct Call {
    pub(crate) id: String,
    pub(crate) methods: Vec<&'static str>,
    pub(crate) path: String,
    pub(crate) summary: String,
    pub(crate) about: Prose,
    pub(crate) grants: Vec<String>,
    pub(crate) parameters: Vec<Asked>,
    pub(crate) body: Option<Body>,
    pub(crate) curl: Curl,
    pub(crate) answers: Vec<Answer>,
    pub(crate) refusals: Vec<Refusal>,
}

pub(crate) struct Asked {
    pub(crate) name: String,
    pub(crate) is_path: bool,
    pub(crate) is_header: bool,
    pub(crate) required: bool,
    pub(crate) kind: Kind,
    pub(crate) about: Prose,
}

/// A request's or answer's content.
pub(crate) struct Body {
    pub(crate) media_type: String,
    pub(crate) kind: Kind,
    pub(crate) example: Option<String>,
}

pub(crate) struct Answer {
    pub(crate) status: String,
    pub(crate) about: Prose,
    pub(crate) body: Option<Body>,
}

#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: String,
    /// The problem's slug.
    pub(crate) problem: String,
}

impl Call {
    /// Its operations have ids of their own; the call has what is common to them.
    fn join(&mut self, method: &'static str) {
        if let [first] = self.methods[..] {
            let common = self.id.strip_suffix(&format!("_{}", first.to_ascii_lowercase())).map(str::to_owned);
            self.id = common.unwrap_or_default();
        }
        self.methods.push(method);
    }
}

/// The call as an example for a shell.
pub(crate) struct Curl {
    method: &'static str,
    needs_key: bool,
    target: String,
    body: Option<String>,
}

impl Curl {
    pub(super) fn text(&self, origin: &str, root: &str) -> String {
        let mut parts = vec!["curl".to_owned()];
        match self.method {
            "GET" => {}
            method => parts.push(format!(" -X {method}")),
        }
        if self.needs_key {
            parts.push(" -H \"Authorization: Bearer $LWZ_API_KEY\" \\\n ".to_owned());
        }
        if let Some(body) = &self.body {
            parts.push(format!(" -H \"Content-Type: application/json\" -d '{body}' \\\n "));
        }
        parts.push(format!(" \"{origin}{root}{}\"", self.target));
        parts.concat()
    }
}

impl Body {
    pub(super) fn is_json(&self) -> bool {
        self.media_type == "application/json"
    }
}

pub(super) fn groups(document: &OpenApi) -> Vec<Group> {
    let tags = document.tags.iter().flatten();
    let groups = tags.map(|tag| Group {
        name: tag.name.clone(),
        about: Prose::new(tag.description.as_deref().unwrap_or_default()),
        calls: calls(document, &tag.name),
    });
    groups.filter(|group| !group.calls.is_empty()).collect()
}

/// Takes out what every call with a key may be refused with: it is told once.
pub(super) fn take_common(groups: &mut [Group]) -> Vec<Refusal> {
    let mut calls: Vec<_> =
        groups.iter_mut().flat_map(|group| &mut group.calls).filter(|call| call.curl.needs_key).collect();
    let Some((first, others)) = calls.split_first() else { return Vec::new() };
    let is_common = |refusal: &&Refusal| others.iter().all(|call| call.refusals.contains(refusal));
    let common: Vec<_> = first.refusals.iter().filter(is_common).cloned().collect();
    for call in &mut calls {
        call.refusals.retain(|refusal| !common.contains(refusal));
    }
    common
}

fn calls(document: &OpenApi, tag: &str) -> Vec<Call> {
    let mut calls: Vec<Call> = Vec::new();
    for (path, item) in &document.paths.paths {
        for (method, operation) in operations(item) {
            if !operation.tags.iter().flatten().any(|own| own == tag) {
                continue;
            }
            let call = call(document, path, method, operation);
            match calls.iter_mut().find(|same| same.path == call.path && same.summary == call.summary) {
                Some(same) => same.join(method),
                None => calls.push(call),
            }
        }
    }
    calls
}

fn call(document: &OpenApi, path: &str, method: &'static str, operation: &Operation) -> Call {
    let grants = grants(operation);
    let parameters: Vec<&Parameter> = operation.parameters.iter().flatten().filter_map(of).collect();
    let body = operation.request_body.as_ref().and_then(of).and_then(|body| {
        let (media_type, content) = body.content.iter().next()?;
        Some(content_of(document, media_type, of(content)?))
    });
    let (refused, answered): (Vec<_>, Vec<_>) =
        operation.responses.responses.iter().partition(|(status, _)| !status.starts_with('2'));
    Call {
        id: operation.operation_id.clone().unwrap_or_default(),
        methods: vec![method],
        path: path.to_owned(),
        summary: operation.summary.clone().unwrap_or_default().trim_end_matches('.').to_owned(),
        about: Prose::new(operation.description.as_deref().unwrap_or_default()),
        curl: Curl {
            method,
            needs_key: !grants.is_empty(),
            target: target(path, &parameters),
            body: body.as_ref().and_then(|body| body.example.clone()),
        },
        grants,
        parameters: parameters.into_iter().map(asked).collect(),
        body,
        answers: answered
            .into_iter()
            .filter_map(|(status, answer)| Some(answer_of(document, status, of(answer)?)))
            .collect(),
        refusals: refused.into_iter().flat_map(|(status, answer)| refusals(status, of(answer))).collect(),
    }
}

const fn of<T>(part: &RefOr<T>) -> Option<&T> {
    match part {
        RefOr::T(part) => Some(part),
        RefOr::Ref(_) => None,
    }
}

/// Roles beside the key: which grant it needs.
fn grants(operation: &Operation) -> Vec<String> {
    let wanted = operation.security.iter().flatten().filter_map(|security| serde_json::to_value(security).ok());
    let roles = wanted.filter_map(|security| security.get("api_key").cloned());
    roles.filter_map(|roles| serde_json::from_value::<Vec<String>>(roles).ok()).flatten().collect()
}

fn asked(parameter: &Parameter) -> Asked {
    Asked {
        name: parameter.name.clone(),
        is_path: parameter.parameter_in == ParameterIn::Path,
        is_header: parameter.parameter_in == ParameterIn::Header,
        required: parameter.required == Required::True,
        kind: parameter.schema.as_ref().map(kind).unwrap_or_default(),
        about: Prose::new(parameter.description.as_deref().unwrap_or_default()),
    }
}

/// The path with its parameters as they stand in a shell, and the query of those that have an example.
fn target(path: &str, parameters: &[&Parameter]) -> String {
    let mut target = path.to_owned();
    let mut query = Vec::new();
    for parameter in parameters {
        let example = serde_json::to_value(parameter).ok().and_then(|told| told.get("example").map(plain));
        match parameter.parameter_in {
            ParameterIn::Path => {
                let value = example.unwrap_or_else(|| format!("${}", parameter.name.to_uppercase()));
                target = target.replace(&format!("{{{}}}", parameter.name), &value);
            }
            ParameterIn::Query => query.extend(example.map(|value| format!("{}={value}", parameter.name))),
            ParameterIn::Header | ParameterIn::Cookie | ParameterIn::QueryString => {}
        }
    }
    if query.is_empty() { target } else { format!("{target}?{}", query.join("&")) }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// An example of its own comes before one made of its members' examples.
fn content_of(document: &OpenApi, media_type: &str, content: &Content) -> Body {
    let of_kind = content.schema.as_ref().map(kind).unwrap_or_default();
    let own = content.example.as_ref().and_then(|example| serde_json::to_string_pretty(example).ok());
    let schema = content.schema.as_ref().filter(|_| of_kind.is_known());
    let example = own.or_else(|| schema.map(|schema| example::pretty(document, schema)));
    Body { media_type: media_type.to_owned(), kind: of_kind, example }
}

fn answer_of(document: &OpenApi, status: &str, answer: &Response) -> Answer {
    let content = answer.content.iter().next();
    Answer {
        status: status.to_owned(),
        about: Prose::new(&answer.description),
        body: content.and_then(|(media_type, content)| Some(content_of(document, media_type, of(content)?))),
    }
}

fn refusals(status: &str, answer: Option<&Response>) -> Vec<Refusal> {
    let types = answer.and_then(|answer| answer.extensions.as_ref()?.get("x-problem-types")?.as_array());
    let slugs = types.into_iter().flatten().filter_map(|path| path.as_str()?.strip_prefix("/problems/"));
    slugs.map(|slug| Refusal { status: status.to_owned(), problem: slug.to_owned() }).collect()
}
