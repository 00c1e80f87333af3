//! What a value is: an element type and a shape.

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

    /// `f32` or `f64`.
    pub fn is_float(self) -> bool {
        matches!(self, DType::F32 | DType::F64)
    }

    /// A signed or unsigned integer (`bool` is not one).
    pub fn is_int(self) -> bool {
        !self.is_float() && self != DType::Bool
    }

    /// `i32` or `i64`.
    pub fn is_signed_int(self) -> bool {
        matches!(self, DType::I32 | DType::I64)
    }

    /// Bytes an element takes in memory.
    pub fn bytes(self) -> usize {
        match self {
            DType::U8 | DType::Bool => 1,
            DType::F32 | DType::I32 | DType::U32 => 4,
            DType::F64 | DType::I64 | DType::U64 => 8,
        }
    }

    /// The name as Rust writes it.
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

    /// The element type of that name.
    pub fn from_name(name: &str) -> Option<DType> {
        DType::ALL.into_iter().find(|d| d.name() == name)
    }

    /// The type of `self op other`: the same type, the wider of two floats or of two integers of
    /// one signedness, or the number beside a `bool`. `None` where a conversion must be written, to
    /// [`DType::meeting`], say. Nothing is ever narrowed.
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

    /// A type to convert to, of two that are not promoted: the float of an integer and a float, the
    /// signed one of two integers, in 64 bits.
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
    /// Known only when it runs: what a loop of unknown length piled up, row by row.
    Run,
}

/// Known lengths of axes. A few are in place, so that an array is cloned without an allocation.
pub type Dims = SmallVec<[usize; 4]>;

/// How many axes an array has at most, as in NumPy: what handles them takes time and memory that grow
/// with a power of their number.
pub const MAX_RANK: usize = 64;

/// The number of elements of an array of those lengths; the largest number where there are more.
pub fn elements(dims: &[usize]) -> usize {
    // A length of zero leaves nothing, however long the other axes are.
    match dims.contains(&0) {
        true => 0,
        false => dims.iter().fold(1, |n, &d| n.saturating_mul(d)),
    }
}

/// The lengths of all axes, outermost first. Empty for a scalar.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Default)]
pub struct Shape(pub SmallVec<[Dim; 4]>);

impl Shape {
    /// A shape of known lengths.
    pub fn new(dims: &[usize]) -> Shape {
        Shape(dims.iter().map(|&n| Dim::N(n)).collect())
    }

    /// The number of axes.
    pub fn rank(&self) -> usize {
        self.0.len()
    }

    /// Whether some length is known only at run time.
    pub fn has_run(&self) -> bool {
        self.0.contains(&Dim::Run)
    }

    /// The lengths, where all are known.
    pub fn known(&self) -> Option<Vec<usize>> {
        self.0
            .iter()
            .map(|d| match d {
                Dim::N(n) => Some(*n),
                Dim::Run => None,
            })
            .collect()
    }

    /// The lengths of a shape without run-time axes.
    ///
    /// # Panics
    /// If a length is known only at run time; the type rules keep such shapes away from callers.
    pub fn dims(&self) -> Vec<usize> {
        self.known().expect("a shape whose lengths are all known")
    }

    /// The same, in place where they are few.
    pub fn lengths(&self) -> Dims {
        let known = |d: &Dim| match d {
            Dim::N(n) => *n,
            Dim::Run => panic!("a shape whose lengths are all known"),
        };
        self.0.iter().map(known).collect()
    }

    /// The number of elements of a shape without run-time axes. Where that is not a `usize`, it is the
    /// largest one: there is memory for neither.
    pub fn size(&self) -> usize {
        elements(&self.lengths())
    }

    /// Where a batch axis goes: behind the last run-time axis, so that rows can still be piled up
    /// one at a time; in front where there is none.
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

/// The type of a value: what its elements are, and how many along each axis.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Type {
    /// The element type.
    pub dtype: DType,
    /// The lengths of the axes.
    pub shape: Shape,
}

impl Type {
    /// An array of known lengths.
    pub fn new(dtype: DType, dims: &[usize]) -> Type {
        Type {
            dtype,
            shape: Shape::new(dims),
        }
    }

    /// A scalar.
    pub fn scalar(dtype: DType) -> Type {
        Type::new(dtype, &[])
    }

    /// The number of axes.
    pub fn rank(&self) -> usize {
        self.shape.rank()
    }

    /// Whether derivatives flow through values of this type.
    pub fn is_float(&self) -> bool {
        self.dtype.is_float()
    }

    /// The lengths of a type without run-time axes (see [`Shape::dims`]).
    pub fn dims(&self) -> Vec<usize> {
        self.shape.dims()
    }

    /// The number of elements (see [`Shape::size`]).
    pub fn size(&self) -> usize {
        self.shape.size()
    }

    /// Whether some axis has length zero: then there is no element, and nothing to compute.
    pub fn is_empty(&self) -> bool {
        self.shape.0.contains(&Dim::N(0))
    }

    /// Whether memory can be addressed for so many elements, axes of run-time length apart. Axes of
    /// length zero are passed over, so that this also holds without any of them, as in the result
    /// of a sum along one.
    pub fn is_addressable(&self) -> bool {
        let mut known = self.shape.0.iter().filter_map(|d| match d {
            Dim::N(n) => Some((*n).max(1)),
            Dim::Run => None,
        });
        let bytes = known.try_fold(self.dtype.bytes(), usize::checked_mul);
        bytes.is_some_and(|b| b <= isize::MAX as usize)
    }

    /// Says that there is no address for each of its elements, or that it has too many axes.
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

    /// The same shape with another element type.
    pub fn with_dtype(&self, dtype: DType) -> Type {
        Type {
            dtype,
            shape: self.shape.clone(),
        }
    }

    /// The same element type with other lengths.
    pub fn with_dims(&self, dims: &[usize]) -> Type {
        Type::new(self.dtype, dims)
    }

    /// `n` of these, one after the other along a new first axis.
    pub fn stacked(&self, n: Dim) -> Type {
        self.with_axis(0, n)
    }

    /// One row along the first axis.
    pub fn row(&self) -> Type {
        self.without_axis(0)
    }

    /// A new axis of length `n` in front of axis `at`.
    pub fn with_axis(&self, at: usize, n: Dim) -> Type {
        let mut t = self.clone();
        t.shape.0.insert(at, n);
        t
    }

    /// Without axis `at`.
    pub fn without_axis(&self, at: usize) -> Type {
        let mut t = self.clone();
        t.shape.0.remove(at);
        t
    }

    /// With a batch axis of `n` where batch axes go (see [`Shape::batch_axis`]).
    pub fn batched(&self, n: usize) -> Type {
        self.with_axis(self.shape.batch_axis(), Dim::N(n))
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.dtype, self.shape)
    }
}

/// A mistake that a type rule found: which types, what is wrong, and what to do instead. The
/// operation and the place are added where it is recorded.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TypeError {
    /// What is wrong, the types included.
    pub message: String,
    /// What to do instead, where that is known.
    pub hint: Option<String>,
}

impl TypeError {
    /// Says what is wrong.
    pub fn new(message: impl Into<String>) -> TypeError {
        TypeError {
            message: message.into(),
            hint: None,
        }
    }

    /// Says what to do instead.
    pub fn hint(mut self, hint: impl Into<String>) -> TypeError {
        self.hint = Some(hint.into());
        self
    }
}
