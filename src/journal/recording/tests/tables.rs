//! Readings of the socket table: at random, one after another; and how little a table at rest takes.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use proptest::sample::Index;
use rustc_hash::FxHashMap;

use super::super::Recorder;
use super::made::{address, end, process, secs};
use super::{Given, SCOPE, inputs_of, read, record, setup};
use crate::base::{Endpoint, Scope, StateSet, TcpState, Timestamp};
use crate::engine::Input;
use crate::kernel::{
    Congestion, Counters, Covers, Limits, Memory, Owner, Owners, Reported, Socket, SocketSample, TableSource, TcpInfo,
    Timer, TimerKind,
};

fn span() -> impl Strategy<Value = Duration> {
    prop_oneof![
        (0u64..70_000).prop_map(Duration::from_millis),
        any::<u64>().prop_map(Duration::from_micros),
        any::<(u64, u32)>().prop_map(|(secs, nanos)| Duration::new(secs, nanos % 1_000_000_000)),
    ]
}

prop_compose! {
    pub(super) fn info()(
        bytes in any::<[Option<u8>; 3]>(),
        numbers in any::<[Option<u32>; 14]>(),
        wide in any::<[Option<u64>; 6]>(),
        spans in prop::collection::vec(prop::option::of(span()), 10),
    ) -> TcpInfo {
        TcpInfo {
            snd_wscale: bytes[0], rcv_wscale: bytes[1], retransmits: bytes[2],
            snd_mss: numbers[0], rcv_mss: numbers[1], unacked: numbers[2], lost: numbers[3], pmtu: numbers[4],
            snd_ssthresh: numbers[5], snd_cwnd: numbers[6], rcv_space: numbers[7], total_retrans: numbers[8],
            segs_out: numbers[9], segs_in: numbers[10], notsent_bytes: numbers[11], snd_wnd: numbers[13],
            pacing_rate: wide[0], bytes_acked: wide[1], bytes_received: wide[2], delivery_rate: wide[3],
            bytes_sent: wide[4], bytes_retrans: wide[5],
            rto: spans[0], last_data_sent: spans[1], last_data_recv: spans[2], rtt: spans[3], rttvar: spans[4],
            min_rtt: spans[5], busy_time: spans[6], rwnd_limited: spans[7], sndbuf_limited: spans[8],
            last_ack_recv: spans[9],
        }
    }
}

prop_compose! {
    fn socket()(
        (local, peer) in (end(), end()),
        state in 0usize..11,
        (recv_q, send_q, uid, drops, buffers) in
            any::<(u32, Option<u32>, Option<u32>, Option<u32>, Option<(u32, u32)>)>(),
        timer in prop::option::of((0usize..4, span(), any::<u8>())),
        (inode, cookie) in (prop::option::of(0u64..6), prop::option::of(prop_oneof![0u64..6, any::<u64>()])),
        (numbers, cgroup) in any::<(Option<[u32; 5]>, Option<u64>)>(),
        congestion in prop::option::of("[ -~]{0,16}"),
        info in prop::option::of(info()),
    ) -> Socket {
        const KINDS: [TimerKind; 4] = [TimerKind::On, TimerKind::Keepalive, TimerKind::TimeWait, TimerKind::Persist];
        let timer = timer.map(|(kind, left, retries)| Timer { kind: KINDS[kind], left, retries });
        let state = Reported(TcpState::ALL[state]);
        let memory = numbers
            .map(|[recv, sent, queued, ahead, backlog]| Memory { recv, sent, queued, ahead, backlog });
        let congestion = congestion.and_then(|name| Congestion::from_bytes(name.as_bytes()));
        let info = info.map(Box::new);
        Socket {
            local, peer, state, recv_q, send_q, timer, uid, inode, cookie, buffers, drops, memory, congestion, cgroup,
            info,
        }
    }
}

/// What happens to the table between two readings.
#[derive(Debug, Clone)]
enum Change {
    Comes(Index, Socket),
    Goes(Index),
    /// Another takes its place, or it changes: the ends and the cookie may be the same.
    Becomes(Index, Socket, bool),
    Swap(Index, Index),
    Held(u64, Vec<Owner>),
    Released(u64),
    Counts(String, i64),
    Limits(Option<u32>),
    Addresses(Vec<std::net::IpAddr>),
    Source(TableSource, u32, Scope),
    Covers(Covers),
}

