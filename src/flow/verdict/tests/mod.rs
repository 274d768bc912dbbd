//! Cases of the verdict: segments as in [`crate::flow::trace`], each with the cause and evidence found after a colon;
//! what must be told at the end; and the near misses beside them.

use super::{Around, Limit, Verdict};
use crate::base::Timestamp;
use crate::flow::trace::{Variation, cases, lines, said, time_of};
use crate::flow::{Analysis, Flow, Side};

pub(super) mod limits;
pub(super) mod probes;
pub(super) mod repeats;
mod unanswered;

fn case(text: &str) {
    run(text, Variation::default(), false);
}

/// What is fed side by side, as in a table of flows.
#[derive(Debug, Default)]
pub(super) struct Watch {
    pub(super) verdict: Verdict,
    pub(super) analysis: Analysis,
    pub(super) flow: Option<Flow>,
    /// All is fed as sent by the other side; only the handshake stays, whose originator is the sender of the SYN.
    pub(super) mirrored: bool,
}

impl Watch {
    pub(super) fn feed(&mut self, segment: &crate::wire::Segment, from: Side) {
        let Self { verdict, analysis, flow, mirrored } = self;
        let opened_from = if *mirrored { from.peer() } else { from };
        verdict.feed(segment, from, || {
            let own_side = Around::of(analysis, flow.as_ref(), opened_from).own_side;
            Around { own_side, ..Around::of(analysis, flow.as_ref(), from) }
        });
        analysis.feed(segment, from);
        flow.get_or_insert_with(|| Flow::before(segment, opened_from)).feed(segment, opened_from);
    }

    /// The segment that a line of a case is.
    fn feed_line(&mut self, line: &str) {
        let (segment, from) = said(line, Variation::default());
        self.feed(&segment, from);
    }
}

/// Runs a case, every segment sent by the other side if `mirrored` (what is expected is then the other side's too).
pub(super) fn run(text: &str, how: Variation, mirrored: bool) -> Verdict {
    let mut watch = Watch { mirrored, ..Watch::default() };
    for line in lines(text) {
        let side = |side: Side| if mirrored { side.peer() } else { side };
        if let Some(expected) = line.strip_prefix("expect ") {
            let (name, value) = expected.split_once(':').expect("a name and a value");
            assert_eq!(ask(&watch.verdict, name, side), value.trim(), "{name}\n{text}\n{:#?}", watch.verdict);
            continue;
        }
        let (segment, expected) = line.split_once(" : ").unwrap_or((line, ""));
        let (segment, from) = said(segment, how);
        let from = side(from);
        let before = counts(&watch.verdict, from);
        watch.feed(&segment, from);
        let after = &watch.verdict.view().halves[from.index()];
        let grown = after.counts.iter().filter(|(cause, n)| before.of(*cause) < *n);
        let told: Vec<String> = grown
            .map(|(cause, _)| {
                let shown = after.shown.iter().find(|(of, _)| *of == cause).expect("evidence").1;
                format!("{}, {shown}", cause.words())
            })
            .collect();
        assert_eq!(told.join("; "), expected, "{line}\n{text}\n{:#?}", watch.verdict);
    }
    watch.verdict
}

fn counts(verdict: &Verdict, side: Side) -> super::CauseCounts {
    verdict.view().halves[side.index()].counts
}

/// What is told under this name: a side's counts and evidence, its episodes as of a time; the flow's limits.
fn ask(verdict: &Verdict, name: &str, turned: impl Fn(Side) -> Side) -> String {
    let view = verdict.view();
    let words: Vec<&str> = name.split(' ').collect();
    let half = |name: &str| {
        let side = if name == "orig" { Side::Orig } else { Side::Resp };
        &view.halves[turned(side).index()]
    };
    match words.as_slice() {
        ["limits"] => {
            let turn = |limit: &Limit| match limit {
                Limit::OneDirection(side) => Limit::OneDirection(turned(*side)),
                other => *other,
            };
            view.limits.iter().map(|limit| turn(limit).to_string()).collect::<Vec<_>>().join("; ")
        }
        ["injected"] => {
            let turn = |mut injected: super::Injected| {
                injected.side = turned(injected.side);
                injected.to_string()
            };
            view.injected.map_or_else(|| "-".to_owned(), turn)
        }
        ["quiet"] => verdict.trouble.is_none().to_string(),
        [side, "at", time] => {
            let half = half(side);
            let all = half.episodes.iter().chain(&half.open).map(|episode| episode.tell(time_of(time), false));
            all.collect::<Vec<_>>().join("; ")
        }
        [side] => {
            let told = half(side).counts.iter().map(|(cause, n)| format!("{} {n}", cause.words()));
            told.collect::<Vec<_>>().join(" ")
        }
        other => panic!("not known: {other:?}"),
    }
}

