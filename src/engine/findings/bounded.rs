//! What is gathered for the rules, of which a source may have any number: so much at most, and whether there is more.

/// The first of those that came.
#[derive(Debug, Clone)]
pub(super) struct Bounded<T> {
    kept: Vec<T>,
    more: bool,
}

impl<T> Bounded<T> {
    pub(super) const MOST: usize = 8_192;

    /// Whether more came than are kept.
    pub(super) const fn more(&self) -> bool {
        self.more
    }

    pub(super) fn iter(&self) -> std::slice::Iter<'_, T> {
        self.kept.iter()
    }
}

impl<T> Default for Bounded<T> {
    fn default() -> Self {
        Self { kept: Vec::new(), more: false }
    }
}

impl<T> Extend<T> for Bounded<T> {
    /// Looks for no more than one that finds no room.
    fn extend<I: IntoIterator<Item = T>>(&mut self, more: I) {
        let mut more = more.into_iter();
        self.kept.extend(more.by_ref().take(Self::MOST - self.kept.len()));
        self.more = self.more || more.next().is_some();
    }
}

impl<T> IntoIterator for Bounded<T> {
    type Item = T;
    type IntoIter = std::vec::IntoIter<T>;

    fn into_iter(self) -> Self::IntoIter {
        self.kept.into_iter()
    }
}
