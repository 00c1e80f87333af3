//! Host arrays: the values of the interpreter, and the arguments and results of compiled functions.

mod nested;
mod slices;

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;

pub use nested::{Nested, nested, nested_shape};
pub use slices::{Slice, SliceMut};

use crate::error::{Error, raise};
use crate::source::SourceId;
use crate::types::{DType, Dim, Dims, Shape, Type, elements};

/// The elements of an array, row-major.
#[derive(Clone, PartialEq, Debug)]
pub enum Data {
    /// Elements of [`DType::F32`].
    F32(Vec<f32>),
    /// Elements of [`DType::F64`].
    F64(Vec<f64>),
    /// Elements of [`DType::I32`].
    I32(Vec<i32>),
    /// Elements of [`DType::I64`].
    I64(Vec<i64>),
    /// Elements of [`DType::U32`].
    U32(Vec<u32>),
    /// Elements of [`DType::U64`].
    U64(Vec<u64>),
    /// Elements of [`DType::U8`].
    U8(Vec<u8>),
    /// Elements of [`DType::Bool`].
    Bool(Vec<bool>),
}

/// Runs `$body` with `$v` bound to the vector inside, whatever its element type.
#[macro_export]
macro_rules! with_data {
    ($data:expr, $v:ident => $body:expr) => {
        $crate::with_variants!(Data, $data, $v => $body)
    };
}

/// Evaluates an expression with the elements of a [`Data`], [`Slice`] or [`SliceMut`], as `$kind` says, for any
/// dtype.
#[macro_export]
macro_rules! with_variants {
    ($kind:ident, $data:expr, $v:ident => $body:expr) => {
        match $data {
            $crate::buffer::$kind::F32($v) => $body,
            $crate::buffer::$kind::F64($v) => $body,
            $crate::buffer::$kind::I32($v) => $body,
            $crate::buffer::$kind::I64($v) => $body,
            $crate::buffer::$kind::U32($v) => $body,
            $crate::buffer::$kind::U64($v) => $body,
            $crate::buffer::$kind::U8($v) => $body,
            $crate::buffer::$kind::Bool($v) => $body,
        }
    };
}

mod sealed {
    pub trait Element {}
}

/// A Rust type of array elements. The trait is sealed: there is one type for each [`DType`].
pub trait Element:
    sealed::Element + Copy + PartialEq + Default + std::fmt::Debug + Send + Sync + 'static
{
    /// Its dtype.
    const DTYPE: DType;
    /// Wraps elements as [`Data`].
    fn wrap(elements: Vec<Self>) -> Data;
    /// Returns the elements, if they are of this type.
    fn slice(data: &Data) -> Option<&[Self]>;
    /// Returns the elements for writing, if they are of this type.
    fn slice_mut(data: &mut Data) -> Option<&mut Vec<Self>>;
    /// Returns the borrowed elements, if they are of this type.
    fn of(slice: Slice<'_>) -> Option<&[Self]>;
    /// Returns the borrowed elements for writing, if they are of this type.
    fn of_mut(slice: SliceMut<'_>) -> Option<&mut [Self]>;
    /// Wraps borrowed elements.
    fn borrowed(elements: &[Self]) -> Slice<'_>;
    /// Wraps elements borrowed for writing.
    fn borrowed_mut(elements: &mut [Self]) -> SliceMut<'_>;
    /// Returns the bits of a value, in the low end.
    fn to_bits(self) -> u64;
    /// Returns the value with these bits.
    fn from_bits(bits: u64) -> Self;
}

macro_rules! elements {
    ($($t:ty, $variant:ident, $to:expr, $from:expr;)*) => {$(
        impl sealed::Element for $t {}
        impl Element for $t {
            const DTYPE: DType = DType::$variant;
            fn wrap(elements: Vec<Self>) -> Data {
                Data::$variant(elements)
            }
            fn slice(data: &Data) -> Option<&[Self]> {
                match data {
                    Data::$variant(v) => Some(v),
                    _ => None,
                }
            }
            fn slice_mut(data: &mut Data) -> Option<&mut Vec<Self>> {
                match data {
                    Data::$variant(v) => Some(v),
                    _ => None,
                }
            }
            fn of(slice: Slice<'_>) -> Option<&[Self]> {
                match slice {
                    Slice::$variant(v) => Some(v),
                    _ => None,
                }
            }
            fn of_mut(slice: SliceMut<'_>) -> Option<&mut [Self]> {
                match slice {
                    SliceMut::$variant(v) => Some(v),
                    _ => None,
                }
            }
            fn borrowed(elements: &[Self]) -> Slice<'_> {
                Slice::$variant(elements)
            }
            fn borrowed_mut(elements: &mut [Self]) -> SliceMut<'_> {
                SliceMut::$variant(elements)
            }
            fn to_bits(self) -> u64 {
                $to(self)
            }
            fn from_bits(bits: u64) -> Self {
                $from(bits)
            }
        }
    )*};
}
elements! {
    f32, F32, |x: f32| u64::from(x.to_bits()), |b| f32::from_bits(b as u32);
    f64, F64, |x: f64| x.to_bits(), f64::from_bits;
    i32, I32, |x: i32| u64::from(x as u32), |b| b as i32;
    i64, I64, |x: i64| x as u64, |b| b as i64;
    u32, U32, |x: u32| u64::from(x), |b| b as u32;
    u64, U64, |x: u64| x, |b| b;
    u8, U8, |x: u8| u64::from(x), |b| b as u8;
    bool, Bool, |x: bool| u64::from(x), |b| b != 0;
}

