//! Access to elements: one, all in order, in another shape, and approximate comparison.

use std::sync::Arc;

use wengert_ir::buffer::{Element, reserve};
use wengert_ir::error::{Error, Result};
use wengert_ir::trace::{IntoShape, Ints};
use wengert_ir::with_data;

use crate::array::{Array, Storage, here, size};

/// # Elements
///
/// An element type is known when a program runs, not when it is compiled, so the caller names the Rust type:
/// `a.get::<f64>([i, j])`. For the same reason there is no `a[[i, j]]`: the type of an index expression must be
/// known at compile time. To work on many elements, use [`as_slice`](Array::as_slice), a slice of them all.
///
/// ```
/// use wengert::Array;
///
/// let mut a = Array::from([[1.0, 2.0], [3.0, 4.0]]);
/// a.set([0, 1], 5.0)?;
/// assert_eq!(a.get::<f64>([0, 1])?, 5.0);
/// assert_eq!(a.iter::<f64>()?.sum::<f64>(), 13.0);
/// assert_eq!(a.reshape(-1)?, Array::from([1.0, 5.0, 3.0, 4.0]));
/// # Ok::<(), wengert::Error>(())
/// ```
impl Array {
    /// Returns the element at an index along each axis; a negative index counts from the end. `()` indexes a
    /// scalar.
    ///
    /// # Errors
    /// If it is not of type `T`, if the number of indices differs from the number of axes, or if one is out of
    /// range.
    ///
    /// ```
    /// use wengert::Array;
    ///
    /// let a = Array::from([[1, 2, 3], [4, 5, 6]]);
    /// assert_eq!(a.get::<i32>([1, 0])?, 4);
    /// assert_eq!(a.get::<i32>([-1, -1])?, 6);
    /// assert_eq!(Array::from([7u8, 8]).get::<u8>(1)?, 8);
    /// let error = a.get::<i32>([2, 0]).unwrap_err();
    /// assert!(error.to_string().starts_with("get: [2, 0] is not an index into i32[2,3], at "));
    /// # Ok::<(), wengert::Error>(())
    /// ```
    #[track_caller]
    pub fn get<T: Element>(&self, index: impl Into<Ints>) -> Result<T> {
        let place = self.place("get", &index.into())?;
        Ok(self.elements("get")?[place])
    }

    /// Sets the element at an index along each axis; a negative index counts from the end. An array that shares
    /// its memory with another is copied first; one on a device moves to the host.
    ///
    /// # Errors
    /// As [`Array::get`].
    ///
    /// ```
    /// use wengert::Array;
    ///
    /// let mut a = Array::from([1.0, 2.0]);
    /// a.set(-1, 0.5)?;
    /// assert_eq!(a, Array::from([1.0, 0.5]));
    /// assert!(a.set(2, 0.5).is_err());
    /// # Ok::<(), wengert::Error>(())
    /// ```
    #[track_caller]
    pub fn set<T: Element>(&mut self, index: impl Into<Ints>, x: T) -> Result<()> {
        let place = self.place("set", &index.into())?;
        self.elements_mut("set")?[place] = x;
        Ok(())
    }

    /// Returns the elements, row-major and mutable. An array that shares its memory with another is copied
    /// first; one on a device moves to the host.
    ///
    /// # Errors
    /// If the elements are not of type `T`: nothing is converted.
    ///
    /// ```
    /// use wengert::Array;
    ///
    /// let mut a = Array::from([3.0, 1.0, 2.0]);
    /// a.as_mut_slice::<f64>()?.sort_by(f64::total_cmp);
    /// assert_eq!(a, Array::from([1.0, 2.0, 3.0]));
    /// # Ok::<(), wengert::Error>(())
    /// ```
    #[track_caller]
    pub fn as_mut_slice<T: Element>(&mut self) -> Result<&mut [T]> {
        self.elements_mut("as_mut_slice")
    }

