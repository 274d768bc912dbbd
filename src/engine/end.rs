//! The kernel's side of one end of a connection: its last reading, its queues over time, who held it.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use crate::base::{StateSet, TcpState, Timestamp};
use crate::kernel::{Owner, Owners, Process, Socket, SocketSample, TimerKind};

use super::dashboard::SocketDetail;
use super::ownership::Ownership;
use super::probing::Probing;

/// Readings kept of a queue that is or was lately not empty.
const KEPT: usize = 60;
/// A state inferred from the wire may run ahead of a reading by the time the reading and the capture take.
const SAMPLING_DELAY: Duration = Duration::from_millis(250);

/// How late the kernel's timer wheel may end TIME-WAIT's 60 s: an eighth (kernel/time/timer.c, granularity of levels).
const TIMER_SLACK: Duration = Duration::from_millis(7_500);

/// What the kernel said of one end.
#[derive(Debug, Clone)]
pub(super) struct End {
    pub(super) socket: Socket,
    /// When it was last read, and in which reading.
    pub(super) at: Timestamp,
    pub(super) reading: u64,
    /// When that reading began: its timer was read no sooner.
    pub(super) began: Timestamp,
    /// It was absent at this instant: the kernel holds it no more.
    pub(super) gone: Option<Timestamp>,
    /// It has left the state that it was last read in, and of these, in which it may be now if it is at all, no reading
    /// has told since.
    pub(super) left: Option<(Timestamp, StateSet)>,
    /// Readings in a row of its state that it was not in, where that may happen.
    pub(super) missed: u32,
    /// Its cookie, where it was read of the socket itself. What waits in TIME-WAIT has the socket's cookie only if that
    /// was asked for before (net/core/sock_diag.c: a cookie is made when it is first asked for), and else one of its
    /// own.
    pub(super) cookie: Option<u64>,
    /// A look-up of it alone has found it.
    pub(super) looked_up: bool,
    /// The first of the readings in a row that had it in its state.
    pub(super) state_since: Timestamp,
    /// Since when its process has read nothing of the bytes that wait.
    pub(super) unread_since: Option<Timestamp>,
    /// The first of the readings in a row that had it probe its peer's closed window (persist timer).
    pub(super) probes_since: Option<Timestamp>,
    /// Its keepalive probes that are not answered.
    pub(super) probing: Option<Probing>,
    pub(super) owner: Ownership,
    /// The last process seen to hold it.
    last_holder: Option<Arc<Process>>,
    pub(super) recv: QueueHistory,
    pub(super) send: QueueHistory,
    /// Since when inferred and reported state disagree, and in how many readings in a row.
    mismatch: Option<(Timestamp, u32)>,
}

impl End {
    pub(super) fn new(socket: Socket, at: Timestamp, reading: u64) -> Self {
        let mut end = Self {
            socket: socket.clone(),
            at,
            reading,
            began: at,
            gone: None,
            left: None,
            missed: 0,
            cookie: None,
            looked_up: false,
            state_since: at,
            unread_since: None,
            probes_since: None,
            probing: None,
            owner: Ownership::Unknown,
            last_holder: None,
            recv: QueueHistory::default(),
            send: QueueHistory::default(),
            mismatch: None,
        };
        end.read(socket, at, reading);
        end
    }

    /// Whether `socket` is the same socket read again, and not a new one on the same tuple.
    pub(super) fn is_same(&self, socket: &Socket) -> bool {
        match (self.socket.cookie, socket.cookie) {
            (Some(was), Some(is)) => was == is,
            _ => match (self.socket.inode, socket.inode) {
                (Some(was), Some(is)) => was == is,
                // A connection that no process holds may have been held before; one that is held again is another.
                (Some(_), None) => true,
                (None, Some(_)) => self.socket.state.0 != TcpState::TimeWait,
                (None, None) => true,
            },
        }
    }

