//! Captures → frames, whatever their format, byte order, clock and wrapping, and however they come. Files are made here
//! in few words.

mod damage;
mod intake;

use std::io::{self, Cursor, Read, Write};

use pcap_file::pcap::{PcapHeader, PcapPacket, PcapWriter};
use pcap_file::{DataLink, Endianness, TsResolution};
use proptest::prelude::*;

use super::{CaptureReader, Damage, OpenError};
use crate::wire::{Frame, LinkType};

/// What a test looks at in a frame.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Seen {
    nanos: i64,
    iface: u32,
    link: u16,
    len: u32,
    bytes: Vec<u8>,
}

fn seen(nanos: i64, len: u32, bytes: &[u8]) -> Seen {
    Seen { nanos, iface: 0, link: 1, len, bytes: bytes.to_vec() }
}

impl Seen {
    fn of(frame: &Frame<'_>) -> Self {
        let (nanos, bytes) = (frame.ts.nanos(), frame.bytes.to_vec());
        Self { nanos, iface: frame.iface, link: frame.link.0, len: frame.len, bytes }
    }
}

fn drain(reader: &mut CaptureReader) -> (Vec<Seen>, Option<Damage>) {
    drain_in_runs(reader, 0)
}

/// The same, where so many frames at most are asked for together if they are at hand, and then one.
fn drain_in_runs(reader: &mut CaptureReader, run: usize) -> (Vec<Seen>, Option<Damage>) {
    let mut frames = Vec::new();
    loop {
        let (had, before) = (frames.len(), reader.offset());
        if run > 0 {
            reader.frames_at_hand(|frame| {
                frames.push(Seen::of(frame));
                frames.len() - had < run
            });
        }
        if frames.len() == had + 1 {
            assert_eq!(reader.damage(String::new()).offset, before, "the frame that was given last");
        }
        match reader.next_frame() {
            Ok(Some(frame)) => frames.push(Seen::of(&frame)),
            Ok(None) => return (frames, None),
            Err(damage) => {
                assert!(matches!(reader.next_frame(), Ok(None)), "nothing comes after a damage");
                return (frames, Some(damage));
            }
        }
    }
}

fn open(file: &[u8]) -> Result<CaptureReader, OpenError> {
    CaptureReader::open(Box::new(Cursor::new(file.to_vec())))
}

fn read(file: &[u8]) -> (Vec<Seen>, Option<Damage>) {
    let told = drain(&mut open(file).expect("a capture"));
    for run in [1, 2, usize::MAX] {
        assert_eq!(drain_in_runs(&mut open(file).expect("a capture"), run), told, "in runs of {run}");
    }
    told
}

fn reason(file: &[u8]) -> (usize, u64, String) {
    let (frames, damage) = read(file);
    let damage = damage.expect("damage");
    (frames.len(), damage.offset, damage.reason)
}

/// Three frames: whole, cut by the snap length, empty.
fn pcap(endianness: Endianness, resolution: TsResolution) -> Vec<u8> {
    let header = PcapHeader {
        datalink: DataLink::ETHERNET,
        ts_resolution: resolution,
        endianness,
        snaplen: 96,
        ..PcapHeader::default()
    };
    let mut writer = PcapWriter::with_header(Vec::new(), header).unwrap();
    for (nanos, len, bytes) in [(1_000, 5, &b"hello"[..]), (2_000, 1500, &[7; 96]), (3_000, 0, &[])] {
        let time = std::time::Duration::new(1_700_000_000, nanos);
        writer.write_packet(&PcapPacket::new(time, len, bytes)).unwrap();
    }
    writer.into_writer()
}

fn pcap_frames() -> Vec<Seen> {
    const T: i64 = 1_700_000_000_000_000_000;
    vec![seen(T + 1_000, 5, b"hello"), seen(T + 2_000, 1500, &[7; 96]), seen(T + 3_000, 0, &[])]
}

fn plain() -> Vec<u8> {
    pcap(Endianness::Little, TsResolution::MicroSecond)
}

