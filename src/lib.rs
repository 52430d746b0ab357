//! Login with Zoho: the library behind the programs. ARCHITECTURE.md is the map.

mod app;
pub mod clock;
mod command;
mod config;
mod console;
mod domain;
pub mod emulator;
mod failpoint;
mod http;
mod limits;
mod login;
mod onboarding;
mod operator;
pub mod private_postgres;
mod proxy;
mod readiness;
mod store;
mod telemetry;
mod vault;
mod webhooks;
mod worker;
mod zoho;

pub use app::{Application, StartError, migrate};
pub use clock::Clock;
pub use command::run;
pub use config::Config;
pub use telemetry::start as start_logging;

/// What a program that embeds or tests this one needs in order to build a [`Config`].
pub mod settings {
    pub use crate::config::{
        BadEncryptionKeys, BadNetwork, BadOrigin, ConfigError, ConfigErrors, EncryptionKeys, LogFormat, Network,
        PublicUrl, UnknownLogFormat, ZohoClient,
    };
    pub use crate::domain::{
        data_centre::DataCentre, person::PersonKey, product::Product, scope::ScopeSet, secret::ClientSecret,
        servers::Servers,
    };
}
