//! Whose inputs a transcript takes, what it tells of each, and what it leaves out.

use std::time::Duration;

use super::*;
use crate::base::TcpState::{Closed, Estab, SynRecv, SynSent, TimeWait};
use crate::base::{StateSet, Timestamp};
use crate::engine::tests::{CLIENT, SERVER, at, close, handshake, sample, segment, socket};
use crate::engine::{Config, Engine, FlowId, Input};
use crate::flow::Mark;
use crate::kernel::{Covers, SocketSample, TableSource};
use crate::wire::{Options, Segment};

fn inputs(segments: &[Segment]) -> Vec<Input> {
    segments.iter().map(|segment| Input::Segment(*segment)).collect()
}

/// The transcript of a flow of an engine that was fed the same.
fn of(id: u64, inputs: &[Input]) -> Transcript {
    let mut engine = Engine::new(Config::replay(10, 1));
    inputs.iter().for_each(|input| engine.feed(input));
    let key = engine.flow_key(FlowId(id)).expect("a key");
    let mut collector = Collector::new(key, engine.now().expect("a time"));
    inputs.iter().for_each(|input| collector.take(input));
    collector.finish().expect("a transcript")
}

fn arrow(entry: &Entry) -> &Arrow {
    match &entry.what {
        EntryKind::Segment(arrow) => arrow,
        other => panic!("no segment: {other:?}"),
    }
}

/// Millisecond and what stands there: a segment's flags and relative numbers, or something else.
fn told(transcript: &Transcript) -> Vec<String> {
    let entry = |entry: &Entry| match &entry.what {
        EntryKind::Segment(arrow) => {
            let number = |number: Option<u32>| number.map_or_else(|| "-".to_owned(), |number| number.to_string());
            format!("{} {} {}", arrow.segment.flags, number(arrow.seq), number(arrow.ack))
        }
        other => format!("{other:?}"),
    };
    let millis = |at: Timestamp| at.since(super::super::tests::at(0)).as_millis();
    transcript.entries.iter().map(|one| format!("{} {}", millis(one.at), entry(one))).collect()
}

#[test]
fn segments_come_with_relative_numbers_and_the_states_after_them() {
    let transcript = of(0, &inputs(&[handshake(0), close(100)].concat()));
    assert_eq!(told(&transcript), ["0 S 0 -", "10 S. 0 1", "11 . 1 1", "100 F. 1 1", "110 F. 1 2", "111 . 2 2"]);
    let states: Vec<_> = transcript.entries.iter().map(|entry| entry.states).collect();
    assert_eq!(states[..3], [[Some(SynSent), None], [Some(SynSent), Some(SynRecv)], [Some(Estab); 2]]);
    assert_eq!(states[5], [Some(TimeWait), Some(Closed)]);
    let round_trips: Vec<_> = transcript.entries.iter().map(|entry| arrow(entry).rtt).collect();
    let ms = |ms| Some(Duration::from_millis(ms));
    assert_eq!(round_trips, [None, ms(10), ms(1), None, ms(10), ms(1)]);
}

#[test]
fn time_alone_changes_states() {
    let mut all = inputs(&[handshake(0), close(100)].concat());
    all.push(Input::Tick(at(70_000)));
    let transcript = of(0, &all);
    assert_eq!(told(&transcript).last().map(String::as_str), Some("60110 Time"));
    assert_eq!(transcript.entries[6].states, [Some(Closed); 2]);
    assert_eq!((transcript.upto(at(60_109)), transcript.upto(at(60_110))), (6, 7));
}

#[test]
fn each_connection_on_a_tuple_has_its_own() {
    let second: Vec<Segment> = handshake(1_000)
        .into_iter()
        .map(|mut segment| {
            segment.seq += 70_000;
            segment.ack = if segment.flags.ack() { segment.ack + 70_000 } else { segment.ack };
            segment
        })
        .collect();
    // What still fits the first connection is its own while nothing has answered the second's SYN.
    let late = segment(1_001, SERVER, CLIENT, ".", 501, 101, 0);
    let [syn, rest @ ..] = &second[..] else { panic!("a handshake") };
    let all = inputs(&[&handshake(0)[..], &[*syn, late], rest].concat());
    assert_eq!(told(&of(0, &all)), ["0 S 0 -", "10 S. 0 1", "11 . 1 1", "1001 . 1 1", "1011 Time"]);
    assert_eq!(told(&of(1, &all)), ["1000 S 0 -", "1010 S. 0 1", "1011 . 1 1"]);
}

