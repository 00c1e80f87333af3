//! Columns: what a sweep has of each point, as arrays with an axis of points in front.

use std::collections::BTreeSet;

use wengert::{Array, DType, ShapeDtype};

/// Runs `$body` with `$T` as the Rust type of a dtype.
macro_rules! with_dtype {
    ($dtype:expr, $T:ident => $body:expr) => {{
        use wengert::DType;
        match $dtype {
            DType::F32 => {
                type $T = f32;
                $body
            }
            DType::F64 => {
                type $T = f64;
                $body
            }
            DType::I32 => {
                type $T = i32;
                $body
            }
            DType::I64 => {
                type $T = i64;
                $body
            }
            DType::U32 => {
                type $T = u32;
                $body
            }
            DType::U64 => {
                type $T = u64;
                $body
            }
            DType::U8 => {
                type $T = u8;
                $body
            }
            DType::Bool => {
                type $T = bool;
                $body
            }
        }
    }};
}
pub(crate) use with_dtype;

/// An element type as bytes, least significant first.
pub(crate) trait Bytes: wengert::Element {
    /// What NumPy calls it.
    const NUMPY: &'static str;
    /// What stands where there is no result.
    const MISSING: Self;
    fn put(elements: &[Self], to: &mut Vec<u8>);
    fn get(bytes: &[u8]) -> Vec<Self>;
    /// The value, for statistics.
    fn real(self) -> f64;
    /// The value as text that reads back as the same value.
    fn text(self, to: &mut String);
}

macro_rules! numbers {
    ($($t:ty, $numpy:literal, $missing:expr;)*) => {$(
        impl Bytes for $t {
            const NUMPY: &'static str = $numpy;
            const MISSING: Self = $missing;
            fn put(elements: &[Self], to: &mut Vec<u8>) {
                const N: usize = size_of::<$t>();
                let start = to.len();
                to.resize(start + N * elements.len(), 0);
                for (slot, x) in to[start..].as_chunks_mut::<N>().0.iter_mut().zip(elements) {
                    *slot = x.to_le_bytes();
                }
            }
            fn get(bytes: &[u8]) -> Vec<Self> {
                let (chunks, _) = bytes.as_chunks::<{ size_of::<$t>() }>();
                chunks.iter().map(|c| <$t>::from_le_bytes(*c)).collect()
            }
            fn real(self) -> f64 {
                self as f64
            }
            fn text(self, to: &mut String) {
                use std::fmt::Write;
                write!(to, "{self:?}").expect("a string grows");
            }
        }
    )*};
}
numbers! {
    f32, "<f4", f32::NAN;
    f64, "<f8", f64::NAN;
    i32, "<i4", 0;
    i64, "<i8", 0;
    u32, "<u4", 0;
    u64, "<u8", 0;
    u8, "|u1", 0;
}

impl Bytes for bool {
    const NUMPY: &'static str = "|b1";
    const MISSING: Self = false;
    fn put(elements: &[Self], to: &mut Vec<u8>) {
        to.extend(elements.iter().map(|&x| u8::from(x)));
    }
    fn get(bytes: &[u8]) -> Vec<Self> {
        bytes.iter().map(|&b| b != 0).collect()
    }
    fn real(self) -> f64 {
        f64::from(u8::from(self))
    }
    fn text(self, to: &mut String) {
        to.push_str(if self { "true" } else { "false" });
    }
}

/// The name and the type of a column, for one point.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Column {
    pub name: String,
    pub dtype: DType,
    pub shape: Vec<usize>,
}

impl Column {
    /// The number of elements of a point.
    pub fn width(&self) -> usize {
        self.shape.iter().product()
    }

    /// The bytes of a point.
    pub fn bytes(&self) -> usize {
        self.width() * self.dtype.bytes()
    }

    pub fn spec(&self) -> ShapeDtype {
        ShapeDtype::new(&self.shape, self.dtype)
    }

    fn rows(&self, n: usize) -> Vec<usize> {
        std::iter::once(n)
            .chain(self.shape.iter().copied())
            .collect()
    }

    /// The array of `n` points that these bytes are.
    pub fn array(&self, n: usize, bytes: &[u8]) -> wengert::Result<Array> {
        with_dtype!(self.dtype, T => Array::new(self.rows(n), <T as Bytes>::get(bytes)))
    }

    /// Appends the bytes of some points.
    pub fn put(&self, array: &Array, rows: std::ops::Range<usize>, to: &mut Vec<u8>) {
        let w = self.width();
        with_dtype!(self.dtype, T => {
            let all = array.as_slice::<T>().expect("the type of the column");
            T::put(&all[rows.start * w..rows.end * w], to);
        });
    }

    /// The array of one point.
    pub fn row(&self, array: &Array, row: usize) -> Array {
        let w = self.width();
        with_dtype!(self.dtype, T => {
            let all = array.as_slice::<T>().expect("the type of the column");
            let row = all[row * w..][..w].to_vec();
            Array::new(&self.shape, row).expect("a row fills its shape")
        })
    }

    /// The first `n` points.
    pub fn head(&self, array: &Array, n: usize) -> Array {
        let w = self.width();
        with_dtype!(self.dtype, T => {
            let all = array.as_slice::<T>().expect("the type of the column");
            Array::new(self.rows(n), all[..n * w].to_vec()).expect("rows fill their shape")
        })
    }

