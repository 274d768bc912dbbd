//! What serde_json writes of a record, made at a fraction of its cost: the names of fields are put in as they are, which
//! it looks through for characters to escape, and short text needs one look. Whatever else there is it writes itself.
//! Pure.

use serde::ser::{Error as _, Impossible, Serialize, SerializeMap, SerializeSeq, SerializeStruct, Serializer};
use serde_json::{Error, Result, to_writer};

/// Adds to `text` what [`to_writer`] would.
///
/// # Errors
/// Of a record with tuples, bytes, or variants that hold something, which the schema has not.
pub(super) fn append(text: &mut Vec<u8>, record: &impl Serialize) -> Result<()> {
    record.serialize(Compact(text))
}

struct Compact<'a>(&'a mut Vec<u8>);

/// Values that serde_json writes.
macro_rules! plain {
    ($($method:ident($value:ty))*) => {
        $(#[inline]
        fn $method(self, value: $value) -> Result<()> {
            to_writer(self.0, &value)
        })*
    };
}

/// Numbers that mostly are a digit.
macro_rules! counts {
    ($($method:ident($count:ty))*) => {
        $(#[inline]
        fn $method(self, count: $count) -> Result<()> {
            match u8::try_from(count) {
                Ok(digit @ 0..=9) => self.0.push(b'0' + digit),
                _ => return append_number(self.0, u64::from(count)),
            }
            Ok(())
        })*
    };
}

/// What the schema does not have.
macro_rules! none_of {
    ($($method:ident($($argument:ty),*) -> $made:ty;)*) => {
        $(fn $method(self, $(_: $argument),*) -> Result<$made> {
            Err(Error::custom("no part of the schema"))
        })*
    };
}

impl<'a> Serializer for Compact<'a> {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = Items<'a>;
    type SerializeMap = Items<'a>;
    type SerializeStruct = Items<'a>;
    type SerializeTuple = Impossible<(), Error>;
    type SerializeTupleStruct = Impossible<(), Error>;
    type SerializeTupleVariant = Impossible<(), Error>;
    type SerializeStructVariant = Impossible<(), Error>;

    plain! {
        serialize_char(char) serialize_f32(f32) serialize_f64(f64)
        serialize_i8(i8) serialize_i16(i16) serialize_i32(i32) serialize_i64(i64)
    }

    counts! { serialize_u8(u8) serialize_u16(u16) serialize_u32(u32) serialize_u64(u64) }

    #[inline]
    fn serialize_bool(self, value: bool) -> Result<()> {
        if value {
            self.0.extend_from_slice(b"true");
        } else {
            self.0.extend_from_slice(b"false");
        }
        Ok(())
    }

    #[inline]
    fn serialize_str(self, value: &str) -> Result<()> {
        // Without a way out at the first of them, several bytes are looked at at once.
        let is_odd = |byte: &u8| *byte < b' ' || *byte == b'"' || *byte == b'\\';
        if value.as_bytes().iter().fold(false, |odd, byte| odd | is_odd(byte)) {
            return to_writer(self.0, value);
        }
        self.0.push(b'"');
        self.0.extend_from_slice(value.as_bytes());
        self.0.push(b'"');
        Ok(())
    }

    #[inline]
    fn serialize_none(self) -> Result<()> {
        self.serialize_unit()
    }

    #[inline]
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<()> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<()> {
        to_writer(self.0, &())
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<()> {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result<()> {
        value.serialize(self)
    }

    #[inline]
    fn serialize_seq(self, _: Option<usize>) -> Result<Items<'a>> {
        Ok(Items::begin(self.0, b'[', b']'))
    }

    #[inline]
    fn serialize_map(self, _: Option<usize>) -> Result<Items<'a>> {
        Ok(Items::begin(self.0, b'{', b'}'))
    }

    #[inline]
    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Items<'a>> {
        Ok(Items::begin(self.0, b'{', b'}'))
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<()> {
        Err(Error::custom("no part of the schema"))
    }

