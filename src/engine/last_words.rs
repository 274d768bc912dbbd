//! The kernel's last words on sockets, held against the flows: by cookie where a reading told it, else by what the wire
//! shows of the same ends.
//!
//! Read first: `kernel::LastWord`; net/ipv4/tcp.c (tcp_time_wait: a connection in TIME-WAIT has no socket any more).

use std::sync::Arc;
use std::time::Duration;

use crate::base::{StateSet, TcpState, Timestamp};
use crate::flow::Side;
use crate::kernel::LastWord;

use super::Engine;
use super::dashboard::LastWordSight;
use super::end::End;
use super::record::Record;
use super::table::{Slot, Tuple, side_of};

/// A word is heard at most so much later than its socket was let go (a work queue of the kernel, and our rest between
/// two looks): an end that is not seen to close and whose flow is younger may be of the next connection.
const LATE: Duration = Duration::from_millis(100);
/// What the kernel still tells of a connection that has no socket.
const WITHOUT_SOCKET: StateSet = StateSet::of(&[TcpState::FinWait2, TcpState::TimeWait]);

/// The last word on one end.
#[derive(Debug, Clone)]
pub(super) struct Parting {
    /// `None` if there were two, of which nothing tells whose they are.
    word: Option<Arc<LastWord>>,
    /// Whether it is known to be on this flow. If not, it is told once the wire shows that the end has closed, unless
    /// another word came until then.
    sure: bool,
}

impl Parting {
    fn after(before: Option<Self>, word: &LastWord, sure: bool) -> Self {
        let new = |told: bool| Self { word: told.then(|| Arc::new(word.clone())), sure };
        match before {
            None => new(true),
            Some(Self { sure: false, .. }) => new(true),
            Some(known) if !sure => known,
            Some(Self { word: known, .. }) => new(known.is_some_and(|known| known.cookie == word.cookie)),
        }
    }
}

impl Engine {
    pub(super) fn last_word(&mut self, word: &LastWord) {
        self.last_words().heard += 1;
        let Some((slot, sure)) = self.flow_of_word(word) else { return };
        self.last_words().joined += 1;
        self.change(slot, word.ts, |record| {
            let side = side_of(record, word.local);
            if let Some(end) = record.ends[side.index()].as_mut().filter(|_| sure) {
                let end = Arc::make_mut(end);
                if end.gone.is_none() && end.at <= word.ts && !WITHOUT_SOCKET.has(end.socket.state.0) {
                    let may_be = StateSet::of(&[end.socket.state.0]).onward();
                    end.part(word.ts, may_be.and(WITHOUT_SOCKET));
                }
            }
            let known = &mut record.rare.get_or_insert_default().last_words[side.index()];
            *known = Some(Parting::after(known.take(), word, sure));
        });
    }

    pub(super) fn last_words(&mut self) -> &mut LastWordSight {
        self.kernel.last_words.get_or_insert_default()
    }

    /// The flow that the socket was an end of, and whether that is sure.
    fn flow_of_word(&self, word: &LastWord) -> Option<(Slot, bool)> {
        let newest = self.table.find(&Tuple::new(word.scope, word.local, word.peer))?;
        let fits = |slot: Slot| Some((slot, self.is_of(word, self.table.get(slot))?));
        let (newest, older) = (fits(newest), self.older_of(self.table.get(newest)).and_then(fits));
        [newest, older].into_iter().flatten().find(|(_, sure)| *sure).or(newest)
    }

    /// Whether the word is on an end of the record for sure, or may be; `None` if it is not.
    fn is_of(&self, word: &LastWord, record: &Record) -> Option<bool> {
        let side = side_of(record, word.local);
        match (record.end(side).and_then(|end| end.cookie), word.cookie) {
            (Some(read), Some(told)) => (read == told).then_some(true),
            _ if self.is_local(record, side) == Some(false) || record.first > word.ts => None,
            _ => Some(record.has_closed(side) == Some(true) || word.ts.since(record.first) >= LATE),
        }
    }
}

impl Record {
    /// The kernel's last word on an end's socket.
    pub(super) fn last_word(&self, side: Side) -> Option<&Arc<LastWord>> {
        let parting = self.rare.as_ref()?.last_words[side.index()].as_ref()?;
        let word = parting.word.as_ref().filter(|_| parting.sure || self.has_closed(side) == Some(true))?;
        let read = self.end(side).and_then(|end| end.cookie);
        read.is_none_or(|read| word.cookie.is_none_or(|told| told == read)).then_some(word)
    }
}

impl End {
    /// Notes that it has no socket any more: it is in one of `may_be` then, or gone.
    fn part(&mut self, at: Timestamp, may_be: StateSet) {
        if may_be.is_empty() { self.vanish(at) } else { self.leave(at, may_be) }
    }
}
