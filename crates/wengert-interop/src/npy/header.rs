//! The header of a `.npy` file: a literal of a Python dictionary, of which there is one form.

use std::fmt::Write;

use wengert::{Array, DType};

use crate::bytes::Kind;

/// What a header says.
#[derive(PartialEq, Debug)]
pub(super) struct Header {
    pub element: Element,
    pub big: bool,
    pub fortran: bool,
    pub shape: Vec<usize>,
}

#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Element {
    Real(Kind),
    /// A real and an imaginary part, one after the other.
    Complex(DType),
}

/// Returns what NumPy calls the elements.
pub(super) fn descr(dtype: DType, big: bool) -> String {
    let order = match (dtype.bytes(), big) {
        (1, _) => '|',
        (_, true) => '>',
        (_, false) => '<',
    };
    let kind = match dtype {
        DType::F32 | DType::F64 => 'f',
        DType::I32 | DType::I64 => 'i',
        DType::U8 | DType::U32 | DType::U64 => 'u',
        DType::Bool => 'b',
    };
    format!("{order}{kind}{}", dtype.bytes())
}

/// Writes a header, with spaces up to a multiple of 64 bytes, with the magic bytes in front.
pub(super) fn written(descr: &str, fortran: bool, shape: &[usize]) -> Vec<u8> {
    let mut lengths = String::new();
    for n in shape {
        let _ = write!(lengths, "{n}, ");
    }
    // One length is `(3,)`, several are `(3, 4)`.
    let lengths = match shape.len() {
        1 => lengths.trim_end(),
        _ => lengths.trim_end_matches(", "),
    };
    let order = if fortran { "True" } else { "False" };
    let mut text =
        format!("{{'descr': '{descr}', 'fortran_order': {order}, 'shape': ({lengths}), }}");
    const BEFORE: usize = 10;
    let whole = (BEFORE + text.len() + 1).next_multiple_of(64);
    text.extend(std::iter::repeat_n(' ', whole - BEFORE - text.len() - 1));
    text.push('\n');
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    let length = u16::try_from(text.len()).expect("64 lengths of twenty digits are short");
    bytes.extend(length.to_le_bytes());
    bytes.extend(text.bytes());
    bytes
}

/// Returns the length of an array's longest header, or an error if it has more axes than NumPy's arrays.
pub(super) fn axes(array: &Array) -> Result<(), String> {
    match array.shape().len() {
        0..=64 => Ok(()),
        n => Err(format!("an array of NumPy has at most 64 axes, not {n}")),
    }
}

/// Reads a header's text.
pub(super) fn read(text: &str) -> Result<Header, String> {
    let mut rest = Rest(text);
    rest.expect('{')?;
    let (mut element, mut fortran, mut shape) = (None, None, None);
    while !rest.is_next('}') {
        let key = rest.string()?;
        rest.expect(':')?;
        let again = match key {
            "descr" if rest.peek() == Some('[') => {
                return Err("has a type with fields, of which `Array` has none".into());
            }
            "descr" => element.replace(named(rest.string()?)?).is_some(),
            "fortran_order" => fortran.replace(rest.truth()?).is_some(),
            "shape" => shape.replace(rest.lengths()?).is_some(),
            _ => return Err(format!("has an unknown part, {key:?}")),
        };
        if again {
            return Err(format!("has {key:?} twice"));
        }
        if !rest.is_next(',') {
            rest.expect('}')?;
            break;
        }
    }
    if rest.peek().is_some() {
        return Err(format!("has more than a dictionary: {}", rest.shown()));
    }
    let lacks = |what| format!("has no {what:?}");
    let (element, big) = element.ok_or_else(|| lacks("descr"))?;
    Ok(Header {
        element,
        big,
        fortran: fortran.ok_or_else(|| lacks("fortran_order"))?,
        shape: shape.ok_or_else(|| lacks("shape"))?,
    })
}

