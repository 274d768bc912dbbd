//! Our reading of the socket table held beside those of `ss`, `lsof` and procfs, row by row.
//!
//! May touch the tools and /proc, in a namespace. Read first: ss(8), lsof(8), proc_pid_net(5).
#![allow(dead_code, reason = "each test that includes this file uses its own part of it")]

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use procfs::net::{TcpNetEntries, TcpNetEntry, TcpState as ProcState};
use procfs::process::{FDTarget, all_processes};
use procfs::{FromReadSI, current_system_info};
use sockscope::base::{Endpoint, TcpState};
use sockscope::io::{Sampler, Sockets};
use sockscope::kernel::{Owner, Socket, SocketSample};

use super::netns::Netns;
use super::readings::{holders, sample};
use super::tools::{self, SsRow};

/// The clock tick that /proc's times are rounded to, and what the kernel's own tick adds.
const TICK: Duration = Duration::from_millis(14);
const DEADLINE: Duration = Duration::from_secs(20);

/// A socket that nothing else in its namespace resembles: a listener also by its inode.
type Key = (Endpoint, Endpoint, Option<u64>);

/// A row without what moves by itself (what is left of its timer, ages), and that.
#[derive(Debug, Clone)]
struct Row {
    still: Socket,
    left: Duration,
    holders: BTreeSet<(u32, u32)>,
}

type Rows = BTreeMap<Key, Row>;

/// Every row of ours beside ss's, by either way of reading.
pub(crate) fn compare_with_ss(side: &str, netns: &Netns) {
    for choice in [Sockets::Diag, Sockets::Proc] {
        let read = || {
            let rows = tools::ss(&mut netns.command("ss"), &["-tanoiemp"]);
            rows.into_iter().map(|row| (ss_key(&row), row)).collect()
        };
        let rows = between_two_readings(side, netns, choice, read, |before, after, theirs| {
            assert_equals_ss(before, after.left, theirs, choice);
        });
        let waits = rows.values().filter(|row| row.still.state.0 == TcpState::TimeWait).count();
        let theirs = tools::ss_count(&mut netns.command("ss"), "time-wait");
        assert_eq!(waits, theirs, "{side} by {choice:?}: ss -tan state time-wait");
    }
}

/// Every row of ours beside procfs's, by either way of reading, and every holder beside procfs's walk of processes.
pub(crate) fn compare_with_procfs(side: &str, netns: &Netns) {
    for choice in [Sockets::Diag, Sockets::Proc] {
        between_two_readings(side, netns, choice, proc_entries, |ours, _, theirs| {
            let context = format!("by {choice:?}\nours: {ours:?}\nprocfs: {theirs:?}");
            let is_listener = ours.still.state.0 == TcpState::Listen;
            assert_eq!(ours.still.state.0, state_of(&theirs.state), "{context}");
            assert_eq!(ours.still.recv_q, theirs.rx_queue, "{context}");
            assert!(is_listener || ours.still.send_q == Some(theirs.tx_queue), "{context}");
            assert_eq!(ours.still.inode.unwrap_or(0), theirs.inode, "{context}");
            // Of a half-open connection sock_diag tells no user, and /proc its listener's.
            let untold = choice == Sockets::Diag && ours.still.state.0 == TcpState::SynRecv;
            assert!(untold || ours.still.uid.unwrap_or(0) == theirs.uid, "{context}");
        });
    }
    let ours = netns.run(|| sample(&mut Sampler::new(Sockets::Auto).unwrap()));
    let mut theirs: BTreeMap<u64, BTreeSet<(u32, u32)>> = BTreeMap::new();
    for process in all_processes().unwrap().flatten() {
        for fd in process.fd().into_iter().flatten().flatten() {
            if let FDTarget::Socket(inode) = fd.target {
                theirs.entry(inode).or_default().insert((process.pid() as u32, fd.fd as u32));
            }
        }
    }
    for inode in ours.sockets.iter().filter_map(|socket| socket.inode) {
        let own: BTreeSet<_> = holders(&ours, inode).into_iter().collect();
        assert_eq!(own, theirs.remove(&inode).unwrap_or_default(), "{side}: inode {inode}");
    }
}

