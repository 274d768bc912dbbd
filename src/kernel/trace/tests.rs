use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use proptest::prelude::*;

use super::*;
use crate::base::Endpoint;

const HEADER_PAGE: &str = "\tfield: u64 timestamp;\toffset:0;\tsize:8;\tsigned:0;\n\
    \tfield: local_t commit;\toffset:8;\tsize:8;\tsigned:1;\n\
    \tfield: int overwrite;\toffset:8;\tsize:1;\tsigned:1;\n\
    \tfield: char data;\toffset:16;\tsize:4080;\tsigned:0;\n";

/// Formats in which nothing lies where this machine's kernel has it.
fn formats() -> [Fields; EVENTS.len()] {
    let common = "\tfield:unsigned short common_type;\toffset:2;\tsize:2;\tsigned:0;\n\
                  \tfield:int common_pid;\toffset:8;\tsize:4;\tsigned:1;\n";
    let text = |id: u16, of: &[(&str, usize, usize)]| {
        let lines =
            of.iter().map(|(name, offset, size)| format!("\tfield:x {name};\toffset:{offset};\tsize:{size};\n"));
        fields(&format!("name: x\nID: {id}\nformat:\n{common}\n{}", lines.collect::<String>()))
    };
    [
        text(
            900,
            &[
                ("skaddr", 16, 8),
                ("oldstate", 24, 4),
                ("newstate", 28, 4),
                ("sport", 34, 2),
                ("dport", 32, 2),
                ("family", 36, 2),
                ("saddr[4]", 40, 4),
                ("daddr[4]", 44, 4),
                ("saddr_v6[16]", 48, 16),
                ("daddr_v6[16]", 64, 16),
            ],
        ),
        text(901, &[("pid", 12, 4), ("comm[16]", 16, 16), ("clone_flags", 32, 8)]),
        text(902, &[("pid", 12, 4), ("newcomm[16]", 16, 16)]),
        text(903, &[("pid", 12, 4), ("old_pid", 16, 4)]),
        text(904, &[("pid", 12, 4)]),
    ]
}

fn comm(name: &str) -> Comm {
    let mut comm = [0; 16];
    comm[..name.len()].copy_from_slice(name.as_bytes());
    comm
}

fn record(id: u16, caller: u32, len: usize, parts: &[(usize, &[u8])]) -> Vec<u8> {
    let mut bytes = vec![0; len];
    let id = id.to_ne_bytes();
    let caller = caller.to_ne_bytes();
    for (at, part) in [(2, &id[..]), (8, &caller[..])].iter().chain(parts) {
        bytes[*at..*at + part.len()].copy_from_slice(part);
    }
    bytes
}

fn state(caller: u32, socket: u64, states: (u32, u32), ports: (u16, u16)) -> Vec<u8> {
    record(
        900,
        caller,
        80,
        &[
            (16, &socket.to_ne_bytes()),
            (24, &states.0.to_ne_bytes()),
            (28, &states.1.to_ne_bytes()),
            (34, &ports.0.to_ne_bytes()),
            (32, &ports.1.to_ne_bytes()),
            (36, &2_u16.to_ne_bytes()),
            (40, &[192, 0, 2, 1]),
            (44, &[192, 0, 2, 2]),
        ],
    )
}

/// Entries as a kernel of this byte order packs them.
#[derive(Default)]
struct Ring(Vec<u8>);

impl Ring {
    fn header(mut self, kind: u32, delta: u32) -> Self {
        let header = if cfg!(target_endian = "big") { kind << 27 | delta } else { delta << 5 | kind };
        self.0.extend(header.to_ne_bytes());
        self
    }

    fn word(mut self, word: u32) -> Self {
        self.0.extend(word.to_ne_bytes());
        self
    }

    fn bytes(mut self, bytes: &[u8]) -> Self {
        self.0.extend(bytes);
        self.0.resize(self.0.len().next_multiple_of(4), 0);
        self
    }

    /// As the kernel writes: short records with their length in the header, long ones in a word of its own.
    fn event(self, delta: u32, record: &[u8]) -> Self {
        match u32::try_from(record.len()).unwrap() {
            len if len <= 112 && len.is_multiple_of(4) => self.header(len / 4, delta).bytes(record),
            len => self.header(0, delta).word(len + 4).bytes(record),
        }
    }

