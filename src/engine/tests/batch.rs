//! A batch gives what its inputs give one by one, also where a tuple leads elsewhere within it.

use super::*;

/// More flows than are looked up without a look ahead.
const MANY: u16 = 1_100;

fn client(n: u16) -> String {
    format!("10.0.0.2:{}", 1_000 + n)
}

/// A flow that begins at `millis` with this ISS, and carries data.
fn talk(n: u16, millis: i64, iss: u32) -> [Segment; 4] {
    let client = client(n);
    [
        segment(millis, &client, SERVER, "S", iss, 0, 0),
        segment(millis + 1, SERVER, &client, "S.", 500, iss + 1, 0),
        segment(millis + 2, &client, SERVER, ".", iss + 1, 501, 0),
        segment(millis + 3, &client, SERVER, "P.", iss + 1, 501, 50),
    ]
}

/// What is told of every flow, after these on a table that is full with [`MANY`].
fn told(then: &[Segment], feed: impl Fn(&mut Engine, &[Input])) -> Vec<FlowDetail> {
    let mut engine = Engine::new(Config::replay(MANY.into(), 1));
    let before = (0..MANY).flat_map(|n| talk(n, i64::from(n) * 4, 100));
    let inputs: Vec<Input> = before.chain(then.iter().copied()).map(Input::Segment).collect();
    feed(&mut engine, &inputs);
    engine.flow_ids(&Filter::default()).into_iter().filter_map(|id| engine.detail(id)).collect()
}

#[test]
fn a_batch_is_its_inputs_one_by_one() {
    let from_client = |n, millis| segment(millis, &client(n), SERVER, "P.", 151, 501, 10);
    let reused = [[from_client(7, 5_000)].as_slice(), &talk(7, 5_001, 9_000)].concat();
    let evicted = [[from_client(1, 5_000)].as_slice(), &talk(MANY, 5_001, 100), &[from_client(0, 5_010)]].concat();
    for (what, then) in [("a tuple is reused", reused), ("a flow goes and comes again", evicted)] {
        let alone = told(&then, |engine, inputs| inputs.iter().for_each(|input| engine.feed(input)));
        let together = told(&then, Engine::feed_batch);
        assert_eq!(alone.len(), together.len(), "{what}");
        for (one, other) in alone.iter().zip(&together) {
            assert_eq!(one, other, "{what}");
        }
        assert!(alone.iter().any(|flow| flow.row.id.0 >= MANY.into()), "{what}: a flow began");
    }
}

#[test]
fn an_outline_is_what_is_told_but_times_and_zeeks_rows() {
    let mut segments = talk(0, 0, 100).to_vec();
    // Some wait to be shown to what tells of them.
    segments.extend((0..5).map(|n| segment(10 + i64::from(n), &client(0), SERVER, "P.", 151 + n * 10, 501, 10)));
    let engine = fed(segments);
    let (facts, outline) = (engine.facts(FlowId(0)).expect("a flow"), engine.outline(FlowId(0)).expect("a flow"));
    assert!(facts.timing.is_some() && facts.zeek.is_some());
    let detail = engine.detail(FlowId(0)).expect("a flow");
    assert_eq!((&facts.timing, &facts.zeek), (&detail.timing, &detail.zeek));
    assert_eq!(FlowDetail { timing: None, zeek: None, ..facts }, outline);
}
