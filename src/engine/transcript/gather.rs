//! Which inputs are the flow's: by its ends, and by which connection on them was the one.
//!
//! The engine's own rules (see `incarnation`) on one tuple: a newer SYN begins another connection, and the one before
//! it keeps what fits its numbers until that SYN was answered.

use crate::base::{Endpoint, Timestamp};
use crate::engine::Input;
use crate::engine::dedupe::Dedupe;
use crate::flow::{Flow, HandshakeOutcome, Side};
use crate::kernel::KernelEvent;
use crate::wire::Segment;

use super::telling::Telling;
use super::{FlowKey, Transcript};

/// Takes inputs in their order and keeps what belongs to one flow.
#[derive(Debug, Clone)]
pub struct Collector {
    key: FlowKey,
    around: Timestamp,
    told: Option<Telling>,
    newest: Option<Life>,
    /// The connection before it, while nothing has proven the newer one's SYN.
    older: Option<Life>,
    /// The latest time of any input.
    now: Timestamp,
    /// The flow's first segment is not among the inputs: it is told from the first that is.
    late: bool,
    /// Of a running host: what several interfaces show is one segment.
    live: Option<Box<Sights>>,
}

/// Which segments were seen where, as the engine's own table has it.
#[derive(Debug, Clone)]
struct Sights {
    dedupe: Dedupe,
    /// Whose segments were seen outside of any tunnel.
    bare: [bool; 2],
}

/// A connection on the tuple.
#[derive(Debug, Clone)]
enum Life {
    /// The one that is told.
    Told,
    Other {
        orig: Endpoint,
        flow: Box<Flow>,
    },
}

impl Collector {
    /// For one flow; where not all of it can be kept, what is near `around` is.
    pub const fn new(key: FlowKey, around: Timestamp) -> Self {
        Self { key, around, told: None, newest: None, older: None, now: Timestamp::MIN, late: false, live: None }
    }

    /// For a flow of a running host, of which the inputs before `from` are kept no longer.
    pub fn live(key: FlowKey, from: Timestamp) -> Self {
        let sights = Sights { dedupe: Dedupe::new(), bare: [false; 2] };
        Self { late: key.first < from, live: Some(Box::new(sights)), ..Self::new(key, Timestamp::MAX) }
    }

    /// The flow that it is for.
    pub const fn key(&self) -> FlowKey {
        self.key
    }

    /// Takes in an input.
    pub fn take(&mut self, input: &Input) {
        self.now = self.now.max(input.ts());
        match input {
            Input::Segment(segment) => {
                let ours = self.key.is_between(segment.scope, segment.src, segment.dst);
                if ours && !self.is_shown_twice(segment) {
                    self.segment(segment);
                }
            }
            Input::Name(name) if self.key.is_between(name.scope, name.src, name.dst) => {
                self.tell(|told| told.name(name));
            }
            Input::Icmp(quote) if self.key.is_between(quote.scope, quote.src, quote.dst) => {
                self.tell(|told| told.icmp(quote));
            }
            Input::Sample(sample) if sample.scope == self.key.scope => self.tell(|told| told.sample(sample)),
            Input::Kernel(KernelEvent::Connect(connect))
                if self.key.is_between(connect.scope, connect.local, connect.peer) =>
            {
                self.tell(|told| told.connected(connect));
            }
            Input::Kernel(KernelEvent::Close(close)) if self.key.is_between(close.scope, close.local, close.peer) => {
                self.tell(|told| told.closed(close));
            }
            Input::Kernel(KernelEvent::LastWord(word)) if self.key.is_between(word.scope, word.local, word.peer) => {
                self.tell(|told| told.last_word(word));
            }
            Input::Name(_) | Input::Icmp(_) | Input::Sample(_) | Input::Kernel(_) | Input::Dns(_) => {}
            Input::Loss(_) | Input::Tick(_) => {}
        }
    }

