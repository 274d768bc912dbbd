//! What Zeek's rows tell: plain values for screens and reports.

use std::time::Duration;

use super::{History, Side};
use crate::base::Timestamp;

/// How a connection went, by Zeek's `conn_state`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ConnState {
    S0,
    S1,
    Sf,
    Rej,
    S2,
    S3,
    Rsto,
    Rstr,
    Rstos0,
    Rstrh,
    Sh,
    Shr,
    Oth,
}

impl ConnState {
    /// As Zeek writes it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::S0 => "S0",
            Self::S1 => "S1",
            Self::Sf => "SF",
            Self::Rej => "REJ",
            Self::S2 => "S2",
            Self::S3 => "S3",
            Self::Rsto => "RSTO",
            Self::Rstr => "RSTR",
            Self::Rstos0 => "RSTOS0",
            Self::Rstrh => "RSTRH",
            Self::Sh => "SH",
            Self::Shr => "SHR",
            Self::Oth => "OTH",
        }
    }

    /// In words; orig and resp are Zeek's.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::S0 => "SYN sent, no answer",
            Self::S1 => "established, not ended",
            Self::Sf => "closed by both",
            Self::Rej => "rejected by resp",
            Self::S2 => "closed by orig, not by resp",
            Self::S3 => "closed by resp, not by orig",
            Self::Rsto => "reset by orig",
            Self::Rstr => "reset by resp",
            Self::Rstos0 => "orig sent SYN, then RST",
            Self::Rstrh => "reset by resp, orig not heard in full",
            Self::Sh => "closed by orig, resp not heard in full",
            Self::Shr => "closed by resp, orig not heard in full",
            Self::Oth => "none of the others",
        }
    }
}

/// Why a row ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RowEnd {
    /// 5 s after the close was complete.
    Closed,
    /// 5 s after a SYN or SYN-ACK that nothing answered.
    Unanswered,
    /// After 60 s of silence in the handshake, 300 s after it (an hour for logins).
    Idle,
    /// A SYN began another connection.
    Reused,
}

impl RowEnd {
    pub(super) const ALL: [Self; 4] = [Self::Closed, Self::Unanswered, Self::Idle, Self::Reused];

    /// In a word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Unanswered => "unanswered",
            Self::Idle => "idle",
            Self::Reused => "reused",
        }
    }
}

/// One row of Zeek's connection log. Pairs are the originator's, then the responder's, as Zeek has them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ZeekRow {
    pub first: Timestamp,
    /// Until the last segment before both had closed; `None` if it is not over 0.
    pub duration: Option<Duration>,
    /// What the flow calls Zeek's originator.
    pub orig: Side,
    pub conn_state: ConnState,
    pub history: History,
    /// Payload bytes by sequence numbers, each once; what was acknowledged and not captured is counted. Filled as Zeek
    /// fills it: only beside a duration.
    pub bytes: Option<[u64; 2]>,
    pub packets: [u32; 2],
    /// Bytes of both sides that were acknowledged and not captured.
    pub missed_bytes: u64,
    /// A side reached ESTABLISHED.
    pub established: bool,
    /// Why it ended; `None` if it would still go on.
    pub ended: Option<RowEnd>,
}

/// The rows of a tuple, in order of time; there is at least one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ZeekView {
    pub rows: Vec<ZeekRow>,
    /// Rows that ended after the table of rows was full, before the last one shown.
    pub beyond: u32,
}

impl ZeekView {
    /// The row for a line that has room for one: the first that was established, else the first.
    pub fn chosen(&self) -> Option<&ZeekRow> {
        self.rows.get(self.chosen_at())
    }

    /// Its place among the rows.
    pub fn chosen_at(&self) -> usize {
        self.rows.iter().position(|row| row.established).unwrap_or(0)
    }

    /// How many rows there are, those not kept included.
    pub fn count(&self) -> u64 {
        self.rows.len() as u64 + u64::from(self.beyond)
    }
}
