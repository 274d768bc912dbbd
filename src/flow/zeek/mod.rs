//! Zeek's view of a tuple: the rows that its connection log would have of it, told by a machine of its own.
//!
//! May touch what `flow` may. This machine stands beside [`Flow`](super::Flow), which says what the endpoints' TCPs
//! must be doing (RFC 9293); this one says what Zeek says, with its timers (5 s for an unanswered SYN, 5 s after a
//! close, 60 s and 300 s of silence), its guess of the originator by ports, and its letters. The two may disagree, and
//! neither asks the other. The rules were read off Zeek 9.1's `TCPSessionAdapter`, `TCP_Endpoint`, `TCP_Reassembler`
//! and `base/protocols/conn/main.zeek`, default settings without `-b`, checksums ignored (`-C`).
//!
//! What it leaves out: letters C (a wrong checksum: offload makes good segments look wrong) and X (a limit of Zeek's
//! parsers); `ip_bytes`; rows of damaged headers only, which are no segments here; payload cut by the snap length
//! counts as seen (Zeek calls it missed, letter G); SSH and FTP are known by port and not by content, so elsewhere
//! their hour of silence is not granted. Zeek's check every 6 s decides only of damaged headers.
//!
//! The rules are numbered: §2 rows and originator; §3 the states and, of a segment, 1 set-up, 2 main letter, 3 zero
//! window, 4 last time, 5 ack of the peer, 6 own highest number, 7 step of the state, 8 holes that the ack shows,
//! 9 payload, 10 close, 11 counts; §4 conn_state; §5 closing; §6 letters; §7 bytes.
//! Read first: `row` (a segment's way through), then `states` (the tables), `letters`, `end`, `holes`.

mod end;
mod history;
mod holes;
mod letters;
mod plain;
mod ports;
mod row;
mod states;
mod view;

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod trace;

pub use history::History;
pub(super) use plain::{LITTLE, SHORTEST};
pub use view::{ConnState, RowEnd, ZeekRow, ZeekView};

use super::Side;
use crate::base::{Packing, Timestamp};
use crate::wire::Segment;
use row::Row;

/// Rows kept of one tuple; those beyond are counted.
const ROWS: usize = 64;

/// What Zeek would log of one tuple, from its first segment on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Zeek {
    row: Row,
    ended: Option<Box<Ended>>,
}

/// The rows before the current one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Ended {
    rows: Vec<ZeekRow>,
    beyond: u32,
}

impl Zeek {
    /// What it holds beside itself, bytes.
    pub fn held(&self) -> usize {
        let rows = |ended: &Ended| ended.rows.capacity() * size_of::<ZeekRow>();
        let ended = self.ended.as_ref().map_or(0, |ended| size_of::<Ended>() + rows(ended));
        let runs = |aside: &[holes::Aside; 2]| aside.iter().map(holes::Aside::held).sum::<usize>();
        ended + self.row.aside.as_ref().map_or(0, |aside| size_of_val(&**aside) + runs(aside))
    }

    /// To be unpacked into.
    pub fn blank() -> Self {
        Self { row: Row::empty(Timestamp::MIN, Side::Orig), ended: None }
    }

    /// Whether its row is the only one so far.
    pub const fn has_one_row(&self) -> bool {
        self.ended.is_none()
    }

    /// Packs, or unpacks, all that is kept of a tuple with one row.
    pub fn pack(&mut self, into: &mut impl Packing) {
        let Self { row, ended: _ } = self;
        row.pack(into);
    }

    /// Gives back what it holds and does not need just now.
    pub fn shrink(&mut self) {
        self.ended.iter_mut().for_each(|ended| ended.rows.shrink_to_fit());
    }

    /// A tuple whose first segment is `segment`, sent by the end that the flow calls `from`.
    pub fn new(segment: &Segment, from: Side) -> Self {
        Self { row: Row::begin(segment, from), ended: None }
    }

    /// Takes in a segment: due timers first, then the test of reuse, then the machine.
    pub fn feed(&mut self, segment: &Segment, from: Side) {
        if self.row.take_plain(segment, from) {
            return;
        }
        let end = self.row.due(segment.ts);
        match end.or_else(|| self.row.is_reused_by(segment).then_some(RowEnd::Reused)) {
            None => self.row.take(segment, from),
            Some(why) => {
                let row = std::mem::replace(&mut self.row, Row::begin(segment, from)).tell(Some(why));
                let ended = self.ended.get_or_insert_default();
                if ended.rows.len() < ROWS - 1 {
                    ended.rows.push(row);
                } else {
                    ended.beyond = ended.beyond.saturating_add(1);
                }
            }
        }
    }

    /// A SYN at `at` began a connection on the same tuple, which is told elsewhere.
    pub fn replaced(&mut self, at: Timestamp) {
        self.row.replace(at);
    }

    /// The flow's originator and responder were exchanged: only the sides' names change.
    pub fn turn_around(&mut self) {
        self.row.turn_around();
        for row in self.ended.iter_mut().flat_map(|ended| &mut ended.rows) {
            row.orig = row.orig.peer();
        }
    }

    /// The rows as they would be written at `now`.
    pub fn rows(&self, now: Timestamp) -> ZeekView {
        let ended = self.ended.as_deref();
        let mut rows = ended.map(|ended| ended.rows.clone()).unwrap_or_default();
        rows.push(self.row.tell(self.row.due(now)));
        ZeekView { rows, beyond: ended.map_or(0, |ended| ended.beyond) }
    }
}