    /// What else is told of the tuple belongs to the newest connection on it.
    fn tell(&mut self, tell: impl FnOnce(&mut Telling)) {
        if matches!(self.newest, Some(Life::Told))
            && let Some(told) = &mut self.told
        {
            tell(told);
        }
    }

    fn segment(&mut self, segment: &Segment) {
        let Some(newest) = &self.newest else { return self.begin(segment, false) };
        let from = self.side(newest, segment);
        let Some(flow) = self.flow(newest) else { return };
        if flow.is_replaced_by(segment, from) {
            let before =
                if flow.is_unproven() && self.older.is_some() { self.older.take() } else { self.newest.take() };
            self.older = before;
            return self.begin(segment, true);
        }
        // The table had thrown the connection out, and began anew with this segment.
        if self.is_first(segment) {
            self.older = None;
            return self.begin(segment, false);
        }
        let kept = self.older.as_ref().filter(|_| flow.is_unproven());
        let is_older = kept.is_some_and(|older| {
            self.flow(older).is_some_and(|flow| flow.still_owns(segment, self.side(older, segment)))
        });
        self.feed(segment, is_older);
        self.supersede(segment.ts);
    }

    fn is_first(&self, segment: &Segment) -> bool {
        let is_it = (segment.ts, segment.digest as u16) == (self.key.first, self.key.digest);
        self.told.is_none() && (is_it || self.late)
    }

    /// As the engine finds it of a running host.
    fn is_shown_twice(&mut self, segment: &Segment) -> bool {
        let side = self.key.side(segment.src).index();
        let Some(Sights { dedupe, bare }) = self.live.as_deref_mut() else { return false };
        let in_tunnel = segment.tunnel.is_some();
        if in_tunnel && bare[side] {
            return true;
        }
        bare[side] |= !in_tunnel;
        dedupe.is_repeat(segment)
    }

    fn begin(&mut self, segment: &Segment, reuses: bool) {
        self.newest = Some(if self.is_first(segment) {
            self.told = Some(Telling::new(self.key, self.around, segment, reuses));
            Life::Told
        } else {
            let orig = if Flow::side_of_first(segment) == Side::Orig { segment.src } else { segment.dst };
            Life::Other { orig, flow: Box::new(Flow::new(segment)) }
        });
    }

    fn feed(&mut self, segment: &Segment, is_older: bool) {
        let life = if is_older { &mut self.older } else { &mut self.newest };
        match life {
            Some(Life::Told) => self.told.iter_mut().for_each(|told| told.feed(segment)),
            Some(Life::Other { orig, flow }) => {
                let from = if segment.src == *orig { Side::Orig } else { Side::Resp };
                flow.feed(segment, from);
            }
            None => {}
        }
    }

    /// Once the newer connection's SYN was believed, the one before it is over.
    fn supersede(&mut self, at: Timestamp) {
        let outcome = self.newest.as_ref().and_then(|newest| self.flow(newest)).map(Flow::outcome);
        if !outcome.is_some_and(HandshakeOutcome::is_completed) {
            return;
        }
        if let Some(Life::Told) = self.older.take() {
            self.told.iter_mut().for_each(|told| told.supersede(at));
        }
    }

    fn flow<'a>(&'a self, life: &'a Life) -> Option<&'a Flow> {
        match life {
            Life::Told => self.told.as_ref().map(|told| &told.flow),
            Life::Other { flow, .. } => Some(flow),
        }
    }

    fn side(&self, life: &Life, segment: &Segment) -> Side {
        match life {
            Life::Told => self.key.side(segment.src),
            Life::Other { orig, .. } if segment.src == *orig => Side::Orig,
            Life::Other { .. } => Side::Resp,
        }
    }

    /// What was found, once all inputs were taken in; nothing, if the flow's first segment was not among them.
    pub fn finish(self) -> Option<Transcript> {
        let (now, late) = (self.now, self.late);
        self.told.map(|told| told.finish(now, late))
    }

    /// How many entries there are so far: whether there is more to tell than before.
    pub fn entries(&self) -> usize {
        self.told.as_ref().map_or(0, Telling::entries)
    }
}
