//! What comes of a route's ports: as the rule of findings has it, and in words.

use std::time::Duration;

use crate::base::Timestamp;
use crate::base::units::coarse;
use crate::findings::{Outlook, Severity};

/// What comes, if it goes on as it did before the last reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Forecast {
    /// None is left (connect() fails with EADDRNOTAVAIL), as readings have found since.
    Exhausted { since: Timestamp },
    /// So long after the last reading none is left: at that instant.
    RunsOut { left: Duration, at: Timestamp },
    /// So many ports will be in use, and no more.
    LevelsOff(u32),
}

/// What comes of a route's ports, for whoever can tell the time of day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PortsOutlook {
    pub forecast: Forecast,
    pub used: u32,
    pub capacity: u32,
}

impl PortsOutlook {
    /// As the rule of findings has it; `None` where ports do not run out.
    pub(in super::super) const fn foretold(&self) -> Option<Outlook> {
        match self.forecast {
            Forecast::Exhausted { since } => Some(Outlook::Exhausted(since)),
            Forecast::RunsOut { at, .. } => Some(Outlook::RunsOut(at)),
            Forecast::LevelsOff(_) => None,
        }
    }

    /// How bad it is as of `now`, as the finding says; `None` where there is none.
    pub fn severity(&self, now: Timestamp) -> Option<Severity> {
        self.foretold()?.severity(self.used.into(), self.capacity.into(), now)
    }

    /// None is left, or none will be.
    pub const fn runs_out(&self) -> bool {
        self.foretold().is_some()
    }

    /// In words, and how far ahead it is where `now` is known: `none left since 14:03:20 (EADDRNOTAVAIL)`, `none left at
    /// 14:03:20, in 42 s`, `levels off at 45%`, `steady`.
    pub fn words(&self, now: Option<Timestamp>, clock: impl Fn(Timestamp) -> String) -> String {
        match self.forecast {
            Forecast::Exhausted { since } => format!("none left since {} (EADDRNOTAVAIL)", clock(since)),
            Forecast::RunsOut { at, .. } => {
                let ahead = now.map_or_else(String::new, |now| format!(", in {}", coarse(at.since(now))));
                format!("none left at {}{ahead}", clock(at))
            }
            Forecast::LevelsOff(used) if used <= self.used => "steady".to_owned(),
            Forecast::LevelsOff(used) => format!("levels off at {}%", share(used, self.capacity)),
        }
    }

    /// The same in 18 columns: `out since 14:03:20`; `None` where it does not run out.
    pub fn short(&self, clock: impl Fn(Timestamp) -> String) -> Option<String> {
        match self.forecast {
            Forecast::Exhausted { since } => Some(format!("out since {}", clock(since))),
            Forecast::RunsOut { at, .. } => Some(format!("out at {}", clock(at))),
            Forecast::LevelsOff(_) => None,
        }
    }
}

/// Percent: 100 only where none is left.
pub(super) fn share(used: u32, capacity: u32) -> u32 {
    if used >= capacity {
        return 100;
    }
    (f64::from(used) * 100.0 / f64::from(capacity)).round().min(99.0) as u32
}
