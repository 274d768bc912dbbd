//! What a payload says, brought to the connection that it was said on.

use crate::names::FlowName;
use crate::wire::Segment;

use super::Engine;
use super::opening::Watched;
use super::table::Tuple;

impl Engine {
    /// What is known of a flow's names at its first segment.
    pub(super) fn begin_opening(&mut self, segment: &Segment) -> Watched {
        let lookup = self.lookup(segment);
        self.named |= lookup.is_some();
        let mut opening = Watched::default();
        opening.resolve(lookup);
        opening
    }

    /// The newest connection on the tuple, or the one before it while a SYN has not been believed: a connection that
    /// only a SYN began has said nothing yet, unless in the SYN itself.
    pub(super) fn name(&mut self, name: &FlowName) {
        let tuple = Tuple::new(name.scope, name.src, name.dst);
        let Some(newest) = self.table.find(&tuple) else { return };
        let slot = self.older_of(self.table.get(newest)).unwrap_or(newest);
        let record = self.table.get_mut(slot);
        record.opening.hear(name);
        self.named |= record.names().next().is_some();
    }
}
