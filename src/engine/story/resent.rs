//! The sentences on what had to be sent again.

use std::time::Duration;

use crate::base::TcpState;
use crate::findings::SENT_IN_VAIN;
use crate::flow::{Cause, LifeEventKind, Mark, Side};
use crate::kernel::TimerKind;

use super::{Evidence, bytes, name, span};

/// What is sent again and again without an answer, by the kernel's count or by the wire.
pub(super) fn tell(evidence: &Evidence<'_>) -> Option<String> {
    let told = |rule: fn(&Evidence<'_>, Side) -> Option<String>| {
        Side::BOTH.into_iter().find_map(|side| rule(evidence, side)).filter(|_| !evidence.row.closed)
    };
    told(unsent).or_else(|| told(by_kernel)).or_else(|| told(in_vain)).or_else(|| told(by_wire))
}

/// What an end would send does not leave its own host; before it has failed as often as a finding asks for, the next try
/// may succeed.
fn unsent(evidence: &Evidence<'_>, side: Side) -> Option<String> {
    let socket = &evidence.held(side)?.socket;
    let timer = socket.timer.filter(|timer| socket.fails_to_send() && u32::from(timer.retries) >= SENT_IN_VAIN)?;
    Some(format!(
        "{} with {} in its Send-Q cannot send: its kernel has tried {}, and each failed on this host itself.",
        name(evidence.row.end(side)),
        bytes(socket.send_q?.into()),
        times(timer.retries.into())
    ))
}

/// The retransmission timer of an end's kernel has run out before, and nothing was acknowledged since.
fn by_kernel(evidence: &Evidence<'_>, side: Side) -> Option<String> {
    let socket = &evidence.held(side)?.socket;
    let timer = socket.timer.filter(|timer| timer.kind == TimerKind::On && timer.retries > 0)?;
    if matches!(socket.state.0, TcpState::SynSent | TcpState::SynRecv) {
        return None;
    }
    let waiting =
        socket.send_q.map(|queued| format!(" with {} in its Send-Q", bytes(queued.into()))).unwrap_or_default();
    // Of the kernel's count alone some may have failed on its host.
    let done = if evidence.in_vain[side.index()].is_some() { "sent" } else { "tried to send" };
    Some(format!(
        "{}{waiting} gets no acknowledgment: its kernel has {done} the oldest segment again {}.",
        name(evidence.row.end(side)),
        times(timer.retries.into())
    ))
}

/// The wire shows its oldest segment again and again, and nothing from its peer.
fn in_vain(evidence: &Evidence<'_>, side: Side) -> Option<String> {
    let again = evidence.in_vain[side.index()]?;
    Some(format!(
        "{} gets no answer: it has sent its oldest segment again {}, and nothing has come from {} for {}.",
        name(evidence.row.end(side)),
        times(again.times.into()),
        evidence.row.end(side.peer()).endpoint,
        evidence.ago(again.since)
    ))
}

/// The half was never acknowledged, and has been sent again.
fn by_wire(evidence: &Evidence<'_>, side: Side) -> Option<String> {
    let bytes = evidence.never_acked[side.index()]?;
    let again = segments_again(evidence, side).filter(|count| *count > 0)?;
    let from = evidence.row.end(side).endpoint;
    let over = data_span(evidence, side).map(|time| format!(" over {}", span(time))).unwrap_or_default();
    let sent = evidence.halves?[side.index()].payload_bytes;
    Some(if sent == bytes.saturating_mul(again + 1) {
        format!("{from} sent {bytes} bytes again {}{over}, and no acknowledgment was seen.", times(again))
    } else {
        let segments = if again == 1 { "a segment" } else { "segments" };
        format!("{from} sent {bytes} bytes, {segments} of them again ({again}){over}, and no acknowledgment was seen.")
    })
}

/// What else was sent again, and what is doubtful of a RST; with a space before each.
pub(super) fn note(evidence: &Evidence<'_>) -> String {
    let notes = Side::BOTH.into_iter().filter_map(|side| episodes(evidence, side).or_else(|| marked(evidence, side)));
    let injected = evidence.verdict.and_then(|view| view.injected).map(|injected| format!(" {injected}."));
    notes.chain(injected).collect()
}

/// A half that was never acknowledged, or is not any more, is told by [`tell`] already.
fn is_told(evidence: &Evidence<'_>, side: Side) -> bool {
    let in_vain = evidence.never_acked[side.index()].is_some() || evidence.in_vain[side.index()].is_some();
    in_vain && !evidence.row.closed
}

/// The latest episode of what one end sent, with how many there were before: "3 segments lost, recovered by SACK in
/// 41 ms".
fn episodes(evidence: &Evidence<'_>, side: Side) -> Option<String> {
    let half = &evidence.verdict?.halves[side.index()];
    let latest = half.latest()?;
    if is_told(evidence, side) {
        return None;
    }
    let from = evidence.row.end(side).endpoint;
    let told = latest.tell(evidence.now, evidence.row.closed);
    let before = half.ended.saturating_sub(u32::from(half.open.is_none()));
    let before = match before {
        0 => String::new(),
        1 => ", after 1 such event before".to_owned(),
        n => format!(", after {n} such events before"),
    };
    Some(format!(" Of {from}: {told}{before}."))
}

/// How many segments of one end were sent again where that was no episode of loss, and how many the capture shows
/// twice.
fn marked(evidence: &Evidence<'_>, side: Side) -> Option<String> {
    let counts = &evidence.verdict?.halves[side.index()].counts;
    let from = evidence.row.end(side).endpoint;
    let (again, spurious) = (counts.sent_again(), counts.of(Cause::Spurious));
    let doubled = counts.of(Cause::DuplicateFrame);
    if again > 0 && !is_told(evidence, side) {
        let (segments, were) = if again == 1 { ("segment", "was") } else { ("segments", "were") };
        let needlessly = if spurious == again { " needlessly" } else { "" };
        return Some(format!(" {again} {segments} of {from} {were} sent again{needlessly}."));
    }
    let segments = if doubled == 1 { "segment" } else { "segments" };
    (doubled > 0).then(|| format!(" The capture shows {doubled} {segments} of {from} twice."))
}

/// How many segments were sent again, SYNs left out: the handshake's sentence has those.
fn segments_again(evidence: &Evidence<'_>, side: Side) -> Option<u64> {
    let half = &evidence.halves?[side.index()];
    let syns = u64::from(half.syns.saturating_sub(1)) + u64::from(half.syn_acks.saturating_sub(1));
    Some(evidence.analysis?[side.index()].of(Mark::Retransmission).saturating_sub(syns))
}

/// From an end's first data to its last, where the last of the flow was its own.
fn data_span(evidence: &Evidence<'_>, side: Side) -> Option<Duration> {
    let at = |kind| evidence.life.iter().find(|event| event.kind == kind && event.side == side).map(|event| event.ts);
    Some(at(LifeEventKind::LastData)?.since(at(LifeEventKind::FirstData)?))
}

fn times(count: u64) -> String {
    if count == 1 { "once".to_owned() } else { format!("{count} times") }
}
