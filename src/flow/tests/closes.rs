//! Closes and TIME-WAIT.

use super::{case, cases};

cases! {
four_segments: "
    0 > S 100
    0.1 < S. 300 ack 101
    0.2 > . 101 ack 301
    1 > F. 101 ack 301
    expect orig FIN-WAIT-1 resp CLOSE-WAIT
    1.1 < . 301 ack 102
    expect orig FIN-WAIT-2 resp CLOSE-WAIT outcome completed
    2 < F. 301 ack 102
    expect orig TIME-WAIT resp LAST-ACK deadline 62
    2.1 > . 102 ack 302
    expect orig TIME-WAIT resp CLOSED since 2.1 class Closed deadline 62 completeness 23
    at 61.9
    expect orig TIME-WAIT
    at 63
    expect orig CLOSED resp CLOSED class Closed since 62 deadline -
    expect life orig:Syn,resp:SynAck,orig:HandshakeAck,orig:Fin,orig:FinAcked,orig:TimeWait,resp:Fin,resp:FinAcked,orig:TimeWaitOver"
three_segments: "
    0 > . 101 ack 301
    0.1 < . 301 ack 101
    1 > F. 101 ack 301
    1.1 < F. 301 ack 102
    expect orig TIME-WAIT resp LAST-ACK
    1.2 > . 102 ack 302
    expect orig TIME-WAIT resp CLOSED deadline 61.1"
three_segments_responder_first: "
    0 > S 100
    0.1 < S. 300 ack 101
    0.2 > . 101 ack 301
    1 < FP. 301 ack 101 len 20
    expect resp FIN-WAIT-1 orig CLOSE-WAIT
    1.1 > F. 101 ack 322
    expect resp TIME-WAIT orig LAST-ACK
    1.2 < . 322 ack 102
    expect resp TIME-WAIT orig CLOSED"
a_fin_is_acknowledged_only_past_its_number: "
    0 > . 101 ack 301
    0.1 < . 301 ack 101
    1 > FP. 101 ack 301 len 10
    1.1 < . 301 ack 111
    expect orig FIN-WAIT-1 resp CLOSE-WAIT orig-unacked 0
    1.2 < . 301 ack 112
    expect orig FIN-WAIT-2 resp CLOSE-WAIT"
half_close_with_data: "
    0 > . 101 ack 301
    0.1 < . 301 ack 101
    1 > F. 101 ack 301
    1.1 < P. 301 ack 102 len 500
    expect orig FIN-WAIT-2 resp CLOSE-WAIT resp-unacked 500
    1.2 > . 102 ack 801
    expect orig FIN-WAIT-2 resp CLOSE-WAIT resp-unacked 0
    9 < FP. 801 ack 102 len 5
    expect orig TIME-WAIT resp LAST-ACK
    9.1 > . 102 ack 806
    expect orig TIME-WAIT resp LAST-ACK
    9.2 > . 102 ack 807
    expect orig TIME-WAIT resp CLOSED"
simultaneous_close: "
    0 > . 101 ack 301
    0.1 < . 301 ack 101
    1 > F. 101 ack 301
    1.001 < F. 301 ack 101
    expect orig CLOSING resp CLOSING
    1.1 > . 102 ack 302
    expect orig CLOSING resp TIME-WAIT deadline 61.1
    1.2 < . 302 ack 102
    expect orig TIME-WAIT resp TIME-WAIT
    at 61.15
    expect orig TIME-WAIT resp CLOSED since 61.1 class Closed deadline 61.2
    at 61.2
    expect orig CLOSED resp CLOSED class Closed"
fin_lost_and_sent_again: "
    0 > . 101 ack 301
    0.1 < . 301 ack 101
    1 > F. 101 ack 301
    1.3 > F. 101 ack 301
    1.7 > F. 101 ack 301
    expect orig FIN-WAIT-1 resp CLOSE-WAIT orig-fins 3 since 1
    1.8 < . 301 ack 102
    expect orig FIN-WAIT-2 resp CLOSE-WAIT"
fin_sent_again_restarts_time_wait: "
    0 > . 101 ack 301
    0.1 < . 301 ack 101
    1 > F. 101 ack 301
    1.1 < F. 301 ack 102
    1.2 > . 102 ack 302
    expect deadline 61.1
    1.5 < F. 301 ack 102
    expect orig TIME-WAIT deadline 61.5 resp-fins 2
    1.6 > . 102 ack 302
    50 < F. 301 ack 102
    expect orig TIME-WAIT resp CLOSED deadline 110
    at 109
    expect orig TIME-WAIT
    at 110
    expect orig CLOSED class Closed
    120 < F. 301 ack 102
    expect orig CLOSED resp CLOSED since 110"
own_fin_sent_again_does_not_restart_own_time_wait: "
    0 > . 101 ack 301
    0.1 < . 301 ack 101
    1 > F. 101 ack 301
    1.1 < F. 301 ack 102
    1.4 > F. 101 ack 301
    expect orig TIME-WAIT deadline 61.1"
fin_beyond_a_hole: "
    0 > . 101 ack 301
    0.1 < . 301 ack 101
    1 > . 101 ack 301 len 100
    1.2 > F. 301 ack 301
    expect orig FIN-WAIT-1 resp ESTAB orig-nxt 302
    1.3 < . 301 ack 201
    expect resp ESTAB
    1.4 > . 201 ack 301 len 100
    expect orig FIN-WAIT-1 resp CLOSE-WAIT
    1.5 < . 301 ack 302
    expect orig FIN-WAIT-2 resp CLOSE-WAIT"
fin_beyond_a_hole_with_data_above_it: "
    0 > . 101 ack 301
    0.1 < . 301 ack 101
    1.1 > . 201 ack 301 len 100
    1.2 > F. 301 ack 301
    expect orig FIN-WAIT-1 resp ESTAB
    1.4 > . 101 ack 301 len 100
    expect resp CLOSE-WAIT"
fin_beyond_a_hole_filled_from_above: "
    0 > . 101 ack 301
    0.1 < . 301 ack 101
    1.1 > . 301 ack 301 len 100
    1.2 > . 201 ack 301 len 100
    1.3 > F. 401 ack 301
    expect orig FIN-WAIT-1 resp ESTAB
    1.4 > . 101 ack 301 len 100
    expect resp CLOSE-WAIT"
nothing_comes_after_a_fin: "
    0 > . 101 ack 301
    0.1 < . 301 ack 101
    1 > F. 101 ack 301
    1.1 > . 102 ack 301 len 50
    expect orig-nxt 102 resp CLOSE-WAIT
    1.2 < . 301 ack 102
    expect orig FIN-WAIT-2 orig-unacked 0"
the_other_side_is_first_seen_by_its_fin: "
    0 > F. 101 ack 301
    0.1 < F. 301 ack 102
    expect orig TIME-WAIT resp LAST-ACK"
fin_beyond_two_holes: "
    0 > . 101 ack 301
    0.1 < . 301 ack 101
    1.1 > . 201 ack 301 len 100
    1.2 > F. 401 ack 301
    1.4 > . 101 ack 301 len 100
    expect orig FIN-WAIT-1 resp ESTAB
    1.5 > . 301 ack 301 len 100
    1.6 < . 301 ack 402
    expect orig FIN-WAIT-2 resp CLOSE-WAIT"
fin_beyond_a_hole_that_the_capture_made: "
    0 > . 101 ack 301
    0.1 < . 301 ack 101
    1.2 > F. 301 ack 301
    expect orig FIN-WAIT-1 resp ESTAB
    1.5 < . 301 ack 302
    expect orig FIN-WAIT-2 resp CLOSE-WAIT"
three_segments_with_a_hole_that_the_capture_made: "
    0 > . 101 ack 301
    0.1 < . 301 ack 101
    1 > F. 301 ack 301
    expect orig FIN-WAIT-1 resp ESTAB
    1.1 < F. 301 ack 302
    expect orig TIME-WAIT resp LAST-ACK
    1.2 > . 302 ack 302
    expect orig TIME-WAIT resp CLOSED"
crossing_fins_one_of_them_lost: "
    0 > . 101 ack 301
    0.1 < . 301 ack 101
    1 > F. 101 ack 301
    1.1 < F. 301 ack 101
    1.2 > . 102 ack 302
    expect orig CLOSING resp TIME-WAIT
    1.3 > F. 101 ack 302
    1.4 < . 302 ack 102
    expect orig TIME-WAIT resp TIME-WAIT"
reset_ends_without_time_wait: "
    0 > S 100
    0.1 < S. 300 ack 101
    0.2 > . 101 ack 301
    1 < . 301 ack 101 len 100
    2 > R. 101 ack 401
    expect orig CLOSED resp CLOSED class Closed outcome completed deadline - orig-rsts 1 completeness 47
    expect resp-unacked 0"
reset_after_one_fin: "
    0 > . 101 ack 301
    0.1 < . 301 ack 101
    1 > F. 101 ack 301
    1.1 < . 301 ack 102 len 100
    1.2 > R 102
    expect orig CLOSED resp CLOSED deadline -"
linger_zero_in_place_of_a_fin: "
    0 > . 101 ack 301
    0.1 < . 301 ack 101
    1 < F. 301 ack 101
    1.1 > . 101 ack 302
    1.2 > R. 101 ack 302
    expect orig CLOSED resp CLOSED deadline -"
reset_in_time_wait: "
    0 > . 101 ack 301
    0.1 < . 301 ack 101
    1 > F. 101 ack 301
    1.1 < F. 301 ack 102
    1.2 > . 102 ack 302
    1.3 < R 302
    expect orig CLOSED resp CLOSED deadline - since 1.3
    expect life orig:FirstSeen,orig:Fin,orig:FinAcked,orig:TimeWait,resp:Fin,resp:FinAcked,resp:Rst"
reset_off_its_number_in_time_wait: "
    0 > . 101 ack 301
    0.1 < . 301 ack 101
    1 > F. 101 ack 301
    1.1 < F. 301 ack 102
    1.2 > . 102 ack 302
    1.3 < R 303
    expect orig TIME-WAIT resp CLOSED"
a_lone_reset: "
    0 > R 101
    expect orig CLOSED resp CLOSED outcome partial class Closed completeness 0 orig-rsts 1 life orig:FirstSeen,orig:Rst"
a_lone_fin: "
    0 > F. 101 ack 301
    expect orig FIN-WAIT-1 resp - outcome partial class Live completeness 0
    0.1 < . 301 ack 102
    expect orig FIN-WAIT-2 resp CLOSE-WAIT completeness 20"
one_direction_only: "
    0 > . 101 ack 301 len 10
    1 > . 111 ack 401 len 10
    2 > F. 121 ack 501
    expect orig FIN-WAIT-1 resp - orig-unacked 0
    3 > . 122 ack 502
    expect resp -"
a_fin_in_syn_recv: "
    0 > S 100
    0.1 < S. 300 ack 101
    0.2 > F. 101 ack 301
    expect orig FIN-WAIT-1 resp CLOSE-WAIT outcome completed"
the_last_ack_comes_with_an_old_number: "
    0 > . 101 ack 301
    0.1 < . 301 ack 101
    1 > F. 101 ack 301
    1.1 < F. 301 ack 102
    1.2 > . 101 ack 302
    expect orig TIME-WAIT resp CLOSED"
a_fin_the_capture_missed_and_saw_again: "
    0 > . 101 ack 301
    0.1 < . 301 ack 101
    1.1 < . 301 ack 102
    1.2 > F. 101 ack 301
    expect orig FIN-WAIT-1 resp CLOSE-WAIT
    1.3 < . 301 ack 102
    expect orig FIN-WAIT-2"
superseded_in_time_wait: "
    0 > . 101 ack 301
    0.1 < . 301 ack 101
    1 > F. 101 ack 301
    1.1 < F. 301 ack 102
    1.2 > . 102 ack 302
    replaced 20 > S 90000
    superseded 20.1
    expect orig CLOSED resp CLOSED deadline - since 20.1 class Closed"
superseded_while_waiting: "
    0 > S 100
    replaced 1 > S 70000
    superseded 1.1
    expect orig CLOSED outcome unanswered concluded 1.1 class Closed"
}
