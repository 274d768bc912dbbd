//! Processes that hold TCP sockets, and their descriptors as `lsof -p` lists them; and those that opened connections too
//! short for a reading to find them held.

use std::cmp::Reverse;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::base::TcpState;
use crate::flow::Side;
use crate::kernel::{Owner, Process, Socket};

use super::super::end::End;
use super::super::ownership::Ownership;
use super::super::record::Record;
use super::super::table::{Tuple, side_of};
use super::super::{Engine, Filter, Sort};
use super::{DescriptorRow, ProcessId, ProcessLine, ProcessRow, ProcessSort, sort_by_key};

/// How many processes the overview names.
const BUSIEST: usize = 40;

impl ProcessId {
    /// Of which process.
    pub fn of(process: &Process) -> Self {
        Self { pid: process.pid, start_time: process.start_time }
    }
}

impl Engine {
    /// Every process, each that is in `open` with its descriptors. A filter picks connections; listeners are none.
    pub(super) fn process_lines(
        &self,
        filter: &Filter,
        sort: Sort<ProcessSort>,
        open: &[ProcessId],
    ) -> Vec<ProcessLine> {
        let mut rows = self.holders(filter);
        self.add_callers(filter, &mut rows);
        let rows = self.in_their_order(rows, sort);
        let mut lines = Vec::with_capacity(rows.len());
        let mut descriptors = self.descriptors(filter, open);
        for mut row in rows {
            let of_it = descriptors.remove(&row.id);
            row.open = of_it.is_some();
            lines.push(ProcessLine::Process(row));
            lines.extend(of_it.into_iter().flatten().map(ProcessLine::Descriptor));
        }
        lines
    }

    /// Those with most traffic; `let_go` is what [`Self::let_go`] tells of all flows.
    pub(in super::super) fn busiest(&self, let_go: Vec<(&Arc<Process>, u64)>) -> Vec<ProcessRow> {
        let mut rows = self.holders(&Filter::default());
        rows.add_let_go(let_go);
        let mut rows = self.in_their_order(rows, Sort::default());
        rows.truncate(BUSIEST);
        rows
    }

    /// Whose an end here was that nobody holds any more, with the rate of its last second: of the few flows on which
    /// anything came within that.
    pub(in super::super) fn let_go<'a>(&'a self, record: &'a Record) -> impl Iterator<Item = (&'a Arc<Process>, u64)> {
        let now = self.now.unwrap_or_default();
        let may_tell = !record.is_silent(now) && self.kernel.is_seen();
        Side::BOTH.into_iter().filter(move |_| may_tell).filter_map(move |side| {
            // What is held was counted with its socket.
            let held = |end: &End| end.is_there() && matches!(end.owner, Ownership::Held { .. });
            let known = self.known_at(record, side).filter(|_| !record.end(side).is_some_and(held))?;
            let rate = record.bits_per_s(now).filter(|rate| *rate > 0)?;
            Some((known, rate))
        })
    }

    /// Those that hold sockets, with what these tell.
    fn holders(&self, filter: &Filter) -> Rows {
        let mut rows = Rows::default();
        for (socket, holders, record) in self.held(filter) {
            let rate = record.and_then(|record| record.bits_per_s(self.now.unwrap_or_default()));
            // A process may hold a socket more than once (dup(2)).
            let mut counted: Option<ProcessId> = None;
            for owner in holders {
                let row = rows.of_process(&owner.process);
                if counted.replace(row.id) != Some(row.id) {
                    add(row, socket, record, rate);
                }
            }
        }
        rows
    }

    fn in_their_order(&self, rows: Rows, sort: Sort<ProcessSort>) -> Vec<ProcessRow> {
        let mut rows = rows.all;
        rows.iter_mut().for_each(|row| self.tell_silence(row));
        order(&mut rows, sort);
        rows
    }

    /// Adds what flows tell: which connections a process opened, which it left in TIME-WAIT, and the rate of those that
    /// it let go of within the last second.
    fn add_callers(&self, filter: &Filter, rows: &mut Rows) {
        if !self.kernel.is_seen() {
            return;
        }
        for record in self.matching(filter).map(|(slot, _)| self.table.get(slot)) {
            if let Some(opener) = self.opener(record) {
                rows.of_process(opener).opened += 1;
            }
            for side in Side::BOTH {
                let waits = record.reported(side) == Some(TcpState::TimeWait);
                if let Some(holder) = self.known_at(record, side).filter(|_| waits) {
                    rows.of_process(holder).time_wait += 1;
                }
            }
            rows.add_let_go(self.let_go(record));
        }
    }

    /// Where segments are captured, a process without any connection sends nothing: that is a 0, and known.
    fn tell_silence(&self, row: &mut ProcessRow) {
        if self.wire_seen && row.sockets == row.listen {
            row.bits_per_s.get_or_insert(0);
        }
    }

    /// Who opened a connection: who holds the end that is known to have, or is known to have called connect(). Whoever
    /// merely closed it may be a child.
    fn opener<'a>(&self, record: &'a Record) -> Option<&'a Arc<Process>> {
        let read = record.end(Side::Orig).and_then(|end| end.owner.process()).filter(|_| record.orig_known);
        let traced = || record.connected(Side::Orig).filter(|_| self.is_local(record, Side::Orig) != Some(false));
        read.or_else(|| traced().map(|(process, _)| process))
    }

    /// Whose an end of this host is or was, where that is known.
    fn known_at<'a>(&self, record: &'a Record, side: Side) -> Option<&'a Arc<Process>> {
        let read = record.end(side).and_then(|end| end.owner.process());
        let traced = || record.connected(side).or_else(|| record.closed(side));
        read.or_else(|| traced().filter(|_| self.is_local(record, side) != Some(false)).map(|(process, _)| process))
    }

    /// Sockets that processes hold, with their holders and their flows.
    fn held<'a>(&'a self, filter: &'a Filter) -> impl Iterator<Item = (&'a Socket, &'a [Owner], Option<&'a Record>)> {
        self.kernel.readings.sockets().filter_map(move |(sample, socket)| {
            let holders = sample.owners.by_inode.get(&socket.inode?)?;
            let record = match socket.state.0 {
                TcpState::Listen => None,
                _ => self.table.find(&Tuple::new(sample.scope, socket.local, socket.peer)),
            };
            let record = record.map(|slot| self.table.get(slot));
            let picked = filter.is_empty() || record.is_some_and(|record| filter.matches(self, record));
            picked.then_some((socket, holders.as_slice(), record))
        })
    }

    fn descriptors(&self, filter: &Filter, open: &[ProcessId]) -> FxHashMap<ProcessId, Vec<DescriptorRow>> {
        let mut found: FxHashMap<ProcessId, Vec<DescriptorRow>> = FxHashMap::default();
        if open.is_empty() {
            return found;
        }
        for (socket, holders, record) in self.held(filter) {
            for owner in holders {
                let process = ProcessId::of(&owner.process);
                if open.contains(&process) {
                    let row = DescriptorRow {
                        process,
                        fd: owner.fd,
                        shared: holders.len() > 1,
                        state: socket.state.0,
                        local: socket.local,
                        peer: (socket.state.0 != TcpState::Listen).then_some(socket.peer),
                        recv_q: socket.recv_q,
                        send_q: socket.send_q,
                        flow: record.map(|record| record.id),
                        bits_per_s: record.and_then(|record| record.bits_per_s(self.now.unwrap_or_default())),
                    };
                    found.entry(process).or_default().push(row);
                }
            }
        }
        for rows in found.values_mut() {
            rows.sort_by_key(|row| row.fd);
        }
        found
    }
}

