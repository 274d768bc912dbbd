//! What Zeek's connection log would say of a flow: a line for the state, one for the history, one for further rows.

use crate::flow::{Side, ZeekView};

use super::Context;
use super::flow_end::{Sections, field, plain};
use super::widgets::styled;

/// The lines, each with how much it matters beside the handshake's.
pub(super) fn sections(context: &Context<'_>, view: &ZeekView) -> Sections {
    let theme = context.theme;
    let Some(row) = view.chosen() else { return Sections::new() };
    let state = vec![
        styled(row.conn_state.name(), theme.strong),
        styled(format!("  {}", row.conn_state.meaning()), theme.text),
    ];
    let mut history = vec![styled(row.history.to_string(), theme.text)];
    if row.orig == Side::Resp {
        history.push(styled("  Zeek's orig is resp", theme.dim));
    }
    let mut sections = vec![(3, vec![field(context, "zeek", state)]), (3, vec![field(context, "history", history)])];
    if view.count() > 1 {
        let number = format!("{} of {}", view.chosen_at() + 1, view.count());
        sections.push((5, vec![plain(context, "zeek row", number)]));
    }
    sections
}
