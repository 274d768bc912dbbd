//! Lists beside the flow table: which rows, in which order, and that a row is found again wherever it went.

use super::*;

fn ask(engine: &Engine, list: List) -> ListPane {
    engine.dashboard(&Query { list, rows: 100, ..Query::default() }, &mut QueryCache::default()).list
}

fn filtered(engine: &Engine, list: List, filter: &str) -> ListPane {
    let query = Query { list, rows: 100, filter: Filter::parse(filter).expect(filter), ..Query::default() };
    engine.dashboard(&query, &mut QueryCache::default()).list
}

fn by<K>(by: K) -> Sort<K> {
    Sort { by, reverse: false }
}

fn flows(pane: ListPane) -> Vec<u64> {
    let ListPane::Handshakes(window) = pane else { panic!("handshakes") };
    window.rows.iter().map(|row| row.flow.0).collect()
}

/// Completed after 11 ms, refused after 1 ms, never answered, waiting, and one seen mid-stream.
fn handshakes() -> Engine {
    let mut engine = fed(handshake(0));
    let client = |n: u32| format!("10.0.0.2:{}", 50_000 + n);
    let syn = |millis, n, seq| segment(millis, &client(n), SERVER, "S", seq, 0, 0);
    feed_all(
        &mut engine,
        [Input::Segment(syn(100, 1, 1)), Input::Segment(segment(101, SERVER, &client(1), "R.", 0, 2, 0))],
    );
    feed_all(&mut engine, [syn(200, 2, 1), syn(1_200, 2, 1), syn(3_200, 2, 1)].map(Input::Segment));
    feed_all(&mut engine, [Input::Segment(segment(300, &client(3), SERVER, "P.", 9, 9, 5))]);
    feed_all(&mut engine, [Input::Segment(syn(20_000, 4, 1))]);
    engine
}

#[test]
fn handshakes_that_failed_come_first_and_those_not_seen_not_at_all() {
    let engine = handshakes();
    let list = |key| flows(ask(&engine, List::Handshakes(by(key))));
    assert_eq!(list(HandshakeSort::Failures), [2, 1, 4, 0]);
    assert_eq!(list(HandshakeSort::Recent), [4, 2, 1, 0]);
    assert_eq!(list(HandshakeSort::Slowest), [2, 0, 1, 4]);
    let reverse = List::Handshakes(Sort { by: HandshakeSort::Failures, reverse: true });
    assert_eq!(flows(ask(&engine, reverse)), [0, 4, 1, 2]);
    assert_eq!(flows(filtered(&engine, List::Handshakes(Sort::default()), "refused")), [1]);
}

#[test]
fn a_handshake_tells_when_each_of_its_segments_came() {
    let ListPane::Handshakes(window) = ask(&handshakes(), List::Handshakes(Sort::default())) else { panic!() };
    let of = |id| window.rows.iter().find(|row| row.flow == FlowId(id)).unwrap();
    let (done, refused, timed_out, waits) = (of(0), of(1), of(2), of(4));
    assert_eq!(
        (done.view.syn_ack_at, done.view.ack_at, done.took),
        (Some(at(10)), Some(at(11)), Some(Duration::from_millis(11)))
    );
    assert_eq!(
        (refused.concluded, refused.took, refused.syns_again.len()),
        (Some(at(101)), Some(Duration::from_millis(1)), 0)
    );
    assert_eq!((timed_out.view.syn_retries, timed_out.syns_again.last()), (2, Some(&at(3_200))));
    assert_eq!(timed_out.syns_again, [at(1_200), at(3_200)], "each try");
    assert_eq!(timed_out.took, Some(Duration::from_millis(3_000)), "to the last SYN, not to the verdict's timer");
    assert_eq!((waits.concluded, waits.took), (None, Some(Duration::ZERO)));
}

