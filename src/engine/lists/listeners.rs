//! Listeners: accept queue, what it dropped, who came in. Of a capture, the ends that answered a SYN.
//!
//! Read first: listen(2), net/ipv4/tcp_input.c (tcp_conn_request), net/core/sock.c (sk_get_meminfo).

use std::cmp::Reverse;

use rustc_hash::FxHashMap;

use crate::base::{Endpoint, Scope, TcpState};
use crate::flow::{Flow, HandshakeOutcome, Side};
use crate::kernel::{Socket, SocketSample};

use super::super::dashboard::AcceptRow;
use super::super::end::owner_in;
use super::super::listening::Listener;
use super::super::opener::listening_ends;
use super::super::queues::share;
use super::super::record::Record;
use super::super::{Engine, Sort};
use super::{CameIn, ListenerRow, ListenerSort, RowKey, sort_by_key};

type Ends = FxHashMap<(Scope, Endpoint), CameIn>;

impl Listener {
    pub(super) fn key(&self) -> RowKey {
        RowKey::Listener(self.scope, self.socket.local, self.socket.cookie.or(self.socket.inode))
    }

    pub(in super::super) fn accept_row(&self) -> AcceptRow {
        AcceptRow {
            local: self.socket.local,
            waiting: self.socket.recv_q,
            limit: self.socket.send_q,
            full_since: self.full_since,
            history: self.history(),
            owner: self.owner.clone(),
        }
    }

    fn row(&self) -> ListenerRow {
        let AcceptRow { local, waiting, limit, history, owner, full_since: _ } = self.accept_row();
        let id = self.socket.cookie.or(self.socket.inode);
        let (waiting, drops) = (Some(waiting), self.socket.drops);
        let (scope, listens) = (self.scope, true);
        ListenerRow { scope, local, id, owner, listens, waiting, limit, history, drops, came_in: None }
    }
}

/// A socket that is bound and nothing more, by the last reading that had any.
fn bound((sample, socket): (&SocketSample, &Socket)) -> ListenerRow {
    let (id, owner) = (socket.cookie.or(socket.inode), owner_in(sample, socket));
    ListenerRow { id, owner, listens: false, ..ListenerRow::new(sample.scope, socket.local) }
}

impl Engine {
    /// By the kernel's last reading where there was one, else by the wire.
    pub(super) fn listener_rows(&self, sort: Sort<ListenerSort>) -> Vec<ListenerRow> {
        let by_kernel = self.kernel.is_seen();
        let mut rows: Vec<ListenerRow> = self.kernel.listeners.iter().map(Listener::row).collect();
        rows.sort_by_key(|row| (row.scope, row.local, row.id));
        let mut ends: Ends = rows.iter().map(|row| ((row.scope, row.local), CameIn::default())).collect();
        for (_, record) in self.table.iter().filter(|(_, record)| came_in(record)) {
            let counted = if by_kernel {
                end_of(&mut ends, record)
            } else {
                Some(ends.entry((record.scope, record.resp)).or_default())
            };
            if let Some(counted) = counted {
                count(counted, record);
            }
        }
        for row in &mut rows {
            row.came_in = ends.remove(&(row.scope, row.local));
        }
        rows.extend(ends.into_iter().map(|((scope, local), came_in)| inferred(scope, local, came_in)));
        let sockets = self.kernel.readings.sockets();
        rows.extend(sockets.filter(|(_, socket)| socket.state.0 == TcpState::Closed).map(bound));
        sort_by_key(&mut rows, sort.reverse, |row| {
            let weight = weight(row, sort.by);
            let process = row.owner.process().filter(|_| sort.by == ListenerSort::Process);
            let name = process.map(|process| (process.comm.clone(), process.pid));
            let only_bound = !row.listens && sort.by == ListenerSort::Worst;
            (Reverse(weight), only_bound, name.is_none(), name, row.local.port(), row.local, row.scope, row.id)
        });
        rows
    }
}

/// An end that only the wire shows to answer.
fn inferred(scope: Scope, local: Endpoint, came_in: CameIn) -> ListenerRow {
    ListenerRow { came_in: Some(came_in), ..ListenerRow::new(scope, local) }
}

/// Whether a connection reached a listener: it answered, or the kernel shows the end that it made.
fn came_in(record: &Record) -> bool {
    use HandshakeOutcome::{Partial, Refused, Waiting};
    match record.wire.as_ref().map(Flow::outcome) {
        Some(Waiting) => record.inferred(Side::Resp) == Some(TcpState::SynRecv),
        Some(outcome) if outcome.is_silence() || outcome == Refused => false,
        Some(Partial) | None => record.orig_known && record.end(Side::Resp).is_some(),
        Some(_) => true,
    }
}

fn end_of<'a>(ends: &'a mut Ends, record: &Record) -> Option<&'a mut CameIn> {
    if !record.local[Side::Resp.index()] {
        return None;
    }
    let listening = listening_ends(record.resp).into_iter().find(|end| ends.contains_key(&(record.scope, *end)))?;
    ends.get_mut(&(record.scope, listening))
}

fn count(counted: &mut CameIn, record: &Record) {
    use HandshakeOutcome::{HalfOpen, Reset, Waiting};
    let state = record.state_of(Side::Resp);
    match state {
        Some(TcpState::SynRecv) => counted.syn_recv += 1,
        Some(TcpState::Estab) => counted.estab += 1,
        Some(TcpState::CloseWait) => counted.close_wait += 1,
        None | Some(TcpState::Closed) => {}
        Some(_) => counted.closing += 1,
    }
    let outcome = record.wire.as_ref().map(Flow::outcome);
    let open = matches!(outcome, Some(Waiting | HalfOpen | Reset)) || state == Some(TcpState::SynRecv);
    counted.completed += u64::from(!open);
}

fn weight(row: &ListenerRow, by: ListenerSort) -> (u64, u64, u64) {
    let came_in = row.came_in.unwrap_or_default();
    match by {
        ListenerSort::Worst => {
            let over = row.waiting.zip(row.limit).is_some_and(|(waiting, limit)| waiting > limit);
            let share = share(row.waiting.unwrap_or(0), row.limit);
            (u64::from(over), u64::from(row.drops.unwrap_or(0) > 0), share.max(came_in.syn_recv))
        }
        ListenerSort::Estab => (came_in.estab, 0, 0),
        ListenerSort::CameIn => (came_in.completed, 0, 0),
        ListenerSort::Port | ListenerSort::Process => (0, 0, 0),
    }
}
