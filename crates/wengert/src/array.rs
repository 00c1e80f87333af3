//! `Array`: data that goes into a compiled function and comes out of it.

use std::fmt;
use std::panic::Location;
use std::sync::Arc;

use wengert_ir::buffer::{Data, Dense, Element};
use wengert_ir::error::{Catches, Error, Result, counted, raise};
use wengert_ir::ir::{DType, Dim, Shape, Type};
use wengert_ir::source::SourceId;
use wengert_ir::trace::{IntoShape, Ints};

mod access;
mod arithmetic;
mod convert;
mod display;
mod memory;
mod moves;
mod storage;
mod var;

pub use arithmetic::Operand;
pub use convert::Nested;
pub(crate) use memory::{Form, is_own, memory_for, memory_of, recycle};
pub(crate) use moves::Parted;
use storage::Storage;
pub(crate) use storage::{Remote, run_error};
pub(crate) use var::capturing;

/// An array of numbers or truth values in memory, row-major.
///
/// Cloning increments a reference count and copies nothing. Moving an array into a compiled function gives up
/// its memory, so that a result can be written there. Large buffers are pooled when dropped, up to 256 MiB in
/// all, and reused for later results: the first touch of fresh memory costs more than most operations. Each thread
/// keeps small ones that it drops, up to 1 MiB.
///
/// ```
/// use wengert::Array;
///
/// let a = Array::from([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
/// assert_eq!(a.shape(), [2, 3]);
/// assert_eq!(a.to_vec::<f64>()?, [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
/// assert_eq!(a.to_string(), "[[1. 2. 3.]\n [4. 5. 6.]]");
/// # Ok::<(), wengert::Error>(())
/// ```
///
/// # Operators
///
/// `+ - * / %`, `& | ^` and unary `-` and `!` mean what they mean on a [`Var`](crate::Var): shapes broadcast as
/// in NumPy, element types are promoted, and a number takes the element type of the array beside it. Operands
/// are owned or borrowed; the result overwrites an owned operand where it fits. An array that is assigned to,
/// as by `a += b`, keeps its type.
///
/// Each operator is compiled once for each pair of types (element types and shapes) it is used with: the first
/// `a + b` of a new pair takes about a millisecond, later ones the time of a call. More than an operator or two
/// runs faster in a function given to [`jit`](crate::jit), which passes over the elements once.
///
/// **An operator panics** where operands do not fit, since it cannot return a [`Result`]. The message has the
/// operation, the types and the line that wrote it. `jit(|(a, b): (Var, Var)| a + b).call((&a, &b))` returns an
/// `Err` instead.
///
/// ```
/// use wengert::Array;
///
/// let (a, b) = (Array::from([[1.0], [2.0]]), Array::from([10.0, 20.0]));
/// assert_eq!(2.0 * &a + &b, Array::from([[12.0, 22.0], [14.0, 24.0]]));
/// let mut c = -b;
/// c /= 10;
/// assert_eq!(c, Array::from([-1.0, -2.0]));
/// ```
///
/// # Equality
///
/// Arrays are equal if their element types, shapes and elements are; `0.0` equals `-0.0`, and a NaN is not
/// equal to itself. To compare results of arithmetic, use [`all_close`](Array::all_close).
///
/// # Devices
///
/// The result of a function that runs [on a device](crate::Jit::on) is in the device's memory until somebody reads its
/// elements: [`as_slice`](Array::as_slice) and its kin, a comparison, printing, an operator, a function that runs on the
/// CPU. The first to read waits for the call and copies the elements; the copy is kept, and so is the original. Shape and
/// element type are known without reading.
///
/// If the call failed, its error is the `Err` of whoever reads. **What cannot return one panics** with its message:
/// operators, `==`, [`all_close`](Array::all_close), and the use of the array in a traced function, whose call then
/// returns it. `Display` and `Debug` write the error in place of the elements.
#[derive(Clone)]
pub struct Array {
    storage: Storage,
}

