//! The ports: one control listener, and per data centre an accounts server, an API and product host, and the API hosts of
//! the two other CRM environments. Which of them a request reached is told by its local address.

use std::collections::HashMap;
use std::fmt::{self, Write as _};
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};

use socket2::{Domain, Protocol, Socket, Type};

use super::data_centre::DataCentre;
use super::world::Environment;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Listener {
    Control,
    Accounts(DataCentre),
    /// API domain of an environment; the one of production also serves the products.
    Api(DataCentre, Environment),
}

impl fmt::Display for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Control => f.write_str("control"),
            Self::Accounts(data_centre) => write!(f, "accounts:{data_centre}"),
            Self::Api(data_centre, Environment::Production) => write!(f, "api:{data_centre}"),
            Self::Api(data_centre, environment) => write!(f, "{}:{data_centre}", environment.key()),
        }
    }
}

impl Listener {
    /// All of them, each with its distance from the base port: 9100, 9101…, 9201…, 9301…, 9401….
    fn all() -> impl Iterator<Item = (u16, Self)> {
        let hosts = (1..).zip(DataCentre::ALL).flat_map(|(number, data_centre)| {
            [
                (number, Self::Accounts(data_centre)),
                (100 + number, Self::Api(data_centre, Environment::Production)),
                (200 + number, Self::Api(data_centre, Environment::Sandbox)),
                (300 + number, Self::Api(data_centre, Environment::Developer)),
            ]
        });
        [(0, Self::Control)].into_iter().chain(hosts)
    }
}

/// Where everything listens.
#[derive(Debug, Default)]
pub(super) struct Addresses {
    by_address: HashMap<SocketAddr, Listener>,
    by_listener: HashMap<Listener, SocketAddr>,
}

impl Addresses {
    /// Binds every listener: from `base` upwards, or on ports the system picks.
    pub(super) fn bind(base: Option<u16>) -> io::Result<(Self, Vec<TcpListener>)> {
        let mut addresses = Self::default();
        let mut sockets = Vec::new();
        for (distance, listener) in Listener::all() {
            let port = match base {
                None => 0,
                Some(base) => base.checked_add(distance).ok_or_else(|| {
                    io::Error::new(
                        io::ErrorKind::InvalidInput,
                        format!("base port {base} leaves no room for the others"),
                    )
                })?,
            };
            let socket = bind(port).map_err(|error| {
                io::Error::new(error.kind(), format!("cannot listen on 127.0.0.1:{port} ({listener}): {error}"))
            })?;
            let address = socket.local_addr()?;
            addresses.by_address.insert(address, listener);
            addresses.by_listener.insert(listener, address);
            sockets.push(socket);
        }
        Ok((addresses, sockets))
    }

    pub(super) fn listener(&self, address: SocketAddr) -> Option<Listener> {
        self.by_address.get(&address).copied()
    }

    pub(super) fn url(&self, listener: Listener) -> String {
        self.by_listener.get(&listener).map(|address| format!("http://{address}")).unwrap_or_default()
    }

    pub(super) fn accounts(&self, data_centre: DataCentre) -> String {
        self.url(Listener::Accounts(data_centre))
    }

    pub(super) fn api(&self, data_centre: DataCentre) -> String {
        self.url(Listener::Api(data_centre, Environment::Production))
    }

    /// The hosts as a TOML table per data centre, in the form the setting `ZOHO_SERVERS` takes.
    pub(super) fn servers_toml(&self) -> String {
        let mut toml = String::from("# Zoho's hosts, emulated on this machine.\n");
        for data_centre in DataCentre::ALL {
            let api = self.api(data_centre);
            let sandbox = self.url(Listener::Api(data_centre, Environment::Sandbox));
            let developer = self.url(Listener::Api(data_centre, Environment::Developer));
            let accounts = self.accounts(data_centre);
            let _ = write!(
                toml,
                "\n[{data_centre}]\naccounts      = \"{accounts}\"\napi           = \"{api}\"\napi_sandbox   = \"{sandbox}\"\n\
                 api_developer = \"{developer}\"\n"
            );
            for product in ["assist", "salesiq", "connect", "zia_agents", "desk", "crm", "books"] {
                let _ = writeln!(toml, "{product:<13} = \"{api}\"");
            }
        }
        toml
    }
}

/// A deep backlog, because hundreds of connections at once are part of what is tested here.
fn bind(port: u16) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    socket.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, port)).into())?;
    socket.listen(1024)?;
    Ok(socket.into())
}
