//! Cases of the verdict: segments as in [`crate::flow::trace`], each with the cause and evidence found after a colon;
//! what must be told at the end; and the near misses beside them.

use std::time::Duration;

use super::{Around, Limit, Verdict};
use crate::base::Timestamp;
use crate::flow::trace::{Variation, cases, segment_of, time_of};
use crate::flow::{Analysis, Flow, Side};

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
}

/// Runs a case, every segment sent by the other side if `mirrored` (what is expected is then the other side's too).
pub(super) fn run(text: &str, how: Variation, mirrored: bool) -> Verdict {
    let mut watch = Watch { mirrored, ..Watch::default() };
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let side = |side: Side| if mirrored { side.peer() } else { side };
        if let Some(expected) = line.strip_prefix("expect ") {
            let (name, value) = expected.split_once(':').expect("a name and a value");
            assert_eq!(ask(&watch.verdict, name, side), value.trim(), "{name}\n{text}\n{:#?}", watch.verdict);
            continue;
        }
        let (segment, expected) = line.split_once(" : ").unwrap_or((line, ""));
        let words: Vec<&str> = segment.split_whitespace().collect();
        let (segment, from) = segment_of(&words, how);
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

// A connection with 20 ms of round trip, of which 2 ms are on the originator's side of the capture.
cases! {
an_ordinary_connection_costs_nothing: "
    0 > S 100 ws 7
    0.018 < S. 300 ack 101 ws 7
    0.020 > . 101 ack 301
    0.021 > P. 101 ack 301 len 100
    0.039 < . 301 ack 201
    0.040 < P. 301 ack 201 len 1000
    0.040 < P. 1301 ack 201 len 1000
    0.042 > . 201 ack 2301
    0.050 > F. 201 ack 2301
    0.068 < F. 2301 ack 202
    0.070 > . 202 ack 2302
    expect quiet: true
    expect limits: "
syns_alone_cost_nothing: "
    0 > S 100
    1 > S 100
    3 > S 100
    expect quiet: true
    expect limits: "

lost_behind_the_capture_point_and_asked_for_by_sack: "
    0 > S 100
    0.018 < S. 300 ack 101
    0.020 > . 101 ack 301
    1 > . 101 ack 301 len 100
    1 > . 201 ack 301 len 100
    1 > . 301 ack 301 len 100
    1.018 < . 301 ack 101 block 201 301
    1.019 < . 301 ack 101 block 201 401
    1.021 > . 101 ack 301 len 100 : lost, SACK hole
    1.041 < . 301 ack 401
    expect orig at 2: 1 segment lost, recovered by SACK in 23 ms"
needless_by_dsack: "
    0 > . 101 ack 301 len 100
    0 < . 301 ack 101
    1 > . 201 ack 301 len 100
    1.018 < . 301 ack 101 block 201 301
    1.021 > . 101 ack 301 len 100 : lost, SACK hole
    1.022 < . 301 ack 301
    expect orig: lost 1
    1.041 < . 301 ack 301 block 101 201
    expect orig: spurious 1
    expect orig at 2: 1 segment sent again needlessly (DSACK)"
a_dsack_of_what_was_sent_once_proves_nothing: "
    0 > . 101 ack 301 len 100
    0.02 < . 301 ack 201
    0.03 < . 301 ack 201 block 101 201
    1 > . 201 ack 301 len 100
    expect orig: "
a_dsack_within_a_sack: "
    0 > . 101 ack 301
    0 < . 301 ack 101
    1 > . 101 ack 301 len 100
    1 > . 201 ack 301 len 100
    1 > . 301 ack 301 len 100
    1.018 < . 301 ack 101 block 201 401
    1.3 > . 301 ack 301 len 100 : spurious, SACKed before
    1.318 < . 301 ack 101 block 301 401 block 201 401
    1.32 > . 101 ack 301 len 100 : lost, SACK hole
    expect orig: lost 1 spurious 1"
needless_by_timestamp_echo: "
    0 > . 101 ack 301 tsval 10 tsecr 5
    0 < . 301 ack 101 tsval 5 tsecr 10
    1 > . 101 ack 301 len 100 tsval 1000 tsecr 5
    1.3 > . 101 ack 301 len 100 tsval 1300 tsecr 5 : lost, RTO after 300 ms
    1.31 < . 301 ack 201 tsval 9 tsecr 1000
    expect orig: spurious 1
    expect orig at 2: 1 segment sent again needlessly (timestamp echo)"
the_echo_of_the_copy_is_no_proof_against_it: "
    0 > . 101 ack 301 tsval 10 tsecr 5
    0 < . 301 ack 101 tsval 5 tsecr 10
    1 > . 101 ack 301 len 100 tsval 1000 tsecr 5
    1.3 > . 101 ack 301 len 100 tsval 1300 tsecr 5 : lost, RTO after 300 ms
    1.32 < . 301 ack 201 tsval 9 tsecr 1300
    expect orig at 2: 1 segment lost, recovered by RTO in 320 ms"
only_the_first_segments_echo_is_judged: "
    0 > . 101 ack 301 tsval 10 tsecr 5
    0 < . 301 ack 101 tsval 5 tsecr 10
    1 > . 101 ack 301 len 100 tsval 1000 tsecr 5
    1 > . 201 ack 301 len 100 tsval 1000 tsecr 5
    1 > . 301 ack 301 len 100 tsval 1000 tsecr 5
    1.02 < . 301 ack 101 block 301 401 tsval 6 tsecr 10
    1.021 > . 101 ack 301 len 100 tsval 1021 tsecr 6 : lost, SACK hole
    1.022 > . 201 ack 301 len 100 tsval 1022 tsecr 6 : lost, SACK hole
    1.05 < . 301 ack 401 tsval 9 tsecr 1021
    expect orig at 2: 2 segments lost, recovered by SACK in 30 ms"
an_equal_timestamp_proves_nothing: "
    0 > . 101 ack 301 tsval 10 tsecr 5
    0 < . 301 ack 101 tsval 5 tsecr 10
    1 > F. 101 ack 301 tsval 1000 tsecr 5
    1 < F. 301 ack 101 tsval 6 tsecr 10
    1 > F. 101 ack 302 tsval 1000 tsecr 6 : unexplained, no evidence
    1.02 < . 302 ack 102 tsval 7 tsecr 1000
    expect orig: unexplained 1
    expect orig at 2: 1 segment sent again, cause not shown"
needless_since_it_was_acknowledged: "
    0 > . 101 ack 301 len 100
    0.02 < . 301 ack 201
    0.05 > . 101 ack 301 len 100 : spurious, acknowledged before
    expect orig at 2: "

lost_before_the_capture_point: "
    0 > . 101 ack 301 tsval 10 tsecr 5
    0 < . 301 ack 101 tsval 5 tsecr 10
    1 > . 201 ack 301 len 100 tsval 1000 tsecr 5
    1.001 < . 301 ack 101 block 201 301 tsval 6 tsecr 10
    1.02 > . 101 ack 301 len 100 tsval 1020 tsecr 6 : lost, newer TSval
    1.021 < . 301 ack 301 tsval 7 tsecr 1020
    expect orig at 2: 1 segment lost, recovered by SACK in 21 ms
    expect limits: first seen mid-stream"
reordered_by_older_timestamp: "
    0 > . 101 ack 301 tsval 10 tsecr 5
    0 < . 301 ack 101 tsval 5 tsecr 10
    1 > . 201 ack 301 len 100 tsval 1000 tsecr 5
    1.001 < . 301 ack 101 block 201 301 tsval 6 tsecr 10
    1.5 > . 101 ack 301 len 100 tsval 999 tsecr 5 : reordered, older TSval
    1.51 < . 301 ack 301 tsval 7 tsecr 999
    expect orig at 2: "
the_original_comes_after_its_repeat: "
    0 > . 101 ack 301 tsval 10 tsecr 5
    0 < . 301 ack 101 tsval 5 tsecr 10
    1 > . 201 ack 301 len 100 tsval 1000 tsecr 5
    1.001 < . 301 ack 101 block 201 301 tsval 6 tsecr 10
    1.02 > . 101 ack 301 len 100 tsval 1020 tsecr 6 : lost, newer TSval
    1.03 > . 101 ack 301 len 100 tsval 999 tsecr 5 : reordered, older TSval; spurious, the original came after it
    expect orig: reordered 1 spurious 1"
reordered_since_no_repeat_comes_so_soon: "
    0 > S 100
    0.018 < S. 300 ack 101
    0.020 > . 101 ack 301
    1 > . 201 ack 301 len 100
    1.01 > . 101 ack 301 len 100 : reordered, 10 ms after the hole, too soon for a repeat
    1.03 < . 301 ack 301
    expect orig: reordered 1"
reordered_since_nobody_asked_for_a_repeat: "
    0 > S 100
    0.018 < S. 300 ack 101
    0.020 > . 101 ack 301
    1 > . 201 ack 301 len 100
    1.1 > . 101 ack 301 len 100 : reordered, 100 ms after the hole, too soon for a repeat"
not_reordered_after_a_timeout: "
    0 > S 100
    0.018 < S. 300 ack 101
    0.020 > . 101 ack 301
    1 > . 201 ack 301 len 100
    1.2 > . 101 ack 301 len 100 : lost, RTO after 200 ms"
reordered_sooner_than_the_ack_reaches_its_sender: "
    0 > S 100
    0.018 < S. 300 ack 101
    0.020 > . 101 ack 301
    1 < . 401 ack 101 len 100
    1.001 > . 101 ack 301 block 401 501
    1.005 < . 301 ack 101 len 100 : reordered, 5.0 ms after the hole, too soon for a repeat"
sooner_than_usual_after_its_ack: "
    0 > S 100
    0.018 < S. 300 ack 101
    0.020 > . 101 ack 301
    1 < . 401 ack 101 len 100
    1.001 > . 101 ack 301 block 401 501
    1.006 < . 301 ack 101 len 100 : unexplained, no evidence"
after_as_long_as_its_ack_takes: "
    0 > S 100
    0.018 < S. 300 ack 101
    0.020 > . 101 ack 301
    1 < . 401 ack 101 len 100
    1.001 > . 101 ack 301 block 401 501
    1.011 < . 301 ack 101 len 100 : lost, SACK hole"
its_ack_was_captured_first: "
    0 > . 101 ack 301
    0 < . 301 ack 101
    1 < . 301 ack 201
    expect limits: first seen mid-stream; 100 bytes acknowledged but never captured
    1 > . 101 ack 301 len 100 : reordered, its ACK was captured first
    expect limits: first seen mid-stream"
too_late_to_have_been_captured_in_the_wrong_order: "
    0 > . 101 ack 301
    0 < . 301 ack 101
    1 < . 301 ack 201
    1.3 > . 101 ack 301 len 100 : spurious, acknowledged before
    expect limits: first seen mid-stream; 100 bytes acknowledged but never captured"

three_duplicate_acks: "
    0 > . 101 ack 301
    0 < . 301 ack 101
    1 > . 101 ack 301 len 100
    1 > . 201 ack 301 len 100
    1 > . 301 ack 301 len 100
    1 > . 401 ack 301 len 100
    1.02 < . 301 ack 101
    1.02 < . 301 ack 101
    1.02 < . 301 ack 101
    1.03 > . 101 ack 301 len 100 : lost, 3 duplicate ACKs
    1.05 < . 301 ack 201
    1.06 > . 201 ack 301 len 100 : lost, partial ACK
    1.08 < . 301 ack 501
    expect orig at 2: 2 segments lost, recovered by fast retransmission in 60 ms"
two_duplicate_acks_are_not_enough: "
    0 > . 101 ack 301
    0 < . 301 ack 101
    1 > . 101 ack 301 len 100
    1 > . 201 ack 301 len 100
    1.02 < . 301 ack 101
    1.02 < . 301 ack 101
    1.03 > . 101 ack 301 len 100 : unexplained, no evidence"
a_window_update_is_no_duplicate_ack: "
    0 > . 101 ack 301
    0 < . 301 ack 101
    1 > . 101 ack 301 len 100
    1.02 < . 301 ack 101 win 1001
    1.03 < . 301 ack 101 win 1002
    1.04 < . 301 ack 101 win 1003
    1.05 > . 101 ack 301 len 100 : unexplained, no evidence"
a_second_copy_lost_too: "
    0 > . 101 ack 301
    0 < . 301 ack 101
    1 > . 101 ack 301 len 100
    1 > . 201 ack 301 len 100
    1.02 < . 301 ack 101 block 201 301
    1.03 > . 101 ack 301 len 100 : lost, SACK hole
    1.33 > . 101 ack 301 len 100 : lost, RTO after 300 ms
    expect orig at 1.4: 2 segments lost, not yet recovered, for 380 ms
    1.4 < . 301 ack 301
    expect orig at 2: 2 segments lost, recovered by RTO in 380 ms"
after_a_timeout_what_follows_may_have_arrived: "
    0 > . 101 ack 301
    0 < . 301 ack 101
    1 > . 101 ack 301 len 100
    1 > . 201 ack 301 len 100
    1.3 > . 101 ack 301 len 100 : lost, RTO after 300 ms
    1.301 > . 201 ack 301 len 100 : unexplained, after an RTO"
a_tail_loss_probe: "
    0 > S 100
    0.018 < S. 300 ack 101
    0.020 > . 101 ack 301
    1 > . 101 ack 301 len 100
    1 > . 201 ack 301 len 100
    1.04 > . 201 ack 301 len 100 : tail-loss probe, probe after 40 ms
    1.06 < . 301 ack 301 block 201 301
    expect orig at 2: 1 segment sent again as a tail-loss probe"
a_tail_loss_probe_that_repaired: "
    0 > S 100 tsval 1
    0.018 < S. 300 ack 101 tsval 5 tsecr 1
    0.020 > . 101 ack 301 tsval 20 tsecr 5
    1 > . 101 ack 301 len 100 tsval 1000 tsecr 5
    1 > . 201 ack 301 len 100 tsval 1000 tsecr 5
    1.04 > . 201 ack 301 len 100 tsval 1040 tsecr 5 : tail-loss probe, probe after 40 ms
    expect orig: tail-loss probe 1"
no_probe_sooner_than_two_round_trips_and_none_of_the_only_segment: "
    0 > S 100
    0.018 < S. 300 ack 101
    0.020 > . 101 ack 301
    1 > . 101 ack 301 len 100
    1 > . 201 ack 301 len 100
    1.02 > . 201 ack 301 len 100 : unexplained, no evidence
    1.04 < . 301 ack 301
    2 > . 301 ack 301 len 100
    2.04 > . 301 ack 301 len 100 : unexplained, no evidence"

keep_alives: "
    0 > . 101 ack 301 len 100
    0.02 < . 301 ack 201
    75 > . 200 ack 301 : keep-alive, all acknowledged for 75 s
    75.02 < . 301 ack 201
    150 > . 200 ack 301 len 1 : keep-alive, all acknowledged for 75 s
    expect orig at 200: "
the_last_byte_sent_again_is_no_keep_alive: "
    0 > . 101 ack 301
    0 < . 301 ack 101
    1 > P. 101 ack 301 len 1
    1.3 > P. 101 ack 301 len 1 : lost, RTO after 300 ms"
an_older_ack_is_no_keep_alive: "
    0 > . 101 ack 301
    0 < . 301 ack 101 len 100
    1 > P. 101 ack 401 len 1
    1.02 < . 401 ack 102
    1.03 > . 101 ack 401
    2 > . 101 ack 301
    expect orig: "
before_the_first_ack_there_is_no_keep_alive: "
    0 > . 100 ack 302
    0 < S 301
    1 < . 301 ack 0
    expect resp: "
a_zero_window_probe_repeats_the_number_before: "
    0 > . 101 ack 301 len 100
    0.02 < . 301 ack 201 win 0
    0.5 > . 200 ack 301 : zero-window probe, window of 0
    0.52 < . 301 ack 201 win 0
    1 < . 301 ack 201
    expect orig: zero-window probe 1"
a_zero_window_probe_of_one_new_byte: "
    0 > . 101 ack 301 len 100
    0.02 < . 301 ack 201 win 0
    0.5 > . 201 ack 301 len 1 : zero-window probe, window of 0
    0.52 < . 301 ack 201 win 0
    1.5 > . 201 ack 301 len 1 : zero-window probe, window of 0
    1.52 < . 301 ack 201 win 500
    1.6 > . 201 ack 301 len 100
    1.62 < . 301 ack 301
    expect orig: zero-window probe 2
    expect limits: first seen mid-stream"
a_probe_whose_byte_was_taken: "
    0 > . 101 ack 301 len 100
    0.02 < . 301 ack 201 win 0
    0.5 > . 201 ack 301 len 1 : zero-window probe, window of 0
    0.52 < . 301 ack 202 win 500
    0.6 > . 202 ack 301 len 100
    expect limits: first seen mid-stream"
one_byte_into_an_open_window_is_data: "
    0 > . 101 ack 301 len 100
    0.02 < . 301 ack 201 win 1
    0.5 > . 201 ack 301 len 1
    expect quiet: true"

a_duplicate_frame: "
    0 > . 101 ack 301
    1 > . 101 ack 301 len 100 id 77
    1.0005 > . 101 ack 301 len 100 id 77 : duplicate frame, same datagram
    2 > . 201 ack 301 len 100 id 78
    2 > . 301 ack 301 len 100 id 79
    2.0001 > . 201 ack 301 len 100 id 78 : duplicate frame, same datagram
    2.0001 > . 301 ack 301 len 100 id 79 : duplicate frame, same datagram
    expect orig at 3: "
not_the_same_datagram: "
    0 > . 101 ack 301
    1 > . 101 ack 301 len 100 id 77
    1.0005 > . 101 ack 301 len 100 id 99 : unexplained, no evidence"
the_same_bytes_too_late_for_a_duplicate: "
    0 > . 101 ack 301
    1 > . 101 ack 301 len 100 id 77
    1.0011 > . 101 ack 301 len 100 id 77 : unexplained, no evidence"
the_same_datagram_a_hop_further: "
    0 > . 101 ack 301
    1 > . 101 ack 301 len 100 id 77 ttl 64
    1.012 > . 101 ack 301 len 100 id 77 ttl 63 : duplicate frame, same datagram"

data_in_a_syn_that_was_not_taken_is_sent_for_the_first_time: "
    0 > S 100 tfo len 50
    0.018 < S. 300 ack 101
    0.020 > . 101 ack 301 len 50
    0.04 < . 301 ack 151
    expect quiet: true"
a_syn_ack_with_other_numbers_begins_anew: "
    0 < S. 9000 ack 101
    1 < S. 300 ack 101
    1.1 > P. 101 ack 301 len 10
    1.2 < . 301 ack 111 len 100
    expect quiet: true"
an_old_syn_again_does_not: "
    0 > S 100
    0.018 < S. 300 ack 101
    0.020 > . 101 ack 301 len 50
    0.04 < . 301 ack 151
    0.05 > S 100
    0.06 > . 151 ack 301 len 50
    expect quiet: true"
data_in_a_syn_that_was_taken: "
    0 > S 100 tfo len 50
    0.018 < S. 300 ack 151
    0.020 > . 151 ack 301 len 50
    expect quiet: true"

the_capture_missed_what_was_acknowledged: "
    0 > . 101 ack 301
    0 < . 301 ack 101
    1 > . 201 ack 301 len 100
    1.02 < . 301 ack 301
    expect orig: 
    expect orig at 2: 
    expect limits: first seen mid-stream; 100 bytes acknowledged but never captured"
more_holes_than_are_kept: "
    0 > . 101 ack 301
    0 < . 301 ack 101
    1 > . 201 ack 301 len 100
    1 > . 401 ack 301 len 100
    1 > . 601 ack 301 len 100
    1 > . 801 ack 301 len 100
    1 > . 1001 ack 301 len 100
    1 > . 1201 ack 301 len 100
    1 > . 1401 ack 301 len 100
    1 > . 1601 ack 301 len 100
    1 > . 1801 ack 301 len 100
    1 > . 2001 ack 301 len 100
    2 < . 301 ack 2101
    expect limits: first seen mid-stream; 1000 bytes acknowledged but never captured"
one_direction_only: "
    0 > . 101 ack 301
    0.1 > . 101 ack 1301
    0.2 > . 101 ack 2301
    expect limits: only orig was captured; first seen mid-stream"
one_direction_of_a_handshake: "
    0 > S 100
    0.02 > . 101 ack 301
    expect limits: only orig was captured"
a_silent_peer_may_be_dead: "
    0 > . 101 ack 301 len 100
    0.3 > . 101 ack 301 len 100 : unexplained, RTO after 300 ms
    0.9 > . 101 ack 301 len 100 : unexplained, RTO after 600 ms
    expect limits: first seen mid-stream
    expect orig at 1: 2 segments sent again, cause not shown, not yet recovered, for 1.0 s"
cut_options: "
    0 > S 100
    0.018 < S. 300 ack 101
    0.020 > . 101 ack 301 cut
    expect limits: options cut by the snap length"

a_reset_over_another_number_of_hops: "
    0 > S 100 ttl 64
    0.018 < S. 300 ack 101 ttl 52
    0.020 > . 101 ack 301 ttl 64
    0.03 < R. 301 ack 101 ttl 61
    expect injected: RST in resp's name possibly injected: TTL 61, all its others 52"
a_reset_over_the_same_number_of_hops: "
    0 > S 100 ttl 64
    0.018 < S. 300 ack 101 ttl 52
    0.03 < R. 301 ack 101 ttl 52
    expect injected: -"
a_reset_of_an_end_that_showed_nothing_else: "
    0 > S 100 ttl 64
    0.018 < R. 0 ack 101 ttl 255
    expect injected: -"
a_reset_where_hops_vary: "
    0 > . 101 ack 301 ttl 64
    0.1 < . 301 ack 101 ttl 52
    0.2 < . 301 ack 101 ttl 53
    0.3 < R. 301 ack 101 ttl 61
    expect injected: -"
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
        for line in lines {
            let words: Vec<&str> = line.split_whitespace().collect();
            let (segment, from) = segment_of(&words, Variation::default());
            watch.feed(&segment, from);
        }
    }
    let view = watch.verdict.view();
    assert!(view.halves[0].episodes.len() <= 4);
    let trouble = watch.verdict.trouble.expect("holes");
    assert!(trouble.trails[0].resent.len() <= 16);
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

fn watched(text: &str) -> Watch {
    let mut watch = Watch::default();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let (segment, from) = segment_of(&words, Variation::default());
        watch.feed(&segment, from);
    }
    watch
}

