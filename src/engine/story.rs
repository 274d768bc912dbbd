//! One sentence on what a connection is doing now and why, as far as the evidence supports it.

use std::time::Duration;

use crate::base::{TcpState, Timestamp};
use crate::flow::{HalfView, HandshakeOutcome, HandshakeView, Side};
use crate::kernel::Limits;

use super::dashboard::{EndCell, FlowRow, Ownership, Rejection, SocketDetail};

/// How long Linux keeps TIME-WAIT (TCP_TIMEWAIT_LEN, include/net/tcp.h); assumed of a remote end.
const TIME_WAIT: Duration = Duration::from_secs(60);

/// What the sentence may rest on.
pub(super) struct Evidence<'a> {
    pub(super) row: &'a FlowRow,
    pub(super) handshake: Option<&'a HandshakeView>,
    pub(super) rejected: Option<&'a Rejection>,
    pub(super) halves: Option<&'a [HalfView; 2]>,
    pub(super) sockets: &'a [Option<SocketDetail>; 2],
    pub(super) now: Timestamp,
    /// Since when the wire shows the states that it shows.
    pub(super) since: Option<Timestamp>,
    pub(super) limits: Option<&'a Limits>,
}

/// The sentence. Rules in order: the first that the evidence supports tells it.
pub(super) fn tell(evidence: &Evidence<'_>) -> String {
    const RULES: [fn(&Evidence<'_>) -> Option<String>; 6] =
        [mismatch, handshake, not_reading, closing, established, over];
    RULES.iter().find_map(|rule| rule(evidence)).unwrap_or_else(|| "Nothing tells what it is doing.".to_owned())
}

fn mismatch(evidence: &Evidence<'_>) -> Option<String> {
    Side::BOTH.into_iter().find_map(|side| {
        let end = evidence.row.end(side);
        let since = end.mismatch_since?;
        Some(format!(
            "Disagreement for {}: by the wire {} is in {}, the kernel reports {}.",
            span(evidence.now.since(since)),
            end.endpoint,
            end.inferred?,
            end.reported?,
        ))
    })
}

fn handshake(evidence: &Evidence<'_>) -> Option<String> {
    let handshake = evidence.handshake?;
    let waited = |from: Option<Timestamp>| from.map_or_else(String::new, |from| span(evidence.now.since(from)));
    let retries = |count: u32, what: &str| match count {
        0 => String::new(),
        1 => format!(" {what} was sent again once."),
        count => format!(" {what} was sent again {count} times."),
    };
    let (orig, resp) = (evidence.row.orig.endpoint, evidence.row.resp.endpoint);
    let again = retries(handshake.syn_retries, "The SYN");
    let unanswered = matches!(handshake.outcome, HandshakeOutcome::Waiting | HandshakeOutcome::TimedOut);
    if let Some(rejection) = evidence.rejected.filter(|_| unanswered && handshake.syn_ack_at.is_none()) {
        return Some(format!("No connection to {resp}: the SYN was {rejection}.{again}"));
    }
    match handshake.outcome {
        HandshakeOutcome::Refused => {
            let after = handshake.connect_time.map(|time| format!(" after {}", span(time))).unwrap_or_default();
            Some(format!("Refused{after}: {resp} answered the SYN with a RST, so nothing listens there.{again}"))
        }
        HandshakeOutcome::TimedOut => {
            Some(format!("No answer: {resp} never answered the SYN, and the next retry is overdue.{again}"))
        }
        HandshakeOutcome::HalfOpen => Some(format!(
            "Half-open: {resp} answered with SYN-ACK, and the ACK of {orig} never came.{}",
            retries(handshake.syn_ack_retries, "The SYN-ACK")
        )),
        HandshakeOutcome::Reset => Some("Reset before the handshake was complete.".to_owned()),
        HandshakeOutcome::Waiting if handshake.syn_ack_at.is_some() => {
            Some(format!("Waiting {} for the ACK that completes the handshake.", waited(handshake.syn_ack_at)))
        }
        HandshakeOutcome::Waiting => Some(format!(
            "connect() waits {} for {resp} to answer the SYN.{again}{}",
            waited(handshake.syn_at),
            give_up(evidence)
        )),
        HandshakeOutcome::Completed | HandshakeOutcome::Simultaneous | HandshakeOutcome::Partial => None,
    }
}

/// When this kernel gives an unanswered connect() up at the latest (tcp_syn_retries, tcp_syn_linear_timeouts).
fn give_up(evidence: &Evidence<'_>) -> String {
    let local = evidence.row.orig.local == Some(true);
    let limits = evidence.limits.filter(|_| local);
    let Some(retries) = limits.and_then(|limits| limits.tcp_syn_retries) else { return String::new() };
    let linear = limits.and_then(|limits| limits.tcp_syn_linear_timeouts).unwrap_or(0);
    format!(" This host tries at most {} times more, unless the application gives up first.", retries + linear)
}

fn not_reading(evidence: &Evidence<'_>) -> Option<String> {
    Side::BOTH.into_iter().find_map(|side| {
        let reader = evidence.row.end(side);
        let half = evidence.halves.map(|halves| &halves[side.index()]);
        let closed = half.and_then(|half| half.zero_window_since).filter(|_| !evidence.row.closed)?;
        let since = span(evidence.now.since(closed));
        let unread = reader.recv_q.filter(|bytes| *bytes > 0);
        let who = name(reader);
        Some(match unread {
            Some(bytes) => format!(
                "{} waits: the window of {who} has been 0 for {since}; it has {bytes} bytes unread.",
                evidence.row.end(side.peer()).endpoint
            ),
            None => format!(
                "{} waits: the window of {who} has been 0 for {since}, so its process is not reading.",
                evidence.row.end(side.peer()).endpoint
            ),
        })
    })
}

fn closing(evidence: &Evidence<'_>) -> Option<String> {
    let row = evidence.row;
    let states = Side::BOTH.map(|side| state_of(row.end(side)));
    let side_in = |state| Side::BOTH.into_iter().find(|side| states[side.index()] == Some(state));
    let for_long = evidence.since.map(|since| format!(" for {}", span(evidence.now.since(since)))).unwrap_or_default();
    if let Some(side) = side_in(TcpState::TimeWait) {
        return Some(time_wait(evidence, side));
    }
    if let Some(side) = side_in(TcpState::CloseWait) {
        let end = row.end(side);
        let why = match end.recv_q {
            Some(0) => " It has read the end of the stream and not called close().",
            Some(_) => " It has not read to the end of the stream.",
            None => "",
        };
        return Some(format!(
            "{} has closed; {} has not closed its side{for_long} (CLOSE-WAIT).{why}",
            row.end(side.peer()).endpoint,
            name(end)
        ));
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

fn time_wait(evidence: &Evidence<'_>, side: Side) -> String {
    let end = evidence.row.end(side);
    let socket = evidence.sockets[side.index()].as_ref().filter(|socket| socket.gone.is_none());
    let by_kernel = socket.and_then(|socket| {
        let passed = evidence.now.since(socket.at);
        socket.socket.timer.map(|timer| timer.left.saturating_sub(passed))
    });
    let by_wire = || evidence.since.map(|since| TIME_WAIT.saturating_sub(evidence.now.since(since)));
    let (left, assumed) = match by_kernel {
        Some(left) => (Some(left), ""),
        None => (by_wire(), if end.local == Some(true) { "" } else { ", if it keeps the usual 60 s" }),
    };
    let left = left.map(|left| format!(" for {} more{assumed}", span(left))).unwrap_or_default();
    format!("Closed in order; {} closed first and keeps the pair of ports in TIME-WAIT{left}.", end.endpoint)
}

fn established(evidence: &Evidence<'_>) -> Option<String> {
    let row = evidence.row;
    let open = Side::BOTH.into_iter().any(|side| state_of(row.end(side)) == Some(TcpState::Estab));
    if !open || row.closed {
        return None;
    }
    let unread = Side::BOTH.into_iter().find(|side| row.end(*side).recv_q.is_some_and(|bytes| bytes > 0));
    if let Some(side) = unread {
        let end = row.end(side);
        return Some(format!("Open; {} has {} bytes unread.", name(end), end.recv_q?));
    }
    let idle = evidence.now.since(row.last);
    let unacked = Side::BOTH.into_iter().find(|side| row.end(*side).send_q.is_some_and(|bytes| bytes > 0));
    if let Some(side) = unacked {
        let end = row.end(side);
        return Some(format!(
            "Open; {} has {} bytes sent or queued that its peer has not acknowledged.",
            name(end),
            end.send_q?
        ));
    }
    let quiet = row.segments.is_some() && idle >= Duration::from_secs(1);
    Some(if quiet { format!("Open, no segment for {}.", span(idle)) } else { "Open.".to_owned() })
}

fn over(evidence: &Evidence<'_>) -> Option<String> {
    let reset = evidence.halves.is_some_and(|halves| halves.iter().any(|half| half.rsts > 0));
    let finished = evidence.halves.is_some_and(|halves| halves.iter().all(|half| half.fins > 0));
    match (evidence.row.closed, reset, finished) {
        (false, ..) => None,
        (true, true, _) => Some("Over: ended by a RST.".to_owned()),
        (true, false, true) => Some("Over: closed in order by both ends.".to_owned()),
        (true, false, false) => Some("Over: the kernel holds it no more; how it ended was not captured.".to_owned()),
    }
}

/// The state to tell of: the kernel's claim where there is one.
fn state_of(end: &EndCell) -> Option<TcpState> {
    end.reported.or(end.inferred)
}

fn name(end: &EndCell) -> String {
    match &end.owner {
        Ownership::Held { process, fd, .. } => format!("{}[{}] fd {fd}", process.comm, process.pid),
        Ownership::Last { process } => format!("{} (last held by {}[{}])", end.endpoint, process.comm, process.pid),
        Ownership::Listener { process, .. } => {
            format!("{} (not yet accepted by {}[{}])", end.endpoint, process.comm, process.pid)
        }
        Ownership::NotRecorded | Ownership::Unknown | Ownership::NoAccess | Ownership::Orphan => {
            end.endpoint.to_string()
        }
    }
}

/// A span in the unit that reads best, three digits.
fn span(time: Duration) -> String {
    let secs = time.as_secs_f64();
    match secs {
        s if s < 0.001 => format!("{:.0} µs", s * 1e6),
        s if s < 0.1 => format!("{:.2} ms", s * 1e3),
        s if s < 1.0 => format!("{:.0} ms", s * 1e3),
        s if s < 10.0 => format!("{s:.2} s"),
        s if s < 100.0 => format!("{s:.1} s"),
        s => format!("{:.0} min", s / 60.0),
    }
}
