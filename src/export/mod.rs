//! `Buffer` → text, SVG, PNG; engine's values → JSON, NDJSON and the text report.
//!
//! May touch base, the value types of flow, kernel and wire, the engine's `Dashboard`, and ratatui's `Buffer`; no
//! terminal, no network, no clock, no file: bytes out, or a `Write` given by the caller. The same input gives the same
//! bytes. Read first: [`mod@picture`] for screens, [`record`] for the schema of `report`.

mod covered;
mod findings;
#[cfg(test)]
mod fixture;
mod font;
mod footer;
mod glyph;
mod json;
mod marks;
mod palette;
mod pick;
pub mod picture;
mod png;
mod ports;
pub mod record;
mod report_text;
mod summary;
mod svg;
mod text;
mod units;

pub use findings::findings;
pub use footer::Footer;
pub use json::{Flows, JsonForm, JsonReport};
pub use palette::Palette;
pub use pick::{CLOSE_WAIT_PATIENCE, Pick, Picked, Trouble, trouble};
pub use picture::{ExportError, PictureFormat, picture};
pub use report_text::{ReportContext, write_report};
pub use summary::{Damage, Tally};