/// Writes pcapng blocks of one byte order.
#[derive(Clone, Copy)]
struct Blocks {
    big: bool,
}

impl Blocks {
    fn u16(self, n: u16) -> Vec<u8> {
        if self.big { n.to_be_bytes().to_vec() } else { n.to_le_bytes().to_vec() }
    }

    fn u32s(self, numbers: &[u32]) -> Vec<u8> {
        numbers.iter().flat_map(|n| if self.big { n.to_be_bytes() } else { n.to_le_bytes() }).collect()
    }

    fn block(self, kind: u32, body: &[u8]) -> Vec<u8> {
        let mut body = body.to_vec();
        body.resize(body.len().next_multiple_of(4), 0);
        let len = self.u32s(&[body.len() as u32 + 12]);
        [&self.u32s(&[kind])[..], &len, &body, &len].concat()
    }

    fn section(self) -> Vec<u8> {
        let body = [self.u32s(&[0x1a2b_3c4d]), self.u16(1), self.u16(0), vec![0xff; 8]].concat();
        self.block(0x0a0d_0d0a, &body)
    }

    fn option(self, code: u16, value: &[u8]) -> Vec<u8> {
        let mut option = [&self.u16(code)[..], &self.u16(value.len() as u16), value].concat();
        option.resize(option.len().next_multiple_of(4), 0);
        option
    }

    fn interface(self, link: u16, snaplen: u32, options: &[(u16, &[u8])]) -> Vec<u8> {
        let options: Vec<u8> = options.iter().flat_map(|(code, value)| self.option(*code, value)).collect();
        self.block(1, &[self.u16(link), self.u16(0), self.u32s(&[snaplen]), options].concat())
    }

    fn enhanced(self, iface: u32, ticks: u64, len: u32, bytes: &[u8]) -> Vec<u8> {
        let header = self.u32s(&[iface, (ticks >> 32) as u32, ticks as u32, bytes.len() as u32, len]);
        self.block(6, &[&header[..], bytes].concat())
    }

    fn simple(self, len: u32, bytes: &[u8]) -> Vec<u8> {
        self.block(3, &[&self.u32s(&[len])[..], bytes].concat())
    }

    fn obsolete(self, iface: u16, ticks: u64, len: u32, bytes: &[u8]) -> Vec<u8> {
        let times = self.u32s(&[(ticks >> 32) as u32, ticks as u32, bytes.len() as u32, len]);
        self.block(2, &[&self.u16(iface)[..], &self.u16(9), &times, bytes].concat())
    }
}

const LITTLE: Blocks = Blocks { big: false };
const BIG: Blocks = Blocks { big: true };

/// Two sections of different byte order, every kind of packet block, blocks to pass over.
fn pcapng() -> Vec<u8> {
    [
        LITTLE.section(),
        LITTLE.interface(1, 0, &[(2, b"eth0"), (9, &[9])]),
        LITTLE.interface(276, 4, &[(2, b"any\x1b"), (0, &[]), (9, &[9])]),
        LITTLE.enhanced(0, 5_000_000_001, 3, b"abc"),
        LITTLE.block(5, &[1, 2, 3, 4]),
        LITTLE.enhanced(1, 7_000_000, 60, b"abcd"),
        LITTLE.block(0x8000_0bad, b"unknown"),
        LITTLE.simple(6, b"simple"),
        BIG.section(),
        BIG.interface(101, 4, &[(9, &[0x8a]), (14, &10i64.to_be_bytes())]),
        BIG.obsolete(0, 1536, 2, b"xy"),
        BIG.simple(6, b"simp"),
        LITTLE.section(),
    ]
    .concat()
}

fn pcapng_frames() -> Vec<Seen> {
    vec![
        seen(5_000_000_001, 3, b"abc"),
        Seen { iface: 1, link: 276, ..seen(7_000_000_000, 60, b"abcd") },
        seen(7_000_000_000, 6, b"simple"),
        Seen { iface: 2, link: 101, ..seen(11_500_000_000, 2, b"xy") },
        Seen { iface: 2, link: 101, ..seen(11_500_000_000, 6, b"simp") },
    ]
}