#[test]
fn what_stays_half_open_lasts_for_as_long_as_it_is_tried() {
    let client = "10.0.0.2:50009";
    let mut engine = fed([segment(0, client, SERVER, "S", 1, 0, 0)]);
    let answers = [100, 1_100, 3_100].map(|millis| segment(millis, SERVER, client, "S.", 7, 2, 0));
    feed_all(&mut engine, answers.map(Input::Segment));
    let mut took = |now: i64| {
        feed_all(&mut engine, [Input::Segment(segment(now, "10.0.0.2:50010", SERVER, "P.", 9, 9, 5))]);
        let ListPane::Handshakes(window) = ask(&engine, List::Handshakes(Sort::default())) else { panic!() };
        assert_eq!(window.rows[0].view.outcome, crate::flow::HandshakeOutcome::HalfOpen);
        window.rows[0].took
    };
    assert_eq!(took(7_000), Some(Duration::from_secs(7)), "the next SYN-ACK may come");
    assert_eq!(took(20_000), Some(Duration::from_millis(3_100)), "overdue: to the last SYN-ACK");
    let mut single = fed([segment(0, client, SERVER, "S", 1, 0, 0)]);
    feed_all(&mut single, [Input::Segment(segment(9_000, "10.0.0.2:50010", SERVER, "P.", 9, 9, 5))]);
    let ListPane::Handshakes(window) = ask(&single, List::Handshakes(Sort::default())) else { panic!() };
    assert_eq!((window.rows[0].concluded, window.rows[0].took), (Some(at(3_500)), None), "a single try lasts no time");
}

/// A listener with two connections, one accepted by a process and one that waits; a client of its own; a TIME-WAIT.
fn host() -> Engine {
    use TcpState::{CloseWait, Estab, Listen, TimeWait};
    let mut engine = engine();
    let rows = vec![
        socket("0.0.0.0:80", "0.0.0.0:0", Listen, (1, 8), 1, 1),
        socket("10.0.0.2:80", "10.0.0.3:40000", Estab, (98, 0), 2, 2),
        socket("10.0.0.2:80", "10.0.0.3:40001", Estab, (0, 0), 0, 3),
        socket("10.0.0.2:33000", "10.0.0.9:5432", CloseWait, (1, 0), 4, 4),
        socket("10.0.0.2:33001", "10.0.0.9:5432", TimeWait, (0, 0), 0, 5),
        socket("10.0.0.2:33002", "10.0.0.8:443", Estab, (0, 700), 6, 6),
    ];
    let owners = [(1, 7, 3, "web"), (2, 7, 4, "web"), (4, 9, 5, "job"), (6, 9, 11, "job")];
    let Input::Sample(read) = sample(0, rows, &owners) else { panic!("a sample") };
    let limits = Limits { port_range: Some((33_000, 33_999)), ..Limits::default() };
    engine.feed(&Input::Sample(Arc::new(SocketSample { limits: Arc::new(limits), ..(*read).clone() })));
    engine
}

#[test]
fn flows_that_only_the_kernel_tells_of_are_none_of_the_wire() {
    let mut engine = host();
    let counts = |engine: &Engine| {
        let totals = show(engine).totals;
        (totals.flows_begun, totals.flows_on_wire)
    };
    assert_eq!(counts(&engine), (5, 0));
    engine.feed(&Input::Segment(segment(10, "10.0.0.2:33002", "10.0.0.8:443", "P.", 1, 1, 5)));
    engine.feed(&Input::Segment(segment(11, "10.0.0.8:443", "10.0.0.2:33002", ".", 1, 6, 0)));
    assert_eq!(counts(&engine), (5, 1), "one of those");
    engine.feed(&Input::Segment(segment(20, "10.0.0.2:33003", "10.0.0.8:443", "S", 1, 0, 0)));
    assert_eq!(counts(&engine), (6, 2));
}

#[test]
fn queues_are_listed_each_once_and_kept_in_kinds() {
    let keys = |pane| {
        let ListPane::Queues(window) = pane else { panic!("queues") };
        window.rows.iter().map(Keyed::key).collect::<Vec<_>>()
    };
    let engine = host();
    let of = |kind, flow, whose: &str| RowKey::Queue(kind, FlowId(flow), end(whose));
    let (recv, send) = (of(QueueKind::Recv, 0, "10.0.0.2:80"), of(QueueKind::Send, 4, "10.0.0.2:33002"));
    let accept = RowKey::Listener(Scope(0), end("0.0.0.0:80"), Some(1));
    assert_eq!(keys(ask(&engine, List::Queues(Sort::default()))), [send, recv, accept]);
    assert_eq!(keys(ask(&engine, List::Queues(by(QueueSort::Kind)))), [recv, send, accept]);
    assert_eq!(keys(filtered(&engine, List::Queues(Sort::default()), "web")), [recv], "of flows alone");
}

