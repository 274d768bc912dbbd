//! Our verdict beside Wireshark's marks, segment by segment, over a corpus of captures: every segment that Wireshark
//! calls sent again, out of order, a keep-alive or a probe has a cause or a reason to have none; the table of both is
//! printed.
//!
//! `SOCKSCOPE_CORPUS` names the corpus; its captures are in `dev/`.
#![allow(clippy::print_stdout, reason = "how the two differ is what a reader of this test wants")]

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use sockscope::base::Endpoint;
use sockscope::flow::{Analysis, Around, Cause, Flow, Mark, Marks, Side, Verdict};
use sockscope::wire::Segment;

#[path = "support/corpus.rs"]
mod corpus;
use corpus::{captures, segments};

/// Wireshark's words on a segment that was sent again or came late: the most telling one.
const WORDS: [Mark; 6] = [
    Mark::FastRetransmission,
    Mark::SpuriousRetransmission,
    Mark::OutOfOrder,
    Mark::Retransmission,
    Mark::KeepAlive,
    Mark::ZeroWindowProbe,
];

/// A connection: its originator's end first.
struct Connection {
    orig: Endpoint,
    flow: Flow,
    analysis: Analysis,
    verdict: Verdict,
    renumbered: bool,
}

impl Connection {
    fn begin(segment: &Segment, reused: bool) -> Self {
        let orig = if Flow::side_of_first(segment) == Side::Orig { segment.src } else { segment.dst };
        let analysis = if reused { Analysis::reusing() } else { Analysis::new() };
        Self { orig, flow: Flow::new(segment), analysis, verdict: Verdict::new(), renumbered: false }
    }

    /// What Wireshark and we say of the segment.
    fn feed(&mut self, segment: &Segment, from: Side, first: bool) -> (Marks, Option<Cause>) {
        let counts = |verdict: &Verdict| verdict.view().halves[from.index()].counts;
        let before = counts(&self.verdict);
        let flow = Some(&self.flow).filter(|_| !first);
        self.verdict.feed(segment, from, || Around::of(&self.analysis, flow, from));
        let after = counts(&self.verdict);
        if !first {
            self.flow.expire(segment.ts);
            self.flow.feed(segment, from);
        }
        // An original that comes late also shows its repeat to have been needless.
        let cause = Cause::ALL.into_iter().find(|cause| after.of(*cause) > before.of(*cause));
        (self.analysis.feed(segment, from), cause)
    }
}

#[test]
fn every_mark_has_a_cause() {
    let Some(corpus) = std::env::var_os("SOCKSCOPE_CORPUS") else {
        println!("skipped: SOCKSCOPE_CORPUS not set");
        return;
    };
    let mut table: BTreeMap<(&str, &str), u64> = BTreeMap::new();
    let mut silent = Vec::new();
    for capture in captures(&Path::new(&corpus).join("dev")) {
        let mut connections: HashMap<(Endpoint, Endpoint), Connection> = HashMap::new();
        for segment in segments(&capture) {
            let ends = (segment.src.min(segment.dst), segment.src.max(segment.dst));
            let side = |orig| if segment.src == orig { Side::Orig } else { Side::Resp };
            let known = connections.get(&ends);
            let replaced = known.is_some_and(|known| known.flow.is_replaced_by(&segment, side(known.orig)));
            let first = known.is_none() || replaced;
            if first {
                connections.insert(ends, Connection::begin(&segment, replaced));
            }
            let connection = connections.get_mut(&ends).expect("just begun");
            let (marks, cause) = connection.feed(&segment, side(connection.orig), first);
            let word = WORDS.into_iter().find(|mark| marks.has(*mark));
            let syn = if segment.flags.syn() { "a SYN: the handshake's" } else { "none" };
            if word.is_some() || cause.is_some() {
                *table.entry((word.map_or("none", Mark::words), cause.map_or(syn, Cause::words))).or_default() += 1;
            }
            // Without data or FIN it has no numbers that could be sent again; a RST is answered by nothing.
            let carries = (segment.payload_len > 0 || segment.flags.fin()) && !segment.flags.rst();
            // After SYN-ACKs with several numbers Wireshark counts from the highest, whichever of them holds.
            connection.renumbered |= segment.flags.syn() && marks.has(Mark::ReusedPorts);
            let told = cause.is_some() || segment.flags.syn() || connection.renumbered;
            if word.is_some() && carries && !told {
                silent.push(format!("{} {:?} {segment:?}", capture.display(), word));
            }
        }
    }
    for ((word, cause), count) in &table {
        println!("{word:25} {cause:25} {count}");
    }
    assert!(!table.is_empty(), "nothing to hold it against");
    assert!(silent.is_empty(), "{silent:#?}");
}
