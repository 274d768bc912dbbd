//! What the kernel tells as it happens, between two readings of the socket table.

use std::sync::Arc;

use super::sample::{Process, TcpInfo};
use crate::base::{Endpoint, Scope, Timestamp};

/// Something that happened in the kernel.
#[derive(Debug, Clone, PartialEq)]
pub enum KernelEvent {
    /// From here on every connect(2) is told, but for those lost.
    Tracing(Timestamp),
    Connect(Connect),
    Close(Close),
    /// Events were lost; what they said is not known.
    Lost(LostEvents),
    /// From here on the last word on every connection's socket is told, but for those lost.
    LastWords(Timestamp),
    LastWord(LastWord),
    LastWordsLost(LostEvents),
}

impl KernelEvent {
    /// When it was known.
    pub const fn ts(&self) -> Timestamp {
        match self {
            Self::Tracing(ts) => *ts,
            Self::Connect(connect) => connect.end,
            Self::Close(close) => close.ts,
            Self::Lost(lost) | Self::LastWordsLost(lost) => lost.ts,
            Self::LastWords(ts) => *ts,
            Self::LastWord(word) => word.ts,
        }
    }
}

/// A process called connect(2), and what became of it is known; or held the socket at `end`, a moment after its SYN.
/// The SYN was sent between `begin` and `end`.
#[derive(Debug, Clone, PartialEq)]
pub struct Connect {
    pub begin: Timestamp,
    pub end: Timestamp,
    pub scope: Scope,
    /// The connecting socket's own end.
    pub local: Endpoint,
    pub peer: Endpoint,
    /// `None` where it is not known who called.
    pub process: Option<Arc<Process>>,
    /// Whether the caller lives in the network namespace that is watched; `None` where that could not be asked any
    /// more.
    pub here: Option<bool>,
    /// The socket was given its port by bind(2) before: no other connect() gets that port, whereto ever. False where
    /// that is not told.
    pub bound: bool,
    /// Whether the socket was connected at `end` (it went to ESTAB), or was not any more to be (CLOSED); `None` where
    /// that is not told.
    pub connected: Option<bool>,
    pub rung: Rung,
}

/// A process of the network namespace that is watched closed its end of a connection, or shut down its sending.
#[derive(Debug, Clone, PartialEq)]
pub struct Close {
    pub ts: Timestamp,
    pub scope: Scope,
    pub local: Endpoint,
    pub peer: Endpoint,
    pub process: Arc<Process>,
    pub rung: Rung,
}

/// What the kernel said of a connection's socket when it let go of it (sock_diag's destroy notification): its final
/// counts. An end that closed first may wait in TIME-WAIT after that, which needs no socket.
#[derive(Debug, Clone, PartialEq)]
pub struct LastWord {
    /// When it was heard, a moment after the socket was let go.
    pub ts: Timestamp,
    pub scope: Scope,
    pub local: Endpoint,
    pub peer: Endpoint,
    /// As [`super::Socket::cookie`].
    pub cookie: Option<u64>,
    /// Bytes that were received and never read, plus one for a FIN that was not.
    pub unread: u32,
    pub info: Box<TcpInfo>,
}

/// Events lost since the source began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LostEvents {
    /// They are of the time between these instants.
    pub ts: Timestamp,
    pub until: Timestamp,
    pub total: u64,
}

/// How an owner was found: rungs of the ladder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rung {
    /// The kernel's own record of connect(2) (tracefs).
    Trace,
    /// A look-up of the socket at its SYN, and a search of the newest processes for it.
    Syn,
    /// File descriptors of processes, read beside the socket table.
    Scan,
}

impl Rung {
    /// Its name on the screen, in exports and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Trace => "trace",
            Self::Syn => "syn",
            Self::Scan => "scan",
        }
    }
}
