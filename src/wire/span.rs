//! A part of a frame: the bytes of it that were captured, and how long it was on the wire.

/// Bytes from one header on. `wire_len` is never less than the captured length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) wire_len: u32,
}

impl<'a> Span<'a> {
    /// What was captured was on the wire, whatever `wire_len` claims.
    pub(super) fn new(bytes: &'a [u8], wire_len: u32) -> Self {
        Self { bytes, wire_len: wire_len.max(length(bytes)) }
    }

    /// What follows `header` bytes; `None` if they were not all captured.
    pub(super) fn skip(self, header: usize) -> Option<Self> {
        let bytes = self.bytes.get(header..)?;
        Some(Self { bytes, wire_len: self.wire_len - u32::try_from(header).ok()? })
    }

    /// A header of `N` bytes and what follows it.
    pub(super) fn header<const N: usize>(self) -> Option<([u8; N], Self)> {
        let header = *self.bytes.first_chunk::<N>()?;
        Some((header, self.skip(N)?))
    }

    /// At most `len` bytes of it: what a length field leaves when padding or a trailer follows.
    pub(super) fn limit(self, len: u32) -> Self {
        let captured = usize::try_from(len).unwrap_or(usize::MAX).min(self.bytes.len());
        Self { bytes: &self.bytes[..captured], wire_len: self.wire_len.min(len) }
    }

    /// The big-endian number at `at`.
    pub(super) fn u16(self, at: usize) -> Option<u16> {
        self.bytes.get(at..)?.first_chunk().map(|bytes| u16::from_be_bytes(*bytes))
    }

    /// The big-endian number at `at`.
    pub(super) fn u32(self, at: usize) -> Option<u32> {
        self.bytes.get(at..)?.first_chunk().map(|bytes| u32::from_be_bytes(*bytes))
    }

    pub(super) fn u8(self, at: usize) -> Option<u8> {
        self.bytes.get(at).copied()
    }
}

fn length(bytes: &[u8]) -> u32 {
    u32::try_from(bytes.len()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_lengths_follow_a_header_and_a_limit() {
        let span = Span::new(&[1, 2, 3, 4, 5], 9);
        assert_eq!(span.skip(2), Some(Span { bytes: &[3, 4, 5], wire_len: 7 }));
        assert_eq!(span.skip(5), Some(Span { bytes: &[], wire_len: 4 }));
        assert_eq!(span.skip(6), None, "on the wire, but not captured");
        assert_eq!(span.limit(7), Span { bytes: &[1, 2, 3, 4, 5], wire_len: 7 });
        assert_eq!(span.limit(2), Span { bytes: &[1, 2], wire_len: 2 });
        assert_eq!(Span::new(&[1, 2], 0).wire_len, 2);
        assert_eq!(span.header::<2>(), Some(([1, 2], Span { bytes: &[3, 4, 5], wire_len: 7 })));
        assert_eq!((span.u16(3), span.u16(4), span.u32(1)), (Some(0x0405), None, Some(0x0203_0405)));
    }
}
