//! The notations for axes, parts and indices in the arguments of array methods.

use std::ops::{Range, RangeFrom, RangeFull, RangeInclusive, RangeTo, RangeToInclusive};

use crate::trace::Var;

pub(super) mod sealed {
    /// Rust's integer types.
    pub trait Whole: Copy {
        fn whole(self) -> i64;
    }
    /// Rust's ranges of integers.
    pub trait Range {
        fn span(self) -> super::Span;
    }
    /// One part of an index expression.
    pub trait OnePart {
        fn part(self) -> super::Part;
    }
}
use sealed::{OnePart, Range as _, Whole};

macro_rules! whole {
    ($($t:ty)*) => {$(
        impl Whole for $t {
            fn whole(self) -> i64 {
                // A number that does not fit is out of every range, and so is the largest.
                i64::try_from(self).unwrap_or(i64::MAX)
            }
        }
        impl OnePart for $t {
            fn part(self) -> Part {
                Part::At(self.whole())
            }
        }
    )*};
}
whole!(i8 i16 i32 i64 isize u8 u16 u32 u64 usize);

/// Several axes, or an index along each of several axes: an integer of any Rust type, an array, a slice or a vector of
/// integers; `()` for none. A tuple may mix types: `(-1, n)` with `n: usize`. (For the notation of shapes see
/// [`IntoShape`](crate::trace::IntoShape).)
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Ints(pub Vec<i64>);

impl<T: Whole> From<T> for Ints {
    fn from(one: T) -> Ints {
        Ints(vec![one.whole()])
    }
}
impl<T: Whole, const N: usize> From<[T; N]> for Ints {
    fn from(all: [T; N]) -> Ints {
        Ints::from(&all[..])
    }
}
impl<T: Whole, const N: usize> From<&[T; N]> for Ints {
    fn from(all: &[T; N]) -> Ints {
        Ints::from(&all[..])
    }
}
impl<T: Whole> From<&[T]> for Ints {
    fn from(all: &[T]) -> Ints {
        Ints(all.iter().map(|i| i.whole()).collect())
    }
}
impl<T: Whole> From<Vec<T>> for Ints {
    fn from(all: Vec<T>) -> Ints {
        Ints::from(&all[..])
    }
}
impl<T: Whole> From<&Vec<T>> for Ints {
    fn from(all: &Vec<T>) -> Ints {
        Ints::from(&all[..])
    }
}
impl From<Axis> for Ints {
    fn from(Axis(axis): Axis) -> Ints {
        Ints(vec![axis])
    }
}
impl From<()> for Ints {
    fn from((): ()) -> Ints {
        Ints::default()
    }
}

macro_rules! lengths {
    ($(($($t:ident)*))*) => {$(
        impl<$($t: Whole),*> From<($($t,)*)> for Ints {
            #[allow(non_snake_case)]
            fn from(($($t,)*): ($($t,)*)) -> Ints {
                Ints(vec![$($t.whole()),*])
            }
        }
    )*};
}
lengths!((A) (A B) (A B C) (A B C D) (A B C D E) (A B C D E F));

/// The widths of a padding: for each axis, the numbers of elements before and after. An array, a
/// slice or a vector of pairs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Widths(pub Vec<(usize, usize)>);

impl<const N: usize> From<[(usize, usize); N]> for Widths {
    fn from(widths: [(usize, usize); N]) -> Widths {
        Widths(widths.to_vec())
    }
}
impl<const N: usize> From<&[(usize, usize); N]> for Widths {
    fn from(widths: &[(usize, usize); N]) -> Widths {
        Widths(widths.to_vec())
    }
}
impl From<&[(usize, usize)]> for Widths {
    fn from(widths: &[(usize, usize)]) -> Widths {
        Widths(widths.to_vec())
    }
}
impl From<Vec<(usize, usize)>> for Widths {
    fn from(widths: Vec<(usize, usize)>) -> Widths {
        Widths(widths)
    }
}
impl From<&Vec<(usize, usize)>> for Widths {
    fn from(widths: &Vec<(usize, usize)>) -> Widths {
        Widths(widths.clone())
    }
}

/// The axes of a reduction: an integer, an array, a slice or a vector of integers, or `..` for all. They
/// are removed; [`keep`] keeps them with length 1.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Along {
    /// The axes; `None` for all.
    pub(crate) which: Option<Ints>,
    /// Whether the axes are kept with length 1.
    pub(crate) keep: bool,
}

