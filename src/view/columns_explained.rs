//! What each column of each list means, in a line: what an explanation says below its text.

use crate::ui::View;

/// The headings of a view's list, each with its meaning; none for a view that is no list.
pub(super) const fn columns(view: View) -> &'static [(&'static str, &'static str)] {
    match view {
        View::Overview | View::Flow => &[],
        View::Flows => &FLOWS,
        View::Handshakes => &HANDSHAKES,
        View::Queues => &QUEUES,
        View::TimeWait => &PORTS,
        View::Listeners => &LISTENERS,
        View::Processes => &PROCESSES,
        View::Findings => &FINDINGS,
    }
}

#[rustfmt::skip]
const FLOWS: [(&str, &str); 16] = [
    ("process", "who holds it; → where both ends are here"),
    ("orig", "the end that sent the SYN"),
    ("resp", "the other; – where no SYN was captured"),
    ("name", "resp's, by SNI, HTTP host or DNS"),
    ("orig state", "the kernel's; ~ inferred from the wire"),
    ("resp state", "the same of the other end"),
    ("handshake", "how it opened"),
    ("Recv-Q", "received, not read by the process"),
    ("Send-Q", "written, not acknowledged"),
    ("RTT", "round trip; h by the handshake, d by data"),
    ("retrans", "segments sent again; ~ by the wire"),
    ("lost", "of these, lost on the way by our verdict"),
    ("rate", "bits in the last second, both directions"),
    ("payload", "bytes without headers, both directions"),
    ("age", "since first seen"),
    ("idle", "since the last segment"),
];

#[rustfmt::skip]
const HANDSHAKES: [(&str, &str); 11] = [
    ("outcome", "what became of it"),
    ("orig → resp", "who opened it, and towards whom"),
    ("DNS", "the wait for the lookup before it"),
    ("took", "from SYN to outcome, last try, or now"),
    ("TLS", "from ClientHello to the first data"),
    ("retries", "SYNs and SYN-ACKs sent again"),
    ("note", "why it failed; else what was agreed on"),
    ("name", "resp's, by SNI, HTTP host or DNS"),
    ("first SYN", "by the clock"),
    ("opened by", "the process that called connect()"),
    ("answered by", "the process that listens or accepted"),
];

#[rustfmt::skip]
const QUEUES: [(&str, &str); 8] = [
    ("queue", "Recv-Q, Send-Q, accept, or by the wire"),
    ("length", "what waits now: bytes, or connections"),
    ("of limit", "as a share of the limit"),
    ("limit", "of the buffer, or of listen()"),
    ("over time", "each reading of the socket table"),
    ("for", "how long not empty; an accept queue: full"),
    ("process", "who holds the socket"),
    ("local", "the end that the queue is of"),
];

#[rustfmt::skip]
const PORTS: [(&str, &str); 8] = [
    ("to service", "the end that they are taken towards"),
    ("from", "the address that took the ports"),
    ("TIME-WAIT", "connections that wait for 60 s"),
    ("other", "connections in any other state"),
    ("ports", "local ports taken towards it"),
    ("used", "of all ports that connect() may choose from"),
    ("at this rate", "when none is left, or where it settles"),
    ("process", "who holds most of them"),
];

#[rustfmt::skip]
const LISTENERS: [(&str, &str); 11] = [
    ("local", "where it listens"),
    ("process", "who holds the socket"),
    ("accept-Q", "connections that wait for accept()"),
    ("limit", "of these; one more overflows"),
    ("over time", "each reading of the socket table"),
    ("drops", "SYNs and ACKs it dropped so far"),
    ("SYN-RECV", "handshakes that lack their last ACK"),
    ("ESTAB", "established now"),
    ("CLOSE-WAIT", "closed by the client, not here"),
    ("closing", "FIN sent, not over yet"),
    ("came in", "handshakes completed with it"),
];

#[rustfmt::skip]
const PROCESSES: [(&str, &str); 12] = [
    ("process", "name and pid; + opens it"),
    ("user", "whose it is"),
    ("sockets", "TCP sockets it holds"),
    ("LISTEN", "of these, listening"),
    ("ESTAB", "of these, established"),
    ("CLOSE-WAIT", "of these, to be closed by it"),
    ("opened", "connections it opened, of those remembered"),
    ("TIME-WAIT", "connections it held last, held by none now"),
    ("Recv-Q", "bytes that it has not read"),
    ("Send-Q", "bytes its peers have not acknowledged"),
    ("rate", "bits in the last second, as captured"),
    ("command", "its arguments"),
];

#[rustfmt::skip]
const FINDINGS: [(&str, &str); 6] = [
    ("finding", "‼ critical, ! warning, i info; what it is"),
    ("for", "how long it has held, as far as watched"),
    ("about", "the process, destination, route or flow"),
    ("in numbers", "what shows it"),
    ("held by", "who can do something about it"),
    ("confidence", "high: counted or said; medium: inferred"),
];

#[cfg(test)]
mod tests {
    use super::super::table::Table;
    use super::super::{finding_list, handshake_list, listener_list, port_list, process_list, queue_list};
    use super::*;

    fn heads<T: Table>() -> Vec<&'static str> {
        T::COLUMNS.iter().map(|column| column.head.trim()).collect()
    }

    #[test]
    fn every_column_of_every_list_is_explained() {
        let lists = [
            (View::Flows, crate::ui::FLOW_COLUMNS.to_vec()),
            (View::Handshakes, heads::<handshake_list::Handshakes<'_>>()),
            (View::Queues, heads::<queue_list::Queues<'_>>()),
            (View::TimeWait, heads::<port_list::Ports<'_>>()),
            (View::Listeners, heads::<listener_list::Listeners<'_>>()),
            (View::Processes, heads::<process_list::Processes<'_>>()),
            (View::Findings, heads::<finding_list::Findings<'_>>()),
        ];
        for (view, heads) in lists {
            // A bar needs no heading, and a queue's far end is the peer of its local one.
            for head in heads.into_iter().filter(|head| !head.is_empty() && *head != "peer") {
                let told = columns(view).iter().find(|(name, _)| *name == head);
                assert!(told.is_some_and(|(_, text)| text.len() <= 44), "{view:?}: {head}: {told:?}");
            }
        }
    }
}
