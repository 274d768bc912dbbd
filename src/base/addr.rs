//! Addresses: one end of a connection, and the network namespace it lives in.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

/// Where a tuple is unique: a network namespace live, one value ([`Scope::FILE`]) in captures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Scope(pub u32);

impl Scope {
    /// The one scope of a capture file.
    pub const FILE: Self = Self(0);
}

/// An address and a port: one end of a connection. IPv4-mapped IPv6 addresses are held as IPv4, since
/// the wire and the socket table write the same end differently (RFC 4291 §2.5.5.2).
#[derive(Clone, Copy, Eq)]
pub struct Endpoint {
    /// IPv4 addresses mapped into IPv6, so that ends are compared without asking for the family.
    ip: [u8; 16],
    port: u16,
}

/// What an IPv4 address mapped into IPv6 begins with.
const MAPPED: [u8; 12] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff];

impl Endpoint {
    /// Any address of IPv4, and no port.
    pub const WILDCARD: Self = Self::v4([0; 4], 0);

    /// An end at `ip`:`port`; an IPv4-mapped `ip` becomes IPv4.
    #[inline]
    pub fn new(ip: impl Into<IpAddr>, port: u16) -> Self {
        match ip.into() {
            IpAddr::V4(ip) => Self::v4(ip.octets(), port),
            IpAddr::V6(ip) => Self { ip: ip.octets(), port },
        }
    }

    #[inline]
    const fn v4(ip: [u8; 4], port: u16) -> Self {
        let mapped = 0xffff << 32 | u32::from_be_bytes(ip) as u128;
        Self { ip: mapped.to_be_bytes(), port }
    }

    /// The address.
    #[inline]
    pub const fn ip(self) -> IpAddr {
        Ipv6Addr::from_bits(self.bits()).to_canonical()
    }

    /// The port.
    #[inline]
    pub const fn port(self) -> u16 {
        self.port
    }

    /// Whether the address is the wildcard (0.0.0.0 or ::), as a listener's or an unconnected peer's.
    pub const fn is_wildcard(self) -> bool {
        self.ip().is_unspecified()
    }

    /// The address as a number; of an IPv4 address the one it is mapped to.
    const fn bits(self) -> u128 {
        u128::from_be_bytes(self.ip)
    }

    /// The address as the machine loads it: a number that is another's only if the addresses are the same.
    #[inline]
    pub const fn word(self) -> u128 {
        u128::from_ne_bytes(self.ip)
    }
}

/// IPv4 before IPv6, then by the address, then by the port.
impl Ord for Endpoint {
    fn cmp(&self, other: &Self) -> Ordering {
        let key = |end: &Self| (!end.ip.starts_with(&MAPPED), end.bits(), end.port);
        key(self).cmp(&key(other))
    }
}

impl PartialOrd for Endpoint {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The address in one comparison, and no branch.
impl PartialEq for Endpoint {
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        (self.word() == other.word()) & (self.port == other.port)
    }
}

/// As a number, whose lowest bits are those in which addresses differ: a hasher that multiplies carries bits upwards.
impl Hash for Endpoint {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        (self.bits(), self.port).hash(hasher);
    }
}

impl Default for Endpoint {
    fn default() -> Self {
        Self::v4([0; 4], 0)
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// `192.0.2.1:80` or `[2001:db8::1]:80`, as `ss` prints.
impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        SocketAddr::new(self.ip(), self.port).fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mapped_addresses_become_ipv4() {
        let mapped: IpAddr = "::ffff:192.0.2.1".parse().unwrap();
        assert_eq!(Endpoint::new(mapped, 80), Endpoint::new([192, 0, 2, 1], 80));
        assert_eq!(Endpoint::new(mapped, 80).to_string(), "192.0.2.1:80");
    }

    #[test]
    fn ipv4_comes_before_ipv6_and_the_address_before_the_port() {
        let v6 = |ip: &str, port| Endpoint::new(ip.parse::<IpAddr>().unwrap(), port);
        let ordered = [
            Endpoint::new([0, 0, 0, 0], 9),
            Endpoint::new([10, 0, 0, 2], 7),
            Endpoint::new([10, 0, 0, 2], 8),
            Endpoint::new([255, 0, 0, 1], 1),
            v6("::", 80),
            v6("::1", 1),
            v6("2001:db8::1", 1),
        ];
        assert!(ordered.is_sorted_by(|a, b| a < b), "{ordered:?}");
    }

    #[test]
    fn ipv6_is_bracketed() {
        let end = Endpoint::new("2001:db8::1".parse::<IpAddr>().unwrap(), 443);
        assert_eq!(end.to_string(), "[2001:db8::1]:443");
        assert!(!end.is_wildcard() && Endpoint::default().is_wildcard());
    }
}
