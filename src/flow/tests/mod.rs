//! Cases of the flow room, each a trace with what must be told (see `trace` for how they are written).

/// Makes each `name: "trace"` a test, and `ALL` the list of them for the properties.
macro_rules! cases {
    ($($name:ident: $text:literal)*) => {
        pub(in crate::flow) const ALL: &[&str] = &[$($text),*];
        $(
            #[test]
            fn $name() {
                crate::flow::trace::run($text, crate::flow::trace::Variation::default());
            }
        )*
    };
}

pub(super) mod belief;
pub(super) mod closes;
pub(super) mod handshakes;
pub(super) mod numbers;

/// A table of a million flows should stay near 230 MB.
#[test]
fn a_flow_is_small() {
    assert!(size_of::<super::Flow>() <= 232, "{}", size_of::<super::Flow>());
    assert!(!std::mem::needs_drop::<super::Flow>(), "it holds no memory of its own");
}
