//! The state diagram of one endpoint (RFC 9293 §3.3.2, figure 5) as a table, in terms of what the wire shows.
//!
//! Pure data. `LISTEN` has no row: a listener sends nothing. A RST that is believed leads to CLOSED from anywhere.

use crate::base::TcpState::{
    self, CloseWait, Closed, Closing, Estab, FinWait1, FinWait2, LastAck, SynRecv, SynSent, TimeWait,
};

/// What happens at an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Event {
    /// It sent a SYN.
    SendSyn,
    /// It sent a SYN-ACK: it has received a SYN.
    SendSynAck,
    /// It acknowledged its peer's SYN without a SYN of its own: it has received the SYN-ACK.
    SendAckOfSyn,
    /// Its own SYN was acknowledged.
    RecvAckOfSyn,
    /// It sent its first FIN.
    SendFin,
    /// It received its peer's FIN, and everything before it.
    RecvFin,
    /// Its own FIN was acknowledged.
    RecvAckOfFin,
    /// Twice the maximum segment lifetime is over.
    TimeWaitOver,
}

use Event::{RecvAckOfFin, RecvAckOfSyn, RecvFin, SendAckOfSyn, SendFin, SendSyn, SendSynAck, TimeWaitOver};

/// Every arrow of figure 5, with the two that §3.10.7.4 adds for a FIN in SYN-RECEIVED.
const ARROWS: [(TcpState, Event, TcpState); 16] = [
    (Closed, SendSyn, SynSent),
    (Closed, SendSynAck, SynRecv),
    (SynSent, SendSynAck, SynRecv), // simultaneous open
    (SynSent, SendAckOfSyn, Estab),
    (SynRecv, RecvAckOfSyn, Estab),
    (SynRecv, SendFin, FinWait1),
    (SynRecv, RecvFin, CloseWait),
    (Estab, SendFin, FinWait1),
    (Estab, RecvFin, CloseWait),
    (FinWait1, RecvAckOfFin, FinWait2),
    (FinWait1, RecvFin, Closing), // simultaneous close
    (FinWait2, RecvFin, TimeWait),
    (Closing, RecvAckOfFin, TimeWait),
    (CloseWait, SendFin, LastAck),
    (LastAck, RecvAckOfFin, Closed),
    (TimeWait, TimeWaitOver, Closed),
];

/// Where `event` leads from `state`; `None` if it changes nothing there.
pub(super) fn next(state: TcpState, event: Event) -> Option<TcpState> {
    ARROWS.iter().find(|(from, what, _)| *from == state && *what == event).map(|(_, _, to)| *to)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_arrow_is_given_twice() {
        for (n, (from, event, _)) in ARROWS.iter().enumerate() {
            assert!(!ARROWS[n + 1..].iter().any(|(f, e, _)| f == from && e == event), "{from} {event:?}");
        }
    }

    #[test]
    fn both_ways_of_closing_first_end_in_time_wait_and_closing_second_does_not() {
        let run = |events: &[Event]| {
            events.iter().fold(Estab, |state, event| next(state, *event).expect("an arrow of the diagram"))
        };
        assert_eq!(run(&[SendFin, RecvAckOfFin, RecvFin]), TimeWait);
        assert_eq!(run(&[SendFin, RecvFin, RecvAckOfFin]), TimeWait);
        assert_eq!(run(&[RecvFin, SendFin, RecvAckOfFin]), Closed);
        assert_eq!(run(&[SendFin, RecvAckOfFin, RecvFin, TimeWaitOver]), Closed);
    }

    #[test]
    fn nothing_leads_out_of_time_wait_but_its_end() {
        for event in [SendSyn, SendSynAck, SendAckOfSyn, RecvAckOfSyn, SendFin, RecvFin, RecvAckOfFin] {
            assert_eq!(next(TimeWait, event), None);
        }
    }
}
