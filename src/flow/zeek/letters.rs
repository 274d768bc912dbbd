//! §6: which letters a segment writes into the history.

use super::Side;
use super::end::State;
use super::holes::Aside;
use super::row::Row;
use crate::wire::Segment;

/// One bit a kind of letter that is written once a side; S and H share theirs.
const SYN: u8 = 1;
const FIN: u8 = 1 << 1;
const RST: u8 = 1 << 2;
const FIN_RST: u8 = 1 << 3;
const MULTI: u8 = 1 << 4;
pub(super) const DATA: u8 = 1 << 5;
pub(super) const ACK: u8 = 1 << 6;

impl Row {
    /// Writes a letter in the case of `role`.
    pub(super) fn write(&mut self, role: Side, letter: u8) {
        self.history.push(match role {
            Side::Orig => letter,
            Side::Resp => letter.to_ascii_lowercase(),
        });
    }

    /// Writes the letter if the side has not yet had one of this kind. Returns whether it had.
    fn once(&mut self, role: Side, kind: u8, letter: u8) -> bool {
        let seen = &mut self.seen[role.index()];
        let had = *seen & kind != 0;
        *seen |= kind;
        if !had {
            self.write(role, letter);
        }
        had
    }

    /// The main letter: one test a segment. `rel` is its relative number.
    pub(super) fn main_letter(&mut self, segment: &Segment, role: Side, rel: i64) {
        let flags = segment.flags;
        match (flags.syn(), flags.fin(), flags.rst()) {
            (_, true, true) => _ = self.once(role, FIN_RST, b'I'),
            (true, true, _) | (true, _, true) => _ = self.once(role, MULTI, b'Q'),
            (true, false, false) => {
                let letter = if flags.ack() { b'H' } else { b'S' };
                // A SYN that begins the numbers anew is always at 0; only one after a close is elsewhere.
                if self.once(role, SYN, letter) && rel != 0 {
                    self.write(role, letter);
                }
            }
            (false, true, false) => {
                let end = rel + i64::from(segment.payload_len) + 1;
                if self.once(role, FIN, b'F') && end as u32 != self.ends[role.index()].fin_end {
                    self.write(role, b'F');
                }
            }
            (false, false, true) => {
                if self.once(role, RST, b'R') && rel as u32 != self.ends[role.index()].last_rst {
                    self.write(role, b'R');
                }
                self.ends[role.index()].last_rst = rel as u32;
            }
            (false, false, false) if flags.ack() || segment.payload_len > 0 => {
                self.letter_of_text(segment.payload_len, role);
            }
            (false, false, false) => {}
        }
    }

    /// The main letter of data, or of an ack without.
    #[inline]
    pub(super) fn letter_of_text(&mut self, payload_len: u32, role: Side) {
        let (kind, letter) = if payload_len > 0 { (DATA, b'D') } else { (ACK, b'A') };
        self.once(role, kind, letter);
    }

    /// A zero window counts unless nobody can use one: of a RST or after it, and once the peer sent its FIN.
    pub(super) fn zero_window(&mut self, segment: &Segment, role: Side) {
        let [end, peer] = self.pair(role);
        if segment.window == 0 && !segment.flags.rst() && peer.state != State::Closed && end.state != State::Reset {
            self.scaled(role, b'W', |aside| &mut aside.zero_windows);
        }
    }

    pub(super) fn retransmitted(&mut self, role: Side) {
        self.scaled(role, b'T', |aside| &mut aside.retransmissions);
    }

    /// A hole in what `role` sent, `missed` bytes long; told only where both ends are clean.
    pub(super) fn gap(&mut self, role: Side, missed: u64) {
        if self.ends.iter().all(super::end::End::is_clean) {
            self.scaled(role, b'G', |aside| &mut aside.gaps);
            self.with_aside(role, |aside, _| aside.missed = aside.missed.saturating_add(missed));
        }
    }

    /// Counts, and writes the letter at 1, 10, 100 …
    fn scaled(&mut self, role: Side, letter: u8, counter: fn(&mut Aside) -> &mut u32) {
        let count = self.with_aside(role, |aside, _| {
            let counter = counter(aside);
            *counter = counter.saturating_add(1);
            *counter
        });
        if 10_u32.pow(count.ilog10()) == count {
            self.write(role, letter);
        }
    }
}