    fn page(&self, ts: u64, flags: u64, behind: &[u8]) -> Vec<u8> {
        let mut page = ts.to_ne_bytes().to_vec();
        page.extend((self.0.len() as u64 | flags).to_ne_bytes());
        page.extend(&self.0);
        page.extend(behind);
        page.resize(4096, 0xEE);
        page
    }
}

fn layout() -> Layout {
    Layout::of(&fields(HEADER_PAGE)).unwrap()
}

fn read(page: &[u8]) -> (Vec<(u64, usize)>, u64, bool) {
    let layout = layout();
    let page = Page::parse(page, &layout).unwrap();
    let mut entries = Vec::new();
    let whole = page.entries(|ts, data| entries.push((ts, data.len())));
    (entries, page.missed, whole)
}

#[test]
fn times_add_up_over_every_kind_of_entry() {
    let ring = Ring::default()
        .event(5, &[1; 8])
        .header(30, 7)
        .word(3)
        .event(1, &[2; 200])
        .header(29, 10)
        .word(12)
        .bytes(&[0; 8])
        .event(2, &[3; 4])
        .header(31, 9)
        .word(1 << 20)
        .event(1, &[4; 6])
        .header(29, 0)
        .bytes(&[0xFF; 40]);
    let far = (3_u64 << 27) + 7;
    let stamp = 9_u64 | 1 << 47;
    let expected = [(1005, 8), (1006 + far, 200), (1018 + far, 4), (stamp + 1, 6)];
    assert_eq!(read(&ring.page(1000, 0, &[])), (expected.to_vec(), 0, true));
}

#[test]
fn lost_events_are_told_with_their_number_where_it_is() {
    let ring = Ring::default().event(1, &[0; 8]);
    let stored = 7_u64.to_ne_bytes();
    assert_eq!(read(&ring.page(0, 1 << 31 | 1 << 30, &stored)).1, 7);
    assert_eq!(read(&ring.page(0, 1 << 31, &stored)).1, 1, "at least one");
    assert_eq!(read(&ring.page(0, 1 << 30, &stored)).1, 0, "the flag says so alone");
}

#[test]
fn a_page_that_lies_is_read_up_to_the_lie() {
    let whole = Ring::default().event(1, &[0; 8]);
    for (lie, shown) in [
        (Ring(whole.0.clone()).header(5, 1).bytes(&[0; 8]), 1),
        (Ring(whole.0.clone()).header(0, 1).word(3), 1),
        (Ring(whole.0.clone()).header(0, 1).word(u32::MAX), 1),
        (Ring(whole.0.clone()).header(30, 1), 1),
        (Ring(vec![1, 2]), 0),
    ] {
        let (entries, _, is_whole) = read(&lie.page(0, 0, &[]));
        assert_eq!((entries.len(), is_whole), (shown, false));
    }
    let layout = layout();
    assert_eq!(Page::parse(&[0; 15], &layout), None);
    let mut long = whole.page(0, 0, &[]);
    long[8..16].copy_from_slice(&4081_u64.to_ne_bytes());
    assert_eq!(Page::parse(&long, &layout), None, "more data than there is");
}

