//! TODO charter

#[cfg(feature = "tui")]
pub mod tty;
