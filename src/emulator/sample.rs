//! The sample world: people in every data centre, ordinary ones and those on whom programs stumble.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest as _, Sha256};

use super::data_centre::DataCentre;
use super::scopes::product_title;
use super::world::{Client, Environment, Organization, Person, Place};

/// A client as it is registered in the API console.
#[derive(Debug, Clone, Default)]
pub struct ClientOptions {
    pub client_id: String,
    /// Compared exactly.
    pub redirect_uris: Vec<String>,
    /// By data centre; the key `""` is the secret of every data centre that has none of its own.
    pub secrets: BTreeMap<String, String>,
    /// Where it is switched on, by key; the others answer `ERROR_invalid_client`.
    pub data_centres: BTreeSet<String>,
}

/// The client of the emulator's demonstration: on everywhere, with another secret in each data centre, so that a secret sent
/// to the wrong one is noticed.
#[must_use]
pub fn sample_client() -> ClientOptions {
    let secret = |data_centre: DataCentre| {
        let digest = Sha256::digest(format!("zoho-emulator sample secret of {data_centre}"));
        let digits = digest
            .iter()
            .flat_map(|byte| [byte >> 4, byte & 15])
            .filter_map(|digit| char::from_digit(digit.into(), 16));
        (data_centre.key().to_owned(), digits.take(42).collect())
    };
    ClientOptions {
        client_id: "1000.EMULATEDZOHOSAMPLECLIENT000001".to_owned(),
        redirect_uris: Vec::new(),
        secrets: DataCentre::ALL.into_iter().map(secret).collect(),
        data_centres: DataCentre::ALL.into_iter().map(|data_centre| data_centre.key().to_owned()).collect(),
    }
}

impl From<&ClientOptions> for Client {
    fn from(options: &ClientOptions) -> Self {
        Self {
            id: options.client_id.clone(),
            redirect_uris: options.redirect_uris.clone(),
            secrets: options.secrets.clone(),
            data_centres: options.data_centres.iter().filter_map(|key| DataCentre::from_key(key)).collect(),
        }
    }
}

/// A person to sign in as.
#[derive(Debug, Clone)]
pub struct SamplePerson {
    pub email: String,
    pub data_centre: String,
    pub zuid: String,
    pub display_name: String,
    /// Each organization in words: name, id, products.
    pub organizations: Vec<String>,
}

impl From<&Person> for SamplePerson {
    fn from(person: &Person) -> Self {
        let in_words = |organization: &Organization| {
            let products: Vec<&str> = organization.products.keys().map(|product| product_title(product)).collect();
            let environment = match organization.environment {
                Environment::Production => String::new(),
                other => format!(", {}", other.key()),
            };
            format!("{} ({}{environment}: {})", organization.name, organization.id, products.join(", "))
        };
        Self {
            email: person.email.clone(),
            data_centre: person.data_centre.key().to_owned(),
            zuid: person.zuid.clone(),
            display_name: person.display_name.clone(),
            organizations: person.organizations.iter().map(in_words).collect(),
        }
    }
}

const ALL: [&str; 7] = ["assist", "salesiq", "connect", "zia_agents", "crm", "desk", "books"];

fn organization(id: &str, name: &str, products: &[&str]) -> Organization {
    let places = products.iter().map(|product| ((*product).to_owned(), vec![place(id, name, product)]));
    Organization {
        id: id.to_owned(),
        name: name.to_owned(),
        environment: Environment::Production,
        products: places.collect(),
    }
}

/// Products have ids of their own for one organization: Assist a number, `SalesIQ` a screen name, Connect a long scope id.
fn place(id: &str, name: &str, product: &str) -> Place {
    let id = match product {
        "salesiq" => format!("portal{id}"),
        "connect" if id.len() < 19 => format!("929{id:0>9}015001"),
        "crm" if id.len() < 19 => format!("41507{id:0>9}00225013"),
        _ => id.to_owned(),
    };
    Place { id, name: name.to_owned() }
}

fn person(
    data_centre: DataCentre,
    zuid: &str,
    email: &str,
    name: (&str, &str),
    organizations: Vec<Organization>,
) -> Person {
    let (first_name, last_name) = (name.0.to_owned(), name.1.to_owned());
    let display_name = format!("{first_name} {last_name}").trim().to_owned();
    Person {
        data_centre,
        zuid: zuid.to_owned(),
        email: email.to_owned(),
        first_name,
        last_name,
        display_name,
        organizations,
    }
}

