//! TODO charter

pub mod bpf;
