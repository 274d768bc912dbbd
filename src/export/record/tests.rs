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
fn names_and_waits_tell_whose_word_they_are_and_leave_out_what_is_not_known() {
    use crate::names::{Alert, Request, Response};
    let value = json_of(&fixture::named(1));
    let names = json!({
        "name": "shop.example.org", "by": "sni", "service": "http", "dns": "shop.example.org",
        "sni": "shop.example.org", "alpn_offered": "h2,http/1.1", "tls_version": "TLS 1.3",
    });
    assert_eq!(value["names"], names);
    let waits = json!({
        "dns_ns": 12_000_000, "dns_to_syn_ns": 3_000_000, "dns_server": "10.0.0.1:53", "tcp_ns": 21_000_000,
        "tls_ns": 41_000_000, "request_ns": 180_000_000,
    });
    assert_eq!(value["waits"], waits);
    let mut detail = fixture::named(1);
    let resp = detail.row.resp.endpoint;
    let opening = detail.opening.as_mut().expect("an opening");
    let tls = opening.tls.as_mut().expect("TLS");
    tls.alert = Some((Alert { fatal: true, description: 40 }, resp, crate::base::Timestamp::from_nanos(9)));
    tls.data_at = None;
    (tls.sni, opening.exchange) = (None, None);
    let text = crate::base::Scrubbed::new;
    opening.http = Some(crate::engine::Http {
        request: Some(Request { method: text("GET"), host: Some(text("www.example.org")) }),
        response: Some(Response { status: 404, reason: None }),
    });
    let value = json_of(&detail);
    assert_eq!((&value["names"]["by"], &value["names"]["http_status"]), (&json!("http_host"), &json!(404)));
    let alert = json!({"description": "handshake_failure", "fatal": true, "from": "resp", "at_ns": 9});
    assert_eq!(value["names"]["tls_alert"], alert);
    for absent in ["tls_ns", "request_ns"] {
        assert!(value["waits"].get(absent).is_none(), "{absent}");
    }
    assert!(json_of(&fixture::kernel_only(6)).get("waits").is_none());
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
    for detail in fixture::each() {
        assert!(!has_null(&json_of(&detail)), "{}", detail.row.id);
    }
    assert_eq!(json_of(&fixture::partial(7))["handshake"], json!({"outcome": "partial"}));
    let refused = json_of(&fixture::refused(2));
    assert_eq!((&refused["syn"], &refused["rst"], &refused["fin"]), (&json!(1), &json!(1), &json!(0)));
    assert_eq!(refused["handshake"], json!({"outcome": "refused", "syn_retries": 0}));
    assert_eq!(json_of(&fixture::timed_out(3))["handshake"], json!({"outcome": "unanswered", "syn_retries": 6}));
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
