//! The names of a connection's states, as RFC 9293 §3.3.2 orders them and `ss` writes them.

use std::fmt;

/// A TCP state. Whose claim it is (inferred from the wire, or reported by the kernel) is told by the
/// place it stands in; the two are never merged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TcpState {
    Listen,
    SynSent,
    SynRecv,
    Estab,
    FinWait1,
    FinWait2,
    CloseWait,
    Closing,
    LastAck,
    TimeWait,
    Closed,
}

impl TcpState {
    /// Every state, in the order screens list them.
    pub const ALL: [Self; 11] = [
        Self::Listen,
        Self::SynSent,
        Self::SynRecv,
        Self::Estab,
        Self::FinWait1,
        Self::FinWait2,
        Self::CloseWait,
        Self::Closing,
        Self::LastAck,
        Self::TimeWait,
        Self::Closed,
    ];

    /// The name as the kernel's tools write it: `ESTAB`, `TIME-WAIT`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Listen => "LISTEN",
            Self::SynSent => "SYN-SENT",
            Self::SynRecv => "SYN-RECV",
            Self::Estab => "ESTAB",
            Self::FinWait1 => "FIN-WAIT-1",
            Self::FinWait2 => "FIN-WAIT-2",
            Self::CloseWait => "CLOSE-WAIT",
            Self::Closing => "CLOSING",
            Self::LastAck => "LAST-ACK",
            Self::TimeWait => "TIME-WAIT",
            Self::Closed => "CLOSED",
        }
    }

    /// Its place in [`TcpState::ALL`].
    pub const fn index(self) -> usize {
        self as usize
    }

    /// Whether both ends' numbers are agreed (RFC 9293 §3.10.7.4: the synchronized states).
    pub const fn is_synchronized(self) -> bool {
        !matches!(self, Self::Listen | Self::SynSent | Self::SynRecv | Self::Closed)
    }
}

/// A set of states.
#[derive(Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct StateSet(u16);

impl StateSet {
    /// No state, and every one.
    pub const NONE: Self = Self(0);
    pub const ALL: Self = Self::of(&TcpState::ALL);

    /// The set of these.
    pub const fn of(states: &[TcpState]) -> Self {
        let mut bits = 0;
        let mut at = 0;
        while at < states.len() {
            bits |= 1 << states[at].index();
            at += 1;
        }
        Self(bits)
    }

    /// Whether `state` is in it.
    pub const fn has(self, state: TcpState) -> bool {
        self.0 & 1 << state.index() != 0
    }

    /// Whether every state of `other` is in it.
    pub const fn has_all(self, other: Self) -> bool {
        other.0 & !self.0 == 0
    }

    /// Whether some state is in both.
    pub const fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// What is in either.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// What is in both.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// What is in this one and not in the other.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// The states that a connection which is in one of these may be in later, these included (RFC 9293 figure 5; any
    /// number of steps may lie between two looks).
    #[must_use]
    pub fn onward(self) -> Self {
        self.iter().fold(self, |set, state| set.with(after(state)))
    }

    /// Whether no state is in it.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Its states, in the order of [`TcpState::ALL`].
    pub fn iter(self) -> impl Iterator<Item = TcpState> {
        TcpState::ALL.into_iter().filter(move |state| self.has(*state))
    }
}

/// The states that may follow one, soon or late.
const fn after(state: TcpState) -> StateSet {
    use TcpState::{
        CloseWait, Closed, Closing, Estab, FinWait1, FinWait2, LastAck, Listen, SynRecv, SynSent, TimeWait,
    };
    let closed = StateSet::of(&[FinWait1, FinWait2, CloseWait, Closing, LastAck, TimeWait]);
    match state {
        Listen | Closed | LastAck | TimeWait => StateSet::NONE,
        SynSent => StateSet::of(&[SynRecv, Estab]).with(closed),
        SynRecv => StateSet::of(&[Estab]).with(closed),
        Estab => closed,
        FinWait1 => StateSet::of(&[FinWait2, Closing, TimeWait]),
        CloseWait => StateSet::of(&[LastAck]),
        FinWait2 | Closing => StateSet::of(&[TimeWait]),
    }
}

impl fmt::Debug for StateSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

impl fmt::Display for TcpState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_lists_each_state_at_its_index() {
        for (index, state) in TcpState::ALL.iter().enumerate() {
            assert_eq!(state.index(), index);
        }
    }

    #[test]
    fn a_set_holds_what_was_put_into_it() {
        use TcpState::{Estab, Listen, TimeWait};
        let set = StateSet::of(&[Listen, TimeWait]);
        assert_eq!((set.has(Listen), set.has(Estab), set.has(TimeWait)), (true, false, true));
        assert_eq!(set.iter().collect::<Vec<_>>(), [Listen, TimeWait]);
        assert_eq!(StateSet::ALL.iter().collect::<Vec<_>>(), TcpState::ALL);
        assert_eq!(set.without(StateSet::of(&[Listen])), StateSet::of(&[TimeWait]));
        assert_eq!(StateSet::of(&[Listen]).with(StateSet::of(&[TimeWait])), set);
        assert!(set.meets(StateSet::ALL) && !set.meets(StateSet::of(&[Estab])) && StateSet::NONE.is_empty());
        let onward = |states| StateSet::of(states).onward();
        assert_eq!(onward(&[TimeWait]), StateSet::of(&[TimeWait]));
        assert_eq!(onward(&[TcpState::SynSent]), StateSet::ALL.without(StateSet::of(&[Listen, TcpState::Closed])));
        assert!(!onward(&[TcpState::FinWait1]).has(Estab) && onward(&[TcpState::CloseWait]).has(TcpState::LastAck));
        assert!(!onward(&[TcpState::CloseWait]).has(TimeWait), "its peer waits");
        assert!(StateSet::ALL.has_all(set) && !set.has_all(StateSet::ALL));
    }
}
