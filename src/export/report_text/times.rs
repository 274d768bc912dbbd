//! The times of a flow in words: round trips on either side of the capture point, answers, speed, gaps, stalls. Pure.

use crate::engine::FlowDetail;
use crate::flow::{Delays, HalfTiming, Side};

use super::super::units::{bytes, count, span};

/// `RTT to resp 20.0 ms–60.0 ms, mean 33.0 ms`, and so on; nothing of what was not measured.
pub(super) fn words(detail: &FlowDetail) -> Vec<String> {
    let handshake = detail.handshake.as_ref();
    let split = handshake.and_then(|view| view.syn_to_syn_ack.zip(view.syn_ack_to_ack));
    let split = split.map(|(resp, orig)| format!("handshake {} to resp, {} to orig", span(resp), span(orig)));
    let halves = detail.timing.as_ref().map(|timing| &timing.halves);
    let halves: Vec<_> = halves.into_iter().flat_map(|halves| Side::BOTH.into_iter().zip(halves)).collect();
    let trips = halves.iter().filter_map(|(side, half)| round_trip(*side, half));
    let thinks = halves
        .iter()
        .filter_map(|(side, half)| Some(format!("{} answers in {}", side.name(), spread(half.think.as_ref()?))));
    let speeds = halves.iter().filter_map(|(side, half)| speed(*side, half));
    let idle = detail.timing.as_ref().and_then(|timing| timing.idle);
    let idle = idle.map(|idle| format!("idle {}", span(idle.time)));
    split.into_iter().chain(trips).chain(thinks).chain(speeds).chain(idle).collect()
}

/// What its small writes waited, of a flow that had to.
pub(super) fn stalls(detail: &FlowDetail) -> Vec<String> {
    let halves = detail.timing.as_ref().map(|timing| &timing.halves);
    let halves = halves.into_iter().flat_map(|halves| Side::BOTH.into_iter().zip(halves));
    let told = halves.filter_map(|(side, half)| {
        let stalls = half.stalls.filter(|stalls| stalls.small_writes > 0)?;
        let (times, waited, worst) = (count(stalls.small_writes.into()), span(stalls.waited), span(stalls.worst));
        let text = "small write waited for a delayed ack (Nagle)";
        Some(format!("{}: {text} {times} ×, {waited} in all, worst {worst}", side.name()))
    });
    told.collect()
}

fn round_trip(side: Side, half: &HalfTiming) -> Option<String> {
    let by = if half.rtt_by_ack.is_some() { "" } else { " by timestamps" };
    let delays = half.round_trip()?;
    let jitter = delays.jitter.map(|jitter| format!(", jitter {}", span(jitter))).unwrap_or_default();
    Some(format!("RTT to {}{by} {}{jitter}", side.peer().name(), spread(delays)))
}

/// `31.0 ms`, `20.0 ms–60.0 ms, mean 33.0 ms`, of many `800 µs–2.10 ms, p50 1.00 ms, p95 2.00 ms`.
fn spread(delays: &Delays) -> String {
    let (min, max) = (span(delays.min), span(delays.max));
    match (delays.samples, delays.p50.zip(delays.p95)) {
        (1, _) => min,
        (_, Some((p50, p95))) => format!("{min}–{max}, p50 {}, p95 {}", span(p50), span(p95)),
        (_, None) => format!("{min}–{max}, mean {}", span(delays.mean)),
    }
}

fn speed(side: Side, half: &HalfTiming) -> Option<String> {
    let told = half.throughput?;
    let in_flight = half.in_flight.map(|flight| format!(", {} in flight", bytes(flight.max.into())));
    Some(format!("{} sent {}/s{}", side.name(), bytes(told.rate()), in_flight.unwrap_or_default()))
}
