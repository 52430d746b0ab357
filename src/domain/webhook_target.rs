//! Where a webhook may go (security.md S-72): https to public addresses.
//!
//! A target is parsed as browsers parse it, so that `0x7f.1`, `2130706433` and `0177.0.0.1` are the
//! address they stand for before they are judged. What a name stands for is judged when it is resolved,
//! which is when the connection is made to exactly those addresses.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

use url::{Host, Url};

const LONGEST: usize = 2048;

/// An address that may be called, as far as it can be told without resolving its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookTarget(Url);

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoTarget {
    #[error("must be an absolute URL with at most 2048 characters")]
    Unreadable,
    #[error("must begin with https://")]
    NotHttps,
    #[error("must hold no user name, password or fragment")]
    Adorned,
    #[error("must lead to a public address")]
    NotPublic,
}

impl WebhookTarget {
    /// `to_loopback`: `WEBHOOKS_TO_LOOPBACK`, for tests.
    pub fn parse(text: &str, to_loopback: bool) -> Result<Self, NoTarget> {
        let is_plain = text.len() <= LONGEST && text.chars().all(|letter| letter.is_ascii_graphic());
        let url = Url::parse(text).ok().filter(|_| is_plain).ok_or(NoTarget::Unreadable)?;
        let host = url.host().ok_or(NoTarget::Unreadable)?;
        let is_loopback = match &host {
            Host::Domain(name) => is_local_name(name),
            Host::Ipv4(address) => address.is_loopback(),
            Host::Ipv6(address) => address.is_loopback(),
        };
        match url.scheme() {
            "https" => {}
            "http" if is_loopback && to_loopback => {}
            _ => return Err(NoTarget::NotHttps),
        }
        let is_adorned = !url.username().is_empty() || url.password().is_some() || url.fragment().is_some();
        if is_adorned {
            return Err(NoTarget::Adorned);
        }
        let may_be_called = match host {
            Host::Domain(name) => !is_local_name(name) || to_loopback,
            Host::Ipv4(address) => may_be_called(address.into(), to_loopback),
            Host::Ipv6(address) => may_be_called(address.into(), to_loopback),
        };
        if may_be_called { Ok(Self(url)) } else { Err(NoTarget::NotPublic) }
    }

    pub fn url(&self) -> &Url {
        &self.0
    }
}

impl fmt::Display for WebhookTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str())
    }
}

/// Names that never are public, whatever they resolve to.
fn is_local_name(name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name);
    name == "localhost" || name.ends_with(".localhost")
}

/// Whether a connection may be made to this address.
pub fn may_be_called(address: IpAddr, to_loopback: bool) -> bool {
    is_public(address) || (to_loopback && address.to_canonical().is_loopback())
}

fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

/// The special-purpose registry of IANA (RFC 6890 and after): network and length of its prefix.
const SPECIAL_V4: [(Ipv4Addr, u32); 19] = [
    (Ipv4Addr::UNSPECIFIED, 8),
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    // Shared by carriers (RFC 6598).
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    // Link-local, and the metadata of clouds.
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    // Protocol assignments; documentation.
    (Ipv4Addr::new(192, 0, 0, 0), 24),
    (Ipv4Addr::new(192, 0, 2, 0), 24),
    // AS112 and AMT.
    (Ipv4Addr::new(192, 31, 196, 0), 24),
    (Ipv4Addr::new(192, 52, 193, 0), 24),
    (Ipv4Addr::new(192, 175, 48, 0), 24),
    // Relays of 6to4.
    (Ipv4Addr::new(192, 88, 99, 0), 24),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    // Benchmarks; documentation.
    (Ipv4Addr::new(198, 18, 0, 0), 15),
    (Ipv4Addr::new(198, 51, 100, 0), 24),
    (Ipv4Addr::new(203, 0, 113, 0), 24),
    // Multicast; reserved, and broadcast.
    (Ipv4Addr::new(224, 0, 0, 0), 4),
    (Ipv4Addr::new(240, 0, 0, 0), 4),
    (Ipv4Addr::BROADCAST, 32),
];

fn is_public_v4(address: Ipv4Addr) -> bool {
    let is_within = |(network, length): &(Ipv4Addr, u32)| {
        let shift = u32::BITS - length;
        address.to_bits() >> shift == network.to_bits() >> shift
    };
    !SPECIAL_V4.iter().any(is_within)
}

/// Only what is routed (2000::/3), without the parts of it that are something else; what carries an IPv4
/// address inside is as public as that one.
fn is_public_v6(address: Ipv6Addr) -> bool {
    if let Some(inside) = ipv4_inside(address) {
        return is_public_v4(inside);
    }
    match address.segments() {
        // Teredo, benchmarks, ORCHID and the other protocol assignments of 2001::/23; documentation.
        [0x2001, 0..=0x01ff | 0x0db8, ..] | [0x3fff, 0..=0x0fff, ..] => false,
        [first, ..] => first & 0xe000 == 0x2000,
    }
}

/// Mapped (::ffff:0:0/96), behind NAT64's well-known prefix (RFC 6052), or behind 6to4 (RFC 3056).
fn ipv4_inside(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let ([0, 0, 0, 0, 0, 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0x2002, high, low, ..]) =
        address.segments()
    else {
        return None;
    };
    Some(Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low)))
}

#[cfg(test)]
mod tests;
