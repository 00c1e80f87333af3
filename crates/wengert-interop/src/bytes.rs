//! Elements from bytes.

use std::io::Read;

use wengert::{Array, DType, Element, Type};

use crate::error::{Error, Result};

/// The most bytes that are asked for at once: what a damaged file claims to have is allocated as it arrives.
const AT_ONCE: usize = 1 << 20;

/// An element as files have it, which is one of [`Array`]'s or widened to one.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum Kind {
    Same(DType),
    I8,
    I16,
    U16,
    F16,
    #[cfg(feature = "safetensors")]
    Bf16,
}

impl Kind {
    /// Returns the element type it is read as.
    pub(crate) fn dtype(self) -> DType {
        match self {
            Kind::Same(dtype) => dtype,
            Kind::I8 | Kind::I16 => DType::I32,
            Kind::U16 => DType::U32,
            Kind::F16 => DType::F32,
            #[cfg(feature = "safetensors")]
            Kind::Bf16 => DType::F32,
        }
    }

    /// Returns the bytes of an element.
    pub(crate) fn bytes(self) -> usize {
        match self {
            Kind::Same(dtype) => dtype.bytes(),
            Kind::I8 => 1,
            Kind::I16 | Kind::U16 | Kind::F16 => 2,
            #[cfg(feature = "safetensors")]
            Kind::Bf16 => 2,
        }
    }
}

/// Returns the number of elements of a shape.
///
/// # Errors
/// If memory has no addresses for them, or if there are too many axes.
pub(crate) fn count(file: &str, dtype: DType, shape: &[usize]) -> Result<usize> {
    let ty = Type::new(dtype, shape);
    match ty.check_size() {
        Ok(()) => Ok(ty.size()),
        Err(error) => Err(Error::format(file, error.message)),
    }
}

/// Reads an array whose shape has been counted, in the order in which its elements stand.
pub(crate) fn read(
    from: &mut dyn Read,
    file: &str,
    kind: Kind,
    big: bool,
    shape: &[usize],
    fortran: bool,
) -> Result<Array> {
    let n = count(file, kind.dtype(), shape)?;
    let source = Source { from, file, big };
    let to = Shaped { shape, fortran };
    match kind {
        Kind::Same(DType::F32) => to.array(source.take(n, f32::from_le_bytes)?),
        Kind::Same(DType::F64) => to.array(source.take(n, f64::from_le_bytes)?),
        Kind::Same(DType::I32) => to.array(source.take(n, i32::from_le_bytes)?),
        Kind::Same(DType::I64) => to.array(source.take(n, i64::from_le_bytes)?),
        Kind::Same(DType::U32) => to.array(source.take(n, u32::from_le_bytes)?),
        Kind::Same(DType::U64) => to.array(source.take(n, u64::from_le_bytes)?),
        Kind::Same(DType::U8) => to.array(source.take(n, u8::from_le_bytes)?),
        Kind::Same(DType::Bool) => to.array(source.take(n, |[b]: [u8; 1]| b != 0)?),
        Kind::I8 => to.array(source.take(n, |b| i32::from(i8::from_le_bytes(b)))?),
        Kind::I16 => to.array(source.take(n, |b| i32::from(i16::from_le_bytes(b)))?),
        Kind::U16 => to.array(source.take(n, |b| u32::from(u16::from_le_bytes(b)))?),
        Kind::F16 => to.array(source.take(n, |b| half(u16::from_le_bytes(b)))?),
        #[cfg(feature = "safetensors")]
        Kind::Bf16 => {
            let wide = |b| f32::from_bits(u32::from(u16::from_le_bytes(b)) << 16);
            to.array(source.take(n, wide)?)
        }
    }
}

/// Where elements are read from.
struct Source<'a> {
    from: &'a mut dyn Read,
    file: &'a str,
    big: bool,
}

impl Source<'_> {
    /// Reads `n` elements of `W` bytes each.
    fn take<T, const W: usize>(self, n: usize, of: impl Fn([u8; W]) -> T) -> Result<Vec<T>> {
        let mut elements: Vec<T> = vec![];
        let mut bytes = vec![0; AT_ONCE.min(n * W)];
        while elements.len() < n {
            let wanted = bytes.len().min((n - elements.len()) * W);
            let got = fill(self.from, &mut bytes[..wanted]).map_err(|e| Error::io(self.file, e))?;
            if elements.try_reserve(got / W).is_err() {
                let message = format!("there is no memory for its {n} elements");
                return Err(Error::format(self.file, message));
            }
            let (each, _) = bytes[..got].as_chunks::<W>();
            elements.extend(each.iter().map(|&(mut b)| {
                if self.big {
                    b.reverse();
                }
                of(b)
            }));
            if got < wanted {
                let message = format!("ends after {} of its {n} elements", elements.len());
                return Err(Error::format(self.file, message));
            }
        }
        Ok(elements)
    }
}

