//! gzip, gone on with from where one was: the decompressor is copied now and then, with the last 32 KiB that it gave,
//! which is all that what follows rests on.
//!
//! Read first: RFC 1952 §2.3 (members), RFC 1951 §2 (nothing refers further back than 32 KiB).

use std::collections::VecDeque;
use std::io::{self, BufRead, ErrorKind, Read};
use std::ops::Range;
use std::sync::Arc;

use crc32fast::Hasher;
use miniz_oxide::inflate::TINFLStatus as Status;
use miniz_oxide::inflate::core::inflate_flags::TINFL_FLAG_HAS_MORE_INPUT as MORE;
use miniz_oxide::inflate::core::{DecompressorOxide, decompress};

use super::window::MAX_RECORD;

/// Bytes given from one copy to the next: what is decompressed in vain at most.
const APART: u64 = 1 << 20;
/// Copies are kept of what was given so lately: whoever reads holds no more in hand than a record, twice at most.
const HELD: u64 = 2 * MAX_RECORD as u64 + APART;
/// How far back a match may lie.
const REACH: usize = 32 << 10;

/// Bits of a member's flags, and its fixed header.
const HEADER_CRC: u8 = 2;
const EXTRA: u8 = 4;
const NAME: u8 = 8;
const COMMENT: u8 = 16;
const HEADER: usize = 10;

/// Reads the members of a gzip file, one behind the other.
pub(super) struct Gunzip<R> {
    source: R,
    here: GzipPlace,
    /// Copies of it, the newest last.
    kept: VecDeque<Arc<GzipPlace>>,
}

/// A place in a gzip file, and all that going on from it takes.
#[derive(Clone)]
pub(super) struct GzipPlace {
    /// Bytes of the file before it, and what they gave.
    taken: u64,
    given: u64,
    /// `None` between members.
    member: Option<Member>,
}

impl GzipPlace {
    /// Where the file is to be read on, in bytes from its start.
    pub(super) const fn begins_at(&self) -> u64 {
        self.taken
    }

    /// What comes before it of what the file gives, in bytes.
    pub(super) const fn given(&self) -> u64 {
        self.given
    }
}

#[derive(Clone)]
struct Member {
    inflate: Box<DecompressorOxide>,
    /// What was decompressed last, around the end and on at the start.
    out: Box<[u8]>,
    next: usize,
    /// Of this what was not given yet.
    ready: Range<usize>,
    crc: Hasher,
    length: u32,
    /// Nothing follows of it, or nothing that makes sense.
    ended: bool,
    broken: bool,
}

impl Member {
    fn new() -> Self {
        let out = vec![0; REACH].into_boxed_slice();
        let (inflate, crc) = (Box::default(), Hasher::new());
        Self { inflate, out, next: 0, ready: 0..0, crc, length: 0, ended: false, broken: false }
    }

    /// Decompresses some of `input`; how much was taken of it.
    fn take(&mut self, input: &[u8]) -> usize {
        let (status, taken, came) = decompress(&mut self.inflate, input, &mut self.out, self.next, MORE);
        self.ready = self.next..self.next + came;
        self.next = self.ready.end % REACH;
        let out = &self.out[self.ready.clone()];
        self.crc.update(out);
        self.length = self.length.wrapping_add(out.len() as u32);
        self.ended = status == Status::Done;
        self.broken = !matches!(status, Status::Done | Status::NeedsMoreInput | Status::HasMoreOutput);
        taken
    }

    fn give(&mut self, buffer: &mut [u8]) -> usize {
        let count = buffer.len().min(self.ready.len());
        let end = self.ready.start + count;
        buffer[..count].copy_from_slice(&self.out[self.ready.start..end]);
        self.ready.start = end;
        count
    }
}

impl<R: BufRead> Gunzip<R> {
    pub(super) fn new(source: R) -> Self {
        Self::at(source, GzipPlace { taken: 0, given: 0, member: None })
    }

    /// Goes on from a place; `source` begins there.
    pub(super) fn at(source: R, here: GzipPlace) -> Self {
        Self { source, kept: VecDeque::from([Arc::new(here.clone())]), here }
    }

