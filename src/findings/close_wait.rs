//! The rule: a process does not close() what its peers have closed, and more of it gathers.
//!
//! Read first: RFC 9293 §3.6 (CLOSE-WAIT), net/ipv4/tcp_diag.c. Recv-Q counts the peer's FIN until the end of file is
//! read: 0 is a process that read it and forgot close(), 1 one that never read, and a socket without inode is not
//! accepted yet.

use std::net::IpAddr;
use std::time::Duration;

use crate::base::{Endpoint, Timestamp};

use super::finding::{Confidence, Fact, Finding, Holder, Kind, Severity, Subject};
use super::words::{count, rate, time};

/// How long a socket is given to be closed: a process reads the end of file and closes in far less, unless it first
/// ends what it does.
pub const PATIENCE: Duration = Duration::from_secs(5);
/// Fewer are what the idle places of a connection pool leave behind until their next use.
pub const FEW: u64 = 10;
/// A pool is seldom as large as this: so many are told though no more gather now.
const MANY: u64 = 100;
/// The growth of less time may be an ordinary burst.
pub const WATCHED: Duration = Duration::from_secs(5);
/// By the wire no growth is known, only ages: leftovers that are closed in turn are never as old as this.
const OLD: Duration = Duration::from_secs(30);

/// The sockets that stay in CLOSE-WAIT for longer than [`PATIENCE`], of one process, or of one address and service
/// where the process is not known.
#[derive(Debug, Clone, PartialEq)]
pub struct CloseWait {
    pub holder: IpAddr,
    /// The service that most of them belong to.
    pub service: Endpoint,
    pub who: Option<Holder>,
    /// By the kernel: Recv-Q 0, Recv-Q 1, more, no inode. By the wire: none of these is known.
    pub end_read: u64,
    pub end_unread: u64,
    pub bytes_unread: u64,
    pub never_accepted: u64,
    pub by_wire: u64,
    /// Others that are in CLOSE-WAIT for less time.
    pub young: u64,
    /// Others, however long they are in it, that send on: the peer closed its half only.
    pub sending: u64,
    /// When the oldest of them was first seen in CLOSE-WAIT.
    pub oldest: Timestamp,
    /// Since when there have been [`FEW`] or more.
    pub since: Timestamp,
    /// How many more there are a second, and over how long that was measured.
    pub growth: f64,
    pub measured: Duration,
    /// Whether they grew so at some time since then: what has gathered stays a leak while [`FEW`] are left.
    pub has_grown: bool,
}

impl CloseWait {
    fn sockets(&self) -> u64 {
        self.end_read + self.end_unread + self.bytes_unread + self.never_accepted + self.by_wire
    }

    /// All that are in CLOSE-WAIT, also those that are no leak.
    fn in_close_wait(&self) -> u64 {
        self.sockets() + self.young + self.sending
    }

    fn is_by_wire(&self) -> bool {
        self.by_wire == self.sockets()
    }

    fn grows(&self, now: Timestamp) -> bool {
        let told = if self.is_by_wire() { now.since(self.oldest) >= OLD } else { self.measured >= WATCHED };
        self.growth > 0.0 && told
    }
}

/// Who leaks.
pub(super) fn leaks(all: &[CloseWait], now: Timestamp) -> Vec<Finding> {
    all.iter().filter_map(|group| leak(group, now)).collect()
}