/// Reads until the buffer is full or there is nothing more, and returns the bytes that were read.
pub(crate) fn fill(from: &mut dyn Read, to: &mut [u8]) -> std::io::Result<usize> {
    let mut n = 0;
    while n < to.len() {
        match from.read(&mut to[n..]) {
            Ok(0) => break,
            Ok(more) => n += more,
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(n)
}

/// The number with these bits of binary16, as an `f32`, which has all of them.
fn half(bits: u16) -> f32 {
    let (sign, exponent, fraction) = (bits >> 15, bits >> 10 & 0x1f, u32::from(bits & 0x3ff));
    let sign = u32::from(sign) << 31;
    let magnitude = match exponent {
        // Subnormal: units of 2^-24.
        0 => (fraction as f32 * f32::from_bits((127 - 24) << 23)).to_bits(),
        0x1f => 0xff << 23 | fraction << 13,
        e => (u32::from(e) + 127 - 15) << 23 | fraction << 13,
    };
    f32::from_bits(sign | magnitude)
}

/// A shape, and whether elements stand column by column.
struct Shaped<'a> {
    shape: &'a [usize],
    fortran: bool,
}

impl Shaped<'_> {
    fn array<T: Element>(&self, elements: Vec<T>) -> Result<Array> {
        let elements = match self.fortran && self.shape.len() > 1 {
            true => reordered(&elements, self.shape, true),
            false => elements,
        };
        Ok(Array::new(self.shape, elements)?)
    }
}

/// Returns the elements in the other order: row-major ones that stand column by column, or the inverse.
pub(crate) fn reordered<T: Copy>(elements: &[T], shape: &[usize], from_fortran: bool) -> Vec<T> {
    // The axes in the order in which the result goes over them, the slowest first, with their strides in `elements`.
    let mut axes = vec![];
    let mut stride = 1;
    let mut given: Vec<usize> = shape.to_vec();
    if !from_fortran {
        given.reverse();
    }
    for &n in &given {
        axes.push((n, stride));
        stride *= n;
    }
    let mut out = Vec::with_capacity(elements.len());
    if elements.is_empty() {
        return out;
    }
    let mut index = vec![0; axes.len()];
    let mut place = 0;
    loop {
        out.push(elements[place]);
        let mut k = axes.len();
        loop {
            if k == 0 {
                return out;
            }
            k -= 1;
            let (n, stride) = axes[k];
            index[k] += 1;
            place += stride;
            if index[k] < n {
                break;
            }
            place -= n * stride;
            index[k] = 0;
        }
    }
}

/// Calls `f` with the bytes of the elements, a part after the other.
pub(crate) fn each_part(
    array: &Array,
    big: bool,
    fortran: bool,
    f: &mut dyn FnMut(&[u8]) -> std::io::Result<()>,
) -> std::io::Result<()> {
    fn go<T: Element, const W: usize>(
        array: &Array,
        fortran: bool,
        f: &mut dyn FnMut(&[u8]) -> std::io::Result<()>,
        bytes: impl Fn(T) -> [u8; W],
    ) -> std::io::Result<()> {
        // The call that computes it, on a device, may have failed.
        let elements = array.as_slice::<T>().map_err(std::io::Error::other)?;
        let other;
        let elements = match fortran && array.shape().len() > 1 {
            true => {
                other = reordered(elements, array.shape(), false);
                &other
            }
            false => elements,
        };
        let mut part = vec![];
        for some in elements.chunks(AT_ONCE / W) {
            part.clear();
            part.extend(some.iter().flat_map(|&x| bytes(x)));
            f(&part)?;
        }
        Ok(())
    }
    macro_rules! of {
        ($t:ty) => {
            go(array, fortran, f, |x: $t| match big {
                true => x.to_be_bytes(),
                false => x.to_le_bytes(),
            })
        };
    }
    match array.dtype() {
        DType::F32 => of!(f32),
        DType::F64 => of!(f64),
        DType::I32 => of!(i32),
        DType::I64 => of!(i64),
        DType::U32 => of!(u32),
        DType::U64 => of!(u64),
        DType::U8 => of!(u8),
        DType::Bool => go(array, fortran, f, |b: bool| [u8::from(b)]),
    }
}
