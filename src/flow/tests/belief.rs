//! What is believed: incarnations, RSTs, FINs, SYNs.

use super::{case, cases};

cases! {
a_malformed_segment_counts_and_changes_no_state: "
    0 > S 100
    0.1 < S. 300 ack 101
    0.2 > . 101 ack 301
    1 > F. 101 ack 301 win 0 malformed
    1.1 < R 301 malformed
    1.2 > S 9000 malformed
    expect orig ESTAB resp ESTAB orig-fins 1 resp-rsts 1 orig-syns 2 orig-segments 4 orig-raw 1000 orig-nxt 101
    1.3 > P. 101 ack 301 len 5
    expect orig-bytes 5 orig-nxt 106 completeness 63"
an_idle_gap_does_not_split: "
    0 > S 100
    0.1 < S. 300 ack 101
    0.2 > . 101 ack 301
    864000 > P. 101 ack 301 len 5
    864000.1 < . 301 ack 106
    expect orig ESTAB resp ESTAB since 0.2 orig-bytes 5"
the_same_syn_number_is_the_same_flow_even_after_a_close: "
    0 > S 100
    0.1 < S. 300 ack 101
    0.2 > . 101 ack 301
    1 > F. 101 ack 301
    1.1 < F. 301 ack 102
    1.2 > . 102 ack 302
    2 > S 100
    expect orig TIME-WAIT resp CLOSED orig-syns 2
    3 < R. 302 ack 102
    4 > S 100
    expect orig CLOSED resp CLOSED outcome completed"
another_syn_number_is_another_flow: "
    0 > S 100
    replaced 1 > S 101
    1 > S 100
    0.1 < S. 300 ack 101
    0.2 > . 101 ack 301
    replaced 2 > S 5000
    replaced 2 < S 5000"
a_syn_ack_never_begins_a_flow: "
    0 > . 101 ack 301
    1 < S. 9000 ack 5
    2 > S. 9000 ack 5
    expect orig ESTAB resp - outcome partial"
reuse_after_mid_stream: "
    0 > . 101 ack 301
    replaced 1 > S 5000
    replaced 1 < S 5000
    1 > S 100
    expect orig ESTAB outcome partial"
a_retransmitted_fin_after_the_end_is_no_new_flow: "
    0 > . 101 ack 301
    0.1 < . 301 ack 101
    1 > R 101
    2 > F. 101 ack 301
    3 < F. 301 ack 101
    expect orig CLOSED resp CLOSED orig-fins 1 resp-fins 1"
a_rst_at_the_next_number: "
    0 > . 101 ack 301
    0.1 < . 301 ack 101 win 1000
    1 > R 102
    2 > R 100
    3 > R 1101
    expect orig ESTAB resp ESTAB orig-rsts 3 class Live
    4 > R 101
    expect orig CLOSED resp CLOSED"
a_rst_at_what_was_last_acknowledged_or_sent: "
    0 > . 101 ack 301
    0.1 < . 301 ack 101
    1 > . 101 ack 301 len 100
    2 > . 201 ack 301 len 100
    2.1 > R 151
    2.2 > R 302
    expect orig ESTAB
    3 > R 301
    expect orig CLOSED resp CLOSED"
a_rst_in_the_window_draws_a_challenge_ack_and_the_one_that_answers_it_is_believed: "
    0 > . 101 ack 301
    0.1 < . 301 ack 101
    1 > R 151
    expect orig ESTAB resp ESTAB
    1.1 < . 301 ack 101
    expect orig ESTAB resp ESTAB
    1.2 > R 101
    expect orig CLOSED resp CLOSED"
a_rst_at_the_first_hole: "
    0 > . 101 ack 301
    0.1 < . 301 ack 101
    1 > . 101 ack 301 len 100
    2 > . 301 ack 301 len 100
    3 > R 301
    expect orig ESTAB
    4 > R 201
    expect orig CLOSED resp CLOSED"
a_rst_at_the_end_of_what_was_sent: "
    0 > . 101 ack 301
    0.1 < . 301 ack 101
    1 > . 101 ack 301 len 100
    2 > . 301 ack 301 len 100
    4 > R 401
    expect orig CLOSED resp CLOSED"
a_rst_of_some_other_connection_before_all_else: "
    0 > R 77
    expect orig CLOSED resp CLOSED
    0.1 > . 101 ack 301 len 10
    expect orig ESTAB resp - class Live since 0.1
    0.2 < . 301 ack 111
    expect orig ESTAB resp ESTAB life orig:FirstSeen,orig:FirstData"
what_the_peer_still_sends_does_not_disprove_a_rst: "
    0 > R 101
    0.1 < . 301 ack 101 len 10
    0.2 > R 101
    expect orig CLOSED resp CLOSED"
a_believed_rst_is_not_disproved_by_a_late_segment: "
    0 > . 101 ack 301
    0.1 < . 301 ack 101
    0.2 > R 101
    0.3 > . 101 ack 301 len 10
    expect orig CLOSED resp CLOSED"
a_rst_in_answer_to_an_older_ack: "
    0 > . 101 ack 301
    0.1 < . 301 ack 101
    1 > . 101 ack 301 len 100
    2 > R 101
    expect orig CLOSED"
a_rst_from_a_half_known_by_acks_only: "
    0 > . 101 ack 301
    1 < R 5000
    expect orig ESTAB
    2 < R 301
    expect orig CLOSED resp CLOSED"
a_blind_rst_into_a_handshake: "
    0 > S 100
    0.1 < S. 300 ack 101
    0.2 > R 5000
    0.3 < R 5000
    expect outcome waiting orig SYN-SENT resp SYN-RECV
    0.4 < R. 0 ack 101
    expect outcome reset"
a_blind_fin: "
    0 > S 100 ws 0
    0.1 < S. 300 ack 101 ws 0
    0.2 > . 101 ack 301
    0.3 < . 301 ack 101 win 1000
    1 > F. 90000 ack 301
    expect orig ESTAB resp ESTAB orig-nxt 101 orig-fins 1
    2 > . 101 ack 301 len 50
    2.1 < . 301 ack 151
    expect orig ESTAB resp ESTAB orig-una 151 orig-nxt 151
    3 > F. 151 ack 301
    expect orig FIN-WAIT-1 resp CLOSE-WAIT
    3.1 < . 301 ack 152
    expect orig FIN-WAIT-2 resp CLOSE-WAIT"
a_fin_beyond_the_window_that_is_acknowledged_after_all: "
    0 > S 100 ws 0
    0.1 < S. 300 ack 101 ws 0
    0.2 > . 101 ack 301
    0.3 < . 301 ack 101 win 1000
    1 > F. 90000 ack 301      # the capture lost what came between
    expect orig ESTAB resp ESTAB
    1.1 < . 301 ack 90001
    expect orig FIN-WAIT-2 resp CLOSE-WAIT"
a_fin_beyond_the_window_that_is_answered_by_a_fin: "
    0 > S 100 ws 0
    0.1 < S. 300 ack 101 ws 0
    0.2 > . 101 ack 301
    0.3 < . 301 ack 101 win 1000
    1 > F. 90000 ack 301
    1.1 < F. 301 ack 90001
    expect orig TIME-WAIT resp LAST-ACK"
an_old_fin: "
    0 > . 101 ack 301
    0.1 < . 301 ack 101
    1 > . 101 ack 301 len 100
    1.1 < . 301 ack 201
    2 > F. 140 ack 301
    expect orig ESTAB resp ESTAB orig-fins 1"
an_ack_of_what_was_never_sent: "
    0 > S 100
    0.1 < S. 300 ack 101
    0.2 > . 101 ack 301
    1 < . 302 ack 2100000000 win 0     # its number is a guess too
    expect resp-nxt 301
    expect orig-una 101 orig-nxt 101 resp-zero -
    2 > F. 101 ack 301
    2.1 < . 301 ack 103
    expect orig FIN-WAIT-1"
a_challenge_ack_is_the_older_flows: "
    0 > S 100 ws 0
    0.1 < S. 300 ack 101 ws 0
    0.2 > . 101 ack 301
    1 > . 101 ack 301 len 100
    1.1 < . 301 ack 201
    replaced 2 > S 5000
    owns 2.1 < . 301 ack 201
    owns 2.2 > R 201
    owns 2.2 > P. 201 ack 301 len 10
    owns 2.2 > . 200 ack 301       # keep-alive
    disowns 2.2 < S. 800 ack 5001
    disowns 2.2 < R. 0 ack 5001
    disowns 2.2 > . 5001 ack 801
    disowns 2.2 > . 201 ack 801
    disowns 2.2 > R 5001
    disowns 2.2 > . 500000 ack 301
    2.3 > P. 201 ack 301 len 10
    expect orig ESTAB resp ESTAB"
a_closed_flow_owns_nothing: "
    0 > . 101 ack 301
    0.1 < . 301 ack 101
    1 > R 101
    disowns 2 > . 101 ack 301
    disowns 2 < R 301"
a_flow_of_one_direction_owns_what_fits: "
    0 > . 101 ack 301
    owns 1 > . 101 ack 301
    disowns 1 > . 101 ack 302"
time_wait_still_answers_an_old_syn: "
    0 > . 101 ack 301
    0.1 < . 301 ack 101
    1 < F. 301 ack 101
    1.1 > F. 101 ack 302
    1.2 < . 302 ack 102
    expect resp TIME-WAIT
    owns 2 < . 302 ack 102
    owns 2.1 > R 102
    2.1 > R 102
    expect resp CLOSED orig CLOSED"
data_without_ack_is_dropped: "
    0 > . 101 ack 301
    0.1 < . 301 ack 101
    1 > 0 101 len 10
    2 > F 101
    expect orig ESTAB resp ESTAB orig-fins 1 orig-bytes 10 orig-nxt 101"
}
