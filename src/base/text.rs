//! Hostile text: names, arguments, hosts and paths are scrubbed once, where they enter.

use std::fmt;
use std::sync::Arc;

/// Text that holds no control character and nothing that turns the direction of a line, cheap to copy.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Scrubbed(Arc<str>);

impl Scrubbed {
    /// Scrubs `bytes`, invalid UTF-8 included.
    pub fn from_bytes(bytes: &[u8]) -> Self {
        Self::new(&String::from_utf8_lossy(bytes))
    }

    /// Scrubs `text`.
    pub fn new(text: &str) -> Self {
        Self(scrub(text).into())
    }

    /// The scrubbed text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Scrubbed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for Scrubbed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl std::ops::Deref for Scrubbed {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0
    }
}

/// Replaces every control, format and line-separating character by `·`, so that no name can move the cursor,
/// change a colour or reverse a line (UAX #9 overrides and isolates).
pub fn scrub(text: &str) -> String {
    text.chars().map(|c| if is_unsafe(c) { '·' } else { c }).collect()
}

fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{00ad}' | '\u{061c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_moves_the_cursor_survives() {
        assert_eq!(scrub("a\x1b[31mb\r\n\u{202e}c\u{200b}"), "a·[31mb···c·");
        assert_eq!(Scrubbed::from_bytes(b"ok\xff").as_str(), "ok\u{fffd}");
        assert_eq!(scrub("naïve — 日本"), "naïve — 日本");
    }
}
