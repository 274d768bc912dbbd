//! Made captures of any length: flows that open, talk and close among one another, the same each time.
//!
//! May touch the file that it makes.
#![allow(dead_code, reason = "each benchmark that includes this file uses its own part of it")]

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

/// A pcap file that is being made.
pub(crate) struct Pcap {
    pub(crate) out: BufWriter<File>,
    pub(crate) micros: u64,
}

impl Pcap {
    pub(crate) fn create(path: &Path) -> std::io::Result<Self> {
        let mut out = BufWriter::with_capacity(1 << 20, File::create(path)?);
        out.write_all(&0xa1b2_c3d4_u32.to_le_bytes())?;
        out.write_all(&[2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 1, 0, 0, 0])?;
        Ok(Self { out, micros: 1_700_000_000_000_000 })
    }

    /// Writes a segment with `len` bytes of payload, of which 96 bytes of the frame are kept.
    pub(crate) fn put(
        &mut self,
        [src, dst]: [End; 2],
        flags: u8,
        [seq, ack]: [u32; 2],
        len: u16,
    ) -> std::io::Result<()> {
        let on_wire = 54 + u32::from(len);
        let kept = on_wire.min(96) as usize;
        let mut frame = [0; 96];
        frame[12] = 8;
        frame[14] = 0x45;
        frame[16..18].copy_from_slice(&(40 + len).to_be_bytes());
        frame[22..24].copy_from_slice(&[64, 6]);
        frame[26..30].copy_from_slice(&src.0.to_be_bytes());
        frame[30..34].copy_from_slice(&dst.0.to_be_bytes());
        frame[34..36].copy_from_slice(&src.1.to_be_bytes());
        frame[36..38].copy_from_slice(&dst.1.to_be_bytes());
        frame[38..42].copy_from_slice(&seq.to_be_bytes());
        frame[42..46].copy_from_slice(&ack.to_be_bytes());
        frame[46..50].copy_from_slice(&[0x50, flags, 0xff, 0xff]);
        let [secs, micros] = [self.micros / 1_000_000, self.micros % 1_000_000].map(|part| part as u32);
        for field in [secs, micros, kept as u32, on_wire] {
            self.out.write_all(&field.to_le_bytes())?;
        }
        self.out.write_all(&frame[..kept])
    }
}

/// An address and a port.
pub(crate) type End = (u32, u16);

pub(crate) const SYN: u8 = 2;
pub(crate) const ACK: u8 = 0x10;
const PUSH: u8 = 0x18;
const FIN: u8 = 0x11;

/// A flow's next step: 3 of the handshake, some of data, 3 of the close.
struct Talk {
    ends: [End; 2],
    next: [u32; 2],
    step: u32,
    data: u32,
}

impl Talk {
    fn new(random: &mut impl FnMut() -> u64) -> Self {
        let (ends, numbers) = (random(), random());
        let client = (0x0a00_0000 | ends as u32 >> 8, 1024 + (ends >> 48) as u16 % 60_000);
        let server = (0xc0a8_0000 | (ends >> 32) as u32 & 0x3ff, [80, 443, 5432, 6379][ends as usize & 3]);
        let next = [numbers as u32, (numbers >> 32) as u32];
        Self { ends: [client, server], next, step: 0, data: 4 + (random() % 30) as u32 }
    }

    /// Writes its next segment; whether that was its last.
    fn go_on(&mut self, pcap: &mut Pcap) -> std::io::Result<bool> {
        let close = 3 + self.data;
        let (by_server, flags, len) = match self.step {
            0 => (false, SYN, 0),
            1 => (true, SYN | ACK, 0),
            2 => (false, ACK, 0),
            step if step < close => (step % 2 == 0, PUSH, [1_000, 100, 1_000, 400][step as usize % 4]),
            step if step == close => (false, FIN, 0),
            step if step == close + 1 => (true, FIN, 0),
            _ => (false, ACK, 0),
        };
        let (own, peer) = (usize::from(by_server), usize::from(!by_server));
        let ack = if flags & ACK != 0 { self.next[peer] } else { 0 };
        pcap.put([self.ends[own], self.ends[peer]], flags, [self.next[own], ack], len)?;
        self.next[own] = self.next[own].wrapping_add(u32::from(len) + u32::from(flags & 3 != 0));
        self.step += 1;
        Ok(self.step > close + 2)
    }
}

/// Makes a capture of so many segments of flows that come and go, so many at a time.
pub(crate) fn make_talk(path: &Path, segments: u32, open: usize) -> std::io::Result<()> {
    let mut state = 88_172_645_463_325_252_u64;
    let mut random = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let mut talks: Vec<Talk> = (0..open.max(1)).map(|_| Talk::new(&mut random)).collect();
    let mut pcap = Pcap::create(path)?;
    for _ in 0..segments {
        pcap.micros += random() % 8;
        let at = (random() % talks.len() as u64) as usize;
        if talks[at].go_on(&mut pcap)? {
            talks[at] = Talk::new(&mut random);
        }
    }
    pcap.out.flush()
}
