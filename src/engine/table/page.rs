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
        match self {
            Self::Own(records) => records,
            Self::Shared(_) => self.unshare(),
        }
    }

    #[cold]
    #[inline(never)]
    fn unshare(&mut self) -> &mut Records {
        if let Self::Shared(records) = self
            && !records.is_unique()
        {
            *self = Self::Own(UniqueArc::new(Records::clone(records)));
        }
        match self {
            Self::Own(records) => records,
            Self::Shared(records) => Arc::get_mut(records).expect("nobody else has it"),
        }
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

/// Of what is not shared each has its own.
impl Clone for Page {
    fn clone(&self) -> Self {
        match self {
            Self::Own(records) => Self::Own(UniqueArc::new(Records::clone(records))),
            Self::Shared(records) => Self::Shared(Arc::clone(records)),
        }
    }
}
