//! What the tests of the engine are made of: inputs in few words. Each file tests one thing that the engine does.

mod analysis;
mod batch;
mod connects;
mod join;
mod last_words;
mod late;
mod law;
mod lists;
mod opening;
mod orientation;
mod panes;
mod partial;
mod sealed;
mod story;
mod table;
mod timing;
mod verdict;
mod waiting;
mod zeek;

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use rustc_hash::FxHashMap;

use super::*;
use crate::base::{Endpoint, Scope, Scrubbed, Seq, TcpState, Timestamp};
use crate::flow::{HandshakeOutcome, Side};
use crate::kernel::{
    Covers, Limits, Owner, Owners, Process, Reported, Socket, SocketSample, TableSource, Timer, TimerKind,
};
use crate::wire::{AppRecords, Flags, FrameCounts, Segment};

pub(super) fn at(millis: i64) -> Timestamp {
    Timestamp::from_nanos(1_700_000_000_000_000_000 + millis * 1_000_000)
}

pub(super) fn end(text: &str) -> Endpoint {
    let address: std::net::SocketAddr = text.parse().expect("an address and a port");
    Endpoint::new(address.ip(), address.port())
}

pub(super) const CLIENT: &str = "10.0.0.2:40000";
pub(super) const SERVER: &str = "10.0.0.5:80";

/// `flags` as tcpdump writes them.
pub(super) fn segment(millis: i64, src: &str, dst: &str, flags: &str, seq: u32, ack: u32, len: u32) -> Segment {
    let bits = flags.chars().map(|letter| match letter {
        'S' => Flags::SYN,
        'F' => Flags::FIN,
        'R' => Flags::RST,
        'P' => Flags::PSH,
        '.' => Flags::ACK,
        other => panic!("no flag {other}"),
    });
    Segment {
        seq: Seq(seq),
        ack: Seq(ack),
        window: 65_000,
        payload_len: len,
        frame_len: 54 + len,
        ttl: 64,
        digest: seq.wrapping_mul(0x9e37_79b1) ^ ack ^ len ^ millis as u32,
        ..Segment::bare(at(millis), end(src), end(dst), bits.fold(Flags::default(), |all, flag| all | flag))
    }
}

pub(super) fn handshake(millis: i64) -> Vec<Segment> {
    handshake_of(CLIENT, millis)
}

pub(super) fn handshake_of(client: &str, millis: i64) -> Vec<Segment> {
    vec![
        segment(millis, client, SERVER, "S", 100, 0, 0),
        segment(millis + 10, SERVER, client, "S.", 500, 101, 0),
        segment(millis + 11, client, SERVER, ".", 101, 501, 0),
    ]
}

/// FIN, FIN+ACK, ACK: the client closes first.
pub(super) fn close(millis: i64) -> Vec<Segment> {
    vec![
        segment(millis, CLIENT, SERVER, "F.", 101, 501, 0),
        segment(millis + 10, SERVER, CLIENT, "F.", 501, 102, 0),
        segment(millis + 11, CLIENT, SERVER, ".", 102, 502, 0),
    ]
}

/// With room for whatever a test feeds it, but where that says how much there is.
pub(super) fn engine() -> Engine {
    Engine::new(Config::replay(10_000, 1))
}

pub(super) fn fed(segments: impl IntoIterator<Item = Segment>) -> Engine {
    let mut engine = engine();
    for segment in segments {
        engine.feed(&Input::Segment(segment));
    }
    engine
}

pub(super) fn show(engine: &Engine) -> Dashboard {
    engine.dashboard(&Query { rows: 1000, ..Query::default() }, &mut QueryCache::default())
}

fn wire_count(dashboard: &Dashboard, state: TcpState) -> Option<u64> {
    dashboard.states.rows.iter().find(|row| row.state == state).and_then(|row| row.wire)
}

fn kernel_count(dashboard: &Dashboard, state: TcpState) -> Option<u64> {
    dashboard.states.rows.iter().find(|row| row.state == state).and_then(|row| row.kernel)
}

/// A socket's row: local, peer, state, Recv-Q, Send-Q, inode (0: none), cookie.
pub(super) fn socket(local: &str, peer: &str, state: TcpState, queues: (u32, u32), inode: u64, cookie: u64) -> Socket {
    Socket {
        local: end(local),
        peer: end(peer),
        state: Reported(state),
        recv_q: queues.0,
        send_q: Some(queues.1),
        timer: None,
        uid: Some(1000),
        inode: (inode > 0).then_some(inode),
        cookie: Some(cookie),
        buffers: None,
        drops: None,
        memory: None,
        congestion: None,
        cgroup: None,
        info: None,
    }
}

pub(super) fn process(pid: u32, comm: &str) -> Arc<Process> {
    Arc::new(Process {
        pid,
        start_time: Some(1),
        comm: Scrubbed::new(comm),
        cmdline: Scrubbed::new(comm),
        user: Scrubbed::new("user"),
    })
}

/// A reading; owners as (inode, pid, fd, name).
pub(super) fn sample(millis: i64, sockets: Vec<Socket>, owners: &[(u64, u32, u32, &str)]) -> Input {
    let mut by_inode: FxHashMap<u64, Vec<Owner>> = FxHashMap::default();
    for (inode, pid, fd, name) in owners {
        by_inode.entry(*inode).or_default().push(Owner { process: process(*pid, name), fd: *fd });
    }
    let local: Vec<IpAddr> = vec!["10.0.0.2".parse().expect("an address")];
    Input::Sample(Arc::new(SocketSample {
        took: Duration::from_millis(1),
        sockets,
        owners: Arc::new(Owners { by_inode, processes_read: 1, ..Owners::default() }),
        local_addresses: local.into(),
        ..SocketSample::empty(at(millis))
    }))
}

/// A reading of sockets that nobody is seen to hold, with limits.
pub(super) fn sample_with(millis: i64, limits: Limits, sockets: Vec<Socket>) -> Input {
    let Input::Sample(plain) = sample(millis, sockets, &[]) else { unreachable!("a sample") };
    Input::Sample(Arc::new(SocketSample { limits: Arc::new(limits), ..SocketSample::clone(&plain) }))
}

pub(super) fn feed_all(engine: &mut Engine, inputs: impl IntoIterator<Item = Input>) {
    for input in inputs {
        engine.feed(&input);
    }
}

fn inputs(segments: Vec<Segment>) -> impl Iterator<Item = Input> {
    segments.into_iter().map(Input::Segment)
}