    /// The last place that is kept at which no more had been given than so many bytes.
    pub(super) fn place_before(&self, given: u64) -> Option<Arc<GzipPlace>> {
        self.kept.iter().rfind(|place| place.given <= given).cloned()
    }

    fn keep(&mut self) {
        if self.kept.back().is_none_or(|last| self.here.given >= last.given + APART) {
            self.kept.push_back(Arc::new(self.here.clone()));
            while self.kept.get(1).is_some_and(|second| second.given + HELD < self.here.given) {
                self.kept.pop_front();
            }
        }
    }

    fn bytes<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        let mut bytes = [0; N];
        self.source.read_exact(&mut bytes).map_err(ended)?;
        self.here.taken += N as u64;
        Ok(bytes)
    }

    fn skip_text(&mut self) -> io::Result<()> {
        while self.bytes()? != [0] {}
        Ok(())
    }

    /// Reads what stands before a member; false where the file ends.
    fn begin_member(&mut self) -> io::Result<bool> {
        if self.source.fill_buf()?.is_empty() {
            return Ok(false);
        }
        let [0x1f, 0x8b, 8, flags, ..] = self.bytes::<HEADER>()? else { return Err(corrupt("invalid header")) };
        if flags & EXTRA != 0 {
            for _ in 0..u16::from_le_bytes(self.bytes()?) {
                self.bytes::<1>()?;
            }
        }
        for text in [NAME, COMMENT] {
            if flags & text != 0 {
                self.skip_text()?;
            }
        }
        if flags & HEADER_CRC != 0 {
            self.bytes::<2>()?;
        }
        self.here.member = Some(Member::new());
        Ok(true)
    }

    /// Reads what stands behind a member.
    fn end_member(&mut self, member: Member) -> io::Result<()> {
        let (crc, length) = (u32::from_le_bytes(self.bytes()?), u32::from_le_bytes(self.bytes()?));
        if (crc, length) == (member.crc.finalize(), member.length) {
            Ok(())
        } else {
            Err(corrupt("the checksum does not match"))
        }
    }
}

impl<R: BufRead> Read for Gunzip<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.keep();
        while !buffer.is_empty() {
            let Some(member) = &mut self.here.member else {
                if self.begin_member()? {
                    continue;
                }
                return Ok(0);
            };
            let count = member.give(buffer);
            if count > 0 {
                self.here.given += count as u64;
                return Ok(count);
            }
            if member.broken {
                return Err(corrupt("corrupt deflate stream"));
            }
            if let Some(ended) = self.here.member.take_if(|member| member.ended) {
                self.end_member(ended)?;
                continue;
            }
            let Some(member) = &mut self.here.member else { continue };
            let input = self.source.fill_buf()?;
            let is_end = input.is_empty();
            let taken = member.take(input);
            self.source.consume(taken);
            self.here.taken += taken as u64;
            if is_end && member.ready.is_empty() && !member.ended {
                return Err(ErrorKind::UnexpectedEof.into());
            }
        }
        Ok(0)
    }
}

/// An end, however it is told.
fn ended(error: io::Error) -> io::Error {
    if error.kind() == ErrorKind::UnexpectedEof { ErrorKind::UnexpectedEof.into() } else { error }
}

