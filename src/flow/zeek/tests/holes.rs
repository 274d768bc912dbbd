//! §6 G, §7: bytes that were acknowledged and never captured, and sizes by sequence numbers.

use super::{case, cases};

cases! {
a_hole_alone_is_not_told: "
    0 > S 100
    0.1 < S. 300 ack 101
    0.2 > P. 101 ack 301 len 10
    0.3 > P. 121 ack 301 len 10
    row S1 ShD - missed 0 bytes 30 0"
a_hole_is_told_once_it_is_acknowledged: "
    0 > S 100
    0.1 < S. 300 ack 101
    0.2 > P. 101 ack 301 len 10
    0.3 > P. 121 ack 301 len 10
    0.4 < . 301 ack 131
    row S1 ShDaG - missed 10 bytes 30 0"
not_if_it_was_filled: "
    0 > S 100
    0.1 < S. 300 ack 101
    0.2 > P. 101 ack 301 len 10
    0.3 > P. 121 ack 301 len 10
    0.4 > P. 111 ack 301 len 10
    0.5 < . 301 ack 131
    row S1 ShDTa - missed 0 bytes 30 0"
nothing_but_an_ack_was_captured: "
    0 > S 100
    0.1 < S. 300 ack 101
    0.2 > . 101 ack 301
    0.3 > . 101 ack 2301
    row S1 ShAg - missed 2000 bytes 0 2000"
each_hole_counts: "
    0 > S 100
    0.1 < S. 300 ack 101
    1 < P. 311 ack 101 len 10
    1.1 < P. 331 ack 101 len 10
    1.2 > . 101 ack 341
    row S1 ShdAg - missed 20"
not_mid_stream: "
    0 > P. 101 ack 301 len 10
    0.1 < . 301 ack 111
    0.2 < . 301 ack 211
    row OTH Da - missed 0 bytes 110 0"
not_by_an_ack_in_a_rst: "
    0 > S 100
    0.1 < S. 300 ack 101
    0.2 < R. 301 ack 901
    row RSTR Shr - missed 0 bytes 0 0"
by_an_ack_in_a_fin: "
    0 > S 100
    0.1 < S. 300 ack 101
    0.2 < F. 301 ack 111
    row S3 ShfG - missed 10"
an_acknowledged_fin_is_no_byte: "
    0 > S 100
    0.1 < S. 300 ack 101
    0.2 > F. 101 ack 301
    0.3 < . 301 ack 102
    row S2 ShFa - missed 0 bytes 0 0"
an_ack_before_the_start_is_nothing: "
    0 > S 100
    0.1 < S. 300 ack 101
    0.2 < . 301 ack 50
    row S1 Sha - bytes 0 0"
too_much_above_a_hole_ends_the_watch: "
    0 > S 100
    0.1 < S. 300 ack 101
    0.2 > . 201 ack 301 len 16485
    0.3 < . 301 ack 16686
    row S1 ShDa - missed 0 bytes 16585 0"
a_little_less_does_not: "
    0 > S 100
    0.1 < S. 300 ack 101
    0.2 > . 201 ack 301 len 16284
    0.3 < . 301 ack 16485
    row S1 ShDaG - missed 100 bytes 16384 0"
bytes_are_counted_once: "
    0 > S 100
    0.1 < S. 300 ack 101
    1 > P. 101 ack 301 len 10
    2 > P. 101 ack 301 len 20
    row S1 ShD - bytes 20 0"
bytes_of_an_instant_are_not_told: "
    0 > P. 101 ack 301 len 10
    row OTH D - bytes - for 0"
a_silent_side_that_is_only_acknowledged_has_none: "
    0 > S 100
    0.1 > . 101 ack 301
    0.2 > . 101 ack 401
    row S0 SA - bytes 0 0"
a_rsts_payload_is_not_counted: "
    0 > S 100
    0.1 < S. 300 ack 101
    0.2 < R 301 len 20
    row RSTR Shrt - bytes 0 0"
a_fin_tells_how_much_of_over_2_gib_was_sent: "
    0 > S 100
    0.1 < S. 300 ack 101
    9 > F. 3000000101 ack 301
    row S2 ShF - bytes 3000000000 0"
a_rst_far_away_is_not_believed: "
    0 > S 100
    0.1 < S. 300 ack 101
    9 > R 3000101
    row RSTO ShR - bytes 0 0"
a_partial_flows_first_number_is_a_guess: "
    0 > S 100
    0.1 < . 300 ack 101
    0.2 < S. 300 ack 101
    0.3 < . 301 ack 102
    row S1 Sah - missed 0"
its_second_is_not: "
    0 > S 100
    0.1 < . 300 ack 101
    0.2 < S. 300 ack 101
    0.3 < . 301 ack 103
    row S1 SahG - missed 2"
nor_is_a_whole_flows_first: "
    0 > S 100
    0.2 < S. 300 ack 101
    0.3 < . 301 ack 102
    row S1 ShaG - missed 1"
over_10_mib_held_ends_the_watch: "
    0 > S 100
    0.1 < S. 300 ack 101
    0.2 > P. 101 ack 301 len 10
    0.3 < . 301 ack 111
    0.4 > . 211 ack 301 len 10485761
    0.5 < . 301 ack 10485972
    row S1 ShDa - missed 0"
just_10_mib_do_not: "
    0 > S 100
    0.1 < S. 300 ack 101
    0.2 > P. 101 ack 301 len 10
    0.3 < . 301 ack 111
    0.4 > . 211 ack 301 len 10485760
    0.5 < . 301 ack 10485971
    row S1 ShDaG - missed 100"
a_syn_after_a_rst_that_came_first_begins_the_numbers: "
    0 < R 9000
    0.1 > . 101 ack 301
    0.2 < S. 300 ack 101
    0.3 > . 101 ack 401
    row RSTRH ^rAh - bytes 0 100"
so_does_a_syn_ack_after_a_syn: "
    0 > S 100
    0.1 > S. 900 ack 301
    0.2 > P. 901 ack 301 len 10
    row S0 SD - bytes 10 0"
what_follows_a_rst_is_not_believed: "
    0 > S 100
    0.1 < S. 300 ack 101
    0.2 < R 301
    0.3 < P. 301 ack 101 len 10
    row RSTR Shrd - bytes 0 0"
a_half_open_connection_that_was_aborted_sent_nothing: "
    0 > S 100
    0.1 < . 300 ack 9101
    0.2 > R 9101
    row RSTOS0 SaR - bytes 0 0"
the_wrong_order_is_no_partial_flow: "
    0 > S. 300 ack 101
    0.1 < S 100
    0.2 < . 101 ack 301
    0.3 > . 301 ack 102
    row S1 Hs^AaG - missed 1"
nor_is_one_of_which_only_the_syn_is_missing: "
    0 < S. 300 ack 101
    0.1 > . 101 ack 301
    0.2 < . 301 ack 102
    row S1 ^hAaG - missed 1"
}