impl Along {
    /// Returns the axes as they were given; `None` for all.
    #[doc(hidden)]
    pub fn axes(&self) -> Option<&[i64]> {
        self.which.as_ref().map(|which| &which.0[..])
    }
}

impl<T: Into<Ints>> From<T> for Along {
    fn from(which: T) -> Along {
        Along {
            which: Some(which.into()),
            keep: false,
        }
    }
}
impl From<RangeFull> for Along {
    fn from(_: RangeFull) -> Along {
        Along {
            which: None,
            keep: false,
        }
    }
}

/// Keeps the reduced axes with length 1, so that the result broadcasts with the operand:
/// `keepdims=True` of NumPy.
///
/// ```
/// use wengert::prelude::*;
///
/// let shares = jit(|x: Var| x / x.sum_axis(keep(1)));
/// assert_eq!(shares.call([[1.0, 3.0], [2.0, 2.0]])?.to_vec::<f64>()?, [0.25, 0.75, 0.5, 0.5]);
/// # Ok::<(), wengert::Error>(())
/// ```
pub fn keep(axes: impl Into<Along>) -> Along {
    Along {
        keep: true,
        ..axes.into()
    }
}

/// One axis, counted from the end if negative.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Axis(pub i64);

impl<T: Whole> From<T> for Axis {
    fn from(axis: T) -> Axis {
        Axis(axis.whole())
    }
}

/// Evenly spaced integers: `5` for those below 5, `2..5` for a range, and
/// `(9, 0, -4)` for the first number, the excluded end, and the step, which counts down if it is
/// negative.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Count {
    /// The first number.
    pub start: i64,
    /// The end, which is excluded.
    pub end: i64,
    /// The step; not zero.
    pub step: i64,
}

impl<T: Whole> From<T> for Count {
    fn from(end: T) -> Count {
        Count::from(0..end.whole())
    }
}
impl<T: Whole> From<Range<T>> for Count {
    fn from(range: Range<T>) -> Count {
        Count {
            start: range.start.whole(),
            end: range.end.whole(),
            step: 1,
        }
    }
}
impl<T: Whole> From<(T, T, T)> for Count {
    fn from((start, end, step): (T, T, T)) -> Count {
        Count {
            start: start.whole(),
            end: end.whole(),
            step: step.whole(),
        }
    }
}

/// Pairs of axes of two arrays: a list of pairs, or a number for the last axes of the first
/// array and the first axes of the second.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Pairs {
    /// The last axes of the first array with as many first axes of the second.
    Neighbours(usize),
    /// The given pairs.
    List(Vec<(Axis, Axis)>),
}

impl From<usize> for Pairs {
    fn from(n: usize) -> Pairs {
        Pairs::Neighbours(n)
    }
}
impl<T: Whole> From<&[(T, T)]> for Pairs {
    fn from(pairs: &[(T, T)]) -> Pairs {
        Pairs::List(pairs.iter().map(|&(a, b)| (a.into(), b.into())).collect())
    }
}
impl<T: Whole, const N: usize> From<[(T, T); N]> for Pairs {
    fn from(pairs: [(T, T); N]) -> Pairs {
        Pairs::from(&pairs[..])
    }
}
impl<T: Whole, const N: usize> From<&[(T, T); N]> for Pairs {
    fn from(pairs: &[(T, T); N]) -> Pairs {
        Pairs::from(&pairs[..])
    }
}
impl<T: Whole> From<&Vec<(T, T)>> for Pairs {
    fn from(pairs: &Vec<(T, T)>) -> Pairs {
        Pairs::from(&pairs[..])
    }
}

/// A part of an axis: one of Rust's ranges, whose ends count from the end of the axis if they are
/// negative; or every `step`-th element of a range, `Span::from(1..).by(2)`. A negative step counts down from
/// the start, by default the last element: `s![8..2;-2]` is of elements 8, 6 and 4.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Span {
    /// The first element; by default the first of the axis, or the last if the step is negative.
    pub start: Option<i64>,
    /// The end, which is excluded unless `closed`; by default the steps go on to the border of the axis.
    pub end: Option<i64>,
    /// Whether the end is included if a step reaches it.
    pub closed: bool,
    /// The step; not zero.
    pub step: i64,
}