/// What the originator sends in vain after these segments: how often, since when, and when last.
fn in_vain(text: &str) -> Option<(u32, Timestamp, Timestamp)> {
    let watch = watched(text);
    let again = watch.verdict.in_vain(&watch.analysis, Side::Orig);
    again.map(|again| (again.times, again.since, again.last))
}

/// How many keep-alives the originator sends in vain after these segments, since when, when the last, and how far apart.
fn probes(text: &str) -> Option<(u32, Timestamp, Timestamp, Duration)> {
    let watch = watched(text);
    let probes = watch.verdict.probes_in_vain(&watch.analysis, Side::Orig);
    probes.map(|probes| (probes.times, probes.since, probes.last, probes.gap))
}

#[test]
fn keep_alives_in_vain_are_told_until_the_peer_is_heard() {
    let vain = "
        0 < . 301 ack 101 len 5
        0.1 > . 101 ack 306
        20 > . 100 ack 306
        35 > . 100 ack 306
        50.5 > . 100 ack 306";
    let told = |times, since, last, gap| Some((times, time_of(since), time_of(last), Duration::from_millis(gap)));
    assert_eq!(probes(vain), told(3, "20", "50.5", 15_500));
    let and = |more: &str| probes(&format!("{vain}\n{more}"));
    assert_eq!(and("50.6 < . 306 ack 101"), None, "answered");
    assert_eq!(and("50.6 < . 306 ack 101\n65 > . 100 ack 306"), told(1, "65", "65", 0), "and silent anew");
    assert_eq!(and("50.6 > . 101 ack 306 len 9"), None, "it has something to send");
    assert_eq!(
        probes("0 > . 101 ack 301\n15 > . 100 ack 301\n30 > . 100 ack 301"),
        None,
        "a peer that was never heard"
    );
}

