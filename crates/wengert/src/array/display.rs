//! Arrays as NumPy prints them.
//!
//! Eight digits behind the point at most, no more than tell a number from its neighbours, columns
//! aligned, lines of at most 75 characters, and the middle left out of an array of more than a
//! thousand elements.

use std::fmt;

use wengert_ir::buffer::Data;

use crate::array::Array;

const PRECISION: usize = 8;
const LINE: usize = 75;
const THRESHOLD: usize = 1000;
const EDGE: usize = 3;

/// Writes an array; with commas between the elements where it is for a programmer.
pub(super) fn write_array(f: &mut fmt::Formatter<'_>, array: &Array, commas: bool) -> fmt::Result {
    let data = &*array.dense().data;
    if array.shape().is_empty() {
        return f.write_str(&scalar(data));
    }
    let short = array.len() > THRESHOLD;
    let mut shown = vec![];
    places(array.shape(), short, 0, &mut shown);
    let mut page = Page {
        out: String::new(),
        cells: cells(data, &shown).into_iter(),
        short,
        separator: if commas { "," } else { "" },
    };
    page.write(array.shape(), 0, 0);
    f.write_str(&page.out)
}

/// The numbers along an axis of length `n` that are shown, and whether some in the middle are not.
fn along(n: usize, short: bool) -> (Vec<usize>, bool) {
    match short && n > 2 * EDGE {
        true => ((0..EDGE).chain(n - EDGE..n).collect(), true),
        false => ((0..n).collect(), false),
    }
}

/// Appends the places of the elements that are shown.
fn places(shape: &[usize], short: bool, start: usize, shown: &mut Vec<usize>) {
    match shape {
        [] => shown.push(start),
        [n, rest @ ..] => {
            let stride: usize = rest.iter().product();
            for i in along(*n, short).0 {
                places(rest, short, start + i * stride, shown);
            }
        }
    }
}

struct Page {
    out: String,
    cells: std::vec::IntoIter<String>,
    short: bool,
    separator: &'static str,
}

impl Page {
    /// Writes the next `shape` of cells; `depth` brackets are open, and as many will close on the last
    /// line as are closed behind this part.
    fn write(&mut self, shape: &[usize], depth: usize, closing: usize) {
        let [n, rest @ ..] = shape else { return };
        let (shown, cut) = along(*n, self.short);
        let last = shown.len();
        self.out.push('[');
        if rest.is_empty() {
            self.line(last, cut, depth + 1, closing + 1);
        } else {
            let gap = format!(
                "{}{}{}",
                self.separator,
                "\n".repeat(rest.len()),
                " ".repeat(depth + 1)
            );
            for i in 0..last {
                if i > 0 {
                    self.out.push_str(&gap);
                }
                if cut && i == EDGE {
                    self.out.push_str("...");
                    self.out.push_str(&gap);
                }
                let closing = if i + 1 == last { closing + 1 } else { 0 };
                self.write(rest, depth + 1, closing);
            }
        }
        self.out.push(']');
    }

    /// Writes one row of cells, broken where a line is full.
    fn line(&mut self, n: usize, cut: bool, indent: usize, closing: usize) {
        let mut column = indent;
        let mut items: Vec<String> = self.cells.by_ref().take(n).collect();
        if cut {
            items.insert(EDGE, "...".into());
        }
        let last = items.len().saturating_sub(1);
        for (i, item) in items.iter().enumerate() {
            let behind = match i == last {
                true => closing.max(1),
                false => self.separator.len(),
            };
            if i > 0 {
                self.out.push_str(self.separator);
                column += self.separator.len();
                if column + 1 + item.len() + behind > LINE {
                    self.out.push('\n');
                    self.out.push_str(&" ".repeat(indent));
                    column = indent;
                } else {
                    self.out.push(' ');
                    column += 1;
                }
            }
            self.out.push_str(item);
            column += item.len();
        }
    }
}

/// The elements at those places as text of one width.
fn cells(data: &Data, shown: &[usize]) -> Vec<String> {
    fn plain<T: fmt::Display>(v: &[T], shown: &[usize]) -> Vec<String> {
        let texts: Vec<String> = shown.iter().map(|&i| v[i].to_string()).collect();
        let width = texts.iter().map(String::len).max().unwrap_or(0);
        texts.iter().map(|t| format!("{t:>width$}")).collect()
    }
    match data {
        Data::F32(v) => floats(&shown.iter().map(|&i| v[i]).collect::<Vec<_>>()),
        Data::F64(v) => floats(&shown.iter().map(|&i| v[i]).collect::<Vec<_>>()),
        Data::I32(v) => plain(v, shown),
        Data::I64(v) => plain(v, shown),
        Data::U32(v) => plain(v, shown),
        Data::U64(v) => plain(v, shown),
        Data::U8(v) => plain(v, shown),
        Data::Bool(v) => plain(v, shown),
        _ => vec!["?".into(); shown.len()],
    }
}

