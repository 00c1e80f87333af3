//! NumPy's files of one array, `.npy`: what `numpy.save` writes and `numpy.load` reads.
//!
//! The format is that of `numpy.lib.format`, versions 1 to 3. Files of either order of bytes and of either order of
//! elements, C's and Fortran's, are read and written.
//!
//! | NumPy | here |
//! |---|---|
//! | `float64`, `float32`, `int64`, `int32`, `uint64`, `uint32`, `uint8`, `bool` | the same |
//! | `float16` | `f32`, which has all its values |
//! | `int8`, `int16` | `i32` |
//! | `uint16` | `u32` |
//! | `complex128`, `complex64` | `Complex<Array>`, by [`read_complex`] |
//! | others: `object`, texts, times, types with fields, `longdouble` | an error that says so |
//!
//! A file that is damaged is an error; no more memory is taken than its bytes need.

mod header;

use std::fs::File;
use std::io::{BufReader, Read, Write};
use std::path::Path;

use wengert::{Array, Complex, DType};

use crate::bytes::{self, Kind};
use crate::error::{Error, Result, shown};
use crate::files::{create, known};
use header::{Element, Header};

/// How a file is laid out. The default is that of `numpy.save`: the lowest byte first, elements row by row.
///
/// ```
/// use wengert::Array;
/// use wengert_interop::npy::{self, Layout};
///
/// let a = Array::from([[1, 2, 3], [4, 5, 6]]);
/// let mut file = vec![];
/// npy::write_to(&mut file, &a, Layout::default().big_endian().fortran_order())?;
/// assert_eq!(npy::read_from(&file[..])?, a);
/// # Ok::<(), wengert_interop::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Layout {
    big: bool,
    fortran: bool,
}

impl Layout {
    /// With the highest byte of each element first.
    pub fn big_endian(self) -> Layout {
        Layout { big: true, ..self }
    }

    /// With the elements column by column: the first index runs fastest.
    pub fn fortran_order(self) -> Layout {
        Layout {
            fortran: true,
            ..self
        }
    }
}

/// What a file holds.
pub(crate) enum Content {
    Real(Array),
    Complex(Complex<Array>),
}

/// Reads an array from a file: `numpy.load`.
///
/// # Errors
/// If the file cannot be read, is damaged, or holds what an [`Array`] cannot: see the [table](self).
///
/// ```
/// use wengert::Array;
/// use wengert_interop::npy;
///
/// let path = std::env::temp_dir().join(format!("wengert-doc-{}.npy", std::process::id()));
/// npy::write(&path, &Array::from([[1.0, 2.0], [3.0, 4.0]]))?;
/// assert_eq!(npy::read(&path)?, Array::from([[1.0, 2.0], [3.0, 4.0]]));
/// # std::fs::remove_file(&path).unwrap();
/// assert!(npy::read(&path).unwrap_err().to_string().contains(".npy: "));
/// # Ok::<(), wengert_interop::Error>(())
/// ```
pub fn read(path: impl AsRef<Path>) -> Result<Array> {
    let file = shown(path.as_ref());
    real(&file, opened(path.as_ref(), &file)?)
}

/// Reads an array from what stands in a file. What follows the array is left unread.
///
/// # Errors
/// As [`read`].
pub fn read_from(from: impl Read) -> Result<Array> {
    let mut from = from;
    let file = "a .npy file";
    real(file, content(&mut from, file)?)
}

/// Reads complex numbers from a file, `complex128` or `complex64`.
///
/// # Errors
/// As [`read`], and if the numbers are real.
///
/// ```
/// use wengert::{Array, Complex};
/// use wengert_interop::npy;
///
/// let path = std::env::temp_dir().join(format!("wengert-doc-z-{}.npy", std::process::id()));
/// let z = Complex { re: Array::from([1.0, 2.0]), im: Array::from([0.0, -1.0]) };
/// npy::write_complex(&path, &z)?;
/// assert_eq!(npy::read_complex(&path)?, z);
/// # std::fs::remove_file(&path).unwrap();
/// # Ok::<(), wengert_interop::Error>(())
/// ```
pub fn read_complex(path: impl AsRef<Path>) -> Result<Complex<Array>> {
    let file = shown(path.as_ref());
    match opened(path.as_ref(), &file)? {
        Content::Complex(z) => Ok(z),
        Content::Real(a) => Err(Error::format(
            &file,
            format!(
                "has elements of type {}, not complex numbers: `npy::read` reads them",
                a.dtype()
            ),
        )),
    }
}

fn real(file: &str, content: Content) -> Result<Array> {
    match content {
        Content::Real(array) => Ok(array),
        Content::Complex(_) => Err(Error::format(
            file,
            "has complex numbers: `npy::read_complex` reads them, as two arrays",
        )),
    }
}

fn opened(path: &Path, file: &str) -> Result<Content> {
    let opened = File::open(path).map_err(|e| Error::io(file, e))?;
    content(&mut BufReader::new(opened), file)
}

/// The longest header that is read. NumPy's are shorter than 10,000 bytes.
const LONGEST: usize = 1 << 16;

/// Reads what stands in a file of this name.
pub(crate) fn content(from: &mut dyn Read, file: &str) -> Result<Content> {
    let header = header(from, file)?;
    let Header {
        big,
        fortran,
        shape,
        ..
    } = header;
    match header.element {
        Element::Real(kind) => {
            bytes::read(from, file, kind, big, &shape, fortran).map(Content::Real)
        }
        Element::Complex(part) => {
            complex(from, file, part, big, &shape, fortran).map(Content::Complex)
        }
    }
}

