//! Who leaves bytes unread: by the kernel's word, and where it has none by closed windows, of which the kernel of the
//! peer tells, or the wire.

use std::cmp::Reverse;
use std::time::Duration;

use crate::base::{TcpState, Timestamp};
use crate::findings::{Seen, Unread};
use crate::flow::Side;

use super::super::Engine;
use super::super::dashboard::WireQueueRow;
use super::super::end::{End, bytes_read};
use super::super::record::Record;
use super::super::table::side_of;
use super::holder;

/// What was read of lately is not even offered.
const LATELY: Duration = Duration::from_secs(1);
/// Offered at most, the fullest first.
const OFFERED: usize = 1024;

impl Engine {
    pub(super) fn unread(&self, wire_queues: &[WireQueueRow], now: Timestamp) -> Vec<Unread> {
        let mut all: Vec<Unread> =
            self.present_ends().filter_map(|(record, end)| self.unread_by_kernel(record, end, now)).collect();
        all.sort_by_key(|unread| match unread.seen {
            Seen::Kernel { bytes, .. } => (Reverse(bytes), unread.flow),
            Seen::Persist { .. } | Seen::Wire => (Reverse(0), unread.flow),
        });
        all.truncate(OFFERED);
        all.extend(self.present_ends().filter_map(|(record, end)| unread_by_peer(record, end, now)).take(OFFERED));
        all.extend(wire_queues.iter().filter_map(|row| self.unread_by_wire(row)));
        all
    }

    fn unread_by_kernel(&self, record: &Record, end: &End, now: Timestamp) -> Option<Unread> {
        let since = end.unread_since.filter(|since| end.is_there() && now.since(*since) > LATELY)?;
        let accepted = end.socket.inode.is_some();
        // What nobody holds is either not accepted yet, or closed: then nobody will read it.
        if !accepted && !matches!(end.socket.state.0, TcpState::Estab | TcpState::CloseWait) {
            return None;
        }
        let side = side_of(record, end.socket.local);
        Some(Unread {
            flow: record.id,
            local: end.socket.local,
            peer: end.socket.peer,
            seen: Seen::Kernel {
                bytes: end.unread(),
                limit: end.socket.buffers.map(|(limit, _)| limit),
                exact: bytes_read(&end.socket).is_some(),
                accepted,
                peer_closed: end.socket.state.0 == TcpState::CloseWait,
            },
            since,
            closed: record.wire.as_ref().and_then(|flow| flow.zero_window_since(side)),
            who: holder(&end.owner),
        })
    }

    fn unread_by_wire(&self, row: &WireQueueRow) -> Option<Unread> {
        let since = row.zero_window_since?;
        let record = self.table.get(self.table.find_id(row.flow)?);
        let side = if record.endpoint(Side::Orig) == row.to { Side::Orig } else { Side::Resp };
        // Where the kernel shows the end, its Recv-Q has the word; and a peer's that probes the window tells more.
        let told = record.end(side).is_some() || record.end(side.peer()).is_some_and(|end| end.probes_since.is_some());
        (!told).then_some(Unread {
            flow: row.flow,
            local: row.to,
            peer: row.from,
            seen: Seen::Wire,
            since,
            closed: Some(since),
            who: None,
        })
    }
}

/// The peer of `end`, where the kernel shows that `end` waits for its window to open.
fn unread_by_peer(record: &Record, end: &End, now: Timestamp) -> Option<Unread> {
    let probed = end.probes_since?;
    let reader = side_of(record, end.socket.local).peer();
    let closed = record.wire.as_ref().and_then(|flow| flow.zero_window_since(reader));
    let since = closed.map_or(probed, |closed| closed.min(probed));
    let told = record.end(reader).is_some() || now.since(since) <= LATELY;
    (!told).then(|| Unread {
        flow: record.id,
        local: end.socket.peer,
        peer: end.socket.local,
        seen: Seen::Persist {
            send_q: end.unsent(),
            probes: end.socket.timer.map_or(0, |timer| timer.retries),
            since: probed,
        },
        since,
        closed,
        who: None,
    })
}
