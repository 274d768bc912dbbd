//! This host's own addresses, from /proc/net/fib_trie and /proc/net/if_inet6.
//!
//! May touch nothing. Read first: net/ipv4/fib_trie.c (fib_trie_seq_show), net/ipv6/addrconf.c (if6_seq_show).

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

/// Every local address once, sorted (IPv4 first): the `/32 host LOCAL` leaves of the local table, and if_inet6.
/// A whole prefix routed as local (127.0.0.0/8, AnyIP) is not a list of addresses and is left out.
pub fn addresses(fib_trie: &str, if_inet6: &str) -> Arc<[IpAddr]> {
    let v4 = local_leaves(fib_trie).into_iter().map(IpAddr::from);
    let v6 = if_inet6.lines().filter_map(inet6).map(IpAddr::from);
    v4.chain(v6).collect::<BTreeSet<_>>().into_iter().collect()
}

/// A leaf is a line `|-- 192.0.2.2` and, under it, a line for each route of that prefix: `/32 host LOCAL`.
/// Tables begin at a line without indent: `Main:`, `Local:`, `Id 100:`.
fn local_leaves(fib_trie: &str) -> Vec<Ipv4Addr> {
    let mut found = Vec::new();
    let (mut in_local, mut leaf) = (false, None::<Ipv4Addr>);
    for line in fib_trie.lines() {
        let words = line.trim_start();
        if words.len() == line.len() {
            in_local = words.trim_end() == "Local:";
            leaf = None;
        } else if let Some(address) = words.strip_prefix("|-- ") {
            leaf = address.trim_end().parse().ok();
        } else if words.starts_with("+-- ") {
            leaf = None;
        } else if in_local && words.trim_end() == "/32 host LOCAL" {
            found.extend(leaf);
        }
    }
    found
}

/// `fe80…0001 02 40 20 80 eth0`: the address as 32 hexadecimal digits comes first.
fn inet6(line: &str) -> Option<Ipv6Addr> {
    let digits = line.split_ascii_whitespace().next()?;
    let is_hex = digits.len() == 32 && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    is_hex.then(|| u128::from_str_radix(digits, 16).ok().map(Ipv6Addr::from))?
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TRIE: &str = "\
Main:
  +-- 0.0.0.0/0 3 0 5
     |-- 203.0.113.9
        /32 host LOCAL
Id 100:
     |-- 203.0.113.10
        /32 host LOCAL
Local:
  +-- 0.0.0.0/0 3 0 5
     |-- 0.0.0.0
        /0 universe UNICAST
     +-- 127.0.0.0/8 2 0 2
           |-- 127.0.0.0
              /8 host LOCAL
           |-- 127.0.0.1
              /32 host LOCAL
        |-- 192.0.2.0
           /24 link UNICAST
        |-- 192.0.2.2
           /32 link UNICAST
           /32 host LOCAL
        |-- 192.0.2.255
           /32 link BROADCAST
";

    #[test]
    fn the_local_tables_host_leaves_and_the_ipv6_addresses() {
        let v6 = "fe8000000000000000fc00fffe000001 04 40 20 80     eth0\n\
                  00000000000000000000000000000001 01 80 10 80       lo\n\
                  00000000000000000000000000000001 01 80 10 80       lo\n";
        let got: Vec<String> = addresses(TRIE, v6).iter().map(ToString::to_string).collect();
        assert_eq!(got, ["127.0.0.1", "192.0.2.2", "::1", "fe80::fc:ff:fe00:1"]);
    }

    #[test]
    fn near_misses_give_nothing() {
        let trie =
            "Local:\n  |-- 300.0.0.1\n   /32 host LOCAL\n  |-- 10.0.0.1\n  +-- 10.0.0.0/8 1 1 1\n   /32 host LOCAL\n";
        let v6 = "fe80 04 40 20 80 eth0\n+e8000000000000000fc00fffe00000g 04\n\n";
        assert!(addresses(trie, v6).is_empty());
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in "(Local:\n|\\|-- |[0-9.]{1,9}|/32 host LOCAL|[ \n]|\\PC){0,40}") {
            addresses(&text, &text);
        }
    }
}
