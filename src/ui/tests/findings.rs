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

#[test]
fn on_a_low_screen_the_zoomed_finding_has_all_the_room_and_pages() {
    let parts = |keys: &str, size| {
        let ui = amid_findings(keys, size);
        let body = ui.screen(&live()).unwrap().body;
        (ui.list_parts(View::Findings, body), body)
    };
    let (low, body) = parts("8", (60, 12));
    assert_eq!((low.list, low.detail.height), (body, 0), "what has no room for a reason is a list");
    let (low, body) = parts("8 z", (60, 12));
    assert_eq!((low.list.height, low.detail), (0, body));
    let (roomy, _) = parts("8 z", (80, 24));
    assert_eq!((roomy.list.height, roomy.detail.height > 10), (4, true), "its line stands above it");
    let pages = |keys: &str| {
        let ui = amid_findings(keys, (60, 12));
        (ui.row().is_some(), ui.finding_page(3))
    };
    assert_eq!([pages("8 z"), pages("8 z PgDn"), pages("8 z PgDn PgDn PgDn")], [(true, 0), (true, 1), (true, 0)]);
    assert_eq!((pages("8 z PgUp").1, pages("8 z PgDn j").1, pages("8 z PgDn z z").1), (2, 0, 0));
    let first = amid_findings("8 z PgDn", (60, 12)).row();
    assert_eq!(first, amid_findings("8", (60, 12)).row(), "a page is none of the list's");
}
