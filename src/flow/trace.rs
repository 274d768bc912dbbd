//! A few lines of text as a test case: segments, the passing of time, and what must then be told.
//!
//! ```text
//! 0.000 > S 100 mss 1460 ws 7        time, > from the originator or < from the responder, flags as tcpdump prints
//! 0.020 < S. 300 ack 101             them, number; then ack, len, win (1000 unless given), mss, ws, sack, ts (or tsval
//!                                    and tsecr with their numbers), tfo, cut, mptcp with its subtype, malformed,
//!                                    block (a SACK's left and right edge), ttl (64 unless given), id (of the datagram)
//! at 90                              time passes
//! expect orig ESTAB resp -           - is "not known"; after a time, to the nanosecond
//! replaced 91 > S 9000               such a segment begins a new flow (all others are asserted not to)
//! owns 91 < . 301 ack 101            such a segment is the older flow's although a newer one exists; or `disowns`
//! superseded 91                      the newer one was answered
//! ```

use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use super::{Flow, LifeEventKind, Side};
use crate::base::{Endpoint, Seq, Timestamp};
use crate::wire::{Flags, Segment};

/// Makes each `name: "trace"` a test, and `ALL` the list of them for the properties; `case` of where it stands runs
/// one.
macro_rules! cases {
    ($($name:ident: $text:literal)*) => {
        pub(in crate::flow) const ALL: &[&str] = &[$($text),*];
        $(
            #[test]
            fn $name() {
                case($text);
            }
        )*
    };
}
pub(super) use cases;

/// What must not matter: where the numbers start, and how often timers are looked at.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Variation {
    pub(super) shift: [u32; 2],
    pub(super) extra_expires: u32,
}

/// Runs a case and returns the flow as its last line leaves it.
pub(super) fn run(text: &str, how: Variation) -> Flow {
    let mut flow: Option<Flow> = None;
    for (number, line) in text.lines().enumerate() {
        let line = line.split('#').next().unwrap_or_default();
        let words: Vec<&str> = line.split_whitespace().collect();
        let place = || format!("line {}: {line}\n{flow:#?}", number + 1);
        match words.as_slice() {
            [] => {}
            ["at", time] => flow.as_mut().expect("a flow").expire(time_of(time)),
            ["icmp", time] => flow.as_mut().expect("a flow").reject(time_of(time)),
            ["gone", time] => flow.as_mut().expect("a flow").abandon(time_of(time), true),
            ["held", time] => flow.as_mut().expect("a flow").await_still(time_of(time), None),
            ["superseded", time] => flow.as_mut().expect("a flow").superseded(time_of(time)),
            ["expect", expected @ ..] => {
                for pair in expected.chunks(2) {
                    let told = ask(flow.as_ref().expect("a flow"), pair[0], how);
                    assert_eq!(told, pair[1], "{} at {}", pair[0], place());
                }
            }
            ["replaced", rest @ ..] => {
                let (segment, from) = segment_of(rest, how);
                assert!(flow.as_ref().expect("a flow").is_replaced_by(&segment, from), "{}", place());
            }
            [question @ ("owns" | "disowns"), rest @ ..] => {
                let (segment, from) = segment_of(rest, how);
                let owns = flow.as_ref().expect("a flow").still_owns(&segment, from);
                assert_eq!(owns, *question == "owns", "{}", place());
            }
            _ => {
                let (segment, from) = segment_of(&words, how);
                match &mut flow {
                    None => {
                        assert_eq!(Flow::side_of_first(&segment), from, "line {}: {line}", number + 1);
                        flow = Some(Flow::new(&segment));
                    }
                    Some(flow) => {
                        assert!(!flow.is_replaced_by(&segment, from), "line {}: {line}\n{flow:#?}", number + 1);
                        pass_time(flow, segment.ts, how.extra_expires);
                        flow.feed(&segment, from);
                    }
                }
            }
        }
    }
    flow.expect("a segment")
}

/// What guards, how the flow goes before, a segment that is kept out, and one that is let in, if any would be.
pub(super) type Guard = (&'static str, &'static str, &'static str, &'static str);

