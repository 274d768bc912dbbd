//! Cases of the analysis: segments as in [`crate::flow::trace`], each with all it must be marked with after a colon
//! (`duplicate_ack` with its number), and the near misses beside them.

use super::{Analysis, Mark, Marks};
use crate::flow::Side;
use crate::flow::trace::{Variation, cases, lines, said};

fn case(text: &str) {
    run(text, Variation::default(), false);
}

/// Runs a case, every segment sent by the other side if `mirrored`.
pub(super) fn run(text: &str, how: Variation, mirrored: bool) -> Analysis {
    let mut analysis = Analysis::new();
    for line in lines(text) {
        if line == "reusing" {
            analysis = Analysis::reusing();
            continue;
        }
        let (segment, expected) = line.split_once(':').unwrap_or((line, ""));
        let (segment, from) = said(segment, how);
        let from = if mirrored { from.peer() } else { from };
        let marks = analysis.feed(&segment, from);
        assert_eq!(told(marks), expected.split_whitespace().collect::<Vec<_>>(), "{line}\n{text}");
    }
    analysis
}

/// The marks by name, the number of a duplicate ack with it.
fn told(marks: Marks) -> Vec<String> {
    let number = |mark| marks.duplicate_ack().filter(|_| mark == Mark::DuplicateAck);
    let name = |mark: Mark| number(mark).map_or_else(|| mark.name().to_owned(), |n| format!("{}({n})", mark.name()));
    marks.iter().map(name).collect()
}

