//! Frames → inputs: a segment, and behind it what it says.

use crate::base::{Scope, Timestamp};
use crate::engine::Input;
use crate::journal::Intake;
use crate::wire::{Frame, LinkType};

#[test]
fn a_frame_becomes_its_segment_and_then_what_it_says() {
    let packet = |udp: bool, payload: &[u8]| {
        let ip = etherparse::PacketBuilder::ipv4([192, 0, 2, 1], [192, 0, 2, 2], 61);
        let mut bytes = Vec::new();
        if udp {
            ip.udp(4000, 53).write(&mut bytes, payload).expect("a datagram");
        } else {
            ip.tcp(4000, 80, 7, 512).ack(9).write(&mut bytes, payload).expect("a segment");
        }
        bytes
    };
    let query = b"\0\x07\x01\0\0\x01\0\0\0\0\0\0\x07example\x03org\0\0\x01\0\x01";
    let ts = Timestamp::from_nanos(5);
    let mut intake = Intake::default();
    let mut inputs = Vec::new();
    for bytes in
        [packet(false, b"GET / HTTP/1.1\r\nHost: example.org\r\n\r\n"), packet(true, query), packet(false, b"x")]
    {
        let len = bytes.len() as u32;
        intake.take(&Frame { ts, scope: Scope::FILE, iface: 0, link: LinkType(101), bytes: &bytes, len }, &mut inputs);
    }
    let [Input::Segment(first), Input::Name(name), Input::Dns(dns), Input::Segment(_)] = inputs.as_slice() else {
        panic!("{inputs:?}")
    };
    assert_eq!((name.ts, name.src, name.end), (first.ts, first.src, first.end()));
    assert_eq!((dns.name.as_str(), dns.server.port()), ("example.org", 53));
    assert_eq!((intake.counts().segments, intake.counts().not_tcp), (2, 1));
}
