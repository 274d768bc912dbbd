//! Arithmetic that every other room stands on: time, sequence numbers, addresses, states' names, services of
//! ports, series, units, words, colours, marked instants; memory that is brought near.
//!
//! May touch nothing but `std`. Read first: RFC 9293 §3.4 (sequence numbers) and §3.3.2 (states).

mod addr;
mod ascii;
mod mark;
mod near;
mod packing;
mod prefetch;
mod progress;
mod rgb;
mod seq;
mod series;
mod services;
mod state;
mod text;
mod time;
mod timeline;
pub mod units;
mod words;

pub use addr::{Endpoint, Scope};
pub use ascii::{in_ascii, stand_in};
pub use mark::Mark;
pub use near::{nearest, slips};
pub use packing::{Known, Packer, Packing, Sent, Unpacker};
pub use prefetch::{prefetch, prefetch_bytes, prefetch_part};
pub use progress::Progress;
pub use rgb::Rgb;
pub use seq::Seq;
pub use series::Series;
pub use services::service;
pub use state::{StateSet, TcpState};
pub use text::{Scrubbed, scrub};
pub use time::{Timestamp, nanos};
pub use timeline::{Moments, Timeline};
pub use words::words;