#[test]
fn records_are_read_where_the_format_says() {
    let decoder = Decoder::of(&formats()).unwrap();
    let end = |last: u8, port| Endpoint::new([192, 0, 2, last], port);
    let settled = |connected| Event::Settled { socket: 77, local: end(1, 40_000), peer: end(2, 80), connected };
    let closing = Event::Closing { tid: 9, local: end(1, 40_000), peer: end(2, 80) };
    let clone = 0x1_0000_u64.to_ne_bytes();
    let (pid, before, name) = (41_u32.to_ne_bytes(), 40_u32.to_ne_bytes(), comm("worker"));
    for (record, event) in [
        (state(9, 77, (7, 2), (0, 80)), Some(Event::Connecting { tid: 9, socket: 77, bound: false })),
        (state(9, 77, (7, 2), (4_000, 80)), Some(Event::Connecting { tid: 9, socket: 77, bound: true })),
        (state(9, 77, (2, 1), (40_000, 80)), Some(settled(Some(true)))),
        (state(9, 77, (2, 7), (40_000, 80)), Some(settled(Some(false)))),
        (state(9, 77, (2, 3), (40_000, 80)), Some(settled(None))),
        (state(9, 77, (1, 4), (40_000, 80)), Some(closing)),
        (state(9, 77, (8, 9), (40_000, 80)), Some(closing)),
        (state(9, 77, (1, 8), (40_000, 80)), None),
        (
            record(901, 9, 40, &[(12, &pid), (16, &name), (32, &clone)]),
            Some(Event::Began { parent: 9, tid: 41, comm: name, thread: true }),
        ),
        (
            record(901, 9, 40, &[(12, &pid), (16, &name)]),
            Some(Event::Began { parent: 9, tid: 41, comm: name, thread: false }),
        ),
        (record(902, 9, 32, &[(12, &pid), (16, &name)]), Some(Event::Renamed { tid: 41, comm: name })),
        (record(903, 9, 20, &[(12, &pid), (16, &before)]), Some(Event::Executed { tid: 41, before: 40 })),
        (record(904, 9, 16, &[(12, &pid)]), Some(Event::Ended { tid: 41 })),
        (record(905, 9, 16, &[(12, &pid)]), None),
        (record(904, 9, 16, &[])[..12].to_vec(), None),
    ] {
        assert_eq!(decoder.read(&record), event, "{record:?}");
    }
}

#[test]
fn an_address_is_of_its_family_and_mapped_ones_are_ipv4() {
    let decoder = Decoder::of(&formats()).unwrap();
    let v6: Ipv6Addr = "2001:db8::7".parse().unwrap();
    let mapped = Ipv4Addr::new(192, 0, 2, 9).to_ipv6_mapped();
    for (family, ends) in [(10_u16, Some((IpAddr::V6(v6), IpAddr::V4(Ipv4Addr::new(192, 0, 2, 9))))), (1, None)] {
        let mut bytes = state(9, 77, (2, 1), (40_000, 80));
        bytes[36..38].copy_from_slice(&family.to_ne_bytes());
        bytes[48..64].copy_from_slice(&v6.octets());
        bytes[64..80].copy_from_slice(&mapped.octets());
        let read = decoder.read(&bytes).map(|event| match event {
            Event::Settled { local, peer, .. } => (local.ip(), peer.ip()),
            other => panic!("{other:?}"),
        });
        assert_eq!(read, ends);
    }
}

#[test]
fn a_format_without_a_needed_field_is_refused_by_name() {
    for (index, (name, _)) in EVENTS.iter().enumerate() {
        let mut formats = formats();
        formats[index] = fields("ID: 5\n");
        assert_eq!(Decoder::of(&formats).unwrap_err(), *name);
    }
}

/// A task that binds its sockets before it connects them.
const BINDER: u32 = 99;

/// A joiner and what it claimed, as `begin pid comm port`.
#[derive(Default)]
struct Script {
    joiner: Joiner,
    claims: Vec<Claim>,
}

impl Script {
    fn at(&mut self, ts: u64, event: Event) -> &mut Self {
        self.joiner.push(Stamped { ts, event });
        self
    }

    fn begins(&mut self, ts: u64, tid: u32, socket: u64) -> &mut Self {
        self.at(ts, Event::Connecting { tid, socket, bound: tid == BINDER })
    }

    fn settles(&mut self, ts: u64, socket: u64, port: u16) -> &mut Self {
        let (local, peer) = (Endpoint::new([192, 0, 2, 1], port), Endpoint::new([192, 0, 2, 2], 80));
        self.at(ts, Event::Settled { socket, local, peer, connected: Some(true) })
    }

    fn forks(&mut self, ts: u64, parent: u32, tid: u32, name: &str, thread: bool) -> &mut Self {
        self.at(ts, Event::Began { parent, tid, comm: comm(name), thread })
    }