fn corrupt(what: &str) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, format!("gzip: {what}"))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::{Compression, GzBuilder};

    use super::*;

    /// Bytes that are alike far enough apart, and others between them.
    fn content(length: usize) -> Vec<u8> {
        let mut state = 7_u64;
        let mut bytes = Vec::with_capacity(length);
        while bytes.len() < length {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let back = 1 + (state >> 40) as usize % REACH;
            match bytes.len().checked_sub(back) {
                Some(from) if state >> 63 == 0 => bytes.extend_from_within(from..(from + 200).min(from + back)),
                _ => bytes.extend(state.to_le_bytes()),
            }
        }
        bytes.truncate(length);
        bytes
    }

    fn packed(bytes: &[u8], header: GzBuilder) -> Vec<u8> {
        let mut out = header.write(Vec::new(), Compression::fast());
        out.write_all(bytes).unwrap();
        out.finish().unwrap()
    }

    fn read(file: &[u8]) -> (Vec<u8>, Option<String>) {
        let (mut bytes, mut gunzip) = (Vec::new(), Gunzip::new(file));
        let error = gunzip.read_to_end(&mut bytes).err();
        (bytes, error.map(|error| error.to_string()))
    }

    #[test]
    fn members_with_any_header_are_one_behind_the_other() {
        let bytes = content(200_000);
        let named = GzBuilder::new().filename("day.pcap").comment("of a day").extra([1, 2, 3]).mtime(9);
        let mut file = [packed(&bytes[..90_000], named), packed(&bytes[90_000..], GzBuilder::new())].concat();
        file.extend(packed(b"", GzBuilder::new()));
        assert_eq!(read(&file), (bytes.clone(), None));
        // Bit 1 of the flags: the header's own checksum.
        let mut checked = packed(&bytes, GzBuilder::new());
        checked[3] |= HEADER_CRC;
        checked.splice(HEADER..HEADER, [7, 7]);
        assert_eq!(read(&checked), (bytes, None));
    }

    #[test]
    fn what_is_damaged_gives_all_before_and_says_how() {
        let bytes = content(100_000);
        let file = packed(&bytes, GzBuilder::new());
        let end = file.len();
        for at in [end - 1, end - 8] {
            let mut wrong = file.clone();
            wrong[at] ^= 1;
            let why = "gzip: the checksum does not match".to_owned();
            assert_eq!(read(&wrong), (bytes.clone(), Some(why)), "{at}");
        }
        for cut in [4, HEADER + 1, end / 2, end - 8, end - 1] {
            let (got, error) = read(&file[..cut]);
            assert_eq!(error.as_deref(), Some("unexpected end of file"), "{cut}");
            let mut others = Vec::new();
            assert!(flate2::read::MultiGzDecoder::new(&file[..cut]).read_to_end(&mut others).is_err());
            assert!(bytes.starts_with(&got) && got.len() >= others.len(), "{cut}");
        }
        for behind in [&b"x"[..], &[0; 20]] {
            assert_eq!(read(&[&file, behind].concat()).0, bytes);
            assert!(read(&[&file, behind].concat()).1.is_some());
        }
        // A block of the type that there is not (RFC 1951 §3.2.3).
        let mut none = file;
        none[HEADER] |= 0b110;
        assert_eq!(read(&none), (vec![], Some("gzip: corrupt deflate stream".to_owned())));
    }

    #[test]
    fn from_what_is_kept_the_rest_comes_and_little_twice() {
        let bytes = content(5 << 20);
        let (first, second) = bytes.split_at(3_500_000);
        let file = [packed(first, GzBuilder::new()), packed(second, GzBuilder::new())].concat();
        let (mut gunzip, mut given, mut buffer) = (Gunzip::new(&file[..]), 0, vec![0; 70_001]);
        loop {
            let place = gunzip.place_before(given as u64).expect("the start at least");
            let twice = given as u64 - place.given();
            assert!(twice < APART + buffer.len() as u64, "{given}: {twice}");
            let mut rest = Vec::new();
            let mut again = Gunzip::at(&file[place.begins_at() as usize..], (*place).clone());
            again.read_to_end(&mut rest).unwrap();
            assert!(rest[..] == bytes[place.given() as usize..], "{given}");
            match gunzip.read(&mut buffer).unwrap() {
                0 => break,
                count => given += count,
            }
        }
        assert_eq!(given, bytes.len());
    }

    #[test]
    fn only_the_last_places_are_kept() {
        let file = packed(&vec![0; 80 << 20], GzBuilder::new());
        let mut gunzip = Gunzip::new(&file[..]);
        io::copy(&mut gunzip, &mut io::sink()).unwrap();
        let most = (HELD / APART) as usize + 2;
        assert!((most - 2..=most).contains(&gunzip.kept.len()), "{}", gunzip.kept.len());
        let early = gunzip.here.given - 2 * MAX_RECORD as u64;
        assert!(gunzip.place_before(early).is_some() && gunzip.place_before(0).is_none());
    }
}