impl Data {
    /// Makes `len` zeros.
    pub fn zeros(dtype: DType, len: usize) -> Data {
        Data::splat(dtype, len, 0)
    }

    /// Makes `len` copies of the value with these bits.
    ///
    /// # Panics
    /// If there is no memory for them; while a function is interpreted, its evaluation ends with an error
    /// instead.
    pub fn splat(dtype: DType, len: usize, bits: u64) -> Data {
        Data::try_splat(dtype, len, bits).unwrap_or_else(|e| e.raise())
    }

    /// Makes `len` copies of the value with these bits.
    ///
    /// # Errors
    /// If there is no memory for them.
    pub fn try_splat(dtype: DType, len: usize, bits: u64) -> Result<Data, NoMemory> {
        fn make<T: Element>(len: usize, bits: u64) -> Result<Data, NoMemory> {
            let mut all = vec![];
            reserve(&mut all, len)?;
            all.resize(len, T::from_bits(bits));
            Ok(T::wrap(all))
        }
        match dtype {
            DType::F32 => make::<f32>(len, bits),
            DType::F64 => make::<f64>(len, bits),
            DType::I32 => make::<i32>(len, bits),
            DType::I64 => make::<i64>(len, bits),
            DType::U32 => make::<u32>(len, bits),
            DType::U64 => make::<u64>(len, bits),
            DType::U8 => make::<u8>(len, bits),
            DType::Bool => make::<bool>(len, bits),
        }
    }

    /// Returns the element type.
    #[inline]
    pub fn dtype(&self) -> DType {
        fn of<T: Element>(_: &[T]) -> DType {
            T::DTYPE
        }
        with_data!(self, v => of(v))
    }

    /// Returns the number of elements.
    #[inline]
    pub fn len(&self) -> usize {
        with_data!(self, v => v.len())
    }

    /// Returns whether there are no elements.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the address of the elements.
    #[inline]
    pub fn as_ptr(&self) -> *const u8 {
        with_data!(self, v => v.as_ptr().cast())
    }

    /// Returns the address of the elements, for writing.
    #[inline]
    pub fn as_mut_ptr(&mut self) -> *mut u8 {
        with_data!(self, v => v.as_mut_ptr().cast())
    }

    /// Returns the bits of element `i`.
    pub fn bits(&self, i: usize) -> u64 {
        with_data!(self, v => Element::to_bits(v[i]))
    }

    /// Sets element `i` by its bits.
    pub fn set_bits(&mut self, i: usize, bits: u64) {
        with_data!(self, v => v[i] = Element::from_bits(bits));
    }

