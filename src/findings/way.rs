//! The ways in which a connect fails: what rules, engine and report have in common.

use super::finding::Kind;

/// How a connect fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Way {
    /// A RST answers.
    Refused,
    /// An ICMP error says no.
    Rejected,
    /// Nobody says anything.
    Unanswered,
}

impl Way {
    /// Every way.
    pub const ALL: [Self; 3] = [Self::Refused, Self::Rejected, Self::Unanswered];

    pub(super) const fn kind(self) -> Kind {
        match self {
            Self::Refused => Kind::ConnectsRefused,
            Self::Rejected => Kind::ConnectsRejected,
            Self::Unanswered => Kind::ConnectsUnanswered,
        }
    }
}
