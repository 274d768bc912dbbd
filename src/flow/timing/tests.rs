//! Cases of the times: segments as in [`crate::flow::trace`], what must be told after them, and the near misses.
//!
//! `expect` names a half and a measure: `ack`, `stamps`, `think` (samples:least:most, seconds), `flight` (now:most,
//! bytes), `speed` (bytes:seconds:fastest second), `stalls` (late acks:small writes:waited:longest); `idle`
//! (seconds:until when) and `path` (both sides together) are of the flow.

use super::{Delays, Starts, Timing};
use crate::base::Timestamp;
use crate::flow::trace::{Variation, cases, secs, segment_of, time_of};
use crate::flow::{Flow, Side};

fn case(text: &str) {
    run(text, Variation::default(), false);
}

/// Runs a case; the flow is fed beside the times, and its sides are exchanged at the end if `turned`.
pub(super) fn run(text: &str, how: Variation, turned: bool) -> Timing {
    let (mut timing, mut flow) = (Timing::default(), None::<Flow>);
    for line in text.lines().map(str::trim) {
        let words: Vec<&str> = line.split('#').next().unwrap_or_default().split_whitespace().collect();
        match words.as_slice() {
            [] => {}
            ["expect", expected @ ..] => {
                let mut timing = timing.clone();
                if turned {
                    timing.turn_around();
                }
                for pair in expected.chunks(2) {
                    assert_eq!(ask(&timing, pair[0], turned), pair[1], "{} at {line}\n{text}", pair[0]);
                }
            }
            segment => {
                let (segment, from) = segment_of(segment, how);
                timing.feed(&segment, from, || flow.as_ref().map(Starts::of));
                match &mut flow {
                    None => flow = Some(Flow::new(&segment)),
                    Some(flow) => flow.feed(&segment, from),
                }
            }
        }
    }
    timing
}

fn ask(timing: &Timing, name: &str, turned: bool) -> String {
    let absent = || "-".to_owned();
    let Some(view) = timing.view() else { return absent() };
    let since = |ts: Timestamp| secs(ts.since(time_of("0")));
    let (side, what) = match name.split_once('-') {
        None if name == "idle" => {
            return view.idle.map_or_else(absent, |idle| format!("{}:{}", secs(idle.time), since(idle.until)));
        }
        None => return timing.round_trip().map_or_else(absent, secs),
        Some(("orig", what)) => (Side::Orig, what),
        Some((_, what)) => (Side::Resp, what),
    };
    let half = view.halves[if turned { side.peer() } else { side }.index()];
    let delays = |delays: Option<Delays>| {
        delays.map(|delays| format!("{}:{}:{}", delays.samples, secs(delays.min), secs(delays.max)))
    };
    let told = match what {
        "ack" => delays(half.rtt_by_ack),
        "stamps" => delays(half.rtt_by_timestamps),
        "think" => delays(half.think),
        "flight" => half
            .in_flight
            .map(|flight| format!("{}:{}", flight.now.map_or_else(absent, |now| now.to_string()), flight.max)),
        "speed" => half.throughput.map(|speed| {
            let peak = speed.peak.map_or_else(absent, |peak| peak.to_string());
            format!("{}:{}:{peak}", speed.bytes, secs(speed.time))
        }),
        "stalls" => half.stalls.map(|stalls| {
            let (waited, worst) = (secs(stalls.waited), secs(stalls.worst));
            format!("{}:{}:{waited}:{worst}", stalls.late_acks, stalls.small_writes)
        }),
        other => panic!("not a measure: {other}"),
    };
    told.unwrap_or_else(absent)
}

