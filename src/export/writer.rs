//! The records of flows as JSON, byte for byte as serde_json writes them, in a third of the steps.
//!
//! A line of a flow is names of fields for the most part, and zeros. What a record calls its fields is known when the
//! program is built and needs no escape, so a name is laid down as it is; short numbers and plain text are too. All
//! else is serde_json's own work. Pure.

use std::fmt;

use serde::Serialize;
use serde::ser::{self, Impossible};
use serde_json::Error;

/// Puts `value` behind `out`.
///
/// # Errors
/// As serde_json, and of enums that hold something: no record has any.
pub(super) fn write<T: Serialize>(out: &mut Vec<u8>, value: &T) -> Result<(), Error> {
    value.serialize(Writer { out })
}

struct Writer<'a> {
    out: &'a mut Vec<u8>,
}

/// An object or an array that is being written.
struct Inside<'a> {
    out: &'a mut Vec<u8>,
    /// It holds nothing so far.
    empty: bool,
    end: u8,
}

impl<'a> Writer<'a> {
    /// As serde_json writes it.
    fn any<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Error> {
        value.serialize(&mut serde_json::Serializer::new(self.out))
    }

    #[inline]
    fn number<T: Serialize + Copy>(self, value: T, small: Option<u8>) -> Result<(), Error> {
        match small {
            Some(digit @ 0..=9) => {
                self.out.push(b'0' + digit);
                Ok(())
            }
            _ => self.any(&value),
        }
    }

    #[inline(always)]
    fn open(self, [begin, end]: [u8; 2]) -> Inside<'a> {
        self.out.push(begin);
        Inside { out: self.out, empty: true, end }
    }
}

impl Inside<'_> {
    #[inline(always)]
    fn next(&mut self) {
        if !std::mem::take(&mut self.empty) {
            self.out.push(b',');
        }
    }

    #[inline(always)]
    fn close(self) -> Result<(), Error> {
        self.out.push(self.end);
        Ok(())
    }
}

/// Passes what is written rarely on to serde_json.
macro_rules! passed_on {
    ($($method:ident: $type:ty,)*) => {$(
        fn $method(self, value: $type) -> Result<(), Error> {
            self.any(&value)
        }
    )*};
}

macro_rules! numbers {
    ($($method:ident: $type:ty,)*) => {$(
        #[inline]
        fn $method(self, value: $type) -> Result<(), Error> {
            self.number(value, u8::try_from(value).ok())
        }
    )*};
}

impl<'a> ser::Serializer for Writer<'a> {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = Inside<'a>;
    type SerializeMap = Inside<'a>;
    type SerializeStruct = Inside<'a>;
    type SerializeTuple = Inside<'a>;
    type SerializeTupleStruct = Impossible<(), Error>;
    type SerializeTupleVariant = Impossible<(), Error>;
    type SerializeStructVariant = Impossible<(), Error>;

    numbers! {
        serialize_i8: i8, serialize_i16: i16, serialize_i32: i32, serialize_i64: i64, serialize_i128: i128,
        serialize_u8: u8, serialize_u16: u16, serialize_u32: u32, serialize_u64: u64, serialize_u128: u128,
    }

    passed_on! { serialize_f32: f32, serialize_f64: f64, serialize_char: char, serialize_bytes: &[u8], }

    #[inline]
    fn serialize_bool(self, value: bool) -> Result<(), Error> {
        self.out.extend_from_slice(if value { b"true" } else { b"false" });
        Ok(())
    }

    #[inline]
    fn serialize_str(self, value: &str) -> Result<(), Error> {
        let is_plain = |byte: &u8| *byte >= b' ' && *byte != b'"' && *byte != b'\\';
        if !value.as_bytes().iter().all(is_plain) {
            return self.any(value);
        }
        self.out.push(b'"');
        self.out.extend_from_slice(value.as_bytes());
        self.out.push(b'"');
        Ok(())
    }

    fn collect_str<T: fmt::Display + ?Sized>(self, value: &T) -> Result<(), Error> {
        serde_json::Serializer::new(self.out).collect_str(value)
    }

    fn serialize_none(self) -> Result<(), Error> {
        self.serialize_unit()
    }