#[test]
fn one_byte_that_nobody_reads_is_as_bad_as_many_and_a_fin_is_none() {
    let rows = |state| {
        vec![
            socket("10.0.0.2:80", "10.0.0.3:40000", state, (1, 0), 2, 2),
            socket("10.0.0.2:33002", "10.0.0.8:443", TcpState::Estab, (0, 700), 6, 6),
        ]
    };
    for (state, expected) in
        [(TcpState::Estab, vec![QueueKind::Recv, QueueKind::Send]), (TcpState::CloseWait, vec![QueueKind::Send])]
    {
        let mut engine = engine();
        feed_all(&mut engine, [0, 11_000].map(|millis| sample(millis, rows(state), &[])));
        let ListPane::Queues(window) = ask(&engine, List::Queues(Sort::default())) else { panic!("queues") };
        let kind = |row: &QueueEntry| match row.key() {
            RowKey::Queue(kind, ..) => kind,
            other => panic!("{other:?}"),
        };
        assert_eq!(window.rows.iter().map(kind).collect::<Vec<_>>(), expected, "{state}");
    }
}

#[test]
fn bytes_of_a_local_sender_are_its_send_queue_and_not_told_twice() {
    let mut engine = fed(handshake(0));
    feed_all(&mut engine, [Input::Segment(segment(20, CLIENT, SERVER, "P.", 101, 501, 700))]);
    let count = |engine: &Engine| {
        let ListPane::Queues(window) = ask(engine, List::Queues(Sort::default())) else { panic!("queues") };
        window.rows.iter().map(|row| matches!(row, QueueEntry::Wire(..))).collect::<Vec<_>>()
    };
    assert_eq!(count(&engine), [true]);
    engine.feed(&sample(30, vec![socket(CLIENT, SERVER, TcpState::Estab, (0, 700), 1, 1)], &[]));
    assert_eq!(count(&engine), [false]);
}

#[test]
fn listeners_tell_who_came_in() {
    let ListPane::Listeners(window) = ask(&host(), List::Listeners(Sort::default())) else { panic!("listeners") };
    let [row] = &window.rows[..] else { panic!("one: {window:?}") };
    assert_eq!((row.waiting, row.limit, row.drops), (Some(1), Some(8), None));
    let came_in = CameIn { estab: 2, completed: 2, ..CameIn::default() };
    assert_eq!(row.came_in, Some(came_in));
}

#[test]
fn sockets_that_share_an_end_share_who_came_in() {
    let mut engine = engine();
    let listen = |cookie| socket("0.0.0.0:80", "0.0.0.0:0", TcpState::Listen, (0, 8), cookie, cookie);
    let came = socket("10.0.0.2:80", "10.0.0.3:40000", TcpState::Estab, (0, 0), 9, 9);
    engine.feed(&sample(0, vec![listen(1), listen(2), came], &[]));
    let ListPane::Listeners(window) = ask(&engine, List::Listeners(by(ListenerSort::Port))) else { panic!() };
    let estab: Vec<_> = window.rows.iter().map(|row| (row.id, row.came_in.map(|came_in| came_in.estab))).collect();
    assert_eq!(estab, [(Some(1), Some(1)), (Some(2), None)], "which of them took it is not known");
}

#[test]
fn what_is_bound_and_does_not_listen_comes_last_with_its_holder() {
    let mut engine = engine();
    let listen = socket("0.0.0.0:80", "0.0.0.0:0", TcpState::Listen, (0, 8), 1, 1);
    let bound = socket("10.0.0.2:70", "0.0.0.0:0", TcpState::Closed, (0, 0), 2, 2);
    engine.feed(&sample(0, vec![bound, listen.clone()], &[(1, 7, 3, "web"), (2, 9, 5, "job")]));
    let told = |engine: &Engine| {
        let ListPane::Listeners(window) = ask(engine, List::Listeners(Sort::default())) else { panic!() };
        let row = |row: &ListenerRow| {
            let who = row.owner.process().map_or(0, |process| process.pid);
            (row.local.port(), row.listens, who, row.waiting, row.came_in.is_some())
        };
        window.rows.iter().map(row).collect::<Vec<_>>()
    };
    assert_eq!(told(&engine), [(80, true, 7, Some(0), true), (70, false, 9, None, false)]);
    engine.feed(&sample(1000, vec![listen], &[(1, 7, 3, "web")]));
    assert_eq!(told(&engine).len(), 1, "it is gone, or has connected");
}