/// Goes through guards of what `lets_in` asks of a segment.
pub(super) fn check_guards(guards: &[Guard], lets_in: impl Fn(&Flow, &Segment, Side) -> bool) {
    for (what, before, out, inside) in guards {
        let flow = run(before, Variation::default());
        let is_let_in = |line: &str| {
            let (segment, from) = said(line, Variation::default());
            lets_in(&flow, &segment, from)
        };
        assert!(!is_let_in(out), "{what}: {out}");
        assert!(inside.is_empty() || is_let_in(inside), "{what}: {inside}");
    }
}

/// Fires deadlines up to `until`, looking `extra` more times on the way.
fn pass_time(flow: &mut Flow, until: Timestamp, extra: u32) {
    let from = flow.span().1;
    let step = until.since(from) / (extra + 1);
    for n in 1..=extra {
        flow.expire(from + step * n);
    }
    flow.expire(until.max(from));
}

/// `1.5` as 1.5 s after the epoch of the tests.
pub(super) fn time_of(text: &str) -> Timestamp {
    let (secs, fraction) = text.split_once('.').unwrap_or((text, ""));
    let nanos = format!("{fraction:0<9}");
    Timestamp::from_secs_nanos(EPOCH + secs.parse::<i64>().expect("seconds"), nanos.parse().expect("nanoseconds"))
}

const EPOCH: i64 = 1_700_000_000;

/// The lines that say something.
pub(super) fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty())
}

/// The segment that a line is, and who sends it.
pub(super) fn said(line: &str, how: Variation) -> (Segment, Side) {
    segment_of(&line.split_whitespace().collect::<Vec<_>>(), how)
}

pub(super) fn segment_of(words: &[&str], how: Variation) -> (Segment, Side) {
    let [time, direction, flags, seq, rest @ ..] = words else { panic!("not a segment: {words:?}") };
    let from = match *direction {
        ">" => Side::Orig,
        "<" => Side::Resp,
        other => panic!("not a direction: {other}"),
    };
    let ends = [Endpoint::new([192, 0, 2, 1], 40_000), Endpoint::new([198, 51, 100, 1], 80)];
    let [ours, theirs] = [how.shift[from.index()], how.shift[from.peer().index()]];
    let mut segment = Segment {
        seq: Seq(number(seq)) + ours,
        window: 1000,
        frame_len: 60,
        ttl: 64,
        ..Segment::bare(time_of(time), ends[from.index()], ends[from.peer().index()], flags_of(flags))
    };
    let mut rest = rest.iter();
    while let Some(word) = rest.next() {
        let mut value = || number(rest.next().expect("a value"));
        match *word {
            "ack" => segment.ack = Seq(value()) + theirs,
            "len" => segment.payload_len = value(),
            "win" => segment.window = value() as u16,
            "mss" => segment.options = segment.options.with_mss(value() as u16),
            "ws" => segment.options = segment.options.with_wscale(value() as u8),
            "sack" => segment.options = segment.options.with_sack_permitted(true),
            "ts" => segment.options = segment.options.with_timestamps((1, 1)),
            "tsval" => segment.options = segment.options.with_timestamps((value().wrapping_add(ours), 0)),
            "tsecr" => {
                let tsval = segment.options.timestamps().expect("tsval comes first").0;
                segment.options = segment.options.with_timestamps((tsval, value().wrapping_add(theirs)));
            }
            "tfo" => segment.options = segment.options.with_fast_open(true),
            "cut" => segment.options = segment.options.with_cut(true),
            "block" => {
                let [left, right] = [Seq(value()) + theirs, Seq(value()) + theirs];
                segment.options = segment.options.with_sack_block(left, right);
            }
            "ttl" => segment.ttl = value() as u8,
            "id" => segment.digest = value(),
            "mptcp" => segment.options = segment.options.with_mptcp(value() as u8),
            "malformed" => segment.malformed = true,
            other => panic!("not a word of segments: {other}"),
        }
    }
    if segment.digest == 0 {
        // Of a case's datagrams no two are the same one, unless it says so.
        let mut hasher = DefaultHasher::new();
        words.hash(&mut hasher);
        segment.digest = hasher.finish() as u32;
    }
    assert!(segment.flags.ack() || segment.ack == Seq(0), "an ack without its flag: {words:?}");
    (segment, from)
}

