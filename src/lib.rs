//! sockscope: what crossed the wire, what the kernel holds and which process owns it, joined per TCP connection.

#![deny(unsafe_code)]

pub mod base;
pub mod engine;
pub mod flow;
pub mod journal;
pub mod kernel;
pub mod wire;

#[cfg(feature = "tui")]
pub mod export;
#[cfg(feature = "tui")]
pub mod ui;
#[cfg(feature = "tui")]
pub mod view;

#[cfg(feature = "live")]
pub mod io;

#[cfg(all(feature = "live", feature = "tui"))]
pub mod app;
