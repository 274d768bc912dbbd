//! Entries beside ours, and comments for who looks at packets.

use std::sync::Arc;

use super::super::block::Block;
use super::tables::empty;
use super::{ETHERNET, Given, read, record};
use crate::base::{Endpoint, Scrubbed, TcpState, Timestamp};
use crate::engine::Input;
use crate::kernel::{Connect, KernelEvent, Owner, Process, Reported, Rung, Socket, SocketSample};

fn at(millis: i64) -> Timestamp {
    Timestamp::from_secs_nanos(1_700_000_000, millis * 1_000_000)
}

fn tick(millis: i64) -> Given {
    Given::Input(Input::Tick(at(millis)))
}

/// An entry of a real journal, with a binary field of its own.
fn foreign() -> Vec<u8> {
    let mut out = Vec::new();
    Block::journal(&mut out, |out| {
        out.extend_from_slice(b"__CURSOR=s=1\n__REALTIME_TIMESTAMP=1700000000000000\nMESSAGE\n");
        out.extend_from_slice(&5u64.to_le_bytes());
        out.extend_from_slice(b"a\nb=c\n_TRANSPORT=journal\n");
    })
    .end();
    out
}

#[test]
fn entries_of_others_are_passed_over_and_counted() {
    let ours = record(0, &[tick(0)]);
    let back = read(&[ours, foreign(), foreign()].concat());
    assert_eq!((back.inputs.len(), back.foreign, back.skipped, back.damage), (1, 2, 0, None));
    // A capture with a journal in it is a capture.
    let section = &record(0, &[])[..];
    let len = u32::from_le_bytes(section[4..8].try_into().expect("a length")) as usize;
    let back = read(&[&section[..len], &foreign()].concat());
    assert_eq!((back.inputs.len(), back.foreign, back.damage), (0, 1, None));
}

#[test]
fn whether_it_was_ended_is_known() {
    let file = record(0, &[tick(0), tick(10)]);
    let last = u32::from_le_bytes(file[file.len() - 4..].try_into().expect("a length")) as usize;
    let cut = &file[..file.len() - last];
    let header = &file[..u32::from_le_bytes(file[4..8].try_into().expect("a length")) as usize];
    let cases: [(&[&[u8]], bool); 8] = [
        (&[&file], false),
        (&[cut], true),
        (&[&file, &file], false),
        (&[&file, cut], true),
        (&[cut, &file], true),
        (&[&file, header], true),
        (&[&file, header, &file], true),
        (&[&file, header, &foreign(), &file], true),
    ];
    for (at, (sections, lacks_end)) in cases.into_iter().enumerate() {
        let back = read(&sections.concat());
        assert_eq!((back.damage, back.lacks_end), (None, lacks_end), "case {at}");
    }
    assert_eq!(read(cut).inputs, read(&file).inputs);
    let mut capture = record(0, &[]);
    capture.truncate(u32::from_le_bytes(capture[4..8].try_into().expect("a length")) as usize);
    assert!(!read(&capture).lacks_end, "no recording");
}

#[test]
fn an_entry_that_cannot_be_read_is_damage_at_its_beginning() {
    let mut file = record(0, &[]);
    let begin = file.len() - u32::from_le_bytes(file[file.len() - 4..].try_into().expect("a length")) as usize;
    let kind = file.windows(16).rposition(|bytes| bytes == b"SOCKSCOPE_ENTRY\n").expect("a field") + 16 + 8 + 1;
    file[kind] = 99;
    let back = read(&file);
    assert_eq!(back.damage.map(|damage| damage.offset), Some(begin as u64));
}

#[test]
fn a_later_version_is_refused_by_name() {
    let mut file = record(0, &[]);
    let version = file.windows(16).position(|bytes| bytes == b"SOCKSCOPE_ENTRY\n").expect("a field") + 16 + 8 + 3;
    assert_eq!(file[version], 3);
    file[version] = 4;
    let damage = read(&file).damage.expect("damage");
    assert_eq!(damage.reason, "a recording of format 4, and only 1 to 3 are read");
}

#[test]
fn ticks_are_written_where_an_older_input_follows_where_nothing_happens_and_last() {
    let event = |millis| Given::Input(Input::Kernel(KernelEvent::Tracing(at(millis))));
    let ticks = |given: &[Given]| -> Vec<i64> {
        let back = read(&record(0, given)).inputs.into_iter();
        let ticks = back.filter(|input| matches!(input, Input::Tick(_)));
        ticks.map(|tick| (tick.ts().nanos() - at(0).nanos()) / 1_000_000).collect()
    };
    assert_eq!(ticks(&[event(0), tick(20), event(30)]), [0; 0], "the next input outdoes it");
    assert_eq!(ticks(&[event(0), tick(20), event(10)]), [20], "an older one follows");
    assert_eq!(ticks(&[event(0), tick(900), tick(1_100), tick(1_900), tick(2_200)]), [1_100, 2_200]);
    assert_eq!(ticks(&[event(0), tick(20), tick(10)]), [20], "the last, not older than the one before");
}

pub(super) fn process(pid: u32, comm: &str) -> Arc<Process> {
    let (comm, cmdline, user) = (Scrubbed::new(comm), Scrubbed::new(""), Scrubbed::new("root"));
    Arc::new(Process { pid, start_time: None, comm, cmdline, user })
}

