//! Joins wire, kernel and owner; keeps history, timers, queries.
//!
//! May touch base, flow, kernel (and findings); no style, no terminal, no I/O. State is a pure function of the ordered
//! inputs. Read first: the one law in the architecture text (`src/lib.rs`), RFC 9293 §3.3.2.

mod connects;
mod core;
mod dashboard;
mod deadlines;
mod dedupe;
mod end;
mod filter;
mod handshakes;
mod icmp;
mod input;
mod join;
mod opener;
mod order;
mod query;
mod queues;
mod record;
mod rows;
mod states;
mod story;
mod table;
mod time_wait;

#[cfg(test)]
mod tests;

pub use core::{Config, Engine};
pub use dashboard::*;
pub use end::{recv_q_is_fin, send_q_is_syn_or_fin};
pub use filter::Filter;
pub use input::{Input, Loss};
pub use query::{Query, QueryCache, Sort, SortKey};

/// A flow's stable number: one incarnation of a 4-tuple. A reused tuple gets a new one; numbers are never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FlowId(pub u64);

impl std::fmt::Display for FlowId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}