fn leak(group: &CloseWait, now: Timestamp) -> Option<Finding> {
    let (sockets, grows) = (group.sockets(), group.grows(now));
    let severity = match sockets {
        MANY.. if grows => Severity::Critical,
        MANY.. => Severity::Warning,
        FEW.. if grows || group.has_grown => Severity::Warning,
        _ => return None,
    };
    let subject = match &group.who {
        Some(holder) => Subject::process(&holder.process),
        None => Subject::Connections { holder: group.holder, service: group.service },
    };
    let growth = match grows {
        true => format!("+{} in {}", rate(group.growth), time(group.measured)),
        false => format!("the oldest for {}", time(now.since(group.oldest))),
    };
    let stay = match (group.young, group.sending) {
        (0, 0) => String::new(),
        (_, 0) => format!(", {} for over {}", count(sockets), time(PATIENCE)),
        _ => format!(", {} for over {} and not sending", count(sockets), time(PATIENCE)),
    };
    Some(Finding {
        kind: Kind::CloseWaitLeak,
        severity,
        subject,
        since: group.since,
        who: group.who.clone(),
        flow: None,
        told: format!("{} in CLOSE-WAIT{stay}, {growth}", count(group.in_close_wait())),
        evidence: evidence(group, grows, now),
        confidence: if group.is_by_wire() { Confidence::Medium } else { Confidence::High },
        why: why(group),
        remedy: remedy(group).into(),
    })
}

fn evidence(group: &CloseWait, grows: bool, now: Timestamp) -> Vec<Fact> {
    let mut facts = vec![
        Fact::count("close_wait", group.in_close_wait()),
        Fact::count("sockets", group.sockets()),
        Fact::text("service", group.service),
    ];
    if !group.is_by_wire() {
        facts.push(Fact::count("end_read", group.end_read));
        facts.push(Fact::count("end_unread", group.end_unread));
        facts.push(Fact::count("bytes_unread", group.bytes_unread));
        facts.push(Fact::count("never_accepted", group.never_accepted));
    }
    facts.push(Fact::time("oldest_for_ns", now.since(group.oldest)));
    if grows {
        facts.push(Fact::rate("growth_per_s", group.growth));
        facts.push(Fact::time("growing_over_ns", group.measured));
    }
    facts
}

/// What most of them are.
fn most(group: &CloseWait) -> Most {
    let most = group.end_read.max(group.end_unread).max(group.bytes_unread).max(group.never_accepted);
    match group {
        _ if group.is_by_wire() => Most::ByWire,
        _ if group.end_read == most => Most::EndRead,
        _ if group.end_unread == most => Most::EndUnread,
        _ if group.bytes_unread == most => Most::BytesUnread,
        _ => Most::NeverAccepted,
    }
}

enum Most {
    EndRead,
    EndUnread,
    BytesUnread,
    NeverAccepted,
    ByWire,
}

fn why(group: &CloseWait) -> String {
    let of = |number: u64| {
        if number == group.sockets() { "all".to_owned() } else { format!("{} of them", count(number)) }
    };
    match most(group) {
        Most::EndRead => format!(
            "The peers have closed; {} show Recv-Q 0: the process read the end of file and forgot close().",
            of(group.end_read)
        ),
        Most::EndUnread => format!(
            "The peers have closed; {} show Recv-Q 1, the FIN alone: the process has not read the end of file.",
            of(group.end_unread)
        ),
        Most::BytesUnread => format!(
            "The peers have closed; {} hold bytes and the end of file that the process has not read.",
            of(group.bytes_unread)
        ),
        Most::NeverAccepted => {
            format!("The peers have closed; {} were never accepted (no inode).", of(group.never_accepted))
        }
        Most::ByWire => {
            "The peers' FINs were acknowledged, and no FIN came back: this end has not closed (inferred from the wire)."
                .into()
        }
    }
}

