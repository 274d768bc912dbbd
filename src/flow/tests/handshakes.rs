//! Handshakes.

use super::{case, cases};

cases! {
completed: "
    10.000000000 > S 100 mss 1460 ws 7 sack ts
    expect orig SYN-SENT resp - outcome waiting class HalfOpen unanswered true concluded -
    10.020000001 < S. 300 ack 101 mss 1400 ws 2 ts
    expect orig SYN-SENT resp SYN-RECV outcome waiting unanswered false
    10.020300003 > . 101 ack 301
    expect orig ESTAB resp ESTAB outcome completed class Live concluded 10.020300003 since 10.020300003 deadline -
    expect syn-to-syn-ack 0.020000001 syn-ack-to-ack 0.000300002 rtt 0.020300003 connect 0.020300003
    expect orig-mss 1460 orig-ws 7 orig-sack true resp-mss 1400 resp-ws 2 resp-sack false
    expect orig-iss 100 resp-iss 300 orig-nxt 101 orig-una 101 syn-retries 0 syn-ack-retries 0 completeness 7
    expect life orig:Syn,resp:SynAck,orig:HandshakeAck"
data_completes_it_too: "
    1 > S 100
    2 < S. 300 ack 101
    3 > P. 101 ack 301 len 10
    expect orig ESTAB resp ESTAB outcome completed ack-at 3 orig-bytes 10 orig-unacked 10"
retried_syns_are_one_flow: "
    0 > S 100
    1 > S 100
    3 > S 100
    7 > S 100
    7.5 < S. 300 ack 101
    7.6 > . 101 ack 301
    expect outcome completed syn-retries 3 syn-to-syn-ack 0.5 syn-ack-to-ack 0.1 rtt - connect 7.6 syn-at 0
    expect life orig:Syn,orig:SynRetry(3),resp:SynAck,orig:HandshakeAck"
retried_syn_acks: "
    0 > S 100
    0.1 < S. 300 ack 101
    1.1 < S. 300 ack 101
    1.2 > . 101 ack 301
    expect outcome completed syn-ack-retries 1 syn-to-syn-ack 0.1 syn-ack-to-ack 0.1 rtt - connect 1.2"
a_syn_retried_after_its_syn_ack: "
    0 > S 100
    0.1 < S. 300 ack 101
    1 > S 100
    1.1 < S. 300 ack 101
    1.3 > . 101 ack 301
    expect outcome completed syn-to-syn-ack 0.1 syn-ack-to-ack 0.2 rtt - syn-retries 1 syn-ack-retries 1"
linux_retries_do_not_time_out_between: "
    0 > S 100
    1 > S 100
    2 > S 100
    3 > S 100
    4 > S 100
    5 > S 100
    7 > S 100
    11 > S 100
    19 > S 100
    36 > S 100
    69 > S 100
    at 134.5
    expect outcome waiting orig SYN-SENT syn-retries 10
    at 172.4
    expect outcome waiting
    at 172.6   # last SYN + max(2.5 x 33 s, 1.5 x 69 s)
    expect outcome unanswered orig CLOSED resp - class Closed concluded 172.5 since 172.5 deadline -"
classic_doubling_does_not_time_out_between: "
    0 > S 100
    at 2.99
    expect outcome waiting
    3 > S 100
    at 8.99
    expect outcome waiting
    9 > S 100
    at 20.9
    expect outcome waiting
    21 > S 100
    expect outcome waiting deadline 52.5"
one_second_doubling_does_not_time_out_between: "
    0 > S 100
    1 > S 100
    2.99 > S 100
    6.99 > S 100
    14.99 > S 100
    30.99 > S 100
    62.9 > S 100
    expect outcome waiting"
a_copy_of_a_retry_does_not_hasten_the_end: "
    0 > S 100
    1 > S 100
    3 > S 100
    7 > S 100
    7.000001 > S 100
    at 15
    expect outcome waiting"
timed_out_once_and_answered_later: "
    0 > S 100
    at 3.4
    expect outcome waiting
    at 3.5
    expect outcome unanswered concluded 3.5 life orig:Syn,orig:TimedOut
    4 < S. 300 ack 101
    expect outcome waiting concluded - resp SYN-RECV
    4.1 > . 101 ack 301
    expect outcome completed concluded 4.1 syn-to-syn-ack 4 rtt 4.1"
timed_out_and_tried_again: "
    0 > S 100
    at 5
    expect outcome unanswered
    10 > S 100
    expect outcome waiting concluded - syn-retries 1 orig SYN-SENT
    at 34.9
    expect outcome waiting
    at 35
    expect outcome unanswered concluded 35"
rejected: "
    0 > S 100
    icmp 0.01
    expect outcome rejected concluded 0.01 lasted 0.01 orig SYN-SENT
    at 5
    expect outcome rejected concluded 0.01 lasted 0.01 orig CLOSED"
rejected_and_tried_again_it_waits_until_it_ends: "
    0 > S 100
    icmp 0.000002
    1 > S 100
    expect outcome waiting concluded -
    2 > S 100
    gone 7.12
    expect outcome rejected concluded 7.12 lasted 7.12 orig CLOSED deadline -"
rejected_again_with_nothing_after_it: "
    0 > S 100
    icmp 0.01
    1 > S 100
    icmp 1.01
    gone 1.02
    expect outcome rejected concluded 1.01 lasted 1.01 orig CLOSED"
rejected_and_nobody_tells_of_its_end: "
    0 > S 100
    icmp 0.01
    1 > S 100
    at 30
    expect outcome rejected lasted 1 orig CLOSED"
rejected_and_held_still: "
    0 > S 100
    icmp 0.01
    held 0.01
    expect outcome rejected
    held 0.4
    expect outcome waiting
    gone 0.5
    expect outcome rejected concluded 0.5 lasted 0.5"
a_copy_of_its_syn_is_no_further_try: "
    0 > S 100
    icmp 0.00001
    0.00002 > S 100
    expect outcome rejected concluded 0.00001"
rejected_and_answered_at_last: "
    0 > S 100
    icmp 0.01
    1 > S 100
    1.1 < S. 300 ack 101
    1.2 > . 101 ack 301
    expect outcome completed"
refused: "
    0 > S 100
    0.01 < R. 0 ack 101 win 0
    expect outcome refused orig CLOSED resp CLOSED class Closed concluded 0.01 deadline - completeness 37
    expect resp-rsts 1 resp-zero - life orig:Syn,resp:Rst"
refused_and_tried_again_with_the_same_number: "
    0 > S 100
    0.01 < R. 0 ack 101
    expect reset-by resp
    0.5 > S 100
    expect outcome waiting orig SYN-SENT resp - concluded - reset-by -
    0.51 < R. 0 ack 101
    expect outcome refused concluded 0.51 syn-retries 1 resp-rsts 2
    1 > S 100
    1.1 < S. 300 ack 101
    1.2 > . 101 ack 301
    expect outcome completed orig ESTAB resp ESTAB syn-retries 2 reset-by - resp-rsts 2"
refused_after_it_timed_out: "
    0 > S 100
    at 10
    11 < R. 0 ack 101
    expect outcome refused concluded 11 class Closed"
a_rst_that_does_not_acknowledge_the_syn_is_not_believed: "
    0 > S 100
    0.1 < R. 0 ack 999
    0.2 < R 0
    0.3 < R. 0 ack 100
    expect outcome waiting orig SYN-SENT resp - resp-rsts 3
    0.4 < R. 0 ack 101
    expect outcome refused"
half_open: "
    0 > S 100
    0.1 < S. 300 ack 101
    1.1 < S. 300 ack 101
    3.1 < S. 300 ack 101
    7.1 < S. 300 ack 101
    expect outcome half-open concluded 3.6
    at 17
    expect outcome half-open orig SYN-SENT resp SYN-RECV class HalfOpen syn-ack-retries 3 concluded 3.6
    at 18
    expect outcome half-open orig CLOSED resp CLOSED class Closed since 17.6 concluded 3.6 deadline -
    20 > . 101 ack 301
    expect outcome completed orig ESTAB resp ESTAB concluded 20"
half_open_reset_later: "
    0 > S 100
    0.1 < S. 300 ack 101
    at 10
    expect outcome half-open concluded 3.6
    11 > R 101
    expect outcome reset class Closed concluded 11"
a_scan_resets: "
    0 > S 100
    0.1 < S. 300 ack 101
    0.2 > R 101
    expect outcome reset orig CLOSED resp CLOSED completeness 35 answered true"
the_originator_takes_its_syn_back: "
    0 > S 100
    0.1 > R 101
    expect outcome reset orig CLOSED resp CLOSED answered false"
reset_by_the_responder_after_its_syn_ack: "
    0 > S 100
    0.1 < S. 300 ack 101
    0.2 < R 301
    expect outcome reset"
begun_at_the_syn_ack: "
    5 < S. 300 ack 101
    expect orig SYN-SENT resp SYN-RECV outcome waiting first-from resp orig-iss 100 syn-at - orig-syns 0
    5.1 > . 101 ack 301
    expect orig ESTAB resp ESTAB outcome completed syn-to-syn-ack - syn-ack-to-ack 0.1 rtt - connect - completeness 6"
syn_after_its_syn_ack: "
    5 < S. 300 ack 101
    5.001 > S 100 mss 1460
    expect orig SYN-SENT resp SYN-RECV outcome waiting syn-at 5.001 orig-mss 1460
    5.1 > . 101 ack 301
    expect orig ESTAB outcome completed syn-to-syn-ack - syn-ack-to-ack 0.1 rtt - connect 0.099 syn-retries 0"
syn_after_syn_ack_with_another_number: "
    5 < S. 300 ack 101
    replaced 5.001 > S 7000"
ack_before_its_syn_ack: "
    5 > S 100
    5.1 > . 101 ack 301
    expect orig ESTAB resp - outcome completed
    5.2 < S. 300 ack 101 ws 3
    expect orig ESTAB resp ESTAB outcome completed syn-ack-to-ack - syn-to-syn-ack 0.2 rtt - connect 0.1 resp-ws 3 resp-iss 300"
syn_ack_not_captured: "
    5 > S 100
    5.1 > . 101 ack 301
    expect orig ESTAB resp - outcome completed syn-ack-at -
    5.2 < . 301 ack 101 len 5
    expect orig ESTAB resp ESTAB"
handshake_ack_not_captured: "
    5 > S 100
    5.1 < S. 300 ack 101
    5.3 < . 301 ack 181
    expect orig ESTAB resp ESTAB outcome completed concluded 5.3 ack-at - syn-ack-to-ack - rtt -"
an_old_segment_does_not_complete: "
    5 > S 100
    5.1 > . 90 ack 301
    5.2 > . 5000 ack 301
    5.3 < . 301 ack 90
    expect orig SYN-SENT resp - outcome waiting"
a_syn_ack_for_another_syn: "
    5 > S 100
    5.1 < S. 300 ack 77
    expect orig SYN-SENT resp - outcome waiting syn-ack-at - resp-syn-acks 1"
an_ack_far_off_during_the_handshake: "
    5 > S 100
    5.1 < S. 300 ack 101
    5.2 < . 301 ack 2100000000
    expect orig SYN-SENT resp SYN-RECV outcome waiting orig-nxt 101"
another_syn_ack_number_while_waiting: "
    5 > S 100
    5.1 < S. 300 ack 101
    5.2 < S. 800 ack 101
    5.3 > . 101 ack 801
    expect outcome completed resp-iss 800 resp-una 801"
simultaneous_open: "
    0 > S 100
    0.1 < S 300
    expect orig SYN-SENT resp SYN-SENT outcome waiting
    0.2 > S. 100 ack 301
    expect orig SYN-RECV resp SYN-SENT outcome waiting
    0.3 < S. 300 ack 101
    expect orig ESTAB resp ESTAB outcome simultaneous concluded 0.3 rtt - connect 0.3 class Live"
simultaneous_open_by_plain_acks: "
    0 > S 100
    0.1 < S 300
    0.2 > . 101 ack 301
    expect outcome waiting
    0.3 < . 301 ack 101
    expect orig ESTAB resp ESTAB outcome simultaneous"
an_mptcp_subflow_is_a_connection_of_its_own: "
    0 > S 100 mptcp 1
    0.1 < S. 300 ack 101 mptcp 1
    expect orig SYN-SENT resp SYN-RECV
    0.2 > . 101 ack 301 mptcp 1
    expect outcome completed orig ESTAB resp ESTAB
    0.3 < . 301 ack 101 mptcp 2
    1 > . 101 ack 301 len 10 mptcp 2
    expect outcome completed orig-unacked 10"
fast_open_data_in_the_syn: "
    0 > S 100 len 50 tfo
    expect orig-nxt 151 orig-bytes 50
    0.1 < S. 300 ack 151 tfo
    0.15 < P. 301 ack 151 len 20
    expect outcome waiting resp SYN-RECV
    0.2 > . 151 ack 321
    expect outcome completed orig-una 151 resp-una 321 completeness 15"
fast_open_data_not_taken: "
    0 > S 100 len 50 tfo
    0.1 < S. 300 ack 101
    0.2 > P. 101 ack 301 len 50
    expect outcome completed orig-una 101 orig-nxt 151 orig-unacked 50"
the_responder_does_not_take_the_ack: "
    0 > S 100
    0.1 < S. 300 ack 101
    0.2 > . 101 ack 301
    expect resp ESTAB
    1.1 < S. 300 ack 101
    expect resp SYN-RECV orig ESTAB outcome completed class Live deadline -
    1.2 > . 101 ack 301
    expect resp SYN-RECV
    3.1 < S. 300 ack 101
    3.3 < . 301 ack 111
    expect resp ESTAB outcome completed syn-ack-to-ack 0.1 concluded 0.2"
a_stray_syn_ack_after_data_changes_nothing: "
    0 > S 100
    0.1 < S. 300 ack 101
    0.2 > . 101 ack 301 len 10
    0.3 < . 301 ack 111
    1.1 < S. 300 ack 101
    expect resp ESTAB orig ESTAB"
a_stray_syn_after_data_changes_nothing: "
    0 > S 100
    0.1 < S. 300 ack 101
    0.2 > . 101 ack 301 len 10
    0.3 < . 301 ack 111 win 0
    1.1 > S 100
    expect resp ESTAB orig ESTAB outcome completed orig-syns 2 orig-nxt 111 since 0.2"
begun_at_the_ack: "
    0 > . 101 ack 301
    expect orig ESTAB resp - outcome partial class Live orig-iss - completeness 0 concluded -
    0.1 < P. 301 ack 101 len 5
    expect orig ESTAB resp ESTAB outcome partial completeness 12 life orig:FirstSeen,resp:FirstData"
a_syn_and_fin_at_once: "
    0 > SF 100
    expect orig SYN-SENT outcome waiting orig-fins 1
    0.1 < S. 300 ack 101
    0.2 > . 102 ack 301
    expect outcome completed"
}
