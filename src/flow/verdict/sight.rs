//! What the capture cannot tell of a flow, and what may not be its own.
//!
//! May touch `base`.

use std::fmt;

use crate::flow::Side;

/// Why less is claimed of a flow than happened to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// Only the segments of this side were captured, though the other sends: the way back goes elsewhere.
    OneDirection(Side),
    /// The capture began after the connection did.
    MidStream,
    /// The snap length cut options: SACKs and timestamps may be missing.
    Cut,
    /// So many bytes were acknowledged and never captured: the capture lost them, not the path.
    CaptureLoss(u64),
    /// The capturing host dropped frames while the flow lasted; some may be this flow's.
    Dropped,
}

impl Limit {
    /// One word for machines.
    pub const fn name(self) -> &'static str {
        match self {
            Self::OneDirection(_) => "one_direction",
            Self::MidStream => "mid_stream",
            Self::Cut => "cut",
            Self::CaptureLoss(_) => "capture_loss",
            Self::Dropped => "dropped",
        }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OneDirection(side) => write!(f, "only {} was captured", side.name()),
            Self::MidStream => f.write_str("first seen mid-stream"),
            Self::Cut => f.write_str("options cut by the snap length"),
            Self::CaptureLoss(bytes) => write!(f, "{bytes} bytes acknowledged but never captured"),
            Self::Dropped => f.write_str("the capture dropped frames meanwhile"),
        }
    }
}

/// A RST that may have been sent by something on the path: it came over another number of hops than the segments of the
/// end that it names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Injected {
    /// Which end it claims to be from.
    pub side: Side,
    /// Its TTL (or hop limit), and that of all other segments of that end.
    pub ttl: u8,
    pub usual: u8,
}

impl fmt::Display for Injected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { side, ttl, usual } = self;
        write!(f, "RST in {}'s name possibly injected: TTL {ttl}, all its others {usual}", side.name())
    }
}