/// The pid and descriptor of every socket, beside lsof's.
pub(crate) fn compare_with_lsof(side: &str, netns: &Netns) {
    let theirs = tools::lsof(&mut netns.command("lsof"));
    let sample = netns.run(|| sample(&mut Sampler::new(Sockets::Auto).unwrap()));
    let mut ours = BTreeSet::new();
    for socket in sample.sockets.iter().filter(|socket| socket.state.0 != TcpState::Closed) {
        let owners = socket.inode.and_then(|inode| sample.owners.by_inode.get(&inode));
        for Owner { process, fd } in owners.into_iter().flatten() {
            ours.insert((process.pid, *fd, tools::lsof_name(socket.local, socket.peer)));
        }
    }
    assert!(!ours.is_empty());
    assert_eq!(ours, theirs, "{side}");
}

/// A sample's rows; two of one socket are a fault.
pub(crate) fn each_once(sample: &SocketSample) -> usize {
    rows_of(sample).len()
}

/// Holds each row beside another reading's. The table moves (retries are counted), so theirs is read between two of
/// ours, and a row counts that is the same in both; until all have been held.
fn between_two_readings<T: std::fmt::Debug + Send>(
    side: &str,
    netns: &Netns,
    choice: Sockets,
    theirs: impl Fn() -> BTreeMap<Key, T> + Send + Sync,
    hold: impl Fn(&Row, &Row, &T),
) -> Rows {
    let deadline = Instant::now() + DEADLINE;
    let mut held = BTreeSet::new();
    loop {
        let (before, theirs, after) = netns.run(|| {
            let mut sampler = Sampler::new(choice).unwrap();
            (rows_of(&sample(&mut sampler)), theirs(), rows_of(&sample(&mut sampler)))
        });
        assert!(!before.is_empty());
        if before.keys().eq(after.keys()) {
            let missing: Vec<_> = before.keys().filter(|key| !theirs.contains_key(key)).collect();
            let more: Vec<_> = theirs.iter().filter(|(key, _)| !before.contains_key(key)).collect();
            assert!(missing.is_empty() && more.is_empty(), "{side} by {choice:?}: without {missing:?}, with {more:?}");
            for ((key, before), after) in before.iter().zip(after.values()) {
                // A timer that has more left was set anew.
                let same = (&before.still, &before.holders) == (&after.still, &after.holders);
                if same && after.left <= before.left {
                    hold(before, after, &theirs[key]);
                    held.insert(*key);
                }
            }
        }
        if before.keys().all(|key| held.contains(key)) {
            return before;
        }
        assert!(Instant::now() < deadline, "{side}: the table does not come to rest");
    }
}

fn assert_equals_ss(ours: &Row, left_after: Duration, theirs: &SsRow, choice: Sockets) {
    let Row { still: socket, left, holders } = ours;
    let context = format!("by {choice:?}\nours: {ours:?}\nss: {theirs:?}");
    assert_eq!(socket.state.0.name(), theirs.state, "{context}");
    assert_eq!(socket.recv_q, theirs.recv_q, "{context}");
    assert_eq!(socket.inode, theirs.inode(), "{context}");
    assert_eq!(*holders, theirs.users(), "{context}");
    // Of a half-open connection sock_diag tells ss no user, and what was sent again; /proc what timed out.
    let other = choice == Sockets::Proc && socket.state.0 == TcpState::SynRecv;
    // ss leaves out a uid of 0.
    assert!(other || u64::from(socket.uid.unwrap_or(0)) == theirs.number("uid").unwrap_or(0), "{context}");
    let timer = |(kind, retries)| (kind, if other { 0 } else { retries });
    let own = socket.timer.map(|own| timer((own.kind.name().to_owned(), own.retries)));
    assert_eq!(own, theirs.timer().map(timer), "{context}");
    if let Some((least, below)) = theirs.timer_left() {
        assert!(least <= *left + TICK && left_after <= below + TICK, "{left_after:?} left after {context}");
    }
    let is_listener = socket.state.0 == TcpState::Listen;
    if choice == Sockets::Proc {
        assert_eq!(socket.send_q, (!is_listener).then_some(theirs.send_q), "{context}");
        assert_eq!((socket.cookie, socket.buffers, socket.info.as_ref()), (None, None, None));
        return;
    }
    assert_eq!(socket.send_q, Some(theirs.send_q), "{context}");
    assert_eq!(socket.cookie, theirs.cookie(), "{context}");
    assert_eq!(socket.buffers, theirs.buffers(), "{context}");
    assert_info_equals(socket, theirs, &context);
}

