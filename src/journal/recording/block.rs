//! Blocks of a pcapng section as a recording has them: little-endian, timestamps in nanoseconds.
//!
//! Written by hand and without an allocation, as a frame costs one block: type, length, body, length again.

const SECTION_HEADER: u32 = 0x0a0d_0d0a;
const INTERFACE_DESCRIPTION: u32 = 1;
const ENHANCED_PACKET: u32 = 6;
pub(in super::super) const JOURNAL_EXPORT: u32 = 9;
const BYTE_ORDER: u32 = 0x1a2b_3c4d;

/// Bytes before those of a frame, and of the length at a block's end.
const PACKET: usize = 28;
const LEN: usize = 4;
/// Room that most frames need behind their bytes: to fill them up, a digest, both ends.
const SPARE: usize = 24;

/// What options end with.
const END: [u8; 4] = [0; 4];
/// Option codes: of any block, and of each kind.
pub(super) const COMMENT: u16 = 1;
pub(super) const SHB_HARDWARE: u16 = 2;
pub(super) const SHB_OS: u16 = 3;
pub(super) const SHB_USERAPPL: u16 = 4;
pub(super) const IF_NAME: u16 = 2;
pub(super) const IF_TSRESOL: u16 = 9;
pub(super) const IF_FILTER: u16 = 11;
pub(super) const EPB_PACKETID: u16 = 5;

/// A block being written behind `out`; [`Block::end`] makes it whole.
pub(super) struct Block<'a> {
    out: &'a mut Vec<u8>,
    begin: usize,
    options: bool,
}

impl<'a> Block<'a> {
    fn begin(out: &'a mut Vec<u8>, kind: u32) -> Self {
        let begin = out.len();
        out.extend_from_slice(&kind.to_le_bytes());
        out.extend_from_slice(&[0; 4]);
        Self { out, begin, options: false }
    }

    /// A section of unknown length.
    pub(super) fn section(out: &'a mut Vec<u8>) -> Self {
        let block = Self::begin(out, SECTION_HEADER);
        block.out.extend_from_slice(&BYTE_ORDER.to_le_bytes());
        block.out.extend_from_slice(&[1, 0, 0, 0]);
        block.out.extend_from_slice(&[0xff; 8]);
        block
    }

    /// An interface.
    pub(super) fn interface(out: &'a mut Vec<u8>, link: u16, snaplen: u32) -> Self {
        let block = Self::begin(out, INTERFACE_DESCRIPTION);
        block.out.extend_from_slice(&u32::from(link).to_le_bytes());
        block.out.extend_from_slice(&snaplen.to_le_bytes());
        block
    }

    /// A frame: `bytes` of the `len` that it had, at so many nanoseconds since the epoch.
    pub(super) fn packet(out: &'a mut Vec<u8>, interface: u32, nanos: u64, bytes: &[u8], len: u32) -> Self {
        let mut block = Self { begin: out.len(), out, options: false };
        let fields = [ENHANCED_PACKET, 0, interface, (nanos >> 32) as u32, nanos as u32, bytes.len() as u32, len];
        block.out.reserve(PACKET + bytes.len() + SPARE);
        block.out.extend_from_slice(fields.map(u32::to_le_bytes).as_flattened());
        block.out.extend_from_slice(bytes);
        block.pad();
        block
    }

    /// The frame that begins at `begin` and is the last in `out`, opened again for further options.
    pub(super) fn packet_again(out: &'a mut Vec<u8>, begin: usize) -> Self {
        let captured =
            out.get(begin + 20..begin + 24).and_then(|len| len.try_into().ok()).map_or(0, u32::from_le_bytes);
        let bare = begin + PACKET + (captured as usize).next_multiple_of(4) + LEN;
        let options = out.len() > bare;
        out.truncate(out.len() - if options { END.len() + LEN } else { LEN });
        Self { out, begin, options }
    }

    /// A journal entry, which `write` writes; filled up with ends of lines, which part entries.
    pub(super) fn journal(out: &'a mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) -> Self {
        let block = Self::begin(out, JOURNAL_EXPORT);
        write(block.out);
        let whole = block.begin + (block.out.len() - block.begin).next_multiple_of(4);
        block.out.resize(whole, b'\n');
        block
    }

    /// Adds an option; of one too long as much as fits.
    pub(super) fn option(&mut self, code: u16, value: &[u8]) {
        let value = &value[..value.len().min(u16::MAX.into())];
        self.options = true;
        self.out.extend_from_slice(&code.to_le_bytes());
        self.out.extend_from_slice(&(value.len() as u16).to_le_bytes());
        self.out.extend_from_slice(value);
        self.pad();
    }

    /// The block is whole.
    pub(super) fn end(self) {
        if self.options {
            self.out.extend_from_slice(&END);
        }
        let len = ((self.out.len() - self.begin + 4) as u32).to_le_bytes();
        self.out[self.begin + 4..self.begin + 8].copy_from_slice(&len);
        self.out.extend_from_slice(&len);
    }

    fn pad(&mut self) {
        let len = self.out.len() - self.begin;
        self.out.extend_from_slice(&[0; 3][..len.next_multiple_of(4) - len]);
    }
}
