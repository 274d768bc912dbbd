//! One segment in words: what it is, its numbers, what is wrong with it, what its options say.

use crate::base::Timestamp;
use crate::engine::{Arrow, Fate};
use crate::flow::{Cause, Evidence, Mark};
use crate::wire::Flags;

use super::format::{count, span};

/// What kind of segment it is, as an engineer calls it: `SYN`, `SYN-ACK`, `FIN-ACK`, `RST`, `ACK`, or how much data.
pub(super) fn kind(arrow: &Arrow) -> String {
    let segment = &arrow.segment;
    let named = [(Flags::SYN, "SYN"), (Flags::FIN, "FIN"), (Flags::RST, "RST")];
    let mut names: Vec<&str> =
        named.iter().filter(|(flag, _)| segment.flags.contains(*flag)).map(|(_, name)| *name).collect();
    let data = (segment.payload_len > 0).then(|| format!("{} B", count(segment.payload_len.into())));
    if segment.flags.ack() && (!names.is_empty() || data.is_none()) {
        names.push("ACK");
    }
    if names.is_empty() && data.is_none() {
        return "no flags".to_owned();
    }
    names
        .into_iter()
        .map(str::to_owned)
        .reduce(|all, name| all + "-" + &name)
        .into_iter()
        .chain(data)
        .collect::<Vec<_>>()
        .join(" ")
}

/// Whether it is nothing but an acknowledgment.
pub(super) fn is_bare_ack(arrow: &Arrow) -> bool {
    let others = Flags::SYN | Flags::FIN | Flags::RST;
    arrow.segment.payload_len == 0 && arrow.segment.flags.ack() && arrow.segment.flags.0 & others.0 == 0
}

/// Its numbers: `1–1,449` of data, else `seq 0`, relative where that is known; and `ack 1`.
pub(super) fn numbers(arrow: &Arrow) -> (Option<String>, Option<String>) {
    let len = arrow.segment.payload_len;
    let ack = arrow.ack.map(|ack| format!("ack {}", count(ack.into())));
    let own = match arrow.seq {
        Some(seq) if len > 0 => Some(format!("{}–{}", count(seq.into()), count(seq.wrapping_add(len).into()))),
        Some(seq) if arrow.segment.seg_len() > 0 || arrow.segment.flags.rst() || ack.is_none() => {
            Some(format!("seq {}", count(seq.into())))
        }
        Some(_) => None,
        None => Some(format!("seq {} (raw)", arrow.segment.seq.0)),
    };
    (own, ack)
}

/// Its window: in bytes, or as it stands there.
pub(super) fn window(arrow: &Arrow) -> String {
    arrow.window.map_or_else(
        || format!("win {} unscaled", arrow.segment.window),
        |bytes| format!("win {}", count(bytes.into())),
    )
}

/// What is wrong with it or with the path: in a word or two, as an arrow has it, and in full; and whether it warns.
pub(super) struct Trouble {
    pub(super) short: String,
    pub(super) arrow: String,
    pub(super) full: String,
    pub(super) warns: bool,
}

/// What is told of it beyond its numbers, as was known at `now`.
pub(super) fn trouble(arrow: &Arrow, now: Timestamp) -> Option<Trouble> {
    let told = |short: &str, full: String, warns| {
        Some(Trouble { short: short.to_owned(), arrow: short.to_owned(), full, warns })
    };
    if arrow.segment.malformed {
        return told("malformed", "malformed: its header ends past its datagram".to_owned(), true);
    }
    if let Some((cause, evidence)) = arrow.cause(now) {
        return by_cause(cause, evidence);
    }
    if let Some(fate) = arrow.fate(now) {
        return match fate {
            Fate::Lost => {
                told("lost", "lost on its way: its receiver acknowledged more, and lacked it".to_owned(), true)
            }
            Fate::Unanswered(after) => {
                let short = format!("sent again after {}", span(after));
                let full = format!("{short}, with no answer until then: it was lost, or its answer was");
                told(&short, full, true)
            }
        };
    }
    let again = arrow.marks.has(Mark::Retransmission);
    if again && arrow.segment.flags.syn() {
        return told("again", "sent again".to_owned(), true);
    }
    if let Some(number) = arrow.marks.duplicate_ack() {
        return told(&format!("dup ack {number}"), format!("duplicate ack {number}"), false);
    }
    let mark = arrow.marks.iter().find(|mark| !matches!(mark, Mark::WindowUpdate | Mark::ReusedPorts))?;
    let warns = !matches!(mark, Mark::KeepAlive | Mark::KeepAliveAck | Mark::ZeroWindowProbeAck);
    match mark {
        Mark::LostSegment => {
            told("hole before", "lost segment: what comes before it was not captured".to_owned(), true)
        }
        Mark::AckLostSegment => told("acks unseen", "acknowledges what was not captured".to_owned(), true),
        other => told(other.words(), other.words().to_owned(), warns),
    }
}

