//! Frames: where they are cut, and what is said beside them.

use super::super::frames::Options;
use super::{ANY, ETHERNET, Given, Packer, frame_of, read, record, setup};
use crate::base::Timestamp;
use crate::engine::Input;
use crate::journal::Intake;

const TS: Timestamp = Timestamp::from_nanos(1_700_000_000_000_000_000);

/// An IPv4 datagram, which is a part of one where `part` says so.
fn ip(protocol: u8, part: u16, payload: &[u8]) -> Vec<u8> {
    let (total, part) = ((payload.len() as u16 + 20).to_be_bytes(), part.to_be_bytes());
    let header = [0x45, 0, total[0], total[1], 0, 9, part[0], part[1], 64, protocol, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2];
    [&header[..], payload].concat()
}

/// A TCP segment with so many words of options.
fn tcp(words: u8, payload: &[u8]) -> Vec<u8> {
    let header = [0x9c, 0x40, 0, 80, 0, 0, 0, 1, 0, 0, 0, 2, (5 + words) << 4, 0x18, 0xff, 0xff, 0, 0, 0, 0];
    [&header[..], &vec![1; 4 * usize::from(words)], payload].concat()
}

fn udp(port: u16, payload: &[u8]) -> Vec<u8> {
    let (port, len) = (port.to_be_bytes(), (payload.len() as u16 + 8).to_be_bytes());
    [&[0x9c, 0x40, port[0], port[1], len[0], len[1], 0, 0][..], payload].concat()
}

fn ethernet(kind: u16, datagram: &[u8]) -> Vec<u8> {
    [&[2; 12][..], &kind.to_be_bytes(), datagram].concat()
}

fn v4(datagram: &[u8]) -> Vec<u8> {
    ethernet(0x0800, datagram)
}

#[test]
fn a_frame_is_cut_behind_its_last_header() {
    let secret = [0xee; 50];
    let vxlan = |inner: &[u8]| udp(4789, &[&[8, 0, 0, 0, 0, 0, 42, 0][..], inner].concat());
    let v6 = [&[0x60, 0, 0, 0, 0, 70, 6, 64][..], &[9; 32], &tcp(0, &secret)].concat();
    let vlan = [&[0, 7, 8, 0][..], &ip(6, 0, &tcp(0, &secret))].concat();
    let error = |quoted: &[u8]| ip(1, 0, &[&[3, 1, 0, 0, 0, 0, 0, 0][..], quoted].concat());
    let cases: [(&str, Vec<u8>, usize); 15] = [
        ("TCP", v4(&ip(6, 0, &tcp(0, &secret))), 14 + 20 + 20),
        ("TCP with options", v4(&ip(6, 0, &tcp(3, &secret))), 14 + 20 + 32),
        ("an ack and the link's padding", [v4(&ip(6, 0, &tcp(0, &[]))), vec![0xee; 6]].concat(), 14 + 20 + 20),
        ("IPv6", ethernet(0x86dd, &v6), 14 + 40 + 20),
        ("a VLAN tag", ethernet(0x8100, &vlan), 14 + 4 + 20 + 20),
        ("TCP in VXLAN", v4(&ip(17, 0, &vxlan(&v4(&ip(6, 0, &tcp(0, &secret)))))), 14 + 20 + 16 + 14 + 20 + 20),
        ("a tunnel that leads nowhere", v4(&ip(17, 0, &vxlan(&ethernet(0x0806, &secret)))), 14 + 20 + 8),
        ("DNS", v4(&ip(17, 0, &udp(53, &secret))), 14 + 20 + 8),
        ("an ICMP error", v4(&error(&ip(6, 0, &tcp(1, &secret)))), 14 + 20 + 8 + 20 + 24),
        ("an ICMP error that quotes eight bytes", v4(&error(&ip(6, 0, &tcp(0, &[])[..8])[..28])), 14 + 20 + 8 + 20 + 8),
        ("a ping", v4(&ip(1, 0, &[&[8, 0, 0, 0, 0, 0, 0, 0][..], &ip(6, 0, &tcp(0, &secret))].concat())), 14 + 20 + 8),
        ("a first fragment", v4(&ip(6, 0x2000, &tcp(0, &secret[..4]))), 14 + 20 + 20),
        ("a later fragment", v4(&ip(6, 0x0003, &secret)), 14 + 20),
        ("no IP", ethernet(0x0806, &secret), 0),
        ("a protocol without ports", v4(&ip(89, 0, &secret)), 14 + 20),
    ];
    for (what, bytes, expected) in cases {
        let kept = |cut: &[u8], payload| kept(cut, bytes.len(), payload);
        assert_eq!(kept(&bytes, 0), expected, "{what}");
        assert_eq!(kept(&bytes[..expected], 0), expected, "{what}, cut before");
        assert_eq!(kept(&bytes, 3), (expected + 3).min(bytes.len()), "{what}, with payload");
        assert!(kept(&bytes[..expected.saturating_sub(1)], 0) < expected.max(1), "{what}, cut by the snap length");
    }
}