    /// Appends the elements of another buffer.
    ///
    /// # Panics
    /// If the element types differ.
    pub fn extend(&mut self, other: &Data) {
        fn go<T: Element>(to: &mut Vec<T>, from: &Data) {
            let from = T::slice(from).expect("elements of one type");
            // Grows like `extend_from_slice`: doubles, so that repeated calls copy little.
            let more = from.len().max(to.len());
            if to.capacity() - to.len() < from.len() {
                reserve(to, more)
                    .or_else(|_| reserve(to, from.len()))
                    .unwrap_or_else(|e| e.raise());
            }
            to.extend_from_slice(from);
        }
        with_data!(self, v => go(v, other));
    }

    /// Returns the elements at these places, in this order.
    pub fn pick(&self, places: impl Iterator<Item = usize>) -> Data {
        fn go<T: Element>(v: &[T], places: impl Iterator<Item = usize>) -> Data {
            let mut picked = vec![];
            reserve(&mut picked, places.size_hint().0).unwrap_or_else(|e| e.raise());
            picked.extend(places.map(|i| v[i]));
            T::wrap(picked)
        }
        with_data!(self, v => go(v, places))
    }
}

/// The error that there is no memory for an array.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NoMemory {
    /// The element type.
    pub dtype: DType,
    /// The number of elements.
    pub len: usize,
}

impl NoMemory {
    /// Converts to the error of a call.
    pub fn error(self, op: &str, at: Option<SourceId>) -> Error {
        Error::no_memory(
            op,
            Type::new(self.dtype, &[self.len]).to_string(),
            (self.dtype.bytes() as u64).saturating_mul(self.len as u64),
            at,
        )
    }

    /// Aborts the computation. The innermost [`within_memory`] returns the error; outside any, this is a panic.
    pub fn raise(self) -> ! {
        match WITHIN.get() > 0 {
            true => resume_unwind(Box::new(self)),
            false => raise(self.error("array", None)),
        }
    }
}

thread_local! {
    /// The number of active calls of [`within_memory`] on this thread.
    static WITHIN: Cell<usize> = const { Cell::new(0) };
}

/// Runs `f`, and aborts it with an error if there is no memory for an array.
pub fn within_memory<T>(f: impl FnOnce() -> T) -> Result<T, NoMemory> {
    WITHIN.set(WITHIN.get() + 1);
    let result = catch_unwind(AssertUnwindSafe(f));
    WITHIN.set(WITHIN.get() - 1);
    result.map_err(|payload| match payload.downcast() {
        Ok(none) => *none,
        Err(other) => resume_unwind(other),
    })
}

/// Reserves room for `more` elements.
pub fn reserve<T: Element>(to: &mut Vec<T>, more: usize) -> Result<(), NoMemory> {
    to.try_reserve_exact(more).map_err(|_| NoMemory {
        dtype: T::DTYPE,
        len: to.len().saturating_add(more),
    })
}

/// A dense array: a shape and its elements, shared until written.
#[derive(PartialEq, Debug)]
pub struct Dense {
    /// The lengths of its axes.
    pub dims: Dims,
    /// Its elements, row-major.
    pub data: Arc<Data>,
}

impl Clone for Dense {
    #[inline]
    fn clone(&self) -> Dense {
        Dense {
            // One copy: a clone of the vector would push one length after the other.
            dims: Dims::from_slice(&self.dims),
            data: self.data.clone(),
        }
    }
}

impl Dense {
    /// Makes an array of these elements.
    ///
    /// # Panics
    /// If the number of elements differs from the product of the lengths.
    pub fn new(dims: impl Into<Dims>, data: Data) -> Dense {
        let dims = dims.into();
        assert_eq!(elements(&dims), data.len(), "elements and shape");
        Dense {
            dims,
            data: Arc::new(data),
        }
    }

    /// Makes an array of Rust values.
    #[inline]
    pub fn of<T: Element>(dims: impl Into<Dims>, elements: Vec<T>) -> Dense {
        Dense::new(dims, T::wrap(elements))
    }

