//! `Buffer` → text, SVG, PNG; engine's values → JSON, NDJSON and the text report.
//!
//! May touch base, the value types of flow, kernel and wire, the engine's `Dashboard`, and ratatui's `Buffer`; no
//! terminal, no network, no clock, no file: bytes out, or a `Write` given by the caller. The same input gives the same

mod font;
mod footer;
mod glyph;
mod palette;
pub mod picture;
mod png;
mod svg;
mod text;
mod units;

pub use footer::Footer;
pub use palette::{Palette, Rgb};
pub use picture::{ExportError, PictureFormat, picture};
