//! Arrays, shapes and keys in the data model of `serde`.
//!
//! In text an array is `{"dtype": "f64", "shape": [2], "data": [1.0, "NaN"]}`: its elements in row-major order, what no
//! number of JSON is as `"NaN"`, `"inf"` and `"-inf"`, and an `f32` with the digits of the `f64` that equals it, so that
//! all numbers are read as what they were. In binary formats the elements are bytes, little-endian.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{self, Deserialize, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::{self, Serialize, SerializeSeq, SerializeStruct, Serializer};
use wengert_ir::buffer::{Dense, Element};
use wengert_ir::ir::{DType, Type};
use wengert_ir::with_data;

use crate::array::Array;
use crate::complex::Complex;
use crate::random::Key;
use crate::tree::ShapeDtype;

/// An element type, by its name.
struct Name(DType);

impl Serialize for Name {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.0.name())
    }
}

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Name, D::Error> {
        from.deserialize_str(Names)
    }
}

struct Names;

impl Visitor<'_> for Names {
    type Value = Name;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of an element type, such as f64")
    }
    fn visit_str<E: de::Error>(self, name: &str) -> Result<Name, E> {
        let dtype = DType::ALL.into_iter().find(|d| d.name() == name);
        let unknown = || E::invalid_value(de::Unexpected::Str(name), &self);
        dtype.map(Name).ok_or_else(unknown)
    }
}

impl Serialize for ShapeDtype {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut to = to.serialize_struct("ShapeDtype", 2)?;
        to.serialize_field("dtype", &Name(self.dtype))?;
        to.serialize_field("shape", &self.shape)?;
        to.end()
    }
}

impl<'de> Deserialize<'de> for ShapeDtype {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<ShapeDtype, D::Error> {
        let (dtype, shape, _) = from.deserialize_struct("ShapeDtype", &FIELDS[..2], Parts(None))?;
        let (dtype, shape) = typed::<D::Error>(dtype, shape)?;
        Ok(ShapeDtype { dtype, shape })
    }
}

impl Serialize for Array {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let text = to.is_human_readable();
        let mut to = to.serialize_struct("Array", 3)?;
        to.serialize_field("dtype", &Name(self.dtype()))?;
        to.serialize_field("shape", self.shape())?;
        match text {
            true => to.serialize_field("data", &Numbers(self))?,
            false => to.serialize_field("data", &Bytes(self))?,
        }
        to.end()
    }
}

/// Reads an array, which may be on a device.
fn read<S: Serializer>(array: &Array) -> Result<&Dense, S::Error> {
    array.try_dense().map_err(ser::Error::custom)
}

/// The elements, as numbers.
struct Numbers<'a>(&'a Array);

impl Serialize for Numbers<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut to = to.serialize_seq(Some(self.0.len()))?;
        with_data!(&*read::<S>(self.0)?.data, v => {
            for x in v {
                to.serialize_element(&Number::from(*x))?;
            }
        });
        to.end()
    }
}

/// The elements, as bytes.
struct Bytes<'a>(&'a Array);

impl Serialize for Bytes<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let width = self.0.dtype().bytes();
        let mut bytes = Vec::with_capacity(width * self.0.len());
        with_data!(&*read::<S>(self.0)?.data, v => {
            for x in v {
                bytes.extend_from_slice(&x.to_bits_le()[..width]);
            }
        });
        to.serialize_bytes(&bytes)
    }
}

/// The bits of an element, the lowest byte first.
trait Bits: Element {
    fn to_bits_le(self) -> [u8; 8] {
        Element::to_bits(self).to_le_bytes()
    }
}
impl<T: Element> Bits for T {}

/// An element of any type, as it stands in a text.
#[derive(Clone, Copy)]
enum Number {
    Bool(bool),
    Int(i64),
    Natural(u64),
    Float(f64),
}

macro_rules! numbers {
    ($($t:ty: $variant:ident;)*) => {$(
        impl From<$t> for Number {
            fn from(x: $t) -> Number {
                Number::$variant(x.into())
            }
        }
    )*};
}
numbers! {
    f32: Float;
    f64: Float;
    i32: Int;
    i64: Int;
    u32: Natural;
    u64: Natural;
    u8: Natural;
    bool: Bool;
}

impl Number {
    fn float(self) -> Option<f64> {
        match self {
            Number::Bool(_) => None,
            Number::Int(n) => Some(n as f64),
            Number::Natural(n) => Some(n as f64),
            Number::Float(x) => Some(x),
        }
    }