fn assert_info_equals(socket: &Socket, theirs: &SsRow, context: &str) {
    let Some(info) = &socket.info else { return };
    // ss leaves out a 0.
    let number = |name: &str| theirs.number(name).unwrap_or(0);
    assert_eq!(u64::from(info.snd_cwnd.unwrap_or(0)), number("cwnd"), "{context}");
    assert_eq!(u64::from(info.snd_mss.unwrap_or(0)), number("mss"), "{context}");
    assert_eq!(u64::from(info.pmtu.unwrap_or(0)), number("pmtu"), "{context}");
    assert_eq!(info.bytes_sent.unwrap_or(0), number("bytes_sent"), "{context}");
    assert_eq!(info.bytes_acked.unwrap_or(0), number("bytes_acked"), "{context}");
    assert_eq!(info.bytes_received.unwrap_or(0), number("bytes_received"), "{context}");
    assert_eq!(u64::from(info.segs_out.unwrap_or(0)), number("segs_out"), "{context}");
    assert_eq!(u64::from(info.segs_in.unwrap_or(0)), number("segs_in"), "{context}");
    assert_eq!(u64::from(info.notsent_bytes.unwrap_or(0)), number("notsent"), "{context}");
    assert_eq!(u64::from(info.rcv_space.unwrap_or(0)), number("rcv_space"), "{context}");
    let scales = info.snd_wscale.zip(info.rcv_wscale).filter(|&scales| scales != (0, 0));
    let written = scales.map(|(snd, rcv)| format!("{snd},{rcv}"));
    assert_eq!(written.as_deref(), theirs.value("wscale"), "{context}");
    // ss writes milliseconds, six digits of them.
    let millis = info.min_rtt.map_or(0.0, |rtt| rtt.as_secs_f64() * 1000.0);
    let written: f64 = theirs.value("minrtt").map_or(0.0, |value| value.parse().unwrap());
    assert!((millis - written).abs() <= millis * 1e-5, "minrtt {context}");
}

/// A sample's rows by their keys, without the sockets that are only bound, which nobody else asks for.
fn rows_of(sample: &SocketSample) -> Rows {
    assert!(!sample.incomplete);
    let rows = sample.sockets.iter().filter(|socket| socket.state.0 != TcpState::Closed).map(|socket| {
        let mut still = socket.clone();
        let timer = still.timer.as_mut().map(|timer| &mut timer.left);
        let left = timer.map(std::mem::take).unwrap_or_default();
        if let Some(info) = &mut still.info {
            (info.last_data_sent, info.last_data_recv, info.busy_time, info.rwnd_limited) = (None, None, None, None);
            (info.sndbuf_limited, info.last_ack_recv) = (None, None);
        }
        let holders = socket.inode.map_or_else(BTreeSet::new, |inode| holders(sample, inode).into_iter().collect());
        (key_of(socket), Row { still, left, holders })
    });
    let rows: Vec<_> = rows.collect();
    let len = rows.len();
    let rows: BTreeMap<_, _> = rows.into_iter().collect();
    assert_eq!(rows.len(), len, "two rows of one socket");
    rows
}

/// Both tables of the calling thread's namespace, as procfs reads them.
fn proc_entries() -> BTreeMap<Key, TcpNetEntry> {
    let read = |name: &str| {
        let path = format!("/proc/thread-self/net/{name}");
        TcpNetEntries::from_file(path, current_system_info()).unwrap().0
    };
    let end = |address: std::net::SocketAddr| Endpoint::new(address.ip(), address.port());
    let entries = read("tcp").into_iter().chain(read("tcp6"));
    let keyed = entries.map(|entry| {
        let listener = matches!(entry.state, ProcState::Listen).then_some(entry.inode);
        ((end(entry.local_address), end(entry.remote_address), listener), entry)
    });
    keyed.collect()
}

fn state_of(state: &ProcState) -> TcpState {
    match state {
        ProcState::Established => TcpState::Estab,
        ProcState::SynSent => TcpState::SynSent,
        ProcState::SynRecv | ProcState::NewSynRecv => TcpState::SynRecv,
        ProcState::FinWait1 => TcpState::FinWait1,
        ProcState::FinWait2 => TcpState::FinWait2,
        ProcState::TimeWait => TcpState::TimeWait,
        ProcState::Close => TcpState::Closed,
        ProcState::CloseWait => TcpState::CloseWait,
        ProcState::LastAck => TcpState::LastAck,
        ProcState::Listen => TcpState::Listen,
        ProcState::Closing => TcpState::Closing,
    }
}

fn key_of(socket: &Socket) -> Key {
    (socket.local, socket.peer, socket.inode.filter(|_| socket.state.0 == TcpState::Listen))
}

fn ss_key(row: &SsRow) -> Key {
    (row.local, row.peer, row.inode().filter(|_| row.state == "LISTEN"))
}
