//! A source of inputs that can be gone on with from places in it, and what is noted of it.

use crate::base::Progress;
use crate::engine::Input;

use super::{Damage, Index};

/// A source that can be gone on with from places in it.
pub trait Tape {
    /// A place between two inputs.
    type Place: Clone;

    /// The next inputs; waits for them if asked to.
    fn next(&mut self, wait: bool) -> Next<Self::Place>;

    /// Goes on from there.
    ///
    /// # Errors
    /// Why that cannot be, in words; it then goes on as before.
    fn go(&mut self, place: &Self::Place) -> Result<(), String>;

    /// Whether it is read as it comes, so that its end is where it is now.
    fn goes_on(&self) -> bool {
        false
    }

    /// How much of it was read; `None` where nobody knows how long it is, or all was.
    fn progress(&self) -> Option<Progress> {
        None
    }

    /// Takes inputs back that were used, for their memory.
    fn give_back(&mut self, _used: Vec<Input>) {}
}

/// What a source gives.
#[derive(Debug)]
pub enum Next<P> {
    /// Inputs, and where the source stands behind them, if it can be gone on with from there.
    Inputs(Vec<Input>, Option<P>),
    /// The next are being read.
    NotYet,
    /// All that there is so far was given; more may come.
    NoMore,
    /// The end: clean, or damaged.
    End(Option<Damage>),
}

/// A source and what is noted of it.
#[derive(Debug)]
pub struct Deck<T: Tape> {
    pub tape: T,
    pub index: Index<T::Place>,
}