#[test]
fn a_flow_that_the_table_began_anew_is_told_from_there() {
    let data: Vec<Segment> =
        (0..3).map(|n| segment(100 + n, CLIENT, SERVER, ".", 101 + n as u32 * 10, 501, 10)).collect();
    let other = segment(99, "10.0.0.3:1", SERVER, "S", 9, 0, 0);
    let all = inputs(&[&handshake(0)[..], &[other], &data].concat());
    let mut engine = Engine::new(Config::replay(1, 1));
    all.iter().for_each(|input| engine.feed(input));
    let key = engine.flow_key(FlowId(2)).expect("a key");
    let mut collector = Collector::new(key, at(200));
    all.iter().for_each(|input| collector.take(input));
    assert_eq!(told(&collector.finish().expect("a transcript")), ["100 . 1 1", "101 . 11 1", "102 . 21 1"]);
}

/// A handshake, then three segments of which the first was lost beyond the capture point, and SACK tells it.
fn with_a_loss() -> Vec<Segment> {
    let data = |ms, seq| segment(ms, CLIENT, SERVER, ".", seq, 501, 100);
    let sack = |ms, right| {
        let mut ack = segment(ms, SERVER, CLIENT, ".", 501, 101, 0);
        ack.options = Options::default().with_sack_block(crate::base::Seq(201), crate::base::Seq(right));
        ack
    };
    let more = [data(100, 101), data(100, 201), data(100, 301), sack(120, 301), sack(120, 401), data(121, 101)];
    let done = segment(141, SERVER, CLIENT, ".", 501, 401, 0);
    [handshake(0), more.to_vec(), vec![done]].concat()
}

#[test]
fn the_copy_that_was_lost_is_known_from_its_repeat_on() {
    let transcript = of(0, &inputs(&with_a_loss()));
    let (copy, repeat) = (arrow(&transcript.entries[3]), arrow(&transcript.entries[8]));
    assert_eq!((copy.fate(at(120)), copy.fate(at(121))), (None, Some(Fate::Lost)));
    assert_eq!(repeat.cause(at(121)), Some((Cause::Lost, Evidence::SackHole)));
    assert!(repeat.marks.has(Mark::Retransmission) && repeat.fate(at(999)).is_none());
    assert!([4, 5].iter().all(|at_entry| arrow(&transcript.entries[*at_entry]).fate(at(999)).is_none()));
    // Which copy the last ACK is of nobody knows; but the newest that it covers was sent once.
    assert_eq!(arrow(&transcript.entries[9]).rtt, None);
    assert_eq!(transcript.entries[5].in_flight, [Some(300), Some(0)]);
}

#[test]
fn all_that_one_repeat_holds_was_lost_below_a_sack() {
    let data = |ms, seq, len| segment(ms, CLIENT, SERVER, ".", seq, 501, len);
    let mut sack = segment(120, SERVER, CLIENT, ".", 501, 101, 0);
    sack.options = Options::default().with_sack_block(crate::base::Seq(301), crate::base::Seq(401));
    let sent = [data(100, 101, 100), data(100, 201, 100), data(100, 301, 100), sack, data(121, 101, 200)];
    let transcript = of(0, &inputs(&[handshake(0), sent.to_vec()].concat()));
    let fates: Vec<_> = transcript.entries.iter().skip(3).map(|entry| arrow(entry).fate(at(121))).collect();
    assert_eq!(fates, [Some(Fate::Lost), Some(Fate::Lost), None, None, None]);
    // Sent again by a timer, as one: no answer came to either.
    let sent = [data(100, 101, 100), data(110, 201, 100), data(400, 101, 200)];
    let transcript = of(0, &inputs(&[handshake(0), sent.to_vec()].concat()));
    let fates: Vec<_> = transcript.entries.iter().skip(3).map(|entry| arrow(entry).fate(at(400))).collect();
    let after = |ms| Some(Fate::Unanswered(Duration::from_millis(ms)));
    assert_eq!(fates, [after(300), after(290), None]);
}