fn in_environment(mut organization: Organization, environment: Environment) -> Organization {
    organization.environment = environment;
    organization
}

pub(super) fn people() -> Vec<Person> {
    use DataCentre::{Ae, Au, Ca, Cn, Eu, In, Jp, Sa, Sg, Uk, Us};
    let three = ["assist", "salesiq", "connect"];
    vec![
        person(
            Us,
            "780000001",
            "sam@example.com",
            ("Sam", "Rivera"),
            vec![organization("60000001", "Rivera Supplies", &ALL)],
        ),
        person(Us, "780000002", "pat@example.com", ("Pat", "Doe"), vec![]),
        person(
            Eu,
            "795000000",
            "ann@example.com",
            ("Ann", ""),
            vec![
                organization("77000000", "Zylker", &three),
                organization("77000001", "Zylker Labs", &three),
                organization("77000002", "Zillum", &three),
            ],
        ),
        person(Eu, "795000001", "bea@example.com", ("Bea", "Novak"), vec![several_portals()]),
        person(
            Eu,
            "795000002",
            "sam@example.com",
            ("Sam", "Lindqvist"),
            vec![organization("77000020", "Lindqvist AB", &ALL)],
        ),
        person(Eu, "795000003", "odd@example.com", ("<b>Odd</b>", "\u{202e}\"O'Name\" 🦊"), odd_organizations()),
        person(
            In,
            "600000001",
            "isha@example.com",
            ("Isha", "Patel"),
            vec![
                organization("50000001", "Patel Exports", &ALL),
                in_environment(organization("50000002", "Patel Exports", &["crm"]), Environment::Sandbox),
                in_environment(organization("50000003", "Patel Exports", &["crm"]), Environment::Developer),
            ],
        ),
        person(
            Ca,
            "110000001",
            "chloe@example.com",
            ("Chloé", "Tremblay"),
            vec![organization("11000001", "Érablière Tremblay", &ALL)],
        ),
        person(
            Au,
            "700000001",
            "olivia@example.com",
            ("Olivia", "Murray"),
            vec![organization("70000001", "Murray Wool", &ALL)],
        ),
        person(
            Jp,
            "9223372036854775807",
            "yuki@example.com",
            ("雪", "田中"),
            vec![organization("9007199254740993017", "田中商店", &ALL)],
        ),
        person(
            Uk,
            "440000001",
            "oliver@example.com",
            ("Oliver", "Smith"),
            vec![organization("44000001", "Smith & Daughters", &ALL)],
        ),
        person(
            Sa,
            "966000001",
            "sara@example.com",
            ("سارة", "العتيبي"),
            vec![organization("96600001", "شركة سارة", &ALL)],
        ),
        person(Cn, "860000001", "li@example.com", ("丽", "李"), vec![organization("86000001", "李记", &ALL)]),
        person(
            Ae,
            "971000001",
            "amir@example.com",
            ("Amir", "Haddad"),
            vec![organization("97100001", "Haddad Trading", &ALL)],
        ),
        person(
            Sg,
            "650000001",
            "wei@example.com",
            ("Wei", "Tan"),
            vec![organization("65000001", "Tan Logistics", &ALL)],
        ),
    ]
}

/// One organization, so nothing is asked on the consent page; but three portals and three networks within it.
fn several_portals() -> Organization {
    let mut organization = organization("77000010", "Novak Group", &ALL);
    let salesiq =
        ["novak", "novakshop", "novaklabs"].map(|id| Place { id: id.to_owned(), name: format!("Portal {id}") });
    let connect = ["929000000015101", "929000000015102", "929000000015103"]
        .map(|id| Place { id: id.to_owned(), name: format!("Network {}", &id[12..]) });
    organization.products.insert("salesiq".to_owned(), salesiq.to_vec());
    organization.products.insert("connect".to_owned(), connect.to_vec());
    organization
}

fn odd_organizations() -> Vec<Organization> {
    vec![
        organization("77000030", "<script>alert('Zoho')</script>", &ALL),
        organization("77000031", "\u{202e}gro.live\u{2066} ‏ شركة", &ALL),
        organization("77000032", "=cmd|' /C calc'!A0", &ALL),
        organization("77000033", &"Ab🏳️‍🌈é".chars().cycle().take(300).collect::<String>(), &ALL),
        organization("77000034", "Zylker", &ALL),
    ]
}
