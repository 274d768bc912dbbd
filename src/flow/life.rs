//! The landmarks of a flow's life, from the times that it keeps.
//!
//! May touch `base`. Told to the microsecond (coarser after 17 minutes), so that their order is the order of events.

use super::machine::{Flow, flag};
use super::stamp::Offset;
use super::view::{HandshakeOutcome, LifeEvent, LifeEventKind as Kind, Side};
use crate::base::{TcpState, Timestamp};

impl Flow {
    /// As many as most lives have.
    const LANDMARKS: usize = 16;

    /// The landmarks of its life, in order of time. A FIN's acknowledgment is told on the side of the FIN.
    pub fn life(&self) -> Vec<LifeEvent> {
        let mut events = Vec::with_capacity(Self::LANDMARKS);
        self.tell_handshake(&mut events);
        for side in Side::BOTH {
            self.tell_half(side, &mut events);
        }
        let last_data_from = self.resp_if(flag::LAST_DATA_FROM_RESP);
        let last_data = self.last_data_at;
        if self.halves.iter().all(|half| half.first_data_at != last_data) {
            self.tell(&mut events, last_data_from, Kind::LastData, last_data.get(self.first));
        }
        self.tell(&mut events, self.resp_if(flag::RST_FROM_RESP), Kind::Rst, self.rst_at.get(self.first));
        events.sort_by_key(|event| event.ts);
        events
    }

    fn tell(&self, events: &mut Vec<LifeEvent>, side: Side, kind: Kind, at: Option<Timestamp>) {
        if let Some(ts) = at.and_then(|ts| Offset::of(ts, self.first).get(self.first)) {
            events.push(LifeEvent { ts, side, kind });
        }
    }

    fn tell_handshake(&self, events: &mut Vec<LifeEvent>) {
        let view = self.handshake();
        if self.outcome == HandshakeOutcome::Partial {
            self.tell(events, self.first_from(), Kind::FirstSeen, Some(self.first));
        }
        self.tell(events, Side::Orig, Kind::Syn, view.syn_at);
        if view.syn_retries > 0 && self.last_syn.get() != view.syn_at {
            self.tell(events, Side::Orig, Kind::SynRetry(view.syn_retries), self.last_syn.get());
        }
        self.tell(events, Side::Resp, Kind::SynAck, view.syn_ack_at);
        if view.syn_ack_retries > 0 && self.last_syn_ack != self.syn_ack {
            self.tell(events, Side::Resp, Kind::SynAckRetry(view.syn_ack_retries), self.last_syn_ack.get());
        }
        self.tell(events, Side::Orig, Kind::HandshakeAck, view.ack_at);
        let given_up_by = match self.outcome {
            HandshakeOutcome::Unanswered | HandshakeOutcome::GivenUp => Some(Side::Orig),
            HandshakeOutcome::HalfOpen => Some(Side::Resp),
            _ => None,
        };
        if let Some(side) = given_up_by {
            self.tell(events, side, Kind::TimedOut, self.concluded_at());
        }
    }

    fn tell_half(&self, side: Side, events: &mut Vec<LifeEvent>) {
        let half = &self.halves[side.index()];
        let over = half.timer.get().filter(|_| half.state == Some(TcpState::Closed) && half.time_wait_at.is_set());
        for (kind, at) in [
            (Kind::FirstData, half.first_data_at.get(self.first)),
            (Kind::ZeroWindow, self.zero_window_since(side)),
            (Kind::Fin, half.fin_at.get(self.first)),
            (Kind::FinAcked, half.fin_acked_at.get(self.first)),
            (Kind::TimeWait, half.time_wait_at.get(self.first)),
            (Kind::TimeWaitOver, over),
        ] {
            self.tell(events, side, kind, at);
        }
    }
}