#[test]
fn a_cause_is_revised_when_later_evidence_comes() {
    let mut all = with_a_loss();
    let last = all.last_mut().expect("an ack");
    // The receiver says that it got the first segment twice (RFC 2883): nothing was lost.
    last.options = last.options.with_sack_block(crate::base::Seq(101), crate::base::Seq(201));
    let transcript = of(0, &inputs(&all));
    let (copy, repeat) = (arrow(&transcript.entries[3]), arrow(&transcript.entries[8]));
    assert_eq!(repeat.cause(at(140)), Some((Cause::Lost, Evidence::SackHole)));
    assert_eq!(repeat.cause(at(141)), Some((Cause::Spurious, Evidence::Dsack)));
    assert_eq!((copy.fate(at(140)), copy.fate(at(141))), (Some(Fate::Lost), None), "as was known then");
}

#[test]
fn a_fate_is_known_since_it_first_was() {
    let stamped = |mut segment: Segment, stamps| {
        segment.options = segment.options.with_timestamps(stamps);
        segment
    };
    let data = |ms: u32| stamped(segment(ms.into(), CLIENT, SERVER, ".", 101, 501, 100), (ms, 11));
    // Nothing tells why it was sent again, until the echo of its timestamp shows which copy arrived.
    let ack = stamped(segment(130, SERVER, CLIENT, ".", 501, 201, 0), (130, 110));
    let transcript = of(0, &inputs(&[handshake(0), vec![data(100), data(105), data(110), ack]].concat()));
    let (copy, repeat) = (arrow(&transcript.entries[4]), arrow(&transcript.entries[5]));
    assert_eq!(repeat.cause(at(110)), Some((Cause::Unexplained, Evidence::Nothing)));
    assert_eq!(repeat.cause(at(130)), Some((Cause::Lost, Evidence::TimestampEcho)));
    let unanswered = Some(Fate::Unanswered(Duration::from_millis(5)));
    assert_eq!([109, 110, 130].map(|ms| copy.fate(at(ms))), [None, unanswered, unanswered]);
}

#[test]
fn what_a_needless_probe_repeats_was_not_unanswered() {
    let data = |ms, seq| segment(ms, CLIENT, SERVER, ".", seq, 501, 100);
    let mut ack = segment(130, SERVER, CLIENT, ".", 501, 301, 0);
    ack.options = ack.options.with_sack_block(crate::base::Seq(201), crate::base::Seq(301));
    let transcript =
        of(0, &inputs(&[handshake(0), vec![data(100, 101), data(100, 201), data(120, 201), ack]].concat()));
    let (copy, probe) = (arrow(&transcript.entries[4]), arrow(&transcript.entries[5]));
    assert_eq!(probe.cause(at(130)), Some((Cause::TailLossProbe, Evidence::Dsack)));
    assert_eq!([120, 130].map(|ms| copy.fate(at(ms))), [Some(Fate::Unanswered(Duration::from_millis(20))), None]);
}

#[test]
fn a_syn_that_is_tried_again_had_no_answer() {
    let syn = |ms| segment(ms, CLIENT, SERVER, "S", 100, 0, 0);
    let rest = handshake(3_000)[1..].to_vec();
    let transcript = of(0, &inputs(&[vec![syn(0), syn(1_000)], rest].concat()));
    let fates: Vec<_> = transcript.entries.iter().map(|entry| arrow(entry).fate(at(9_000))).collect();
    assert_eq!(fates, [Some(Fate::Unanswered(Duration::from_secs(1))), None, None, None]);
    // The same frame twice is no second try.
    let twice = Segment { ts: at(1), ..syn(0) };
    let transcript = of(0, &inputs(&[syn(0), twice]));
    assert_eq!(arrow(&transcript.entries[0]).fate(at(9_000)), None);
    assert_eq!(arrow(&transcript.entries[1]).cause(at(1)), Some((Cause::DuplicateFrame, Evidence::SameDatagram)));
    // One that comes again after its answer was not unanswered.
    let transcript = of(0, &inputs(&[handshake(0)[..2].to_vec(), vec![syn(15)]].concat()));
    assert!(transcript.entries.iter().all(|entry| arrow(entry).fate(at(9_000)).is_none()));
}

