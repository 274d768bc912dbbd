//! What the rules' tests share, and findings for the tests of those who show them.

use std::sync::Arc;
use std::time::Duration;

use crate::base::{Endpoint, Scrubbed, Timestamp};
use crate::kernel::Process;

use super::{
    AcceptQueue, AcceptQueues, Backoff, CloseWait, Connects, Crowding, Evidence, Failures, Finding, Grown, Hindered,
    Hindrance, Holder, Kind, Losing, Open, Outlook, PathWord, Pile, Piles, Route, Run, Seen, Senders, Sent, Severity,
    Silences, Silent, Tries, Undelivered, Unread, Way, connects, diagnose,
};
use crate::flow::FlowId;

/// `secs` after some instant.
pub(crate) fn at(secs: i64) -> Timestamp {
    Timestamp::from_secs_nanos(1_763_733_600 + secs, 0)
}

pub(crate) fn end(text: &str) -> Endpoint {
    let address: std::net::SocketAddr = text.parse().expect("an address and a port");
    Endpoint::new(address.ip(), address.port())
}

pub(crate) fn holder(pid: u32, comm: &str, fd: Option<u32>) -> Holder {
    let text = Scrubbed::new;
    let process = Process { pid, start_time: Some(1), comm: text(comm), cmdline: text(comm), user: text("user") };
    Holder { process: Arc::new(process), fd, others: 0 }
}

/// What findings say, in short.
pub(crate) fn found(findings: Vec<Finding>) -> Vec<(Kind, Severity, String)> {
    findings.into_iter().map(|finding| (finding.kind, finding.severity, finding.told)).collect()
}

/// A host that is searched.
pub(crate) fn scan(now: Timestamp) -> Finding {
    let place = |n: u16| {
        let tries = Tries::of(end("10.0.0.9:0").ip(), now, now, FlowId(7), None);
        let mut to = Connects::to(Endpoint::new([10, 0, 0, 5], n));
        to.refused = Some(Failures { count: 1, first: now, last: now, flow: FlowId(7) });
        to.within = Some(Duration::from_secs(60));
        to.by.note(tries.and_failed(Way::Refused));
        to
    };
    connects(&(1..=20).map(place).collect::<Vec<_>>()).remove(0)
}

/// A listener with which handshakes pile up: by wire and kernel, and more than the table holds.
pub(crate) fn flood(now: Timestamp) -> Finding {
    let since = now - Duration::from_secs(21);
    let grown = |count| Some(Grown { count, since, run: Run { since, last: now } });
    let pile = Pile {
        to: end("10.0.0.2:443"),
        at_once: false,
        unanswered: Open { count: 12_400, waiting: 2_240 },
        half_open: Open { count: 402_117, waiting: 59_162 },
        syn_again: 41,
        syn_ack_again: 512,
        in_vain: 17,
        completed: 388,
        forgotten: 0,
        within: Duration::from_secs(21),
        from: Senders::Many,
        since,
        flow: FlowId(7),
        here: true,
        syn_recv: Some(512),
        limit: Some(511),
        who: Some(holder(99, "nginx", Some(6))),
    };
    let piles = Piles {
        all: vec![pile],
        cookies: grown(418_020),
        drops: None,
        crowding: Crowding { evicted: 1_204, flows: 1_000_000 },
        shows_more: true,
    };
    diagnose(&Evidence { now, piles, ..Evidence::default() }).remove(0)
}

