//! The usual services of well-known TCP ports: what a port is mostly used for, and no claim about what is spoken on it.
//!
//! Read first: the IANA registry of service names and port numbers; names as `/etc/services` writes them.

/// Ports and names, by port.
const SERVICES: [(u16, &str); 72] = [
    (7, "echo"),
    (9, "discard"),
    (13, "daytime"),
    (19, "chargen"),
    (20, "ftp-data"),
    (21, "ftp"),
    (22, "ssh"),
    (23, "telnet"),
    (25, "smtp"),
    (37, "time"),
    (43, "whois"),
    (49, "tacacs"),
    (53, "domain"),
    (70, "gopher"),
    (79, "finger"),
    (80, "http"),
    (88, "kerberos"),
    (102, "iso-tsap"),
    (110, "pop3"),
    (111, "sunrpc"),
    (113, "auth"),
    (119, "nntp"),
    (135, "epmap"),
    (139, "netbios-ssn"),
    (143, "imap2"),
    (179, "bgp"),
    (389, "ldap"),
    (443, "https"),
    (445, "microsoft-ds"),
    (465, "submissions"),
    (502, "mbap"),
    (512, "exec"),
    (513, "login"),
    (514, "shell"),
    (515, "printer"),
    (543, "klogin"),
    (554, "rtsp"),
    (587, "submission"),
    (631, "ipp"),
    (636, "ldaps"),
    (646, "ldp"),
    (853, "domain-s"),
    (873, "rsync"),
    (989, "ftps-data"),
    (990, "ftps"),
    (993, "imaps"),
    (995, "pop3s"),
    (1080, "socks"),
    (1433, "ms-sql-s"),
    (1521, "ncube-lm"),
    (1723, "pptp"),
    (1883, "mqtt"),
    (2049, "nfs"),
    (2375, "docker"),
    (2379, "etcd-client"),
    (3128, "squid-http"),
    (3260, "iscsi-target"),
    (3268, "msft-gc"),
    (3306, "mysql"),
    (3389, "ms-wbt-server"),
    (5060, "sip"),
    (5061, "sips"),
    (5222, "xmpp-client"),
    (5269, "xmpp-server"),
    (5432, "postgresql"),
    (5672, "amqp"),
    (6379, "redis"),
    (8080, "http-alt"),
    (8883, "secure-mqtt"),
    (9092, "kafka"),
    (9418, "git"),
    (27017, "mongodb"),
];

/// The usual service of `port`, if it has one that is well known.
pub fn service(port: u16) -> Option<&'static str> {
    let at = SERVICES.binary_search_by_key(&port, |(port, _)| *port).ok()?;
    Some(SERVICES[at].1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_port_of_the_table_is_found_and_no_other() {
        assert!(SERVICES.iter().all(|(port, name)| service(*port) == Some(*name)), "the table is in order");
        assert_eq!((service(443), service(442), service(0)), (Some("https"), None, None));
    }
}
