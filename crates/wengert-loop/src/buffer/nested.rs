//! Rust's arrays and vectors of numbers, nested to any depth.

use super::{Dense, Element};
use crate::error::TypeError;

mod sealed {
    pub trait Nested {}
}

/// A number, a truth value, or Rust's arrays, vectors and slices of them, nested to any depth: `[[f64; 2]; 3]`,
/// `Vec<[f64; 2]>`, `Vec<Vec<f64>>`. Nested vectors must have rows of one length. The trait is sealed.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a number, nor arrays or vectors of numbers",
    note = "the elements of an array are `f64`, `f32`, `i64`, `i32`, `u64`, `u32`, `u8` or `bool`"
)]
pub trait Nested: sealed::Nested + Clone {
    /// The element type at the innermost level.
    type Element: Element;
    /// Whether the type alone guarantees that all values have one shape.
    #[doc(hidden)]
    const EVEN: bool;
    /// Appends the lengths of a value's axes; without a value, those that the type determines.
    #[doc(hidden)]
    fn push_shape(value: Option<&Self>, shape: &mut Vec<usize>);
    /// Returns whether the axes have these lengths.
    #[doc(hidden)]
    fn has_shape(&self, shape: &[usize]) -> bool;
    /// Concatenates values to a vector of elements.
    #[doc(hidden)]
    fn concat(values: Vec<Self>) -> Vec<Self::Element>;
}

impl<A: Nested, const N: usize> sealed::Nested for [A; N] {}
impl<A: Nested, const N: usize> Nested for [A; N] {
    type Element = A::Element;
    const EVEN: bool = A::EVEN;
    fn push_shape(value: Option<&Self>, shape: &mut Vec<usize>) {
        shape.push(N);
        A::push_shape(value.and_then(|v| v.first()), shape);
    }
    fn has_shape(&self, shape: &[usize]) -> bool {
        A::EVEN || fits(self, shape)
    }
    fn concat(values: Vec<Self>) -> Vec<A::Element> {
        A::concat(values.into_iter().flatten().collect())
    }
}

impl<A: Nested> sealed::Nested for Vec<A> {}
impl<A: Nested> Nested for Vec<A> {
    type Element = A::Element;
    const EVEN: bool = false;
    fn push_shape(value: Option<&Self>, shape: &mut Vec<usize>) {
        <&[A]>::push_shape(value.map(|v| &v[..]).as_ref(), shape);
    }
    fn has_shape(&self, shape: &[usize]) -> bool {
        fits(self, shape)
    }
    fn concat(values: Vec<Self>) -> Vec<A::Element> {
        A::concat(values.into_iter().flatten().collect())
    }
}

impl<A: Nested> sealed::Nested for &[A] {}
impl<A: Nested> Nested for &[A] {
    type Element = A::Element;
    const EVEN: bool = false;
    fn push_shape(value: Option<&Self>, shape: &mut Vec<usize>) {
        shape.push(value.map_or(0, |v| v.len()));
        A::push_shape(value.and_then(|v| v.first()), shape);
    }
    fn has_shape(&self, shape: &[usize]) -> bool {
        fits(self, shape)
    }
    fn concat(values: Vec<Self>) -> Vec<A::Element> {
        A::concat(values.into_iter().flatten().cloned().collect())
    }
}

/// Returns whether the number of rows and the shape of each row match.
fn fits<A: Nested>(rows: &[A], shape: &[usize]) -> bool {
    let Some((n, row)) = shape.split_first() else {
        return false;
    };
    rows.len() == *n && (A::EVEN || rows.iter().all(|r| r.has_shape(row)))
}

macro_rules! scalars {
    ($($t:ty)*) => {$(
        impl sealed::Nested for $t {}
        impl Nested for $t {
            type Element = $t;
            const EVEN: bool = true;
            fn push_shape(_: Option<&$t>, _: &mut Vec<usize>) {}
            fn has_shape(&self, shape: &[usize]) -> bool {
                shape.is_empty()
            }
            fn concat(values: Vec<$t>) -> Vec<$t> {
                values
            }
        }
    )*};
}
scalars!(f32 f64 i32 i64 u32 u64 u8 bool);

/// Returns the shape of an array with these rows.
///
/// # Errors
/// If the rows differ in shape.
pub fn nested_shape<A: Nested>(rows: &[A]) -> Result<Vec<usize>, TypeError> {
    let mut shape = vec![rows.len()];
    A::push_shape(rows.first(), &mut shape);
    let other = |r: &A| !A::EVEN && !r.has_shape(&shape[1..]);
    match rows.iter().position(other) {
        None => Ok(shape),
        Some(i) => {
            let mut row = vec![];
            A::push_shape(rows.get(i), &mut row);
            let message = match row == shape[1..] {
                true => format!("row {i} is uneven: the rows of an array have one length"),
                false => format!(
                    "row 0 has the shape {:?}, and row {i} has {row:?}: the rows of an array have one \
                     length",
                    &shape[1..]
                ),
            };
            Err(TypeError::new(message))
        }
    }
}

/// Makes an array of these rows.
///
/// # Errors
/// If the rows differ in shape.
pub fn nested<A: Nested>(rows: Vec<A>) -> Result<Dense, TypeError> {
    let shape = nested_shape(&rows)?;
    Ok(Dense::of(shape, A::concat(rows)))
}
