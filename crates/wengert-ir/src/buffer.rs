//! Host arrays: the values the interpreter computes with, and what crosses the door.

mod nested;

use std::panic::resume_unwind;
use std::sync::Arc;

pub use nested::{Nested, nested, nested_shape};

use crate::error::{Error, raise};
use crate::ir::types::{DType, Dims, Shape, Type, elements};
use crate::source::SourceId;

/// The elements of an array, row-major.
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
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
        match $data {
            $crate::buffer::Data::F32($v) => $body,
            $crate::buffer::Data::F64($v) => $body,
            $crate::buffer::Data::I32($v) => $body,
            $crate::buffer::Data::I64($v) => $body,
            $crate::buffer::Data::U32($v) => $body,
            $crate::buffer::Data::U64($v) => $body,
            $crate::buffer::Data::U8($v) => $body,
            $crate::buffer::Data::Bool($v) => $body,
        }
    };
}

/// A Rust type that is the element of an array.
pub trait Element: Copy + PartialEq + Default + std::fmt::Debug + Send + Sync + 'static {
    /// Its name among the element types.
    const DTYPE: DType;
    /// Elements as data.
    fn wrap(elements: Vec<Self>) -> Data;
    /// The elements, if they are of this type.
    fn slice(data: &Data) -> Option<&[Self]>;
    /// The elements for writing, if they are of this type.
    fn slice_mut(data: &mut Data) -> Option<&mut Vec<Self>>;
    /// The bits of a value, in the low end.
    fn to_bits(self) -> u64;
    /// The value of those bits.
    fn from_bits(bits: u64) -> Self;
}

macro_rules! elements {
    ($($t:ty, $variant:ident, $to:expr, $from:expr;)*) => {$(
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
    /// `len` zeros.
    pub fn zeros(dtype: DType, len: usize) -> Data {
        Data::splat(dtype, len, 0)
    }

    /// `len` copies of the value of those bits.
    ///
    /// # Panics
    /// If there is no memory for them; while a function is interpreted, its evaluation ends with an
    /// error instead.
    pub fn splat(dtype: DType, len: usize, bits: u64) -> Data {
        Data::try_splat(dtype, len, bits).unwrap_or_else(|e| e.raise())
    }

    /// The same.
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

    /// The element type.
    pub fn dtype(&self) -> DType {
        fn of<T: Element>(_: &[T]) -> DType {
            T::DTYPE
        }
        with_data!(self, v => of(v))
    }

    /// The number of elements.
    pub fn len(&self) -> usize {
        with_data!(self, v => v.len())
    }

    /// Whether there is no element.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Where the elements are.
    pub fn as_ptr(&self) -> *const u8 {
        with_data!(self, v => v.as_ptr().cast())
    }

    /// Where the elements are, to be written.
    pub fn as_mut_ptr(&mut self) -> *mut u8 {
        with_data!(self, v => v.as_mut_ptr().cast())
    }

    /// The bits of element `i`.
    pub fn bits(&self, i: usize) -> u64 {
        with_data!(self, v => Element::to_bits(v[i]))
    }

    /// Sets element `i` by its bits.
    pub fn set_bits(&mut self, i: usize, bits: u64) {
        with_data!(self, v => v[i] = Element::from_bits(bits));
    }

    /// Appends the elements of another of the same type.
    ///
    /// # Panics
    /// If its elements are of another type.
    pub fn extend(&mut self, other: &Data) {
        fn go<T: Element>(to: &mut Vec<T>, from: &Data) {
            let from = T::slice(from).expect("elements of one type");
            // As `extend_from_slice` does: twice the room, so that many calls copy little.
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

    /// The elements at those places, in that order.
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

/// There is no memory for so many elements.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NoMemory {
    /// What they are.
    pub dtype: DType,
    /// How many.
    pub len: usize,
}

impl NoMemory {
    /// The error of a call in which that happens.
    pub fn error(self, op: &str, at: Option<SourceId>) -> Error {
        Error::NoMemory {
            op: op.into(),
            what: Type::new(self.dtype, &[self.len]).to_string(),
            need: (self.dtype.bytes() as u64).saturating_mul(self.len as u64),
            at,
        }
    }

    /// Leaves what is being computed. An evaluation ends with the error; outside of any this is a panic.
    pub(crate) fn raise(self) -> ! {
        match crate::eval::is_running() {
            true => resume_unwind(Box::new(self)),
            false => raise(self.error("array", None)),
        }
    }
}

/// Room for so many more elements.
pub(crate) fn reserve<T: Element>(to: &mut Vec<T>, more: usize) -> Result<(), NoMemory> {
    to.try_reserve_exact(more).map_err(|_| NoMemory {
        dtype: T::DTYPE,
        len: to.len().saturating_add(more),
    })
}

/// A dense array: a shape and its elements, shared until written.
#[derive(Clone, PartialEq, Debug)]
pub struct Dense {
    /// The lengths of its axes.
    pub dims: Dims,
    /// Its elements, row-major.
    pub data: Arc<Data>,
}

impl Dense {
    /// An array of those elements.
    ///
    /// # Panics
    /// If the number of elements is not the product of the lengths.
    pub fn new(dims: impl Into<Dims>, data: Data) -> Dense {
        let dims = dims.into();
        assert_eq!(elements(&dims), data.len(), "elements and shape");
        Dense {
            dims,
            data: Arc::new(data),
        }
    }

    /// An array of Rust values.
    pub fn of<T: Element>(dims: impl Into<Dims>, elements: Vec<T>) -> Dense {
        Dense::new(dims, T::wrap(elements))
    }

    /// A scalar.
    pub fn scalar<T: Element>(x: T) -> Dense {
        Dense::of(Dims::new(), vec![x])
    }

    /// An array of one repeated value.
    pub fn splat(dtype: DType, dims: Vec<usize>, bits: u64) -> Dense {
        let n = elements(&dims);
        Dense::new(dims, Data::splat(dtype, n, bits))
    }

    /// Its type.
    pub fn ty(&self) -> Type {
        Type {
            dtype: self.data.dtype(),
            shape: Shape::new(&self.dims),
        }
    }

    /// Its elements as Rust values.
    ///
    /// # Panics
    /// If they are of another type; the type rules see to it that they are not.
    pub fn slice<T: Element>(&self) -> &[T] {
        T::slice(&self.data)
            .unwrap_or_else(|| panic!("an array of {}, not of {}", self.data.dtype(), T::DTYPE))
    }
}

/// A value of any type: an array, or a list of values where the first axis has a run-time length
/// somewhere behind it.
#[derive(Clone, PartialEq, Debug)]
pub enum Buffer {
    /// All lengths are known.
    Dense(Dense),
    /// Row by row, down to the last run-time axis. On a run-time axis an empty list stands for zeros
    /// of any length.
    List(Arc<Vec<Buffer>>),
}