fn remedy(group: &CloseWait) -> &'static str {
    match most(group) {
        Most::EndRead => {
            "Find the path on which read() gives 0 and close() is not called (error paths, pools, a descriptor that a \
             child inherited: SOCK_CLOEXEC); lsof -p PID lists them. No sysctl ends CLOSE-WAIT."
        }
        Most::EndUnread | Most::BytesUnread => {
            "Find why the process no longer reads these sockets (not in its poll set, a worker that hangs); a pool must \
             test its idle connections. No sysctl ends CLOSE-WAIT."
        }
        Most::NeverAccepted => {
            "Look at what keeps the listener's process from accept(): they wait in its accept queue."
        }
        Most::ByWire => "On that host, ss -tnp state close-wait names the process and shows whether it read the end.",
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{at, end, found, holder};
    use super::*;

    fn group(end_read: u64, growth: f64) -> CloseWait {
        CloseWait {
            holder: end("10.0.0.2:0").ip(),
            service: end("10.0.0.9:8000"),
            who: Some(holder(77, "worker", None)),
            end_read,
            end_unread: 0,
            bytes_unread: 0,
            never_accepted: 0,
            by_wire: 0,
            young: 0,
            sending: 0,
            oldest: at(0),
            since: at(10),
            growth,
            measured: Duration::from_secs(60),
            has_grown: false,
        }
    }

    fn told(case: &CloseWait) -> Vec<(Severity, String)> {
        let all = found(leaks(std::slice::from_ref(case), at(190)));
        all.into_iter().map(|(_, severity, told)| (severity, told)).collect()
    }

    #[test]
    fn what_gathers_is_a_leak_and_what_a_pool_leaves_is_none() {
        use Severity::{Critical, Warning};
        let by_wire = |sockets, growth, oldest| CloseWait { by_wire: sockets, oldest: at(oldest), ..group(0, growth) };
        let new = CloseWait { measured: Duration::from_secs(4), ..group(20, 2.0) };
        for (case, expected) in [
            (group(400, 2.0), Some((Critical, "400 in CLOSE-WAIT, +2.0/s in 60 s"))),
            (group(400, 0.0), Some((Warning, "400 in CLOSE-WAIT, the oldest for 3 min"))),
            (group(99, 2.0), Some((Warning, "99 in CLOSE-WAIT, +2.0/s in 60 s"))),
            (group(99, 0.0), None),
            (group(10, 0.4), Some((Warning, "10 in CLOSE-WAIT, +0.4/s in 60 s"))),
            (group(9, 0.4), None),
            (group(99, -1.0), None),
            (new, None),
            (by_wire(20, 0.5, 160), Some((Warning, "20 in CLOSE-WAIT, +0.5/s in 60 s"))),
            (by_wire(20, 0.5, 161), None),
            (
                CloseWait { young: 5, ..group(78, 1.4) },
                Some((Warning, "83 in CLOSE-WAIT, 78 for over 5 s, +1.4/s in 60 s")),
            ),
            (
                CloseWait { young: 1, sending: 300, ..group(10, 1.4) },
                Some((Warning, "311 in CLOSE-WAIT, 10 for over 5 s and not sending, +1.4/s in 60 s")),
            ),
            (CloseWait { young: 90, sending: 90, ..group(9, 1.4) }, None),
            (by_wire(20, 0.0, 0), None),
        ] {
            let expected: Vec<_> = expected.into_iter().map(|(how, text)| (how, text.to_owned())).collect();
            assert_eq!(told(&case), expected, "{case:?}");
        }
    }

    #[test]
    fn the_recv_q_tells_what_was_forgotten() {
        let why = |case: CloseWait| leaks(&[case], at(190)).remove(0).why;
        assert!(why(group(12, 1.0)).contains("all show Recv-Q 0"));
        let case = CloseWait { end_unread: 30, ..group(2, 1.0) };
        assert!(why(case).contains("30 of them show Recv-Q 1"));
        let case = CloseWait { bytes_unread: 30, ..group(2, 1.0) };
        assert!(why(case).contains("30 of them hold bytes"));
        let case = CloseWait { never_accepted: 30, ..group(0, 1.0) };
        assert!(why(case).contains("all were never accepted"));
        let finding = leaks(&[CloseWait { by_wire: 100, who: None, ..group(0, 1.0) }], at(190)).remove(0);
        assert!(finding.why.contains("inferred from the wire"));
        assert_eq!(
            (finding.subject.to_string().as_str(), finding.confidence),
            ("10.0.0.2 with 10.0.0.9:8000", Confidence::Medium)
        );
    }
}