/// Returns the elements that NumPy calls so, and whether their highest byte is first.
fn named(descr: &str) -> Result<(Element, bool), String> {
    use Element::{Complex, Real};
    let order = descr.chars().next();
    let (big, name) = match order {
        Some('<' | '|') => (false, &descr[1..]),
        Some('>') => (true, &descr[1..]),
        Some('=') => (cfg!(target_endian = "big"), &descr[1..]),
        _ => (cfg!(target_endian = "big"), descr),
    };
    let same = |dtype| Real(Kind::Same(dtype));
    let element = match name {
        "b1" | "?" => same(DType::Bool),
        "u1" => same(DType::U8),
        "u2" => Real(Kind::U16),
        "u4" => same(DType::U32),
        "u8" => same(DType::U64),
        "i1" => Real(Kind::I8),
        "i2" => Real(Kind::I16),
        "i4" => same(DType::I32),
        "i8" => same(DType::I64),
        "f2" => Real(Kind::F16),
        "f4" => same(DType::F32),
        "f8" => same(DType::F64),
        "c8" => Complex(DType::F32),
        "c16" => Complex(DType::F64),
        _ => {
            let kind = match name.chars().next() {
                Some('O') => "objects of Python: save them as numbers",
                Some('U' | 'S' | 'a') => "texts",
                Some('M' | 'm') => "times: convert them by `.astype('int64')` in NumPy",
                Some('f' | 'c') => {
                    "floats of the machine's own: convert them by `.astype('float64')` in NumPy"
                }
                _ => "no elements that `Array` has",
            };
            return Err(format!(
                "has elements of the type {descr:?}, which are {kind}"
            ));
        }
    };
    Ok((element, big))
}

/// What is left of a text. Nothing here calls itself, however deep brackets are.
struct Rest<'a>(&'a str);

impl<'a> Rest<'a> {
    fn peek(&mut self) -> Option<char> {
        self.0 = self.0.trim_start();
        self.0.chars().next()
    }

    fn is_next(&mut self, c: char) -> bool {
        let is = self.peek() == Some(c);
        if is {
            self.0 = &self.0[c.len_utf8()..];
        }
        is
    }

    fn expect(&mut self, c: char) -> Result<(), String> {
        match self.is_next(c) {
            true => Ok(()),
            false => Err(format!("lacks {c:?} before {}", self.shown())),
        }
    }

    fn string(&mut self) -> Result<&'a str, String> {
        let quote = self.peek().filter(|c| matches!(c, '\'' | '"'));
        let inside = quote.and_then(|q| self.0[1..].split_once(q));
        let Some((inside, rest)) = inside else {
            return Err(format!("lacks a text before {}", self.shown()));
        };
        self.0 = rest;
        Ok(inside)
    }

    fn truth(&mut self) -> Result<bool, String> {
        self.peek();
        for (name, truth) in [("True", true), ("False", false)] {
            if let Some(rest) = self.0.strip_prefix(name) {
                self.0 = rest;
                return Ok(truth);
            }
        }
        Err(format!("lacks True or False before {}", self.shown()))
    }

    fn lengths(&mut self) -> Result<Vec<usize>, String> {
        self.expect('(')?;
        let mut lengths = vec![];
        while !self.is_next(')') {
            self.peek();
            let end = self.0.find(|c: char| !c.is_ascii_digit());
            let (digits, rest) = self.0.split_at(end.unwrap_or(self.0.len()));
            let Ok(n) = digits.parse() else {
                return Err(format!("has no length at {}", self.shown()));
            };
            lengths.push(n);
            // Python 2 marks its long integers.
            self.0 = rest.strip_prefix('L').unwrap_or(rest);
            if !self.is_next(',') {
                self.expect(')')?;
                break;
            }
        }
        Ok(lengths)
    }

    /// The next few characters, for a message.
    fn shown(&mut self) -> String {
        match self.peek() {
            None => "its end".into(),
            Some(_) => format!("{:?}", self.0.chars().take(12).collect::<String>()),
        }
    }
}
