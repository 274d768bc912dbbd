//! The rule: a process leaves bytes in its Recv-Q, so that its peer must wait.
//!
//! Read first: tcp(7) on SO_RCVBUF, ss(8) on Recv-Q, net/ipv4/tcp_diag.c; RFC 9293 §3.8.6.1 (zero window).

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::base::{Endpoint, Timestamp};
use crate::flow::FlowId;

use super::finding::{Confidence, Fact, Finding, Holder, Kind, Severity, Subject};
use super::words::{bytes, counted, time};

/// A process that is busy for longer than this keeps its peers waiting beyond any ordinary time-out of theirs.
const PATIENCE: Duration = Duration::from_secs(10);
/// A window of 0 is the peer waiting already; shorter stalls are flow control at its work.
const CLOSED_PATIENCE: Duration = Duration::from_secs(5);
/// Fewer bytes are a last word (an alert, an error page) on a connection that a pool keeps and nobody looks at.
const LAST_WORD: u32 = 4096;

/// Bytes that a process has not read.
#[derive(Debug, Clone, PartialEq)]
pub struct Unread {
    pub flow: FlowId,
    /// The end that does not read, and the one that sent.
    pub local: Endpoint,
    pub peer: Endpoint,
    pub seen: Seen,
    /// Since when nothing has been read; since when the window has been closed, where only the wire tells.
    pub since: Timestamp,
    /// Since when the peer has been told a window of 0.
    pub closed: Option<Timestamp>,
    pub who: Option<Holder>,
}

/// Who says that nothing is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    Kernel {
        /// In the Recv-Q.
        bytes: u32,
        /// The receive buffer's limit, where told.
        limit: Option<u32>,
        /// The kernel counts what was received, so what was read is known; else the queue only never shrank.
        exact: bool,
        /// A process has accepted the connection.
        accepted: bool,
        /// Its peer has closed (CLOSE-WAIT), so nobody waits for it to read.
        peer_closed: bool,
    },
    /// The peer's kernel, which probes the window (persist timer).
    Persist {
        /// In the peer's Send-Q.
        send_q: u32,
        /// Probes without an answer so far.
        probes: u8,
        /// The first of the readings in a row that show it.
        since: Timestamp,
    },
    /// A window of 0 that the end advertised.
    Wire,
}

impl Unread {
    fn bytes(&self) -> u32 {
        match self.seen {
            Seen::Kernel { bytes, .. } => bytes,
            Seen::Persist { .. } | Seen::Wire => 0,
        }
    }

    fn is_last_word(&self) -> bool {
        matches!(self.seen, Seen::Kernel { bytes, .. } if bytes < LAST_WORD)
    }

    fn is_late(&self, now: Timestamp) -> bool {
        let patience = if matches!(self.seen, Seen::Kernel { .. }) { PATIENCE } else { CLOSED_PATIENCE };
        now.since(self.since) >= patience
    }

    /// The rule of CLOSE-WAIT tells of it: a last word and the end of file, or one of many that `leaking` leaves open.
    fn is_left_open(&self, leaking: &BTreeSet<Subject>) -> bool {
        let peer_closed = matches!(self.seen, Seen::Kernel { peer_closed: true, .. });
        peer_closed && (self.bytes() < LAST_WORD || leaking.contains(&self.subject()))
    }

    /// By the process, where the kernel named it; else each connection for itself.
    fn subject(&self) -> Subject {
        match (&self.who, self.seen) {
            (Some(holder), Seen::Kernel { .. }) => Subject::process(&holder.process),
            _ => Subject::Flow { id: self.flow, local: self.local, peer: self.peer },
        }
    }
}

/// Who does not read; `leaking` leaves connections open that its peers have closed.
pub(super) fn not_reading(all: &[Unread], leaking: &BTreeSet<Subject>, now: Timestamp) -> Vec<Finding> {
    let mut by_subject: BTreeMap<Subject, Vec<&Unread>> = BTreeMap::new();
    for unread in all.iter().filter(|unread| unread.is_late(now) && !unread.is_left_open(leaking)) {
        by_subject.entry(unread.subject()).or_default().push(unread);
    }
    by_subject.into_iter().filter_map(|(subject, rows)| finding(subject, &rows, now)).collect()
}

