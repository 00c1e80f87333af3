//! Arrays as NumPy prints them.
//!
//! Prints at most eight digits after the point, no more than distinguish a number from its neighbours; columns
//! are aligned, lines have at most 75 characters, and the middle of an array of more than a thousand elements
//! is left out.

use std::fmt;

use wengert_ir::buffer::Data;

use crate::array::Array;

const PRECISION: usize = 8;
const LINE: usize = 75;
const THRESHOLD: usize = 1000;
const EDGE: usize = 3;

/// Writes an array; in the `Debug` form on one line, with commas between the elements.
pub(super) fn write_array(f: &mut fmt::Formatter<'_>, array: &Array, debug: bool) -> fmt::Result {
    let data = &*array.dense().data;
    if array.shape().is_empty() {
        return f.write_str(&scalar(data));
    }
    if array.is_empty() {
        return f.write_str("[]");
    }
    let short = array.len() > THRESHOLD;
    let mut shown = vec![];
    places(array.shape(), short, 0, &mut shown);
    let mut page = Page {
        out: String::new(),
        cells: cells(data, &shown).into_iter(),
        short,
        debug,
    };
    page.write(array.shape(), 0);
    f.write_str(&page.out)
}

/// Returns the indices shown along an axis of length `n`, and whether the middle is left out.
fn along(n: usize, short: bool) -> (Vec<usize>, bool) {
    match short && n > 2 * EDGE {
        true => ((0..EDGE).chain(n - EDGE..n).collect(), true),
        false => ((0..n).collect(), false),
    }
}

/// Appends the offsets of the elements that are shown.
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
    debug: bool,
}

impl Page {
    /// Writes the next `shape` of cells, inside `depth` open brackets.
    fn write(&mut self, shape: &[usize], depth: usize) {
        let [n, rest @ ..] = shape else { return };
        let (shown, cut) = along(*n, self.short);
        self.out.push('[');
        if rest.is_empty() {
            self.row(shown.len(), cut, depth + 1);
        } else {
            let gap = match self.debug {
                true => ", ".to_string(),
                false => "\n".repeat(rest.len()) + &" ".repeat(depth + 1),
            };
            for i in 0..shown.len() {
                if i > 0 {
                    self.out.push_str(&gap);
                }
                if cut && i == EDGE {
                    self.out.push_str("...");
                    self.out.push_str(&gap);
                }
                self.write(rest, depth + 1);
            }
        }
        self.out.push(']');
    }

    /// Writes one row of cells inside `depth` open brackets, broken where a line is full.
    fn row(&mut self, n: usize, cut: bool, depth: usize) {
        let mut items: Vec<String> = self.cells.by_ref().take(n).collect();
        if cut {
            items.insert(EDGE, "...".into());
        }
        // Every row leaves room for all open brackets and for one separator.
        let full = LINE - depth;
        let mut line = String::new();
        for (i, item) in items.iter().enumerate() {
            if i > 0 {
                line += if self.debug { ", " } else { " " };
                if !self.debug && depth + line.len() + item.len() > full {
                    self.out.push_str(line.trim_end());
                    self.out.push('\n');
                    self.out.push_str(&" ".repeat(depth));
                    line.clear();
                }
            }
            line += item;
        }
        self.out.push_str(&line);
    }
}

/// Formats the elements at these offsets, all padded to one width.
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
    }
}

