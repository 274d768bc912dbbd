//! The text that describes a record of the ring on the running kernel: names → offsets.
//!
//! Read first: Documentation/trace/events.rst (event formats). Offsets, sizes and ids differ between kernels.

use std::collections::BTreeMap;

use crate::kernel::bytes::{u8_at, u16_at, u32_at, u64_at};

/// Fields described at most: no event has half as many, and the text is the kernel's word alone.
const MOST: usize = 256;

/// Where a field lies in a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Field {
    offset: usize,
    size: usize,
}

impl Field {
    /// Its place.
    pub(super) const fn offset(self) -> usize {
        self.offset
    }

    /// Its value as an unsigned number of its own width (a pointer's width is the kernel's).
    pub(super) fn number(self, record: &[u8]) -> Option<u64> {
        match self.size {
            1 => u8_at(record, self.offset).map(u64::from),
            2 => u16_at(record, self.offset).map(u64::from),
            4 => u32_at(record, self.offset).map(u64::from),
            8 => u64_at(record, self.offset),
            _ => None,
        }
    }

    /// Its bytes, if it has just as many.
    pub(super) fn array<const N: usize>(self, record: &[u8]) -> Option<[u8; N]> {
        (self.size == N).then(|| crate::kernel::bytes::array(record, self.offset)).flatten()
    }
}

/// The fields of `events/header_page` or of an event's `format`, and the event's id.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Fields {
    /// What `common_type` holds in such an event; `None` in a text that describes no event.
    pub id: Option<u16>,
    by_name: BTreeMap<String, Field>,
}

impl Fields {
    /// A field by its name.
    pub(super) fn get(&self, name: &str) -> Option<Field> {
        self.by_name.get(name).copied()
    }
}

/// Reads such a text: `field:TYPE NAME[LEN]; offset:N; size:N; signed:N;` a line. What it does not understand is left
/// out.
pub fn fields(text: &str) -> Fields {
    let mut fields = Fields::default();
    for line in text.lines().map(str::trim) {
        if let Some(id) = line.strip_prefix("ID:") {
            fields.id = id.trim().parse().ok();
        }
        if let Some((name, field)) = field(line).filter(|_| fields.by_name.len() < MOST) {
            // `overwrite` of header_page lies over `commit`: each keeps its own name.
            fields.by_name.entry(name.to_owned()).or_insert(field);
        }
    }
    fields
}

fn field(line: &str) -> Option<(&str, Field)> {
    let mut parts = line.split(';').map(str::trim);
    let declaration = parts.next()?.strip_prefix("field:")?;
    let number = |part: Option<&str>, name: &str| part?.strip_prefix(name)?.strip_prefix(':')?.parse().ok();
    let (offset, size) = (number(parts.next(), "offset")?, number(parts.next(), "size")?);
    let name = declaration.split_whitespace().next_back()?;
    Some((name.split('[').next()?, Field { offset, size }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_the_last_word_of_a_declaration() {
        let text = "name: x\nID: 2287\nformat:\n\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;\n\n\
                    \tfield:const void * skaddr;\toffset:8;\tsize:8;\tsigned:0;\n\
                    \tfield:__u8 saddr[4];\toffset:32;\tsize:4;\tsigned:0;\n\nprint fmt: \"field:x; offset:1; size:1;\"";
        let fields = fields(text);
        assert_eq!(fields.id, Some(2287));
        assert_eq!(fields.get("skaddr"), Some(Field { offset: 8, size: 8 }));
        assert_eq!(fields.get("saddr"), Some(Field { offset: 32, size: 4 }));
        assert_eq!((fields.get("x"), fields.get("saddr[4]"), fields.by_name.len()), (None, None, 3));
    }

    #[test]
    fn a_line_that_is_cut_is_no_field() {
        for line in
            ["field:int a;", "field:int a; offset:0;", "field:int a; size:4; offset:0;", "field:; offset:0; size:1;"]
        {
            assert_eq!(fields(line), Fields::default(), "{line}");
        }
        assert_eq!(fields("ID: 70000").id, None);
    }

    #[test]
    fn a_number_has_the_width_of_its_field() {
        let record = [1, 2, 3, 4, 5, 6, 7, 8];
        let read = |offset, size| Field { offset, size }.number(&record);
        assert_eq!(read(1, 2), Some(u64::from(u16::from_ne_bytes([2, 3]))));
        assert_eq!(read(0, 8), Some(u64::from_ne_bytes(record)));
        assert_eq!((read(0, 3), read(1, 8), read(usize::MAX, 4)), (None, None, None));
        assert_eq!(Field { offset: 2, size: 4 }.array::<4>(&record), Some([3, 4, 5, 6]));
        assert_eq!(Field { offset: 2, size: 8 }.array::<4>(&record), None);
    }
}
