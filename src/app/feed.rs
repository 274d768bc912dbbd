//! Who makes the list of inputs: the one thing in which live, replay and demo differ.

use std::time::Duration;

use crate::base::Timestamp;
use crate::engine::{Engine, FlowKey, Query};
use crate::ui::{Control, Segments, Source};

use super::record::Recorded;

/// A source of inputs for one engine.
pub(super) trait Feed: Send {
    /// Feeds what is due. Returns how long it may rest before it is called again (zero: there is more at once).
    fn pump(&mut self, engine: &mut Engine) -> Duration;

    /// Does what the user asked; a source ignores what it cannot do.
    fn control(&mut self, control: Control, engine: &mut Engine);

    /// Takes note of what the screen asks for; only a source that can look closer does.
    fn attend(&mut self, _query: &Query, _engine: &Engine) {}

    /// What to tell of the source beside a dashboard.
    fn source(&self, engine: &Engine) -> Source;

    /// The engine that is shown: the source may have one of its own, of the past, or of a frozen screen.
    fn shown<'a>(&'a self, engine: &'a Engine) -> &'a Engine {
        engine
    }

    /// Whether it is on its way to an instant that was asked for.
    fn is_going(&self) -> bool {
        false
    }

    /// How often what is shown was exchanged for another instant's.
    fn jumps(&self) -> u64 {
        0
    }

    /// Nothing more is shown: ends what runs beside. How the recordings went that nobody was told of.
    fn end(&mut self, _engine: &mut Engine) -> Vec<Recorded> {
        Vec::new()
    }

    /// Whether the source was damaged or ended before its time; all that it gave before was used.
    fn is_damaged(&self) -> bool;

    /// What there is of the segments of the flow that is shown in full at `now`; without one, none are kept any more.
    fn segments(&mut self, of: Option<(FlowKey, Timestamp)>) -> Segments {
        let _not_kept = of;
        Segments::Missing("segments are not kept without --rewind".to_owned())
    }
}
