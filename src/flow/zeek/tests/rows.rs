//! §2: when a row ends and another begins.

use super::{case, cases};

cases! {
an_unanswered_syn_ends_after_5_s: "
    0 > S 100
    3 > S 100
    7 > S 100
    row S0 S unanswered packets 2 0
    row S0 S - packets 1 0"
a_timer_that_is_due_at_the_segments_time_runs_first: "
    0 > S 100
    5 < S. 300 ack 101
    row S0 S unanswered
    row OTH ^h -"
just_before_it_is_not: "
    0 > S 100
    4.999 < S. 300 ack 101
    row S1 Sh -"
one_sided_traffic_is_an_unanswered_attempt: "
    0 > S 100
    0.1 > . 101 ack 301
    0.2 > P. 101 ack 301 len 10
    5.1 > P. 111 ack 301 len 10
    row S0 SAD unanswered
    row OTH D -"
an_attempt_begins_with_its_syn_only: "         # what came before it was no attempt
    0 > . 101 ack 301
    0.1 > S 100
    59 > . 101 ack 301
    row S0 AS -"
time_alone_ends_it: "
    0 > S 100
    at 5
    row S0 S unanswered"
a_close_ends_after_5_s: "
    0 > S 100
    0.1 < S. 300 ack 101
    1 > F. 101 ack 301
    2 < F. 301 ack 102
    6.9 > . 102 ack 302
    7 > . 102 ack 302
    row SF ShFfA closed for 2
    row OTH A -"
a_half_close_does_not: "
    0 > S 100
    0.1 < S. 300 ack 101
    1 > F. 101 ack 301
    100 < . 301 ack 102
    row S2 ShFa -"
a_rst_closes_both: "
    0 > S 100
    0.1 < S. 300 ack 101
    1 > R 101
    6 > R 101
    row RSTO ShR closed
    row OTH R -"
a_refused_syn_tried_again: "
    0 > S 100
    0.1 < R. 0 ack 101
    0.5 > S 100
    0.6 < R. 0 ack 101
    row REJ Sr reused
    row REJ Sr -"
the_same_syn_is_no_reuse: "
    0 > S 100
    0.1 < S. 300 ack 101
    1 > S 100
    row S1 Sh -"
another_syn_is: "
    0 > S 100
    0.1 < S. 300 ack 101
    1 > S 500
    row S1 Sh reused
    row S0 S -"
whoever_sends_it: "
    0 > S 100
    0.1 < S 300
    row S0 S reused by orig
    row S0 S - by resp"
a_syn_ack_is_no_reuse: "
    0 > S 100
    0.1 < S. 300 ack 101
    0.2 < S. 900 ack 101
    row S1 Sh -"
unless_the_originator_was_never_heard: "
    0 < S. 300 ack 101
    0.2 < S. 900 ack 101
    row OTH ^h reused
    row OTH ^h -"
and_then_only_of_another_number: "
    0 < S. 300 ack 101
    0.2 < S. 300 ack 101
    row OTH ^h - packets 0 2"
mid_handshake_silence_ends_after_60_s: "      # the SYN-ACK's sender is swapped in as responder, so no attempt
    0 > S. 300 ack 101
    4 > S. 300 ack 101
    at 5
    row OTH H unanswered"
partial_silence_ends_after_300_s: "
    0 > . 101 ack 301
    299.9 > . 101 ack 301
    599.9 > . 101 ack 301
    row OTH A idle packets 2 0
    row OTH A - packets 1 0"
a_responder_alone_leaves_the_handshake_too: "
    0 < S. 300 ack 101
    200 < S. 300 ack 101
    row OTH ^h -"
a_login_may_be_silent_for_an_hour: "
    ports 40000 22
    0 > S 100
    0.1 < S. 300 ack 101
    0.2 > . 101 ack 301
    3600 > . 101 ack 301
    7200 > . 101 ack 301
    row S1 ShA idle packets 3 1
    row OTH A -"
others_may_not: "
    0 > S 100
    0.1 < S. 300 ack 101
    0.2 > . 101 ack 301
    300.2 > . 101 ack 301
    row S1 ShA idle
    row OTH A -"
a_hole_holds_the_close_back: "
    0 > S 100
    0.1 < S. 300 ack 101
    0.2 > . 101 ack 301
    0.3 > F. 111 ack 301
    0.4 < F. 301 ack 101
    8 > . 112 ack 302
    row SF ShAFf -"
until_it_is_acknowledged: "
    0 > S 100
    0.1 < S. 300 ack 101
    0.2 > . 101 ack 301
    0.3 > F. 111 ack 301
    0.4 < F. 301 ack 112
    6 > . 112 ack 302
    row SF ShAFfG closed missed 10
    row OTH A -"
payload_of_the_peer_not_acknowledged_holds_it_back: "   # and it is not asked for again once the other side closed
    0 > S 100
    0.1 < S. 300 ack 101
    0.2 > . 101 ack 301
    0.3 < P. 301 ack 101 len 10
    0.4 > F. 101 ack 301
    0.5 < F. 311 ack 102
    0.6 > . 102 ack 312
    at 100
    row SF ShAdFf - for 0.6"
if_it_was_acknowledged_nothing_waits: "
    0 > S 100
    0.1 < S. 300 ack 101
    0.2 > . 101 ack 301
    0.3 < P. 301 ack 101 len 10
    0.4 > F. 101 ack 311
    0.5 < F. 311 ack 102
    0.6 > . 102 ack 312
    at 5.5
    row SF ShAdFf closed for 0.5"
a_lone_fin_closes_as_nothing_was_heard_of_the_other: "
    0 > F. 101 ack 301
    at 5
    row SH F closed"
once_the_watch_ended_nothing_waits: "
    0 > S 100
    0.1 < S. 300 ack 101
    0.2 > . 201 ack 301 len 16485
    0.3 > F. 16686 ack 301
    0.4 < F. 301 ack 101
    at 5.4
    row SF ShDFf closed"
of_over_16_kib_without_any_ack_nothing_is_held: "
    0 > S 100
    0.1 < S. 300 ack 101
    0.2 < . 301 ack 101 len 16385
    0.3 > F. 101 ack 301
    0.4 < F. 16686 ack 102
    at 5.4
    row SF ShdFf closed"
of_less_it_is: "
    0 > S 100
    0.1 < S. 300 ack 101
    0.2 < . 301 ack 101 len 16384
    0.3 > F. 101 ack 301
    0.4 < F. 16685 ack 102
    at 5.4
    row SF ShdFf -"
a_login_whose_syn_was_not_captured: "
    ports 40000 22
    0 < S. 300 ack 101
    0.1 > . 101 ack 301
    at 400
    row S1 ^hA -"
a_login_first_seen_before_its_syn_ack: "
    ports 40000 22
    0 > . 101 ack 301
    0.1 < S. 300 ack 101
    at 400
    row OTH Ah idle"
}
