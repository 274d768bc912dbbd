//! Who is taken for the originator when the first segment is no SYN, and which services may be silent for an hour.

use std::net::{IpAddr, Ipv4Addr};

use crate::wire::Segment;

/// The ports that Zeek's scripts register by default (`likely_server_ports`).
const LIKELY_SERVERS: [u16; 49] = [
    21, 22, 25, 53, 79, 80, 81, 88, 135, 139, 143, 389, 443, 445, 465, 502, 514, 563, 585, 587, 614, 631, 636, 989,
    990, 992, 993, 995, 1080, 1434, 1883, 2811, 3128, 3268, 3306, 3389, 5222, 5223, 5269, 5432, 6379, 6666, 6667, 6668,
    6669, 8000, 8080, 8888, 20000,
];

/// Services whose sessions may be silent for an hour: FTP, SSH, TELNET, rlogin (`inactivity.zeek`).
const LOGINS: [u16; 4] = [21, 22, 23, 513];

/// §2 "Originator": whether the first segment's *receiver* is taken for the originator.
pub(super) fn swaps(segment: &Segment) -> bool {
    let [src, dst] = [segment.src.port(), segment.dst.port()];
    if segment.flags.pure_syn() || segment.dst.ip() == IpAddr::V4(Ipv4Addr::BROADCAST) {
        return false;
    }
    match (LIKELY_SERVERS.contains(&src), LIKELY_SERVERS.contains(&dst)) {
        (true, false) => true,
        (true, true) => !segment.flags.syn() && src < dst,
        (false, _) => false,
    }
}

/// §2c: whether an established connection to this port may be silent for an hour.
pub(super) fn is_login(port: u16) -> bool {
    LOGINS.contains(&port)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::trace::{Variation, said};

    #[test]
    fn a_broadcast_address_is_never_the_originator() {
        let (mut segment, _) = said("0 < . 301 ack 101", Variation::default());
        assert!(swaps(&segment));
        segment.dst = crate::base::Endpoint::new([255, 255, 255, 255], 40_000);
        assert!(!swaps(&segment));
    }
}