    fn told(&mut self, upto: u64) -> Vec<String> {
        self.claims.clear();
        self.joiner.release(upto, &mut self.claims);
        let name = |comm: &Comm| String::from_utf8_lossy(comm).trim_end_matches('\0').to_owned();
        let caller = |claim: &Claim| {
            claim.caller.map_or_else(|| "?".to_owned(), |caller| format!("{} {}", caller.pid, name(&caller.comm)))
        };
        self.claims.iter().map(|claim| format!("{} {} {}", claim.begin, caller(claim), claim.local.port())).collect()
    }
}

#[test]
fn the_port_comes_from_the_same_socket_whoever_runs_then() {
    let mut script = Script::default();
    script.forks(1, 1, 50, "curl", false).begins(2, 50, 7).settles(3, 7, 40_000);
    assert_eq!(script.told(10), ["2 50 curl 40000"]);
    // Its address again: another socket, another task.
    script.forks(11, 1, 51, "wget", false).begins(12, 51, 7).settles(13, 7, 40_001).settles(14, 7, 40_002);
    assert_eq!(script.told(20), ["12 51 wget 40001"], "the last event is of a socket that nobody was seen to connect");
}

#[test]
fn a_port_that_was_there_before_connect_was_bound() {
    let mut script = Script::default();
    script.begins(2, BINDER, 7).settles(3, 7, 40_000).begins(4, 50, 7).settles(5, 7, 40_001);
    script.told(10);
    assert_eq!(script.claims.iter().map(|claim| claim.bound).collect::<Vec<_>>(), [true, false]);
}

#[test]
fn processors_are_merged_by_time_and_nothing_is_told_early() {
    let mut script = Script::default();
    script.settles(30, 7, 40_000).begins(20, 50, 7).forks(10, 1, 50, "curl", false);
    assert!(script.told(30).is_empty(), "30 may have a neighbour that is not read yet");
    assert_eq!(script.told(31), ["20 50 curl 40000"]);
}

#[test]
fn a_connect_without_a_port_claims_nothing() {
    let mut script = Script::default();
    script.forks(1, 1, 50, "curl", false).begins(2, 50, 7).settles(3, 7, 0);
    assert!(script.told(10).is_empty());
}

#[test]
fn a_name_is_the_processes_at_the_time_of_the_connect() {
    let mut script = Script::default();
    script.forks(1, 1, 50, "sh", false).begins(2, 50, 1).at(3, Event::Renamed { tid: 50, comm: comm("curl") });
    script.begins(4, 50, 2).settles(5, 1, 1001).settles(6, 2, 1002);
    // A thread connects; the process bears its first task's name.
    script.forks(7, 50, 60, "curl", true).at(8, Event::Renamed { tid: 60, comm: comm("worker") });
    script.begins(9, 60, 3).settles(10, 3, 1003);
    // The first task ends before the others.
    script.at(11, Event::Ended { tid: 50 }).begins(12, 60, 4).settles(13, 4, 1004);
    assert_eq!(script.told(20), ["2 50 sh 1001", "4 50 curl 1002", "9 50 curl 1003", "12 50 worker 1004"]);
}

#[test]
fn a_thread_that_executes_takes_its_processes_number() {
    let mut script = Script::default();
    script.forks(1, 1, 50, "java", false).forks(2, 50, 60, "java", true).at(3, Event::Ended { tid: 50 });
    script.at(4, Event::Renamed { tid: 50, comm: comm("curl") }).at(5, Event::Executed { tid: 50, before: 60 });
    script.begins(6, 50, 1).settles(7, 1, 1001).begins(8, 60, 2).settles(9, 2, 1002);
    assert_eq!(script.told(20), ["6 50 curl 1001", "8 ? 1002"]);
}

#[test]
fn a_number_used_again_is_another_process() {
    let mut script = Script::default();
    script.forks(1, 1, 50, "first", false).begins(2, 50, 1).at(3, Event::Ended { tid: 50 });
    script.begins(4, 50, 2).forks(5, 1, 50, "second", false).begins(6, 50, 3);
    script.settles(7, 1, 1001).settles(8, 2, 1002).settles(9, 3, 1003);
    assert_eq!(script.told(20), ["2 50 first 1001", "4 ? 1002", "6 50 second 1003"]);
}