/// The places of an axis that a [`Span`] selects.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StridedRange {
    /// The lowest place.
    pub start: usize,
    /// The place after the highest.
    pub limit: usize,
    /// The distance between places.
    pub step: usize,
    /// Whether the order is from the highest place to the lowest.
    pub down: bool,
}

impl Span {
    /// Takes every `step`-th element of the part, from its start; downwards if the step is negative.
    pub fn by(self, step: impl Whole) -> Span {
        let step = step.whole();
        Span { step, ..self }
    }

    fn new(start: Option<i64>, end: Option<i64>, closed: bool) -> Span {
        Span {
            start,
            end,
            closed,
            step: 1,
        }
    }

    /// Returns the places in an axis of `n` elements, if the part lies within it.
    pub(crate) fn of(self, n: usize) -> Option<StridedRange> {
        // Borders lie between places: the border below a place has the place's number, the one above it the next.
        let border = |i: i64, above: bool| {
            let place = match i < 0 {
                true => n.checked_sub(i.unsigned_abs() as usize)?,
                false => i as usize,
            };
            place.checked_add(usize::from(above))
        };
        let step = self.step.unsigned_abs() as usize;
        let down = self.step < 0;
        let (low, high) = match down {
            true => (self.end, self.start),
            false => (self.start, self.end),
        };
        let start = low.map_or(Some(0), |i| border(i, down && !self.closed))?;
        let limit = high.map_or(Some(n), |i| border(i, down || self.closed))?;
        if start > limit || limit > n || step == 0 {
            return None;
        }
        // Downward steps are counted from the highest place.
        let rest = if down && limit > start {
            (limit - start - 1) % step
        } else {
            0
        };
        Some(StridedRange {
            start: start + rest,
            limit,
            step,
            down,
        })
    }
}

impl std::fmt::Display for Span {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(start) = self.start {
            write!(f, "{start}")?;
        }
        f.write_str(if self.closed { "..=" } else { ".." })?;
        if let Some(end) = self.end {
            write!(f, "{end}")?;
        }
        match self.step {
            1 => Ok(()),
            n => write!(f, " by {n}"),
        }
    }
}

impl OnePart for Span {
    fn part(self) -> Part {
        Part::Span(self)
    }
}
impl sealed::Range for RangeFull {
    fn span(self) -> Span {
        Span::new(None, None, false)
    }
}
impl<T: Whole> sealed::Range for Range<T> {
    fn span(self) -> Span {
        Span::new(Some(self.start.whole()), Some(self.end.whole()), false)
    }
}
impl<T: Whole> sealed::Range for RangeFrom<T> {
    fn span(self) -> Span {
        Span::new(Some(self.start.whole()), None, false)
    }
}
impl<T: Whole> sealed::Range for RangeTo<T> {
    fn span(self) -> Span {
        Span::new(None, Some(self.end.whole()), false)
    }
}
impl<T: Whole> sealed::Range for RangeInclusive<T> {
    fn span(self) -> Span {
        Span::new(Some(self.start().whole()), Some(self.end().whole()), true)
    }
}
impl<T: Whole> sealed::Range for RangeToInclusive<T> {
    fn span(self) -> Span {
        Span::new(None, Some(self.end.whole()), true)
    }
}

macro_rules! ranges {
    ($($range:ty)*) => {$(
        impl<T: Whole> From<$range> for Span {
            fn from(range: $range) -> Span {
                range.span()
            }
        }
        impl<T: Whole> OnePart for $range {
            fn part(self) -> Part {
                Part::Span(self.span())
            }
        }
    )*};
}
ranges!(Range<T> RangeFrom<T> RangeTo<T> RangeInclusive<T> RangeToInclusive<T>);

impl From<RangeFull> for Span {
    fn from(range: RangeFull) -> Span {
        range.span()
    }
}
impl OnePart for RangeFull {
    fn part(self) -> Part {
        Part::Span(self.span())
    }
}

/// A part of an index expression: places along an axis, or a new axis.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Part {
    /// A range of places.
    Span(Span),
    /// One place that is known while tracing, counted from the end if negative; the axis is removed.
    At(i64),
    /// The places at the indices in an array of integers, whose axes replace the axis. A scalar index has no axes.
    Traced(Var),
    /// A new axis of length 1.
    NewAxis,
    /// All of the axes that no other part refers to.
    Ellipsis,
}

/// The part of an index expression that inserts a new axis of length 1.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NewAxis;

