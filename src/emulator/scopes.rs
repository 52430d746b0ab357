//! Scopes: how Zoho reads them, which product they belong to, and what the consent page says about them.
//!
//! Zoho separates by comma, tolerates blanks, ignores case and answers in its own spelling (zoho-oauth.md §4, §6).

/// A service of Zoho: its name in scopes, the product it opens, the title for people, and its modules as Zoho writes them.
struct Service {
    name: &'static str,
    product: Option<&'static str>,
    title: &'static str,
    modules: &'static [&'static str],
}

const SERVICES: &[Service] = &[
    Service { name: "AaaServer", product: None, title: "Zoho account", modules: &["profile"] },
    Service {
        name: "ZohoAssist",
        product: Some("assist"),
        title: "Zoho Assist",
        modules: &["userapi", "sessionapi", "reportapi", "unattendedapi", "departmentapi", "groupapi", "settingsapi"],
    },
    Service {
        name: "SalesIQ",
        product: Some("salesiq"),
        title: "Zoho SalesIQ",
        modules: &[
            "portals",
            "conversations",
            "operators",
            "departments",
            "apps",
            "visitors",
            "leads",
            "feedbacks",
            "webhooks",
        ],
    },
    Service {
        name: "zohopulse",
        product: Some("connect"),
        title: "Zoho Connect",
        modules: &[
            "feedList",
            "blogs",
            "events",
            "tasks",
            "wikis",
            "chatrooms",
            "attachments",
            "customapps",
            "connectNotifications",
            "userDetail",
            "pagelist",
            "networklist",
            "grouplist",
        ],
    },
    Service { name: "ZiaAgents", product: Some("zia_agents"), title: "Zia Agents", modules: &["agents"] },
    Service {
        name: "ZohoCRM",
        product: Some("crm"),
        title: "Zoho CRM",
        modules: &["modules", "org", "users", "settings", "bulk", "coql", "notifications", "files"],
    },
    Service {
        name: "Desk",
        product: Some("desk"),
        title: "Zoho Desk",
        modules: &["basic", "tickets", "contacts", "tasks", "settings", "search", "events", "articles"],
    },
    Service {
        name: "ZohoBooks",
        product: Some("books"),
        title: "Zoho Books",
        modules: &["fullaccess", "settings", "contacts", "invoices", "estimates", "bills", "banking", "accountants"],
    },
    Service { name: "ZohoMail", product: None, title: "Zoho Mail", modules: &["messages", "accounts", "folders"] },
    Service { name: "ZohoProjects", product: None, title: "Zoho Projects", modules: &["portals", "projects", "tasks"] },
    Service { name: "ZohoCliq", product: None, title: "Zoho Cliq", modules: &["Channels", "Webhooks", "Messages"] },
    Service { name: "ZohoCreator", product: None, title: "Zoho Creator", modules: &["form", "report", "meta"] },
    Service { name: "WorkDrive", product: None, title: "Zoho WorkDrive", modules: &["files", "team", "workspace"] },
];

const OPERATIONS: &[(&str, &str)] = &[
    ("READ", "See"),
    ("CREATE", "Create"),
    ("UPDATE", "Change"),
    ("DELETE", "Delete"),
    ("WRITE", "Create and change"),
    ("TRIGGER", "Run"),
    ("EXECUTE", "Run"),
    ("ALL", "See, create, change and delete"),
];

const OPENID: [&str; 3] = ["openid", "email", "profile"];

/// Reads a `scope` parameter into Zoho's spelling; `None` is `ERROR_invalid_scope`.
pub(super) fn parse(text: &str) -> Option<Vec<String>> {
    let mut scopes = Vec::new();
    for word in text.split([',', ' ']).map(str::trim).filter(|word| !word.is_empty()) {
        let scope = normalize(word)?;
        if !scopes.contains(&scope) {
            scopes.push(scope);
        }
    }
    (!scopes.is_empty()).then_some(scopes)
}

fn normalize(word: &str) -> Option<String> {
    if let Some(name) = OPENID.iter().find(|name| name.eq_ignore_ascii_case(word)) {
        return Some((*name).to_owned());
    }
    let mut parts: Vec<&str> = word.split('.').collect();
    if parts.len() < 2 || parts.iter().any(|part| !is_word(part)) {
        return None;
    }
    let service = service(parts[0])?;
    let operation = parts.pop()?.to_ascii_uppercase();
    if parts.len() > 1 && !OPERATIONS.iter().any(|(name, _)| *name == operation) {
        return None;
    }
    parts[0] = service.name;
    if parts.len() > 1 {
        let known = service.modules.iter().find(|module| module.eq_ignore_ascii_case(parts[1]));
        parts[1] = known.copied().unwrap_or(parts[1]);
    }
    Some(format!("{}.{operation}", parts.join(".")))
}

