//! §3.7, §4: each state in its simplest trace, and the steps that are easily taken wrong.

use super::{case, cases};

cases! {
s0: "
    0 > S 100
    1 > S 100
    row S0 S - packets 2 0"
s1: "
    0 > S 100
    0.1 < S. 300 ack 101
    0.2 > . 101 ack 301
    row S1 ShA -"
sf: "
    0 > S 100
    0.1 < S. 300 ack 101
    0.2 > . 101 ack 301
    0.3 > P. 101 ack 301 len 10
    0.4 < . 301 ack 111
    0.5 < P. 301 ack 111 len 20
    0.6 > F. 111 ack 321
    0.7 < F. 321 ack 112
    0.8 > . 112 ack 322
    row SF ShADadFf - bytes 10 20 packets 5 4 for 0.7"
rej: "
    0 > S 100
    0.1 < R. 0 ack 101
    row REJ Sr - bytes 0 0"
rej_of_a_reset_before_the_syn_was_captured: "
    0 < R. 300 ack 101
    0.1 > R 101
    row REJ ^rR - by orig"
s2: "
    0 > S 100
    0.1 < S. 300 ack 101
    0.2 > F. 101 ack 301
    row S2 ShF -"
s3: "
    0 > S 100
    0.1 < S. 300 ack 101
    0.2 < F. 301 ack 101
    row S3 Shf -"
rsto: "
    0 > S 100
    0.1 < S. 300 ack 101
    0.2 > R 101
    row RSTO ShR -"
rstr: "
    0 > S 100
    0.1 < S. 300 ack 101
    0.2 < R 301
    row RSTR Shr -"
rstos0: "
    0 > S 100
    0.1 > R 101
    row RSTOS0 SR -"
no_rstos0_if_it_had_gone_on: "
    0 > S 100
    0.1 > . 101 ack 301
    0.2 > R 101
    row OTH SAR -"
rstrh: "
    0 < R. 301 ack 101
    row RSTRH ^r -"
a_lone_rst_of_a_client: "
    0 > R 101
    row OTH R -"
sh: "
    0 > S 100
    0.1 > F. 101 ack 301
    row SH SF -"
shr: "
    0 < F. 301 ack 101
    row SHR ^f -"
mid_stream: "
    0 > P. 101 ack 301 len 10
    0.1 < P. 301 ack 111 len 10
    row OTH Dd -"
data_both_ways_without_a_syn_ack: "
    0 > S 100
    0.1 < P. 301 ack 101 len 10
    row OTH Sd -"
an_ack_before_the_syn_ack_is_passed_over: "
    0 > S 100
    0.1 < . 300 ack 101
    0.2 < S. 300 ack 101
    row S1 Sah -"
a_rst_after_both_fins_leaves_sf: "
    0 > S 100
    0.1 < S. 300 ack 101
    0.2 > F. 101 ack 301
    0.3 < F. 301 ack 102
    0.4 > R 102
    row SF ShFfR -"
a_fin_then_a_rst_of_the_same_side: "
    0 > S 100
    0.1 < S. 300 ack 101
    0.2 > F. 101 ack 301
    0.3 > R 102
    row RSTO ShFR -"
and_then_the_other_sides_fin: "
    0 > S 100
    0.1 < S. 300 ack 101
    0.2 > F. 101 ack 301
    0.3 > R 102
    0.4 < F. 301 ack 102
    row SF ShFRf -"
a_fin_answered_by_a_rst: "
    0 > F. 101 ack 301
    0.1 < R 301
    row RSTR Fr -"
fin_with_rst: "
    0 > S 100
    0.1 < S. 300 ack 101
    0.2 > FR. 101 ack 301
    row RSTO ShI -"
a_syn_after_something_partial: "      # not reuse: the number is the one assumed
    0 > . 101 ack 301
    0.1 > S 100
    row S0 AS -"
}
