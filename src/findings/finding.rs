//! What a rule says: kind, severity, subject, since when, evidence, confidence, why, and what to do.

use std::cmp::Reverse;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::base::{Endpoint, Scrubbed, Timestamp, nanos};
use crate::flow::FlowId;
use crate::kernel::Process;

/// A diagnosis. The same kind and subject are the same finding: it lasts while its evidence does.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    pub kind: Kind,
    pub severity: Severity,
    pub subject: Subject,
    /// Since when it has held, as far as was watched.
    pub since: Timestamp,
    /// The process that can do something about it, where it is known.
    pub who: Option<Holder>,
    /// A flow that shows it, where one does: the first of them, or the fullest.
    pub flow: Option<FlowId>,
    /// The numbers in a few words: one line.
    pub told: String,
    /// The same for programs.
    pub evidence: Vec<Fact>,
    pub confidence: Confidence,
    /// What the evidence means: a sentence.
    pub why: String,
    /// What helps, by the names of socket options, sysctls and tools: a sentence or two.
    pub remedy: String,
}

impl Finding {
    /// What it is about: the process with its descriptor, where one is meant.
    pub fn about(&self) -> String {
        match (&self.subject, &self.who) {
            (Subject::Process { .. }, Some(who)) => who.to_string(),
            (subject, _) => subject.to_string(),
        }
    }

    /// Who holds it, where that says more than what it is about.
    pub fn held_by(&self) -> Option<&Holder> {
        self.who.as_ref().filter(|_| !matches!(self.subject, Subject::Process { .. }))
    }

    /// Whose places in a list go by this, smallest first.
    pub(super) fn order(&self) -> impl Ord + '_ {
        (Reverse(self.severity), self.since, &self.subject, self.kind)
    }
}

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// SYNs to a destination are answered by RST.
    ConnectsRefused,
    /// SYNs to a destination are answered by an ICMP error.
    ConnectsRejected,
    /// SYNs to a destination are not answered.
    ConnectsUnanswered,
    /// An address tries many ports or hosts, and as many fail as answer, or more.
    Scan,
    /// A process leaves bytes in its Recv-Q.
    NotReading,
    /// What is sent again and again to a peer goes unanswered, and nothing else comes from there.
    PeerSilent,
    /// What is sent does not get through, says somebody on the way (ICMP).
    PathUnreachable,
    /// What is longer than the path takes is sent again and again.
    PathMtu,
    /// A process does not close what its peers have closed.
    CloseWaitLeak,
    /// Handshakes with a listener pile up that nobody completes.
    SynFlood,
    /// A listener's accept queue is over its limit.
    AcceptOverflow,
    /// No ephemeral port is left for a destination, or soon will be.
    PortsRunOut,
    /// Frames pass that the capture does not get.
    CaptureLoss,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 13] = [
        Self::ConnectsRefused,
        Self::ConnectsRejected,
        Self::ConnectsUnanswered,
        Self::Scan,
        Self::NotReading,
        Self::PeerSilent,
        Self::PathUnreachable,
        Self::PathMtu,
        Self::CloseWaitLeak,
        Self::SynFlood,
        Self::AcceptOverflow,
        Self::PortsRunOut,
        Self::CaptureLoss,
    ];

    /// In a word or two, for readers.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ConnectsRefused => "refused",
            Self::ConnectsRejected => "rejected",
            Self::ConnectsUnanswered => "unanswered",
            Self::Scan => "scan",
            Self::NotReading => "not reading",
            Self::PeerSilent => "peer silent",
            Self::PathUnreachable => "unreachable",
            Self::PathMtu => "path MTU",
            Self::CloseWaitLeak => "leak",
            Self::SynFlood => "SYN flood",
            Self::AcceptOverflow => "accept queue",
            Self::PortsRunOut => "ports run out",
            Self::CaptureLoss => "capture loss",
        }
    }

    /// For programs.
    pub const fn key(self) -> &'static str {
        match self {
            Self::ConnectsRefused => "connects_refused",
            Self::ConnectsRejected => "connects_rejected",
            Self::ConnectsUnanswered => "connects_unanswered",
            Self::Scan => "scan",
            Self::NotReading => "not_reading",
            Self::PeerSilent => "peer_silent",
            Self::PathUnreachable => "path_unreachable",
            Self::PathMtu => "path_mtu",
            Self::CloseWaitLeak => "close_wait_leak",
            Self::SynFlood => "syn_flood",
            Self::AcceptOverflow => "accept_overflow",
            Self::PortsRunOut => "ports_run_out",
            Self::CaptureLoss => "capture_loss",
        }
    }

    /// Whether it is about handshakes that fail.
    pub const fn is_connects(self) -> bool {
        matches!(self, Self::ConnectsRefused | Self::ConnectsRejected | Self::ConnectsUnanswered | Self::Scan)
    }
}

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth knowing; nothing suffers yet.
    Info,
    /// Something suffers, or will.
    Warning,
    /// Connections fail, or are about to.
    Critical,
}