fn number(text: &str) -> u32 {
    text.parse().unwrap_or_else(|_| panic!("not a number: {text}"))
}

fn flags_of(text: &str) -> Flags {
    text.chars().fold(Flags::default(), |flags, letter| {
        flags
            | match letter {
                'S' => Flags::SYN,
                'F' => Flags::FIN,
                'R' => Flags::RST,
                'P' => Flags::PSH,
                '.' => Flags::ACK,
                '0' => Flags::default(),
                other => panic!("not a flag: {other}"),
            }
    })
}

/// What the flow tells under this name, as text.
fn ask(flow: &Flow, name: &str, how: Variation) -> String {
    let time = |ts: Option<Timestamp>| text(ts.map(|ts| ts.since(Timestamp::from_secs_nanos(EPOCH, 0))).map(secs));
    let handshake = flow.handshake();
    match name {
        "outcome" => flow.outcome().name().replace(' ', "-"),
        "class" => format!("{:?}", flow.class()),
        "first-from" => flow.first_from().name().into(),
        "since" => time(Some(flow.state_since())),
        "concluded" => time(flow.concluded_at()),
        "lasted" => time(flow.handshake_lasted_until(flow.span().1)),
        "deadline" => time(flow.next_deadline()),
        "syn-at" => time(handshake.syn_at),
        "syn-ack-at" => time(handshake.syn_ack_at),
        "ack-at" => time(handshake.ack_at),
        "syn-retries" => handshake.syn_retries.to_string(),
        "syn-ack-retries" => handshake.syn_ack_retries.to_string(),
        "syn-to-syn-ack" => text(handshake.syn_to_syn_ack.map(secs)),
        "syn-ack-to-ack" => text(handshake.syn_ack_to_ack.map(secs)),
        "rtt" => text(handshake.rtt.map(secs)),
        "connect" => text(handshake.connect_time.map(secs)),
        "completeness" => flow.completeness().0.to_string(),
        "reset-by" => text(flow.reset_by().map(Side::name)),
        "answered" => handshake.is_answered().to_string(),
        "unanswered" => flow.is_unanswered().to_string(),
        "life" => flow.life().iter().map(|event| landmark(event.side, event.kind)).collect::<Vec<_>>().join(","),
        _ => {
            let (side, what) = match name.split_once('-').unwrap_or((name, "state")) {
                ("orig", what) => (Side::Orig, what),
                ("resp", what) => (Side::Resp, what),
                _ => panic!("not a name: {name}"),
            };
            ask_half(flow, side, what, how)
        }
    }
}

fn ask_half(flow: &Flow, side: Side, what: &str, how: Variation) -> String {
    let half = flow.half(side);
    let relative = |seq: Option<Seq>| text(seq.map(|seq| (seq - how.shift[side.index()]).0));
    let offered = flow.handshake().offered[side.index()];
    match what {
        "state" => text(half.state),
        "iss" => relative(half.iss),
        "una" => relative(half.una),
        "nxt" => relative(half.nxt),
        "unacked" => flow.unacked(side).to_string(),
        "window" => text(half.window),
        "raw" => text(half.window_raw),
        "zero" => text(half.zero_window_since.map(|ts| secs(ts.since(Timestamp::from_secs_nanos(EPOCH, 0))))),
        "segments" => half.segments.to_string(),
        "bytes" => half.payload_bytes.to_string(),
        "syns" => half.syns.to_string(),
        "syn-acks" => half.syn_acks.to_string(),
        "fins" => half.fins.to_string(),
        "rsts" => half.rsts.to_string(),
        "mss" => text(offered.and_then(|offer| offer.mss)),
        "ws" => text(offered.and_then(|offer| offer.wscale)),
        "sack" => text(offered.map(|offer| offer.sack)),
        other => panic!("not known of a half: {other}"),
    }
}

fn landmark(side: Side, kind: LifeEventKind) -> String {
    format!("{}:{kind:?}", side.name())
}

fn text(value: Option<impl ToString>) -> String {
    value.map_or_else(|| "-".into(), |value| value.to_string())
}

/// Seconds without trailing zeros.
pub(super) fn secs(span: Duration) -> String {
    let text = format!("{}.{:09}", span.as_secs(), span.subsec_nanos());
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