impl Array {
    /// Makes an array of this shape and these elements, row-major.
    ///
    /// # Errors
    /// If the number of elements is not the product of the lengths.
    ///
    /// ```
    /// use wengert::Array;
    ///
    /// assert_eq!(Array::new([2, 2], vec![1, 2, 3, 4])?, Array::from([[1, 2], [3, 4]]));
    /// assert!(Array::new([2, 3], vec![1, 2, 3, 4]).is_err());
    /// # Ok::<(), wengert::Error>(())
    /// ```
    #[track_caller]
    pub fn new<T: Element>(shape: impl IntoShape, elements: Vec<T>) -> Result<Array> {
        let given = shape.lengths();
        let Some(shape) = whole(&given).filter(|s| size(s) == Some(elements.len())) else {
            return Err(Error::value(
                "Array::new",
                format!(
                    "{} not fill the shape {:?}",
                    counted(elements.len(), "element does", "elements do"),
                    given.0
                ),
                here(),
            ));
        };
        Ok(Array::from_dense(Dense::of(shape, elements)))
    }

    /// Makes an array of this shape, all of whose elements are `x`.
    ///
    /// # Panics
    /// If a length is negative, or if the array does not fit in memory.
    ///
    /// ```
    /// use wengert::Array;
    ///
    /// assert_eq!(Array::full([2], 0.5), Array::from([0.5, 0.5]));
    /// ```
    #[track_caller]
    pub fn full<T: Element>(shape: impl IntoShape, x: T) -> Array {
        let shape = &known("Array::full", shape)[..];
        let fits = "an array that fits in memory";
        let n = size(shape).expect(fits);
        let full = Data::try_splat(T::DTYPE, n, x.to_bits()).expect(fits);
        Array::from_dense(Dense::new(shape, full))
    }

    /// Makes an array of zeros of this shape and element type (`false` for truth values).
    ///
    /// # Panics
    /// If a length is negative, or if the array does not fit in memory.
    ///
    /// ```
    /// use wengert::{Array, DType};
    ///
    /// assert_eq!(Array::zeros([2], DType::F64), Array::from([0.0, 0.0]));
    /// ```
    #[track_caller]
    pub fn zeros(shape: impl IntoShape, dtype: DType) -> Array {
        let shape = &known("Array::zeros", shape)[..];
        let fits = "an array that fits in memory";
        let n = size(shape).expect(fits);
        let zeros = wengert_run::memory_for(dtype, n).expect(fits);
        Array::from_dense(Dense::new(shape, zeros))
    }

    /// Returns the lengths of the axes; empty for a scalar.
    #[inline]
    pub fn shape(&self) -> &[usize] {
        match &self.storage {
            Storage::Host(dense) => &dense.dims,
            Storage::Device(remote) => remote.as_ref().expect(HELD).dims(),
        }
    }

    /// Returns the element type.
    ///
    /// ```
    /// use wengert::prelude::*;
    ///
    /// let x = Array::from([[1.0, 2.0], [3.0, 4.0]]);
    /// assert_eq!((x.dtype(), x.shape(), x.len()), (DType::F64, &[2, 2][..], 4));
    /// assert!(Array::zeros([0, 3], DType::I64).is_empty());
    /// # Ok::<(), wengert::Error>(())
    /// ```
    #[inline]
    pub fn dtype(&self) -> DType {
        match &self.storage {
            Storage::Host(dense) => dense.data.dtype(),
            Storage::Device(remote) => remote.as_ref().expect(HELD).memory().dtype(),
        }
    }

    /// Returns the number of elements.
    #[inline]
    pub fn len(&self) -> usize {
        match &self.storage {
            Storage::Host(dense) => dense.data.len(),
            Storage::Device(remote) => remote.as_ref().expect(HELD).memory().len(),
        }
    }

    /// Returns whether there are no elements.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the elements, row-major.
    ///
    /// # Errors
    /// If the elements are not of type `T`: nothing is converted.
    ///
    /// ```
    /// use wengert::Array;
    ///
    /// let a = Array::from([1.0, 2.0]);
    /// assert_eq!(a.as_slice::<f64>()?, [1.0, 2.0]);
    /// let error = a.as_slice::<f32>().unwrap_err();
    /// assert!(error.to_string().starts_with("as_slice: asked for f32, and the array is f64[2], at "));
    /// # Ok::<(), wengert::Error>(())
    /// ```
    #[track_caller]
    pub fn as_slice<T: Element>(&self) -> Result<&[T]> {
        self.elements("as_slice")
    }

    /// Copies the elements, row-major.
    ///
    /// # Errors
    /// If the elements are not of type `T`: nothing is converted.
    #[track_caller]
    pub fn to_vec<T: Element>(&self) -> Result<Vec<T>> {
        Ok(self.elements("to_vec")?.to_vec())
    }

