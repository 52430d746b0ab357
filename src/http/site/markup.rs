//! Reads our own pages strictly: every tag closed, every attribute quoted, nothing inline, and what a page promises to
//! those who do not see it.
//!
//! A browser repairs bad HTML silently, and a name that breaks out of its attribute looks like a cosmetic fault. Here it is
//! an error. This is no HTML parser: it knows the part of the language that our templates use.

use std::collections::{HashMap, HashSet};

const VOID: [&str; 5] = ["meta", "link", "input", "br", "use"];

#[derive(Debug)]
struct Element {
    name: String,
    attributes: HashMap<String, String>,
    parent: Option<usize>,
    text: String,
}

/// Panics with the reason if the page breaks a rule.
pub(crate) fn check(html: &str) {
    let elements = parse(html);
    let all = |name: &str| -> Vec<&Element> {
        let wanted = name.to_owned();
        elements.iter().filter(move |element| element.name == wanted).collect()
    };
    assert_eq!(all("h1").len(), 1, "one h1");
    assert_eq!(all("main").len(), 1, "one main");
    assert_eq!(all("html")[0].attributes["lang"], "en");
    assert!(!all("title")[0].text.trim().starts_with('·'), "a title of its own");
    check_nothing_inline(&elements);
    check_references(&elements);
    check_forms(&elements);
    for image in all("svg") {
        let is_told = image.attributes.get("role").is_some_and(|role| role == "img");
        assert!(is_told || image.attributes["aria-hidden"] == "true", "icons are decoration, plots are told");
    }
    for (index, element) in elements.iter().enumerate() {
        if ["a", "button", "summary", "h1", "h2", "label", "th"].contains(&element.name.as_str()) {
            assert!(has_words(&elements, index), "{} without words", element.name);
        }
    }
}

fn check_nothing_inline(elements: &[Element]) {
    for element in elements {
        assert!(element.name != "style", "an inline style sheet");
        if element.name == "script" {
            assert!(element.text.trim().is_empty() && element.attributes["src"].starts_with("/static/"));
        }
        for (name, value) in &element.attributes {
            assert!(name != "style" && !name.starts_with("on"), "{name} on {}", element.name);
            if ["href", "src", "action"].contains(&name.as_str()) {
                // What leads away says so: to the page that an inviter named, and to a mail.
                let is_mail = element.name == "a" && value.starts_with("mailto:");
                let is_way_back = element.attributes.get("rel").is_some_and(|rel| rel == "external");
                assert!(
                    is_mail
                        || is_way_back
                        || value.starts_with('#')
                        || (value.starts_with('/') && !value.starts_with("//")),
                    "{value} leaves this site"
                );
            }
        }
    }
}

fn check_references(elements: &[Element]) {
    let mut ids = HashSet::new();
    for id in elements.iter().filter_map(|element| element.attributes.get("id")) {
        assert!(ids.insert(id.as_str()), "the id {id} twice");
    }
    for element in elements {
        for name in ["for", "aria-describedby", "aria-labelledby", "aria-controls"] {
            let referred = element.attributes.get(name).map_or("", String::as_str);
            for id in referred.split_whitespace() {
                assert!(ids.contains(id), "{name} refers to {id}, which is not there");
            }
        }
        if let Some(id) = element.attributes.get("href").and_then(|href| href.strip_prefix('#')) {
            assert!(ids.contains(id), "a link to #{id}, which is not there");
        }
    }
}

fn check_forms(elements: &[Element]) {
    let within = |index: usize, name: &str| {
        std::iter::successors(Some(index), |index| elements[*index].parent).find(|index| elements[*index].name == name)
    };
    let labels: HashSet<&str> = elements
        .iter()
        .filter(|element| element.name == "label")
        .filter_map(|label| label.attributes.get("for").map(String::as_str))
        .collect();
    for (index, element) in elements.iter().enumerate() {
        let attribute = |name: &str| element.attributes.get(name).map_or("", String::as_str);
        match element.name.as_str() {
            "form" => {
                if attribute("method") == "get" {
                    assert_eq!(attribute("role"), "search", "commands are POST");
                    continue;
                }
                assert_eq!(attribute("method"), "post", "commands are POST");
                let tokens = elements.iter().enumerate().filter(|(input, element)| {
                    element.attributes.get("name").is_some_and(|name| name == "csrf")
                        && within(*input, "form") == Some(index)
                });
                let tokens: Vec<_> = tokens.collect();
                // Whoever follows an invitation may not be signed in, and has no form token then.
                if tokens.is_empty() && attribute("action").starts_with("/onboarding/") {
                    continue;
                }
                let [(_, token)] = tokens[..] else {
                    panic!("one form token in {}", attribute("action"));
                };
                assert!(token.attributes["type"] == "hidden" && !token.attributes["value"].is_empty());
            }
            "input" | "select" if attribute("type") != "hidden" => {
                assert!(
                    labels.contains(attribute("id")) || within(index, "label").is_some(),
                    "{} {} has no label",
                    element.name,
                    attribute("name")
                );
            }
            "progress" => assert!(!attribute("aria-label").is_empty()),
            _ => {}
        }
    }
}

