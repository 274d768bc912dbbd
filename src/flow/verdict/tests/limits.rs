//! What is no repeat at all and costs nothing, and what a capture does not let anyone tell; resets that may be injected.

use super::{case, cases};

// A connection with 20 ms of round trip, of which 2 ms are on the originator's side of the capture.
cases! {
an_ordinary_connection_costs_nothing: "
    0 > S 100 ws 7
    0.018 < S. 300 ack 101 ws 7
    0.020 > . 101 ack 301
    0.021 > P. 101 ack 301 len 100
    0.039 < . 301 ack 201
    0.040 < P. 301 ack 201 len 1000
    0.040 < P. 1301 ack 201 len 1000
    0.042 > . 201 ack 2301
    0.050 > F. 201 ack 2301
    0.068 < F. 2301 ack 202
    0.070 > . 202 ack 2302
    expect quiet: true
    expect limits: "
syns_alone_cost_nothing: "
    0 > S 100
    1 > S 100
    3 > S 100
    expect quiet: true
    expect limits: "

data_in_a_syn_that_was_not_taken_is_sent_for_the_first_time: "
    0 > S 100 tfo len 50
    0.018 < S. 300 ack 101
    0.020 > . 101 ack 301 len 50
    0.04 < . 301 ack 151
    expect quiet: true"
a_syn_ack_with_other_numbers_begins_anew: "
    0 < S. 9000 ack 101
    1 < S. 300 ack 101
    1.1 > P. 101 ack 301 len 10
    1.2 < . 301 ack 111 len 100
    expect quiet: true"
an_old_syn_again_does_not: "
    0 > S 100
    0.018 < S. 300 ack 101
    0.020 > . 101 ack 301 len 50
    0.04 < . 301 ack 151
    0.05 > S 100
    0.06 > . 151 ack 301 len 50
    expect quiet: true"
data_in_a_syn_that_was_taken: "
    0 > S 100 tfo len 50
    0.018 < S. 300 ack 151
    0.020 > . 151 ack 301 len 50
    expect quiet: true"

the_capture_missed_what_was_acknowledged: "
    0 > . 101 ack 301
    0 < . 301 ack 101
    1 > . 201 ack 301 len 100
    1.02 < . 301 ack 301
    expect orig: 
    expect orig at 2: 
    expect limits: first seen mid-stream; 100 bytes acknowledged but never captured"
more_holes_than_are_kept: "
    0 > . 101 ack 301
    0 < . 301 ack 101
    1 > . 201 ack 301 len 100
    1 > . 401 ack 301 len 100
    1 > . 601 ack 301 len 100
    1 > . 801 ack 301 len 100
    1 > . 1001 ack 301 len 100
    1 > . 1201 ack 301 len 100
    1 > . 1401 ack 301 len 100
    1 > . 1601 ack 301 len 100
    1 > . 1801 ack 301 len 100
    1 > . 2001 ack 301 len 100
    2 < . 301 ack 2101
    expect limits: first seen mid-stream; 1000 bytes acknowledged but never captured"
one_direction_only: "
    0 > . 101 ack 301
    0.1 > . 101 ack 1301
    0.2 > . 101 ack 2301
    expect limits: only orig was captured; first seen mid-stream"
one_direction_of_a_handshake: "
    0 > S 100
    0.02 > . 101 ack 301
    expect limits: only orig was captured"
a_silent_peer_may_be_dead: "
    0 > . 101 ack 301 len 100
    0.3 > . 101 ack 301 len 100 : unexplained, RTO after 300 ms
    0.9 > . 101 ack 301 len 100 : unexplained, RTO after 600 ms
    expect limits: first seen mid-stream
    expect orig at 1: 2 segments sent again, cause not shown, not yet recovered, for 1.0 s"
cut_options: "
    0 > S 100
    0.018 < S. 300 ack 101
    0.020 > . 101 ack 301 cut
    expect limits: options cut by the snap length"

a_reset_over_another_number_of_hops: "
    0 > S 100 ttl 64
    0.018 < S. 300 ack 101 ttl 52
    0.020 > . 101 ack 301 ttl 64
    0.03 < R. 301 ack 101 ttl 61
    expect injected: RST in resp's name possibly injected: TTL 61, all its others 52"
a_reset_over_the_same_number_of_hops: "
    0 > S 100 ttl 64
    0.018 < S. 300 ack 101 ttl 52
    0.03 < R. 301 ack 101 ttl 52
    expect injected: -"
a_reset_of_an_end_that_showed_nothing_else: "
    0 > S 100 ttl 64
    0.018 < R. 0 ack 101 ttl 255
    expect injected: -"
a_reset_where_hops_vary: "
    0 > . 101 ack 301 ttl 64
    0.1 < . 301 ack 101 ttl 52
    0.2 < . 301 ack 101 ttl 53
    0.3 < R. 301 ack 101 ttl 61
    expect injected: -"
}
