//! Session tickets of TLS 1.3, told apart from the answer to a request as far as that can be done.
//!
//! A server sends them, dressed as application data, once it has the client's last flight; the request is often on its
//! way by then. What does not acknowledge the request is no answer to it. Of what does, records of one length are
//! tickets (servers send two, or more, and all alike), and the first of another length is the answer. A lone record
//! could be either: then nothing is claimed. Read first: RFC 8446 §4.6.1.

use crate::wire::AppRecords;

/// What is known of a connection's tickets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Tickets {
    /// None can come: another version, or a client that takes none.
    #[default]
    Never,
    /// They may come.
    Expected,
    /// A record of this length is one, or the answer.
    Perhaps(u16),
    /// They have come; those that follow are as long. 0: of several lengths.
    Known(u16),
}

/// What server data is that may be the first of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Ticket,
    Answer,
    Unknown,
}

impl Tickets {
    /// Server data that came before the server had heard of the request.
    pub(super) fn came(&mut self, records: AppRecords) {
        if *self != Self::Never && records.count > 0 {
            *self = Self::Known(records.len);
        }
    }

    /// Server data that acknowledges the request, behind all that was judged before.
    pub(super) fn judge(&mut self, records: AppRecords) -> Verdict {
        let AppRecords { count, len } = records;
        match *self {
            Self::Never => Verdict::Answer,
            _ if count == 0 => Verdict::Unknown,
            Self::Known(known) if len != known || len == 0 => Verdict::Answer,
            Self::Known(_) => Verdict::Ticket,
            Self::Expected if len > 0 && count > 1 => self.are(Self::Known(len)),
            Self::Expected if len > 0 => self.are(Self::Perhaps(len)),
            Self::Perhaps(known) if len == known => self.are(Self::Known(len)),
            Self::Expected | Self::Perhaps(_) => Verdict::Unknown,
        }
    }

    fn are(&mut self, tickets: Self) -> Verdict {
        *self = tickets;
        Verdict::Ticket
    }
}
