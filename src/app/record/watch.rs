//! Waits for a finding that was not there before.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use crate::engine::{Engine, Query, QueryCache};
use crate::findings::{Kind, Severity, Subject};

/// How often findings are looked at; the engine itself looks no more often.
const EVERY: Duration = Duration::from_millis(500);

/// The findings that were there when it looked last.
#[derive(Debug, Default)]
pub(super) struct Watch {
    next: Option<Instant>,
    cache: QueryCache,
    known: BTreeSet<(Kind, Subject)>,
}

impl Watch {
    /// Whether there is a finding of that severity or worse that was not there before; false until it is time to look
    /// again.
    pub(super) fn has_new(&mut self, engine: &Engine, least: Severity) -> bool {
        let now = Instant::now();
        if self.next.is_some_and(|next| now < next) {
            return false;
        }
        self.next = Some(now + EVERY);
        let findings = engine.dashboard(&Query::default(), &mut self.cache).findings;
        let as_bad = findings.into_iter().filter(|finding| finding.severity >= least);
        let there: BTreeSet<_> = as_bad.map(|finding| (finding.kind, finding.subject)).collect();
        let is_new = there.iter().any(|finding| !self.known.contains(finding));
        self.known = there;
        is_new
    }
}
