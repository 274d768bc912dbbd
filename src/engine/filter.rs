//! The filter of the flow table: words that must all match somewhere.

/// Words typed by a user, each of which a flow must match. The empty filter matches all.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Filter {
    text: String,
}

impl Filter {
    /// Reads the words of `text`.
    pub fn parse(text: &str) -> Self {
        Self { text: text.to_owned() }
    }

    /// As it was typed.
    pub fn text(&self) -> &str {
        &self.text
    }
}
