//! The sysctls that bound connections → [`Limits`]; one that cannot be read is absent.
//!
//! May touch nothing. Read first: Documentation/networking/ip-sysctl.rst, Documentation/admin-guide/sysctl/net.rst.

use std::str::FromStr;

use super::sample::Limits;

/// Reads every limit through `text`, which gives a sysctl's text by its name under /proc/sys (`net/core/somaxconn`).
pub fn read(mut text: impl FnMut(&str) -> Option<String>) -> Limits {
    let range = text("net/ipv4/ip_local_port_range");
    let reserved = text("net/ipv4/ip_local_reserved_ports");
    let somaxconn = text("net/core/somaxconn");
    let mut tcp = |name: &str| number(&text(&format!("net/ipv4/{name}"))?);
    Limits {
        port_range: range.as_deref().and_then(port_range),
        reserved_ports: reserved.as_deref().and_then(reserved_ports),
        somaxconn: somaxconn.as_deref().and_then(number),
        tcp_max_syn_backlog: tcp("tcp_max_syn_backlog"),
        tcp_max_tw_buckets: tcp("tcp_max_tw_buckets"),
        tcp_syn_retries: tcp("tcp_syn_retries"),
        tcp_syn_linear_timeouts: tcp("tcp_syn_linear_timeouts"),
        tcp_synack_retries: tcp("tcp_synack_retries"),
        tcp_retries2: tcp("tcp_retries2"),
        tcp_tw_reuse: tcp("tcp_tw_reuse"),
        tcp_tw_reuse_delay: tcp("tcp_tw_reuse_delay"),
        tcp_timestamps: tcp("tcp_timestamps"),
        tcp_fin_timeout: tcp("tcp_fin_timeout"),
        tcp_keepalive_time: tcp("tcp_keepalive_time"),
        tcp_keepalive_intvl: tcp("tcp_keepalive_intvl"),
        tcp_keepalive_probes: tcp("tcp_keepalive_probes"),
        tcp_rto_max_ms: tcp("tcp_rto_max_ms"),
    }
}

fn number<T: FromStr>(text: &str) -> Option<T> {
    text.trim().parse().ok()
}

/// `32768\t60999`.
fn port_range(text: &str) -> Option<(u16, u16)> {
    let mut words = text.split_ascii_whitespace();
    let range = (number(words.next()?)?, number(words.next()?)?);
    (words.next().is_none() && range.0 <= range.1).then_some(range)
}

/// `8080,9000-9100`, or nothing. One word that is no range makes the whole unknown: a list with holes would be a lie.
fn reserved_ports(text: &str) -> Option<Vec<(u16, u16)>> {
    let words = text.trim().split(',').filter(|word| !word.is_empty());
    words
        .map(|word| {
            let (first, last) = word.split_once('-').unwrap_or((word, word));
            let range = (number(first)?, number(last)?);
            (range.0 <= range.1).then_some(range)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_limit_is_read_by_its_own_name() {
        let limits = read(|name| {
            let text = match name {
                "net/ipv4/ip_local_port_range" => "32768\t60999\n",
                "net/ipv4/ip_local_reserved_ports" => "8080,9000-9100\n",
                "net/core/somaxconn" => "4096\n",
                "net/ipv4/tcp_max_syn_backlog" => "128\n",
                "net/ipv4/tcp_max_tw_buckets" => "8192\n",
                "net/ipv4/tcp_syn_retries" => "6\n",
                "net/ipv4/tcp_synack_retries" => "5\n",
                "net/ipv4/tcp_retries2" => "15\n",
                "net/ipv4/tcp_tw_reuse" => "2\n",
                "net/ipv4/tcp_tw_reuse_delay" => "1000\n",
                "net/ipv4/tcp_timestamps" => "1\n",
                "net/ipv4/tcp_fin_timeout" => "60\n",
                "net/ipv4/tcp_keepalive_time" => "7200\n",
                "net/ipv4/tcp_keepalive_intvl" => "75\n",
                "net/ipv4/tcp_keepalive_probes" => "9\n",
                "net/ipv4/tcp_rto_max_ms" => "1000\n",
                _ => return None,
            };
            Some(text.to_owned())
        });
        let expected = Limits {
            port_range: Some((32768, 60999)),
            reserved_ports: Some(vec![(8080, 8080), (9000, 9100)]),
            somaxconn: Some(4096),
            tcp_max_syn_backlog: Some(128),
            tcp_max_tw_buckets: Some(8192),
            tcp_syn_retries: Some(6),
            tcp_syn_linear_timeouts: None,
            tcp_synack_retries: Some(5),
            tcp_retries2: Some(15),
            tcp_tw_reuse: Some(2),
            tcp_tw_reuse_delay: Some(1000),
            tcp_timestamps: Some(1),
            tcp_fin_timeout: Some(60),
            tcp_keepalive_time: Some(7200),
            tcp_keepalive_intvl: Some(75),
            tcp_keepalive_probes: Some(9),
            tcp_rto_max_ms: Some(1000),
        };
        assert_eq!(limits, expected);
        assert_eq!(read(|_| None), Limits::default());
    }

    #[test]
    fn how_long_data_is_sent_again_is_told_by_its_retries() {
        let told = |limits: Limits| limits.gives_up_after(limits.rto_max()).map(|time| time.as_secs_f64());
        let secs = |tcp_retries2| told(Limits { tcp_retries2, ..Limits::default() });
        // ip-sysctl: "The default value of 15 yields a hypothetical timeout of 924.6 seconds".
        assert_eq!([Some(15), Some(8), Some(0), None].map(secs), [Some(924.6), Some(102.2), Some(0.2), None]);
        assert!(secs(Some(u32::MAX)).is_some());
        // 0.2, 0.4 and 0.8 s, then 1 s each.
        let secs = |tcp_rto_max_ms| told(Limits { tcp_retries2: Some(15), tcp_rto_max_ms, ..Limits::default() });
        assert_eq!([Some(1_000), Some(120_000), Some(u32::MAX)].map(secs), [Some(14.4), Some(924.6), Some(924.6)]);
    }

    #[test]
    fn near_misses_are_unknown() {
        for text in ["", "1", "2 1", "1 2 3", "1 65536", "a b"] {
            assert_eq!(port_range(text), None, "{text:?}");
        }
        for text in ["1-", "-1", "5-4", "1,x", "70000"] {
            assert_eq!(reserved_ports(text), None, "{text:?}");
        }
        assert_eq!(reserved_ports("\n"), Some(vec![]));
        assert_eq!(number::<u32>("-1\n"), None);
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in "[0-9,\\- \\n\\PC]{0,40}") {
            read(|_| Some(text.clone()));
        }
    }
}