fn has_words(elements: &[Element], root: usize) -> bool {
    (root..elements.len()).any(|index| {
        let is_inside =
            std::iter::successors(Some(index), |index| elements[*index].parent).any(|ancestor| ancestor == root);
        is_inside && !elements[index].text.trim().is_empty()
    })
}

fn parse(html: &str) -> Vec<Element> {
    let mut rest = html.trim_start().strip_prefix("<!doctype html>").expect("a doctype");
    let mut elements: Vec<Element> = Vec::new();
    let mut open: Vec<usize> = Vec::new();
    while let Some(start) = rest.find('<') {
        let text = &rest[..start];
        assert!(!text.contains('>'), "a bare > in {text:?}");
        check_entities(text);
        if let Some(parent) = open.last() {
            elements[*parent].text.push_str(text);
        }
        let end = tag_end(&rest[start..]) + start;
        let tag = &rest[start + 1..end];
        rest = &rest[end + 1..];
        if let Some(name) = tag.strip_prefix('/') {
            let closed = open.pop().map(|index| elements[index].name.clone());
            assert_eq!(closed.as_deref(), Some(name), "wrongly nested");
        } else {
            let (name, attributes) = parse_tag(tag);
            let is_void = VOID.contains(&name.as_str()) && name != "use";
            elements.push(Element { name, attributes, parent: open.last().copied(), text: String::new() });
            if !is_void {
                open.push(elements.len() - 1);
            }
        }
    }
    assert!(open.is_empty() && rest.trim().is_empty(), "something stays open");
    elements
}

/// Where the tag at the start ends: the first `>` outside quotes.
fn tag_end(html: &str) -> usize {
    let mut quoted = false;
    for (position, character) in html.char_indices() {
        match character {
            '"' => quoted = !quoted,
            '>' if !quoted => return position,
            _ => {}
        }
    }
    panic!("a tag without an end: {:?}", html.chars().take(60).collect::<String>());
}

fn parse_tag(tag: &str) -> (String, HashMap<String, String>) {
    let (name, mut rest) = tag.split_once(char::is_whitespace).unwrap_or((tag, ""));
    assert!(
        !name.is_empty() && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit()),
        "a tag named {name:?}"
    );
    let mut attributes = HashMap::new();
    loop {
        rest = rest.trim_start();
        if rest.is_empty() {
            return (name.to_owned(), attributes);
        }
        let end = rest.find(|c: char| c == '=' || c.is_whitespace()).unwrap_or(rest.len());
        let key = &rest[..end];
        assert!(
            !key.is_empty() && key.chars().all(|c| c.is_ascii_lowercase() || c == '-'),
            "an attribute named {key:?} in {tag:?}"
        );
        rest = &rest[end..];
        let mut value = "";
        if let Some(quoted) = rest.strip_prefix("=\"") {
            let end = quoted.find('"').expect("a closing quote");
            value = &quoted[..end];
            rest = &quoted[end + 1..];
            assert!(rest.is_empty() || rest.starts_with(char::is_whitespace), "no space in {tag:?}");
        } else {
            assert!(!rest.starts_with('='), "an unquoted value in {tag:?}");
        }
        assert!(!value.contains('<'), "a bare < in {tag:?}");
        check_entities(value);
        let earlier = attributes.insert(key.to_owned(), value.to_owned());
        assert!(earlier.is_none(), "{key} twice in {tag:?}");
    }
}

fn check_entities(text: &str) {
    for (position, _) in text.match_indices('&') {
        let entity = text[position + 1..].split(';').next().unwrap_or("");
        let is_named = ["amp", "lt", "gt", "quot"].contains(&entity);
        let is_numbered = entity
            .strip_prefix('#')
            .is_some_and(|number| !number.is_empty() && number.chars().all(|c| c.is_ascii_hexdigit() || c == 'x'));
        assert!(is_named || is_numbered, "a bare & in {text:?}");
    }
}

mod tests {
    use super::*;

    const PAGE: &str = "<!doctype html><html lang=\"en\"><title>a</title><main><h1>b</h1>%</main></html>";

    fn is_refused(part: &str) -> bool {
        let page = PAGE.replace('%', part);
        std::panic::catch_unwind(|| check(&page)).is_err()
    }

    #[test]
    fn a_plain_page_passes() {
        check(&PAGE.replace('%', "<p>well &amp; good</p>"));
    }

    #[test]
    fn what_a_browser_would_repair_is_refused() {
        for part in [
            "<p>",
            "</p>",
            "<p><b></p></b>",
            "<p class=x>y</p>",
            "<p style=\"color:red\">y</p>",
            "<p onclick=\"x\">y</p>",
            "<script>x</script>",
            "a & b",
            "a > b",
            "<a href=\"https://elsewhere.example/\">x</a>",
            "<a href=\"//elsewhere.example/\">x</a>",
            "<a href=\"/x\"></a>",
            "<a href=\"#nowhere\">x</a>",
            "<form method=\"post\" action=\"/x\"></form>",
            "<input name=\"x\">",
            "<h1>another</h1>",
        ] {
            assert!(is_refused(part), "{part}");
        }
    }
}
