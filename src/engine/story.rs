//! One sentence on what a connection is doing now and why, as far as the evidence supports it.

mod handshake;
mod probed;
mod resent;

use std::time::Duration;

use crate::base::units::{bytes, span};
use crate::base::{TcpState, Timestamp};
use crate::flow::{AnalysisCounts, HalfView, HandshakeView, InVain, LifeEvent, LifeEventKind, Side, VerdictView};
use crate::kernel::Limits;

use super::dashboard::{EndCell, FlowRow, Rejection, SocketDetail};
use super::ownership::Ownership;
use super::path_errors::PathError;

/// What the sentence may rest on.
pub(super) struct Evidence<'a> {
    pub(super) row: &'a FlowRow,
    pub(super) handshake: Option<&'a HandshakeView>,
    pub(super) rejected: Option<&'a Rejection>,
    pub(super) path_errors: [Option<PathError>; 2],
    pub(super) halves: Option<&'a [HalfView; 2]>,
    pub(super) sockets: &'a [Option<Box<SocketDetail>>; 2],
    pub(super) now: Timestamp,
    /// Since when the wire shows the states that it shows.
    pub(super) since: Option<Timestamp>,
    /// When TIME-WAIT ends at each end, by the wire.
    pub(super) time_wait_ends: [Option<Timestamp>; 2],
    pub(super) limits: Option<&'a Limits>,
    pub(super) analysis: Option<&'a [AnalysisCounts; 2]>,
    pub(super) verdict: Option<&'a VerdictView>,
    /// What each end sends again and again while nothing comes from its peer.
    pub(super) in_vain: [Option<InVain>; 2],
    /// The keep-alives that each sends, or sent before it gave up, while nothing comes from its peer.
    pub(super) probes: [Option<InVain>; 2],
    /// Bytes of each half, where none of it was ever acknowledged.
    pub(super) never_acked: [Option<u64>; 2],
    pub(super) life: &'a [LifeEvent],
    /// Whose RST ended it.
    pub(super) reset_by: Option<Side>,
}

impl Evidence<'_> {
    /// Since when the kernel holds the socket of an end no more.
    fn gone(&self, side: Side) -> Option<Timestamp> {
        self.sockets[side.index()].as_ref()?.gone
    }

    /// The socket of an end, as the kernel shows it that still holds it.
    fn held(&self, side: Side) -> Option<&SocketDetail> {
        self.sockets[side.index()].as_deref().filter(|detail| detail.is_there())
    }

    /// How long ago something was.
    fn ago(&self, then: Timestamp) -> String {
        span(self.now.since(then))
    }
}