/// A bad day at `now`: every rule has something to say.
pub(crate) fn incident(now: Timestamp) -> Vec<Finding> {
    let ago = |secs| now - Duration::from_secs(secs);
    let run = |since, last| Some(Run { since: ago(since), last: ago(last) });
    let failures = |count, first, last| Some(Failures { count, first: ago(first), last: ago(last), flow: FlowId(7) });
    let within = Some(Duration::from_secs(60));
    let unread = Unread {
        flow: FlowId(3),
        local: end("10.0.0.2:40112"),
        peer: end("10.0.0.9:443"),
        seen: Seen::Kernel { bytes: 98_012, limit: Some(131_072), exact: true, accepted: true, peer_closed: false },
        since: ago(41),
        closed: Some(ago(40)),
        who: Some(holder(4_121, "report.py", Some(7))),
    };
    let far = Unread {
        flow: FlowId(9),
        local: end("[2001:db8:85a3:1234:5678:8a2e:370:7334]:51200"),
        peer: end("[2001:db8::2]:8080"),
        seen: Seen::Wire,
        since: ago(12),
        closed: Some(ago(12)),
        who: None,
    };
    let silent = Silent {
        flow: FlowId(5),
        local: end("10.0.0.2:41018"),
        peer: end("10.0.0.6:5432"),
        sent: Sent::Data,
        since: ago(26),
        wire: Some(6),
        kernel: Some(Backoff {
            retries: 6,
            unheard: Some(Duration::from_secs(27)),
            next: Some(now + Duration::from_secs(1)),
            gives_up: Some(now + Duration::from_secs(1_019)),
            unsent: false,
        }),
        never_as_long: None,
        elsewhere: None,
        arrives: false,
        who: Some(holder(431, "billing", Some(9))),
    };
    let at_rest = Silent {
        flow: FlowId(14),
        local: end("10.0.0.2:41022"),
        peer: end("10.0.0.13:5672"),
        sent: Sent::Probes { every: Some(Duration::from_secs(15)) },
        since: ago(50),
        wire: Some(4),
        kernel: Some(Backoff {
            retries: 4,
            unheard: Some(Duration::from_secs(110)),
            next: Some(now + Duration::from_secs(10)),
            gives_up: Some(now + Duration::from_secs(85)),
            unsent: false,
        }),
        who: Some(holder(640, "amqp", Some(11))),
        ..silent.clone()
    };
    let narrow = Undelivered {
        flow: FlowId(12),
        local: end("10.0.0.2:43310"),
        peer: end("10.0.0.11:443"),
        by: Hindrance::Told(PathWord {
            by: [10, 0, 0, 1].into(),
            says: "fragmentation needed",
            too_big: true,
            mtu: Some(1_400),
            count: 6,
        }),
        since: ago(14),
        again: 6,
        oftener: false,
        len: Some(1_448),
        pmtu: Some(1_500),
        who: Some(holder(512, "upload", Some(4))),
    };
    let cut_off = Undelivered {
        flow: FlowId(13),
        local: end("10.0.0.2:43311"),
        peer: end("10.0.0.12:22"),
        by: Hindrance::Told(PathWord {
            by: [10, 0, 0, 1].into(),
            says: "host unreachable",
            too_big: false,
            mtu: None,
            count: 3,
        }),
        since: ago(9),
        again: 5,
        oftener: false,
        len: Some(36),
        pmtu: Some(1_500),
        who: Some(holder(513, "ssh", Some(3))),
    };
    let leak = CloseWait {
        holder: end("10.0.0.2:0").ip(),
        service: end("10.0.0.9:8000"),
        who: Some(holder(77, "worker", None)),
        end_read: 388,
        end_unread: 12,
        bytes_unread: 0,
        never_accepted: 0,
        by_wire: 0,
        young: 4,
        sending: 0,
        oldest: ago(200),
        since: ago(190),
        growth: 2.0,
        measured: Duration::from_secs(60),
        has_grown: true,
    };
    let queue = AcceptQueue {
        local: end("0.0.0.0:8080"),
        waiting: 129,
        limit: Some(128),
        over: run(9, 0),
        who: Some(holder(99, "app", Some(5))),
    };
    let route = Route {
        from: end("10.0.0.2:0").ip(),
        to: end("10.0.0.5:5432"),
        capacity: 28_232,
        live: 211,
        time_wait: 25_480,
        closes_per_s: 470.0,
        outlook: Outlook::RunsOut(now + Duration::from_secs(5)),
        since: ago(20),
        who: Some(holder(880, "pg-loop", None)),
        reuses: false,
    };
    diagnose(&Evidence {
        now,
        connects: vec![
            Connects { refused: failures(212, 50, 0), completed: 30, within, ..Connects::to(end("10.0.0.8:80")) },
            Connects {
                unanswered: failures(5, 58, 4),
                given_up: 2,
                waiting: 4,
                completed: 1,
                within,
                ..Connects::to(end("10.0.0.7:8443"))
            },
        ],
        unread: vec![unread, far],
        silent: Silences { all: vec![silent, at_rest], more: false },
        undelivered: Hindered { all: vec![narrow, cut_off], more: false },
        close_wait: vec![leak],
        piles: Piles::default(),
        accept: AcceptQueues {
            listeners: vec![queue],
            overflows: 31,
            counted_since: ago(9),
            overflowing: run(8, 1),
            somaxconn: Some(4_096),
        },
        routes: vec![route],
        losing: Some(Losing {
            kernel: 9,
            ours: 0,
            frames: 12_000,
            counted_since: ago(7),
            run: Run { since: ago(7), last: ago(6) },
        }),
    })
}
