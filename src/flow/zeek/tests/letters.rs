//! §6: letters, their order and their repeats.

use super::{case, cases};

cases! {
one_of_a_kind_a_side: "
    0 > S 100
    0.1 < S. 300 ack 101
    0.2 > . 101 ack 301
    0.3 > P. 101 ack 301 len 10
    0.4 > P. 111 ack 301 len 10
    0.5 < . 301 ack 121
    0.6 < . 301 ack 121
    0.7 < P. 301 ack 121 len 10
    row S1 ShADad -"
a_fin_with_payload_has_no_d: "
    0 > S 100
    0.1 < S. 300 ack 101
    0.2 > F. 101 ack 301 len 10
    row S2 ShF -"
a_fin_again_is_told_only_elsewhere: "
    0 > S 100
    0.1 < S. 300 ack 101
    0.2 > F. 101 ack 301
    0.3 > F. 101 ack 301
    0.4 > F. 111 ack 301
    row S2 ShFF -"
a_rst_again_is_told_only_elsewhere: "
    0 > S 100
    0.1 < S. 300 ack 101
    0.2 < R 301
    0.3 < R 301
    0.4 < R 302
    row RSTR Shrr -"
combinations: "
    0 > S 100
    0.1 < S. 300 ack 101
    0.2 > SF. 101 ack 301
    0.3 > SF. 101 ack 301
    0.4 < SR. 301 ack 101
    row RSTR ShQq -"
no_flags_and_no_payload_has_none: "
    0 > 0 101
    row OTH - -"
retransmissions_at_1_10_100: "
    0 > S 100
    0.1 < S. 300 ack 101
    1 > P. 101 ack 301 len 10
    2 > P. 101 ack 301 len 10
    row S1 ShDT - bytes 10 0"
the_tenth_is_told_again: "
    0 > S 100
    0.1 < S. 300 ack 101
    1 > P. 101 ack 301 len 10
    2 > P. 101 ack 301 len 10
    3 > P. 101 ack 301 len 10
    4 > P. 101 ack 301 len 10
    5 > P. 101 ack 301 len 10
    6 > P. 101 ack 301 len 10
    7 > P. 101 ack 301 len 10
    8 > P. 101 ack 301 len 10
    9 > P. 101 ack 301 len 10
    10 > P. 101 ack 301 len 10
    11 > P. 101 ack 301 len 10
    row S1 ShDTT - packets 12 1"
a_keep_alive_byte_counts_as_one: "
    0 > S 100
    0.1 < S. 300 ack 101
    1 > P. 101 ack 301 len 10
    2 > . 110 ack 301 len 1
    3 > . 110 ack 301
    row S1 ShDTA -"
a_syn_with_payload_counts_as_one: "
    0 > S 100 len 10
    row S0 ST -"
so_does_a_rst_with_payload: "
    0 > R 100 len 10
    row OTH RT -"
the_first_data_of_a_partial_flow_does_not: "
    0 > P. 100 ack 300 len 10
    row OTH D -"
zero_windows: "
    0 > S 100
    0.1 < S. 300 ack 101
    0.2 > . 101 ack 301
    0.3 < . 301 ack 101 win 0
    0.4 < . 301 ack 101 win 0
    row S1 ShAaw -"
a_syns_zero_window_counts_a_rsts_does_not: "
    0 > S 100 win 0
    0.1 < R. 0 ack 101 win 0
    row REJ SWr -"
nor_one_after_the_peers_fin: "
    0 > S 100
    0.1 < S. 300 ack 101
    0.2 > F. 101 ack 301
    0.3 < . 301 ack 102 win 0
    row S2 ShFa -"
window_before_retransmission: "
    0 > S 100
    0.1 < S. 300 ack 101
    0.2 > P. 101 ack 301 len 10
    0.3 > P. 101 ack 301 len 10 win 0
    row S1 ShDWT -"
kinds_already_written_stay_with_the_role: "        # the flip makes the SYN-ACK's sender a responder who wrote none
    0 > S. 100 ack 301
    0.1 < . 301 ack 101
    0.2 > S. 100 ack 301
    0.3 > S. 100 ack 301
    row OTH ^hAh -"
a_syn_after_a_close_is_told_again: "
    0 > S 100
    0.1 < S. 300 ack 101
    0.2 < F. 301 ack 101
    0.3 < S. 900 ack 101
    row S3 Shfh -"
the_same_syn_is_not: "
    0 > S 100
    0.1 < S. 300 ack 101
    0.2 < F. 301 ack 101
    0.3 < S. 300 ack 101
    row S3 Shf -"
no_zero_window_after_ones_own_rst: "
    0 > S 100
    0.1 < S. 300 ack 101
    0.2 > R 101
    0.3 > . 101 ack 301 win 0
    row RSTO ShRA -"
counts_move_with_their_endpoint: "
    0 > S. 300 ack 101 len 10
    0.1 < S 100
    0.2 > P. 301 ack 101 len 10
    row S1 HTs^d -"
}
