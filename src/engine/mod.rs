//! Joins wire, kernel and owner; keeps history, timers, queries.
//!
//! May touch base, wire's and names' values, flow, kernel (and findings); no style, no terminal, no I/O. State is a
//! pure function of the ordered inputs. Read first: the one law in the architecture text (`src/lib.rs`), RFC 9293
//! §3.3.2.

mod account;
mod batch;
mod connects;
mod core;
mod course;
mod dashboard;
mod deadlines;
mod dedupe;
mod end;
mod filter;
mod findings;
mod first;
mod gist;
mod going;
mod handshakes;
mod icmp;
mod incarnation;
mod input;
mod join;
mod last_words;
mod listened;
mod listening;
mod lists;
mod lookups;
mod minute;
mod named;
mod opener;
pub(crate) mod opening;
mod order;
mod ownership;
mod path_errors;
mod pending;
mod ports;
mod probing;
mod query;
mod queues;
mod readings;
mod record;
mod regular;
mod retries;
mod rows;
mod scanning;
mod sealed;
mod spare;
mod states;
mod story;
mod table;
mod tally;
mod time_wait;
mod transcript;
mod weight;

#[cfg(test)]
mod tests;

pub use crate::findings::FindingKey;
pub use crate::flow::FlowId;
pub use core::{Config, Engine, Repeats};
pub use dashboard::*;
pub use end::{recv_q_is_fin, send_q_is_syn_or_fin};
pub use filter::{Completion, Filter, FilterError, complete, filter_fields};
pub use gist::Gist;
pub use input::{Input, Loss};
pub use lists::*;
pub use opening::{Exchange, Http, Lookup, NameSource, Opening, PeerName, Tls, Wait, WaitKind};
pub use ownership::Ownership;
pub use path_errors::PathError;
pub use ports::{Forecast, PortsOutlook, PortsPane, RouteRow};
pub use query::{Query, QueryCache, Sort, SortKey};
pub use sealed::Courses;
pub use spare::Spare;
pub use tally::{Diagnosis, Happening, Tally};
pub use transcript::{Arrow, Call, Collector, Entry, EntryKind, Fate, FlowKey, Queues, TRANSCRIPT_KEPT, Transcript};
