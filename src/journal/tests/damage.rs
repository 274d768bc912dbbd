//! What is no capture, cut, garbled or hostile: everything before the damage is given, and that is placed and named.

use super::*;

#[test]
fn what_is_no_capture_is_named() {
    let text = |file: &[u8]| open(file).unwrap_err().to_string();
    assert_eq!(text(b""), "not a capture: it is empty");
    assert_eq!(
        text(b"\x7fELF\x02\x01\x01\0\0\0"),
        "not a capture: it begins with 7f 45 4c 46 02 01 01 00; pcap and pcapng are read, plain, gzip or zstd"
    );
    assert!(matches!(open(&gzip(b"hello")).unwrap_err(), OpenError::NotACapture { first } if first == b"hello"));
    assert!(matches!(open(b"\xd4\xc3\xb2").unwrap_err(), OpenError::NotACapture { .. }));
    let no_order = [&LITTLE.section()[..8], b"abcdefgh"].concat();
    assert!(matches!(open(&no_order).unwrap_err(), OpenError::NotACapture { .. }));
    assert!(matches!(open(&gzip(&plain())[..12]).unwrap_err(), OpenError::Io(_)));
    assert!(matches!(open(&[&[0x28, 0xb5, 0x2f, 0xfd][..], &[0xff; 40]].concat()).unwrap_err(), OpenError::Io(_)));
}

#[test]
fn damage_is_placed_and_explained() {
    let ng = |blocks: &[Vec<u8>]| [&[LITTLE.section(), LITTLE.interface(1, 0, &[])][..], blocks].concat().concat();
    let head = ng(&[]).len() as u64;
    let good = LITTLE.enhanced(0, 1, 1, b"x");
    let with = |at: usize, value: u32| {
        let mut block = good.clone();
        block[at..at + 4].copy_from_slice(&value.to_le_bytes());
        ng(&[good.clone(), block])
    };
    let after = head + good.len() as u64;
    for (file, frames, offset, words) in [
        (plain()[..30].to_vec(), 0, 24, "6 of 16 bytes"),
        (plain()[..60].to_vec(), 1, 45, "15 of 16 bytes"),
        (plain()[..61].to_vec(), 1, 45, "16 of 112 bytes"),
        (plain()[..10].to_vec(), 0, 0, "10 of 24 bytes"),
        (
            [&plain()[..24], &[0; 8], &[6, 0, 0, 0, 5, 0, 0, 0], b"hello!"].concat(),
            0,
            24,
            "6 captured bytes of a frame of 5",
        ),
        ([&plain()[..24], &[0; 8], &[0xff; 8]].concat(), 0, 24, "4294967295 captured bytes, more than a frame has"),
        (with(8, 1), 1, after, "interface 1 was never described"),
        (with(20, 2), 1, after, "2 captured bytes of a frame of 1"),
        (with(4, 8), 1, after, "8 bytes, fewer"),
        (with(4, 20 << 20), 1, after, "more than the 16777216"),
        (with(32, 40), 1, after, "another length"),
        (ng(&[LITTLE.block(6, &[0; 8])]), 0, head, "a packet block cannot be read"),
        (ng(&[good.clone(), BIG.section()[..20].to_vec()]), 1, after, "20 of 28 bytes"),
        (ng(&[good.clone(), vec![0; 16]]), 1, after, "0 bytes, fewer"),
        (LITTLE.section()[..7].to_vec(), 0, 0, "7 of 12 bytes"),
        ([LITTLE.section(), good.clone()].concat(), 0, 28, "interface 0 was never described"),
    ] {
        let (count, at, reason) = reason(&file);
        assert_eq!((count, at), (frames, offset), "{reason}");
        assert!(reason.contains(words), "{reason:?} says {words:?}");
    }
}

#[test]
fn a_caplen_past_its_block_is_damage_even_with_more_behind() {
    let mut block = LITTLE.enhanced(0, 1, 400, b"x");
    block[20] = 200;
    let file = [LITTLE.section(), LITTLE.interface(1, 0, &[]), block, LITTLE.enhanced(0, 1, 400, &[1; 400])].concat();
    assert_eq!(reason(&file).0, 0);
}

