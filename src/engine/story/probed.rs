//! The sentence on a connection at rest whose keepalive probes go unanswered.

use crate::flow::Side;

use super::super::probing;
use super::{Evidence, name, span};

/// One probe may be lost, or on its way.
const SEVERAL: u32 = 2;

/// By the kernel's count, or by the wire.
pub(super) fn tell(evidence: &Evidence<'_>) -> Option<String> {
    let told = |rule: fn(&Evidence<'_>, Side) -> Option<String>| {
        Side::BOTH.into_iter().find_map(|side| rule(evidence, side)).filter(|_| !evidence.row.closed)
    };
    told(by_kernel).or_else(|| told(by_wire))
}

fn by_kernel(evidence: &Evidence<'_>, side: Side) -> Option<String> {
    let detail = evidence.held(side)?;
    let timer = probing::probes(&detail.socket).filter(|timer| u32::from(timer.retries) >= SEVERAL)?;
    let left = detail.timer_left(evidence.now)?;
    let heard = detail.socket.info.as_ref().and_then(|info| info.last_ack_recv);
    let heard = heard.map(|ago| format!(", and has heard nothing for {}", span(ago + evidence.now.since(detail.at))));
    // Of the kernel's count alone some may have failed on its host.
    let seen = evidence.probes[side.index()].is_some_and(|probes| probes.times + 1 >= timer.retries.into());
    let done = if seen { "sent" } else { "tried" };
    Some(format!(
        "At rest, and {} may be gone: the kernel of {} has {done} {} keepalive probes{} (the next in {}).",
        evidence.row.end(side.peer()).endpoint,
        name(evidence.row.end(side)),
        timer.retries,
        heard.unwrap_or_default(),
        span(left)
    ))
}

fn by_wire(evidence: &Evidence<'_>, side: Side) -> Option<String> {
    let probes = evidence.probes[side.index()].filter(|probes| probes.times >= SEVERAL)?;
    Some(format!(
        "At rest, and {} may be gone: {} has sent {} keepalive probes for {}, and nothing has come back.",
        evidence.row.end(side.peer()).endpoint,
        name(evidence.row.end(side)),
        probes.times,
        evidence.ago(probes.since)
    ))
}

/// After which probes an end that ended the connection did so.
pub(super) fn gave_up(evidence: &Evidence<'_>, side: Side) -> Option<String> {
    let probes = evidence.probes[side.index()].filter(|probes| probes.times >= SEVERAL)?;
    Some(format!(
        ", which had sent {} keepalive probes for {} in vain",
        probes.times,
        span(probes.last.since(probes.since))
    ))
}