    /// Returns the only element.
    ///
    /// # Errors
    /// If there are none or several, or if it is not of type `T`: nothing is converted.
    ///
    /// ```
    /// use wengert::Array;
    ///
    /// assert_eq!(Array::from(2.5).item::<f64>()?, 2.5);
    /// assert!(Array::from([1.0, 2.0]).item::<f64>().is_err());
    /// # Ok::<(), wengert::Error>(())
    /// ```
    #[track_caller]
    pub fn item<T: Element>(&self) -> Result<T> {
        match self.elements("item")? {
            [one] => Ok(*one),
            _ => Err(Error::value(
                "item",
                format!("asked for the only element, and the array is {}", self.ty()),
                here(),
            )),
        }
    }

    #[track_caller]
    fn elements<T: Element>(&self, op: &str) -> Result<&[T]> {
        // The type of an array on a device is known before its elements are.
        let known = match &self.storage {
            Storage::Device(Some(remote)) if remote.memory().dtype() == T::DTYPE => {
                T::slice(&read_here(remote)?.data)
            }
            Storage::Device(_) => None,
            Storage::Host(dense) => T::slice(&dense.data),
        };
        match known {
            Some(elements) => Ok(elements),
            None => Err(Error::value(
                op,
                format!("asked for {}, and the array is {}", T::DTYPE, self.ty()),
                here(),
            )),
        }
    }

    pub(crate) fn ty(&self) -> Type {
        Type {
            dtype: self.dtype(),
            shape: Shape::new(self.shape()),
        }
    }

    /// Returns whether the array has this type.
    #[inline]
    pub(crate) fn has_type(&self, ty: &Type) -> bool {
        match &self.storage {
            Storage::Host(dense) => is_type(&dense.dims, dense.data.dtype(), ty),
            Storage::Device(remote) => is_remote_type(remote.as_deref().expect(HELD), ty),
        }
    }

    /// Returns the array, if it is on the host.
    #[inline]
    pub(crate) fn on_host(&self) -> Option<&Dense> {
        match &self.storage {
            Storage::Host(dense) => Some(dense),
            Storage::Device(_) => None,
        }
    }

    /// Returns whether no other array shares its memory, which is the host's.
    pub(crate) fn is_unique(&mut self) -> bool {
        match &mut self.storage {
            Storage::Host(dense) => memory::is_own(&mut dense.data),
            Storage::Device(_) => false,
        }
    }

    /// Returns the array as a dense buffer of the host. An array on a device is read.
    ///
    /// # Panics
    /// If the call that computes it failed. In a traced function, the function ends with the error instead.
    #[doc(hidden)]
    #[inline]
    #[track_caller]
    pub fn dense(&self) -> &Dense {
        match &self.storage {
            Storage::Host(dense) => dense,
            Storage::Device(remote) => read_or_raise(remote.as_ref().expect(HELD)),
        }
    }

    /// Returns the array as a dense buffer of the host. An array on a device is read.
    ///
    /// # Errors
    /// If the call that computes it failed.
    #[inline]
    #[track_caller]
    pub(crate) fn try_dense(&self) -> Result<&Dense> {
        match &self.storage {
            Storage::Host(dense) => Ok(dense),
            Storage::Device(remote) => read_here(remote.as_ref().expect(HELD)),
        }
    }

    /// Moves the array to the host, where it can be written. Its memory there is unique if nobody else holds the array.
    ///
    /// # Errors
    /// If the call that computes it failed.
    #[track_caller]
    fn dense_mut(&mut self) -> Result<&mut Dense> {
        if let Storage::Device(remote) = &mut self.storage {
            let dense = read_here(remote.as_ref().expect(HELD))?.clone();
            self.storage = Storage::Host(dense);
        }
        match &mut self.storage {
            Storage::Host(dense) => Ok(dense),
            Storage::Device(_) => unreachable!("it has just been moved"),
        }
    }

