//! §3.7 and §4: the tables: what a segment makes of its sender's state, and what the final states are called.

use super::Side;
use super::end::State;
use super::ports;
use super::row::{Patience, Row};
use super::view::ConnState;
use crate::wire::Segment;

impl Row {
    /// §3.7: the sender's step. `was` is the role that the sender had when the segment came, `role` the one that it
    /// has. Returns whether it asks to close its side.
    pub(super) fn step(&mut self, segment: &Segment, was: Side, role: Side) -> bool {
        let flags = segment.flags;
        match self.pair(role)[0].state {
            State::Inactive => return self.first_step(segment, was, role),
            State::SynSent | State::SynAckSent => {
                if flags.fin() {
                    self.enter(role, State::Closed);
                }
                if flags.rst() {
                    self.enter(role, State::Reset);
                }
            }
            State::Established | State::Partial => self.open_step(segment, role),
            State::Closed => {
                let resets = flags.rst() && self.pair(role)[1].state != State::Closed;
                if resets {
                    self.enter(role, State::Reset);
                }
                return resets && !self.pair(role)[0].did_close;
            }
            State::Reset => return false,
        }
        flags.fin() || flags.rst()
    }

    fn open_step(&mut self, segment: &Segment, role: Side) {
        let flags = segment.flags;
        let [end, peer] = self.pair(role);
        if flags.pure_syn() && end.state == State::Partial && peer.state == State::Inactive {
            self.enter(role, State::SynSent);
        }
        if flags.fin() && !flags.rst() {
            let [_, peer] = self.pair(role);
            let finished = peer.state == State::Reset && peer.before == State::Closed;
            self.enter(role, State::Closed);
            if finished {
                // FIN, then RST, and now the other side's FIN: it was closed in order.
                self.enter(role.peer(), State::Closed);
            }
        }
        if flags.rst() {
            self.enter(role, State::Reset);
        }
    }

    /// The first segment of a side, or the first that tells anything.
    fn first_step(&mut self, segment: &Segment, was: Side, role: Side) -> bool {
        let flags = segment.flags;
        let mut role = role;
        if flags.syn() && was == Side::Orig {
            self.enter(role, if flags.ack() { State::SynAckSent } else { State::SynSent });
        } else if flags.syn() {
            role = self.answer(segment, role);
        }
        if flags.fin() {
            self.enter(role, State::Closed);
        }
        if flags.rst() {
            self.enter(role, State::Reset);
        }
        if self.pair(role)[0].state == State::Inactive {
            self.without_syn(segment, was, role);
        }
        flags.fin() || flags.rst()
    }

    /// The responder's first SYN, with or without ACK. Returns the sender's role after it.
    fn answer(&mut self, segment: &Segment, mut role: Side) -> Side {
        match self.pair(role)[1].state {
            State::SynAckSent if !segment.flags.ack() => {
                // The SYN-ACK was captured before the SYN that it answers.
                self.swap();
                role = role.peer();
                self.enter(role.peer(), State::Established);
                self.first_seen[Side::Orig.index()] = true;
            }
            State::SynSent => self.enter(role.peer(), State::Established),
            _ => {}
        }
        self.enter(role, State::Established);
        let responder = if role == Side::Resp { segment.src } else { segment.dst };
        if self.pair(role)[1].state != State::Partial && ports::is_login(responder.port()) {
            self.patience = Patience::Login;
        }
        role
    }

    fn without_syn(&mut self, segment: &Segment, was: Side, role: Side) {
        let waits = self.ends[Side::Orig.index()].state == State::SynSent;
        if was == Side::Resp && segment.payload_len == 0 && waits {
            // Some answer a SYN with an ACK first.
            return;
        }
        if segment.flags.ack() && self.pair(role)[1].state == State::Established {
            // Only the SYN was not captured.
            self.enter(role, State::Established);
            self.partial = false;
            self.first_seen[role.index()] = true;
        } else {
            self.enter(role, State::Partial);
        }
    }

    /// Changes a state; the first to leave the handshake lengthens the silence allowed (§2c).
    fn enter(&mut self, role: Side, state: State) {
        let [end, peer] = self.pair(role);
        if state == end.state {
            return;
        }
        if !state.is_handshake() && end.state.is_handshake() && peer.state.is_handshake() {
            self.patience = Patience::Usual;
        }
        self.established |= state == State::Established;
        let end = &mut self.ends[role.index()];
        end.before = std::mem::replace(&mut end.state, state);
    }

    /// §4, in its order.
    pub(super) fn conn_state(&self) -> ConnState {
        use State::{Closed, Established, Inactive, Reset, SynAckSent, SynSent};
        let [orig, resp] = self.ends.map(|end| end.state);
        let nothing_sent = self.sizes() == [0, 0];
        match (orig, resp) {
            (SynSent | SynAckSent, Reset) => ConnState::Rej,
            (Reset, Reset) if nothing_sent => ConnState::Rej,
            (_, Reset) if orig.is_idle() => ConnState::Rstrh,
            (_, Reset) => ConnState::Rstr,
            (Reset, _) if resp.is_idle() && self.is_syn_then_reset() => ConnState::Rstos0,
            (Reset, _) if resp.is_idle() => ConnState::Oth,
            (Reset, _) => ConnState::Rsto,
            (Closed, Closed) => ConnState::Sf,
            (Closed, _) if resp.is_idle() => ConnState::Sh,
            (Closed, _) => ConnState::S2,
            (_, Closed) if orig.is_idle() => ConnState::Shr,
            (_, Closed) => ConnState::S3,
            (SynSent, Inactive) => ConnState::S0,
            (Established, Established) => ConnState::S1,
            _ => ConnState::Oth,
        }
    }

    /// §4 row 4: `^` or not, `S`, and of the originator nothing that goes on before its `R`.
    fn is_syn_then_reset(&self) -> bool {
        let letters = self.history.as_str();
        let Some(rest) = letters.strip_prefix('^').unwrap_or(letters).strip_prefix('S') else { return false };
        rest.find(['H', 'A', 'F', 'G', 'I', 'Q', 'R']).is_some_and(|at| rest[at..].starts_with('R'))
    }
}
