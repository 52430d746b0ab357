//! `TRUSTED_PROXIES`: networks whose word about the client is taken (security.md D-13).

use std::{
    fmt,
    net::{IpAddr, Ipv6Addr},
    str::FromStr,
};

/// Addresses that share their leading bits. IPv4 is held as its IPv4-mapped form, so that
/// `::ffff:10.0.0.1`, as a dual-stack socket reports it, is in `10.0.0.0/8`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Network {
    address: Ipv6Addr,
    prefix: u32,
}

const MAPPED_BITS: u32 = 96;

impl Network {
    pub fn contains(&self, address: IpAddr) -> bool {
        mapped(address).to_bits() & self.mask() == self.address.to_bits()
    }

    fn mask(&self) -> u128 {
        u128::MAX.checked_shl(128 - self.prefix).unwrap_or(0)
    }
}

fn mapped(address: IpAddr) -> Ipv6Addr {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped(),
        IpAddr::V6(address) => address,
    }
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadNetwork {
    #[error("`{0}` is no network: write an address, or one with a prefix length, like 10.0.0.0/8 or fd00::/8")]
    Malformed(String),
    #[error("`{0}` has bits beyond its prefix: write `{1}` for the network, or the address alone")]
    HostBits(String, Network),
    #[error("`{0}` is everybody: name the networks of your proxies")]
    Everybody(String),
}

impl FromStr for Network {
    type Err = BadNetwork;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let malformed = || BadNetwork::Malformed(text.to_owned());
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| malformed())?;
        let (longest, offset) = if address.is_ipv4() { (32, MAPPED_BITS) } else { (128, 0) };
        let prefix = match prefix {
            None => longest,
            Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                digits.parse().ok().filter(|prefix| *prefix <= longest).ok_or_else(malformed)?
            }
            Some(_) => return Err(malformed()),
        };
        if prefix == 0 {
            return Err(BadNetwork::Everybody(text.to_owned()));
        }
        let given = Self { address: mapped(address), prefix: prefix + offset };
        let network = Self { address: Ipv6Addr::from_bits(given.address.to_bits() & given.mask()), ..given };
        if network == given { Ok(network) } else { Err(BadNetwork::HostBits(text.to_owned(), network)) }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.address.to_ipv4_mapped() {
            Some(address) if self.prefix >= MAPPED_BITS => write!(f, "{address}/{}", self.prefix - MAPPED_BITS),
            _ => write!(f, "{}/{}", self.address, self.prefix),
        }
    }
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn d13_a_network_contains_its_addresses_and_no_others() {
        for (network, inside, outside) in [
            ("10.0.0.0/8", "10.255.0.1", "11.0.0.1"),
            ("10.0.0.0/8", "::ffff:10.0.0.1", "::10.0.0.1"),
            ("127.0.0.1", "127.0.0.1", "127.0.0.2"),
            ("192.168.4.0/22", "192.168.7.255", "192.168.8.0"),
            ("fd00::/8", "fd12::1", "fe80::1"),
            ("::1", "::1", "127.0.0.1"),
        ] {
            let parsed: Network = network.parse().unwrap();
            assert!(parsed.contains(inside.parse().unwrap()), "{network} {inside}");
            assert!(!parsed.contains(outside.parse().unwrap()), "{network} {outside}");
        }
    }

    #[test]
    fn d13_what_is_no_network_or_everybody_is_refused() {
        for bad in
            ["", "10.0.0.0/33", "10.0.0/8", "::/129", "10.0.0.0/", "10.0.0.0/+8", "proxy.example", "10.0.0.0/8/8"]
        {
            assert_eq!(bad.parse::<Network>(), Err(BadNetwork::Malformed(bad.to_owned())), "{bad}");
        }
        for everybody in ["0.0.0.0/0", "::/0"] {
            assert_eq!(everybody.parse::<Network>(), Err(BadNetwork::Everybody(everybody.to_owned())));
        }
        let said = "10.0.0.1/8".parse::<Network>().unwrap_err().to_string();
        assert!(said.contains("write `10.0.0.0/8`"), "{said}");
    }
}
