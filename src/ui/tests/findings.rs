//! Findings: what is wrong has the focus, and leads to its reason and its flows.

use super::*;

/// What an engine answers that found something.
fn found(ui: &UiState, source: &Source) -> Dashboard {
    let findings = incident(Timestamp::from_secs_nanos(1_000, 0));
    let mut dashboard = answer(&[1, 2, 3], ui, source);
    if matches!(ui.query(source).list, crate::engine::List::Findings(..)) {
        let key = |finding: &crate::findings::Finding| Keyed::key(finding);
        let followed =
            ui.query(source).follow.and_then(|wanted| findings.iter().position(|other| key(other) == wanted));
        let window = Window { matching: findings.len(), offset: 0, followed, rows: findings.clone() };
        dashboard.list = ListPane::Findings(window, FlowPane::default());
    }
    Dashboard { findings, ..dashboard }
}

/// A screen over findings after `keys`, each answered.
fn amid_findings(keys: &str, size: (u16, u16)) -> UiState {
    let source = live();
    let mut ui = UiState::new(Rect::new(0, 0, size.0, size.1), ThemeName::Dark);
    ui.observe(&found(&ui, &source), &source);
    for word in keys.split_whitespace() {
        let dashboard = found(&ui, &source);
        ui.handle(&event(word), &dashboard, &source);
        ui.observe(&found(&ui, &source), &source);
    }
    ui
}

#[test]
fn what_is_wrong_has_the_focus_and_two_keys_lead_to_its_reason() {
    let all: Vec<RowKey> = incident(Timestamp::from_secs_nanos(1_000, 0)).iter().map(Keyed::key).collect();
    for size in [(80, 24), (120, 40), (200, 60)] {
        let ui = amid_findings("", size);
        assert_eq!((ui.focus(&live()), ui.finding().0), (Some(Pane::Findings), None));
        let ui = amid_findings("Enter", size);
        assert_eq!((ui.view(), ui.row()), (View::Findings, Some(all[0])), "one key: the worst");
        let ui = amid_findings("j j Enter", size);
        assert_eq!((ui.view(), ui.row()), (View::Findings, Some(all[1])));
        assert_eq!(amid_findings("8", size).row(), Some(all[0]), "there is always one in full");
        assert_eq!(amid_findings("z", size).view(), View::Findings);
        assert_eq!(amid_findings("8 j Esc", size).view(), View::Overview);
        let zoomed = amid_findings("8 j z", size);
        assert!(zoomed.finding_zoomed() && zoomed.row() == Some(all[1]) && zoomed.leads_back());
        let back = amid_findings("8 j z Esc", size);
        assert_eq!((back.finding_zoomed(), back.view(), back.row()), (false, View::Findings, Some(all[1])));
        assert_eq!(amid_findings("8 z j j", size).row(), Some(all[2]), "the next one, in full too");
        assert_eq!(amid_findings("G", size).finding().0, all.last().copied());
    }
    let among_flows = amid_findings("h j", (120, 40));
    assert_eq!((among_flows.focus(&live()), among_flows.selected()), (Some(Pane::Flows), Some(FlowId(1))));
}

#[test]
fn a_finding_leads_to_its_flows_and_back() {
    let all = incident(Timestamp::from_secs_nanos(1_000, 0));
    let at = |kind| all.iter().position(|finding| finding.kind == kind).unwrap();
    let keys = |kind| format!("8 {} Enter", "j ".repeat(at(kind)));
    use crate::findings::Kind::{CaptureLoss, CloseWaitLeak, ConnectsRefused};
    let ui = amid_findings(&keys(ConnectsRefused), (120, 40));
    assert_eq!((ui.view(), ui.filter().text()), (View::Flows, "resp:10.0.0.8:80 outcome:refused"));
    let ui = amid_findings(&(keys(ConnectsRefused) + " Esc"), (120, 40));
    assert_eq!(
        (ui.view(), ui.filter().text(), ui.row()),
        (View::Findings, "", Some(Keyed::key(&all[at(ConnectsRefused)])))
    );
    let ui = amid_findings(&keys(CloseWaitLeak), (120, 40));
    assert_eq!(ui.filter().text(), "pid:77 state:close-wait");
    let ui = amid_findings(&keys(CaptureLoss), (120, 40));
    assert!(ui.view() == View::Findings && ui.message().is_some());
}

#[test]
fn a_click_on_a_finding_selects_it_and_another_opens_it() {
    let source = live();
    let mut ui = amid_findings("", (120, 40));
    let all: Vec<RowKey> = incident(Timestamp::from_secs_nanos(1_000, 0)).iter().map(Keyed::key).collect();
    let click = |ui: &mut UiState, row| {
        let kind = MouseEventKind::Down(MouseButton::Left);
        let mouse = MouseEvent { kind, column: 20, row, modifiers: KeyModifiers::NONE };
        ui.handle(&Event::Mouse(mouse), &found(ui, &source), &source);
        ui.observe(&found(ui, &source), &source);
    };
    click(&mut ui, 5);
    assert_eq!((ui.view(), ui.finding().0), (View::Overview, Some(all[1])));
    click(&mut ui, 3);
    assert_eq!(ui.finding().0, Some(all[1]), "the border is no row");
    click(&mut ui, 5);
    assert_eq!((ui.view(), ui.row()), (View::Findings, Some(all[1])));
}
