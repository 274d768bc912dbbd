//! Records that stand together, and are shared together by copies of the engine.

use std::array;
use std::fmt;
use std::ops::Deref;

use triomphe::{Arc, UniqueArc};

use crate::engine::record::Record;

/// Records of a page.
pub(in crate::engine) const PAGE: usize = 32;

/// Places of records, of this table alone or shared until one writes. Which of both stands beside the page: how many
/// share it stands in the page itself, a line of memory that nobody else would look at.
pub(in crate::engine) enum Page {
    Own(UniqueArc<Records>),
    Shared(Arc<Records>),
}

type Records = [Option<Record>; PAGE];

impl Page {
    pub(super) fn empty() -> Self {
        Self::Own(UniqueArc::new(array::from_fn(|_| None)))
    }

    /// The same, shared with whoever copies it.
    pub(super) fn shared(self) -> Self {
        match self {
            Self::Own(records) => Self::Shared(records.shareable()),
            shared @ Self::Shared(_) => shared,
        }
    }

    pub(in crate::engine) fn is_shared_with(&self, other: &Self) -> bool {
        matches!((self, other), (Self::Shared(own), Self::Shared(other)) if Arc::ptr_eq(own, other))
    }

    /// To be written: copied first if it is shared.
    #[inline]
    pub(super) fn write(&mut self) -> &mut Records {
        if let Self::Shared(_) = self {
            self.copy();
        }
        match self {
            Self::Own(records) => records,
            Self::Shared(_) => unreachable!("it was copied"),
        }
    }

    /// Even if nobody else has it any more, so that nobody need look who has from then on.
    #[cold]
    #[inline(never)]
    fn copy(&mut self) {
        *self = Self::Own(UniqueArc::new(Records::clone(self)));
    }
}

impl Deref for Page {
    type Target = Records;

    #[inline]
    fn deref(&self) -> &Records {
        match self {
            Self::Own(records) => records,
            Self::Shared(records) => records,
        }
    }
}

impl fmt::Debug for Page {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter().flatten()).finish()
    }
}

/// Of what is not shared each has its own then, which takes long: an engine is forked.
impl Clone for Page {
    fn clone(&self) -> Self {
        debug_assert!(matches!(self, Self::Shared(_)), "an engine is cloned that was not forked");
        match self {
            Self::Own(records) => Self::Own(UniqueArc::new(Records::clone(records))),
            Self::Shared(records) => Self::Shared(Arc::clone(records)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::FlowId;

    fn first(page: &Page) -> Option<FlowId> {
        page[0].as_ref().map(|record| record.id)
    }

    #[test]
    fn who_writes_a_shared_page_has_a_copy_of_its_own() {
        let mut page = Page::empty().shared();
        let other = page.clone();
        assert!(page.is_shared_with(&other) && other.is_shared_with(&page));
        page.write()[0] = Some(Record { id: FlowId(7), ..Record::BLANK });
        assert_eq!((first(&page), first(&other)), (Some(FlowId(7)), None));
        assert!(matches!(page, Page::Own(_)) && !page.is_shared_with(&other) && !other.is_shared_with(&page));
        // Shared again, by others.
        let page = page.shared();
        let (mut copy, mut last) = (page.clone(), page);
        copy.write()[0] = None;
        assert_eq!((first(&copy), first(&last)), (None, Some(FlowId(7))));
        drop(copy);
        last.write()[0] = None;
        assert!(matches!(last, Page::Own(_)), "though nobody else has it");
    }
}
