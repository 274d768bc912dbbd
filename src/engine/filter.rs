//! The filter language: read once, when typed, into tests on addresses, numbers, states and interned names; no row is
//! formatted to be searched.
//!
//! May touch winnow, and what the engine may. Read first: `parse` (the grammar), `fields` (the table), `test` (what is
//! not known fits neither a test nor its `not`). Text → `ast` → `meaning` → `test`, which asks `subject`.

mod ast;
mod complete;
mod fields;
mod meaning;
mod meant;
mod parse;
mod subject;
mod test;
mod value;
mod word;

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

pub use complete::{Completion, complete};

use super::Engine;
use super::record::Record;
use crate::base::scrub;

/// What a flow must fit to be shown. The empty filter fits all.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Filter {
    text: String,
    test: Option<Arc<test::Test>>,
    meant: Option<Arc<str>>,
}

impl Filter {
    /// Reads `text`: `state:time-wait peer:10.0.0.0/8 recvq>0 and not local:lo`, or words that may stand anywhere.
    ///
    /// # Errors
    /// Where it is no filter: what is wrong, and at which bytes.
    pub fn parse(text: &str) -> Result<Self, FilterError> {
        let typed = parse::parse(text)?;
        let test = typed.as_ref().map(meaning::of).transpose()?;
        let meant = typed.as_ref().and_then(meant::of);
        Ok(Self { text: scrub(text), test: test.map(Arc::new), meant: meant.map(Arc::from) })
    }

    /// Reads what is still being typed as far as it goes: what is open is closed, and what is not complete at the end
    /// is left out. `None` where something is wrong besides.
    pub fn begun(text: &str) -> Option<Self> {
        let mut rest = text.to_owned();
        // Each turn closes something, or leaves out a word.
        for _ in 0..64 {
            match Self::parse(&rest) {
                Ok(filter) => return Some(filter),
                Err(fault) => match fault.mend? {
                    Mend::Close(with) => rest.push(with),
                    Mend::LeaveOut(from) => rest.truncate(from),
                },
            }
        }
        None
    }

    /// As it was typed, scrubbed.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What was probably meant, where the name of a field stands as a word by itself: `port:443` by `port 443`.
    pub fn meant(&self) -> Option<&str> {
        self.meant.as_deref()
    }

    /// Whether it fits everything.
    pub const fn is_empty(&self) -> bool {
        self.test.is_none()
    }

    pub(super) fn matches(&self, engine: &Engine, record: &Record) -> bool {
        let flow = subject::Subject { engine, record };
        self.test.as_ref().is_none_or(|test| test.holds(flow) == Some(true))
    }
}

/// Why a text is no filter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilterError {
    /// The bytes that are wrong; empty where something is missing.
    pub at: Range<usize>,
    /// In words, one line.
    pub message: String,
    mend: Option<Mend>,
}

/// What makes a filter of one that is not complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mend {
    /// A bracket or a quote at its end.
    Close(char),
    /// To leave out all from this byte on.
    LeaveOut(usize),
}

impl FilterError {
    fn new(at: Range<usize>, message: impl Into<String>) -> Self {
        Self { at, message: message.into(), mend: None }
    }

    fn open(at: Range<usize>, message: impl Into<String>, mend: Mend) -> Self {
        Self { mend: Some(mend), ..Self::new(at, message) }
    }

    /// Whether more at its end could make a filter of it: it may be what is being typed.
    pub const fn is_incomplete(&self) -> bool {
        self.mend.is_some()
    }
}

impl fmt::Display for FilterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for FilterError {}

/// Every field as help tells it: its name with the operator that mostly follows it, and what it is.
pub fn filter_fields() -> impl Iterator<Item = (String, &'static str)> {
    fields::FIELDS.iter().map(|field| (format!("{}{}", field.name, field.usual_op()), field.help))
}
