//! The same datagram seen on another interface a moment later (`any`, veth, bridges) is one segment when live.

use std::time::Duration;

use crate::base::{Endpoint, Seq, Timestamp};
use crate::wire::Segment;

/// How long after the first sight another interface may show the same datagram.
const WINDOW: Duration = Duration::from_millis(1);
const PLACES: usize = 2048;

/// What was seen lately, one place for each digest's lower bits: a collision there only lets a repeat pass as new. As a
/// sender may make datagrams of one digest, what tells connections and their bytes apart is compared too.
#[derive(Debug, Clone)]
pub(super) struct Dedupe {
    /// The digest of each place; what else was seen is asked for only where that is the same, for to read it takes long.
    digests: Vec<u32>,
    places: Vec<Option<Seen>>,
}

#[derive(Debug, Clone, Copy)]
struct Seen {
    src: Endpoint,
    dst: Endpoint,
    seq: Seq,
    ack: Seq,
    iface: u32,
    ts: Timestamp,
}

impl Dedupe {
    pub(super) fn new() -> Self {
        Self { digests: vec![0; PLACES], places: vec![None; PLACES] }
    }

    /// Whether `segment` shows a datagram that another interface has just shown.
    #[inline]
    pub(super) fn is_repeat(&mut self, segment: &Segment) -> bool {
        let at = segment.digest as usize % PLACES;
        let (digest, place) = (&mut self.digests[at], &mut self.places[at]);
        let alike = std::mem::replace(digest, segment.digest) == segment.digest;
        let repeat = alike
            && place.is_some_and(|seen| {
                (seen.seq, seen.ack) == (segment.seq, segment.ack)
                    && (seen.src, seen.dst) == (segment.src, segment.dst)
                    && seen.iface != segment.iface
                    && segment.ts.since(seen.ts).max(seen.ts.since(segment.ts)) <= WINDOW
            });
        if !repeat {
            let Segment { src, dst, seq, ack, iface, ts, .. } = *segment;
            *place = Some(Seen { src, dst, seq, ack, iface, ts });
        }
        repeat
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::segment;
    use super::super::{Config, Engine, FlowId, Input, Repeats};
    use super::*;
    use crate::wire::{Tunnel, TunnelKind};

    const CLIENT: &str = "10.0.0.2:40000";
    const SERVER: &str = "10.0.0.5:80";

    fn outer(segment: Segment) -> Segment {
        let tunnel = Some(Tunnel { kind: TunnelKind::Vxlan, id: Some(42.into()) });
        Segment { tunnel, iface: 1, ..segment }
    }

    fn inner(segment: Segment) -> Segment {
        Segment { iface: 2, ts: segment.ts + Duration::from_micros(20), ..segment }
    }

    /// Segments and payload bytes that counted.
    fn counted(config: Config, segments: &[Segment]) -> (u64, u64) {
        let mut engine = Engine::new(config);
        segments.iter().for_each(|segment| engine.feed(&Input::Segment(*segment)));
        let row = engine.detail(FlowId(0)).expect("the flow").row;
        (row.segments.expect("segments"), row.payload_bytes.expect("bytes"))
    }

    /// A handshake in which both see the same, then 3,000 bytes that the tunnel carries in two.
    fn through_a_tunnel() -> [Segment; 7] {
        let syn = segment(0, CLIENT, SERVER, "S", 100, 0, 0);
        let answer = segment(1, SERVER, CLIENT, "S.", 500, 101, 0);
        let parts = [segment(2, CLIENT, SERVER, ".", 101, 501, 1500), segment(2, CLIENT, SERVER, ".", 1601, 501, 1500)];
        let whole = segment(2, CLIENT, SERVER, ".", 101, 501, 3000);
        [outer(syn), inner(syn), outer(answer), inner(answer), outer(parts[0]), outer(parts[1]), inner(whole)]
    }

    #[test]
    fn what_a_tunnel_and_the_link_beneath_it_show_counts_once_when_live() {
        assert_eq!(counted(Config::live(10, 1), &through_a_tunnel()), (3, 3000));
        assert_eq!(counted(Config::replay(10, 1), &through_a_tunnel()), (7, 6000), "in a file every frame counts");
        let by_one = through_a_tunnel().map(|segment| Segment { iface: 1, ..segment });
        let told = [Repeats::Tunnels, Repeats::Interfaces]
            .map(|repeats| counted(Config { repeats, ..Config::live(10, 1) }, &by_one));
        assert_eq!(told, [(5, 3000); 2], "of one interface the same");
    }

    #[test]
    fn of_one_digest_only_the_same_datagram_is_a_repeat() {
        let first = Segment { digest: 7, ..segment(0, CLIENT, SERVER, "S", 100, 0, 0) };
        let is_repeat = |second: Segment| {
            let mut dedupe = Dedupe::new();
            assert!(!dedupe.is_repeat(&first));
            dedupe.is_repeat(&Segment { digest: 7, ..inner(second) })
        };
        assert!(is_repeat(first));
        let others = [
            segment(0, "10.0.0.2:40001", SERVER, "S", 100, 0, 0),
            segment(0, CLIENT, "10.0.0.6:80", "S", 100, 0, 0),
            segment(0, CLIENT, SERVER, "S", 101, 0, 0),
            segment(0, CLIENT, SERVER, "S", 100, 1, 0),
        ];
        assert_eq!(others.map(is_repeat), [false; 4]);
    }

    #[test]
    fn a_direction_that_only_the_tunnel_shows_counts() {
        let data = segment(2, CLIENT, SERVER, ".", 101, 501, 1500);
        let answer = segment(3, SERVER, CLIENT, ".", 501, 1601, 10);
        assert_eq!(counted(Config::live(10, 1), &[outer(data), inner(answer), outer(data)]), (3, 3010));
    }
}