fn gzip(data: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

fn zstd(data: &[u8]) -> Vec<u8> {
    ruzstd::encoding::compress_to_vec(data, ruzstd::encoding::CompressionLevel::Fastest)
}

#[test]
fn pcap_in_both_byte_orders_and_resolutions() {
    for endianness in [Endianness::Little, Endianness::Big] {
        for resolution in [TsResolution::MicroSecond, TsResolution::NanoSecond] {
            let mut reader = open(&pcap(endianness, resolution)).unwrap();
            assert_eq!(drain(&mut reader), (pcap_frames(), None), "{endianness:?} {resolution:?}");
            let interface = &reader.interfaces()[0];
            assert_eq!((interface.link, interface.snaplen, &interface.name), (LinkType(1), Some(96), &None));
            assert_eq!(reader.offset(), 24 + 3 * 16 + 5 + 96);
        }
    }
}

#[test]
fn the_modified_form_has_longer_record_headers() {
    let mut file = 0xa1b2_cd34_u32.to_le_bytes().to_vec();
    file.extend(&plain()[4..24]);
    for bytes in [&b"ab"[..], b"cde"] {
        let len = bytes.len() as u8;
        file.extend([1, 0, 0, 0, 2, 0, 0, 0, len, 0, 0, 0, 9, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1]);
        file.extend(bytes);
    }
    assert_eq!(read(&file), (vec![seen(1_000_002_000, 9, b"ab"), seen(1_000_002_000, 9, b"cde")], None));
}

#[test]
fn old_versions_may_put_len_before_caplen() {
    for (endianness, minor) in [(Endianness::Little, [2, 0]), (Endianness::Big, [0, 3])] {
        let mut file = pcap(endianness, TsResolution::MicroSecond);
        file[6..8].copy_from_slice(&minor);
        assert_eq!(read(&file), (pcap_frames(), None));
        for (at, bytes) in [(24, 5), (45, 96), (157, 0)] {
            let swapped = [&file[at + 12..at + 16], &file[at + 8..at + 12]].concat();
            file[at + 8..at + 16].copy_from_slice(&swapped);
            assert!(file[at + 8..at + 16].contains(&bytes));
        }
        assert_eq!(read(&file), (pcap_frames(), None), "version 2.{minor:?}, swapped");
    }
}

#[test]
fn versions_other_than_2_0_to_2_4_are_not_read() {
    let versions = [
        (Endianness::Little, [1, 0, 4, 0], "1.4"),
        (Endianness::Big, [0, 2, 0, 5], "2.5"),
        (Endianness::Little, [0x1f, 2, 0, 0], "543.0"),
    ];
    for (endianness, version, name) in versions {
        let mut file = pcap(endianness, TsResolution::MicroSecond);
        file[4..8].copy_from_slice(&version);
        let reason = format!("pcap version {name}: only 2.0 to 2.4 are read");
        assert_eq!(read(&file), (vec![], Some(Damage { file: 0, offset: 0, reason, decompressed: false })));
    }
}

#[test]
fn a_check_sequence_in_the_link_type_is_not_part_of_it() {
    let mut file = plain();
    file[23] = 0x24;
    assert_eq!(read(&file), (pcap_frames(), None));
}

#[test]
fn pcapng_with_sections_and_interfaces() {
    let mut reader = open(&pcapng()).unwrap();
    assert_eq!(drain(&mut reader), (pcapng_frames(), None));
    let names: Vec<_> = reader.interfaces().iter().map(|i| i.name.as_deref()).collect();
    assert_eq!(names, [Some("eth0"), Some("any·"), None], "names are scrubbed");
    assert_eq!(reader.interfaces()[1].snaplen, Some(4));
    assert_eq!(reader.interfaces()[0].snaplen, None, "0 is no limit");
    assert_eq!(reader.offset(), pcapng().len() as u64);
}

type Options<'a> = &'a [(u16, &'a [u8])];

#[test]
fn every_clock() {
    let huge = (i64::MAX / 2).to_le_bytes();
    let cases: [(Options<'_>, u64, i64); 9] = [
        (&[], 1_500_000, 1_500_000_000),
        (&[(9, &[0])], 3, 3_000_000_000),
        (&[(9, &[3])], 1_500, 1_500_000_000),
        (&[(9, &[12])], 1_999, 1),
        (&[(9, &[127])], u64::MAX, 0),
        (&[(9, &[0x80])], 2, 2_000_000_000),
        (&[(9, &[0xff])], u64::MAX, 0),
        (&[(14, &(-1i64).to_le_bytes())], 1_000_001, 1_000),
        (&[(14, &huge)], 0, i64::MAX),
    ];
    for (options, ticks, nanos) in cases {
        let file = [LITTLE.section(), LITTLE.interface(1, 0, options), LITTLE.enhanced(0, ticks, 1, b"x")].concat();
        assert_eq!(read(&file), (vec![seen(nanos, 1, b"x")], None), "{options:?}");
    }
}

#[test]
fn compressed_captures_read_alike() {
    for (file, frames) in [(plain(), pcap_frames()), (pcapng(), pcapng_frames())] {
        let (head, tail) = file.split_at(30);
        let skippable = [0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3];
        for packed in [
            gzip(&file),
            [gzip(head), gzip(tail)].concat(),
            zstd(&file),
            [&skippable[..], &zstd(head), &skippable, &zstd(tail)].concat(),
        ] {
            assert_eq!(read(&packed), (frames.clone(), None));
        }
    }
}

#[test]
fn from_any_place_the_rest_is_the_same() {
    let two_sections = [pcapng(), pcapng()].concat();
    for file in [plain(), pcapng(), two_sections, gzip(&pcapng()), zstd(&plain())] {
        let all = read(&file).0;
        for passed in 0..=all.len() {
            let mut reader = open(&file).unwrap();
            (0..passed).for_each(|_| assert!(reader.next_frame().unwrap().is_some()));
            let place = reader.place();
            let rest = file[place.begins_at() as usize..].to_vec();
            let mut resumed = CaptureReader::resume(Box::new(Cursor::new(rest)), &place).unwrap();
            assert_eq!(resumed.offset(), reader.offset());
            assert_eq!(drain(&mut resumed), (all[passed..].to_vec(), None), "{passed} passed");
            assert_eq!(drain(&mut reader).0, all[passed..]);
            assert_eq!(resumed.interfaces(), reader.interfaces());
        }
    }
}

#[test]
fn a_stream_that_trickles() {
    struct Trickle(Cursor<Vec<u8>>, bool);
    impl Read for Trickle {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.1 = !self.1;
            if self.1 {
                return Err(io::ErrorKind::Interrupted.into());
            }
            self.0.read(&mut buffer[..1])
        }
    }
    for (file, frames) in [
        (plain(), pcap_frames()),
        (pcapng(), pcapng_frames()),
        (gzip(&plain()), pcap_frames()),
        (zstd(&plain()), pcap_frames()),
    ] {
        let mut reader = CaptureReader::open(Box::new(Trickle(Cursor::new(file), false))).unwrap();
        assert_eq!(drain(&mut reader), (frames, None));
    }
}

#[test]
fn a_frame_is_given_before_the_next_has_come() {
    /// Panics when it is asked for more than the header and the first record.
    struct Live(Cursor<Vec<u8>>);
    impl Read for Live {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            assert!(self.0.position() < 45, "read past the frame that was asked for");
            self.0.read(buffer)
        }
    }
    let mut reader = CaptureReader::open(Box::new(Live(Cursor::new(plain()[..45].to_vec())))).unwrap();
    assert_eq!(reader.next_frame().unwrap().unwrap().bytes, b"hello");
}

#[test]
fn frames_larger_than_the_first_buffer() {
    let big = vec![3; 1 << 20];
    let file = [LITTLE.section(), LITTLE.interface(1, 0, &[]), LITTLE.enhanced(0, 1, 1 << 20, &big)].concat();
    assert_eq!(read(&file), (vec![seen(1_000, 1 << 20, &big)], None));
}