cases! {
an_ordinary_connection_is_not_marked: "
    0 > S 100 ws 7
    0.02 < S. 300 ack 101 ws 7
    0.04 > . 101 ack 301
    0.05 > P. 101 ack 301 len 100
    0.07 < . 301 ack 201
    0.08 < P. 301 ack 201 len 1000
    0.08 < P. 1301 ack 201 len 1000
    0.10 > . 201 ack 2301
    0.11 > F. 201 ack 2301
    0.13 < F. 2301 ack 202
    0.15 > . 202 ack 2302"

retransmission: "
    0 > . 101 ack 301 len 100
    1 > . 101 ack 301 len 100 : retransmission
    2 > . 151 ack 301 len 50 : retransmission
    3 > . 201 ack 301 len 100"
retransmission_that_overlaps_the_end: "
    0 > . 101 ack 301 len 100
    1 > . 151 ack 301 len 100 : retransmission"
a_pure_ack_of_the_past_is_no_retransmission: "
    0 > . 101 ack 301 len 100
    1 > . 101 ack 301"
a_syn_or_syn_ack_again: "
    0 > S 100
    0.001 > S 100 : retransmission
    1 < S. 300 ack 101
    1.001 < S. 300 ack 101 : retransmission"
a_fin_again: "
    0 > F. 101 ack 301
    0.001 > F. 101 ack 301 : retransmission"
two_bytes_over_a_one_byte_probe_are_new: "
    0 > . 101 ack 301 len 10
    0.1 > . 111 ack 301 len 1
    5 > . 111 ack 301 len 2
    6 > . 111 ack 301 len 2 : retransmission"

fast_retransmission: "
    0 > . 101 ack 301
    0 < . 301 ack 101
    1 > . 101 ack 301 len 100
    1 > . 201 ack 301 len 100
    1 > . 301 ack 301 len 100
    1.1 < . 301 ack 101 : duplicate_ack(1)
    1.101 < . 301 ack 101 : duplicate_ack(2)
    1.12 > . 101 ack 301 len 100 : retransmission fast_retransmission"
fast_retransmission_needs_two_duplicates: "
    0 < . 301 ack 101
    1 > . 101 ack 301 len 100
    1 > . 201 ack 301 len 100
    1.1 < . 301 ack 101 : duplicate_ack(1)
    1.11 > . 101 ack 301 len 100 : retransmission"
fast_retransmission_comes_within_20_ms: "
    0 < . 301 ack 101
    1 > . 101 ack 301 len 100
    1 > . 201 ack 301 len 100
    1.1 < . 301 ack 101 : duplicate_ack(1)
    1.1 < . 301 ack 101 : duplicate_ack(2)
    1.12 > . 101 ack 301 len 100 : retransmission
    1.2 < . 301 ack 101 : duplicate_ack(3)
    1.219999999 > . 101 ack 301 len 100 : retransmission fast_retransmission"
fast_retransmission_is_what_was_asked_for: "
    0 < . 301 ack 101
    1 > . 101 ack 301 len 100
    1 > . 201 ack 301 len 100
    1.1 < . 301 ack 101 : duplicate_ack(1)
    1.1 < . 301 ack 101 : duplicate_ack(2)
    1.11 > . 201 ack 301 len 100 : retransmission"
an_ack_of_unseen_data_counts_as_many_duplicates: "
    0 > . 101 ack 301 len 100
    0.1 < . 301 ack 201 len 100
    0.2 < . 401 ack 500 : ack_lost_segment
    0.21 > . 500 ack 301 : lost_segment
    0.215 < . 301 ack 500 len 100 : retransmission fast_retransmission ack_lost_segment"

spurious_retransmission: "
    0 > . 101 ack 301 len 100
    0.1 < . 301 ack 201
    5 > . 101 ack 301 len 100 : retransmission spurious_retransmission
    6 > . 151 ack 301 len 50 : retransmission spurious_retransmission
    6.1 > . 151 ack 301 len 51 : retransmission"
spurious_needs_data: "
    0 > F. 101 ack 301
    0.1 < . 301 ack 102
    1 > F. 101 ack 301 : retransmission"
spurious_although_the_first_copy_was_not_captured: "
    0 < . 301 ack 201
    1 > . 101 ack 301 len 100 : retransmission spurious_retransmission"

out_of_order_within_3_ms: "
    0 > . 101 ack 301 len 100
    1 > . 301 ack 301 len 100 : lost_segment
    1.002999999 > . 201 ack 301 len 100 : out_of_order
    1.1 > . 501 ack 301 len 100 : lost_segment
    1.103 > . 401 ack 301 len 100 : retransmission"
out_of_order_within_the_initial_round_trip: "
    0 > S 100
    0.02 < S. 300 ack 101
    0.04 > . 101 ack 301
    1 > . 201 ack 301 len 100 : lost_segment
    1.039999999 > . 101 ack 301 len 100 : out_of_order
    2 > . 401 ack 301 len 100 : lost_segment
    2.04 > . 301 ack 301 len 100 : retransmission"
the_round_trip_counts_from_the_last_syn_and_only_once: "
    0 > S 100
    1 > S 100 : retransmission
    1.01 < S. 300 ack 101
    1.02 > . 101 ack 301
    2 > . 201 ack 301 len 100 : lost_segment
    2.0199 > . 101 ack 301 len 100 : out_of_order
    3 > . 401 ack 301 len 100 : lost_segment
    3.5 > . 301 ack 301 len 100 : retransmission"
what_ends_at_the_highest_number_is_not_out_of_order: "
    0 > . 101 ack 301 len 100
    0.001 > . 151 ack 301 len 50 : retransmission
    0.001 > . 151 ack 301 len 49 : out_of_order"
time_that_runs_backwards_is_not_soon: "
    1 > . 101 ack 301 len 100
    1 > . 301 ack 301 len 100 : lost_segment
    0.9 > . 201 ack 301 len 100 : retransmission"

duplicate_ack: "
    0 > . 101 ack 301
    0 < . 301 ack 101
    1 < . 301 ack 101 : duplicate_ack(1)
    2 < . 301 ack 101 : duplicate_ack(2)
    3 < . 301 ack 102 : ack_lost_segment
    4 < . 301 ack 102 : duplicate_ack(1)"
no_duplicate_with_data_a_new_window_or_a_flag: "
    0 < . 301 ack 101
    1 < . 301 ack 101 win 999 : window_update
    2 < . 301 ack 101 win 999 len 10
    3 < F. 311 ack 101 win 999
    4 < . 312 ack 101 win 999 : duplicate_ack(1)
    5 < R. 312 ack 101 win 999"
data_and_window_updates_keep_the_count: "
    0 < . 301 ack 101
    1 < . 301 ack 101 : duplicate_ack(1)
    2 < . 301 ack 101 win 1001 : window_update
    3 < . 301 ack 101 win 1001 len 10
    4 < . 311 ack 101 win 1001 : duplicate_ack(2)"
a_new_kind_of_mptcp_option_is_no_duplicate: "
    0 < . 301 ack 101
    1 < . 301 ack 101 mptcp 2 : duplicate_ack(1)
    2 < . 301 ack 101 mptcp 2
    3 < . 301 ack 101 mptcp 2 : duplicate_ack(2)"

zero_window: "
    0 < . 301 ack 101 win 0 : zero_window
    1 < . 301 ack 101 win 0 : zero_window
    2 < P. 301 ack 101 len 5 win 0 : zero_window
    3 < R. 306 ack 101 win 0
    4 < F. 306 ack 101 win 0"
zero_window_probe_and_its_ack: "
    0 > . 101 ack 301
    0 < . 301 ack 101 win 0 : zero_window
    1 > . 101 ack 301 len 1 : zero_window_probe
    1.1 < . 301 ack 101 win 0 : zero_window zero_window_probe_ack
    2 > . 101 ack 301 len 1 : zero_window_probe
    2.1 < . 301 ack 101 win 500 : window_update
    3 > . 101 ack 301 len 1"
two_bytes_or_an_open_window_make_no_probe: "
    0 > . 101 ack 301
    0 < . 301 ack 101 win 0 : zero_window
    1 > . 101 ack 301 len 2
    2 < . 301 ack 103 win 1
    3 > . 103 ack 301 len 1"
a_window_that_stays_closed_is_no_ack_of_a_probe_without_one: "
    0 > . 101 ack 301
    0 < . 301 ack 101 win 0 : zero_window
    1 > . 101 ack 301 len 2
    2 < . 301 ack 101 win 0 : zero_window"

window_full: "
    0 > S 100 ws 0
    0.1 < S. 300 ack 101 ws 2
    0.2 > . 101 ack 301
    0.3 < . 301 ack 101 win 50 : window_update
    1 > . 101 ack 301 len 199
    1 > . 300 ack 301 len 1 : window_full
    2 > . 101 ack 301 len 200 : retransmission window_full
    3 > . 301 ack 301 len 1"
the_window_of_a_syn_is_not_scaled: "
    0 > S 100 ws 0
    0.1 < S. 300 ack 101 ws 2 win 50
    0.2 > . 101 ack 301 len 50 : window_full"
without_scaling_the_window_is_as_it_stands: "
    0 > S 100
    0.1 < S. 300 ack 101 ws 2 win 50
    0.15 < . 301 ack 101 win 50 : duplicate_ack(1)
    0.2 > . 101 ack 301 len 50 : window_full"
without_the_syns_no_window_is_known_to_be_full: "
    0 < . 301 ack 101 win 50
    1 > . 101 ack 301 len 50"
a_cut_syn_does_not_refuse_scaling: "
    0 > S 100 cut
    0.1 < S. 300 ack 101 ws 2
    0.2 > . 101 ack 301
    0.3 < . 301 ack 101 win 50 : window_update
    1 > . 101 ack 301 len 200 : window_full"

window_update: "
    0 < . 301 ack 101
    1 < . 301 ack 101 win 2000 : window_update
    2 < . 301 ack 101 win 1500 : window_update
    3 < . 301 ack 101 win 0 : zero_window
    4 < . 301 ack 101 : window_update
    5 < . 301 ack 102 win 2000
    6 < . 301 ack 102 win 2001 len 1"

keep_alive_and_its_ack: "
    0 > . 101 ack 301
    0 < . 301 ack 101
    60 > . 100 ack 301 : keep_alive
    60.1 < . 301 ack 101 : keep_alive_ack
    120 > . 100 ack 301 len 1 : keep_alive
    120.1 < . 301 ack 101 : keep_alive_ack
    180 > . 99 ack 301
    240 > . 100 ack 301 len 2"
keep_alives_are_no_fins_and_no_resets: "
    0 > . 101 ack 301
    1 > F. 100 ack 301 : retransmission
    2 > R. 100 ack 301"
a_keep_alive_answered_with_a_new_window: "
    0 > . 101 ack 301
    0 < . 301 ack 101
    60 > . 100 ack 301 : keep_alive
    60.1 < . 301 ack 101 win 7 : window_update
    61 < . 301 ack 101 win 7 : keep_alive_ack"
a_last_byte_sent_again_looks_like_a_keep_alive: "
    0 > . 101 ack 301 len 1
    1 > . 101 ack 301 len 1 : keep_alive"

lost_segment: "
    0 > . 101 ack 301 len 100
    1 > . 202 ack 301 : lost_segment
    2 > . 203 ack 301 len 5 : lost_segment
    3 > F. 210 ack 301 : lost_segment
    5 > R 400"
the_first_segment_has_nothing_lost_before_it: "
    0 > . 101 ack 301 len 100
    1 < . 301 ack 201 len 100"

ack_lost_segment_is_told_once: "
    0 > . 101 ack 301 len 100
    0.1 < . 301 ack 201
    1 < . 301 ack 202 : ack_lost_segment
    2 < . 301 ack 203
    3 > . 203 ack 302 len 10 : lost_segment ack_lost_segment
    4 < . 301 ack 214 : ack_lost_segment"
what_was_captured_may_be_acked: "
    0 > . 101 ack 301 len 100
    1 < . 301 ack 201
    2 < . 301 ack 151"
an_ack_over_a_hole: "
    0 > . 101 ack 301 len 100
    1 > . 301 ack 301 len 100 : lost_segment
    2 < . 301 ack 201
    3 < . 301 ack 401 : ack_lost_segment
    4 < . 301 ack 401 : duplicate_ack(1)"
a_hole_that_was_filled: "
    0 > . 101 ack 301 len 100
    1 > . 301 ack 301 len 100 : lost_segment
    1.001 > . 201 ack 301 len 100 : out_of_order
    3 < . 301 ack 401"
filling_the_first_of_two_holes_closes_both: "
    0 > . 101 ack 301 len 100
    1 > . 301 ack 301 len 100 : lost_segment
    1 > . 501 ack 301 len 100 : lost_segment
    1.001 > . 201 ack 301 len 100 : out_of_order
    3 < . 301 ack 601"

reused_ports: "
    reusing
    0 > S 5000 : reused_ports
    0.1 < S. 300 ack 5001"
a_syn_ack_with_another_number: "
    0 > S 100
    0.1 < S. 300 ack 101
    0.2 < S. 300 ack 101 : retransmission
    1 < S. 900 ack 101 : lost_segment reused_ports
    2 < S. 900 ack 101 : retransmission"
a_syn_again_undoes_what_its_reset_moved: "
    0 > S 100
    1 > R 9000
    2 > S 100 : retransmission
    3 > . 101 ack 301 len 10"
a_crossing_syn_reuses_nothing: "
    0 > S 100
    0.1 < S 300
    0.2 > S. 100 ack 301 : retransmission
    0.3 < S. 300 ack 101 : retransmission"

an_ack_field_without_its_flag_is_forgotten: "
    0 > . 101 ack 301 len 10
    0.1 < . 301 ack 111
    1 > . 101 ack 301 len 10 : retransmission spurious_retransmission
    2 < R 301
    3 > . 101 ack 301 len 10 : retransmission"
of_a_segment_with_cut_options_nothing_is_said: "
    0 > . 101 ack 301 len 100
    1 > . 101 ack 301 len 100 cut
    2 > . 301 ack 301 len 100 cut
    3 > . 401 ack 301 len 100"
}

