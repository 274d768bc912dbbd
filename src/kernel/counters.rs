//! /proc/net/netstat, snmp, sockstat and sockstat6 → [`Counters`] by their own names.
//!
//! May touch nothing. Read first: proc(5), net/ipv4/proc.c, Documentation/networking/snmp_counter.rst.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::sample::Counters;

/// The sections that speak of TCP; the others of those files (ICMP, UDP) are left out.
const SECTIONS: [&str; 6] = ["Tcp", "TcpExt", "MPTcpExt", "TCP", "TCP6", "sockets"];

/// The texts of the four files; empty where one could not be read, whose counters are then absent.
#[derive(Debug, Clone, Copy, Default)]
pub struct CounterTexts<'a> {
    pub netstat: &'a str,
    pub snmp: &'a str,
    pub sockstat: &'a str,
    pub sockstat6: &'a str,
}

/// Reads all four: `TcpExt.ListenOverflows`, `Tcp.ActiveOpens`, `TCP.tw`, `TCP6.inuse`, `sockets.used`.
pub fn parse(texts: CounterTexts<'_>) -> Counters {
    let mut counters = BTreeMap::new();
    for text in [texts.netstat, texts.snmp] {
        headed_pairs(text, &mut counters);
    }
    for text in [texts.sockstat, texts.sockstat6] {
        inline_pairs(text, &mut counters);
    }
    Counters(Arc::new(counters))
}

/// `Tcp: NameA NameB` above `Tcp: 1 2`: a line of names, then a line of values of the same section.
fn headed_pairs(text: &str, counters: &mut BTreeMap<String, i64>) {
    let mut names: Option<(&str, &str)> = None;
    for line in text.lines() {
        let Some((section, words)) = line.split_once(':') else { continue };
        match names.take() {
            Some((heading, list)) if heading == section => {
                insert(section, list.split_ascii_whitespace().zip(words.split_ascii_whitespace()), counters);
            }
            _ => names = Some((section, words)),
        }
    }
}

/// `TCP: inuse 1 orphan 0`: names and values by turns.
fn inline_pairs(text: &str, counters: &mut BTreeMap<String, i64>) {
    for line in text.lines() {
        let Some((section, words)) = line.split_once(':') else { continue };
        let words: Vec<&str> = words.split_ascii_whitespace().collect();
        insert(section, words.as_chunks::<2>().0.iter().map(|pair| (pair[0], pair[1])), counters);
    }
}

fn insert<'a>(section: &str, pairs: impl Iterator<Item = (&'a str, &'a str)>, counters: &mut BTreeMap<String, i64>) {
    if !SECTIONS.contains(&section) {
        return;
    }
    // A value that is no number (or passes i64) is left out: absent, not 0.
    let numbers = pairs.filter_map(|(name, value)| Some((format!("{section}.{name}"), value.parse().ok()?)));
    counters.extend(numbers);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn each_file_gives_its_names() {
        let counters = parse(CounterTexts {
            netstat: "TcpExt: SyncookiesSent ListenOverflows\nTcpExt: 4 17\nIpExt: InOctets\nIpExt: 9\n",
            snmp: "Ip: Forwarding\nIp: 1\nTcp: RtoMin MaxConn ActiveOpens\nTcp: 200 -1 50\n",
            sockstat: "sockets: used 19\nTCP: inuse 1 orphan 0 tw 3 alloc 1 mem 449\nUDP: inuse 0 mem 0\n",
            sockstat6: "TCP6: inuse 2\n",
        });
        let expected = [
            ("TcpExt.ListenOverflows", Some(17)),
            ("TcpExt.SyncookiesSent", Some(4)),
            ("Tcp.ActiveOpens", Some(50)),
            ("Tcp.MaxConn", Some(-1)),
            ("TCP.tw", Some(3)),
            ("TCP.mem", Some(449)),
            ("TCP6.inuse", Some(2)),
            ("sockets.used", Some(19)),
            ("IpExt.InOctets", None),
            ("UDP.inuse", None),
            ("TcpExt.Missing", None),
        ];
        for (name, value) in expected {
            assert_eq!(counters.get(name), value, "{name}");
        }
    }

    #[test]
    fn what_does_not_fit_is_absent() {
        let counters = parse(CounterTexts {
            netstat: "TcpExt: A B C\nTcpExt: 1 x\n",
            snmp: "Tcp: Lost\nTcp: Kept\nTcp: 5\nTcp: Cut",
            sockstat: "TCP: inuse 1 orphan",
            sockstat6: "",
        });
        assert_eq!(
            (counters.get("TcpExt.A"), counters.get("TcpExt.B"), counters.get("TcpExt.C")),
            (Some(1), None, None)
        );
        assert_eq!((counters.get("TCP.inuse"), counters.get("TCP.orphan")), (Some(1), None));
        assert_eq!(counters.get("Tcp.Cut"), None);
    }

    #[test]
    fn a_heading_of_another_section_is_not_paired() {
        let counters = parse(CounterTexts { snmp: "Ip: A\nTcp: B\nTcp: 5\n", ..CounterTexts::default() });
        assert_eq!(counters.0.len(), 1);
        assert_eq!(counters.get("Tcp.B"), Some(5));
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in "(Tcp|TCP|TcpExt|\\PC{0,4}|: |\\n|[0-9 -]{0,5}){0,30}") {
            parse(CounterTexts { netstat: &text, snmp: &text, sockstat: &text, sockstat6: &text });
        }
    }
}
