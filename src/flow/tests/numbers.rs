//! Numbers: what is acknowledged, windows, keep-alives, what was captured.

use super::{case, cases};

cases! {
data_and_acks: "
    0 > S 100
    0.1 < S. 300 ack 101
    0.2 > . 101 ack 301
    1 > P. 101 ack 301 len 100
    1.1 > P. 201 ack 301 len 50
    expect orig-unacked 150 orig-una 101 orig-nxt 251 orig-bytes 150 orig-segments 4
    1.2 < . 301 ack 201
    expect orig-unacked 50
    1.3 > P. 101 ack 301 len 100
    expect orig-unacked 50 orig-nxt 251 orig-bytes 250
    1.4 < . 301 ack 251
    expect orig-unacked 0
    1.5 < . 301 ack 201
    expect orig-unacked 0 orig-una 251
    expect life orig:Syn,resp:SynAck,orig:HandshakeAck,orig:FirstData,orig:LastData"
a_fin_is_not_an_unacked_byte: "
    0 > . 101 ack 301
    0.1 < . 301 ack 101
    1 > F. 101 ack 301 len 10
    expect orig-unacked 10 orig-nxt 112"
no_ack_seen_no_claim: "
    0 > . 101 ack 301 len 1000
    1 > . 1101 ack 301 len 1000
    expect orig-unacked 0 orig-una - orig-nxt 2101 resp-una 301 resp-unacked 0"
more_than_a_segment_at_once: "
    0 > . 101 ack 301
    0.1 < . 301 ack 101
    1 > . 101 ack 301 len 65000
    2 < . 301 ack 65101
    expect orig-una 65101 orig-bytes 65000 orig-unacked 0"
a_dsack_acknowledges_no_more_than_its_ack: "
    0 > . 101 ack 301
    0.1 < . 301 ack 101
    1 > . 101 ack 301 len 100
    1 > . 201 ack 301 len 100
    1.3 > . 101 ack 301 len 100
    1.4 < . 301 ack 201 block 101 201
    expect orig-una 201 orig-unacked 100 orig-nxt 301"
what_paws_drops_changes_nothing: "
    0 > . 101 ack 301 tsval 1000 tsecr 7
    0.1 < . 301 ack 101 tsval 7 tsecr 1000
    1 > . 101 ack 301 len 100 tsval 2000 tsecr 7
    1.1 < . 301 ack 201 tsval 8 tsecr 2000
    1.2 > F. 101 ack 301 len 50 tsval 10 tsecr 7
    expect orig ESTAB resp ESTAB orig-nxt 201 orig-unacked 0"
keep_alives_change_nothing: "
    0 > . 101 ack 301
    0.1 < . 301 ack 101
    60 > . 100 ack 301
    60.1 < . 301 ack 101
    120 > . 100 ack 301 len 1
    120.1 < . 301 ack 101
    expect orig ESTAB resp ESTAB orig-nxt 101 orig-una 101 orig-unacked 0 since 0.1"
zero_window_and_probes: "
    0 > . 101 ack 301
    0.1 < . 301 ack 101
    1 > . 101 ack 301 len 100
    1.5 < . 301 ack 201 win 0
    expect resp-zero 1.5 resp-window 0 resp-raw 0 orig-zero -
    2 > . 201 ack 301 len 1
    2.1 < . 301 ack 201 win 0
    expect resp-zero 1.5 orig-unacked 1 orig ESTAB
    3 < . 301 ack 201 win 500
    expect resp-zero - resp-raw 500 resp-window -"
an_older_segment_does_not_close_the_window: "
    0 > . 101 ack 301
    0.1 < . 301 ack 101
    1 > . 101 ack 301 len 100
    1.5 < . 301 ack 201 win 500
    1.6 < . 301 ack 151 win 0
    expect resp-zero - resp-raw 500"
windows_of_syns_and_rsts_do_not_close: "
    0 > S 100 win 0
    expect orig-zero -
    0.1 < S. 300 ack 101 win 0
    expect resp-zero -
    0.2 > . 101 ack 301 win 9
    0.3 > R 101 win 0
    expect orig-zero -"
zero_window_of_a_closed_end: "
    0 > . 101 ack 301
    0.1 < . 301 ack 101 win 0
    expect resp-zero 0.1
    1 > R 101
    expect resp-zero -"
scaled_if_both_offered: "
    0 > S 100 ws 7 win 64240
    expect orig-window 64240
    0.1 < S. 300 ack 101 ws 2 win 65535
    expect resp-window 65535
    0.2 > . 101 ack 301 win 502
    expect orig-window 64256
    0.3 < . 301 ack 101 win 100
    expect resp-window 400"
not_scaled_if_one_did_not_offer: "
    0 > S 100 ws 7
    0.1 < S. 300 ack 101
    0.2 > . 101 ack 301 win 502
    expect orig-window 502 orig-ws 7 resp-ws -"
scale_unknown_if_the_syns_options_were_cut: "
    0 > S 100 ws 7
    0.1 < S. 300 ack 101 cut
    0.2 > . 101 ack 301 win 502
    expect orig-window - orig-raw 502"
scale_unknown_mid_stream: "
    0 > . 101 ack 301 win 502
    expect orig-window - orig-raw 502 resp-raw - resp-window -"
scale_unknown_from_the_syn_ack_on: "
    0 < S. 300 ack 101 ws 4
    0.1 > . 101 ack 301 win 502
    expect orig-window -"
the_capture_missed_segments: "
    0 > . 101 ack 301
    0.1 < . 301 ack 101
    1 < . 301 ack 5000
    expect orig-nxt 5000 orig-una 5000 orig-unacked 0
    2 > . 9000 ack 301 len 10
    expect orig-nxt 9010 orig-unacked 4010"
the_capture_missed_more_than_a_gigabyte_of_data: "
    0 > . 101 ack 301
    0.1 < . 301 ack 101
    9 > . 2000000000 ack 301 len 100
    expect orig-nxt 2000000100 orig-una - orig ESTAB
    9.1 < . 301 ack 2000000100
    expect orig-una 2000000100
    10 > F. 2000000100 ack 301
    10.1 < F. 301 ack 2000000101
    expect orig TIME-WAIT resp LAST-ACK"
the_capture_missed_more_than_a_gigabyte_and_shows_its_ack_first: "
    0 > . 101 ack 301
    0.1 < . 301 ack 101
    9 < . 301 ack 3000000000
    expect orig-nxt 3000000000 orig-una 3000000000
    10 > F. 3000000000 ack 301
    expect orig FIN-WAIT-1 resp CLOSE-WAIT"
a_stray_segment_is_not_taken_for_a_gap: "
    0 > . 101 ack 301
    0.1 < . 301 ack 101
    9 > . 2000000000 ack 305 len 100
    9.1 > F. 2000000100 ack 305
    expect orig-nxt 101 orig ESTAB resp ESTAB"
time_running_backwards: "
    5 > S 100
    4 < S. 300 ack 101
    expect syn-to-syn-ack - outcome waiting deadline 8.5
    6 > . 101 ack 301
    expect outcome completed syn-ack-to-ack 2 rtt -"
completeness_of_one_packet: "
    0 < S. 300 ack 101
    expect completeness 0"
completeness_of_a_syn_with_data: "
    0 > S 100 len 5
    expect completeness 9"
}
