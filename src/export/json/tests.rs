use super::JsonForm::{Lines, Whole};
use super::*;
use crate::export::fixture;
use serde_json::Value;

fn flows() -> [FlowDetail; 3] {
    [fixture::completed(1), fixture::refused(2), fixture::kernel_only(3)]
}

fn report(form: JsonForm) -> JsonReport<'static, Vec<u8>> {
    JsonReport::new(Vec::new(), form).unwrap()
}

fn in_words<W: Write>(report: &JsonReport<W>, flows: &[FlowDetail]) -> Flows {
    let mut words = report.no_flows();
    flows.iter().for_each(|detail| words.add(detail).unwrap());
    words
}

fn damage() -> Damage {
    Damage { file: "cut.pcap".to_owned(), offset: 4_711, reason: "the last packet is cut".to_owned() }
}

#[test]
fn ndjson_is_a_line_a_flow_then_the_summary() {
    let mut report = report(Lines);
    report.append(in_words(&report, &flows())).unwrap();
    let found = report.findings(&fixture::dashboard(), |tell| flows().iter().for_each(|flow| tell(&Gist::from(flow))));
    let bytes = report.finish("cut.pcap", &fixture::dashboard(), &found, Some(&damage())).unwrap();
    let text = String::from_utf8(bytes).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(
        lines.iter().map(|line| line["type"].as_str().unwrap()).collect::<Vec<_>>(),
        ["flow", "flow", "flow", "summary"]
    );
    let summary = serde_json::to_string_pretty(&lines[3]).unwrap();
    insta::assert_snapshot!(summary.replace(env!("CARGO_PKG_VERSION"), "VERSION"));
}

#[test]
fn json_holds_the_same_objects() {
    let (mut json, mut ndjson) = (report(Whole), report(Lines));
    let flows = flows();
    for part in [&flows[..1], &[], &flows[1..]] {
        json.append(in_words(&json, part)).unwrap();
        ndjson.append(in_words(&ndjson, part)).unwrap();
    }
    let found = json.findings(&fixture::dashboard(), |tell| flows.iter().for_each(|flow| tell(&Gist::from(flow))));
    let json = json.finish("x", &fixture::dashboard(), &found, None).unwrap();
    let ndjson = ndjson.finish("x", &fixture::dashboard(), &found, None).unwrap();
    let whole: Value = serde_json::from_slice(&json).unwrap();
    let lines: Vec<Value> =
        String::from_utf8(ndjson).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(whole["flows"].as_array().unwrap().as_slice(), &lines[..3]);
    assert_eq!(whole["summary"], lines[3]);
    assert!(whole["summary"].get("damage").is_none());
}

#[test]
fn marks_stand_before_the_summary() {
    let (dashboard, at) = (fixture::dashboard(), crate::base::Timestamp::from_nanos);
    let mark = |nanos, note: &str| Mark { ts: at(nanos), note: crate::base::Scrubbed::new(note) };
    let marks = [mark(7, "deploy 4711"), mark(9, "")];
    let expected = serde_json::json!([
        {"type": "mark", "ts_ns": 7, "note": "deploy 4711"},
        {"type": "mark", "ts_ns": 9},
    ]);
    let json = report(JsonForm::Whole).marked(&marks).finish("x", &dashboard, &[], None).unwrap();
    let whole: Value = serde_json::from_slice(&json).unwrap();
    assert_eq!(whole["marks"], expected);
    let ndjson = report(JsonForm::Lines).marked(&marks).finish("x", &dashboard, &[], None).unwrap();
    let text = String::from_utf8(ndjson).unwrap();
    let mut lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.pop(), Some(whole["summary"].clone()));
    assert_eq!(Value::Array(lines), expected);
    let none = report(JsonForm::Whole).finish("x", &dashboard, &[], None).unwrap();
    assert!(serde_json::from_slice::<Value>(&none).unwrap().get("marks").is_none());
}

#[test]
fn no_flow_at_all_is_still_json() {
    let bytes = report(Whole).finish("x", &fixture::dashboard(), &[], None).unwrap();
    let whole: Value = serde_json::from_slice(&bytes).unwrap();
    assert_eq!(whole["flows"], Value::Array(Vec::new()));
}

#[test]
fn a_filter_is_named_in_the_summary() {
    let of = |words: &str| {
        let bytes = report(Lines).filtered(words).finish("x", &fixture::dashboard(), &[], None).unwrap();
        serde_json::from_slice::<Value>(&bytes).unwrap().get("filter").cloned()
    };
    assert_eq!((of("6379 refused"), of("")), (Some("6379 refused".into()), None));
}

#[test]
fn states_that_were_not_seen_are_absent() {
    let summary = |dashboard: &Dashboard| {
        let bytes = report(Lines).finish("x", dashboard, &[], None).unwrap();
        serde_json::from_slice::<Value>(&bytes).unwrap()["states"].take()
    };
    let mut dashboard = fixture::dashboard();
    let seen = crate::engine::StateRow {
        state: crate::base::TcpState::TimeWait,
        kernel: Some(0),
        wire: Some(3),
        history: Vec::new(),
    };
    dashboard.states.rows = vec![seen.clone()];
    assert_eq!(summary(&dashboard)["by_state"]["TIME-WAIT"], serde_json::json!({"wire": 3, "kernel": 0}));
    dashboard.states.rows = vec![crate::engine::StateRow { kernel: None, ..seen }];
    dashboard.sees.kernel = None;
    let without = summary(&dashboard);
    assert_eq!(without["by_state"]["TIME-WAIT"], serde_json::json!({"wire": 3}));
    assert!(without.get("mismatched").is_none() && dashboard.sees.wire);
}

#[derive(Debug)]
struct ClosedPipe;

impl Write for ClosedPipe {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::BrokenPipe.into())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_closed_pipe_is_told_as_such() {
    let mut report = JsonReport::new(ClosedPipe, Lines).unwrap();
    let error = report.append(in_words(&report, &[fixture::refused(1)])).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
}
