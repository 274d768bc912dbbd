//! Whether a peer that is silent on one connection is heard on others: then its host is there, and the path to it.
//!
//! Read first: `super::silent`.

use std::collections::BTreeMap;

use crate::base::Timestamp;
use crate::findings::Silent;
use crate::flow::{Flow, Side};

use super::super::Engine;
use super::super::record::Record;
use super::silent::heard;

impl Engine {
    /// Notes of each when its peer was heard last on another connection between the two addresses, if that was since it
    /// fell silent. Where there is anything to note, the whole table is gone through.
    pub(super) fn note_heard_elsewhere(&self, all: &mut [Silent]) {
        let Some(since) = all.iter().map(|silent| silent.since).min() else { return };
        let path = |silent: &Silent| (silent.local.ip(), silent.peer.ip());
        let mut newest: BTreeMap<_, Option<Timestamp>> = all.iter().map(|silent| (path(silent), None)).collect();
        for (_, record) in self.table.iter().filter(|(_, record)| record.touched > since) {
            for side in Side::BOTH {
                let path = (record.endpoint(side).ip(), record.endpoint(side.peer()).ip());
                if let Some(newest) = newest.get_mut(&path) {
                    *newest = (*newest).max(peer_heard(record, side));
                }
            }
        }
        for silent in all {
            silent.elsewhere = newest.get(&path(silent)).copied().flatten().filter(|at| *at > silent.since);
        }
    }
}

/// When the peer of `side` was heard last, or at the earliest where its flow is over, so that what is told of it may be
/// packed; a reset may be another's.
fn peer_heard(record: &Record, side: Side) -> Option<Timestamp> {
    let peer = side.peer();
    let flow = record.wire.as_ref();
    let answers = flow.filter(|flow| flow.sent(peer).0 > 0 && flow.reset_by() != Some(peer));
    let last = |flow: &Flow| if flow.has_closed() { None } else { record.course()?.analysis.heard_at(peer) };
    let by_wire = answers.map(|flow| last(flow).unwrap_or(record.first));
    let by_kernel = record.end(side).filter(|end| end.is_there()).and_then(|end| heard(record, end, side));
    by_wire.max(by_kernel)
}

#[cfg(test)]
mod tests {
    use super::super::super::Input;
    use super::super::super::tests::*;
    use crate::findings::{Kind, Severity};
    use crate::wire::Segment;

    /// A request that is sent again at gaps that double, for longer than is merely a warning.
    fn unanswered() -> Vec<Segment> {
        let at = |nth: u32| 1_000 + 300 * ((1 << nth) - 1);
        let request = (0..8).map(|nth| segment(at(nth), CLIENT, SERVER, "P.", 101, 501, 100));
        handshake(0).into_iter().chain(request).collect()
    }

    #[test]
    fn who_is_heard_on_another_connection_is_there() {
        const OTHER: &str = "10.0.0.2:40001";
        let another = |flags, millis| {
            let syn = segment(millis, OTHER, SERVER, "S", 100, 0, 0);
            [syn, segment(millis + 5, SERVER, OTHER, flags, 500, 101, 0)]
        };
        for (more, there) in [
            (vec![], false),
            (another("S.", 30_000).to_vec(), true),
            (another("R.", 30_000).to_vec(), false),
            (another("S.", 500).to_vec(), false),
            (another("S.", 30_000)[..1].to_vec(), false),
        ] {
            let mut segments = [unanswered(), more].concat();
            segments.sort_by_key(|segment| segment.ts);
            let mut engine = fed(segments);
            engine.feed(&Input::Tick(at(65_000)));
            let silent = show(&engine).findings.into_iter().find(|finding| finding.kind == Kind::PeerSilent);
            let silent = silent.expect("it is told");
            let severity = if there { Severity::Warning } else { Severity::Critical };
            assert_eq!(silent.severity, severity, "{}", silent.told);
            assert_eq!(silent.told.ends_with("; peer heard elsewhere"), there, "{}", silent.told);
            assert_eq!(silent.why.contains("heard on other connections"), there, "{}", silent.why);
        }
    }
}
