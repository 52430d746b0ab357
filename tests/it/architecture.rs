//! Imports point one way, and each outside crate stays in its place (style.md §3).

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// Every source file under `src`, by its path there, without its unit tests and comments.
fn sources() -> Vec<(String, String)> {
    fn walk(directory: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|end| end == "rs") {
                found.push(path);
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    walk(&root, &mut found);
    found.sort();
    let is_test = |name: &str| name.ends_with("/tests.rs") || name.ends_with("/samples.rs") || name.contains("_tests/");
    let read = |path: PathBuf| {
        let name = path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
        (name, code_of(&fs::read_to_string(path).unwrap()))
    };
    found.into_iter().map(read).filter(|(name, _)| !is_test(name)).collect()
}

fn code_of(text: &str) -> String {
    let product = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
    product.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

/// The first module of each `crate::…` path, groups included.
fn imports(code: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + "crate::".len()..];
        let mut depth = 0_usize;
        let mut piece = String::new();
        let mut takes = true;
        let grouped = rest.starts_with('{');
        for letter in rest.chars() {
            match letter {
                '{' => {
                    depth += 1;
                    takes = depth == 1 && grouped;
                }
                '}' => {
                    depth = depth.saturating_sub(1);
                    if depth == 0 {
                        break;
                    }
                }
                ',' if depth == 1 => {
                    found.insert(std::mem::take(&mut piece));
                    takes = true;
                }
                ':' => takes = false,
                letter if takes && (letter.is_alphanumeric() || letter == '_') => piece.push(letter),
                letter if letter.is_whitespace() => {}
                _ if !grouped => break,
                _ => {}
            }
            if !grouped && !takes {
                break;
            }
        }
        found.insert(piece);
    }
    found.remove("");
    found
}

/// Files that hold `word`, outside the places where it belongs.
fn strays(word: &str, places: &[&str]) -> Vec<String> {
    let belongs =
        |name: &str| places.iter().any(|place| name == *place || place.ends_with('/') && name.starts_with(place));
    sources().into_iter().filter(|(name, code)| code.contains(word) && !belongs(name)).map(|(name, _)| name).collect()
}

fn top(name: &str) -> &str {
    name.split(['/', '.']).next().unwrap()
}

#[test]
fn imports_are_read_as_the_compiler_reads_them() {
    let code = "use crate::{\n    app::App,\n    domain::{ids::Id, secret},\n    zoho::Zoho,\n};\ncrate::fail_point!(1); crate::login::begin(x)";
    let expected: BTreeSet<String> = ["app", "domain", "fail_point", "login", "zoho"].map(str::to_owned).into();
    assert_eq!(imports(code), expected);
}

#[test]
fn imports_point_one_way() {
    let use_cases = ["login", "onboarding", "vault", "proxy", "console", "operator", "webhooks"];
    let mut wrong = Vec::new();
    for (name, code) in sources() {
        let forbidden: Vec<&str> = match top(&name) {
            "domain" => [&use_cases[..], &["app", "http", "store", "zoho", "config", "worker", "command"]].concat(),
            "zoho" => [&use_cases[..], &["app", "http", "store", "worker", "command"]].concat(),
            "store" => [&use_cases[..], &["http", "zoho", "worker", "command"]].concat(),
            top if use_cases.contains(&top) => vec!["http", "worker", "command"],
            "http" => vec!["worker", "command"],
            _ => vec![],
        };
        for module in imports(&code) {
            if top(&name) == "emulator" && module != "emulator" {
                wrong.push(format!("{name} imports {module}"));
            }
            // The digest type is a value, and lives where digests are made.
            let is_digest = top(&name) == "store"
                && module == "vault"
                && !code.replace("vault::seal::Digest", "").contains("vault::");
            if forbidden.contains(&module.as_str()) && !is_digest {
                wrong.push(format!("{name} imports {module}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_emulator_is_named_by_its_binary_the_demo_and_the_tests_only() {
    let strays = strays("emulator::", &["emulator/", "bin/zoho-emulator.rs", "command/demo.rs", "lib.rs"]);
    assert!(strays.is_empty(), "{strays:#?}");
}

#[test]
fn sqlx_stays_in_the_store() {
    let places = [
        "store/",
        "app.rs",
        "telemetry.rs",
        "readiness.rs",
        "command/doctor/",
        "command/doctor.rs",
        "private_postgres/",
        "private_postgres.rs",
    ];
    // Derives of domain types, and the transaction that a use case hands from query to query.
    let derives = sources().into_iter().filter(|(name, code)| {
        let rest = code
            .replace("sqlx::Type", "")
            .replace("#[sqlx(", "")
            .replace("sqlx::PgConnection", "")
            .replace("sqlx::PgExecutor", "")
            .replace("sqlx::Error", "");
        rest.contains("sqlx") && strays("sqlx", &places).contains(name)
    });
    let names: Vec<_> = derives.map(|(name, _)| name).collect();
    assert!(names.is_empty(), "{names:#?}");
    let queries = strays("sqlx::query", &["store/", "command/doctor/", "command/doctor.rs"]);
    assert!(queries.is_empty(), "{queries:#?}");
}

#[test]
fn reqwest_stays_in_zoho_and_in_the_sender_of_webhooks() {
    let strays = strays("reqwest", &["zoho/", "webhooks/send.rs", "command/doctor/", "command/doctor.rs"]);
    assert!(strays.is_empty(), "{strays:#?}");
}

#[test]
fn actix_stays_at_the_edge() {
    let strays = strays("actix_web", &["http/", "app.rs", "telemetry/", "telemetry.rs", "emulator/"]);
    assert!(strays.is_empty(), "{strays:#?}");
}

#[test]
fn one_place_names_the_actor_to_postgres() {
    let strays = strays("set_config", &["store/tx.rs", "store/fitness.rs", "command/doctor/"]);
    assert!(strays.is_empty(), "{strays:#?}");
}

#[test]
fn sql_takes_its_time_as_a_parameter() {
    for word in ["now()", "current_timestamp", "clock_timestamp", "localtimestamp"] {
        let strays: Vec<_> = strays(word, &["store/installation.rs", "store/tx.rs"])
            .into_iter()
            .filter(|name| name.starts_with("store/"))
            .collect();
        assert!(strays.iter().all(|name| !has_sql_word(name, word)), "{word}: {strays:#?}");
    }
}

/// Whether the word is SQL and not a method of ours.
fn has_sql_word(name: &str, word: &str) -> bool {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(name);
    code_of(&fs::read_to_string(path).unwrap())
        .lines()
        .any(|line| line.contains(word) && !line.contains("shared_now()"))
}

#[test]
fn templates_mark_nothing_as_safe_and_have_nothing_inline() {
    fn walk(directory: &Path, check: &mut impl FnMut(&Path, &str)) {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, check);
            } else {
                check(&path, &fs::read_to_string(&path).unwrap());
            }
        }
    }
    let mut wrong = Vec::new();
    walk(&Path::new(env!("CARGO_MANIFEST_DIR")).join("templates"), &mut |path, text| {
        for word in ["|safe", "| safe", " style=\"", "<style", "javascript:", " onclick=", " onsubmit=", " onchange="] {
            if text.contains(word) {
                wrong.push(format!("{}: {word}", path.display()));
            }
        }
    });
    assert!(wrong.is_empty(), "{wrong:#?}");
}