    /// Makes a scalar.
    pub fn scalar<T: Element>(x: T) -> Dense {
        Dense::of(Dims::new(), vec![x])
    }

    /// Makes an array of one repeated value.
    pub fn splat(dtype: DType, dims: Vec<usize>, bits: u64) -> Dense {
        let n = elements(&dims);
        Dense::new(dims, Data::splat(dtype, n, bits))
    }

    /// Returns the type.
    pub fn ty(&self) -> Type {
        Type {
            dtype: self.data.dtype(),
            shape: Shape::new(&self.dims),
        }
    }

    /// Returns the elements as Rust values.
    ///
    /// # Panics
    /// If they are of another type; the type rules exclude this.
    pub fn slice<T: Element>(&self) -> &[T] {
        T::slice(&self.data)
            .unwrap_or_else(|| panic!("an array of {}, not of {}", self.data.dtype(), T::DTYPE))
    }
}

/// A value of any type: an array, or a list of values if some axis has a run-time length.
#[derive(Clone, PartialEq, Debug)]
pub enum Buffer {
    /// All lengths are known.
    Dense(Dense),
    /// One value per row, down to the last run-time axis. On a run-time axis an empty list stands for zeros of
    /// any length.
    List(Arc<Vec<Buffer>>),
}

impl Buffer {
    /// Makes zeros; an empty list on a run-time axis.
    pub fn zeros(ty: &Type) -> Buffer {
        Buffer::filled(ty, 0)
    }

    /// Makes a value filled with one number, given by its bits; an empty list on a run-time axis.
    pub fn filled(ty: &Type, bits: u64) -> Buffer {
        if !ty.shape.has_run() {
            return Buffer::Dense(Dense::splat(ty.dtype, ty.dims(), bits));
        }
        Buffer::list(match ty.shape.0[0] {
            Dim::Run => vec![],
            Dim::N(n) => vec![Buffer::filled(&ty.row(), bits); n],
        })
    }

    /// Makes a list of rows.
    pub fn list(rows: Vec<Buffer>) -> Buffer {
        Buffer::List(Arc::new(rows))
    }

    /// Returns whether this is a value of the type.
    pub fn fits(&self, ty: &Type) -> bool {
        match self {
            Buffer::Dense(d) => !ty.shape.has_run() && d.ty() == *ty,
            Buffer::List(rows) => {
                ty.shape.has_run()
                    && (ty.shape.0[0] == Dim::Run || ty.shape.0[0] == Dim::N(rows.len()))
                    && rows.iter().all(|r| r.fits(&ty.row()))
            }
        }
    }

    /// Returns the array.
    ///
    /// # Panics
    /// If it is a list; the type rules say which it is.
    pub fn dense(&self) -> &Dense {
        match self {
            Buffer::Dense(d) => d,
            Buffer::List(_) => panic!("an array, not a list of rows"),
        }
    }

    /// Returns row `i` along the first axis, given the type of a row: an empty list on a run-time axis reads as
    /// zeros.
    pub fn row(&self, i: usize, row: &Type) -> Buffer {
        match self {
            Buffer::List(rows) if rows.is_empty() => Buffer::zeros(row),
            Buffer::List(rows) => rows[i].clone(),
            Buffer::Dense(d) => {
                let n: usize = d.dims[1..].iter().product();
                Buffer::Dense(Dense::new(
                    d.dims[1..].to_vec(),
                    d.data.pick(i * n..(i + 1) * n),
                ))
            }
        }
    }

    /// Stacks rows of type `row` along a new first axis of length `n`.
    pub fn stack(rows: Vec<Buffer>, row: &Type, n: Dim) -> Buffer {
        if n == Dim::Run || row.shape.has_run() {
            return Buffer::list(rows);
        }
        let mut dims = vec![rows.len()];
        dims.extend(row.dims());
        let mut data = Data::zeros(row.dtype, 0);
        for r in &rows {
            data.extend(&r.dense().data);
        }
        Buffer::Dense(Dense::new(dims, data))
    }
}