    none_of! {
        serialize_bytes(&[u8]) -> ();
        serialize_unit_struct(&'static str) -> ();
        serialize_tuple(usize) -> Self::SerializeTuple;
        serialize_tuple_struct(&'static str, usize) -> Self::SerializeTupleStruct;
        serialize_tuple_variant(&'static str, u32, &'static str, usize) -> Self::SerializeTupleVariant;
        serialize_struct_variant(&'static str, u32, &'static str, usize) -> Self::SerializeStructVariant;
    }
}

/// A number of more digits.
fn append_number(text: &mut Vec<u8>, number: u64) -> Result<()> {
    to_writer(text, &number)
}

/// Adds the name of a field. In line, where it is known, what is put together here is a constant: a store or two.
#[inline(always)]
fn append_name(text: &mut Vec<u8>, before: &'static [u8], name: &'static str) {
    const BEHIND: &[u8] = b"\":";
    let mut whole = [0; 64];
    let (from, to) = (before.len(), before.len() + name.len());
    let end = to + BEHIND.len();
    if end > whole.len() {
        return [before, name.as_bytes(), BEHIND].into_iter().for_each(|part| text.extend_from_slice(part));
    }
    whole[..from].copy_from_slice(before);
    whole[from..to].copy_from_slice(name.as_bytes());
    whole[to..end].copy_from_slice(BEHIND);
    text.extend_from_slice(&whole[..end]);
}

/// An array or an object that has begun.
struct Items<'a> {
    text: &'a mut Vec<u8>,
    any: bool,
    close: u8,
}

impl<'a> Items<'a> {
    #[inline]
    fn begin(text: &'a mut Vec<u8>, open: u8, close: u8) -> Self {
        text.push(open);
        Self { text, any: false, close }
    }

    /// Parts the next from the one before.
    #[inline]
    fn next(&mut self) {
        if self.any {
            self.text.push(b',');
        }
        self.any = true;
    }

    #[inline]
    fn close(self) -> Result<()> {
        self.text.push(self.close);
        Ok(())
    }
}

impl SerializeSeq for Items<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        self.next();
        value.serialize(Compact(self.text))
    }

    fn end(self) -> Result<()> {
        self.close()
    }
}

impl SerializeMap for Items<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<()> {
        self.next();
        key.serialize(Compact(self.text))
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        self.text.push(b':');
        value.serialize(Compact(self.text))
    }

    fn end(self) -> Result<()> {
        self.close()
    }
}

impl SerializeStruct for Items<'_> {
    type Ok = ();
    type Error = Error;

    #[inline(always)]
    fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<()> {
        if self.any {
            append_name(self.text, b",\"", name);
        } else {
            append_name(self.text, b"\"", name);
        }
        self.any = true;
        value.serialize(Compact(self.text))
    }

    #[inline]
    fn end(self) -> Result<()> {
        self.close()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::{fixture, record::FlowRecord};
    use std::collections::BTreeMap;
    use std::net::IpAddr;

    fn is_as_serde_json_writes_it(record: &impl Serialize) {
        let mut text = b"before".to_vec();
        append(&mut text, record).unwrap();
        assert_eq!(String::from_utf8(text).unwrap(), format!("before{}", serde_json::to_string(record).unwrap()));
    }

    #[test]
    fn flows_are_as_serde_json_writes_them() {
        for detail in fixture::each() {
            is_as_serde_json_writes_it(&FlowRecord::of(&detail));
        }
    }

    #[test]
    fn values_are_as_serde_json_writes_them() {
        for text in
            ["", "a", "a\"b", "\\", "\u{0}\u{1f} \u{7f}\u{9f}", "tab\there, and a longer text", "ü → 漢 \u{202e}"]
        {
            is_as_serde_json_writes_it(&BTreeMap::from([(text, Some(text))]));
        }
        is_as_serde_json_writes_it(&[0, 9, 10, 255, u64::from(u32::MAX), u64::MAX].to_vec());
        is_as_serde_json_writes_it(&[i64::MIN, -1, 0, 7, i64::MAX].to_vec());
        let kinds = serde_json::json!({"a": [], "b": {}, "c": [null, true, false, 0.5, -3, "x"], "d": 'c'});
        is_as_serde_json_writes_it(&kinds);
        let addresses = ["10.0.0.1", "::ffff:10.0.0.1", "fe80::1"].map(|text| text.parse::<IpAddr>().unwrap());
        is_as_serde_json_writes_it(&addresses.to_vec());
    }

    #[test]
    fn what_the_schema_does_not_have_is_refused() {
        #[derive(serde::Serialize)]
        enum Odd {
            Holds(u8),
        }
        assert!(append(&mut Vec::new(), &Odd::Holds(1)).is_err());
        assert!(append(&mut Vec::new(), &(1, 2)).is_err());
    }
}