#[test]
fn what_does_not_fit_is_counted() {
    let count = TRANSCRIPT_KEPT as u32 + 300;
    let all: Vec<Segment> = (0..count).map(|n| segment(i64::from(n), CLIENT, SERVER, ".", 101 + n, 501, 1)).collect();
    let all = inputs(&all);
    let mut engine = Engine::new(Config::replay(10, 1));
    all.iter().for_each(|input| engine.feed(input));
    let key = engine.flow_key(FlowId(0)).expect("a key");
    for (around, left_out) in [(0, [0, 300]), (i64::from(count), [300, 0]), (i64::from(count) / 2 + 50, [201, 99])] {
        let mut collector = Collector::new(key, at(around));
        all.iter().for_each(|input| collector.take(input));
        let transcript = collector.finish().expect("a transcript");
        assert_eq!((transcript.entries.len(), transcript.left_out), (TRANSCRIPT_KEPT, left_out), "{around}");
        assert_eq!(u64::from(count), transcript.entries.len() as u64 + left_out[0] + left_out[1]);
        assert!(transcript.covers(at(around)), "{around}");
        assert_eq!(arrow(&transcript.entries[0]).number, left_out[0] + 1);
        assert_eq!(transcript.covers(at(-1)), left_out[0] == 0);
        assert_eq!(transcript.covers(at(i64::from(count))), left_out[1] == 0);
    }
}

#[test]
fn another_flow_s_inputs_are_not_taken() {
    let mut all = handshake(0);
    all.push(segment(20, "10.0.0.3:1", SERVER, "S", 9, 0, 0));
    assert_eq!(told(&of(0, &inputs(&all))).len(), 3);
    let key = FlowKey { first: at(5), ..of(0, &inputs(&all)).key };
    let mut collector = Collector::new(key, at(0));
    inputs(&all).iter().for_each(|input| collector.take(input));
    assert_eq!(collector.finish(), None);
}

#[test]
fn readings_are_told_where_they_differ() {
    let read = |ms, queues| sample(ms, vec![socket(CLIENT, SERVER, Estab, queues, 7, 1)], &[]);
    let mut all = inputs(&handshake(0));
    all.extend([read(20, (0, 0)), read(30, (0, 0)), read(40, (5, 9)), sample(50, Vec::new(), &[])]);
    let transcript = of(0, &all);
    let queues =
        |recv_q, send_q| EntryKind::Queues(Queues { side: Side::Orig, recv_q, send_q: Some(send_q), state: Estab });
    let rest: Vec<_> = transcript.entries[3..].iter().map(|entry| (entry.at, entry.what.clone())).collect();
    assert_eq!(rest, [(at(20), queues(0, 0)), (at(40), queues(5, 9)), (at(50), EntryKind::Gone(Side::Orig)),]);
}

#[test]
fn a_reading_that_did_not_look_tells_of_no_end() {
    let read = |ms, covers, sockets| {
        let Input::Sample(whole) = sample(ms, sockets, &[]) else { panic!("a sample") };
        Input::Sample(std::sync::Arc::new(SocketSample { covers, ..SocketSample::clone(&whole) }))
    };
    let mut all = inputs(&handshake(0));
    all.push(read(20, Covers::ALL, vec![socket(CLIENT, SERVER, Estab, (0, 0), 7, 1)]));
    all.push(read(30, Covers::States(StateSet::of(&[TimeWait])), Vec::new()));
    let ends = |client: &str| (crate::engine::tests::end(client), crate::engine::tests::end(SERVER));
    all.push(read(40, Covers::Sockets(vec![ends("10.0.0.9:1")]), Vec::new()));
    assert_eq!(of(0, &all).entries.len(), 4);
    all.push(read(50, Covers::Sockets(vec![ends(CLIENT)]), Vec::new()));
    assert_eq!(of(0, &all).entries.len(), 4, "it may be out of a look-up's reach");
    all.push(read(60, Covers::Sockets(vec![ends(CLIENT)]), vec![socket(CLIENT, SERVER, Estab, (0, 0), 7, 1)]));
    all.push(read(70, Covers::Sockets(vec![ends(CLIENT)]), Vec::new()));
    assert_eq!(of(0, &all).entries[4].what, EntryKind::Gone(Side::Orig));
}