/// The sentence. Rules in order: the first that the evidence supports tells it; what had to be sent again follows.
pub(super) fn tell(evidence: &Evidence<'_>) -> String {
    const RULES: [fn(&Evidence<'_>) -> Option<String>; 8] =
        [mismatch, handshake::tell, not_reading, resent::tell, probed::tell, closing, established, over];
    let told = RULES.iter().find_map(|rule| rule(evidence));
    let detours = evidence.handshake.map(handshake::detours).unwrap_or_default();
    told.unwrap_or_else(|| "Nothing tells what it is doing.".to_owned())
        + &detours
        + &resent::note(evidence)
        + &said_by_icmp(evidence)
}

/// What was said by ICMP of the segments of an open connection; with a space before it.
fn said_by_icmp(evidence: &Evidence<'_>) -> String {
    let errors = Side::BOTH.into_iter().zip(evidence.path_errors);
    let told = errors.filter_map(|(side, error)| Some((evidence.row.end(side).endpoint, error?)));
    told.map(|(end, error)| format!(" By ICMP, of what {end} sends, {error}.")).collect()
}

fn mismatch(evidence: &Evidence<'_>) -> Option<String> {
    Side::BOTH.into_iter().find_map(|side| {
        let end = evidence.row.end(side);
        let since = end.mismatch_since?;
        Some(format!(
            "Disagreement for {}: by the wire {} is in {}, the kernel reports {}.",
            evidence.ago(since),
            end.endpoint,
            end.inferred?,
            end.reported?,
        ))
    })
}

fn not_reading(evidence: &Evidence<'_>) -> Option<String> {
    Side::BOTH.into_iter().find_map(|side| {
        let reader = evidence.row.end(side);
        let half = evidence.halves.map(|halves| &halves[side.index()]);
        let closed = half.and_then(|half| half.zero_window_since).filter(|_| !evidence.row.closed);
        let Some(closed) = closed else { return window_probed(evidence, side) };
        let so = unread(reader)
            .map_or_else(|| ", so its process is not reading".to_owned(), |unread| format!("; it has {unread} unread"));
        Some(format!(
            "{} waits: the window of {} has been 0 for {}{so}.",
            evidence.row.end(side.peer()).endpoint,
            name(reader),
            evidence.ago(closed),
        ))
    })
}

/// What the process of an end has not read, if anything.
fn unread(end: &EndCell) -> Option<String> {
    end.recv_q.filter(|unread| *unread > 0).map(|unread| bytes(unread.into()))
}

/// The window of the end on `side` is closed by the word of its peer's kernel alone.
fn window_probed(evidence: &Evidence<'_>, side: Side) -> Option<String> {
    let detail = evidence.held(side.peer()).filter(|detail| detail.socket.probes_window())?;
    let (reader, timer) = (evidence.row.end(side), detail.socket.timer?);
    let left = detail.timer_left(evidence.now)?;
    let probes = match timer.retries {
        0 => String::new(),
        1 => ", 1 without an answer".to_owned(),
        count => format!(", {count} without an answer"),
    };
    let unread = unread(reader).map(|unread| format!(" {} has {unread} unread.", name(reader))).unwrap_or_default();
    Some(format!(
        "{} waits with {} in its Send-Q: the window of {} is closed, and the kernel probes it (persist timer, next \
         probe in {}{probes}).{unread}",
        name(evidence.row.end(side.peer())),
        bytes(detail.socket.send_q?.into()),
        reader.endpoint,
        span(left),
    ))
}

fn closing(evidence: &Evidence<'_>) -> Option<String> {
    let row = evidence.row;
    let states = Side::BOTH.map(|side| state_of(evidence, side));
    let side_in = |state| Side::BOTH.into_iter().find(|side| states[side.index()] == Some(state));
    if let Some(side) = side_in(TcpState::TimeWait) {
        return Some(time_wait(evidence, side));
    }
    if let Some(side) = side_in(TcpState::CloseWait) {
        return Some(close_wait(evidence, side));
    }
    let waits = |state, what: &str| side_in(state).map(|side| format!("{} {what}.", name(row.end(side))));
    waits(TcpState::LastAck, "has closed last and waits for its FIN to be acknowledged (LAST-ACK)")
        .or_else(|| {
            waits(TcpState::Closing, "closed at the same time as its peer and waits for its FIN's ACK (CLOSING)")
        })
        .or_else(|| {
            waits(TcpState::FinWait2, "has closed, was acknowledged, and waits for its peer to close (FIN-WAIT-2)")
        })
        .or_else(|| waits(TcpState::FinWait1, "has closed and waits for its FIN to be acknowledged (FIN-WAIT-1)"))
}

fn close_wait(evidence: &Evidence<'_>, side: Side) -> String {
    let (end, closed) = (evidence.row.end(side), evidence.row.end(side.peer()).endpoint);
    let acked = |event: &LifeEvent| (event.side, event.kind) == (side.peer(), LifeEventKind::FinAcked);
    if end.reported.is_none() && !evidence.life.iter().any(acked) {
        return format!("{closed} has closed; that {} has its FIN was not captured.", end.endpoint);
    }
    let why = match end.recv_q {
        Some(0) => " It has read the end of the stream and not called close().".to_owned(),
        Some(1) => " It has not read the end of the stream (the 1 in its Recv-Q is the FIN).".to_owned(),
        Some(unread) => format!(" It has {} and the end of the stream unread.", bytes((unread - 1).into())),
        None => String::new(),
    };
    let for_long = evidence.since.map(|since| format!(" for {}", evidence.ago(since))).unwrap_or_default();
    format!(
        "{closed} has closed; {} has not closed its side{for_long} (CLOSE-WAIT).{why}{}",
        name(end),
        let_go(evidence, side.peer())
    )
}

/// Why the kernel shows nothing of an end that the wire shows in FIN-WAIT-2: of a socket that no process holds it keeps
/// that state for tcp_fin_timeout alone (net/ipv4/tcp.c, `__tcp_close`).
fn let_go(evidence: &Evidence<'_>, side: Side) -> String {
    let end = evidence.row.end(side);
    let kept = evidence.limits.and_then(|limits| limits.tcp_fin_timeout).map(|secs| Duration::from_secs(secs.into()));
    let waited = evidence.since.map(|since| evidence.now.since(since));
    let is_over = kept.zip(waited).is_some_and(|(kept, waited)| waited >= kept);
    let held = evidence.held(side).is_some();
    let here = end.local == Some(true) && end.inferred == Some(TcpState::FinWait2);
    match kept.filter(|_| here && is_over && !held) {
        Some(kept) => format!(
            " The kernel of {} holds it no more: without a process FIN-WAIT-2 ends after tcp_fin_timeout ({}), and what \
             comes then draws a RST.",
            end.endpoint,
            span(kept)
        ),
        None => String::new(),
    }
}

fn time_wait(evidence: &Evidence<'_>, side: Side) -> String {
    let end = evidence.row.end(side);
    let by_kernel = evidence.held(side).and_then(|held| held.timer_left(evidence.now));
    let by_wire = || evidence.time_wait_ends[side.index()].map(|ends| ends.since(evidence.now));
    let (left, assumed) = match by_kernel {
        Some(left) => (Some(left), ""),
        None => (by_wire(), if end.local == Some(true) { "" } else { ", if it keeps the usual 60 s" }),
    };
    let left = left.map(|left| format!(" for {} more{assumed}", span(left))).unwrap_or_default();
    // After a simultaneous close both wait (RFC 9293 §3.6, figure 13).
    let crossed = state_of(evidence, side.peer()) == Some(TcpState::TimeWait);
    let first = if crossed {
        "both ends closed at once and keep".into()
    } else {
        format!("{} closed first and keeps", end.endpoint)
    };
    format!("Closed in order; {first} the pair of ports in TIME-WAIT{left}.")
}

fn established(evidence: &Evidence<'_>) -> Option<String> {
    let row = evidence.row;
    let open = Side::BOTH.into_iter().any(|side| state_of(evidence, side) == Some(TcpState::Estab));
    if !open || row.closed {
        return None;
    }
    let waits = Side::BOTH.into_iter().find_map(|side| Some((row.end(side), unread(row.end(side))?)));
    if let Some((end, unread)) = waits {
        return Some(format!("Open; {} has {unread} unread.", name(end)));
    }
    let idle = evidence.now.since(row.last);
    let unacked = Side::BOTH.into_iter().find(|side| row.end(*side).send_q.is_some_and(|bytes| bytes > 0));
    if let Some(side) = unacked {
        let end = row.end(side);
        return Some(format!(
            "Open; {} has {} sent or queued that its peer has not acknowledged.",
            name(end),
            bytes(end.send_q?.into())
        ));
    }
    let quiet = row.segments.is_some() && idle >= Duration::from_secs(1);
    let silence = if quiet { format!(", no segment for {}", span(idle)) } else { String::new() };
    let is_empty = |end: &&EndCell| (end.recv_q, end.send_q) == (Some(0), Some(0));
    let empty: Vec<String> = Side::BOTH.into_iter().map(|side| row.end(side)).filter(is_empty).map(name).collect();
    let nothing = match empty.is_empty() {
        true => String::new(),
        false => format!("; nothing waits in the queues of {}", empty.join(" or ")),
    };
    Some(format!("Open{silence}{nothing}."))
}

fn over(evidence: &Evidence<'_>) -> Option<String> {
    if !evidence.row.closed {
        return None;
    }
    if let Some(side) = evidence.reset_by {
        let vain = probed::gave_up(evidence, side).unwrap_or_default();
        return Some(format!("Over: ended by a RST from {}{vain}.", evidence.row.end(side).endpoint));
    }
    if evidence.halves.is_some_and(|halves| halves.iter().all(|half| half.fins > 0)) {
        return Some("Over: closed in order by both ends.".to_owned());
    }
    let gone = Side::BOTH.into_iter().filter_map(|side| evidence.gone(side)).max();
    let held = gone.map(|gone| format!("the kernel has held it no more for {}; ", evidence.ago(gone)));
    Some(format!("Over: {}how it ended was not captured.", held.unwrap_or_default()))
}

/// The state to tell of: the newest word on it; none of a socket that is gone.
fn state_of(evidence: &Evidence<'_>, side: Side) -> Option<TcpState> {
    let end = evidence.row.end(side);
    if evidence.gone(side).is_some() { None } else { end.state() }
}

fn name(end: &EndCell) -> String {
    match &end.owner {
        Ownership::Held { process, fd, .. } => format!("{}[{}] fd {fd}", process.comm, process.pid),
        Ownership::Closed { process, .. } => format!("{} (closed by {}[{}])", end.endpoint, process.comm, process.pid),
        Ownership::Elsewhere { process, .. } | Ownership::Connected { process, .. } => {
            format!("{} (connected by {}[{}])", end.endpoint, process.comm, process.pid)
        }
        Ownership::Last { process } => format!("{} (last held by {}[{}])", end.endpoint, process.comm, process.pid),
        Ownership::Listener { process, .. } if end.reported.is_none() => {
            format!("{} (came in on the listener of {}[{}])", end.endpoint, process.comm, process.pid)
        }
        Ownership::Listener { process, .. } => {
            format!("{} (not yet accepted by {}[{}])", end.endpoint, process.comm, process.pid)
        }
        Ownership::NotRecorded | Ownership::Unknown | Ownership::NoAccess | Ownership::Orphan => {
            end.endpoint.to_string()
        }
    }
}