#[test]
fn in_a_capture_those_listen_that_answered() {
    let mut engine = handshakes();
    feed_all(&mut engine, [Input::Segment(segment(30_000, "10.0.0.9:22", CLIENT, "S.", 1, 9, 0))]);
    let ListPane::Listeners(window) = ask(&engine, List::Listeners(by(ListenerSort::Port))) else { panic!() };
    let told: Vec<_> = window.rows.iter().map(|row| (row.local, row.waiting)).collect();
    assert_eq!(told, [(end("10.0.0.9:22"), None), (end(SERVER), None)]);
    assert_eq!(window.rows[1].came_in.map(|came_in| came_in.completed), Some(1), "neither refused nor unanswered");
}

#[test]
fn ports_are_counted_by_source_and_service() {
    let rows = |engine: &Engine, key| {
        let ListPane::Ports(window) = ask(engine, List::Ports(by(key))) else { panic!("ports") };
        window.rows.into_iter().map(|row| (row.service, row.time_wait, row.open, row.ports)).collect::<Vec<_>>()
    };
    let taken = |taken| Some(PortUse { taken, range: 1_000 });
    let (db, web) = ((end("10.0.0.9:5432"), 1, 1, taken(2)), (end("10.0.0.8:443"), 0, 1, taken(1)));
    let engine = host();
    assert_eq!(rows(&engine, PortSort::TimeWait), [db, web], "its own service takes no port of the range");
    assert_eq!(rows(&engine, PortSort::Service), [web, db]);
    // By the wire alone: no range is known, so none is told.
    let mut engine = fed(handshake(0));
    feed_all(&mut engine, close(100).into_iter().map(Input::Segment));
    assert_eq!(rows(&engine, PortSort::TimeWait), [(end(SERVER), 1, 0, None)]);
}

#[test]
fn processes_are_told_with_their_descriptors_where_they_are_open() {
    let lines = |open: &[ProcessId], filter: &str| {
        let ListPane::Processes(window) = filtered(&host(), List::Processes(Sort::default(), open.to_vec()), filter)
        else {
            panic!("processes")
        };
        let told = |line: ProcessLine| match line {
            ProcessLine::Process(row) => (row.process.pid, row.sockets, row.recv_q, row.send_q),
            ProcessLine::Descriptor(row) => (0, u64::from(row.fd), row.recv_q.into(), row.flow.map_or(99, |id| id.0)),
        };
        window.rows.into_iter().map(told).collect::<Vec<_>>()
    };
    let (web, job) = (ProcessId { pid: 7, start_time: Some(1) }, ProcessId { pid: 9, start_time: Some(1) });
    // A listener's accept queue and a FIN are no bytes to be read.
    assert_eq!(lines(&[], ""), [(7, 2, 98, 0), (9, 2, 0, 700)]);
    assert_eq!(lines(&[web], ""), [(7, 2, 98, 0), (0, 3, 1, 99), (0, 4, 98, 0), (9, 2, 0, 700)]);
    assert_eq!(lines(&[job], "5432"), [(9, 1, 0, 0), (0, 5, 1, 2)], "a filter picks connections");
    let other_life = ProcessId { start_time: Some(2), ..web };
    assert_eq!(lines(&[other_life], "").len(), 2, "a pid used again is another process");
}

#[test]
fn a_row_is_followed_by_its_key_and_windows_are_cut_from_the_cache() {
    let engine = handshakes();
    let list = List::Handshakes(by(HandshakeSort::Recent));
    let query = Query { list, offset: 1, rows: 2, follow: Some(RowKey::Flow(FlowId(0))), ..Query::default() };
    let mut cache = QueryCache::default();
    let dashboard = engine.dashboard(&query, &mut cache);
    let place = dashboard.place();
    assert_eq!((place.matching, place.offset, place.followed), (4, 1, Some(3)));
    assert_eq!(place.keys, [RowKey::Flow(FlowId(2)), RowKey::Flow(FlowId(1))]);
    let next = Query { offset: 3, follow: Some(RowKey::Flow(FlowId(77))), ..query };
    let place = engine.dashboard(&next, &mut cache).place();
    assert_eq!((place.followed, place.keys), (None, vec![RowKey::Flow(FlowId(0))]));
}