/// A float element type; its shortest digits are those of its own precision.
trait Float: Copy + fmt::Display + fmt::LowerExp {
    /// A column uses exponents at and above this magnitude, and below [`Float::SMALL`].
    const GREAT: f64;
    /// A scalar uses an exponent at and above this magnitude, and below [`Float::SMALL`].
    const GREAT_SCALAR: f64;
    /// 0.0001 in this type.
    const SMALL: f64;
    fn wide(self) -> f64;
}
impl Float for f32 {
    const GREAT: f64 = 1e6;
    const GREAT_SCALAR: f64 = 1e6;
    const SMALL: f64 = 1e-4_f32 as f64;
    fn wide(self) -> f64 {
        f64::from(self)
    }
}
impl Float for f64 {
    const GREAT: f64 = 1e8;
    const GREAT_SCALAR: f64 = 1e16;
    const SMALL: f64 = 1e-4;
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

/// Returns the shortest digits before and after the point, at most [`PRECISION`] after it.
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

/// Returns the digits before the point, `places` digits after it, and the exponent, with at least two digits.
fn scientific<T: Float>(x: T, places: usize) -> (String, String, String) {
    let text = format!("{x:.places$e}");
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    (whole.into(), part.into(), signed(exponent))
}

/// Returns the number of digits after the point in the shortest form that distinguishes a number from its
/// neighbours, at most [`PRECISION`].
fn places_needed<T: Float>(x: T) -> usize {
    let text = format!("{x:e}");
    let digits = text.split_once('e').map_or(&*text, |(digits, _)| digits);
    let needed = digits.split_once('.').map_or(0, |(_, part)| part.len());
    if needed <= PRECISION {
        return needed;
    }
    scientific(x, PRECISION).1.trim_end_matches('0').len()
}

/// Rewrites an exponent as Rust prints it to have a sign and at least two digits.
fn signed(exponent: &str) -> String {
    match exponent.strip_prefix('-') {
        Some(digits) => format!("e-{digits:0>2}"),
        None => format!("e+{exponent:0>2}"),
    }
}

fn floats<T: Float>(values: &[T]) -> Vec<String> {
    let finite = || values.iter().filter(|x| x.wide().is_finite());
    let sizes = || finite().map(|x| x.wide().abs()).filter(|&x| x != 0.0);
    let greatest = sizes().fold(0.0, f64::max);
    let least = sizes().fold(f64::INFINITY, f64::min);
    let exponential = greatest >= T::GREAT || least < T::SMALL || greatest / least > 1000.0;
    match exponential {
        true => {
            let right = finite().map(|&x| places_needed(x)).max().unwrap_or(0);
            let (mut left, mut tail) = (1, 0);
            for (whole, _, exponent) in finite().map(|&x| scientific(x, right)) {
                left = left.max(whole.len());
                tail = tail.max(exponent.len());
            }
            let width = left + 1 + right + tail;
            aligned(values, width, |x| {
                let (whole, part, exponent) = scientific(x, right);
                // Every exponent is padded to the length of the longest.
                let (sign, digits) = exponent.split_at(2);
                let exponent = format!("{sign}{digits:0>w$}", w = tail - 2);
                format!("{whole:>left$}.{part}{exponent}")
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

/// Formats finite numbers with `show`, padded to `width`, and aligns the others right.
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

/// Formats a scalar with all the digits that distinguish it from its neighbours.
fn scalar(data: &Data) -> String {
    fn float<T: Float>(x: T) -> String {
        let size = x.wide().abs();
        if let Some(name) = special(x.wide()) {
            return name.into();
        }
        if size != 0.0 && !(T::SMALL..T::GREAT_SCALAR).contains(&size) {
            let text = format!("{x:e}");
            let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
            return format!("{digits}{}", signed(exponent));
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

#[cfg(test)]
mod tests {
    use super::*;
    use wengert_ir::ir::DType;

    fn check(array: impl Into<Array>, expected: &str) {
        assert_eq!(array.into().to_string(), expected);
    }

    // The expectations are what NumPy 2.4 prints.
    #[test]
    fn as_numpy_prints() {
        check([1.5, 2.0], "[1.5 2. ]");
        check([1e-10, 1.0], "[1.e-10 1.e+00]");
        check([1.0, 1000.0], "[   1. 1000.]");
        check([1.0, 1001.5], "[1.0000e+00 1.0015e+03]");
        check([1.0, f64::NAN, -f64::INFINITY], "[  1.  nan -inf]");
        check([f64::NAN], "[nan]");
        check([0.1234567891234, 2.0], "[0.12345679 2.        ]");
        check([-0.0, 1.0], "[-0.  1.]");
        check([1e100, 1.0], "[1.e+100 1.e+000]");
        check([0.1f32, 1e6], "[1.e-01 1.e+06]");
        check([[1, -20], [300, 4]], "[[  1 -20]\n [300   4]]");
        check(
            [[[1, 2], [3, 4]], [[5, 6], [7, 8]]],
            "[[[1 2]\n  [3 4]]\n\n [[5 6]\n  [7 8]]]",
        );
        check([true, false], "[ true false]");
        check(Array::zeros([2, 0], DType::F64), "[]");
    }

    #[test]
    fn scalars_with_all_their_digits() {
        check(1.0, "1.0");
        check(std::f64::consts::PI, "3.141592653589793");
        check(1e16, "1e+16");
        check(1e-5, "1e-05");
        check(1234567f32, "1.234567e+06");
        check(7, "7");
    }

    #[test]
    fn long_arrays() {
        let counts = |n: i64| Array::from((0..n).collect::<Vec<_>>());
        check(counts(2000), "[   0    1    2 ... 1997 1998 1999]");
        check(
            counts(40),
            "[ 0  1  2  3  4  5  6  7  8  9 10 11 12 13 14 15 16 17 18 19 20 21 22 23\n \
             24 25 26 27 28 29 30 31 32 33 34 35 36 37 38 39]",
        );
        let square = Array::new([40, 40], (0..1600).collect::<Vec<i64>>()).unwrap();
        check(
            square,
            "[[   0    1    2 ...   37   38   39]\n \
             [  40   41   42 ...   77   78   79]\n \
             [  80   81   82 ...  117  118  119]\n ...\n \
             [1480 1481 1482 ... 1517 1518 1519]\n \
             [1520 1521 1522 ... 1557 1558 1559]\n \
             [1560 1561 1562 ... 1597 1598 1599]]",
        );
    }

    #[test]
    fn for_a_programmer() {
        let array = Array::from([[1.0, 2.0], [3.0, 4.0]]);
        assert_eq!(format!("{array:?}"), "Array(f64[2,2] [[1., 2.], [3., 4.]])");
        assert_eq!(format!("{:?}", Array::from(1)), "Array(i32 1)");
    }
}
