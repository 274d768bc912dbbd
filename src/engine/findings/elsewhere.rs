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
    use super::super::super::course::Told;
    use super::super::super::sealed::Courses;
    use super::super::super::tests::*;
    use super::super::super::{Engine, Input};
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

    /// Of a flow that is over only its beginning is asked, since the rest may be packed.
    #[test]
    fn a_flow_that_is_over_is_told_the_same_once_it_is_packed() {
        const OTHER: &str = "10.0.0.2:40001";
        let from = |millis, flags, seq, ack| segment(millis, OTHER, SERVER, flags, seq, ack, 0);
        let back = |millis, flags, seq, ack| segment(millis, SERVER, OTHER, flags, seq, ack, 0);
        let open = [from(500, "S", 100, 0), back(505, "S.", 500, 101), from(510, ".", 101, 501)];
        let close = [from(30_000, "F.", 101, 501), back(30_005, "F.", 501, 102), from(30_010, ".", 102, 502)];
        for (closing, there) in [(1, false), (2, true), (3, false)] {
            let mut segments = [unanswered(), open.to_vec(), close[..closing].to_vec()].concat();
            segments.sort_by_key(|segment| segment.ts);
            let mut engine = fed(segments);
            engine.feed(&Input::Tick(at(65_000)));
            let told = |engine: &Engine| {
                let silent = show(engine).findings.into_iter().find(|finding| finding.kind == Kind::PeerSilent);
                silent.expect("it is told").told.ends_with("; peer heard elsewhere")
            };
            assert_eq!(told(&engine), there, "{closing}");
            let slots: Vec<_> = engine.table.iter().map(|(slot, _)| slot).collect();
            for slot in slots {
                let record = engine.table.get_mut(slot);
                if let Some(flow) = record.may_be_sealed().then(|| record.take_unsealed()).flatten() {
                    record.course = Told::Over(Courses::of(vec![flow]), 0);
                }
            }
            assert_eq!(told(&engine), there, "{closing}, packed");
        }
    }
}
