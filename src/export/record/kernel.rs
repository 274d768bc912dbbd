//! What else the kernel says of a socket: its memory, and its last word.

use serde::Serialize;

use crate::base::Timestamp;
use crate::kernel::{LastWord, Memory, Socket};

use super::InfoRecord;

/// Kernel memory that a socket takes (INET_DIAG_SKMEMINFO, as `ss -m` prints it).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MemoryRecord {
    /// Taken by what was received (of `recv_buffer_bytes`), and by what waits to be sent or acknowledged (of
    /// `send_buffer_bytes`).
    pub recv_bytes: u32,
    pub send_bytes: u32,
    /// Arrived while the socket was in use, and not yet looked at.
    pub backlog_bytes: u32,
    /// Packets that the socket dropped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drops: Option<u32>,
}

impl MemoryRecord {
    pub(super) fn of(socket: &Socket) -> Option<Self> {
        let Memory { recv, queued, backlog, .. } = socket.memory?;
        Some(Self { recv_bytes: recv, send_bytes: queued, backlog_bytes: backlog, drops: socket.drops })
    }
}

/// The kernel's last word on the end's socket, when it let go of it: the final counts.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LastWordRecord {
    /// When it was heard, a moment after.
    pub at_ns: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cookie: Option<u64>,
    /// Received and never read by the process; a FIN that was not read counts one.
    pub unread_bytes: u32,
    /// SYN and FIN count one each in `acked_bytes`, the peer's FIN in `received_bytes`.
    #[serde(flatten)]
    pub info: InfoRecord,
}

impl LastWordRecord {
    pub(super) fn of(word: &LastWord) -> Self {
        let LastWord { ts, cookie, unread, info, .. } = word;
        Self { at_ns: Timestamp::nanos(*ts), cookie: *cookie, unread_bytes: *unread, info: InfoRecord::of(info) }
    }
}