cases! {
an_ordinary_exchange: "
    0 > S 100 mss 1460
    0.02 < S. 300 ack 101 mss 1460
    0.021 > . 101 ack 301
    0.03 > P. 101 ack 301 len 100
    0.05 < . 301 ack 201
    0.08 < P. 301 ack 201 len 1000
    0.081 < P. 1301 ack 201 len 500
    0.083 > . 201 ack 1801
    expect orig-ack 1:0.02:0.02 resp-ack 1:0.002:0.002 path 0.022
    expect resp-think 1:0.05:0.05 orig-think - idle 0.03:0.08
    expect orig-flight 0:100 resp-flight 0:1500
    expect orig-speed - resp-speed -
    expect orig-stalls - resp-stalls -
    2.083 > F. 201 ack 1801
    expect idle 2:2.083"
a_handshake_alone_has_no_times: "
    0 > S 100
    0.02 < S. 300 ack 101
    0.021 > . 101 ack 301
    9 > F. 101 ack 301
    9.02 < F. 301 ack 102
    9.03 > . 102 ack 302
    expect orig-ack - orig-flight - idle - path -"
data_in_a_syn_begins_no_times: "
    0 > S 100 len 50 tfo
    0.02 < S. 300 ack 151
    expect orig-ack - idle -"

an_ack_of_just_the_timed_segment_counts: "
    0 > . 101 ack 301
    0 < . 301 ack 101
    1 > . 101 ack 301 len 100
    1 > . 201 ack 301 len 100
    1.02 < . 301 ack 301
    expect orig-ack 1:0.02:0.02
    2 > . 301 ack 301 len 100
    2.03 < . 301 ack 350     # less than all of it
    2.04 < . 301 ack 401
    expect orig-ack 2:0.02:0.04"
an_ack_of_more_tells_nothing_exact: "
    0 > . 101 ack 301
    0 < . 301 ack 101
    1 > . 101 ack 301 len 100
    1.01 > . 201 ack 301 len 100
    1.02 > . 301 ack 301 len 100
    1.04 < . 301 ack 401
    expect orig-ack - orig-flight 0:300"
data_with_a_fin_is_acked_past_the_fin: "
    0 > . 101 ack 301
    0 < . 301 ack 101
    1 > F. 101 ack 301 len 100
    1.02 < . 301 ack 202
    expect orig-ack 1:0.02:0.02 orig-flight 0:100"
the_ack_of_a_lone_fin_is_not_timed: "
    0 > . 101 ack 301 len 9
    1 > F. 110 ack 301
    1.02 < . 301 ack 111
    expect orig-ack - orig-flight 0:0"

karn_nothing_sent_twice: "
    0 > . 101 ack 301
    0 < . 301 ack 101
    1 > . 101 ack 301 len 100
    2 > . 101 ack 301 len 100
    2.02 < . 301 ack 201
    expect orig-ack -
    3 > . 201 ack 301 len 100
    3.02 < . 301 ack 301
    expect orig-ack 1:0.02:0.02"
karn_nor_what_an_ack_covers_with_it: "
    0 > . 101 ack 301
    0 < . 301 ack 101
    1 > . 101 ack 301 len 100
    1.1 > . 201 ack 301 len 100
    2 > . 101 ack 301 len 100
    2.1 > . 301 ack 301 len 100
    2.2 < . 301 ack 301
    2.3 < . 301 ack 401
    expect orig-ack -"
karn_a_hole_that_is_filled_may_be_a_repetition: "
    0 > . 101 ack 301
    0 < . 301 ack 101
    1 > . 201 ack 301 len 100
    1.1 > . 101 ack 301 len 100
    1.2 < . 301 ack 301
    expect orig-ack -"
karn_a_repetition_of_what_is_acked_spoils_nothing: "
    0 > . 101 ack 301 len 100
    0.1 < . 301 ack 201
    1 > . 201 ack 301 len 100
    1.001 > . 101 ack 301 len 100
    1.02 < . 301 ack 301
    expect orig-ack 1:0.02:0.02"

mid_stream_the_first_data_may_be_a_repetition: "
    0 > . 101 ack 301 len 100
    0.02 < . 301 ack 201
    expect orig-ack - orig-flight 0:0
    0.03 < . 301 ack 201 len 10
    0.04 > . 201 ack 311
    expect resp-ack 1:0.01:0.01"
one_direction_only: "
    0 > . 101 ack 301 len 100
    1 > . 201 ack 301 len 100
    2 > . 301 ack 301 len 100
    expect orig-ack - orig-flight - resp-ack - path - resp-think - orig-speed 300:2:100"
time_that_runs_backwards: "
    5 > . 101 ack 301
    5 < . 301 ack 101
    6 > . 101 ack 301 len 100
    5.5 < . 301 ack 201
    expect orig-ack - idle 1:6
    5.5 < . 301 ack 201 len 10
    expect resp-think -"
no_time_at_all_is_no_measure: "
    0 > . 101 ack 301
    0 < . 301 ack 101
    1 > . 101 ack 301 len 100
    1 < . 301 ack 201 len 10
    expect orig-ack - resp-think -"
keep_alives: "
    0 > . 101 ack 301 len 10
    0.02 < . 301 ack 111
    60 > . 110 ack 301
    60.02 < . 301 ack 111
    120 > . 110 ack 301 len 1
    120.02 < . 301 ack 111
    expect orig-ack - orig-flight 0:0 idle 59.98:60
    121 > . 111 ack 301 len 10
    121.02 < . 301 ack 121
    expect orig-ack 1:0.02:0.02 resp-think -"
zero_window_probes: "
    0 > . 101 ack 301
    0 < . 301 ack 101
    1 > . 101 ack 301 len 100
    1.02 < . 301 ack 201 win 0
    2 > . 201 ack 301 len 1
    2.02 < . 301 ack 201 win 0
    9 < . 301 ack 202
    expect orig-ack 1:0.02:0.02 orig-flight 0:100
    10 > . 202 ack 301 len 1
    10.03 < . 301 ack 203
    expect orig-ack 2:0.02:0.03"
data_into_a_closed_window_is_not_timed: "
    0 > . 101 ack 301
    0 < . 301 ack 101 win 0
    1 > . 101 ack 301 len 100
    3 < . 301 ack 201
    expect orig-ack -"
an_ack_of_what_was_not_captured: "
    0 > . 101 ack 301
    0 < . 301 ack 101
    1 > . 101 ack 301 len 100
    1.5 < . 301 ack 301
    expect orig-ack - orig-flight 0:100"
numbers_out_of_reach_are_not_believed: "
    0 > . 101 ack 301
    0 < . 301 ack 101
    1 > . 101 ack 301 len 100
    1.01 > . 2000000000 ack 301 len 100
    1.015 < . 301 ack 2000000000
    1.02 < . 301 ack 201
    expect orig-ack 1:0.02:0.02 orig-flight 0:100"

stamps_tell_copies_apart: "
    0 > . 101 ack 301 tsval 10 tsecr 50
    0 < . 301 ack 101 tsval 50 tsecr 10
    1 > . 101 ack 301 len 100 tsval 1010 tsecr 50
    2 > . 101 ack 301 len 100 tsval 2010 tsecr 50
    2.02 < . 301 ack 201 tsval 2060 tsecr 2010
    expect orig-ack - orig-stamps 1:0.02:0.02"
stamps_the_late_ack_of_the_first_copy: "
    0 > . 101 ack 301 tsval 10 tsecr 50
    0 < . 301 ack 101 tsval 50 tsecr 10
    1 > . 101 ack 301 len 100 tsval 1010 tsecr 50
    2 > . 101 ack 301 len 100 tsval 2010 tsecr 50
    2.02 < . 301 ack 201 tsval 2060 tsecr 1010
    expect orig-ack - orig-stamps -"
stamps_of_one_tick_do_not: "
    0 > . 101 ack 301 tsval 10 tsecr 50
    0 < . 301 ack 101 tsval 50 tsecr 10
    1 > . 101 ack 301 len 100 tsval 1010 tsecr 50
    1.0005 > . 101 ack 301 len 100 tsval 1010 tsecr 50
    1.02 < . 301 ack 201 tsval 2060 tsecr 1010
    expect orig-ack - orig-stamps 1:0.02:0.02    # of the first that carried it"
stamps_the_first_seen_may_be_older: "
    0 > . 101 ack 301 len 10
    0 < . 301 ack 111
    1 > . 111 ack 301 len 100
    2 > . 111 ack 301 len 100 tsval 1010 tsecr 50
    2.02 < . 301 ack 211 tsval 2060 tsecr 1010
    expect orig-ack - orig-stamps -
    3 > . 211 ack 301 len 100 tsval 3010 tsecr 50
    3.02 < . 301 ack 311 tsval 3060 tsecr 3010
    expect orig-stamps 1:0.02:0.02"
stamps_a_delayed_ack_echoes_the_first: "
    0 > . 101 ack 301 tsval 10 tsecr 50
    0 < . 301 ack 101 tsval 50 tsecr 10
    1 > . 101 ack 301 len 100 tsval 1010 tsecr 50
    1.01 > . 201 ack 301 len 100 tsval 1020 tsecr 50
    1.03 < . 301 ack 301 tsval 1080 tsecr 1010
    expect orig-ack 1:0.02:0.02 orig-stamps 1:0.03:0.03"
stamps_an_echo_without_a_new_ack: "
    0 > . 101 ack 301 tsval 10 tsecr 50
    0 < . 301 ack 101 tsval 50 tsecr 10
    1 > . 101 ack 301 len 100 tsval 1010 tsecr 50
    1.02 < . 301 ack 101 tsval 1070 tsecr 1010
    expect orig-ack - orig-stamps -"
stamps_of_an_ack_are_no_round_trip: "
    0 > . 101 ack 301 len 10 tsval 10 tsecr 50
    0 < . 301 ack 111 tsval 50 tsecr 10
    1 > . 111 ack 301 tsval 1010 tsecr 50
    5 < . 301 ack 111 len 10 tsval 5060 tsecr 1010
    expect orig-stamps -"

think_time_is_the_answers: "
    0 > . 101 ack 301
    0 < . 301 ack 101
    1 > . 101 ack 301 len 100
    1.2 > . 201 ack 301 len 100
    1.3 < . 301 ack 301 len 50
    1.4 < . 351 ack 301 len 50
    3.4 > . 301 ack 401 len 10
    3.5 < . 401 ack 311 len 10
    expect resp-think 2:0.1:0.1 orig-think 1:2:2"
think_time_where_the_responder_speaks_first: "
    0 > . 101 ack 301
    0 < . 301 ack 101 len 20
    1 > . 101 ack 321 len 10
    expect resp-think - orig-think 1:1:1"
pipelined_requests_are_not_counted: "
    0 > . 101 ack 301
    0 < . 301 ack 101
    1 > . 101 ack 301 len 100
    1.1 > . 201 ack 301 len 100
    1.3 < . 301 ack 201 len 50       # it had not heard the second
    1.4 < . 351 ack 301 len 50
    expect resp-think -"
a_request_into_a_response_is_not_counted: "
    0 > . 101 ack 301
    0 < . 301 ack 101
    1 > . 101 ack 301 len 100
    1.1 < . 301 ack 201 len 50
    1.2 < . 351 ack 201 len 50
    1.3 > . 201 ack 351 len 100      # the rest of the response was under way
    1.4 < . 401 ack 301 len 50
    expect resp-think 1:0.1:0.1"
a_request_sent_twice_is_not_counted: "
    0 > . 101 ack 301
    0 < . 301 ack 101
    1 > . 101 ack 301 len 100
    2 > . 101 ack 301 len 100
    2.1 < . 301 ack 201 len 50
    expect resp-think -"
a_response_whose_first_byte_is_missing_is_not_counted: "
    0 > . 101 ack 301
    0 < . 301 ack 101
    1 > . 101 ack 301 len 100
    2 < . 351 ack 201 len 50
    expect resp-think -"

flight_counts_what_is_not_acked: "
    0 > . 101 ack 301
    0 < . 301 ack 101
    1 > . 101 ack 301 len 1000
    1 > . 1101 ack 301 len 1000
    1 > . 1101 ack 301 len 1000
    expect orig-flight 2000:2000
    1.1 < . 301 ack 1101
    expect orig-flight 1000:2000"
flight_is_not_told_over_a_gap_in_the_capture: "
    0 > . 101 ack 301
    0 < . 301 ack 101
    1 > . 101 ack 301 len 100
    1.1 > . 5000101 ack 301 len 100
    expect orig-flight -:100
    1.2 < . 301 ack 5000101
    expect orig-flight 100:100
    2 > . 5000301 ack 301 len 100     # lost on its way here: acks go on
    2.1 < . 301 ack 5000201
    2.2 > . 5000401 ack 301 len 100
    expect orig-flight 300:300"
throughput_counts_each_byte_once: "
    0 > . 101 ack 301 len 100
    0.5 > . 201 ack 301 len 100
    0.6 > . 201 ack 301 len 100
    1.2 > . 301 ack 301 len 250
    1.9 > . 551 ack 301 len 250
    2.5 > . 801 ack 301 len 100
    expect orig-speed 800:2.5:500"

throughput_counts_what_a_repetition_brings_besides: "
    0 > . 101 ack 301 len 100
    1 > . 151 ack 301 len 100
    expect orig-speed 150:1:100"
acks_that_are_not_captured_any_more: "
    0 > . 101 ack 301
    0 < . 301 ack 101
    1 > . 101 ack 301 len 1000
    2 > . 1101 ack 301 len 1073740000
    expect orig-flight 1073741000:1073741000
    3 > . 1073741101 ack 301 len 1000
    expect orig-flight -:1073741000
    4 < . 301 ack 1101
    expect orig-ack -"

nagle_waits_for_a_delayed_ack: "
    0 > S 100 mss 1460
    0.01 < S. 300 ack 101 mss 1460
    0.0101 > . 101 ack 301
    1 > P. 101 ack 301 len 100
    1.05 < . 301 ack 201
    1.0502 > P. 201 ack 301 len 100
    1.06 < P. 301 ack 301 len 20
    expect orig-stalls 1:1:0.05:0.05 resp-stalls -
    2 > P. 301 ack 321 len 100
    2.06 < . 321 ack 401
    2.061 > P. 401 ack 321 len 100
    expect orig-stalls 2:2:0.11:0.06"
nagle_seen_beside_the_receiver: "
    0 > S 100 mss 1460
    0.0001 < S. 300 ack 101 mss 1460
    0.0301 > . 101 ack 301
    1 > P. 101 ack 301 len 100
    1.04 < . 301 ack 201
    1.0702 > P. 201 ack 301 len 100
    expect orig-stalls 1:1:0.04:0.04"
no_stall_where_the_next_write_comes_later: "
    0 > S 100 mss 1460
    0.01 < S. 300 ack 101 mss 1460
    0.0101 > . 101 ack 301
    1 > P. 101 ack 301 len 100
    1.05 < . 301 ack 201
    1.053 > P. 201 ack 301 len 100
    expect orig-stalls 1:0:0:0"
no_stall_where_the_next_segment_is_full: "
    0 > S 100 mss 1460
    0.01 < S. 300 ack 101 mss 1460
    0.0101 > . 101 ack 301
    1 > P. 101 ack 301 len 100
    1.05 < . 301 ack 201
    1.0501 > . 201 ack 301 len 1448
    expect orig-stalls 1:0:0:0"
no_stall_after_a_full_segment: "
    0 > S 100 mss 1460
    0.01 < S. 300 ack 101 mss 1460
    0.0101 > . 101 ack 301
    1 > . 101 ack 301 len 1448
    1.05 < . 301 ack 1549
    1.0501 > P. 1549 ack 301 len 100
    expect orig-stalls 1:0:0:0"
no_delay_where_the_path_is_that_long: "
    0 > S 100 mss 1460
    0.1 < S. 300 ack 101 mss 1460
    0.1001 > . 101 ack 301
    1 > P. 101 ack 301 len 100
    1.11 < . 301 ack 201
    1.1101 > P. 201 ack 301 len 100
    expect orig-stalls -"
no_delay_where_the_path_is_not_known: "
    0 > . 101 ack 301
    0 < . 301 ack 101
    1 > P. 101 ack 301 len 100
    1.05 < . 301 ack 201
    1.0501 > P. 201 ack 301 len 100
    1.06 < . 301 ack 301
    expect orig-stalls -
    2 > P. 301 ack 301 len 100
    2.05 < . 301 ack 401
    expect orig-stalls 1:0:0:0"
no_delay_where_the_ack_brings_data: "
    0 > S 100 mss 1460
    0.01 < S. 300 ack 101 mss 1460
    0.0101 > . 101 ack 301
    1 > P. 101 ack 301 len 100
    1.05 < P. 301 ack 201 len 10
    1.0501 > P. 201 ack 311 len 100
    expect orig-stalls -"
no_delay_beyond_the_limit_of_rfc_1122: "
    0 > S 100 mss 1460
    0.01 < S. 300 ack 101 mss 1460
    0.0101 > . 101 ack 301
    1 > P. 101 ack 301 len 100
    1.511 < . 301 ack 201
    1.5111 > P. 201 ack 301 len 100
    expect orig-stalls -"
no_delay_of_what_did_not_travel_alone: "
    0 > S 100 mss 1460
    0.01 < S. 300 ack 101 mss 1460
    0.0101 > . 101 ack 301
    1 > P. 101 ack 301 len 100
    1 > P. 201 ack 301 len 100
    1.05 < . 301 ack 301
    1.0501 > P. 301 ack 301 len 100
    expect orig-ack 1:0.05:0.05 orig-stalls -"
}

#[test]
fn a_flow_without_data_costs_a_pointer_and_one_with_data_little() {
    assert_eq!(size_of::<Timing>(), 8);
    assert!(size_of::<super::Data>() <= 552, "{}", size_of::<super::Data>());
    assert!(size_of::<super::half::Half>() <= 256, "{}", size_of::<super::half::Half>());
}

#[test]
fn turning_around_turns_the_times_too() {
    for case in ALL {
        run(case, Variation::default(), true);
    }
}