/// The SYN of a connection, or the ack behind it.
fn packet(millis: i64, syn: bool) -> Given {
    let flags = if syn { 2 } else { 16 };
    let bytes = [
        &[2; 12][..],
        &[8, 0, 0x45, 0, 0, 40, 0, 0, 0, 0, 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2],
        &[0x9c, 0x40, 0, 80, 0, 0, 0, 1, 0, 0, 0, 2, 0x50, flags, 0xff, 0xff, 0, 0, 0, 0],
    ]
    .concat();
    let (ts, len) = (at(millis), bytes.len() as u32);
    let mut gave = Vec::new();
    crate::journal::Intake::default().take(&super::frame_of(ETHERNET, ts, len, &bytes), &mut gave);
    Given::Frame { source: ETHERNET, ts, len, bytes, gave: gave.pop() }
}

pub(super) fn connect(millis: i64, comm: &str) -> Given {
    let (local, peer) = (Endpoint::new([10, 0, 0, 1], 40_000), Endpoint::new([10, 0, 0, 2], 80));
    let (begin, end, scope) = (at(millis), at(millis), super::SCOPE);
    let process = Some(process(7, comm));
    let connect = Connect {
        begin,
        end,
        scope,
        local,
        peer,
        process,
        here: Some(true),
        bound: false,
        connected: Some(true),
        rung: Rung::Trace,
    };
    Given::Input(Input::Kernel(KernelEvent::Connect(connect)))
}

fn reading(millis: i64, sockets: Vec<Socket>, owners: &[(u64, &str)]) -> Given {
    let mut sample = SocketSample { sockets, ..empty(at(millis)) };
    let held = owners.iter().map(|(inode, comm)| (*inode, vec![Owner { process: process(9, comm), fd: 4 }]));
    Arc::make_mut(&mut sample.owners).by_inode = held.collect();
    Given::Input(Input::Sample(Arc::new(sample)))
}

fn socket(local: &str, peer: &str, state: TcpState, inode: u64) -> Socket {
    let end = |text: &str| {
        let address: std::net::SocketAddr = text.parse().expect("an address");
        Endpoint::new(address.ip(), address.port())
    };
    Socket {
        local: end(local),
        peer: end(peer),
        state: Reported(state),
        recv_q: 0,
        send_q: None,
        timer: None,
        uid: None,
        inode: Some(inode),
        cookie: None,
        buffers: None,
        drops: None,
        memory: None,
        congestion: None,
        cgroup: None,
        info: None,
    }
}

/// The comments of a recording, in order, with the number of their packet.
fn comments(given: &[Given]) -> Vec<String> {
    let file = record(0, given);
    let (mut at, mut packets, mut found) = (0, 0, Vec::new());
    while at < file.len() {
        let number = |place: usize| u32::from_le_bytes(file[place..place + 4].try_into().unwrap()) as usize;
        let (kind, len) = (number(at), number(at + 4));
        if kind == 6 {
            packets += 1;
            let options = at + 28 + number(at + 20).next_multiple_of(4);
            let comments = super::super::frames::Options(&file[options..at + len - 4]).filter(|(code, _)| *code == 1);
            found.extend(comments.map(|(_, text)| format!("{packets}: {}", String::from_utf8_lossy(text))));
        }
        at += len;
    }
    found
}

#[test]
fn an_owner_is_told_on_the_first_packet_from_when_it_is_known() {
    const CONNECTED: &str = "10.0.0.1:40000 connected by curl (pid 7, root)";
    let estab = || socket("10.0.0.1:40000", "10.0.0.2:80", TcpState::Estab, 5);
    let listen = |local| socket(local, "0.0.0.0:0", TcpState::Listen, 6);
    let held = |at: usize| vec![format!("{at}: 10.0.0.1:40000 held by sshd (pid 9, root), fd 4")];
    let cases: [(&str, Vec<Given>, Vec<String>); 9] = [
        ("nothing known", vec![packet(0, true), packet(1, false)], vec![]),
        (
            "a connect is known behind its SYN, and told once",
            vec![packet(0, true), connect(0, "curl"), packet(1, false), packet(2, false)],
            vec![format!("2: {CONNECTED}")],
        ),
        (
            "a newer SYN is another connection's",
            vec![packet(0, true), connect(0, "curl"), packet(9, true), packet(10, false)],
            vec![],
        ),
        ("a reading tells the holder", vec![reading(0, vec![estab()], &[(5, "sshd")]), packet(1, false)], held(1)),
        (
            "a holder found later",
            vec![
                reading(0, vec![estab()], &[]),
                packet(1, false),
                reading(2, vec![estab()], &[(5, "sshd")]),
                packet(3, false),
            ],
            held(2),
        ),
        (
            "of a full reading only what is new",
            vec![
                reading(0, vec![estab()], &[(5, "sshd")]),
                packet(1, false),
                reading(70_000, vec![estab()], &[(5, "sshd")]),
                packet(70_001, false),
            ],
            held(1),
        ),
        (
            "a listener on each SYN",
            vec![
                reading(0, vec![listen("10.0.0.2:80")], &[(6, "nginx")]),
                packet(1, true),
                packet(2, false),
                packet(3, true),
            ],
            [1, 3].map(|at| format!("{at}: 10.0.0.2:80 listened on by nginx (pid 9, root), fd 4")).to_vec(),
        ),
        (
            "a listener on every address",
            vec![reading(0, vec![listen("[::]:80")], &[(6, "nginx")]), packet(1, true)],
            vec!["1: 10.0.0.2:80 listened on by nginx (pid 9, root), fd 4".to_owned()],
        ),
        (
            "another port's listener",
            vec![reading(0, vec![listen("[::]:81")], &[(6, "nginx")]), packet(1, true)],
            vec![],
        ),
    ];
    for (what, given, expected) in cases {
        assert_eq!(comments(&given), expected, "{what}");
    }
}