#[test]
fn one_reading_of_proc_that_leaves_an_end_out_does_not_tell_that_it_is_gone() {
    let read = |ms, sockets| {
        let Input::Sample(whole) = sample(ms, sockets, &[]) else { panic!("a sample") };
        Input::Sample(std::sync::Arc::new(SocketSample { source: TableSource::Proc, ..SocketSample::clone(&whole) }))
    };
    let there = || vec![socket(CLIENT, SERVER, Estab, (0, 0), 7, 1)];
    let mut all = inputs(&handshake(0));
    all.extend([read(20, there()), read(30, Vec::new()), read(40, there()), read(50, Vec::new())]);
    assert_eq!(of(0, &all).entries.len(), 4);
    all.push(read(60, Vec::new()));
    assert_eq!((of(0, &all).entries[4].at, &of(0, &all).entries[4].what), (at(60), &EntryKind::Gone(Side::Orig)));
}

#[test]
fn of_a_running_host_what_two_interfaces_show_counts_once_and_a_lost_beginning_is_told() {
    let twice: Vec<Segment> = handshake(0)
        .into_iter()
        .flat_map(|segment| [segment, Segment { iface: 1, ts: segment.ts + Duration::from_micros(20), ..segment }])
        .collect();
    let all = inputs(&[twice, close(100)].concat());
    let mut engine = Engine::new(Config::live(10, 1));
    all.iter().for_each(|input| engine.feed(input));
    let key = engine.flow_key(FlowId(0)).expect("a key");
    let from = |kept: &[Input]| {
        let mut collector = Collector::live(key, kept[0].ts());
        kept.iter().for_each(|input| collector.take(input));
        assert!(collector.entries() > 0);
        collector.finish().expect("a transcript")
    };
    let whole = from(&all);
    assert_eq!((whole.entries.len(), whole.late, engine.detail(FlowId(0)).unwrap().row.segments), (6, false, Some(6)));
    let rest = from(&all[6..]);
    assert_eq!(
        (told(&rest).as_slice(), rest.late),
        (["100 F. 1 1", "110 F. 1 2", "111 . 2 2"].map(String::from).as_slice(), true)
    );
    assert_eq!(rest.entries[2].states, [Some(TimeWait), Some(Closed)]);
}

/// A connect() of the client from `begin` to 11 ms, by the kernel's trace.
fn connect(begin: i64, connected: Option<bool>) -> Input {
    use crate::kernel::{Connect, KernelEvent, Rung};
    Input::Kernel(KernelEvent::Connect(Connect {
        begin: at(begin),
        end: at(11),
        scope: Scope::FILE,
        local: crate::engine::tests::end(CLIENT),
        peer: crate::engine::tests::end(SERVER),
        process: None,
        here: None,
        bound: false,
        connected,
        rung: Rung::Trace,
    }))
}

#[test]
fn a_connect_that_is_done_shows_in_the_states() {
    let states = |connected, begin| {
        let inputs = [inputs(&handshake(0)[..2]), vec![connect(begin, connected)]].concat();
        let last = of(0, &inputs).entries.pop().expect("an entry");
        assert_eq!(last.what, EntryKind::Called(Side::Orig, Call::Connect(connected), None));
        last.states
    };
    assert_eq!(states(Some(true), 0), [Some(Estab), Some(SynRecv)]);
    assert_eq!(states(Some(false), 0), [Some(SynSent), Some(SynRecv)]);
    assert_eq!(states(Some(true), 1), [Some(SynSent), Some(SynRecv)], "called after its SYN");
}

#[test]
fn a_connect_that_is_over_is_given_up_once() {
    let entries = |begin| {
        let over = vec![connect(begin, Some(false)), Input::Tick(at(60_000))];
        let told = of(0, &[inputs(&handshake(0)[..1]), over].concat()).entries;
        told.into_iter().map(|entry| (entry.at, entry.states[0], entry.what == EntryKind::Time)).collect::<Vec<_>>()
    };
    let syn = (at(0), Some(SynSent), false);
    assert_eq!(entries(0), [syn, (at(11), Some(Closed), false)]);
    let another = entries(1);
    assert_eq!(another[..2], [syn, (at(11), Some(SynSent), false)], "called after its SYN");
    assert_eq!((another.len(), another[2].1, another[2].2), (3, Some(Closed), true), "{another:?}");
}
