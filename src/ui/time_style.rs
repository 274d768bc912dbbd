//! How times are told.

/// How times are told in tables and in the life of a flow; a key goes round.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TimeStyle {
    /// How long ago; in a life, how long after its first event.
    #[default]
    Relative,
    /// By the clock.
    Absolute,
    /// How long after the source began; in a life, after the event before.
    Delta,
}

impl TimeStyle {
    pub(super) const fn next(self) -> Self {
        match self {
            Self::Relative => Self::Absolute,
            Self::Absolute => Self::Delta,
            Self::Delta => Self::Relative,
        }
    }

    /// In words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Relative => "times are relative: how long ago; in a life, after its first event",
            Self::Absolute => "times are absolute: by the clock",
            Self::Delta => "times are deltas: from the start; in a life, from the event before",
        }
    }
}