#[test]
fn flows_are_grouped_and_only_open_groups_show_theirs() {
    let told = |by, open: &[GroupKey]| {
        let ListPane::Groups(window) = ask(&host(), List::Groups(by, open.to_vec())) else { panic!("groups") };
        let line = |line: &GroupLine| match line {
            GroupLine::Group(row) => (Some(row.key), row.flows, row.send_q),
            GroupLine::Flow(row) => (None, row.id.0, None),
        };
        window.rows.iter().map(line).collect::<Vec<_>>()
    };
    let of = |pid| GroupKey::Process(ProcessId { pid, start_time: Some(1) });
    let (web, job, none) = (of(7), of(9), GroupKey::NoProcess);
    // Not yet accepted, a connection is its listener's; of TIME-WAIT no reading showed a holder.
    let by_process = [(Some(web), 2, Some(0)), (Some(job), 2, Some(700)), (Some(none), 1, Some(0))];
    assert_eq!(told(GroupBy::Process, &[]), by_process);
    let open = told(GroupBy::Process, &[web]);
    assert_eq!(open.len(), 5);
    assert_eq!((open[0].0, open[1].0, open[2].0, open[3].0), (Some(web), None, None, Some(job)));
    let peers: Vec<_> = told(GroupBy::Peer, &[]).into_iter().map(|(key, flows, _)| (key.unwrap(), flows)).collect();
    let peer = |text: &str| GroupKey::Peer(text.parse().unwrap());
    assert_eq!(peers, [(peer("10.0.0.3"), 2), (peer("10.0.0.9"), 2), (peer("10.0.0.8"), 1)]);
    let ports: Vec<_> = told(GroupBy::Port, &[]).into_iter().map(|(key, flows, _)| (key.unwrap(), flows)).collect();
    assert_eq!(ports, [(GroupKey::Port(80), 2), (GroupKey::Port(5432), 2), (GroupKey::Port(443), 1)]);
}

#[test]
fn a_port_row_names_the_lowest_pid_and_says_that_there_are_others() {
    let mut engine = engine();
    let to_db =
        |port: u32, inode| socket(&format!("10.0.0.2:{port}"), "10.0.0.9:5432", TcpState::Estab, (0, 0), inode, inode);
    let owners = [(1, 12, 3, "job"), (2, 7, 3, "web"), (3, 7, 4, "web")];
    let named = |engine: &Engine| {
        let ListPane::Ports(window) = ask(engine, List::Ports(Sort::default())) else { panic!("ports") };
        window.rows[0].process.clone().map(|(process, more)| (process.pid, more))
    };
    engine.feed(&sample(0, vec![to_db(40_001, 2), to_db(40_002, 3)], &owners));
    assert_eq!(named(&engine), Some((7, false)));
    engine.feed(&sample(100, vec![to_db(40_000, 1), to_db(40_001, 2), to_db(40_002, 3)], &owners));
    assert_eq!(named(&engine), Some((7, true)));
}

#[test]
fn the_busiest_processes_are_those_of_the_last_reading() {
    let dashboard = show(&host());
    let told: Vec<_> = dashboard.busiest.iter().map(|row| (row.process.pid, row.sockets, row.bits_per_s)).collect();
    assert_eq!(told, [(7, 2, None), (9, 2, None)], "no segment was seen: there is no rate to tell");
    assert!(show(&fed(handshake(0))).busiest.is_empty());
}

#[test]
fn retransmissions_are_counted_by_the_second() {
    let mut engine = fed(handshake(0));
    let data = |millis| Input::Segment(segment(millis, CLIENT, SERVER, "P.", 101, 501, 700));
    feed_all(&mut engine, [data(20), data(1_500), data(1_900), data(3_100)]);
    engine.feed(&Input::Tick(at(4_200)));
    let resent = show(&engine).traffic.resent;
    assert_eq!(resent.iter().sum::<u64>(), 3, "{resent:?}");
    assert_eq!(resent.first(), Some(&2), "{resent:?}");
}
