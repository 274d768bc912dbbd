//! Handshakes, one by one: which come first, and what each tells.

use std::cmp::Reverse;
use std::time::Duration;

use crate::base::{Timestamp, nanos};
use crate::flow::{Flow, HandshakeOutcome, LifeEventKind, Side};

use super::super::opening::{Wait, WaitKind, waits};
use super::super::record::Record;
use super::super::{Engine, Filter, FlowId, Sort};
use super::{HandshakeRow, HandshakeSort};

impl Engine {
    /// The flows whose handshake was seen, at least in part.
    pub(super) fn order_handshakes(&self, filter: &Filter, sort: Sort<HandshakeSort>) -> Vec<FlowId> {
        let now = self.now.unwrap_or_default();
        let seen = self.table.iter().filter_map(|(_, record)| {
            let flow = record.wire.as_ref().filter(|flow| flow.outcome() != HandshakeOutcome::Partial)?;
            filter.matches(self, record).then_some((record, flow))
        });
        // Weight first, then what is told first of equal weight, then the number.
        let weigh = |(record, flow): (&Record, &Flow)| {
            let latest = Reverse(record.first);
            let key = match sort.by {
                HandshakeSort::Failures => (severity(flow), latest),
                HandshakeSort::Recent => (0, latest),
                HandshakeSort::Slowest => (u64::MAX - nanos(took(record, flow, now).unwrap_or_default()), latest),
            };
            (key, record.id)
        };
        let mut order: Vec<((u64, Reverse<Timestamp>), FlowId)> = seen.map(weigh).collect();
        order.sort_unstable();
        if sort.reverse {
            order.reverse();
        }
        order.into_iter().map(|(_, id)| id).collect()
    }

    pub(super) fn handshake_row(&self, id: FlowId) -> Option<HandshakeRow> {
        let record = self.table.get(self.table.find_id(id)?);
        let flow = record.wire.as_ref()?;
        let (life, shown) = (flow.life(), self.row(record));
        let at = |wanted: fn(LifeEventKind) -> bool| life.iter().find(|event| wanted(event.kind)).map(|event| event.ts);
        let view = flow.handshake();
        let waits = waits(record.opening.shown(), Some(&view));
        let waited = |kind| waits.iter().find(|wait| wait.kind == kind).and_then(Wait::time);
        Some(HandshakeRow {
            flow: id,
            orig: record.orig,
            resp: record.resp,
            owner: shown.orig.owner,
            resp_owner: shown.resp.owner,
            name: shown.name,
            view,
            since: flow.span().0,
            syns_again: record.retries(Side::Orig, at(|kind| matches!(kind, LifeEventKind::SynRetry(_)))),
            syn_acks_again: record.retries(Side::Resp, at(|kind| matches!(kind, LifeEventKind::SynAckRetry(_)))),
            concluded: flow.concluded_at(),
            took: took(record, flow, self.now.unwrap_or_default()),
            rejected: record.rare.as_deref().and_then(|rare| rare.rejected),
            dns: waited(WaitKind::Dns),
            tls: waited(WaitKind::Tls),
        })
    }
}

/// What went wrong most comes first; what still waits before what went well.
fn severity(flow: &Flow) -> u64 {
    match flow.outcome() {
        HandshakeOutcome::Unanswered => 0,
        HandshakeOutcome::GivenUp => 1,
        HandshakeOutcome::HalfOpen => 2,
        HandshakeOutcome::Reset => 3,
        HandshakeOutcome::Rejected => 4,
        HandshakeOutcome::Refused => 5,
        HandshakeOutcome::Waiting => 6,
        HandshakeOutcome::Completed | HandshakeOutcome::Simultaneous | HandshakeOutcome::Partial => 7,
    }
}

fn took(record: &Record, flow: &Flow, now: Timestamp) -> Option<Duration> {
    flow.handshake_lasted_until(now.max(record.first)).map(|until| until.since(flow.span().0))
}