/// An element of a float type: Rust's shortest digits are those of the type.
trait Float: Copy + fmt::Display + fmt::LowerExp {
    fn wide(self) -> f64;
}
impl Float for f32 {
    fn wide(self) -> f64 {
        f64::from(self)
    }
}
impl Float for f64 {
    fn wide(self) -> f64 {
        self
    }
}

fn special(x: f64) -> Option<&'static str> {
    match x {
        x if x.is_nan() => Some("nan"),
        f64::INFINITY => Some("inf"),
        f64::NEG_INFINITY => Some("-inf"),
        _ => None,
    }
}

/// Shortest digits in front of and behind the point, at most [`PRECISION`] behind it.
fn positional<T: Float>(x: T) -> (String, String) {
    let split = |s: String| match s.split_once('.') {
        Some((whole, part)) => (whole.to_string(), part.to_string()),
        None => (s, String::new()),
    };
    let (whole, part) = split(format!("{x}"));
    if part.len() <= PRECISION {
        return (whole, part);
    }
    let (whole, part) = split(format!("{x:.PRECISION$}"));
    (whole, part.trim_end_matches('0').to_string())
}

/// Shortest digits in front of and behind the point, and the exponent, at least two digits of it.
fn scientific<T: Float>(x: T) -> (String, String, String) {
    let split = |s: String| {
        let (digits, exponent) = s.split_once('e').unwrap_or((&s, "0"));
        let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
        let (sign, exponent) = match exponent.strip_prefix('-') {
            Some(e) => ('-', e),
            None => ('+', exponent),
        };
        let (whole, part) = (whole.to_string(), part.to_string());
        (whole, part, format!("e{sign}{exponent:0>2}"))
    };
    let (whole, part, exponent) = split(format!("{x:e}"));
    if part.len() <= PRECISION {
        return (whole, part, exponent);
    }
    let (whole, part, exponent) = split(format!("{x:.PRECISION$e}"));
    (whole, part.trim_end_matches('0').to_string(), exponent)
}

fn floats<T: Float>(values: &[T]) -> Vec<String> {
    let finite = || values.iter().filter(|x| x.wide().is_finite());
    let sizes = || finite().map(|x| x.wide().abs()).filter(|&x| x != 0.0);
    let greatest = sizes().fold(0.0, f64::max);
    let least = sizes().fold(f64::INFINITY, f64::min);
    let exponential = greatest >= 1e8 || least < 1e-4 || greatest / least > 1000.0;
    match exponential {
        true => {
            let parts = finite().map(|&x| scientific(x));
            let (mut left, mut right, mut tail) = (1, 0, 0);
            for (whole, part, exponent) in parts {
                left = left.max(whole.len());
                right = right.max(part.len());
                tail = tail.max(exponent.len());
            }
            let width = left + 1 + right + tail;
            aligned(values, width, |x| {
                let (whole, part, exponent) = scientific(x);
                // Every exponent has as many digits as the longest.
                let (sign, digits) = exponent.split_at(2);
                let exponent = format!("{sign}{digits:0>w$}", w = tail - 2);
                format!("{whole:>left$}.{part:0<right$}{exponent}")
            })
        }
        false => {
            let (mut left, mut right) = (1, 0);
            for (whole, part) in finite().map(|&x| positional(x)) {
                left = left.max(whole.len());
                right = right.max(part.len());
            }
            aligned(values, left + 1 + right, |x| {
                let (whole, part) = positional(x);
                format!("{whole:>left$}.{part:<right$}")
            })
        }
    }
}

/// Finite numbers as `show` writes them, `width` wide, and the others flush right.
fn aligned<T: Float>(values: &[T], width: usize, show: impl Fn(T) -> String) -> Vec<String> {
    let named = |x: &T| special(x.wide());
    let names = values.iter().filter_map(|x| named(x).map(str::len)).max();
    // Without a finite number there is no point to align.
    let width = match values.iter().any(|x| x.wide().is_finite()) {
        true => width.max(names.unwrap_or(0)),
        false => names.unwrap_or(0),
    };
    let text = |x: &T| named(x).map_or_else(|| show(*x), str::to_string);
    values
        .iter()
        .map(|x| format!("{:>width$}", text(x)))
        .collect()
}

/// A scalar, with all the digits that tell it from its neighbours.
fn scalar(data: &Data) -> String {
    fn float<T: Float>(x: T) -> String {
        let size = x.wide().abs();
        if let Some(name) = special(x.wide()) {
            return name.into();
        }
        if size != 0.0 && !(1e-4..1e16).contains(&size) {
            let text = format!("{x:e}");
            let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
            return match exponent.strip_prefix('-') {
                Some(e) => format!("{digits}e-{e:0>2}"),
                None => format!("{digits}e+{exponent:0>2}"),
            };
        }
        let text = format!("{x}");
        match text.contains('.') {
            true => text,
            false => text + ".0",
        }
    }
    match data {
        Data::F32(v) => float(v[0]),
        Data::F64(v) => float(v[0]),
        _ => cells(data, &[0]).swap_remove(0),
    }
}
