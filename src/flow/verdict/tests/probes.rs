//! What repeats numbers though nothing was lost: keep-alives, probes of a closed window, frames captured twice; and the
//! near misses.

use super::{case, cases};

cases! {
keep_alives: "
    0 > . 101 ack 301 len 100
    0.02 < . 301 ack 201
    75 > . 200 ack 301 : keep-alive, all acknowledged for 75 s
    75.02 < . 301 ack 201
    150 > . 200 ack 301 len 1 : keep-alive, all acknowledged for 75 s
    expect orig at 200: "
the_last_byte_sent_again_is_no_keep_alive: "
    0 > . 101 ack 301
    0 < . 301 ack 101
    1 > P. 101 ack 301 len 1
    1.3 > P. 101 ack 301 len 1 : lost, RTO after 300 ms"
an_older_ack_is_no_keep_alive: "
    0 > . 101 ack 301
    0 < . 301 ack 101 len 100
    1 > P. 101 ack 401 len 1
    1.02 < . 401 ack 102
    1.03 > . 101 ack 401
    2 > . 101 ack 301
    expect orig: "
before_the_first_ack_there_is_no_keep_alive: "
    0 > . 100 ack 302
    0 < S 301
    1 < . 301 ack 0
    expect resp: "
a_zero_window_probe_repeats_the_number_before: "
    0 > . 101 ack 301 len 100
    0.02 < . 301 ack 201 win 0
    0.5 > . 200 ack 301 : zero-window probe, window of 0
    0.52 < . 301 ack 201 win 0
    1 < . 301 ack 201
    expect orig: zero-window probe 1"
a_zero_window_probe_of_one_new_byte: "
    0 > . 101 ack 301 len 100
    0.02 < . 301 ack 201 win 0
    0.5 > . 201 ack 301 len 1 : zero-window probe, window of 0
    0.52 < . 301 ack 201 win 0
    1.5 > . 201 ack 301 len 1 : zero-window probe, window of 0
    1.52 < . 301 ack 201 win 500
    1.6 > . 201 ack 301 len 100
    1.62 < . 301 ack 301
    expect orig: zero-window probe 2
    expect limits: first seen mid-stream"
a_probe_whose_byte_was_taken: "
    0 > . 101 ack 301 len 100
    0.02 < . 301 ack 201 win 0
    0.5 > . 201 ack 301 len 1 : zero-window probe, window of 0
    0.52 < . 301 ack 202 win 500
    0.6 > . 202 ack 301 len 100
    expect limits: first seen mid-stream"
one_byte_into_an_open_window_is_data: "
    0 > . 101 ack 301 len 100
    0.02 < . 301 ack 201 win 1
    0.5 > . 201 ack 301 len 1
    expect quiet: true"

a_duplicate_frame: "
    0 > . 101 ack 301
    1 > . 101 ack 301 len 100 id 77
    1.0005 > . 101 ack 301 len 100 id 77 : duplicate frame, same datagram
    2 > . 201 ack 301 len 100 id 78
    2 > . 301 ack 301 len 100 id 79
    2.0001 > . 201 ack 301 len 100 id 78 : duplicate frame, same datagram
    2.0001 > . 301 ack 301 len 100 id 79 : duplicate frame, same datagram
    expect orig at 3: "
not_the_same_datagram: "
    0 > . 101 ack 301
    1 > . 101 ack 301 len 100 id 77
    1.0005 > . 101 ack 301 len 100 id 99 : unexplained, no evidence"
the_same_bytes_too_late_for_a_duplicate: "
    0 > . 101 ack 301
    1 > . 101 ack 301 len 100 id 77
    1.0011 > . 101 ack 301 len 100 id 77 : unexplained, no evidence"
the_same_datagram_a_hop_further: "
    0 > . 101 ack 301
    1 > . 101 ack 301 len 100 id 77 ttl 64
    1.012 > . 101 ack 301 len 100 id 77 ttl 63 : duplicate frame, same datagram"
}
