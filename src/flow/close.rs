//! Closing: FINs by their numbers, whichever side is first, and TIME-WAIT.
//!
//! May touch `base` and `wire::Segment`. Read first: RFC 9293 §3.6, §3.10.4, §3.10.7.4 (eighth: the FIN bit).

use super::half::mark;
use super::machine::{Flow, TIME_WAIT};
use super::stamp::Stamp;
use super::transitions::Event;
use super::view::Side;
use crate::base::{TcpState, Timestamp};
use crate::wire::Segment;

impl Flow {
    /// A segment with FIN, whose acknowledgment was taken in.
    pub(super) fn take_fin(&mut self, segment: &Segment, from: Side, now: Timestamp) {
        let end = segment.end();
        let half = &self.halves[from.index()];
        if half.has(mark::FIN) {
            if end == half.nxt {
                self.restart_time_wait(from.peer(), now);
            }
            self.halves[from.index()].advance(segment.seq, end);
            return;
        }
        let not_its_end = half.has(mark::SENT) && end.before(half.nxt);
        if not_its_end {
            return;
        }
        if !self.peer_takes(segment, from) {
            self.halves[from.index()].doubt_fin(end);
            return;
        }
        let first = self.first;
        let half = &mut self.halves[from.index()];
        half.advance(segment.seq, end - 1);
        half.finish(end);
        half.fin_at.set_once(segment.ts, first);
        self.send_fin(segment, from, now);
    }

    /// Its first FIN. If it does not acknowledge the peer's FIN, it was sent before that arrived: a simultaneous close.
    fn send_fin(&mut self, segment: &Segment, from: Side, now: Timestamp) {
        let peer = &self.halves[from.peer().index()];
        let crossed = peer.has(mark::FIN) && segment.ack.before(peer.nxt);
        if crossed && self.state(from) == Some(TcpState::CloseWait) {
            self.enter(from, Some(TcpState::Estab), now);
        }
        self.apply(from, Event::SendFin, now);
    }

    /// Whether a FIN lies where its receiver would take it: next in line, or in the window that it advertised.
    fn peer_takes(&self, segment: &Segment, from: Side) -> bool {
        let (half, peer) = (&self.halves[from.index()], &self.halves[from.peer().index()]);
        let Some(una) = half.una() else { return true };
        let next_in_line = !segment.seq.after(half.nxt);
        next_in_line || segment.seq.within(una, peer.window_at_most(half))
    }

    /// The end opposite to `sender` has received the FIN, if all before it was seen to pass, or it says so.
    pub(super) fn deliver_fin(&mut self, sender: Side, now: Timestamp) {
        if self.halves[sender.index()].fin_in_order() {
            self.apply(sender.peer(), Event::RecvFin, now);
        }
    }

    /// A FIN that comes again restarts the wait of the end that has received it.
    fn restart_time_wait(&mut self, side: Side, now: Timestamp) {
        let half = &mut self.halves[side.index()];
        if half.state == Some(TcpState::TimeWait) {
            half.timer = Stamp::at(now + TIME_WAIT);
        }
    }
}
