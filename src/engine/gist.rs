//! A flow in short, for whoever goes through every one: what is counted of it, and whether its details may tell of trouble.
//!
//! Of most flows nothing else is told, and what their courses tell need not be made for it.

use std::sync::Arc;

use crate::base::{Endpoint, TcpState, Timestamp};
use crate::flow::{Flow, HandshakeView, Side};
use crate::kernel::Process;

use super::dashboard::{FlowDetail, Rejection};
use super::record::Record;
use super::{Engine, FlowId};

/// A flow in short.
#[derive(Debug, Clone, PartialEq)]
pub struct Gist {
    pub id: FlowId,
    pub first: Timestamp,
    pub last: Timestamp,
    pub orig: Endpoint,
    pub resp: Endpoint,
    /// The responder is on this host, as far as that is known.
    pub resp_is_here: bool,
    /// Who holds the originator's end, or did.
    pub asker: Option<Arc<Process>>,
    /// `None` if no segment was seen.
    pub handshake: Option<HandshakeView>,
    /// An ICMP error that explains why the handshake got no answer.
    pub rejected: Option<Rejection>,
    /// Both directions; `None` if no segment was seen.
    pub payload_bytes: Option<u64>,
    /// Only the wire shows it, and nothing irregular of it since its handshake: nothing was sent again, no RST ended it,
    /// and no end that is open has a window of 0 or stays in CLOSE-WAIT. Where that was not looked at, false.
    pub is_regular: bool,
}

impl From<&FlowDetail> for Gist {
    fn from(detail: &FlowDetail) -> Self {
        let row = &detail.row;
        Self {
            id: row.id,
            first: row.first,
            last: row.last,
            orig: row.orig.endpoint,
            resp: row.resp.endpoint,
            resp_is_here: row.resp.local == Some(true),
            asker: row.orig.owner.process().cloned(),
            handshake: detail.handshake,
            rejected: detail.rejected,
            payload_bytes: row.payload_bytes,
            is_regular: false,
        }
    }
}

impl Engine {
    /// A flow in short, if it is still in the table.
    pub fn gist(&self, id: FlowId) -> Option<Gist> {
        let record = self.table.get(self.table.find_id(id)?);
        Some(Gist {
            id,
            first: record.first,
            last: record.touched,
            orig: record.orig,
            resp: record.resp,
            resp_is_here: self.is_local(record, Side::Resp) == Some(true),
            asker: self.owner(record, Side::Orig).process().cloned(),
            handshake: record.wire.as_ref().map(Flow::handshake),
            rejected: record.rare.as_deref().and_then(|rare| rare.rejected),
            payload_bytes: record.payload_bytes(),
            is_regular: record.wire.as_ref().is_some_and(|flow| is_regular(record, flow)),
        })
    }
}

/// See [`Gist::is_regular`].
fn is_regular(record: &Record, flow: &Flow) -> bool {
    let stuck = |side| flow.zero_window_since(side).is_some() || flow.state(side) == Some(TcpState::CloseWait);
    let by_wire_alone = record.ends.iter().all(Option::is_none);
    // Of a flow that is over, and of segments that wait, none was sent again.
    let troubled = record.known_course().is_some_and(|course| course.verdict.is_troubled());
    let ended_well = flow.reset_by().is_none() && (record.is_closed() || !Side::BOTH.into_iter().any(stuck));
    by_wire_alone && ended_well && !troubled
}

#[cfg(test)]
mod tests {
    use super::super::tests::*;
    use super::*;
    use crate::wire::Segment;

    const ONLY: FlowId = FlowId(0);

    fn gist(segments: Vec<Segment>) -> Gist {
        fed(segments).gist(ONLY).expect("a flow")
    }

    #[test]
    fn a_gist_is_of_its_flow() {
        let data = segment(20, CLIENT, SERVER, "P.", 101, 501, 100);
        let mut engine = fed([handshake(0), vec![data]].concat());
        feed_all(
            &mut engine,
            [sample(50, vec![socket(CLIENT, SERVER, TcpState::Estab, (0, 0), 7, 1)], &[(7, 9, 3, "curl")])],
        );
        for engine in [fed([handshake(0), vec![data]].concat()), fed(handshake(0).into_iter().take(1)), engine] {
            let (gist, detail) = (engine.gist(ONLY).expect("a flow"), engine.detail(ONLY).expect("a flow"));
            assert_eq!(Gist { is_regular: false, ..gist }, Gist::from(&detail));
        }
    }

    #[test]
    fn what_is_irregular_is_told() {
        let data = |millis, flags| segment(millis, CLIENT, SERVER, flags, 101, 501, 100);
        let ack = segment(30, SERVER, CLIENT, ".", 501, 201, 0);
        let closed = Segment { window: 0, ..ack };
        let then = |segments: &[Segment]| [handshake(0), segments.to_vec()].concat();
        for (what, segments, regular) in [
            ("a lone SYN", handshake(0)[..1].to_vec(), true),
            ("data", then(&[data(20, "P."), ack]), true),
            ("data sent again", then(&[data(20, "P."), data(400, "P."), ack]), false),
            ("a window of 0", then(&[data(20, "P."), closed]), false),
            ("a RST", then(&[data(20, "P."), segment(30, SERVER, CLIENT, "R.", 501, 201, 0)]), false),
            ("a close", [handshake(0), close(20)].concat(), true),
            ("half a close", [handshake(0), close(20)[..1].to_vec()].concat(), false),
        ] {
            assert_eq!(gist(segments).is_regular, regular, "{what}");
        }
    }
}