    /// Iterates over the elements, row-major.
    ///
    /// # Errors
    /// If the elements are not of type `T`: nothing is converted.
    ///
    /// ```
    /// use wengert::Array;
    ///
    /// let a = Array::from([[1.0, 2.0], [3.0, 4.0]]);
    /// assert_eq!(a.iter::<f64>()?.fold(0.0, f64::max), 4.0);
    /// for (i, x) in a.iter::<f64>()?.enumerate() {
    ///     assert_eq!(x, i as f64 + 1.0);
    /// }
    /// # Ok::<(), wengert::Error>(())
    /// ```
    #[track_caller]
    pub fn iter<T: Element>(&self) -> Result<std::iter::Copied<std::slice::Iter<'_, T>>> {
        Ok(self.elements::<T>("iter")?.iter().copied())
    }

    /// Reshapes to another shape with equally many elements, in row-major order: `numpy.reshape`. One length
    /// may be -1 and is computed from the others. Nothing is copied.
    ///
    /// # Errors
    /// If the shape has more or fewer elements than the array.
    ///
    /// ```
    /// use wengert::Array;
    ///
    /// let a = Array::from([1, 2, 3, 4, 5, 6]).reshape([2, -1])?;
    /// assert_eq!(a, Array::from([[1, 2, 3], [4, 5, 6]]));
    /// let error = a.reshape([4, -1]).unwrap_err();
    /// assert!(error.to_string().starts_with("reshape: i32[2,3] cannot take the shape [4, -1], at "));
    /// # Ok::<(), wengert::Error>(())
    /// ```
    #[track_caller]
    pub fn reshape(mut self, shape: impl IntoShape) -> Result<Array> {
        let given = shape.lengths().0;
        let open = given.iter().position(|&n| n == -1);
        let others = given.iter().enumerate().filter(|(i, _)| Some(*i) != open);
        let others: Option<Vec<usize>> = others.map(|(_, &n)| usize::try_from(n).ok()).collect();
        let shape = others.and_then(|mut shape| {
            let known = size(&shape)?;
            if let Some(open) = open {
                let left =
                    (known > 0 && self.len().is_multiple_of(known)).then(|| self.len() / known)?;
                shape.insert(open, left);
            }
            (size(&shape) == Some(self.len())).then_some(shape)
        });
        match shape {
            Some(shape) => {
                match &mut self.storage {
                    Storage::Host(dense) => dense.dims = shape.into(),
                    Storage::Device(remote) => {
                        *remote = remote.as_ref().map(|r| r.with_dims(shape.into()));
                    }
                }
                Ok(self)
            }
            None => Err(Error::value(
                "reshape",
                format!("{} cannot take the shape {given:?}", self.ty()),
                here(),
            )),
        }
    }

    /// Returns whether every element is close to that of another array of the same shape: `|self - other| ≤
    /// absolute + relative |other|`, as in `numpy.allclose` (whose defaults are `1e-5` and `1e-8`). Infinities
    /// are close to equal ones only, and a NaN is close to nothing, not even a NaN. Element types may differ;
    /// integers and truth values count as numbers. Arrays of different shapes are not close: nothing is
    /// broadcast.
    ///
    /// ```
    /// use wengert::Array;
    ///
    /// let a = Array::from([0.1 + 0.2, 1.0]);
    /// assert_ne!(a, Array::from([0.3, 1.0]));
    /// assert!(a.all_close(&Array::from([0.3, 1.0]), 1e-12, 0.0));
    /// assert!(!a.all_close(&Array::from([0.3]), 1e-12, 0.0));
    /// let nan = Array::from(f64::NAN);
    /// assert!(!nan.all_close(&nan, 1.0, 1.0));
    /// ```
    #[track_caller]
    pub fn all_close(&self, other: &Array, relative: f64, absolute: f64) -> bool {
        fn reals<T: Element + Real>(v: &[T]) -> Vec<f64> {
            v.iter().map(|&x| x.real()).collect()
        }
        let of = |a: &Array| with_data!(&*a.dense().data, v => reals(v));
        let close = |(x, y): (&f64, &f64)| {
            x == y || (y.is_finite() && (x - y).abs() <= absolute + relative * y.abs())
        };
        self.shape() == other.shape() && of(self).iter().zip(&of(other)).all(close)
    }

    /// Returns the row-major offset of an index along each axis.
    #[track_caller]
    fn place(&self, op: &str, index: &Ints) -> Result<usize> {
        let shape = self.shape();
        let along = |(&i, &n): (&i64, &usize)| match i < 0 {
            true => n.checked_sub(usize::try_from(i.unsigned_abs()).ok()?),
            false => usize::try_from(i).ok().filter(|&i| i < n),
        };
        let step = |place: usize, (i, n): (&i64, &usize)| Some(place * n + along((i, n))?);
        let place = match index.0.len() == shape.len() {
            true => index.0.iter().zip(shape).try_fold(0, step),
            false => None,
        };
        match place {
            Some(place) => Ok(place),
            None => Err(Error::value(
                op,
                format!("{:?} is not an index into {}", index.0, self.ty()),
                here(),
            )),
        }
    }

    /// Returns the elements for writing, in memory that nobody shares.
    #[track_caller]
    fn elements_mut<T: Element>(&mut self, op: &str) -> Result<&mut [T]> {
        self.elements::<T>(op)?;
        self.dense_mut()?;
        if !self.is_unique() {
            let shared = self.elements::<T>(op)?;
            let mut own = vec![];
            reserve(&mut own, shared.len()).map_err(|e| e.error(op, None))?;
            own.extend_from_slice(shared);
            self.dense_mut()?.data = Arc::new(T::wrap(own));
        }
        let data = Arc::get_mut(&mut self.dense_mut()?.data).expect("it has just been made unique");
        Ok(T::slice_mut(data).expect("the type was looked at"))
    }
}

/// An element that converts to `f64`.
trait Real: Copy {
    fn real(self) -> f64;
}
macro_rules! real {
    ($($t:ty: |$x:ident| $real:expr;)*) => {$(
        impl Real for $t {
            fn real(self) -> f64 {
                let $x = self;
                $real
            }
        }
    )*};
}
real! {
    f32: |x| x.into();
    f64: |x| x;
    i32: |x| x.into();
    i64: |x| x as f64;
    u32: |x| x.into();
    u64: |x| x as f64;
    u8: |x| x.into();
    bool: |x| f64::from(u8::from(x));
}