/// How many bytes a recording has of a frame of that length, captured so far.
fn kept(bytes: &[u8], len: usize, payload: u32) -> usize {
    let mut block = Vec::new();
    Packer::all(&setup(payload))[ETHERNET].pack(&frame_of(ETHERNET, TS, len as u32, bytes), None, &mut block);
    u32::from_le_bytes(block[20..24].try_into().unwrap()) as usize
}

#[test]
fn no_more_is_kept_than_there_was() {
    let bytes = v4(&ip(6, 0, &tcp(0, &[])));
    assert_eq!(kept(&bytes, 20, 0), 20);
}

/// What stands beside the last packet of a recording, by code and length.
fn beside(given: &[Given]) -> Vec<(u16, usize)> {
    let file = record(0, given);
    let (mut at, mut found) = (0, Vec::new());
    while at < file.len() {
        let number = |place: usize| u32::from_le_bytes(file[place..place + 4].try_into().unwrap()) as usize;
        let (kind, len) = (number(at), number(at + 4));
        if kind == 6 {
            let options = at + 28 + number(at + 20).next_multiple_of(4);
            found = Options(&file[options..at + len - 4]).map(|(code, value)| (code, value.len())).collect();
        }
        at += len;
    }
    found
}

/// The frames of a source as they are given to a recorder.
fn given(source: usize, frames: &[Vec<u8>]) -> Vec<Given> {
    let mut intake = Intake::default();
    let given = frames.iter().map(|bytes| {
        let (mut inputs, len) = (Vec::new(), bytes.len() as u32);
        intake.take(&frame_of(source, TS, len, bytes), &mut inputs);
        Given::Frame { source, ts: TS, len, bytes: bytes.clone(), gave: inputs.into_iter().next() }
    });
    given.collect()
}

#[test]
fn what_the_cut_takes_away_stands_beside_it() {
    const DIGEST: (u16, usize) = (5, 8);
    const DIFFERENCE: u16 = 0x8001;
    let records = [&[0x17, 3, 3, 0, 30][..], &[0xaa; 30]].concat();
    let data = |payload: &[u8]| v4(&ip(6, 0, &tcp(0, payload)));
    let [first, last] =
        [(0x2000, 0..32), (0x0004, 32..70)].map(|(part, range)| v4(&ip(6, part, &tcp(0, &[7; 50])[range])));
    type Beside = Vec<(u16, usize)>;
    let cases: [(&str, Vec<Vec<u8>>, Beside); 6] = [
        ("an ack: nothing", vec![data(&[])], vec![]),
        ("data: its digest", vec![data(&[7; 50])], vec![DIGEST]),
        ("TLS records", vec![data(&records)], vec![DIGEST, (DIFFERENCE, 3)]),
        ("a fragment: nothing", vec![first.clone()], vec![]),
        ("no TCP: nothing", vec![ethernet(0x0806, &[0; 28])], vec![]),
        ("a datagram of two fragments: the segment", vec![first, last], vec![(DIFFERENCE, 45)]),
    ];
    for (what, frames, expected) in cases {
        let given = given(ETHERNET, &frames);
        assert_eq!(beside(&given), expected, "{what}");
        let gave: Vec<Input> = super::inputs_of(&given);
        assert_eq!(read(&record(0, &given)).inputs, gave, "{what}");
    }
}

#[test]
fn cooked_frames_tell_their_interface() {
    let cooked = [&[8, 0, 0, 0, 0, 0, 0, 42, 0, 1, 0, 6][..], &[0; 8], &ip(6, 0, &tcp(0, &[]))].concat();
    let given = given(ANY, &[cooked]);
    let back = read(&record(0, &given)).inputs;
    assert!(matches!(back[..], [Input::Segment(segment)] if (segment.iface, segment.scope) == (42, super::SCOPE)));
    assert!(beside(&given).is_empty());
}

/// Older versions wrote all 64 bits of a digest.
#[test]
fn of_a_digest_the_lower_bits_count() {
    let given = given(ETHERNET, &[v4(&ip(6, 0, &tcp(0, &[7; 50])))]);
    let mut file = record(0, &given);
    let at = file.windows(4).rposition(|bytes| bytes == [5, 0, 8, 0]).expect("a digest") + 4;
    assert_eq!(file[at + 4..at + 8], [0; 4]);
    file[at + 4..at + 8].fill(7);
    assert_eq!(read(&file).inputs, super::inputs_of(&given));
    file[at] ^= 1;
    assert_ne!(read(&file).inputs, super::inputs_of(&given));
}

/// Options that no recorder writes.
#[test]
fn malformed_options_are_damage() {
    let given = given(ETHERNET, &[v4(&ip(6, 0, &tcp(0, &[7; 50])))]);
    let mut file = record(0, &given);
    let at = file.windows(4).rposition(|bytes| bytes == [5, 0, 8, 0]).expect("a digest");
    file[at + 2] = 4;
    let back = read(&file);
    assert!(back.inputs.is_empty());
    assert!(back.damage.expect("damage").reason.contains("beside a packet"));
}
