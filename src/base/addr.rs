//! Addresses: one end of a connection, and the network namespace it lives in.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// Where a tuple is unique: a network namespace live, one value ([`Scope::FILE`]) in captures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Scope(pub u32);

impl Scope {
    /// The one scope of a capture file.
    pub const FILE: Self = Self(0);
}

/// An address and a port: one end of a connection. IPv4-mapped IPv6 addresses are held as IPv4, since
/// the wire and the socket table write the same end differently (RFC 4291 §2.5.5.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Endpoint {
    ip: IpAddr,
    port: u16,
}

impl Endpoint {
    /// An end at `ip`:`port`; an IPv4-mapped `ip` becomes IPv4.
    pub fn new(ip: impl Into<IpAddr>, port: u16) -> Self {
        Self { ip: ip.into().to_canonical(), port }
    }

    /// The address.
    pub const fn ip(self) -> IpAddr {
        self.ip
    }

    /// The port.
    pub const fn port(self) -> u16 {
        self.port
    }

    /// Whether the address is the wildcard (0.0.0.0 or ::), as a listener's or an unconnected peer's.
    pub const fn is_wildcard(self) -> bool {
        self.ip.is_unspecified()
    }
}

impl Default for Endpoint {
    fn default() -> Self {
        Self { ip: IpAddr::V4(Ipv4Addr::UNSPECIFIED), port: 0 }
    }
}

/// `192.0.2.1:80` or `[2001:db8::1]:80`, as `ss` prints.
impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        SocketAddr::new(self.ip, self.port).fmt(f)
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
    fn ipv6_is_bracketed() {
        let end = Endpoint::new("2001:db8::1".parse::<IpAddr>().unwrap(), 443);
        assert_eq!(end.to_string(), "[2001:db8::1]:443");
        assert!(!end.is_wildcard() && Endpoint::default().is_wildcard());
    }
}
