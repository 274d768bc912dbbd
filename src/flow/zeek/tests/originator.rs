//! §2: who is taken for the originator, and who is instead later.

use super::{case, cases};

cases! {
a_syn_is_sent_by_the_originator: "
    0 < S 100
    0.1 > S. 300 ack 101
    row S1 Sh - by resp"
without_a_syn_the_server_port_tells: "
    0 < S. 300 ack 101
    row OTH ^h - by orig packets 0 1"
a_client_port_does_not: "
    0 > . 101 ack 301
    row OTH A - by orig"
neither_port_is_a_servers: "
    ports 40000 50000
    0 < . 301 ack 101
    row OTH A - by resp"
both_ports_are_servers_the_lower_one_is_the_originator: "
    ports 443 80
    0 < . 301 ack 101
    row OTH ^a - by orig"
both_ports_are_servers_and_the_higher_one_sends: "
    ports 443 80
    0 > . 101 ack 301
    row OTH A - by orig"
both_ports_are_servers_and_a_syn_ack_comes: "
    ports 443 80
    0 < S. 301 ack 101
    row OTH H - by resp"
only_the_syn_was_not_captured: "
    0 < S. 300 ack 101
    0.1 > . 101 ack 301
    0.2 > P. 101 ack 301 len 10
    row S1 ^hAD - by orig"
a_syn_ack_first_is_flipped_by_what_follows: "   # from a port that is no server's
    0 > S. 100 ack 301
    0.1 < . 301 ack 101
    0.2 < P. 301 ack 101 len 10
    row OTH ^hAD - by resp packets 2 1"
it_is_flipped_by_its_sender_too: "
    0 > S. 100 ack 301
    0.1 > P. 101 ack 301 len 10
    row OTH ^hd - by resp"
it_is_not_flipped_by_a_fin: "
    0 > S. 100 ack 301
    0.1 < F. 301 ack 101
    row S3 Hf - by orig"
a_flipped_flow_is_closed_in_order: "
    0 > S. 100 ack 301
    0.1 < . 301 ack 101
    0.2 < F. 301 ack 101
    0.3 > F. 101 ack 302
    row SF ^hAFf - by resp"
syn_and_syn_ack_in_the_wrong_order: "
    0 > S. 300 ack 101
    0.1 < S 100
    0.2 < . 101 ack 301
    row S1 Hs^A - by resp packets 2 1"
another_syn_is_no_wrong_order: "
    0 > S. 300 ack 101
    0.1 < S 9000
    row OTH H reused by orig
    row S0 S - by resp"
}