    /// Takes in a reading.
    pub(super) fn read(&mut self, socket: Socket, at: Timestamp, reading: u64) {
        self.recv.push(at, socket.recv_q);
        self.send.push(at, socket.send_q.unwrap_or(0));
        self.unread_since = self.unread_since(&socket, at);
        self.probes_since = socket.probes_window().then(|| self.probes_since.unwrap_or(at));
        self.probing = Probing::on(self, &socket, at);
        if socket.state != self.socket.state {
            self.state_since = at;
        }
        let waits = socket.timer.is_some_and(|timer| timer.kind == TimerKind::TimeWait);
        if !waits && socket.state.0 != TcpState::TimeWait {
            self.cookie = socket.cookie;
        }
        (self.socket, self.at, self.reading, self.began) = (socket, at, reading, at);
        (self.gone, self.left, self.missed) = (None, None, 0);
    }

    /// Whether the kernel held it at the last reading of its state.
    pub(super) const fn is_there(&self) -> bool {
        self.gone.is_none() && self.left.is_none()
    }

    /// The states in which it may have been at the last reading that tells of it, if it was at all.
    pub(super) fn may_be(&self) -> StateSet {
        self.left.map_or(StateSet::of(&[self.socket.state.0]), |(_, may_be)| may_be)
    }

    /// Notes that it is no more in the states that were read at `at`: what the next readings of the others show of it
    /// counts as if they had come at once.
    pub(super) fn leave(&mut self, at: Timestamp, may_be: StateSet) {
        let since = self.left.map_or(at, |(since, _)| since);
        self.left = Some((since, may_be));
        self.owner = self.last_owner();
    }

    fn last_owner(&self) -> Ownership {
        self.last_holder.clone().map_or(Ownership::Unknown, |process| Ownership::Last { process })
    }

    /// Notes that the table no longer has it.
    pub(super) fn vanish(&mut self, at: Timestamp) {
        (self.gone, self.left) = (Some(at), None);
        self.recv.push(at, 0);
        self.send.push(at, 0);
        self.mismatch = None;
        (self.unread_since, self.probes_since, self.probing) = (None, None, None);
        self.owner = self.last_owner();
    }

    /// Names the owner from the fd tables read with this socket; `listener` holds the port that it came in on.
    pub(super) fn name_owner(&mut self, owners: &Owners, listener: Option<&[Owner]>) {
        self.owner = self.owner_by(owners, listener);
        if let Ownership::Held { process, .. } = &self.owner {
            self.last_holder = Some(process.clone());
        }
    }

    fn owner_by(&self, owners: &Owners, listener: Option<&[Owner]>) -> Ownership {
        let holders = self.socket.inode.and_then(|inode| owners.by_inode.get(&inode));
        if let Some([first, others @ ..]) = holders.map(Vec::as_slice) {
            return Ownership::Held { process: first.process.clone(), fd: first.fd, others: others.len() };
        }
        if let Some(process) = &self.last_holder {
            return Ownership::Last { process: process.clone() };
        }
        match self.socket.state.0 {
            TcpState::SynRecv | TcpState::Estab | TcpState::CloseWait if self.socket.inode.is_none() => {
                match listener {
                    Some([first, others @ ..]) => {
                        Ownership::Listener { process: first.process.clone(), others: others.len() }
                    }
                    _ => unseen(owners),
                }
            }
            TcpState::FinWait1 | TcpState::FinWait2 | TcpState::Closing | TcpState::LastAck
                if self.socket.inode.is_none() =>
            {
                Ownership::Orphan
            }
            TcpState::TimeWait => Ownership::Unknown,
            _ => unseen(owners),
        }
    }

    /// Holds the state that the wire shows (unchanged since `since`) beside the reported one.
    pub(super) fn compare(&mut self, inferred: Option<(TcpState, Timestamp)>) {
        let disagree = inferred.is_some_and(|(state, since)| {
            let held = self.at.since(since);
            let timer_late =
                (state, self.socket.state.0) == (TcpState::Closed, TcpState::TimeWait) && held < TIMER_SLACK;
            state != self.socket.state.0 && !self.fin_waits(state) && !timer_late && !self.is_older_than(since)
        });
        self.mismatch = match (disagree, self.mismatch) {
            (false, _) => None,
            (true, None) => Some((self.at, 1)),
            (true, Some((since, count))) => Some((since, count.saturating_add(1))),
        };
    }