impl Severity {
    /// `info`, `warning`, `critical`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }

    /// The mark that stands before it, used for nothing else.
    pub const fn mark(self) -> &'static str {
        match self {
            Self::Info => "i",
            Self::Warning => "!",
            Self::Critical => "‼",
        }
    }
}

/// How far the evidence carries the claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Confidence {
    /// It may be otherwise: evidence is missing.
    Low,
    /// Inferred: by the wire alone, or from a trend.
    Medium,
    /// Counted by the kernel, or said by the very segments.
    High,
}

impl Confidence {
    /// `low`, `medium`, `high`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

/// What a finding is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// Our own capture.
    Capture,
    /// The host as a whole: which part of it is not known.
    Host,
    /// Whereto connections are opened.
    Destination(Endpoint),
    /// Wherefrom connections to many places are opened.
    Scanner(IpAddr),
    Listener(Endpoint),
    Process {
        pid: u32,
        start_time: Option<u64>,
        comm: Scrubbed,
    },
    /// The connections of one address with one service, whose process is not known.
    Connections {
        holder: IpAddr,
        service: Endpoint,
    },
    /// From an address of this host to a destination.
    Route {
        from: IpAddr,
        to: Endpoint,
    },
    /// All connections from one address to another.
    Path {
        from: IpAddr,
        to: IpAddr,
    },
    /// One connection, at its end `local`.
    Flow {
        id: FlowId,
        local: Endpoint,
        peer: Endpoint,
    },
}

impl Subject {
    /// The process as a subject.
    pub fn process(process: &Process) -> Self {
        Self::Process { pid: process.pid, start_time: process.start_time, comm: process.comm.clone() }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Capture => f.write_str("this capture"),
            Self::Host => f.write_str("this host"),
            Self::Destination(end) | Self::Listener(end) => write!(f, "{end}"),
            Self::Scanner(from) => write!(f, "{from}"),
            Self::Process { pid, comm, .. } => write!(f, "{comm}[{pid}]"),
            // An end of its own service; or towards another's.
            Self::Connections { holder, service } if *holder == service.ip() => write!(f, "{service}"),
            Self::Connections { holder, service } => write!(f, "{holder} with {service}"),
            Self::Route { from, to } => write!(f, "{from} → {to}"),
            Self::Path { from, to } => write!(f, "{from} → {to}"),
            Self::Flow { id, local, peer } => write!(f, "#{id} {local} ← {peer}"),
        }
    }
}

/// A process that holds what a finding is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    pub process: Arc<Process>,
    /// Its descriptor, where one is meant.
    pub fd: Option<u32>,
    /// How many more hold it too.
    pub others: usize,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}[{}]", self.process.comm, self.process.pid)?;
        if let Some(fd) = self.fd {
            write!(f, " fd {fd}")?;
        }
        if self.others > 0 {
            write!(f, " and {} more", self.others)?;
        }
        Ok(())
    }
}

/// One number (or name) of the evidence. A name says its unit as those of a report's flows do: `_ns`, `_ts_ns`,
/// `_bytes`, `_per_s`; without, it is a count.
#[derive(Debug, Clone, PartialEq)]
pub struct Fact {
    pub name: &'static str,
    pub value: Value,
}

/// The value of a [`Fact`].
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    Count(u64),
    Rate(f64),
    /// By the capture's clock.
    At(Timestamp),
    Text(String),
}

impl Fact {
    pub(super) const fn count(name: &'static str, value: u64) -> Self {
        Self { name, value: Value::Count(value) }
    }

    pub(super) fn time(name: &'static str, value: Duration) -> Self {
        Self::count(name, nanos(value))
    }

    pub(super) const fn rate(name: &'static str, value: f64) -> Self {
        Self { name, value: Value::Rate(value) }
    }

    pub(super) const fn instant(name: &'static str, value: Timestamp) -> Self {
        Self { name, value: Value::At(value) }
    }

    pub(super) fn text(name: &'static str, value: impl fmt::Display) -> Self {
        Self { name, value: Value::Text(value.to_string()) }
    }
}

/// A time through which something went on without a pause of [`Run::PAUSE`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    pub since: Timestamp,
    pub last: Timestamp,
}

impl Run {
    /// What has not happened again for so long is over: the span of the handshakes' pane.
    pub const PAUSE: Duration = Duration::from_secs(60);

    /// The run after it happened (again) at `at`.
    #[must_use]
    pub fn on(run: Option<Self>, at: Timestamp) -> Self {
        let before = run.filter(|run| at.since(run.last) < Self::PAUSE);
        before.map_or(Self { since: at, last: at }, |run| Self { last: run.last.max(at), ..run })
    }

    /// Whether it still goes on.
    pub fn lasts(&self, now: Timestamp) -> bool {
        now.since(self.last) < Self::PAUSE
    }
}
