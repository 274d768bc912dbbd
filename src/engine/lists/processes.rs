//! Processes that hold TCP sockets, and their descriptors as `lsof -p` lists them; and those that opened connections too
//! short for a reading to find them held.

use std::cmp::Reverse;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::base::TcpState;
use crate::flow::Side;
use crate::kernel::{Owner, Process, Socket};

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
        let mut rows = self.process_rows(filter);
        self.add_callers(filter, &mut rows);
        rows.iter_mut().for_each(|row| self.tell_silence(row));
        order(&mut rows, sort);
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

    /// Those with most traffic.
    pub(in super::super) fn busiest(&self) -> Vec<ProcessRow> {
        let mut rows = self.process_rows(&Filter::default());
        rows.iter_mut().for_each(|row| self.tell_silence(row));
        order(&mut rows, Sort::default());
        rows.truncate(BUSIEST);
        rows
    }

    fn process_rows(&self, filter: &Filter) -> Vec<ProcessRow> {
        let mut rows: FxHashMap<ProcessId, ProcessRow> = FxHashMap::default();
        for (socket, holders, record) in self.held(filter) {
            let rate = record.and_then(|record| record.bits_per_s(self.now.unwrap_or_default()));
            // A process may hold a socket more than once (dup(2)).
            let mut counted: Option<ProcessId> = None;
            for owner in holders {
                let id = ProcessId::of(&owner.process);
                let row = rows.entry(id).or_insert_with(|| begin(id, &owner.process));
                if counted.replace(id) != Some(id) {
                    add(row, socket, record, rate);
                }
            }
        }
        rows.into_values().collect()
    }

    /// Adds what flows tell: which connections a process opened, which it left in TIME-WAIT, and the rate of those that
    /// it let go of within the last second.
    fn add_callers(&self, filter: &Filter, rows: &mut Vec<ProcessRow>) {
        if self.kernel.readings.newest().is_none() {
            return;
        }
        let mut places: FxHashMap<ProcessId, usize> = rows.iter().enumerate().map(|(at, row)| (row.id, at)).collect();
        let mut add = |process: &Arc<Process>, change: &dyn Fn(&mut ProcessRow)| {
            let id = ProcessId::of(process);
            let place = *places.entry(id).or_insert_with(|| {
                rows.push(begin(id, process));
                rows.len() - 1
            });
            change(&mut rows[place]);
        };
        for record in self.matching(filter).map(|(slot, _)| self.table.get(slot)) {
            if let Some(opener) = self.opener(record) {
                add(opener, &|row| row.opened += 1);
            }
            let rate = record.bits_per_s(self.now.unwrap_or_default()).filter(|rate| *rate > 0);
            for side in Side::BOTH {
                let Some(known) = self.known_at(record, side) else { continue };
                let end = record.end(side);
                if end.is_some_and(|end| end.is_there() && end.socket.state.0 == TcpState::TimeWait) {
                    add(known, &|row| row.time_wait += 1);
                }
                // What is held was counted with its socket.
                let held = end.is_some_and(|end| end.is_there() && matches!(end.owner, Ownership::Held { .. }));
                if let Some(rate) = rate.filter(|_| !held) {
                    add(known, &|row| *row.bits_per_s.get_or_insert(0) += rate);
                }
            }
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
        read.or_else(|| record.connected(Side::Orig).filter(|_| self.is_here(record, Side::Orig)).map(|(who, _)| who))
    }

    fn is_here(&self, record: &Record, side: Side) -> bool {
        self.addresses.is_none() || record.local[side.index()]
    }

    /// Whose an end of this host is or was, where that is known.
    fn known_at<'a>(&self, record: &'a Record, side: Side) -> Option<&'a Arc<Process>> {
        let read = record.end(side).and_then(|end| end.owner.process());
        let traced = || record.connected(side).or_else(|| record.closed(side)).map(|(process, _)| process);
        read.or_else(|| traced().filter(|_| self.is_here(record, side)))
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