    /// Whether the wire has shown the connection to change since it was read, or so shortly before that the reading may
    /// not have it yet.
    pub(super) fn is_older_than(&self, change: Timestamp) -> bool {
        self.at.since(change) <= SAMPLING_DELAY
    }

    /// Whether the reported state is `inferred` and a close() whose FIN is not sent yet: it waits behind data that the
    /// peer does not take. Nothing of it is on the wire, so the two do not contradict each other.
    fn fin_waits(&self, inferred: TcpState) -> bool {
        let closed = matches!(
            (inferred, self.socket.state.0),
            (TcpState::Estab, TcpState::FinWait1) | (TcpState::CloseWait, TcpState::LastAck)
        );
        // What is not sent yet counts the FIN; of the Send-Q alone the FIN is one.
        let unsent = self.socket.info.as_ref().and_then(|info| info.notsent_bytes);
        closed && unsent.map_or(self.socket.send_q > Some(1), |unsent| unsent > 0)
    }

    /// Since when the two disagree, if more than one reading in a row says so.
    pub(super) fn mismatch_since(&self) -> Option<Timestamp> {
        self.mismatch.filter(|(_, count)| *count > 1).map(|(since, _)| since)
    }

    /// Its Recv-Q, where that is more than the peer's FIN.
    pub(super) fn unread(&self) -> u32 {
        unread(&self.socket)
    }

    /// Since when, if the next reading shows `socket`, its process has read nothing of what waits.
    fn unread_since(&self, socket: &Socket, at: Timestamp) -> Option<Timestamp> {
        let has_read = match (bytes_read(&self.socket), bytes_read(socket)) {
            (Some(was), Some(is)) => was != is,
            _ => unread(socket) < self.unread(),
        };
        let since = self.unread_since.filter(|_| !has_read).unwrap_or(at);
        (unread(socket) > 0).then_some(since)
    }

    /// Its Send-Q, where that is more than its own SYN or FIN.
    pub(super) fn unsent(&self) -> u32 {
        let bytes = self.socket.send_q.unwrap_or(0);
        if send_q_is_syn_or_fin(self.socket.state.0, bytes) { 0 } else { bytes }
    }

    /// Whether any reading of its queues is kept.
    pub(super) fn keeps_queues(&self) -> bool {
        !self.recv.values.is_empty() || !self.send.values.is_empty()
    }

    /// The most that either queue held in the readings that are kept; 0 where none are.
    pub(super) fn longest_queue(&self) -> u32 {
        self.recv.most().max(self.send.most())
    }

    /// Drops the queues' histories; since when they have not been empty stays.
    pub(super) fn forget_queues(&mut self) {
        self.recv.values = VecDeque::new();
        self.send.values = VecDeque::new();
    }

    /// What it holds beside itself, bytes.
    pub(super) fn held(&self) -> usize {
        let queues = [&self.recv, &self.send].map(|queue| queue.values.capacity() * size_of::<u32>());
        queues.iter().sum::<usize>() + self.socket.info.as_ref().map_or(0, |info| size_of_val(&**info))
    }

    pub(super) fn detail(&self) -> SocketDetail {
        SocketDetail {
            socket: self.socket.clone(),
            at: self.at,
            gone: self.gone,
            left: self.left.map(|(since, _)| since),
            recv_q: self.recv.values(),
            send_q: self.send.values(),
        }
    }
}

fn unread(socket: &Socket) -> u32 {
    if recv_q_is_fin(socket.state.0, socket.recv_q) { 0 } else { socket.recv_q }
}

/// What a process has read of its socket so far (tcpi_bytes_received, which counts what was acknowledged, less what is
/// queued), where the kernel tells: but for the FIN exact.
pub(super) fn bytes_read(socket: &Socket) -> Option<u64> {
    Some(socket.info.as_ref()?.bytes_received?.wrapping_sub(socket.recv_q.into()))
}