fn covers() -> impl Strategy<Value = Covers> {
    let states = prop::collection::vec(0usize..11, 0..5);
    let states = states.prop_map(|states| {
        let states: Vec<_> = states.into_iter().map(|state| TcpState::ALL[state]).collect();
        Covers::States(StateSet::of(&states))
    });
    let sockets = prop::collection::vec((end(), end()), 0..3).prop_map(Covers::Sockets);
    prop_oneof![Just(Covers::ALL), states, sockets]
}

fn change() -> impl Strategy<Value = Change> {
    let index = any::<Index>;
    let owner = (process(), any::<u32>()).prop_map(|(process, fd)| Owner { process, fd });
    let source = prop_oneof![Just(TableSource::Diag), Just(TableSource::Proc)];
    prop_oneof![
        4 => (index(), socket()).prop_map(|(at, socket)| Change::Comes(at, socket)).boxed(),
        2 => index().prop_map(Change::Goes).boxed(),
        2 => (index(), socket(), any::<bool>()).prop_map(|(at, socket, same)| Change::Becomes(at, socket, same)).boxed(),
        1 => (index(), index()).prop_map(|(one, other)| Change::Swap(one, other)).boxed(),
        2 => (0u64..6, prop::collection::vec(owner, 0..3)).prop_map(|(inode, owners)| Change::Held(inode, owners)).boxed(),
        1 => (0u64..6).prop_map(Change::Released).boxed(),
        2 => ("[A-C]", any::<i64>()).prop_map(|(name, value)| Change::Counts(name, value)).boxed(),
        1 => any::<Option<u32>>().prop_map(Change::Limits).boxed(),
        1 => prop::collection::vec(address(), 0..3).prop_map(Change::Addresses).boxed(),
        2 => covers().prop_map(Change::Covers).boxed(),
        1 => (source, any::<u32>(), (2u32..4).prop_map(Scope)).prop_map(|(a, b, c)| Change::Source(a, b, c)).boxed(),
    ]
}

fn change_table(sample: &mut SocketSample, change: Change) {
    let sockets = &mut sample.sockets;
    match change {
        Change::Comes(at, socket) => sockets.insert(at.index(sockets.len() + 1), socket),
        Change::Held(inode, owners) => drop(Arc::make_mut(&mut sample.owners).by_inode.insert(inode, owners)),
        Change::Released(inode) => drop(Arc::make_mut(&mut sample.owners).by_inode.remove(&inode)),
        Change::Counts(name, value) => drop(Arc::make_mut(&mut sample.counters.0).insert(name, value)),
        Change::Limits(somaxconn) => sample.limits = Arc::new(Limits { somaxconn, ..(*sample.limits).clone() }),
        Change::Addresses(addresses) => sample.local_addresses = addresses.into(),
        Change::Source(source, denied, scope) => {
            (sample.source, sample.incomplete, sample.scope) = (source, denied % 2 == 0, scope);
            sample.bad_rows = denied;
            let owners = Arc::make_mut(&mut sample.owners);
            let nth = |n: usize| (n < denied as usize % 4).then_some(denied.saturating_add(n as u32));
            (owners.processes_denied, owners.denied) = (denied, std::array::from_fn(nth));
        }
        Change::Covers(covers) => sample.covers = covers,
        _ if sockets.is_empty() => {}
        Change::Goes(at) => drop(sockets.remove(at.index(sockets.len()))),
        Change::Swap(one, other) => {
            let len = sockets.len();
            sockets.swap(one.index(len), other.index(len));
        }
        Change::Becomes(at, socket, same) => {
            let row = at.get_mut_of(sockets);
            let Socket { local, peer, cookie, .. } = *row;
            *row = if same { Socket { local, peer, cookie, ..socket } } else { socket };
        }
    }
}

trait GetMut {
    fn get_mut_of<'a>(&self, rows: &'a mut [Socket]) -> &'a mut Socket;
}

impl GetMut for Index {
    fn get_mut_of<'a>(&self, rows: &'a mut [Socket]) -> &'a mut Socket {
        let at = self.index(rows.len());
        &mut rows[at]
    }
}

