//! [`Ownership`]: who holds a socket, as far as that is known, and how it was found.

use std::sync::Arc;

use crate::kernel::{Process, Rung};

/// Who holds a socket: a claim with its evidence.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Ownership {
    /// The kernel's side was not recorded, or the end is remote.
    #[default]
    NotRecorded,
    /// Recorded, and not known.
    Unknown,
    /// Some process's fd tables may not be read, so it may be one of theirs.
    NoAccess,
    /// A process holds it by this fd; `others` further fds refer to it.
    Held { process: Arc<Process>, fd: u32, others: usize },
    /// It came in on a listener held by this process, and is not yet accepted; or, of a socket that no reading showed
    /// with a holder, who accepted it was not seen.
    Listener { process: Arc<Process>, others: usize },
    /// No process holds it any more; this one did (TIME-WAIT, FIN-WAIT-2 after close).
    Last { process: Arc<Process> },
    /// No reading of the socket table showed who holds it; this process connected it.
    Connected { process: Arc<Process>, rung: Rung },
    /// Its end is of another network namespace of this host, where this process connected it.
    Elsewhere { process: Arc<Process>, rung: Rung },
    /// No reading of the socket table showed who holds it; this process closed it.
    Closed { process: Arc<Process>, rung: Rung },
    /// No process holds it: closed, and the kernel finishes alone; who held it was never seen.
    Orphan,
}

impl Ownership {
    /// The process named, whatever its relation.
    pub const fn process(&self) -> Option<&Arc<Process>> {
        match self {
            Self::Held { process, .. }
            | Self::Listener { process, .. }
            | Self::Last { process }
            | Self::Connected { process, .. }
            | Self::Elsewhere { process, .. }
            | Self::Closed { process, .. } => Some(process),
            Self::NotRecorded | Self::Unknown | Self::NoAccess | Self::Orphan => None,
        }
    }

    /// Whether it is known of an end that is not of this network namespace.
    pub const fn is_elsewhere(&self) -> bool {
        matches!(self, Self::Elsewhere { .. })
    }

    /// How the process was found; `None` where none is named.
    pub const fn rung(&self) -> Option<Rung> {
        match self {
            Self::Held { .. } | Self::Listener { .. } | Self::Last { .. } => Some(Rung::Scan),
            Self::Connected { rung, .. } | Self::Elsewhere { rung, .. } | Self::Closed { rung, .. } => Some(*rung),
            Self::NotRecorded | Self::Unknown | Self::NoAccess | Self::Orphan => None,
        }
    }
}