fn finding(subject: Subject, rows: &[&Unread], now: Timestamp) -> Option<Finding> {
    let since = rows.iter().map(|row| row.since).min()?;
    let fullest = rows.iter().max_by_key(|row| (row.bytes(), std::cmp::Reverse(row.flow)))?;
    let closed = rows.iter().filter_map(|row| row.closed).min();
    let last_words = closed.is_none() && rows.iter().all(|row| row.is_last_word());
    let who = match rows {
        [only] => only.who.clone(),
        // Not one descriptor is meant, but several.
        _ => fullest.who.clone().map(|holder| Holder { fd: None, ..holder }),
    };
    let exact = matches!(fullest.seen, Seen::Kernel { exact: true, .. });
    Some(Finding {
        kind: Kind::NotReading,
        severity: if last_words { Severity::Info } else { Severity::Warning },
        subject,
        since,
        who,
        flow: Some(fullest.flow),
        told: told(rows, fullest, closed, now),
        evidence: evidence(rows, fullest, closed, now),
        confidence: if exact { Confidence::High } else { Confidence::Medium },
        why: why(fullest),
        remedy: remedy(fullest).into(),
    })
}

fn told(rows: &[&Unread], fullest: &Unread, closed: Option<Timestamp>, now: Timestamp) -> String {
    let waits = |since| format!("for {}", time(now.since(since)));
    let several = if rows.len() > 1 { format!("{}, ", counted(rows.len() as u64, "socket")) } else { String::new() };
    let peer = if closed.is_some() { "; its peer waits on a closed window" } else { "" };
    match fullest.seen {
        Seen::Kernel { bytes: queued, .. } => {
            format!("{several}Recv-Q {} {}{peer}", bytes(queued.into()), waits(fullest.since))
        }
        Seen::Persist { send_q, .. } => {
            format!("window closed {}; its peer's Send-Q {}", waits(fullest.since), bytes(send_q.into()))
        }
        Seen::Wire => format!("window closed {}", waits(fullest.since)),
    }
}

fn evidence(rows: &[&Unread], fullest: &Unread, closed: Option<Timestamp>, now: Timestamp) -> Vec<Fact> {
    let mut facts = vec![Fact::count("sockets", rows.len() as u64)];
    match fullest.seen {
        Seen::Kernel { bytes, limit, .. } => {
            facts.push(Fact::time("unread_for_ns", now.since(fullest.since)));
            facts.push(Fact::count("recv_q", bytes.into()));
            facts.extend(limit.map(|limit| Fact::count("recv_buffer_bytes", limit.into())));
        }
        Seen::Persist { send_q, probes, since } => {
            facts.push(Fact::time("persist_for_ns", now.since(since)));
            facts.push(Fact::count("peer_send_q_bytes", send_q.into()));
            facts.push(Fact::count("probes", probes.into()));
        }
        Seen::Wire => {}
    }
    facts.extend(closed.map(|since| Fact::time("window_closed_for_ns", now.since(since))));
    facts
}

fn why(fullest: &Unread) -> String {
    match fullest.seen {
        Seen::Kernel { accepted: false, .. } => {
            "The bytes came in on a connection that no process has accepted yet.".into()
        }
        Seen::Kernel { exact: true, .. } => {
            "Bytes arrived and the kernel acknowledged them, but the process has read none since.".into()
        }
        Seen::Kernel { .. } => "The Recv-Q has not been empty since, and never got shorter.".into(),
        Seen::Persist { .. } => {
            "Its peer's kernel has bytes to send, none in flight, and probes the window (persist timer), so the receive \
             buffer is full: its process does not read (inferred from the peer's socket)."
                .into()
        }
        Seen::Wire => {
            "It advertises a window of 0, so its receive buffer is full: its process does not read (inferred from the \
             wire)."
                .into()
        }
    }
}