#[test]
fn what_proc_says_holds_from_its_reading_on() {
    let mut script = Script::default();
    let task = Task { tgid: Some(50), comm: comm("nginx"), since: 10, started: Some(Started::Ticks(7)) };
    script.joiner.learn(50, task);
    script.begins(9, 50, 1).begins(11, 50, 2).settles(12, 1, 1001).settles(13, 2, 1002);
    assert_eq!(script.told(20), ["9 ? 1001", "11 50 nginx 1002"]);
    assert_eq!(script.claims[1].caller.unwrap().started, Some(Started::Ticks(7)));
    assert!(script.joiner.lives(50) && !script.joiner.lives(51));
    script.at(25, Event::Ended { tid: 50 });
    assert!(!script.joiner.lives(50), "an event that is still held says so");
}

#[test]
fn whoever_closes_is_told_at_once() {
    let mut script = Script::default();
    let (local, peer) = (Endpoint::new([192, 0, 2, 2], 80), Endpoint::new([192, 0, 2, 1], 40_000));
    script.forks(1, 1, 50, "nginx", false).at(2, Event::Closing { tid: 50, local, peer });
    script.at(3, Event::Closing { tid: 51, local: peer, peer: local });
    assert_eq!(script.told(10), ["2 50 nginx 80", "3 ? 40000"]);
    assert!(script.claims.iter().all(|claim| claim.deed == Deed::Closed && claim.begin == claim.end));
}

#[test]
fn after_a_loss_nothing_from_before_is_joined() {
    let mut script = Script::default();
    script.forks(1, 1, 50, "curl", false).begins(2, 50, 7).begins(3, 50, 8);
    script.at(4, Event::Missed { until: 10, count: 3 });
    // Of another processor, in the time of which events were lost.
    script.begins(5, 50, 9).forks(6, 1, 51, "wget", false);
    script.settles(11, 7, 1001).settles(12, 9, 1002);
    script
        .begins(13, 51, 10)
        .forks(14, 1, 52, "nc", false)
        .begins(15, 52, 11)
        .settles(16, 10, 1003)
        .settles(17, 11, 1004);
    assert_eq!(script.told(20), ["13 ? 1003", "15 52 nc 1004"]);
    assert!(script.joiner.take_loss() && !script.joiner.take_loss());
}

proptest! {
    #[test]
    fn any_bytes_are_read(bytes in prop::collection::vec(any::<u8>(), 0..4200)) {
        read_all(&bytes);
    }

    /// A true page with some of its bytes changed.
    #[test]
    fn a_page_with_changed_bytes_is_read(changes in prop::collection::vec((0_usize..400, any::<u8>()), 1..12)) {
        let ring = Ring::default()
            .event(1, &record(901, 9, 40, &[(12, &41_u32.to_ne_bytes())]))
            .event(2, &state(41, 77, (7, 2), (0, 80)))
            .header(30, 7)
            .word(3)
            .event(3, &state(0, 77, (2, 1), (40_000, 80)))
            .event(1, &[2; 200]);
        let mut page = ring.page(1000, 1 << 31 | 1 << 30, &7_u64.to_ne_bytes());
        for (at, byte) in changes {
            page[at] = byte;
        }
        read_all(&page);
    }

    #[test]
    fn any_format_is_read(text in "(field:[a-z ]{0,9}(\\[[0-9]\\])?; ?offset:[0-9]{0,20};size:[0-9]{0,3};\n|ID: [0-9]{0,6}\n|.{0,9}\n){0,9}") {
        let fields = fields(&text);
        let _refused = Layout::of(&fields).map(|layout| Page::parse(&[0; 64], &layout).map(|page| page.ts));
    }
}

fn read_all(bytes: &[u8]) {
    let decoder = Decoder::of(&formats()).unwrap();
    let mut joiner = Joiner::default();
    if let Some(page) = Page::parse(bytes, &layout()) {
        page.entries(|ts, record| {
            if let Some(event) = decoder.read(record) {
                joiner.push(Stamped { ts, event });
            }
        });
    }
    joiner.release(u64::MAX, &mut Vec::new());
}