#[test]
fn marks_count_for_the_sender_of_the_segment() {
    let analysis = run(
        "0 > . 101 ack 301
         0 < . 301 ack 101
         60 > . 100 ack 301 : keep_alive
         60.1 < . 301 ack 101 : keep_alive_ack
         61 > . 90 ack 301 len 10 : retransmission spurious_retransmission
         62 > . 90 ack 301 len 10 : retransmission spurious_retransmission",
        Variation::default(),
        false,
    );
    let told = analysis.counts().map(|half| half.iter().map(|(mark, n)| (mark.name(), n)).collect::<Vec<_>>());
    let orig = vec![("retransmission", 2), ("spurious_retransmission", 2), ("keep_alive", 1)];
    assert_eq!(told, [orig, vec![("keep_alive_ack", 1)]]);
    assert_eq!(analysis.retransmissions(), 2);
}

#[test]
fn a_quiet_flow_has_no_counters() {
    let quiet = run(ALL[0], Variation::default(), false);
    assert!(quiet.counts.is_none() && quiet.counts().iter().all(|half| half.iter().next().is_none()));
    assert!(size_of::<super::half::Half>() <= 48, "{}", size_of::<super::half::Half>());
    assert!(size_of::<Analysis>() <= 128, "{}", size_of::<Analysis>());
}

#[test]
fn turning_around_turns_the_counts_too() {
    let mut analysis =
        run("0 > . 101 ack 301 len 9\n1 > . 101 ack 301 len 9 : retransmission", Variation::default(), false);
    analysis.turn_around();
    assert_eq!(analysis.counts().map(|half| half.of(Mark::Retransmission)), [0, 1]);
    let (again, _) = said("2 > . 101 ack 301 len 9", Variation::default());
    assert!(analysis.feed(&again, Side::Resp).has(Mark::Retransmission));
}
