//! ICMP errors joined to the handshakes that they explain; those about what came later are `path_errors`' business.
//!
//! An error is a claim of whoever sent it: it changes no state, and is told with who sent it; an answer that comes
//! after all counts more. Only one that quotes the very SYN (its sequence number too, which a blind sender cannot know)
//! is taken. Read first: RFC 5927 §4.

use crate::flow::{HandshakeOutcome, Side};
use crate::wire::{Flags, IcmpQuote};

use super::Engine;
use super::dashboard::Rejection;
use super::record::Record;
use super::table::Tuple;

impl Engine {
    pub(super) fn icmp(&mut self, quote: &IcmpQuote) {
        self.wire_seen = true;
        let tuple = Tuple::new(quote.scope, quote.src, quote.dst);
        let Some(slot) = self.table.find(&tuple) else { return };
        if self.table.get(slot).is_explained_by(quote) {
            let rejection = Rejection { at: quote.ts, from: quote.from, error: quote.error };
            self.change(slot, quote.ts, |record| {
                record.rare.get_or_insert_default().rejected = Some(rejection);
                if let Some(flow) = &mut record.wire {
                    flow.reject(quote.ts);
                }
            });
        } else {
            self.path_error(slot, quote);
        }
    }
}

impl Record {
    /// Whether the error is about the SYN of this flow's handshake, still unanswered, and the first that is since it was
    /// sent last.
    fn is_explained_by(&self, quote: &IcmpQuote) -> bool {
        let Some(flow) = self.wire.as_ref() else { return false };
        let explained = flow.outcome() == HandshakeOutcome::Rejected;
        !explained
            && quote.error.is_unreachable()
            && flow.is_unproven()
            && quote.src == self.orig
            && quote.flags.is_none_or(Flags::pure_syn)
            && flow.half(Side::Orig).iss == Some(quote.seq)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::tests::segment;
    use super::super::{Config, FlowId, Input};
    use super::*;
    use crate::base::{Seq, TcpState, Timestamp};
    use crate::engine::FlowDetail;
    use crate::wire::{IcmpError, Segment};

    const CLIENT: &str = "10.0.0.2:40000";
    const SERVER: &str = "10.0.0.5:80";

    fn syn() -> Segment {
        segment(0, CLIENT, SERVER, "S", 100, 0, 0)
    }

    /// A firewall's word about the SYN.
    fn quote() -> IcmpQuote {
        let syn = syn();
        IcmpQuote {
            ts: Timestamp::from_nanos(syn.ts.nanos() + 5_000_000),
            scope: syn.scope,
            from: [10, 0, 0, 1].into(),
            error: IcmpError { v6: false, kind: 3, code: 10 },
            src: syn.src,
            dst: syn.dst,
            seq: syn.seq,
            flags: None,
            mtu: None,
        }
    }

    fn after(inputs: &[Input]) -> FlowDetail {
        let mut engine = Engine::new(Config::replay(10, 1));
        inputs.iter().for_each(|input| engine.feed(input));
        engine.detail(FlowId(0)).expect("the flow")
    }

    #[test]
    fn an_unreachable_that_quotes_the_syn_is_told_with_the_outcome() {
        let detail = after(&[Input::Segment(syn()), Input::Icmp(quote())]);
        let rejection = detail.rejected.expect("a rejection");
        assert_eq!(rejection.to_string(), "rejected by 10.0.0.1: host prohibited");
        assert_eq!(rejection.at, quote().ts);
        assert_eq!(detail.row.outcome, Some(HandshakeOutcome::Rejected));
        assert_eq!(detail.row.orig.inferred, Some(TcpState::SynSent), "a claim changes no state");
        assert_eq!(detail.story, "No connection to 10.0.0.5:80: the SYN was rejected by 10.0.0.1: host prohibited.");
        assert_eq!(detail.row.segments, Some(1), "a quote is no segment");
    }

    #[test]
    fn a_syn_sent_again_waits_and_the_claim_about_the_last_one_stays() {
        let second = IcmpQuote { error: IcmpError { v6: false, kind: 3, code: 1 }, ..quote() };
        let later = Input::Tick(Timestamp::from_nanos(syn().ts.nanos() + 10_000_000_000));
        let retry = Segment { ts: Timestamp::from_nanos(syn().ts.nanos() + 1_000_000_000), ..syn() };
        let again = IcmpQuote { ts: retry.ts + Duration::from_millis(5), ..second };
        let third = IcmpQuote { ts: again.ts + Duration::from_millis(5), ..quote() };
        let inputs = [Input::Segment(syn()), Input::Icmp(quote()), Input::Icmp(second), Input::Segment(retry)];
        let waits = after(&inputs);
        assert_eq!(waits.row.outcome, Some(HandshakeOutcome::Waiting));
        let told = "It was rejected by 10.0.0.1: host prohibited, and it tries on.";
        assert!(waits.story.contains(told), "{}", waits.story);
        let detail = after(&[&inputs[..], &[Input::Icmp(again), Input::Icmp(third), later]].concat());
        assert_eq!(detail.row.outcome, Some(HandshakeOutcome::Rejected));
        assert_eq!(detail.row.orig.inferred, Some(TcpState::Closed));
        assert_eq!(detail.rejected.map(|rejection| rejection.at), Some(again.ts));
        assert!(detail.story.contains("host unreachable"), "{}", detail.story);
    }

    #[test]
    fn other_errors_explain_nothing() {
        let quote = quote();
        for (name, other) in [
            ("another SYN", IcmpQuote { seq: Seq(101), ..quote }),
            ("not the SYN", IcmpQuote { flags: Some(Flags::ACK), ..quote }),
            ("the other direction", IcmpQuote { src: quote.dst, dst: quote.src, ..quote }),
            ("too big", IcmpQuote { error: IcmpError { v6: false, kind: 3, code: 4 }, ..quote }),
            ("too far", IcmpQuote { error: IcmpError { v6: false, kind: 11, code: 0 }, ..quote }),
        ] {
            assert_eq!(after(&[Input::Segment(syn()), Input::Icmp(other)]).rejected, None, "{name}");
        }
    }

    #[test]
    fn an_answered_syn_was_not_rejected() {
        let answer = segment(2, SERVER, CLIENT, "S.", 500, 101, 0);
        let detail = after(&[Input::Segment(syn()), Input::Segment(answer), Input::Icmp(quote())]);
        assert_eq!(detail.rejected, None);
        let late = Segment { ts: Timestamp::from_nanos(quote().ts.nanos() + 1), ..answer };
        let detail = after(&[Input::Segment(syn()), Input::Icmp(quote()), Input::Segment(late)]);
        assert_eq!(detail.row.outcome, Some(HandshakeOutcome::Waiting), "an answer after all counts more");
        assert!(!detail.story.contains("rejected"), "{}", detail.story);
    }
}
