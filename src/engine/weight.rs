//! How much memory a copy of the engine holds that another does not share: for whoever keeps copies under a budget.

use triomphe::Arc;

use super::Engine;
use super::course::Course;
use super::record::Record;
use super::table::Page;

/// What a course keeps in boxes of its own, on the average of captures: round trips, waits, evidence of losses. Bytes.
const COURSE_PARTS: usize = 640;
/// What an engine keeps beside its flows: series, the segments seen last, latencies, failures. Bytes.
const REST: usize = 160 << 10;

impl Engine {
    /// About how many bytes this copy holds that `other` does not share.
    pub fn apart_from(&self, other: &Self) -> usize {
        let records = self.table.records_apart_from(&other.table);
        let flows: usize = records.map(|record| record.map_or(size_of::<Option<Record>>(), weight)).sum();
        flows + self.table.index_bytes() + self.deadlines.bytes() + REST
    }
}

fn weight(record: &Record) -> usize {
    let course = record.course.as_ref().map_or(0, |_| size_of::<Course>() + COURSE_PARTS);
    size_of::<Option<Record>>() + course
}

impl super::table::FlowTable {
    /// The places of pages that `other` does not share.
    fn records_apart_from<'a>(&'a self, other: &'a Self) -> impl Iterator<Item = Option<&'a Record>> {
        let pages = self.pages.iter().enumerate();
        let own = pages.filter(|(at, page)| !other.pages.get(*at).is_some_and(|there| Arc::ptr_eq(page, there)));
        own.flat_map(|(_, page)| page.iter().map(Option::as_ref))
    }

    /// Of what is no page: nothing of it is shared.
    fn index_bytes(&self) -> usize {
        let tables = self.by_tuple.allocation_size() + self.by_id.allocation_size();
        tables + self.free.len() * size_of::<u32>() + self.pages.len() * size_of::<Arc<Page>>()
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::segment;
    use super::super::{Config, Engine, Input};

    #[test]
    fn a_copy_weighs_what_has_changed_since() {
        let mut engine = Engine::new(Config::replay(100_000, 1));
        let syn = |port: u32| {
            let source = format!("10.0.{}.{}:{}", port / 200, 1 + port % 200, 40_000);
            Input::Segment(segment(0, &source, "10.0.0.5:80", "S", 100, 0, 0))
        };
        (0..4_000).for_each(|port| engine.feed(&syn(port)));
        let copy = engine.clone();
        let (shared, whole) = (copy.apart_from(&engine), copy.apart_from(&Engine::new(Config::replay(1, 1))));
        assert!(whole > shared + 4_000 * 300, "{whole} {shared}");
        engine.feed(&syn(7));
        let after_one = copy.apart_from(&engine);
        assert!(after_one > shared && after_one < shared + 40_000, "a page or two: {after_one} {shared}");
    }
}