pub(super) fn empty(ts: Timestamp) -> SocketSample {
    SocketSample { scope: SCOPE, took: Duration::from_micros(700), ..SocketSample::empty(ts) }
}

/// The table one reading later, if nothing happens.
pub(super) fn age(sample: &mut SocketSample, millis: u64) {
    let by = Duration::from_millis(millis);
    sample.ts = sample.ts + by;
    for socket in &mut sample.sockets {
        if let Some(timer) = &mut socket.timer {
            timer.left = timer.left.saturating_sub(by);
        }
        for span in socket.info.iter_mut().flat_map(|info| [&mut info.last_data_sent, &mut info.last_data_recv]) {
            *span = span.map(|span| span.saturating_add(by));
        }
    }
}

/// Readings one after another.
pub(super) fn readings() -> impl Strategy<Value = Vec<Input>> {
    let moves = (prop_oneof![Just(500u64), Just(501), 0u64..40_000], prop::collection::vec(change(), 0..6));
    prop::collection::vec(moves.boxed(), 1..8).prop_map(|moves| {
        let mut sample = empty(Timestamp::from_nanos(1_700_000_000_000_000_000));
        let readings = moves.into_iter().map(|(millis, changes)| {
            age(&mut sample, millis);
            changes.into_iter().for_each(|change| change_table(&mut sample, change));
            Input::Sample(Arc::new(sample.clone()))
        });
        readings.collect()
    })
}

proptest! {
    #[test]
    fn every_reading_comes_back(readings in readings()) {
        let given: Vec<Given> = readings.into_iter().map(Given::Input).collect();
        let back = read(&record(0, &given));
        prop_assert_eq!(back.damage, None);
        prop_assert_eq!(back.inputs, inputs_of(&given));
    }
}

/// A table of so many sockets: half at rest, half in TIME-WAIT.
pub(super) fn table(ts: Timestamp, sockets: u32) -> SocketSample {
    let socket = |n: u32| {
        let left = Duration::from_millis(u64::from(n) % 60_000 + 60_000);
        let info = TcpInfo { last_data_sent: Some(secs(9)), last_data_recv: Some(secs(7)), ..TcpInfo::default() };
        let waits = n.is_multiple_of(2);
        Socket {
            local: Endpoint::new([10, 0, 0, 1], 80),
            peer: Endpoint::new([10, 1, (n >> 8) as u8, n as u8], 40_000),
            state: Reported(if waits { TcpState::TimeWait } else { TcpState::Estab }),
            recv_q: 0,
            send_q: Some(0),
            timer: waits.then_some(Timer { kind: TimerKind::TimeWait, left, retries: 0 }),
            uid: None,
            inode: Some(u64::from(n)).filter(|_| !waits),
            cookie: Some(u64::from(n)),
            buffers: None,
            drops: None,
            memory: None,
            congestion: None,
            cgroup: None,
            info: (!waits).then(|| Box::new(info)),
        }
    };
    SocketSample { sockets: (0..sockets).map(socket).collect(), ..empty(ts) }
}

fn sizes(readings: &[SocketSample]) -> Vec<usize> {
    let mut recorder = Recorder::new(setup(0));
    let size = |sample: &SocketSample| {
        let mut out = Vec::new();
        recorder.input(&Input::Sample(Arc::new(sample.clone())), &mut out);
        out.len()
    };
    readings.iter().map(size).collect()
}

#[test]
fn a_table_at_rest_costs_nothing_but_once_a_minute() {
    let mut sample = table(Timestamp::from_nanos(1_700_000_000_000_000_000), 10_000);
    let mut readings = vec![sample.clone()];
    for _ in 0..130 {
        age(&mut sample, 500);
        readings.push(sample.clone());
    }
    let sizes = sizes(&readings);
    let full: Vec<_> = sizes.iter().enumerate().filter(|(_, size)| **size > 1_000).collect();
    assert_eq!(full.iter().map(|(at, _)| *at).collect::<Vec<_>>(), [0, 120], "{sizes:?}");
    assert!(sizes[0] / 10_000 < 40, "{} bytes a row", sizes[0] / 10_000);
    assert!(sizes[1] < 250, "{}", sizes[1]);
}

