//! What the trace tells of other network namespaces concerns nobody here, unless the connection itself passes by: only
//! then is it told, and only then recorded.

use std::collections::HashSet;

use crate::base::Endpoint;
use crate::engine::Input;
use crate::kernel::{Connect, KernelEvent};

/// SYNs remembered in each of two generations; the older one goes when the younger is full.
const GENERATION: usize = 32_768;

/// The SYNs that were captured lately, by who sent them to whom.
#[derive(Debug, Default)]
pub(super) struct Passing {
    /// Whether anything is captured.
    captures: bool,
    young: HashSet<(Endpoint, Endpoint)>,
    old: HashSet<(Endpoint, Endpoint)>,
}

impl Passing {
    /// No SYN yet; whether there will be any.
    pub(super) fn new(captures: bool) -> Self {
        Self { captures, ..Self::default() }
    }

    /// Whether an input is a segment of which nothing is remembered.
    #[inline]
    pub(super) fn disregards(input: &Input) -> bool {
        matches!(input, Input::Segment(segment) if !segment.flags.syn())
    }

    /// Whether an input is to be told; in the engine's order, so that a connect() follows its SYN.
    pub(super) fn concerns(&mut self, input: &Input) -> bool {
        match input {
            Input::Segment(segment) if segment.flags.syn() && !segment.flags.ack() => {
                self.note((segment.src, segment.dst));
                true
            }
            Input::Kernel(KernelEvent::Connect(connect)) => match connect.here {
                Some(here) => here || self.passed(connect),
                // Its task was gone when it was looked for.
                None => !self.captures || self.passed(connect),
            },
            _ => true,
        }
    }

    fn passed(&self, connect: &Connect) -> bool {
        let ends = (connect.local, connect.peer);
        self.young.contains(&ends) || self.old.contains(&ends)
    }

    fn note(&mut self, ends: (Endpoint, Endpoint)) {
        if self.young.len() >= GENERATION {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(ends);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{Scope, Timestamp};
    use crate::kernel::Rung;
    use crate::wire::{Flags, Segment};

    fn end(port: u16) -> Endpoint {
        Endpoint::new([10, 0, 0, 2], port)
    }

    fn connect(port: u16, here: Option<bool>) -> Input {
        Input::Kernel(KernelEvent::Connect(Connect {
            begin: Timestamp::MIN,
            end: Timestamp::MIN,
            scope: Scope::default(),
            local: end(port),
            peer: end(80),
            process: None,
            here,
            bound: false,
            connected: None,
            rung: Rung::Trace,
        }))
    }

    fn segment(port: u16, flags: Flags) -> Input {
        Input::Segment(Segment::bare(Timestamp::MIN, end(port), end(80), flags))
    }

    #[test]
    fn another_namespaces_connects_are_told_if_they_pass_by() {
        let mut passing = Passing::new(true);
        assert!(passing.concerns(&segment(1, Flags::SYN)) && passing.concerns(&segment(2, Flags::SYN | Flags::ACK)));
        assert!(passing.concerns(&connect(1, Some(false))));
        assert!(!passing.concerns(&connect(2, Some(false))), "that was an answer");
        assert!(!passing.concerns(&connect(3, Some(false))));
        assert!(passing.concerns(&connect(3, Some(true))));
        assert!(passing.concerns(&connect(1, None)) && !passing.concerns(&connect(3, None)));
        assert!(Passing::new(false).concerns(&connect(3, None)), "without packets nothing else names it");
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut passing = Passing::new(true);
        for port in 0..=u16::MAX {
            passing.concerns(&segment(port, Flags::SYN));
        }
        passing.concerns(&Input::Segment(Segment::bare(Timestamp::MIN, end(1), end(2), Flags::SYN)));
        assert!(passing.young.len() + passing.old.len() <= 2 * GENERATION);
        assert!(passing.concerns(&connect(u16::MAX, Some(false))) && !passing.concerns(&connect(0, Some(false))));
    }
}