/// Rows by their process.
#[derive(Default)]
struct Rows {
    all: Vec<ProcessRow>,
    places: FxHashMap<ProcessId, usize>,
}

impl Rows {
    /// The row of a process, begun where there was none.
    fn of_process(&mut self, process: &Arc<Process>) -> &mut ProcessRow {
        let id = ProcessId::of(process);
        let place = *self.places.entry(id).or_insert_with(|| {
            self.all.push(begin(id, process));
            self.all.len() - 1
        });
        &mut self.all[place]
    }

    /// Adds the rates of what each let go of.
    fn add_let_go<'a>(&mut self, let_go: impl IntoIterator<Item = (&'a Arc<Process>, u64)>) {
        for (process, rate) in let_go {
            *self.of_process(process).bits_per_s.get_or_insert(0) += rate;
        }
    }
}

fn begin(id: ProcessId, process: &Arc<Process>) -> ProcessRow {
    let process = process.clone();
    ProcessRow {
        id,
        process,
        sockets: 0,
        listen: 0,
        estab: 0,
        close_wait: 0,
        opened: 0,
        time_wait: 0,
        recv_q: 0,
        send_q: 0,
        bits_per_s: None,
        open: false,
    }
}

fn add(row: &mut ProcessRow, socket: &Socket, record: Option<&Record>, rate: Option<u64>) {
    row.sockets += 1;
    match socket.state.0 {
        // A listener's queues count connections, not bytes.
        TcpState::Listen => {
            row.listen += 1;
            return;
        }
        TcpState::Estab => row.estab += 1,
        TcpState::CloseWait => row.close_wait += 1,
        _ => {}
    }
    let end = record.and_then(|record| record.end(side_of(record, socket.local)));
    row.recv_q += end.map_or(0, |end| u64::from(end.unread()));
    row.send_q += end.map_or(0, |end| u64::from(end.unsent()));
    if let Some(rate) = rate {
        *row.bits_per_s.get_or_insert(0) += rate;
    }
}

fn order(rows: &mut [ProcessRow], sort: Sort<ProcessSort>) {
    sort_by_key(rows, sort.reverse, |row| {
        let weight = match sort.by {
            ProcessSort::Rate => (row.bits_per_s.unwrap_or(0), row.sockets),
            ProcessSort::Sockets => (row.sockets, row.opened),
            ProcessSort::RecvQ => (row.recv_q, row.sockets),
            ProcessSort::SendQ => (row.send_q, row.sockets),
            ProcessSort::CloseWait => (row.close_wait, row.sockets),
            ProcessSort::Name | ProcessSort::Pid => (0, 0),
        };
        let name = (sort.by == ProcessSort::Name).then(|| row.process.comm.clone());
        (Reverse(weight), name, row.id)
    });
}
