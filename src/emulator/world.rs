//! Who and what exists in the emulated world: people, their organizations, and the clients registered in the API console.

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use serde::{Deserialize, Serialize};

use super::data_centre::DataCentre;

/// A person is a data centre and a ZUID. The same e-mail address elsewhere is somebody else.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct PersonId {
    pub(super) data_centre: DataCentre,
    pub(super) zuid: String,
}

impl PersonId {
    /// Reads `eu:795000000`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (data_centre, zuid) = text.split_once(':')?;
        Some(Self { data_centre: DataCentre::from_key(data_centre)?, zuid: zuid.to_owned() })
    }
}

impl fmt::Display for PersonId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.data_centre, self.zuid)
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Person {
    pub(super) data_centre: DataCentre,
    pub(super) zuid: String,
    pub(super) email: String,
    #[serde(default)]
    pub(super) first_name: String,
    #[serde(default)]
    pub(super) last_name: String,
    #[serde(default)]
    pub(super) display_name: String,
    #[serde(default)]
    pub(super) organizations: Vec<Organization>,
}

impl Person {
    pub(super) fn id(&self) -> PersonId {
        PersonId { data_centre: self.data_centre, zuid: self.zuid.clone() }
    }

    pub(super) fn organization(&self, id: &str) -> Option<&Organization> {
        self.organizations.iter().find(|organization| organization.id == id)
    }
}

/// What the consent page lets a person choose. Within it each product has places of its own: `SalesIQ` portals, Connect
/// networks, one Assist account.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Organization {
    pub(super) id: String,
    pub(super) name: String,
    #[serde(default)]
    pub(super) environment: Environment,
    /// By product: `assist salesiq connect zia_agents crm desk books`. A product without a place is not offered here.
    #[serde(default)]
    pub(super) products: BTreeMap<String, Vec<Place>>,
}

impl Organization {
    pub(super) fn places(&self, product: &str) -> &[Place] {
        self.products.get(product).map_or(&[], Vec::as_slice)
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Place {
    pub(super) id: String,
    pub(super) name: String,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Environment {
    #[default]
    Production,
    Sandbox,
    Developer,
}

impl Environment {
    pub(super) fn key(self) -> &'static str {
        match self {
            Self::Production => "production",
            Self::Sandbox => "sandbox",
            Self::Developer => "developer",
        }
    }
}

/// A client as the API console knows it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Client {
    #[serde(rename = "client_id")]
    pub(super) id: String,
    #[serde(default)]
    pub(super) redirect_uris: Vec<String>,
    /// By data centre; the key `""` is the secret of every data centre without one of its own.
    #[serde(default)]
    pub(super) secrets: BTreeMap<String, String>,
    /// Where the Multi-DC switch is on.
    pub(super) data_centres: Vec<DataCentre>,
}

impl Client {
    pub(super) fn secret(&self, data_centre: DataCentre) -> Option<&str> {
        let own = self.secrets.get(data_centre.key());
        own.or_else(|| self.secrets.get("")).map(String::as_str)
    }

    pub(super) fn is_on(&self, data_centre: DataCentre) -> bool {
        self.data_centres.contains(&data_centre)
    }
}

/// Everybody, found by id at once: load tests add people by the thousand.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(from = "Vec<Person>", into = "Vec<Person>")]
pub(super) struct People {
    list: Vec<Person>,
    places: HashMap<PersonId, usize>,
}

impl From<Vec<Person>> for People {
    fn from(list: Vec<Person>) -> Self {
        let mut people = Self::default();
        for person in list {
            people.put(person);
        }
        people
    }
}

impl From<People> for Vec<Person> {
    fn from(people: People) -> Self {
        people.list
    }
}

impl People {
    pub(super) fn iter(&self) -> impl Iterator<Item = &Person> {
        self.list.iter()
    }

    pub(super) fn get(&self, id: &PersonId) -> Option<&Person> {
        self.places.get(id).and_then(|place| self.list.get(*place))
    }

    pub(super) fn get_mut(&mut self, id: &PersonId) -> Option<&mut Person> {
        self.places.get(id).and_then(|place| self.list.get_mut(*place))
    }

    /// Adds a person, or replaces the one of the same id.
    pub(super) fn put(&mut self, person: Person) {
        if let Some(known) = self.get_mut(&person.id()) {
            *known = person;
        } else {
            self.places.insert(person.id(), self.list.len());
            self.list.push(person);
        }
    }

    pub(super) fn remove(&mut self, id: &PersonId) -> bool {
        let before = self.list.len();
        self.list.retain(|person| person.id() != *id);
        *self = std::mem::take(&mut self.list).into();
        self.list.len() < before
    }
}

/// Everybody and every client.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct World {
    pub(super) people: People,
    pub(super) clients: Vec<Client>,
}

impl World {
    pub(super) fn client(&self, id: &str) -> Option<&Client> {
        self.clients.iter().find(|client| client.id == id)
    }

    /// Everyone who answers to this e-mail address, or to `eu:795000000`, at an accounts server of `here`.
    pub(super) fn named<'a>(&'a self, name: &str, here: DataCentre) -> Vec<&'a Person> {
        let reachable = |person: &&Person| here.shares_people_with(person.data_centre);
        if let Some(id) = PersonId::parse(name) {
            return self.people.get(&id).into_iter().filter(reachable).collect();
        }
        let by_mail = |person: &&Person| person.email.eq_ignore_ascii_case(name.trim());
        self.people.iter().filter(reachable).filter(by_mail).collect()
    }

    /// One person by name: of several with one e-mail address, the one who lives `here` comes first.
    pub(super) fn find(&self, name: &str, here: DataCentre) -> Option<&Person> {
        let found = self.named(name, here);
        found.iter().find(|person| person.data_centre == here).or(found.first()).copied()
    }

    pub(super) fn upsert_client(&mut self, client: Client) {
        match self.clients.iter_mut().find(|known| known.id == client.id) {
            Some(known) => *known = client,
            None => self.clients.push(client),
        }
    }
}
