//! Arithmetic that every other room stands on: time, sequence numbers, addresses, states' names, series, units.
//!
//! May touch nothing but `std`. Read first: RFC 9293 §3.4 (sequence numbers) and §3.3.2 (states).

mod addr;
mod progress;
mod seq;
mod series;
mod state;
mod text;
mod time;
pub mod units;

pub use addr::{Endpoint, Scope};
pub use progress::Progress;
pub use seq::Seq;
pub use series::Series;
pub use state::TcpState;
pub use text::{Scrubbed, scrub};
pub use time::Timestamp;