/// A table of a million flows: this much of each.
#[test]
fn a_quiet_flow_is_small() {
    assert!(size_of::<Verdict>() <= 32, "{}", size_of::<Verdict>());
}

#[test]
fn memory_is_bounded() {
    let mut watch = Watch::default();
    for n in 0..2_000_u32 {
        let lines = [
            format!("{n} > . {} ack 301 len 10", 101 + n * 200),
            format!("{n}.1 < . 301 ack 101 block {} {}", 101 + n * 200, 111 + n * 200),
            format!("{n}.2 > . {} ack 301 len 10", 101 + n / 2 * 200),
        ];
        lines.iter().for_each(|line| watch.feed_line(line));
    }
    let view = watch.verdict.view();
    assert!(view.halves[0].episodes.len() <= 4);
    let trouble = watch.verdict.trouble.expect("holes");
    assert!(trouble.trails[0].resent.len() <= 16);
}

fn watched(text: &str) -> Watch {
    let mut watch = Watch::default();
    text.lines().filter(|line| !line.is_empty()).for_each(|line| watch.feed_line(line));
    watch
}

/// What the originator sends in vain after these segments: how often, since when, and when last.
fn in_vain(text: &str) -> Option<(u32, Timestamp, Timestamp)> {
    let watch = watched(text);
    let again = watch.verdict.in_vain(&watch.analysis, Side::Orig);
    again.map(|again| (again.times, again.since, again.last))
}

#[test]
fn what_is_sent_again_in_vain_is_told_until_the_peer_is_heard() {
    let vain = "
        0 < . 301 ack 101 len 5
        1 > . 101 ack 306 len 100
        1 > . 201 ack 306 len 100
        1.3 > . 101 ack 306 len 100
        1.9 > . 101 ack 306 len 100";
    assert_eq!(in_vain(vain), Some((2, time_of("1"), time_of("1.9"))));
    let and = |more: &str| in_vain(&format!("{vain}\n{more}"));
    assert_eq!(and("2 < . 306 ack 101"), None, "heard");
    assert_eq!(and("2 < . 306 ack 201"), None, "acknowledged in part, and nothing sent again since");
    assert_eq!(and("2 < . 306 ack 201\n3 > . 201 ack 306 len 100"), Some((1, time_of("2"), time_of("3"))));
    assert_eq!(and("2 > . 301 ack 306 len 100"), Some((2, time_of("1"), time_of("1.9"))), "more that is new");
    assert_eq!(in_vain("0 > . 101 ack 301 len 5\n0.3 > . 101 ack 301 len 5"), None, "a peer that was never heard");
}

impl super::VerdictView {
    /// Of a flow whose originator's segments met some of what can happen, for those who draw it.
    pub(crate) fn example() -> Self {
        let case = "
            0 > S 100 ttl 64
            0.018 < S. 300 ack 101 ttl 52
            0.020 > . 101 ack 301
            1 > . 101 ack 301 len 100
            1 > . 201 ack 301 len 100
            1 > . 301 ack 301 len 100
            1 > . 401 ack 301 len 100
            1.018 < . 301 ack 101 block 401 501 ttl 52
            1.021 > . 101 ack 301 len 100 : lost, SACK hole
            1.022 > . 201 ack 301 len 100 : lost, SACK hole
            1.022 > . 301 ack 301 len 100 : lost, SACK hole
            1.059 < . 301 ack 501 ttl 52
            2 > . 501 ack 301 len 100
            2.3 > . 501 ack 301 len 100 : lost, RTO after 300 ms
            2.32 < . 301 ack 601 ttl 52
            2.33 < . 301 ack 601 block 501 601 ttl 52
            3 > . 701 ack 301 len 100
            3.01 > . 601 ack 301 len 100 : reordered, 10 ms after the hole, too soon for a repeat
            4 < R. 301 ack 801 ttl 61";
        run(case, Variation::default(), false).view()
    }
}
