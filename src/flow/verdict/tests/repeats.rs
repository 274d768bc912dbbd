//! Why data was sent again: lost, needless, out of order, or a probe of the tail; and the near misses.

use super::{case, cases};

// A connection with 20 ms of round trip, of which 2 ms are on the originator's side of the capture.
cases! {
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
}