fn is_word(part: &str) -> bool {
    !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-')
}

fn service(name: &str) -> Option<&'static Service> {
    SERVICES.iter().find(|service| service.name.eq_ignore_ascii_case(name))
}

fn service_of(scope: &str) -> Option<&'static Service> {
    service(scope.split('.').next().unwrap_or(scope))
}

/// The product a scope opens, if it opens one.
pub(super) fn product(scope: &str) -> Option<&'static str> {
    service_of(scope).and_then(|service| service.product)
}

/// The title of a product as pages print it.
pub(super) fn product_title(product: &str) -> &'static str {
    SERVICES.iter().find(|service| service.product == Some(product)).map_or("Zoho", |service| service.title)
}

/// What a scope allows, said to the person who is asked.
pub(super) fn in_words(scope: &str) -> String {
    match scope {
        "openid" => return "Know who you are at Zoho".to_owned(),
        "email" => return "See your e-mail address".to_owned(),
        "profile" | "AaaServer.profile.READ" => return "See your name and e-mail address".to_owned(),
        _ => {}
    }
    let title = service_of(scope).map_or("Zoho", |service| service.title);
    let mut parts: Vec<&str> = scope.split('.').skip(1).collect();
    let operation = parts.pop().unwrap_or("ALL");
    let verb = OPERATIONS.iter().find(|(name, _)| *name == operation).map_or("Use", |(_, verb)| *verb);
    let what = match parts.as_slice() {
        [] | ["fullaccess"] => "everything",
        ["userapi"] => "your user and organization",
        ["org"] => "your organization",
        ["basic"] => "your organizations and agents",
        ["portals"] => "your portals",
        ["networklist"] => "your networks",
        ["modules"] => "records",
        _ => return format!("{verb} {} in {title}", parts.join(" ")),
    };
    format!("{verb} {what} in {title}")
}

/// Whether granted scopes cover `needed`: the same words, or `ALL` in place of the operation, whatever the case.
pub(super) fn allow(granted: &[String], needed: &str) -> bool {
    let (stem, _) = needed.rsplit_once('.').unwrap_or((needed, ""));
    let all = format!("{stem}.ALL");
    granted.iter().any(|scope| scope.eq_ignore_ascii_case(needed) || scope.eq_ignore_ascii_case(&all))
}

/// `X.ALL` written out, one of the spellings seen in token answers.
pub(super) fn expand(scopes: &[String]) -> Vec<String> {
    let mut expanded = Vec::new();
    for scope in scopes {
        match scope.strip_suffix(".ALL") {
            Some(stem) => {
                expanded.extend(["CREATE", "READ", "UPDATE", "DELETE"].map(|word| format!("{stem}.{word}")));
            }
            None => expanded.push(scope.clone()),
        }
    }
    expanded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn separators_and_case_do_not_matter_and_the_answer_has_zohos_spelling() {
        let scopes = parse("zohoassist.USERAPI.read, aaaserver.profile.read SalesIQ.portals.READ,").unwrap();
        assert_eq!(scopes, ["ZohoAssist.userapi.READ", "AaaServer.profile.READ", "SalesIQ.portals.READ"]);
    }

    #[test]
    fn what_zoho_does_not_know_is_no_scope() {
        for text in
            ["", " , ", "Nonsense.a.READ", "ZohoCRM", "ZohoCRM..READ", "ZohoCRM.modules.EAT", "ZohoCRM.<b>.READ"]
        {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn all_allows_each_operation_of_its_module_only() {
        let granted = [String::from("ZohoCRM.modules.ALL")];
        assert!(allow(&granted, "ZohoCRM.modules.READ"));
        assert!(!allow(&granted, "ZohoCRM.org.READ"));
    }

    #[test]
    fn scopes_are_said_in_words() {
        assert_eq!(in_words("SalesIQ.conversations.READ"), "See conversations in Zoho SalesIQ");
        assert_eq!(in_words("ZiaAgents.agents.TRIGGER"), "Run agents in Zia Agents");
    }
}