    fn int<T: TryFrom<i128>>(self) -> Option<T> {
        match self {
            Number::Int(n) => T::try_from(n.into()).ok(),
            Number::Natural(n) => T::try_from(n.into()).ok(),
            Number::Bool(_) | Number::Float(_) => None,
        }
    }

    fn truth(self) -> Option<bool> {
        match self {
            Number::Bool(b) => Some(b),
            _ => None,
        }
    }
}

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match *self {
            Number::Bool(b) => to.serialize_bool(b),
            Number::Int(n) => to.serialize_i64(n),
            Number::Natural(n) => to.serialize_u64(n),
            Number::Float(x) if x.is_finite() => to.serialize_f64(x),
            Number::Float(x) if x.is_nan() => to.serialize_str("NaN"),
            Number::Float(x) => to.serialize_str(if x > 0.0 { "inf" } else { "-inf" }),
        }
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Number, D::Error> {
        from.deserialize_any(Any)
    }
}

struct Any;

impl Visitor<'_> for Any {
    type Value = Number;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number, a truth value, \"NaN\", \"inf\" or \"-inf\"")
    }
    fn visit_bool<E>(self, b: bool) -> Result<Number, E> {
        Ok(Number::Bool(b))
    }
    fn visit_i64<E>(self, n: i64) -> Result<Number, E> {
        Ok(Number::Int(n))
    }
    fn visit_u64<E>(self, n: u64) -> Result<Number, E> {
        Ok(Number::Natural(n))
    }
    fn visit_f64<E>(self, x: f64) -> Result<Number, E> {
        Ok(Number::Float(x))
    }
    fn visit_str<E: de::Error>(self, x: &str) -> Result<Number, E> {
        match x {
            "NaN" => Ok(Number::Float(f64::NAN)),
            "inf" => Ok(Number::Float(f64::INFINITY)),
            "-inf" => Ok(Number::Float(f64::NEG_INFINITY)),
            _ => Err(E::invalid_value(de::Unexpected::Str(x), &self)),
        }
    }
}

/// The elements, as they were read.
enum Read {
    Bytes(Vec<u8>),
    Numbers(Vec<Number>),
}

/// Reads elements, as a text or a binary format has them.
#[derive(Clone, Copy)]
struct Elements {
    text: bool,
}

impl<'de> DeserializeSeed<'de> for Elements {
    type Value = Read;
    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Read, D::Error> {
        match self.text {
            true => Vec::deserialize(from).map(Read::Numbers),
            false => from.deserialize_byte_buf(self),
        }
    }
}

impl<'de> Visitor<'de> for Elements {
    type Value = Read;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the bytes of elements")
    }
    fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Read, E> {
        Ok(Read::Bytes(bytes.to_vec()))
    }
    fn visit_byte_buf<E>(self, bytes: Vec<u8>) -> Result<Read, E> {
        Ok(Read::Bytes(bytes))
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<Read, A::Error> {
        let mut bytes = vec![];
        while let Some(byte) = from.next_element()? {
            bytes.push(byte);
        }
        Ok(Read::Bytes(bytes))
    }
}

const FIELDS: [&str; 3] = ["dtype", "shape", "data"];

/// Reads the fields of an array, or without elements those of a shape and element type.
struct Parts(Option<Elements>);

type Found = (Option<Name>, Option<Vec<usize>>, Option<Read>);

impl<'de> Visitor<'de> for Parts {
    type Value = Found;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            None => "an element type and a shape",
            Some(_) => "an element type, a shape and elements",
        })
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<Found, A::Error> {
        let (dtype, shape) = (from.next_element()?, from.next_element()?);
        let data = match self.0 {
            None => None,
            Some(elements) => from.next_element_seed(elements)?,
        };
        Ok((dtype, shape, data))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut from: A) -> Result<Found, A::Error> {
        let (mut dtype, mut shape, mut data) = (None, None, None);
        while let Some(key) = from.next_key::<String>()? {
            let again = match (&*key, self.0) {
                ("dtype", _) => dtype.replace(from.next_value()?).is_some(),
                ("shape", _) => shape.replace(from.next_value()?).is_some(),
                ("data", Some(e)) => data.replace(from.next_value_seed(e)?).is_some(),
                _ => return Err(de::Error::unknown_field(&key, &FIELDS)),
            };
            if again {
                return Err(de::Error::custom(format_args!("`{key}` is there twice")));
            }
        }
        Ok((dtype, shape, data))
    }
}

