//! The sentence on a handshake that is under way or failed.

use crate::base::{TcpState, Timestamp};
use crate::flow::{HandshakeOutcome, HandshakeView, LifeEventKind, Side};
use crate::kernel::Limits;

use super::{Evidence, name, span};

/// The sentence; `None` of a handshake that completed or was not captured.
pub(super) fn tell(evidence: &Evidence<'_>) -> Option<String> {
    let Some(handshake) = evidence.handshake else { return by_kernel(evidence) };
    let waited = |from: Option<Timestamp>| from.map_or_else(String::new, |from| format!(" {}", evidence.ago(from)));
    let (orig, resp) = (evidence.row.orig.endpoint, evidence.row.resp.endpoint);
    let again = syn_again(handshake);
    match handshake.outcome {
        outcome if outcome.is_silence() || is_awaited(handshake) => Some(unanswered(evidence, handshake)),
        HandshakeOutcome::Refused => {
            let nobody = "nothing listens there, or a firewall rejects it";
            Some(format!("Refused: a RST from {resp} answered the SYN: {nobody}.{again}"))
        }
        HandshakeOutcome::HalfOpen => Some(format!(
            "Half-open: {resp} answered with SYN-ACK, and the ACK of {orig} was not seen.{}{}",
            took_syn_ack(evidence, "the capture missed its ACK"),
            syn_ack_again(handshake)
        )),
        HandshakeOutcome::Reset => {
            let by = evidence.reset_by.map(|side| format!(" by {}", evidence.row.end(side).endpoint));
            Some(format!("Reset{} before the handshake was complete.{again}", by.unwrap_or_default()))
        }
        HandshakeOutcome::Waiting => Some(format!(
            "Waiting{} for the ACK of {orig} that completes the handshake.{}{}",
            waited(handshake.syn_ack_at),
            took_syn_ack(evidence, "its ACK is on its way, or the capture missed it"),
            syn_ack_again(handshake)
        )),
        _ => None,
    }
}

/// That its kernel took the SYN-ACK all the same, and what follows from that; with a space before it.
fn took_syn_ack(evidence: &Evidence<'_>, so: &str) -> String {
    let took = evidence.row.orig.inferred == Some(TcpState::Estab);
    if took { format!(" Its kernel took the SYN-ACK (connect() is done), so {so}.") } else { String::new() }
}

/// Whether its SYN still waits for an answer.
fn is_awaited(handshake: &HandshakeView) -> bool {
    handshake.outcome == HandshakeOutcome::Waiting && handshake.syn_ack_at.is_none()
}

/// A connect() of which only the kernel tells.
fn by_kernel(evidence: &Evidence<'_>) -> Option<String> {
    let side = Side::BOTH.into_iter().find(|side| evidence.row.end(*side).reported == Some(TcpState::SynSent))?;
    let (end, peer) = (evidence.row.end(side), evidence.row.end(side.peer()).endpoint);
    let timer = evidence.sockets[side.index()].as_ref().and_then(|socket| socket.socket.timer);
    let again = again(timer.map_or(0, |timer| timer.retries.into()), "The SYN");
    Some(format!("{} waits for {peer} to answer its SYN.{again}", name(end)))
}

/// What it took to complete, where that was not three segments; with a space before it.
pub(super) fn detours(handshake: &HandshakeView) -> String {
    if !handshake.outcome.is_completed() {
        return String::new();
    }
    let inferred = if handshake.syn_ack_at.is_none() { " The SYN-ACK was not seen." } else { "" };
    inferred.to_owned() + &syn_again(handshake) + &syn_ack_again(handshake)
}

fn unanswered(evidence: &Evidence<'_>, handshake: &HandshakeView) -> String {
    let (orig, resp) = (&evidence.row.orig, evidence.row.resp.endpoint);
    let more = sent_unseen(evidence, handshake);
    let again = more.map_or_else(|| syn_again(handshake), |more| self::again(more, "By the kernel's count the SYN"));
    let long = |time| match more {
        Some(_) => format!(" at least {} (begun before the capture)", span(time)),
        None => format!(" {}", span(time)),
    };
    let gone = evidence.gone(Side::Orig);
    let held = gone.map(|gone| format!(" The kernel has held the socket no more for {}.", evidence.ago(gone)));
    let held = held.unwrap_or_default();
    if let Some(rejection) = evidence.rejected.filter(|_| handshake.outcome != HandshakeOutcome::Waiting) {
        return format!("No connection to {resp}: the SYN was {rejection}.{again}{held}");
    }
    if handshake.outcome == HandshakeOutcome::GivenUp {
        let ended = evidence.life.iter().find(|event| event.kind == LifeEventKind::TimedOut).map(|event| event.ts);
        let took = handshake.syn_at.zip(ended).map(|(from, to)| format!(" after{}", long(to.since(from))));
        let took = took.unwrap_or_default();
        return format!("Given up by {}{took}: no answer to the SYN from {resp} was seen.{again}{held}", name(orig));
    }
    if gone.is_some() {
        return format!("No answer: nothing from {resp} was seen until {} was gone.{again}{held}", name(orig));
    }
    if handshake.outcome == HandshakeOutcome::Unanswered {
        return format!("No answer: nothing from {resp} was seen, and the next retry is overdue.{again}");
    }
    let waited = handshake.syn_at.map(|from| long(evidence.now.since(from))).unwrap_or_default();
    let all_the_same = evidence.rejected.map(|rejection| format!(" It was {rejection}, and it tries on."));
    let all_the_same = all_the_same.unwrap_or_default();
    format!(
        "connect() waits{waited} for {resp} to answer the SYN.{again}{all_the_same}{}",
        tries_left(evidence, handshake)
    )
}

/// How often this kernel has sent the SYN again by its own count, where that is more than was seen.
fn sent_unseen(evidence: &Evidence<'_>, handshake: &HandshakeView) -> Option<u32> {
    let socket = evidence.sockets[Side::Orig.index()].as_ref().map(|socket| &socket.socket);
    let timer = socket.filter(|socket| socket.state.0 == TcpState::SynSent)?.timer?;
    Some(timer.retries.into()).filter(|count| *count > handshake.syn_retries)
}

fn syn_again(handshake: &HandshakeView) -> String {
    again(handshake.syn_retries, "The SYN")
}

fn syn_ack_again(handshake: &HandshakeView) -> String {
    again(handshake.syn_ack_retries, "The SYN-ACK")
}

fn again(count: u32, what: &str) -> String {
    match count {
        0 => String::new(),
        1 => format!(" {what} was sent again once."),
        count => format!(" {what} was sent again {count} times."),
    }
}

/// How often this kernel sends the SYN again at most: tcp_syn_retries and tcp_syn_linear_timeouts together, less what
/// it has done, by the wire or by its own count, whichever saw more.
fn tries_left(evidence: &Evidence<'_>, handshake: &HandshakeView) -> String {
    let local = evidence.row.orig.local == Some(true);
    let limits = evidence.limits.filter(|_| local);
    let Some(retries) = limits.and_then(Limits::syn_retries) else { return String::new() };
    let done = sent_unseen(evidence, handshake).unwrap_or(handshake.syn_retries);
    match retries.saturating_sub(done) {
        0 => " This host has sent it for the last time.".to_owned(),
        1 => " This host sends it at most once more, unless the application gives up first.".to_owned(),
        left => format!(" This host sends it at most {left} times more, unless the application gives up first."),
    }
}
