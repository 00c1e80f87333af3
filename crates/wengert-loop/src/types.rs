//! Types of values: an element type and a shape.

use std::fmt;

use smallvec::SmallVec;

/// The element type of an array.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum DType {
    /// IEEE 754 binary32.
    F32,
    /// IEEE 754 binary64: the default for real numbers.
    F64,
    /// Two's complement, 32 bits, wrapping.
    I32,
    /// Two's complement, 64 bits, wrapping: the default for integers.
    I64,
    /// Unsigned, 32 bits, wrapping.
    U32,
    /// Unsigned, 64 bits, wrapping.
    U64,
    /// Unsigned, 8 bits, wrapping.
    U8,
    /// A truth value; one byte in memory, 0 or 1.
    Bool,
}

impl DType {
    /// Every element type.
    pub const ALL: [DType; 8] = [
        DType::F32,
        DType::F64,
        DType::I32,
        DType::I64,
        DType::U32,
        DType::U64,
        DType::U8,
        DType::Bool,
    ];

    /// Returns whether it is `f32` or `f64`.
    pub fn is_float(self) -> bool {
        matches!(self, DType::F32 | DType::F64)
    }

    /// Returns whether it is a signed or unsigned integer (`bool` is not one).
    pub fn is_int(self) -> bool {
        !self.is_float() && self != DType::Bool
    }

    /// Returns whether it is `i32` or `i64`.
    pub fn is_signed_int(self) -> bool {
        matches!(self, DType::I32 | DType::I64)
    }

    /// Returns the bytes of an element in memory.
    #[inline]
    pub fn bytes(self) -> usize {
        match self {
            DType::U8 | DType::Bool => 1,
            DType::F32 | DType::I32 | DType::U32 => 4,
            DType::F64 | DType::I64 | DType::U64 => 8,
        }
    }

    /// Returns the name as Rust writes it.
    pub fn name(self) -> &'static str {
        match self {
            DType::F32 => "f32",
            DType::F64 => "f64",
            DType::I32 => "i32",
            DType::I64 => "i64",
            DType::U32 => "u32",
            DType::U64 => "u64",
            DType::U8 => "u8",
            DType::Bool => "bool",
        }
    }

    /// Returns the element type with this name.
    pub fn from_name(name: &str) -> Option<DType> {
        DType::ALL.into_iter().find(|d| d.name() == name)
    }

    /// Returns the type of `self op other`: the same type, the wider of two floats or of two integers of one
    /// signedness, or the number type beside a `bool`. Returns `None` where an explicit conversion is needed,
    /// for example to [`DType::meeting`]. Nothing is ever narrowed.
    pub fn promote(self, other: DType) -> Option<DType> {
        use DType::*;
        match (self, other) {
            (a, b) if a == b => Some(a),
            (Bool, n) | (n, Bool) => Some(n),
            (F32, F64) | (F64, F32) => Some(F64),
            (I32, I64) | (I64, I32) => Some(I64),
            (U8, U32) | (U32, U8) => Some(U32),
            (U8 | U32, U64) | (U64, U8 | U32) => Some(U64),
            _ => None,
        }
    }

    /// Suggests a type to convert to for two types that are not promoted: the float of an integer and a float,
    /// the signed one of two integers, in 64 bits.
    pub fn meeting(self, other: DType) -> DType {
        match (self.is_float(), other.is_float()) {
            (true, _) => self,
            (_, true) => other,
            _ => DType::I64,
        }
    }
}

impl fmt::Display for DType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The length of one axis.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Dim {
    /// Known when traced.
    N(usize),
    /// Known only at run time: the number of rows that a loop of unknown length stacked.
    Run,
}

/// Known lengths of axes. A few are stored inline, so that cloning an array does not allocate.
pub type Dims = SmallVec<[usize; 4]>;

/// Limit on the number of axes, as in NumPy: algorithms on shapes take time and memory polynomial in it.
pub const MAX_RANK: usize = 64;

/// Returns the number of elements of an array with these lengths, saturating at the largest number.
#[inline]
pub fn elements(dims: &[usize]) -> usize {
    // A zero length makes the array empty, however long the other axes are.
    match dims.contains(&0) {
        true => 0,
        false => dims.iter().fold(1, |n, &d| n.saturating_mul(d)),
    }
}

/// The lengths of all axes, outermost first. Empty for a scalar.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Default)]
pub struct Shape(pub SmallVec<[Dim; 4]>);

impl Shape {
    /// Makes a shape of known lengths.
    pub fn new(dims: &[usize]) -> Shape {
        Shape(dims.iter().map(|&n| Dim::N(n)).collect())
    }

    /// Returns the number of axes.
    pub fn rank(&self) -> usize {
        self.0.len()
    }

    /// Returns whether some length is known only at run time.
    pub fn has_run(&self) -> bool {
        self.0.contains(&Dim::Run)
    }

    /// Returns the lengths, if all are known.
    pub fn known(&self) -> Option<Vec<usize>> {
        self.0
            .iter()
            .map(|d| match d {
                Dim::N(n) => Some(*n),
                Dim::Run => None,
            })
            .collect()
    }

    /// Returns the lengths of a shape without run-time axes.
    ///
    /// # Panics
    /// If a length is known only at run time; the type rules exclude this.
    pub fn dims(&self) -> Vec<usize> {
        self.known().expect("a shape whose lengths are all known")
    }