impl OnePart for NewAxis {
    fn part(self) -> Part {
        Part::NewAxis
    }
}
impl OnePart for Part {
    fn part(self) -> Part {
        self
    }
}
impl OnePart for Var {
    fn part(self) -> Part {
        Part::Traced(self)
    }
}
impl OnePart for &Var {
    fn part(self) -> Part {
        Part::Traced(*self)
    }
}

impl Part {
    /// Converts a range, an integer, a `Var` or a new axis to a part.
    pub fn of(part: impl OnePart) -> Part {
        part.part()
    }
}

/// An index expression: the parts for the first axes, or with an ellipsis, for all axes.
/// Written as one part, as a tuple, an array or a vector of parts, or with [`s!`](crate::s).
#[derive(Clone, Debug)]
pub struct Parts(pub Vec<Part>);

impl<P: OnePart> From<P> for Parts {
    fn from(one: P) -> Parts {
        Parts(vec![one.part()])
    }
}
impl<P: OnePart, const N: usize> From<[P; N]> for Parts {
    fn from(all: [P; N]) -> Parts {
        Parts(all.into_iter().map(P::part).collect())
    }
}
impl<P: OnePart> From<Vec<P>> for Parts {
    fn from(all: Vec<P>) -> Parts {
        Parts(all.into_iter().map(P::part).collect())
    }
}
impl From<()> for Parts {
    fn from((): ()) -> Parts {
        Parts(vec![])
    }
}

macro_rules! tuples {
    ($(($($p:ident)*))*) => {$(
        impl<$($p: OnePart),*> From<($($p,)*)> for Parts {
            #[allow(non_snake_case)]
            fn from(($($p,)*): ($($p,)*)) -> Parts {
                Parts(vec![$($p.part()),*])
            }
        }
    )*};
}
tuples!((A) (A B) (A B C) (A B C D) (A B C D E) (A B C D E F));

/// Builds an index expression, as NumPy writes it between brackets.
///
/// | part | means |
/// |---|---|
/// | `3`, `-1` | one place, counted from the end if negative; the axis is removed |
/// | `1..4`, `..-1`, `2..`, `..=5` | a range of places, whose ends count from the end if negative |
/// | `..` | all of an axis |
/// | `1..9;2`, `..;3` | every second, every third place of a range |
/// | `..;-1`, `8..2;-2` | downwards: all from the last to the first; 8, 6, 4 |
/// | `i` | a [`Var`] of integers: one place, or one for each element of an array |
/// | `...` | all of the axes that no other part refers to |
/// | `NewAxis` | a new axis of length 1 |
///
/// ```
/// use wengert::prelude::*;
///
/// let f = jit(|x: Var| (x.at(s![0, ..]), x.at(s![.., -1]), x.at(s![..;-1, 0]), x.at(s![NewAxis, 1, 0..2])));
/// let (row, column, up, part) = f.call([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])?;
/// assert_eq!(row.to_vec::<f64>()?, [1.0, 2.0, 3.0]);
/// assert_eq!(column.to_vec::<f64>()?, [3.0, 6.0]);
/// assert_eq!(up.to_vec::<f64>()?, [4.0, 1.0]);
/// assert_eq!((part.shape(), part.to_vec::<f64>()?), (&[1, 2][..], vec![4.0, 5.0]));
/// # Ok::<(), wengert::Error>(())
/// ```
#[macro_export]
macro_rules! s {
    (@ [$($done:expr,)*]) => {
        $crate::trace::Parts(vec![$($done),*])
    };
    (@ [$($done:expr,)*] ... $(, $($rest:tt)*)?) => {
        $crate::s!(@ [$($done,)* $crate::trace::Part::Ellipsis,] $($($rest)*)?)
    };
    (@ [$($done:expr,)*] $range:expr; $step:expr $(, $($rest:tt)*)?) => {
        $crate::s!(
            @ [
                $($done,)*
                {
                    // With a negative step, `8..2` is not empty.
                    #[allow(clippy::reversed_empty_ranges)]
                    let span = $crate::trace::Span::from($range);
                    $crate::trace::Part::Span(span.by($step))
                },
            ]
            $($($rest)*)?
        )
    };
    (@ [$($done:expr,)*] $part:expr $(, $($rest:tt)*)?) => {
        $crate::s!(@ [$($done,)* $crate::trace::Part::of($part),] $($($rest)*)?)
    };
    ($($parts:tt)*) => {
        $crate::s!(@ [] $($parts)*)
    };
}
