//! Messages made for tests, and the segments that carry them.

use crate::base::{Endpoint, Seq, Timestamp};
use crate::wire::{Flags, Segment};

/// 10.0.0.2:40000 → 10.0.0.5:8443.
pub(in crate::names) fn segment(millis: i64, seq: u32, len: usize) -> Segment {
    Segment {
        seq: Seq(seq),
        ack: Seq(1),
        window: 1000,
        payload_len: len as u32,
        frame_len: len as u32 + 54,
        ttl: 64,
        ..Segment::bare(
            Timestamp::from_nanos(millis * 1_000_000),
            Endpoint::new([10, 0, 0, 2], 40_000),
            Endpoint::new([10, 0, 0, 5], 8443),
            Flags::ACK,
        )
    }
}

fn behind<const N: usize>(bytes: &[u8]) -> Vec<u8> {
    let len = (bytes.len() as u32).to_be_bytes();
    [&len[4 - N..], bytes].concat()
}

fn extension(kind: u16, body: &[u8]) -> Vec<u8> {
    [&kind.to_be_bytes()[..], &behind::<2>(body)].concat()
}

fn alpn(protocols: &[&[u8]]) -> Vec<u8> {
    let names: Vec<u8> = protocols.iter().flat_map(|name| behind::<1>(name)).collect();
    extension(16, &behind::<2>(&names))
}

pub(in crate::names) fn record(kind: u8, body: &[u8]) -> Vec<u8> {
    [&[kind, 3, 3][..], &behind::<2>(body)].concat()
}

/// With `padding` bytes of an extension that nobody reads in front.
pub(in crate::names) fn client_hello(sni: &[u8], protocols: &[&[u8]], padding: usize) -> Vec<u8> {
    let name = behind::<2>(&[&[0][..], &behind::<2>(sni)].concat());
    let mut extensions = vec![extension(21, &vec![0; padding]), extension(0, &name)];
    if !protocols.is_empty() {
        extensions.push(alpn(protocols));
    }
    let body = [&[3, 3][..], &[7; 32], &behind::<1>(&[9; 32]), &behind::<2>(&[0x13, 1]), &[1, 0]].concat();
    let body = [body, behind::<2>(&extensions.concat())].concat();
    record(22, &[&[1][..], &behind::<3>(&body)].concat())
}

pub(in crate::names) fn server_hello(
    version: u16,
    chosen: Option<u16>,
    protocol: Option<&[u8]>,
    retry: bool,
) -> Vec<u8> {
    let mut extensions = Vec::new();
    extensions.extend(chosen.map(|chosen| extension(43, &chosen.to_be_bytes())));
    extensions.extend(protocol.map(|name| alpn(&[name])));
    let random = if retry { super::super::tls::RETRY } else { [7; 32] };
    let body = [&version.to_be_bytes()[..], &random, &behind::<1>(&[9; 32]), &[0x13, 1, 0]].concat();
    let body = [body, behind::<2>(&extensions.concat())].concat();
    record(22, &[&[2][..], &behind::<3>(&body)].concat())
}

fn question(id: u16, flags: u16, answers: u16, name: &[u8], kind: u16) -> Vec<u8> {
    let header: Vec<u8> = [id, flags, 1, answers, 0, 0].iter().flat_map(|field| field.to_be_bytes()).collect();
    let labels: Vec<u8> = name.split(|byte| *byte == b'.').flat_map(behind::<1>).collect();
    [&header[..], &labels, &[0], &kind.to_be_bytes(), &[0, 1]].concat()
}

pub(in crate::names) fn query(id: u16, name: &[u8], kind: u16) -> Vec<u8> {
    question(id, 0x0100, 0, name, kind)
}

/// An alias, then its addresses.
pub(in crate::names) fn answer(id: u16, name: &[u8], rcode: u16, addresses: &[[u8; 4]]) -> Vec<u8> {
    let alias = [&[0xc0, 12, 0, 5, 0, 1, 0, 0, 0, 9][..], &behind::<2>(&[2, b'w', b'w', 0])].concat();
    let records = addresses.iter().flat_map(|octets| [&[0xc0, 40, 0, 1, 0, 1, 0, 0, 0, 9, 0, 4][..], octets].concat());
    [question(id, 0x8180 | rcode, addresses.len() as u16 + 1, name, 1), alias, records.collect()].concat()
}
