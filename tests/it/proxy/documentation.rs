//! docs/products.md keeps its word: every example of it is run, against the sample world it is written for.

use std::collections::BTreeMap;

use super::*;

/// A line as a shell would take it apart, without what our examples do not use.
fn words(line: &str, variables: &BTreeMap<String, String>) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), String::new(), None);
    for letter in line.chars().chain([' ']) {
        match (quote, letter) {
            (None, ' ') => words.extend(Some(std::mem::take(&mut word)).filter(|word| !word.is_empty())),
            (None, '"' | '\'') => quote = Some(letter),
            (Some(open), letter) if open == letter => quote = None,
            (_, letter) => word.push(letter),
        }
    }
    let expand = |word: String| {
        // The longest name first: $SITE is no $S.
        variables.iter().rev().fold(word, |word, (name, value)| word.replace(&format!("${name}"), value))
    };
    words.into_iter().map(expand).collect()
}

#[tokio::test]
async fn every_curl_example_of_the_products_succeeds() {
    let app = App::start().await;
    let mut variables = BTreeMap::from([("SITE".to_owned(), format!("http://{}", app.address(0)))]);
    for product in ["assist", "salesiq", "connect", "zia_agents", "crm", "desk", "books"] {
        variables.insert(product.to_uppercase(), connect(&app, product, SAM).await);
    }
    variables.insert("KEY".to_owned(), app.backend(&["proxy"]).await.key);
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/products.md")).unwrap();
    let mut asked = Vec::new();
    for line in text.lines().filter(|line| line.starts_with("curl ")) {
        let words = words(line, &variables);
        let after = |flag: &str| words.iter().skip_while(|word| *word != flag).nth(1);
        let mut request =
            http.request(after("-X").map_or(Method::GET, |method| method.parse().unwrap()), words.last().unwrap());
        for (_, header) in words.iter().zip(&words[1..]).filter(|(flag, _)| *flag == "-H") {
            let (name, value) = header.split_once(": ").unwrap();
            request = request.header(name, value);
        }
        let told = Told::read(request.body(after("-d").cloned().unwrap_or_default()).send().await.unwrap()).await;
        assert_eq!(told.status, 200, "{line}: {}", told.text);
        assert!(told.json().get("error").is_none(), "{line}: {}", told.text);
        asked.push(told.header("x-login-with-zoho-connection").to_owned());
    }
    asked.sort();
    asked.dedup();
    assert_eq!(asked.len(), 7, "an example of each product");
}