#[test]
fn offsets_in_compressed_files_say_so() {
    let (frames, damage) = read(&gzip(&plain()[..60]));
    assert_eq!(frames, pcap_frames()[..1]);
    let text = damage.unwrap().to_string();
    assert!(text.starts_with("damaged at byte 45 of the decompressed stream: "), "{text}");
    assert!(read(&plain()[..60]).1.unwrap().to_string().starts_with("damaged at byte 45: "));
}

#[test]
fn a_wrong_zstd_checksum_is_damage_after_all_frames() {
    // ruzstd's encoder writes a checksum: the last four bytes.
    let mut packed = zstd(&plain());
    *packed.last_mut().unwrap() ^= 1;
    let (frames, damage) = read(&packed);
    assert_eq!(frames, pcap_frames());
    assert!(damage.unwrap().reason.contains("checksum"));
}

/// Every prefix of a file gives a prefix of its frames: all that are whole, then damage unless the cut is clean.
fn holds_cut_anywhere(file: &[u8], frames: &[Seen], ends: &[u64]) {
    for cut in 12..file.len() {
        let (got, damage) = read(&file[..cut]);
        let whole = ends.iter().filter(|end| **end <= cut as u64).count();
        assert_eq!(got, frames[..whole], "cut at {cut}");
        if let Some(damage) = damage {
            assert!(damage.offset <= cut as u64 && ends[..whole].last().is_none_or(|end| damage.offset >= *end));
        }
    }
}

fn ends_of_frames(file: &[u8]) -> Vec<u64> {
    let mut reader = open(file).unwrap();
    let mut ends = Vec::new();
    while let Ok(Some(_)) = reader.next_frame() {
        ends.push(reader.offset());
    }
    ends
}

#[test]
fn cut_at_any_byte() {
    for endianness in [Endianness::Little, Endianness::Big] {
        let file = pcap(endianness, TsResolution::NanoSecond);
        holds_cut_anywhere(&file, &pcap_frames(), &ends_of_frames(&file));
    }
    holds_cut_anywhere(&pcapng(), &pcapng_frames(), &ends_of_frames(&pcapng()));
}

#[test]
fn a_cut_is_damage_unless_it_falls_between_records() {
    let file = plain();
    let between: Vec<_> = (24..=file.len()).filter(|cut| read(&file[..*cut]).1.is_none()).collect();
    assert_eq!(between, [24, 45, 157, 173]);
}

#[test]
fn compressed_and_cut_at_any_byte_gives_a_prefix_and_says_so() {
    // Frames that hardly compress, in several blocks, so that a cut leaves some.
    let mut writer = PcapWriter::new(Vec::new()).unwrap();
    let mut state = 1u64;
    for n in 0..300 {
        let bytes: Vec<u8> = std::iter::repeat_with(|| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 56) as u8
        })
        .take(1400)
        .collect();
        writer.write_packet(&PcapPacket::new(std::time::Duration::from_secs(n), 1400, &bytes)).unwrap();
    }
    let file = writer.into_writer();
    let (all, None) = read(&file) else { panic!("the file is whole") };
    for packed in [gzip(&file), zstd(&file)] {
        for cut in (3..8).map(|eighth| packed.len() * eighth / 8) {
            let (got, damage) = read(&packed[..cut]);
            assert!(got[..] == all[..got.len()]);
            let why = damage.expect("it is cut").reason;
            assert_eq!(why, "the stream breaks off: unexpected end of file");
            // A zstd block holds at most 128 KiB: no more than that may be missing.
            assert!(got.len() + 110 >= all.len() * cut / packed.len(), "{} of {} at {cut}", got.len(), all.len());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_bytes_never_panic(head in 0..6usize, tail in proptest::collection::vec(any::<u8>(), 0..400)) {
        let heads = [
            plain()[..24].to_vec(),
            LITTLE.section(),
            [BIG.section(), BIG.interface(1, 0, &[])].concat(),
            vec![0x1f, 0x8b, 8, 0],
            vec![0x28, 0xb5, 0x2f, 0xfd],
            Vec::new(),
        ];
        if let Ok(mut reader) = open(&[&heads[head][..], &tail].concat()) {
            drain(&mut reader);
        }
    }

    #[test]
    fn a_changed_byte_never_panics(at in 0..1000usize, value: u8, which in 0..4usize) {
        let mut file = [plain(), pcapng(), gzip(&pcapng()), zstd(&pcapng())][which].clone();
        let len = file.len();
        file[at % len] = value;
        if let Ok(mut reader) = open(&file) {
            drain(&mut reader);
        }
    }
}