/// Whether a Recv-Q of this length holds no byte but the peer's FIN (net/ipv4/tcp_diag.c: rcv_nxt − copied_seq).
pub fn recv_q_is_fin(state: TcpState, bytes: u32) -> bool {
    bytes == 1 && matches!(state, TcpState::CloseWait | TcpState::LastAck | TcpState::Closing)
}

/// Whether a Send-Q of this length holds no byte but the socket's own SYN or FIN (write_seq − snd_una).
pub fn send_q_is_syn_or_fin(state: TcpState, bytes: u32) -> bool {
    use TcpState::{Closing, FinWait1, LastAck, SynRecv, SynSent};
    bytes == 1 && matches!(state, SynSent | SynRecv | FinWait1 | LastAck | Closing)
}

/// Who holds a socket that is no connection's end, by the reading that shows it.
pub(super) fn owner_in(sample: &SocketSample, socket: &Socket) -> Ownership {
    let mut end = End::new(socket.clone(), sample.ts, 0);
    end.name_owner(&sample.owners, None);
    end.owner
}

fn unseen(owners: &Owners) -> Ownership {
    if owners.processes_denied > 0 { Ownership::NoAccess } else { Ownership::Unknown }
}

/// A queue's length at each reading; a queue that stays empty keeps nothing.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct QueueHistory {
    /// Since when it has not been empty.
    pub(super) since: Option<Timestamp>,
    values: VecDeque<u32>,
}

impl QueueHistory {
    pub(super) fn push(&mut self, at: Timestamp, bytes: u32) {
        self.since = if bytes == 0 { None } else { self.since.or(Some(at)) };
        if bytes == 0 && self.values.iter().all(|value| *value == 0) {
            self.values = VecDeque::new();
            return;
        }
        if self.values.len() == KEPT {
            self.values.pop_front();
        }
        self.values.push_back(bytes);
    }

    fn most(&self) -> u32 {
        self.values.iter().copied().max().unwrap_or(0)
    }

    pub(super) fn values(&self) -> Vec<u64> {
        self.values.iter().map(|value| u64::from(*value)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Endpoint;
    use crate::kernel::{Reported, TcpInfo};
    use std::net::Ipv4Addr;

    const NEVER: Timestamp = Timestamp::from_nanos(0);

    fn claims(inferred: TcpState, reported: TcpState, send_q: Option<u32>, unsent: Option<u32>) -> bool {
        let endpoint = |port| Endpoint::new(Ipv4Addr::LOCALHOST, port);
        let socket = Socket {
            local: endpoint(1),
            peer: endpoint(2),
            state: Reported(reported),
            recv_q: 0,
            send_q,
            timer: None,
            uid: None,
            inode: None,
            cookie: None,
            buffers: None,
            drops: None,
            memory: None,
            congestion: None,
            cgroup: None,
            info: unsent.map(|unsent| Box::new(TcpInfo { notsent_bytes: Some(unsent), ..TcpInfo::default() })),
        };
        let mut end = End::new(socket, NEVER + Duration::from_secs(1), 1);
        end.compare(Some((inferred, NEVER)));
        end.compare(Some((inferred, NEVER)));
        end.mismatch_since().is_some()
    }

    #[test]
    fn a_fin_that_waits_behind_data_contradicts_nothing() {
        use TcpState::{CloseWait, Estab, FinWait1, FinWait2, LastAck};
        assert!(!claims(Estab, FinWait1, Some(5_000), Some(4_000)));
        assert!(!claims(CloseWait, LastAck, Some(5_000), Some(1)), "the FIN alone");
        assert!(claims(Estab, FinWait1, Some(5_000), Some(0)), "all of it was sent");
        assert!(!claims(Estab, FinWait1, Some(2), None), "by the Send-Q alone");
        assert!(claims(Estab, FinWait1, Some(1), None), "only the FIN is in the Send-Q");
        assert!(claims(Estab, FinWait1, None, None), "nothing tells");
        assert!(claims(Estab, FinWait2, Some(5_000), Some(4_000)), "its FIN was acknowledged");
    }
}