/// Checks that an element type and a shape are there, and that memory has addresses for such an array.
fn typed<E: de::Error>(
    dtype: Option<Name>,
    shape: Option<Vec<usize>>,
) -> Result<(DType, Vec<usize>), E> {
    let Name(dtype) = dtype.ok_or_else(|| E::missing_field("dtype"))?;
    let shape = shape.ok_or_else(|| E::missing_field("shape"))?;
    match Type::new(dtype, &shape).check_size() {
        Ok(()) => Ok((dtype, shape)),
        Err(error) => Err(E::custom(error.message)),
    }
}

impl<'de> Deserialize<'de> for Array {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Array, D::Error> {
        let text = from.is_human_readable();
        let parts = Parts(Some(Elements { text }));
        let (dtype, shape, data) = from.deserialize_struct("Array", &FIELDS, parts)?;
        let (dtype, shape) = typed(dtype, shape)?;
        let data = data.ok_or_else(|| de::Error::missing_field("data"))?;
        let f = |n: Number| n.float();
        match dtype {
            DType::F32 => built(shape, data, |n| f(n).map(|x| x as f32)),
            DType::F64 => built(shape, data, f),
            DType::I32 => built(shape, data, Number::int::<i32>),
            DType::I64 => built(shape, data, Number::int::<i64>),
            DType::U32 => built(shape, data, Number::int::<u32>),
            DType::U64 => built(shape, data, Number::int::<u64>),
            DType::U8 => built(shape, data, Number::int::<u8>),
            DType::Bool => built(shape, data, Number::truth),
        }
    }
}

fn built<T: Element, E: de::Error>(
    shape: Vec<usize>,
    data: Read,
    number: impl Fn(Number) -> Option<T>,
) -> Result<Array, E> {
    let elements: Option<Vec<T>> = match data {
        Read::Numbers(numbers) => numbers.into_iter().map(number).collect(),
        Read::Bytes(bytes) => {
            let width = T::DTYPE.bytes();
            let each = bytes.chunks_exact(width);
            let whole = each.remainder().is_empty();
            let bits = |bytes: &[u8]| {
                let mut all = [0; 8];
                all[..width].copy_from_slice(bytes);
                T::from_bits(u64::from_le_bytes(all))
            };
            whole.then(|| each.map(bits).collect())
        }
    };
    let kind = || E::custom(format_args!("data: an element is not of type {}", T::DTYPE));
    let elements = elements.ok_or_else(kind)?;
    let n = elements.len();
    Array::new(&shape[..], elements).map_err(|_| {
        E::custom(format_args!(
            "data: {n} elements do not fill the shape {shape:?}"
        ))
    })
}

/// Implements both traits for a struct with these fields.
macro_rules! fields {
    ($($name:ident $title:literal: $($field:ident)*;)*) => {$(
        impl<T: Serialize> Serialize for $name<T> {
            fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                let fields = [$(stringify!($field)),*];
                let mut to = to.serialize_struct($title, fields.len())?;
                $(to.serialize_field(stringify!($field), &self.$field)?;)*
                to.end()
            }
        }

        impl<'de, T: Deserialize<'de>> Deserialize<'de> for $name<T> {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                const FIELDS: &[&str] = &[$(stringify!($field)),*];
                struct Fields<T>(PhantomData<T>);
                impl<'de, T: Deserialize<'de>> Visitor<'de> for Fields<T> {
                    type Value = $name<T>;
                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        write!(f, "a {} with the fields {FIELDS:?}", $title)
                    }
                    fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<$name<T>, A::Error> {
                        $(let $field = (from.next_element()?)
                            .ok_or_else(|| de::Error::missing_field(stringify!($field)))?;)*
                        Ok($name { $($field),* })
                    }
                    fn visit_map<A: MapAccess<'de>>(self, mut from: A) -> Result<$name<T>, A::Error> {
                        $(let mut $field = None;)*
                        while let Some(key) = from.next_key::<String>()? {
                            match &*key {
                                $(stringify!($field) => $field = Some(from.next_value()?),)*
                                _ => return Err(de::Error::unknown_field(&key, FIELDS)),
                            }
                        }
                        $(let $field = $field
                            .ok_or_else(|| de::Error::missing_field(stringify!($field)))?;)*
                        Ok($name { $($field),* })
                    }
                }
                from.deserialize_struct($title, FIELDS, Fields(PhantomData))
            }
        }
    )*};
}
fields! {
    Key "Key": words;
    Complex "Complex": re im;
}