    #[inline(always)]
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), Error> {
        self.any(&())
    }

    fn serialize_unit_struct(self, _name: &'static str) -> Result<(), Error> {
        self.serialize_unit()
    }

    fn serialize_unit_variant(self, _name: &'static str, _index: u32, variant: &'static str) -> Result<(), Error> {
        self.serialize_str(variant)
    }

    #[inline(always)]
    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _name: &'static str, value: &T) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        _index: u32,
        _variant: &'static str,
        _value: &T,
    ) -> Result<(), Error> {
        Err(unknown())
    }

    #[inline(always)]
    fn serialize_seq(self, _len: Option<usize>) -> Result<Inside<'a>, Error> {
        Ok(self.open(*b"[]"))
    }

    fn serialize_tuple(self, len: usize) -> Result<Inside<'a>, Error> {
        self.serialize_seq(Some(len))
    }

    fn serialize_tuple_struct(self, _name: &'static str, _len: usize) -> Result<Self::SerializeTupleStruct, Error> {
        Err(unknown())
    }

    fn serialize_tuple_variant(
        self,
        _name: &'static str,
        _index: u32,
        _variant: &'static str,
        _len: usize,
    ) -> Result<Self::SerializeTupleVariant, Error> {
        Err(unknown())
    }

    #[inline(always)]
    fn serialize_map(self, _len: Option<usize>) -> Result<Inside<'a>, Error> {
        Ok(self.open(*b"{}"))
    }

    #[inline(always)]
    fn serialize_struct(self, _name: &'static str, _len: usize) -> Result<Inside<'a>, Error> {
        Ok(self.open(*b"{}"))
    }

    fn serialize_struct_variant(
        self,
        _name: &'static str,
        _index: u32,
        _variant: &'static str,
        _len: usize,
    ) -> Result<Self::SerializeStructVariant, Error> {
        Err(unknown())
    }
}

fn unknown() -> Error {
    ser::Error::custom("no record holds such a value")
}

impl ser::SerializeStruct for Inside<'_> {
    type Ok = ();
    type Error = Error;

    /// The name's length is known where this ends up, and with it each step of the copy.
    #[inline(always)]
    fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<(), Error> {
        self.next();
        self.out.push(b'"');
        self.out.extend_from_slice(key.as_bytes());
        self.out.extend_from_slice(b"\":");
        value.serialize(Writer { out: self.out })
    }

    #[inline(always)]
    fn end(self) -> Result<(), Error> {
        self.close()
    }
}

/// What a flattened record is; its names are read anew.
impl ser::SerializeMap for Inside<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Error> {
        self.next();
        key.serialize(Writer { out: self.out })?;
        self.out.push(b':');
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        value.serialize(Writer { out: self.out })
    }

    fn end(self) -> Result<(), Error> {
        self.close()
    }
}

impl ser::SerializeSeq for Inside<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.next();
        value.serialize(Writer { out: self.out })
    }

    fn end(self) -> Result<(), Error> {
        self.close()
    }
}

/// As `serde_json` has it, an array too.
impl ser::SerializeTuple for Inside<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        ser::SerializeSeq::serialize_element(self, value)
    }

    fn end(self) -> Result<(), Error> {
        self.close()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::fixture;
    use crate::export::record::FlowRecord;

    fn assert_same<T: Serialize>(value: &T) {
        let mut written = Vec::new();
        write(&mut written, value).unwrap();
        assert_eq!(String::from_utf8(written).unwrap(), serde_json::to_string(value).unwrap());
    }

    #[test]
    fn flows_are_written_as_serde_json_does() {
        for detail in [
            fixture::named(1),
            fixture::completed(2),
            fixture::refused(3),
            fixture::timed_out(4),
            fixture::window_closed(5),
            fixture::close_wait(6),
            fixture::partial(7),
            fixture::kernel_only(8),
        ] {
            assert_same(&FlowRecord::of(&detail));
        }
    }

    #[derive(Serialize)]
    struct Outer<'a> {
        text: &'a str,
        none: Option<()>,
        unit: (),
        pair: (u8, u16),
        #[serde(flatten)]
        inner: Inner<'a>,
        list: Vec<Inner<'a>>,
    }

    #[derive(Serialize, Clone)]
    struct Inner<'a> {
        #[serde(rename = "a name")]
        name: char,
        #[serde(skip_serializing_if = "Option::is_none")]
        left_out: Option<&'a str>,
        bytes: &'a [u8],
        kind: Unit,
    }

    #[derive(Serialize, Clone)]
    enum Unit {
        One,
        Two(u8),
    }

    #[test]
    fn so_is_all_else_that_a_record_may_hold() {
        let texts = ["", "plain, with ünicode", "\"", "\\", "tab\tend", "\u{1f}", "\u{7f}", " ", "\u{2028}"];
        texts.iter().for_each(assert_same);
        for number in [0, 1, 9, 10, 255, 256, -1, -128, i64::MAX, i64::MIN] {
            assert_same(&number);
            assert_same(&(number as u64));
            assert_same(&(number as u8));
            assert_same(&(number as i16));
            assert_same(&(number as f64 / 3.0));
        }
        assert_same(&[true, false]);
        let inner = Inner { name: '"', left_out: None, bytes: &[0, 10], kind: Unit::One };
        let list = vec![inner.clone(), Inner { left_out: Some("\n"), ..inner.clone() }];
        assert_same(&Outer { text: "x", none: None, unit: (), pair: (1, 10), inner, list });
        assert!(write(&mut Vec::new(), &Unit::Two(2)).is_err(), "no record holds such a value");
    }
}
