//! Hostile input, from a fixed seed: what we made ourselves, mutated, through every door (`support/doors.rs`). The same
//! doors stand open to a fuzzer: see tests/fuzz.
//!
//! Pure. Bounded in count; `make soak` goes through more.

use std::time::Instant;

use proptest::prelude::Rng;
use proptest::test_runner::{RngAlgorithm, TestRng};
use sockscope::base::{Scope, Timestamp};
use sockscope::journal::CaptureReader;
use sockscope::wire::{Decoded, Decoder, Frame, LinkType};

#[path = "support/doors.rs"]
mod doors;
#[path = "support/incident.rs"]
mod incident;
#[path = "support/recorded.rs"]
mod recorded;

use incident::{INCIDENT, incident};

/// Mutations a seed text and door: few in every run, many for the soak.
fn rounds() -> usize {
    if std::env::var_os("SOCKSCOPE_SOAK").is_some() { 2_000 } else { 40 }
}

#[test]
fn mutated_captures_of_our_own() {
    let (packed, plain) = (std::fs::read(INCIDENT).expect("the capture"), capture());
    for seed in [plain.as_slice(), &packed[..packed.len().min(40_000)], &pcapng(&plain)] {
        through(doors::capture, seed, rounds());
    }
}

#[test]
fn mutated_recordings() {
    through(doors::capture, &recorded::recording(0).0, 10 * rounds());
}

#[test]
fn the_seeds_are_good() {
    let plain = capture();
    for seed in [plain.as_slice(), &pcapng(&plain)] {
        let mut reader = CaptureReader::open(Box::new(std::io::Cursor::new(seed.to_vec()))).expect("a capture");
        for n in 0..300 {
            assert!(reader.next_frame().expect("whole").is_some(), "frame {n}");
        }
    }
    let len = FRAME.len() as u32;
    let (ts, scope, link) = (Timestamp::from_nanos(0), Scope::FILE, LinkType(1));
    let decoded = Decoder::default().decode(&Frame { ts, scope, iface: 0, link, bytes: &FRAME, len });
    let Decoded::Tcp(segment) = decoded else { panic!("{decoded:?}") };
    assert_eq!((segment.payload_len, segment.options.sack().len()), (8, 1));
}

#[test]
fn mutated_frames_of_every_link() {
    for link in 0..20 {
        let mut seed = vec![link, 0];
        seed.extend(FRAME);
        through(doors::frame, &seed, 25 * rounds());
    }
}

#[test]
fn mutated_texts_of_the_kernel() {
    for text in TEXTS {
        through(doors::proc, text.as_bytes(), 10 * rounds());
    }
}

#[test]
fn random_bytes_through_every_door() {
    let mut random = random();
    for (name, door) in doors::ALL {
        let begun = Instant::now();
        for _ in 0..25 * rounds() {
            let mut bytes = vec![0; random.next_u32() as usize % 1024];
            random.fill_bytes(&mut bytes);
            door(&bytes);
        }
        assert!(begun.elapsed() < doors::PATIENCE * 10, "{name} hangs");
    }
}

/// The beginning of a capture.
fn capture() -> Vec<u8> {
    let mut plain = incident();
    plain.truncate(60_000);
    plain
}

/// Sends `rounds` mutations of a text through a door.
fn through(door: fn(&[u8]), seed: &[u8], rounds: usize) {
    let mut random = random();
    for _ in 0..rounds {
        let mut bytes = seed.to_vec();
        for _ in 0..=random.next_u32() % 12 {
            mutate(&mut bytes, &mut random);
        }
        door(&bytes);
    }
}

/// One change: a byte, a bit, a cut, a repeat, or a number at one of its edges.
fn mutate(bytes: &mut Vec<u8>, random: &mut TestRng) {
    if bytes.is_empty() {
        return;
    }
    let at = random.next_u64() as usize % bytes.len();
    match random.next_u32() % 8 {
        0 => bytes.truncate(at),
        1 => {
            let end = (at + random.next_u32() as usize % 64).min(bytes.len());
            bytes.extend_from_within(at..end);
        }
        2 => bytes[at] ^= 1 << (random.next_u32() % 8),
        3 => {
            let edge = [0, 1, 0x7fff_ffff, 0x8000_0000, u32::MAX][random.next_u32() as usize % 5].to_le_bytes();
            let end = (at + 4).min(bytes.len());
            bytes[at..end].copy_from_slice(&edge[..end - at]);
        }
        _ => bytes[at] = random.next_u32() as u8,
    }
}

fn random() -> TestRng {
    TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32])
}

/// A section, an interface and a packet block for each of the first frames of a pcap file.
fn pcapng(pcap: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    block(&mut out, 0x0a0d_0d0a, &[0x4d, 0x3c, 0x2b, 0x1a, 1, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255]);
    block(&mut out, 1, &[1, 0, 0, 0, 0, 0, 4, 0]);
    let mut rest = &pcap[24..];
    while let Some((head, body)) = rest.split_at_checked(16) {
        let len = u32::from_le_bytes([head[8], head[9], head[10], head[11]]) as usize;
        let Some((frame, after)) = body.split_at_checked(len) else { break };
        let mut packet = vec![0; 12];
        packet.extend_from_slice(&head[8..16]);
        packet.extend_from_slice(frame);
        packet.resize(packet.len().next_multiple_of(4), 0);
        block(&mut out, 6, &packet);
        rest = after;
    }
    out
}

fn block(out: &mut Vec<u8>, kind: u32, body: &[u8]) {
    let len = (body.len() as u32 + 12).to_le_bytes();
    out.extend(kind.to_le_bytes());
    out.extend(len);
    out.extend_from_slice(body);
    out.extend(len);
}

/// Ethernet, IPv4, TCP with timestamps and a SACK block, eight bytes of payload.
const FRAME: [u8; 86] = [
    2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0, 0x45, 0, 0, 72, 0, 1, 0x40, 0, 64, 6, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2,
    0x13, 0x88, 0, 80, 0, 0, 1, 0, 0, 0, 2, 0, 0xb0, 0x18, 1, 0, 0, 0, 0, 0, 1, 1, 8, 10, 0, 0, 0, 9, 0, 0, 0, 8, 1, 1,
    5, 10, 0, 0, 3, 0, 0, 0, 4, 0, b'G', b'E', b'T', b' ', b'/', b' ', b'H', b'\n',
];

/// A line or a file of each kind that the kernel writes.
const TEXTS: [&str; 6] = [
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n   0: \
     0100007F:1F90 00000000:0000 0A 00000000:00000005 00:00000000 00000000  1000        0 31337 1 0000000000000000 \
     100 0 0 10 0\n",
    "   1: 00000000000000000000000001000000:1F90 00000000000000000000000001000000:C350 06 00000000:00000000 \
     03:000017A2 00000000     0        0 0 3 0000000000000000\n",
    "TcpExt: SyncookiesSent ListenOverflows\nTcpExt: 1 -2\nTCP: inuse 5 orphan 0 tw 2 alloc 7 mem 1\n",
    "32768\t60999\n8080,9000-9100\n",
    "Main:\n  +-- 0.0.0.0/0 3 0 5\n     |-- 127.0.0.1\n        /32 host LOCAL\n",
    "4242 (a (b) c) S 1 4242 4242 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 12345 1 1 1\nUid:\t0\t33\t0\t0\nwww:x:33:33\n",
];