fn header(from: &mut dyn Read, file: &str) -> Result<Header> {
    let short = || Error::format(file, "ends within its header");
    let mut start = [0; 8];
    let n = bytes::fill(from, &mut start).map_err(|e| Error::io(file, e))?;
    if !b"\x93NUMPY".starts_with(&start[..n.min(6)]) || n == 0 {
        let is = known(&start).unwrap_or("it does not begin as one");
        return Err(Error::format(file, format!("is no .npy file: {is}")));
    }
    if n < start.len() {
        return Err(short());
    }
    let width = match start[6] {
        1 => 2,
        2 | 3 => 4,
        version => {
            let message =
                format!("has version {version} of the format, and 3 is the last that is known");
            return Err(Error::format(file, message));
        }
    };
    let mut length = [0; 4];
    if bytes::fill(from, &mut length[..width]).map_err(|e| Error::io(file, e))? < width {
        return Err(short());
    }
    let length = u32::from_le_bytes(length) as usize;
    if length > LONGEST {
        return Err(Error::format(
            file,
            format!("has a header of {length} bytes"),
        ));
    }
    let mut text = vec![0; length];
    if bytes::fill(from, &mut text).map_err(|e| Error::io(file, e))? < length {
        return Err(short());
    }
    // Before version 3 it is in Latin-1, whose bytes are the first characters of Unicode.
    let text = match start[6] {
        3 => String::from_utf8(text).ok(),
        _ => Some(text.into_iter().map(char::from).collect()),
    };
    let Some(text) = text else {
        return Err(Error::format(file, "has a header that is no text"));
    };
    header::read(&text).map_err(|wrong| Error::format(file, format!("its header {wrong}")))
}

/// Reads complex numbers: pairs, read as arrays with one more axis, the last in C's order and the first in Fortran's.
fn complex(
    from: &mut dyn Read,
    file: &str,
    part: DType,
    big: bool,
    shape: &[usize],
    fortran: bool,
) -> Result<Complex<Array>> {
    let n = bytes::count(file, part, shape)?;
    let pairs = bytes::read(from, file, Kind::Same(part), big, &[n, 2], false)?;
    fn parts<T: wengert::Element>(
        pairs: &Array,
        shape: &[usize],
        fortran: bool,
    ) -> Result<Complex<Array>> {
        let pairs = pairs.as_slice::<T>()?;
        let part = |k| {
            let part: Vec<T> = pairs[k..].iter().step_by(2).copied().collect();
            match fortran && shape.len() > 1 {
                true => Array::new(shape, bytes::reordered(&part, shape, true)),
                false => Array::new(shape, part),
            }
        };
        match pairs.is_empty() {
            true => Ok(Complex {
                re: Array::new::<T>(shape, vec![])?,
                im: Array::new::<T>(shape, vec![])?,
            }),
            false => Ok(Complex {
                re: part(0)?,
                im: part(1)?,
            }),
        }
    }
    match part {
        DType::F32 => parts::<f32>(&pairs, shape, fortran),
        _ => parts::<f64>(&pairs, shape, fortran),
    }
}

/// Writes an array to a file, which is there as a whole or not at all: `numpy.save`.
///
/// # Errors
/// If the file cannot be written.
pub fn write(path: impl AsRef<Path>, array: &Array) -> Result<()> {
    let file = shown(path.as_ref());
    create(path.as_ref(), |to| {
        written(to, &file, array, Layout::default())
    })
}

/// Writes an array in this layout, as it stands in a file.
///
/// # Errors
/// If it cannot be written.
pub fn write_to(to: impl Write, array: &Array, layout: Layout) -> Result<()> {
    let mut to = to;
    written(&mut to, "a .npy file", array, layout)
}

/// Writes complex numbers to a file, `complex128` or `complex64`.
///
/// # Errors
/// If the file cannot be written, or if the parts are not floats of one type and shape.
pub fn write_complex(path: impl AsRef<Path>, z: &Complex<Array>) -> Result<()> {
    let file = shown(path.as_ref());
    let (re, im) = (&z.re, &z.im);
    let same = re.dtype() == im.dtype() && re.shape() == im.shape();
    if !same || !re.dtype().is_float() {
        let (re, im) = (wengert::tree::specs(re), wengert::tree::specs(im));
        let message = format!("its parts are {re} and {im}, not floats of one type and shape");
        return Err(Error::format(&file, message));
    }
    fn pairs<T: wengert::Element>(re: &Array, im: &Array) -> wengert::Result<Array> {
        let both = re.iter::<T>()?.zip(im.iter::<T>()?);
        let pairs: Vec<T> = both.flat_map(|(re, im)| [re, im]).collect();
        Array::new([pairs.len() as i64], pairs)
    }
    let (pairs, descr) = match re.dtype() {
        DType::F32 => (pairs::<f32>(re, im)?, "<c8"),
        _ => (pairs::<f64>(re, im)?, "<c16"),
    };
    header::axes(re).map_err(|wrong| Error::format(&file, wrong))?;
    create(path.as_ref(), |to| {
        let header = header::written(descr, false, re.shape());
        let written = to.write_all(&header);
        let written = written
            .and_then(|()| bytes::each_part(&pairs, false, false, &mut |part| to.write_all(part)));
        written.map_err(|e| Error::io(&file, e))
    })
}

/// Writes what stands in a file of this name.
pub(crate) fn written(to: &mut dyn Write, file: &str, array: &Array, layout: Layout) -> Result<()> {
    header::axes(array).map_err(|wrong| Error::format(file, wrong))?;
    let Layout { big, fortran } = layout;
    let header = header::written(&header::descr(array.dtype(), big), fortran, array.shape());
    let written = to.write_all(&header);
    let written = written
        .and_then(|()| bytes::each_part(array, big, fortran, &mut |part| to.write_all(part)));
    written.map_err(|e| Error::io(file, e))
}
