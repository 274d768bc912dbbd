use super::*;
use crate::engine::FlowDetail;
use crate::export::fixture;
use crate::flow::{ConnState, RowEnd, Side, ZeekView};
use serde_json::{Value, json};

fn json_of(detail: &FlowDetail) -> Value {
    serde_json::to_value(FlowRecord::of(detail)).unwrap()
}

fn has_null(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.iter().any(has_null),
        Value::Object(fields) => fields.values().any(has_null),
        _ => false,
    }
}

#[test]
fn a_flow_seen_on_the_wire_and_in_the_kernel() {
    let text = serde_json::to_string_pretty(&FlowRecord::of(&fixture::completed(1))).unwrap();
    insta::assert_snapshot!(text);
}

#[test]
fn a_flow_known_from_the_kernel_alone_has_no_counts() {
    let value = json_of(&fixture::kernel_only(6));
    for absent in ["first_from", "syn", "syn_ack", "fin", "rst", "completeness", "conn_state", "history", "handshake"] {
        assert!(value.get(absent).is_none(), "{absent}");
    }
    assert!(value.get("idle").is_none());
    let times = ["rtt", "in_flight", "throughput", "think", "stalls"];
    for absent in ["segments", "payload_bytes", "analysis", "state", "window"].into_iter().chain(times) {
        assert!(value["orig"].get(absent).is_none(), "{absent}");
    }
    assert_eq!(value["orig"]["owner"], json!({"relation": "no_access"}));
    assert_eq!(value["scope"], 4_026_531);
}

#[test]
fn nothing_is_null_and_a_handshake_not_captured_has_no_retries() {
    for detail in [
        fixture::completed(1),
        fixture::refused(2),
        fixture::timed_out(3),
        fixture::window_closed(4),
        fixture::close_wait(5),
        fixture::kernel_only(6),
        fixture::partial(7),
    ] {
        assert!(!has_null(&json_of(&detail)), "{}", detail.row.id);
    }
    assert_eq!(json_of(&fixture::partial(7))["handshake"], json!({"outcome": "partial"}));
    let refused = json_of(&fixture::refused(2));
    assert_eq!((&refused["syn"], &refused["rst"], &refused["fin"]), (&json!(1), &json!(1), &json!(0)));
    assert_eq!(refused["handshake"], json!({"outcome": "refused", "syn_retries": 0}));
    assert_eq!(json_of(&fixture::timed_out(3))["handshake"], json!({"outcome": "timed_out", "syn_retries": 6}));
}

#[test]
fn who_was_seen_first_is_told() {
    let mut detail = fixture::completed(1);
    assert_eq!(json_of(&detail)["first_from"], "orig");
    detail.first_from = Some(Side::Resp);
    assert_eq!(json_of(&detail)["first_from"], "resp");
}

#[test]
fn of_several_zeek_rows_the_established_one_is_told_and_all_are_listed() {
    let mut detail = fixture::completed(1);
    assert!(json_of(&detail).get("zeek_rows").is_none(), "one row says no more than the fields beside it");
    let rows = [(ConnState::S0, "S"), (ConnState::S1, "ShA"), (ConnState::Oth, "")];
    detail.zeek =
        Some(ZeekView { rows: rows.map(|(state, letters)| fixture::zeek_row(state, letters)).into(), beyond: 7 });
    detail.zeek.as_mut().unwrap().rows[0].ended = Some(RowEnd::Unanswered);
    detail.zeek.as_mut().unwrap().rows[2].duration = None;
    let value = json_of(&detail);
    assert_eq!((&value["conn_state"], &value["history"]), (&json!("S1"), &json!("ShA")));
    assert_eq!(value["zeek_rows"].as_array().unwrap().len(), 3);
    assert_eq!(value["zeek_rows_beyond"], 7);
    assert_eq!(value["zeek_rows"][0]["ended"], "unanswered");
    assert_eq!(value["zeek_rows"][0]["duration_ns"], 1_200_000_000);
    assert_eq!(value["zeek_rows"][0]["orig_bytes"], 420);
    assert!(value["zeek_rows"][1].get("ended").is_none());
    assert_eq!(value["zeek_rows"][2]["history"], "-");
    assert!(!has_null(&value));
}