const fn remedy(fullest: &Unread) -> &'static str {
    match fullest.seen {
        Seen::Kernel { accepted: false, .. } => "Look at what keeps the listener's process from accept().",
        Seen::Persist { .. } | Seen::Wire => {
            "On that host, ss -tnmp names the process and shows its Recv-Q; look at what keeps it."
        }
        Seen::Kernel { .. } => {
            "Look at what keeps the process (gdb -p, cat /proc/PID/stack, strace -p): a lock, a slow disk, a loop that \
             forgot the socket. A larger SO_RCVBUF only puts it off."
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{at, end, found, holder};
    use super::*;

    fn unread(bytes: u32, since: i64) -> Unread {
        Unread {
            flow: FlowId(3),
            local: end("10.0.0.2:40112"),
            peer: end("10.0.0.9:443"),
            seen: Seen::Kernel { bytes, limit: Some(131_072), exact: true, accepted: true, peer_closed: false },
            since: at(since),
            closed: None,
            who: Some(holder(4121, "report.py", Some(7))),
        }
    }

    fn wire(since: i64) -> Unread {
        Unread { seen: Seen::Wire, closed: Some(at(since)), who: None, ..unread(0, since) }
    }

    fn probed(since: i64) -> Unread {
        let seen = Seen::Persist { send_q: 621_192, probes: 0, since: at(since) };
        Unread { seen, who: None, ..unread(0, since) }
    }

    fn told(all: &[Unread]) -> Vec<(Severity, String)> {
        found(not_reading(all, &BTreeSet::new(), at(41)))
            .into_iter()
            .map(|(_, severity, told)| (severity, told))
            .collect()
    }

    #[test]
    fn bytes_that_wait_for_long_are_found() {
        use Severity::{Info, Warning};
        let closed = Unread { closed: Some(at(3)), ..unread(100, 0) };
        for (case, expected) in [
            (unread(98_012, 0), Some((Warning, "Recv-Q 98.0 kB for 41 s"))),
            (unread(98_012, 31), Some((Warning, "Recv-Q 98.0 kB for 10 s"))),
            (unread(98_012, 32), None),
            (unread(4_096, 0), Some((Warning, "Recv-Q 4.1 kB for 41 s"))),
            (unread(4_095, 0), Some((Info, "Recv-Q 4.1 kB for 41 s"))),
            (closed, Some((Warning, "Recv-Q 100 B for 41 s; its peer waits on a closed window"))),
            (wire(36), Some((Warning, "window closed for 5 s"))),
            (wire(37), None),
            (probed(36), Some((Warning, "window closed for 5 s; its peer's Send-Q 621.2 kB"))),
            (probed(37), None),
        ] {
            let expected: Vec<_> = expected.into_iter().map(|(how, text)| (how, text.to_owned())).collect();
            assert_eq!(told(std::slice::from_ref(&case)), expected, "{case:?}");
        }
    }

    #[test]
    fn what_the_peer_has_closed_is_left_to_the_rule_of_close_wait() {
        let closed = |bytes, fd| {
            let seen = Seen::Kernel { bytes, limit: None, exact: true, accepted: true, peer_closed: true };
            Unread { seen, who: Some(holder(77, "worker", Some(fd))), ..unread(bytes, 0) }
        };
        let told = |all: &[Unread], leaking: &[u32]| {
            let leaking = leaking.iter().map(|pid| Subject::process(&holder(*pid, "worker", None).process)).collect();
            found(not_reading(all, &leaking, at(41))).into_iter().map(|(.., told)| told).collect::<Vec<_>>()
        };
        assert_eq!(told(&[closed(4_095, 5)], &[]), [""; 0], "a last word");
        assert_eq!(told(&[closed(4_096, 5)], &[]), ["Recv-Q 4.1 kB for 41 s"]);
        assert_eq!(told(&[closed(4_096, 5)], &[78]), ["Recv-Q 4.1 kB for 41 s"], "another leaks");
        assert_eq!(told(&[closed(4_096, 5), closed(90_000, 6)], &[77]), [""; 0]);
        let open = Unread { who: Some(holder(77, "worker", Some(9))), ..unread(5_000, 0) };
        assert_eq!(told(&[closed(90_000, 6), open], &[77]), ["Recv-Q 5.0 kB for 41 s"]);
    }

    #[test]
    fn a_process_is_told_once() {
        let other = Unread { flow: FlowId(9), who: Some(holder(99, "app", Some(4))), ..unread(5_000, 20) };
        let unknown = Unread { who: None, ..unread(7_000, 25) };
        let all = not_reading(&[unread(98_012, 0), unread(50_000, 5), other, unknown], &BTreeSet::new(), at(41));
        let shown: Vec<_> = all.iter().map(|finding| (finding.subject.to_string(), finding.told.as_str())).collect();
        assert_eq!(
            shown,
            [
                ("app[99]".to_owned(), "Recv-Q 5.0 kB for 21 s"),
                ("report.py[4121]".to_owned(), "2 sockets, Recv-Q 98.0 kB for 41 s"),
                ("#3 10.0.0.2:40112 ← 10.0.0.9:443".to_owned(), "Recv-Q 7.0 kB for 16 s"),
            ]
        );
        assert_eq!(all[1].who.as_ref().unwrap().to_string(), "report.py[4121]", "no one descriptor is meant");
    }

    #[test]
    fn how_sure_it_is_follows_from_who_says_so() {
        let kernel = |exact, accepted| {
            let seen = Seen::Kernel { bytes: 9_000, limit: None, exact, accepted, peer_closed: false };
            not_reading(&[Unread { seen, ..unread(0, 0) }], &BTreeSet::new(), at(41)).remove(0)
        };
        assert_eq!(kernel(true, true).confidence, Confidence::High);
        assert_eq!(kernel(false, true).confidence, Confidence::Medium);
        assert!(kernel(true, false).why.contains("no process has accepted"));
        let wire = not_reading(&[wire(0)], &BTreeSet::new(), at(41)).remove(0);
        assert!(wire.confidence == Confidence::Medium && wire.why.contains("inferred from the wire"), "{wire:?}");
    }
}