#[test]
fn a_clock_that_moves_within_a_reading_costs_a_step() {
    let mut sample = table(Timestamp::from_nanos(1_700_000_000_000_000_000), 10_000);
    let mut readings = vec![sample.clone()];
    age(&mut sample, 500);
    let mut late = sample.clone();
    age(&mut late, 4);
    sample.sockets.splice(5_000.., late.sockets[5_000..].iter().cloned());
    readings.push(sample);
    assert!(sizes(&readings)[1] < 260);
}

#[test]
fn a_long_reading_is_told_in_parts_that_wireshark_takes() {
    let sample = table(Timestamp::from_nanos(1_700_000_000_000_000_000), 30_000);
    let file = record(0, &[Given::Input(Input::Sample(Arc::new(sample.clone())))]);
    let mut at = 0;
    let mut parts = 0;
    while at < file.len() {
        let len = u32::from_le_bytes(file[at + 4..at + 8].try_into().unwrap()) as usize;
        assert!(len < 262_144, "{len}");
        (at, parts) = (at + len, parts + 1);
    }
    assert!(parts > 8, "{parts}");
    assert_eq!(read(&file).inputs, [Input::Sample(Arc::new(sample))]);
}

/// What nobody holds any more, and who holds what another held.
#[test]
fn owners_come_and_go() {
    let [curl, nginx] = ["curl", "nginx"].map(|comm| Owner {
        process: Arc::new(crate::kernel::Process {
            pid: 7,
            start_time: None,
            comm: crate::base::Scrubbed::new(comm),
            cmdline: crate::base::Scrubbed::new(""),
            user: crate::base::Scrubbed::new("root"),
        }),
        fd: 3,
    });
    let owners = |held: &[(u64, &Owner)]| {
        let by_inode: FxHashMap<_, _> = held.iter().map(|(inode, owner)| (*inode, vec![(*owner).clone()])).collect();
        Arc::new(Owners { by_inode, processes_read: 2, ..Owners::default() })
    };
    let counters = |n| Counters(Arc::new(BTreeMap::from([("Tcp.ActiveOpens".to_owned(), n)])));
    let steps = [owners(&[(1, &curl), (2, &curl)]), owners(&[(2, &nginx)]), owners(&[]), owners(&[(9, &nginx)])];
    let readings = steps.into_iter().zip(0..).map(|(owners, n)| {
        let ts = Timestamp::from_secs_nanos(1_700_000_000 + n, 0);
        Given::Input(Input::Sample(Arc::new(SocketSample { owners, counters: counters(n), ..empty(ts) })))
    });
    let given: Vec<_> = readings.collect();
    assert_eq!(read(&record(0, &given)).inputs, inputs_of(&given));
}

/// The parts of the table are read at different rates.
#[test]
fn a_part_is_told_by_the_last_reading_that_covered_it() {
    let whole = table(Timestamp::from_nanos(1_700_000_000_000_000_000), 10_000);
    let part = |of: &SocketSample, state| {
        let sockets = of.sockets.iter().filter(|socket| socket.state.0 == state).cloned().collect();
        SocketSample { covers: Covers::States(StateSet::of(&[state])), sockets, ..of.clone() }
    };
    let (mut now, mut readings) = (whole.clone(), vec![whole]);
    for state in [TcpState::Estab, TcpState::Estab, TcpState::TimeWait, TcpState::Estab] {
        age(&mut now, 500);
        readings.push(part(&now, state));
    }
    age(&mut now, 500);
    let looked_up = now.sockets[3..5].to_vec();
    let ends = looked_up.iter().map(|socket| (socket.local, socket.peer)).collect();
    readings.push(SocketSample { covers: Covers::Sockets(ends), sockets: looked_up, ..now.clone() });
    age(&mut now, 500);
    readings.push(now);
    let sizes = sizes(&readings);
    let (last, others) = sizes[1..].split_last().expect("sizes");
    assert!(sizes[0] > 100_000 && others.iter().all(|size| *size < 400), "{sizes:?}");
    assert!(*last < 60_000, "rows of two readings by turns: a jump each, of {last} bytes");
    let given: Vec<_> = readings.into_iter().map(|reading| Given::Input(Input::Sample(Arc::new(reading)))).collect();
    assert_eq!(read(&record(0, &given)).inputs, inputs_of(&given));
}