fn by_cause(cause: Cause, evidence: Evidence) -> Option<Trouble> {
    let (short, warns) = match cause {
        Cause::Lost => ("again", true),
        Cause::Reordered => ("late", true),
        Cause::Spurious => ("again, needlessly", true),
        Cause::TailLossProbe | Cause::ZeroWindowProbe => (cause.words(), true),
        Cause::KeepAlive | Cause::DuplicateFrame => (cause.words(), false),
        Cause::Unexplained => ("again", true),
    };
    let full = match (cause, evidence) {
        (Cause::Unexplained, _) => "again, cause not shown".to_owned(),
        (_, Evidence::Nothing) | (Cause::ZeroWindowProbe, _) => short.to_owned(),
        (Cause::Lost, evidence) => format!("again, lost before: {evidence}"),
        (Cause::Reordered, evidence) => format!("late, reordered: {evidence}"),
        (_, evidence) => format!("{short}: {evidence}"),
    };
    Some(Trouble { short: short.to_owned(), arrow: full.clone(), full, warns })
}

/// What a SYN offers, the SACK blocks of another.
pub(super) fn options(arrow: &Arrow) -> Option<String> {
    let options = &arrow.segment.options;
    let mut parts: Vec<String> = Vec::new();
    if arrow.segment.flags.syn() {
        parts.extend(options.mss().map(|mss| format!("mss {mss}")));
        parts.extend(options.wscale().map(|shift| format!("ws {}", 1_u32 << shift.min(14))));
        let words = [
            (options.sack_permitted(), "sack"),
            (options.timestamps().is_some(), "ts"),
            (options.fast_open(), "fast-open"),
            (options.mptcp().is_some(), "mptcp"),
        ];
        parts.extend(words.iter().filter(|(there, _)| *there).map(|(_, word)| (*word).to_owned()));
    }
    // SACK blocks acknowledge the peer's numbers, from where its relative ones begin.
    if let Some(ack) = arrow.ack {
        let base = arrow.segment.ack - ack;
        parts.extend(options.sack().map(|(left, right)| {
            format!("SACK {}–{}", count((left - base.0).0.into()), count((right - base.0).0.into()))
        }));
    }
    if options.cut() {
        parts.push("(options cut)".to_owned());
    }
    (!parts.is_empty()).then(|| parts.join(" "))
}

/// Flags that its kind does not tell, in words.
pub(super) fn other_flags(arrow: &Arrow) -> Option<String> {
    let flags = [(Flags::PSH, "PSH"), (Flags::URG, "URG"), (Flags::ECE, "ECE"), (Flags::CWR, "CWR"), (Flags::AE, "AE")];
    let names: Vec<&str> =
        flags.iter().filter(|(flag, _)| arrow.segment.flags.contains(*flag)).map(|(_, name)| *name).collect();
    (!names.is_empty()).then(|| names.join(" "))
}

/// The round trip that it measures.
pub(super) fn round_trip(arrow: &Arrow) -> Option<String> {
    arrow.rtt.map(|rtt| format!("rtt {}", span(rtt)))
}