    /// Returns the elements for overwriting. Shared memory, and that of a device, is replaced, not overwritten.
    ///
    /// # Errors
    /// If there is no memory for a replacement.
    #[inline]
    pub(crate) fn data_to_overwrite(&mut self) -> Result<&mut Data> {
        let others = match &self.storage {
            // A weak reference could become an array again.
            Storage::Host(Dense { data, .. }) => {
                Arc::weak_count(data) + Arc::strong_count(data) - 1
            }
            Storage::Device(_) => 1,
        };
        if others > 0 {
            *self = memory_for(&self.ty())?;
        }
        match &mut self.storage {
            Storage::Host(dense) => {
                Ok(Arc::get_mut(&mut dense.data).expect("nobody else holds it"))
            }
            Storage::Device(_) => unreachable!("it has just been replaced"),
        }
    }

    /// Takes the elements out, wherever they are.
    #[inline]
    fn take(&mut self) -> Storage {
        std::mem::replace(&mut self.storage, Storage::GONE)
    }

    /// Returns the array by value as a dense buffer of the host; its memory is unique if no clone is left.
    ///
    /// # Panics
    /// As [`Array::dense`].
    #[doc(hidden)]
    #[track_caller]
    pub fn into_dense(mut self) -> Dense {
        match self.take() {
            Storage::Host(dense) => dense,
            Storage::Device(remote) => read_or_raise(&remote.expect(HELD)).clone(),
        }
    }

    /// Makes an array from a dense buffer.
    #[doc(hidden)]
    #[inline]
    pub fn from_dense(dense: Dense) -> Array {
        Array {
            storage: Storage::Host(dense),
        }
    }

    /// Makes an array of what is on a device.
    pub(crate) fn from_remote(remote: Arc<Remote>) -> Array {
        Array {
            storage: Storage::Device(Some(remote)),
        }
    }
}

#[inline]
fn is_type(shape: &[usize], dtype: DType, ty: &Type) -> bool {
    let other = &ty.shape.0[..];
    dtype == ty.dtype
        && shape.len() == other.len()
        && shape.iter().zip(other).all(|(&n, &d)| Dim::N(n) == d)
}

#[cold]
fn is_remote_type(remote: &Remote, ty: &Type) -> bool {
    is_type(remote.dims(), remote.memory().dtype(), ty)
}

/// Reads an array of a device for the caller's line.
#[cold]
#[track_caller]
fn read_here(remote: &Remote) -> Result<&Dense> {
    let place = SourceId::of(Location::caller(), None);
    remote.read().map_err(|e| e.placed_at(place))
}

/// Reads an array of a device, or raises the error at the caller's line.
#[cold]
#[track_caller]
fn read_or_raise(remote: &Remote) -> &Dense {
    match (read_here(remote), Catches::any()) {
        (Ok(dense), _) => dense,
        // Outside a trace this is a panic of the caller's.
        (Err(error), false) => panic!("{error}"),
        (Err(error), true) => raise(error),
    }
}

impl PartialEq for Array {
    #[track_caller]
    fn eq(&self, other: &Array) -> bool {
        let types = self.dtype() == other.dtype() && self.shape() == other.shape();
        types && self.dense().data == other.dense().data
    }
}

/// Why an array that can be reached has its buffer.
const HELD: &str = "only an array that is dropped gives its memory away";

/// Returns the lengths, if none is negative.
fn whole(given: &Ints) -> Option<Vec<usize>> {
    given.0.iter().map(|&n| usize::try_from(n).ok()).collect()
}

/// Returns the lengths; panics if one is negative.
#[track_caller]
pub(crate) fn known(op: &str, shape: impl IntoShape) -> Vec<usize> {
    let given = shape.lengths();
    match whole(&given) {
        Some(shape) => shape,
        None => panic!("{op}: {:?} holds a negative length", given.0),
    }
}

/// Returns the caller's line, for an error.
#[track_caller]
pub(crate) fn here() -> Option<SourceId> {
    Some(SourceId::of(Location::caller(), None))
}

/// Returns the number of elements of a shape, unless it overflows.
fn size(shape: &[usize]) -> Option<usize> {
    // A zero length makes the array empty, however long the other axes are.
    if shape.contains(&0) {
        return Some(0);
    }
    shape.iter().try_fold(1usize, |n, &d| n.checked_mul(d))
}

impl fmt::Debug for Array {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Array({} ", self.ty())?;
        match self.try_dense() {
            Ok(_) => display::write_array(f, self, true)?,
            Err(error) => write!(f, "<{error}>")?,
        }
        f.write_str(")")
    }
}

impl fmt::Display for Array {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.try_dense() {
            Ok(_) => display::write_array(f, self, false),
            Err(error) => write!(f, "<{error}>"),
        }
    }
}