#[test]
fn what_is_sent_again_while_only_shorter_segments_arrive_is_told_so() {
    let unmoved = |text: &str| watched(text).verdict.unmoved(Side::Orig);
    let stuck = "
        0 < . 301 ack 101 len 5
        1 > . 101 ack 306 len 1448
        1 > . 1549 ack 306 len 200
        1.01 < . 306 ack 101 block 1549 1749
        1.3 > . 101 ack 306 len 1448
        1.9 > . 101 ack 306 len 1448";
    let told = unmoved(stuck).unwrap();
    assert_eq!((told.times, told.last, told.len, told.shorter_arrive), (2, time_of("1.9"), 1_448, true));
    let and = |more: &str| unmoved(&format!("{stuck}\n{more}"));
    assert_eq!(and("2 < . 306 ack 1749"), None, "it got through");
    let long = and("2 > . 1749 ack 306 len 1448\n2.01 < . 306 ack 101 block 1549 3197");
    assert!(!long.unwrap().shorter_arrive, "one as long got through");
    let shorter = and("2.5 > . 101 ack 306 len 100").unwrap();
    assert_eq!((shorter.len, shorter.shorter_arrive), (100, false), "it tries with less");
    let silent = "0 < . 301 ack 101 len 5\n1 > . 101 ack 306 len 1448\n1.3 > . 101 ack 306 len 1448";
    assert!(!unmoved(silent).unwrap().shorter_arrive, "nothing arrives");
}

#[test]
fn what_is_sent_again_in_vain_is_told_until_the_peer_is_heard() {
    let vain = "
        0 < . 301 ack 101 len 5
        1 > . 101 ack 306 len 100
        1 > . 201 ack 306 len 100
        1.3 > . 101 ack 306 len 100
        1.9 > . 101 ack 306 len 100";
    let at = |text| time_of(text);
    assert_eq!(in_vain(vain), Some((2, at("1"), at("1.9"))));
    let and = |more: &str| in_vain(&format!("{vain}\n{more}"));
    assert_eq!(and("2 < . 306 ack 101"), None, "heard");
    assert_eq!(and("2 < . 306 ack 201"), None, "acknowledged in part, and nothing sent again since");
    assert_eq!(and("2 < . 306 ack 201\n3 > . 201 ack 306 len 100"), Some((1, at("2"), at("3"))));
    assert_eq!(and("2 > . 301 ack 306 len 100"), Some((2, at("1"), at("1.9"))), "more that is new");
    assert_eq!(in_vain("0 > . 101 ack 301 len 5\n0.3 > . 101 ack 301 len 5"), None, "a peer that was never heard");
}