    /// Puts points together: each an array of points and one of them, or nothing where there is no result.
    pub fn gather(&self, rows: &[Option<(&Array, usize)>]) -> Array {
        let w = self.width();
        with_dtype!(self.dtype, T => {
            let mut all: Vec<T> = Vec::with_capacity(rows.len() * w);
            for row in rows {
                match row {
                    Some((array, i)) => {
                        let from = array.as_slice::<T>().expect("the type of the column");
                        all.extend_from_slice(&from[i * w..][..w]);
                    }
                    None => all.resize(all.len() + w, <T as Bytes>::MISSING),
                }
            }
            Array::new(self.rows(rows.len()), all).expect("rows fill their shape")
        })
    }

    /// Puts arrays of points behind one another.
    pub fn concat(&self, arrays: &[Array]) -> wengert::Result<Array> {
        with_dtype!(self.dtype, T => {
            let mut all: Vec<T> = vec![];
            let mut n = 0;
            for array in arrays {
                all.extend_from_slice(array.as_slice::<T>()?);
                n += array.shape()[0];
            }
            Array::new(self.rows(n), all)
        })
    }
}

/// The columns of a sweep.
#[derive(Clone, PartialEq, Debug, Default)]
pub(crate) struct Columns {
    pub params: Vec<Column>,
    pub outputs: Vec<Column>,
}

impl Columns {
    /// Names leaves by their paths: `.rate` is `rate`. What stands alone is `x` or `y`, and what has no name
    /// of its own begins so, as `y.0`. Names that are the same get a number.
    pub fn new(params: Vec<(String, ShapeDtype)>, outputs: Vec<(String, ShapeDtype)>) -> Columns {
        let [params, outputs] = [("x", params), ("y", outputs)].map(|(letter, leaves)| {
            let mut columns = vec![];
            for (path, spec) in leaves {
                columns.push(Column {
                    name: name_of(&path, letter),
                    dtype: spec.dtype,
                    shape: spec.shape,
                });
            }
            columns
        });
        let mut all = Columns { params, outputs };
        let taken = |name: &str, others: &[Column]| {
            ["index", "error", "message", "errors"].contains(&name)
                || others.iter().any(|c| c.name == name)
        };
        let clashes: Vec<String> = (all.params.iter())
            .filter(|c| taken(&c.name, &all.outputs))
            .chain(all.outputs.iter().filter(|c| taken(&c.name, &all.params)))
            .map(|c| c.name.clone())
            .collect();
        for (letter, columns) in [("x", &mut all.params), ("y", &mut all.outputs)] {
            for column in columns.iter_mut().filter(|c| clashes.contains(&c.name)) {
                column.name = format!("{letter}.{}", column.name);
            }
        }
        let mut names: BTreeSet<String> = BTreeSet::new();
        for column in all.params.iter_mut().chain(&mut all.outputs) {
            let name = column.name.clone();
            for n in 2.. {
                if names.insert(column.name.clone()) {
                    break;
                }
                column.name = format!("{name}.{n}");
            }
        }
        all
    }

    pub fn all(&self) -> impl Iterator<Item = &Column> {
        self.params.iter().chain(&self.outputs)
    }

    /// The bytes of a point.
    pub fn bytes(&self) -> usize {
        self.all().map(Column::bytes).sum()
    }
}

/// The name of a leaf with a path, in which only what names and numbers consist of, dots and brackets remain.
fn name_of(path: &str, letter: &str) -> String {
    let plain = path.strip_prefix('.').unwrap_or(path);
    let plain: String = (plain.chars())
        .filter(|c| *c != '"')
        .map(|c| match c {
            c if c.is_alphanumeric() || "._[]-+ ".contains(c) => c,
            _ => '_',
        })
        .collect();
    match plain.chars().next() {
        None => letter.to_string(),
        Some('[') => match plain.strip_suffix(']').map(|p| &p[1..]) {
            // A key of a map is a name.
            Some(key) if path.starts_with("[\"") && !key.contains(['[', '.']) => key.to_string(),
            _ => format!("{letter}{plain}"),
        },
        Some(c) if c.is_ascii_digit() => format!("{letter}.{plain}"),
        Some(_) => plain,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(params: &[&str], outputs: &[&str]) -> Vec<String> {
        let spec = |p: &&str| (p.to_string(), ShapeDtype::scalar(DType::F64));
        let all = Columns::new(
            params.iter().map(spec).collect(),
            outputs.iter().map(spec).collect(),
        );
        all.all().map(|c| c.name.clone()).collect()
    }

    #[test]
    fn leaves_have_names() {
        assert_eq!(names(&[""], &[""]), ["x", "y"]);
        assert_eq!(
            names(&[".a", ".b[0]"], &[".0", ".1.c"]),
            ["a", "b[0]", "y.0", "y.1.c"]
        );
        assert_eq!(names(&["[\"rate\"]"], &["[0]"]), ["rate", "y[0]"]);
        assert_eq!(names(&[".a"], &[".a", ".error"]), ["x.a", "y.a", "y.error"]);
        assert_eq!(names(&[".x"], &[""]), ["x", "y"]);
        let same = ["[\"a/b\"]", "[\"a_b\"]", "[\"a:b\"]", "[\"a_b.2\"]"];
        assert_eq!(
            names(&same, &[".x.a_b", ".a_b"]),
            [
                "x.a_b", "x.a_b.2", "x.a_b.3", "x[a_b.2]", "x.a_b.4", "y.a_b"
            ]
        );
    }
}
