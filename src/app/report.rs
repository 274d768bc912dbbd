//! `report`: what was seen, as text for people or JSON for programs.
use anyhow::Result;
use super::cli::{Input, Report};
use super::read::Origin;
use super::Outcome;

pub(super) fn run(_options: &Report) -> Result<Outcome> { anyhow::bail!("wait") }
pub(super) fn instead_of_dashboard(_input: &Input, _origin: Option<&Origin>) -> Result<Outcome> { anyhow::bail!("wait") }