    /// Returns the lengths of a shape without run-time axes, inline if they are few.
    pub fn lengths(&self) -> Dims {
        let known = |d: &Dim| match d {
            Dim::N(n) => *n,
            Dim::Run => panic!("a shape whose lengths are all known"),
        };
        self.0.iter().map(known).collect()
    }

    /// Returns the number of elements of a shape without run-time axes, saturating at `usize::MAX`: there is
    /// memory for neither.
    pub fn size(&self) -> usize {
        elements(&self.lengths())
    }

    /// Returns the position of a batch axis: after the last run-time axis, so that rows can still be appended
    /// one at a time; first if there is none.
    pub fn batch_axis(&self) -> usize {
        self.0
            .iter()
            .rposition(|d| *d == Dim::Run)
            .map_or(0, |i| i + 1)
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return Ok(());
        }
        f.write_str("[")?;
        for (i, d) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str(",")?;
            }
            match d {
                Dim::N(n) => write!(f, "{n}")?,
                Dim::Run => f.write_str("?")?,
            }
        }
        f.write_str("]")
    }
}

/// The type of a value: its element type and the lengths of its axes.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Type {
    /// The element type.
    pub dtype: DType,
    /// The lengths of the axes.
    pub shape: Shape,
}

impl Type {
    /// Makes an array type of known lengths.
    pub fn new(dtype: DType, dims: &[usize]) -> Type {
        Type {
            dtype,
            shape: Shape::new(dims),
        }
    }

    /// Makes a scalar type.
    pub fn scalar(dtype: DType) -> Type {
        Type::new(dtype, &[])
    }

    /// Returns the number of axes.
    pub fn rank(&self) -> usize {
        self.shape.rank()
    }

    /// Returns whether derivatives flow through values of this type.
    pub fn is_float(&self) -> bool {
        self.dtype.is_float()
    }

    /// Returns the lengths of a type without run-time axes (see [`Shape::dims`]).
    pub fn dims(&self) -> Vec<usize> {
        self.shape.dims()
    }

    /// Returns the number of elements (see [`Shape::size`]).
    pub fn size(&self) -> usize {
        self.shape.size()
    }

    /// Returns whether some axis has length zero: then there are no elements, and nothing to compute.
    pub fn is_empty(&self) -> bool {
        self.shape.0.contains(&Dim::N(0))
    }

    /// Returns whether the elements can be addressed, ignoring axes of run-time length. Axes of length zero are
    /// ignored, too, so that the answer also holds without any of the axes, as for the result of a sum along
    /// one.
    pub fn is_addressable(&self) -> bool {
        let mut known = self.shape.0.iter().filter_map(|d| match d {
            Dim::N(n) => Some((*n).max(1)),
            Dim::Run => None,
        });
        let bytes = known.try_fold(self.dtype.bytes(), usize::checked_mul);
        bytes.is_some_and(|b| b <= isize::MAX as usize)
    }

    /// Returns an error if the elements cannot be addressed or there are too many axes.
    pub fn check_size(&self) -> Result<(), TypeError> {
        if self.rank() > MAX_RANK {
            let message = format!("an array has at most {MAX_RANK} axes, not {}", self.rank());
            return Err(TypeError::new(message));
        }
        match self.is_addressable() {
            true => Ok(()),
            false => {
                let message = format!("{self} is larger than memory can be");
                Err(TypeError::new(message))
            }
        }
    }

    /// Returns the same shape with another element type.
    pub fn with_dtype(&self, dtype: DType) -> Type {
        Type {
            dtype,
            shape: self.shape.clone(),
        }
    }

    /// Returns the same element type with other lengths.
    pub fn with_dims(&self, dims: &[usize]) -> Type {
        Type::new(self.dtype, dims)
    }

    /// Adds a first axis of length `n`.
    pub fn stacked(&self, n: Dim) -> Type {
        self.with_axis(0, n)
    }

    /// Removes the first axis.
    pub fn row(&self) -> Type {
        self.without_axis(0)
    }

    /// Inserts an axis of length `n` before axis `at`.
    pub fn with_axis(&self, at: usize, n: Dim) -> Type {
        let mut t = self.clone();
        t.shape.0.insert(at, n);
        t
    }

    /// Removes axis `at`.
    pub fn without_axis(&self, at: usize) -> Type {
        let mut t = self.clone();
        t.shape.0.remove(at);
        t
    }

    /// Inserts a batch axis of length `n` at [`Shape::batch_axis`].
    pub fn batched(&self, n: usize) -> Type {
        self.with_axis(self.shape.batch_axis(), Dim::N(n))
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.dtype, self.shape)
    }
}

/// An error of a type rule: what is wrong, including the types, and what to do instead. The operation and the
/// place are added where it is recorded.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TypeError {
    /// The message, including the types.
    pub message: String,
    /// The suggestion, if there is one.
    pub hint: Option<String>,
}

impl TypeError {
    /// Makes an error with this message.
    pub fn new(message: impl Into<String>) -> TypeError {
        TypeError {
            message: message.into(),
            hint: None,
        }
    }

    /// Adds a suggestion.
    pub fn hint(mut self, hint: impl Into<String>) -> TypeError {
        self.hint = Some(hint.into());
        self
    }
}
