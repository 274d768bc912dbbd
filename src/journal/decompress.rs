//! Compressed captures, found by their magic number: gzip, of which one can go on from a place within, and zstd by
//! ruzstd, which is read from the start.
//!
//! Read first: [`Gunzip`], RFC 8878 §3.1 (frames).

use std::error::Error;
use std::io::{self, BufRead, BufReader, Cursor, ErrorKind, Read};
use std::sync::Arc;

use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

use super::gzip::{Gunzip, GzipPlace};

/// Bytes of a gzip file read together.
const GZIP_BUFFER: usize = 64 << 10;

/// How a capture is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Compression {
    Gzip,
    Zstd,
}

impl Compression {
    fn of(first: &[u8]) -> Option<Self> {
        match *first {
            [0x1f, 0x8b, ..] => Some(Self::Gzip),
            // A frame, or one of the 16 kinds of skippable frame (pzstd begins with one).
            [0x28, 0xb5, 0x2f, 0xfd] | [0x50..=0x5f, 0x2a, 0x4d, 0x18] => Some(Self::Zstd),
            _ => None,
        }
    }
}

type Input = Box<dyn Read + Send>;

/// What a capture holds, whether it is compressed or not.
pub(super) enum Unpacked {
    Plain(Input),
    Gzip(Box<Gunzip<BufReader<Input>>>),
    Zstd(Box<ZstdFrames<BufReader<Input>>>),
}

impl Unpacked {
    /// Looks at the first bytes of `input` and puts a decompressor before it if they ask for one.
    pub(super) fn of(mut input: Input) -> io::Result<Self> {
        let mut first = Vec::with_capacity(4);
        input.by_ref().take(4).read_to_end(&mut first)?;
        let compression = Compression::of(&first);
        let input = Box::new(Cursor::new(first).chain(input));
        Ok(match compression {
            None => Self::Plain(input),
            Some(Compression::Gzip) => Self::Gzip(Box::new(Gunzip::new(BufReader::with_capacity(GZIP_BUFFER, input)))),
            Some(Compression::Zstd) => Self::Zstd(Box::new(ZstdFrames::new(BufReader::new(input)))),
        })
    }

    /// Goes on from a place of a gzip file; `input` begins there.
    pub(super) fn at(input: Input, place: &GzipPlace) -> Self {
        let input = BufReader::with_capacity(GZIP_BUFFER, input);
        Self::Gzip(Box::new(Gunzip::at(input, place.clone())))
    }

    pub(super) const fn compression(&self) -> Option<Compression> {
        match self {
            Self::Plain(_) => None,
            Self::Gzip(_) => Some(Compression::Gzip),
            Self::Zstd(_) => Some(Compression::Zstd),
        }
    }

    /// A place at which no more had been given than so many bytes, where one can be gone on from.
    pub(super) fn place_before(&self, given: u64) -> Option<Arc<GzipPlace>> {
        if let Self::Gzip(gzip) = self { gzip.place_before(given) } else { None }
    }
}

impl Read for Unpacked {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(input) => input.read(buffer),
            Self::Gzip(gzip) => gzip.read(buffer),
            Self::Zstd(zstd) => zstd.read(buffer),
        }
    }
}

/// The content of zstd frames, one after another. ruzstd keeps the last window of a frame back until the frame ends:
/// where it breaks off, this ends it, so that everything before the break is given before the error.
pub(super) struct ZstdFrames<R> {
    source: R,
    decoder: FrameDecoder,
    in_frame: bool,
    broken: Option<io::Error>,
}

impl<R: BufRead> ZstdFrames<R> {
    fn new(source: R) -> Self {
        Self { source, decoder: FrameDecoder::new(), in_frame: false, broken: None }
    }

    /// Begins the next frame; `false` at the end of the source.
    fn begin_frame(&mut self) -> io::Result<bool> {
        while !self.source.fill_buf()?.is_empty() {
            match self.decoder.init(&mut self.source) {
                Ok(()) => {
                    self.in_frame = true;
                    return Ok(true);
                }
                Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame { length, .. })) => {
                    io::copy(&mut self.source.by_ref().take(u64::from(length)), &mut io::sink())?;
                }
                Err(error) => return Err(broken_off(&error)),
            }
        }
        Ok(false)
    }

    fn end_frame(&mut self) {
        self.in_frame = false;
        let (told, found) = (self.decoder.get_checksum_from_data(), self.decoder.get_calculated_checksum());
        if self.broken.is_none() && told.is_some() && told != found {
            self.broken = Some(io::Error::new(ErrorKind::InvalidData, "zstd: the checksum does not match"));
        }
    }

    /// Decodes until there is something to give or the frame ends.
    fn decode(&mut self) {
        while self.decoder.can_collect() == 0 && !self.decoder.is_finished() {
            if let Err(error) = self.decoder.decode_blocks(&mut self.source, BlockDecodingStrategy::UptoBlocks(1)) {
                self.broken = Some(broken_off(&error));
                // A last, empty, raw block (RFC 8878 §3.1.1.2) and a checksum that nobody compares.
                const END: [u8; 7] = [1, 0, 0, 0, 0, 0, 0];
                if self.decoder.decode_blocks(&END[..], BlockDecodingStrategy::UptoBlocks(1)).is_err() {
                    return;
                }
            }
        }
    }
}

impl<R: BufRead> Read for ZstdFrames<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while !buffer.is_empty() {
            if self.in_frame {
                self.decode();
                match self.decoder.read(buffer)? {
                    0 => self.end_frame(),
                    count => return Ok(count),
                }
            }
            if let Some(error) = self.broken.take() {
                return Err(error);
            }
            if !self.begin_frame()? {
                return Ok(0);
            }
        }
        Ok(0)
    }
}

/// In the words of the innermost cause, for those around it show it as code does; an end too soon as that of gzip.
fn broken_off(error: &FrameDecoderError) -> io::Error {
    let mut cause: &(dyn Error + 'static) = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    match cause.downcast_ref::<io::Error>() {
        Some(read) if read.kind() == ErrorKind::UnexpectedEof => ErrorKind::UnexpectedEof.into(),
        _ => io::Error::new(ErrorKind::InvalidData, format!("zstd: {cause}")),
    }
}
