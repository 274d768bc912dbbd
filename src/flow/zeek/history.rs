//! The history: one letter an event, upper case of the originator, lower case of the responder, `^` for a swap.

use std::fmt;

use crate::base::Packing;

/// Zeek's history of a connection, of at most [`History::MOST`] letters.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct History {
    letters: [u8; Self::MOST],
    /// How many letters; one more than there is room for if some were dropped.
    len: u8,
}

impl History {
    /// Letters kept. Each side has eight kinds, and those that repeat do so at 1, 10, 100 …
    pub const MOST: usize = 28;

    /// Of a connection of which nothing is told.
    pub const fn new() -> Self {
        Self { letters: [0; Self::MOST], len: 0 }
    }

    pub(super) fn push(&mut self, letter: u8) {
        if let Some(slot) = self.letters.get_mut(usize::from(self.len)) {
            *slot = letter;
        }
        self.len = self.len.saturating_add(1).min(Self::MOST as u8 + 1);
    }

    pub(super) fn pack(&mut self, into: &mut impl Packing) {
        const TOGETHER: usize = size_of::<u64>();
        let Self { letters, len } = self;
        into.bits_as(len, 5, u64::from, |len| len as u8);
        let count = usize::from(*len).min(Self::MOST);
        for some in letters[..count].chunks_mut(TOGETHER) {
            let mut word = [0; TOGETHER];
            word[..some.len()].copy_from_slice(some);
            let mut told = u64::from_le_bytes(word);
            into.bits(&mut told, some.len() as u32 * u8::BITS);
            some.copy_from_slice(&told.to_le_bytes()[..some.len()]);
        }
    }

    /// The letters; empty if there was none (Zeek writes `-`).
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(self.as_bytes()).unwrap_or_default()
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.letters[..usize::from(self.len).min(Self::MOST)]
    }

    /// Whether there were more letters than are kept.
    pub const fn is_cut(&self) -> bool {
        self.len > Self::MOST as u8
    }
}

impl Default for History {
    fn default() -> Self {
        Self::new()
    }
}

impl FromIterator<u8> for History {
    fn from_iter<T: IntoIterator<Item = u8>>(letters: T) -> Self {
        let mut history = Self::new();
        letters.into_iter().for_each(|letter| history.push(letter));
        history
    }
}

impl fmt::Debug for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// As Zeek writes it, with `…` where letters were dropped.
impl fmt::Display for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.len == 0 { "-" } else { self.as_str() })?;
        f.write_str(if self.is_cut() { "…" } else { "" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_room_is_said() {
        assert_eq!(History::new().to_string(), "-");
        let full: History = [b'T'; History::MOST].into_iter().collect();
        assert!(!full.is_cut());
        let more: History = [b'T'; History::MOST + 1].into_iter().collect();
        assert!(more.is_cut());
        assert_eq!(more.to_string(), format!("{full}…"));
    }
}
