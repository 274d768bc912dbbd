//! The rule: frames pass that the capture does not get.
//!
//! Read first: pcap_stats(3PCAP), packet(7) on PACKET_STATISTICS.

use crate::base::Timestamp;

use super::finding::{Confidence, Fact, Finding, Kind, Run, Severity, Subject};
use super::words::{count, share, time};

/// Of every hundred frames one is missing: retransmissions and lost segments can no longer be told from it.
const SHARE: u64 = 1;
/// One in ten thousand is a hiccup.
const HICCUP: u64 = 10_000;

/// What the capture loses: counted since the last time before that when it did not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Losing {
    /// Frames that the kernel dropped before the reader took them (its buffer was full).
    pub kernel: u64,
    /// Segments that a full queue of our own dropped.
    pub ours: u64,
    /// Frames that arrived.
    pub frames: u64,
    pub counted_since: Timestamp,
    /// When it lost some.
    pub run: Run,
}

/// Whether the capture loses, lately.
pub(super) fn losing(losing: Option<&Losing>, now: Timestamp) -> Option<Finding> {
    let losing = losing.filter(|losing| losing.run.lasts(now))?;
    let lost = losing.kernel.saturating_add(losing.ours);
    let passed = losing.frames.saturating_add(losing.kernel);
    let severity = match lost {
        0 => return None,
        _ if lost.saturating_mul(100) >= passed.saturating_mul(SHARE) => Severity::Critical,
        _ if lost.saturating_mul(HICCUP) >= passed => Severity::Warning,
        _ => Severity::Info,
    };
    let by_kernel = losing.kernel >= losing.ours;
    Some(Finding {
        kind: Kind::CaptureLoss,
        severity,
        subject: Subject::Capture,
        since: losing.run.since,
        who: None,
        flow: None,
        told: format!(
            "{} of {} frames ({}) lost in {}",
            count(lost),
            count(passed),
            share(lost, passed),
            time(now.since(losing.counted_since))
        ),
        evidence: vec![
            Fact::count("kernel", losing.kernel),
            Fact::count("ours", losing.ours),
            Fact::count("frames", losing.frames),
            Fact::time("counted_over_ns", now.since(losing.counted_since)),
        ],
        confidence: Confidence::High,
        why: why(by_kernel).into(),
        remedy: remedy(by_kernel).into(),
    })
}

const fn why(by_kernel: bool) -> &'static str {
    if by_kernel {
        "The kernel dropped frames because the capture buffer was full. Until it ends, no mismatch of wire and kernel is \
         claimed, and what is missing on the wire may only be missing here."
    } else {
        "Segments came faster than they could be taken in, and a queue of our own dropped them. Until it ends, no \
         mismatch of wire and kernel is claimed, and what is missing on the wire may only be missing here."
    }
}

const fn remedy(by_kernel: bool) -> &'static str {
    if by_kernel {
        "A larger buffer (-B 65536), fewer bytes of each frame (-s 128), fewer interfaces (-i), or a BPF filter for the \
         connections in question."
    } else {
        "Fewer interfaces (-i) or a BPF filter for the connections in question; a machine that is less busy."
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{at, found};
    use super::*;

    #[test]
    fn losing_lately_is_found() {
        use Severity::{Critical, Info, Warning};
        let case = |kernel, ours, last| Losing {
            kernel,
            ours,
            frames: 10_000,
            counted_since: at(0),
            run: Run { since: at(0), last: at(last) },
        };
        for (case, expected) in [
            (None, None),
            (Some(case(0, 0, 100)), None),
            (Some(case(500, 3, 100)), Some((Critical, "503 of 10,500 frames (5%) lost in 100 s"))),
            (Some(case(0, 100, 100)), Some((Critical, "100 of 10,000 frames (1%) lost in 100 s"))),
            (Some(case(0, 99, 100)), Some((Warning, "99 of 10,000 frames (<1%) lost in 100 s"))),
            (Some(case(0, 1, 100)), Some((Warning, "1 of 10,000 frames (<1%) lost in 100 s"))),
            (
                Some(Losing { frames: 10_001, ..case(0, 1, 100) }),
                Some((Info, "1 of 10,001 frames (<1%) lost in 100 s")),
            ),
            (Some(case(500, 3, 40)), None),
        ] {
            let all = found(losing(case.as_ref(), at(100)).into_iter().collect());
            let all = all.iter().map(|(_, severity, told)| (*severity, told.as_str())).next();
            assert_eq!(all, expected, "{case:?}");
        }
    }

    #[test]
    fn who_dropped_decides_what_helps() {
        let run = Run { since: at(0), last: at(9) };
        let of = |kernel, ours| {
            losing(Some(&Losing { kernel, ours, frames: 10, counted_since: at(0), run }), at(10)).unwrap()
        };
        assert!(of(5, 1).remedy.contains("-B 65536"));
        assert!(!of(1, 5).remedy.contains("-B") && of(1, 5).why.contains("a queue of our own"));
    }
}
