//! The types that layout operations take and give.

use super::Layout::{self, *};
use crate::error::{TypeError, counted};
use crate::ir::{DType, Dim, Shape, Type};

/// Returns the lengths of a type's axes, which must all be known.
pub(crate) fn known(ty: &Type) -> Result<Vec<usize>, TypeError> {
    ty.shape
        .known()
        .ok_or_else(|| TypeError::new(format!("{ty} has an axis of run-time length")))
}

/// Returns the type with the given lengths, if an array of it can be addressed.
pub(crate) fn sized(dtype: DType, dims: &[usize]) -> Result<Type, TypeError> {
    let ty = Type::new(dtype, dims);
    ty.check_size()?;
    Ok(ty)
}

/// Returns whether `axes` are axes of a value of rank `rank`, ascending, each once.
pub(crate) fn ascending(axes: &[usize], rank: usize) -> bool {
    axes.windows(2).all(|w| w[0] < w[1]) && axes.iter().all(|&a| a < rank)
}

/// Returns the length of an axis of `n` elements after padding.
pub(super) fn padded(n: usize, low: usize, high: usize, interior: usize) -> Option<usize> {
    let gaps = n.saturating_sub(1).checked_mul(interior)?;
    low.checked_add(high)?.checked_add(n)?.checked_add(gaps)
}

fn broadcast_type(x: &Type, shape: &Shape, axes: &[usize]) -> Result<Type, TypeError> {
    let to = Type {
        dtype: x.dtype,
        shape: shape.clone(),
    };
    let refuse = |why: &str| Err(TypeError::new(format!("{x} to {to} {why}")));
    if axes.len() != x.rank() || !ascending(axes, shape.rank()) {
        return refuse(&format!("by the axes {axes:?}"));
    }
    for (d, &a) in x.shape.0.iter().zip(axes) {
        if *d != shape.0[a] && (*d != Dim::N(1) || shape.0[a] == Dim::Run) {
            return refuse("does not fit");
        }
    }
    // The axes of lists pass through unchanged; they are never repeated.
    let front = x.shape.batch_axis();
    if shape.batch_axis() != front || x.shape.0[..front] != shape.0[..front] {
        return refuse("repeats rows of run-time length");
    }
    let rest: Vec<usize> = shape.0[front..]
        .iter()
        .map(|d| match d {
            Dim::N(n) => *n,
            Dim::Run => unreachable!("behind the last run-time axis"),
        })
        .collect();
    sized(x.dtype, &rest)?;
    Ok(to)
}

fn per_axis(ty: &Type, lists: [&Vec<usize>; 3]) -> Result<Vec<usize>, TypeError> {
    let dims = known(ty)?;
    match lists.iter().all(|l| l.len() == dims.len()) {
        true => Ok(dims),
        false => Err(TypeError::new(format!(
            "{ty} has {}, not {}",
            counted(dims.len(), "axis", "axes"),
            lists[0].len()
        ))),
    }
}

impl Layout {
    /// Returns the types of the results, or an error if the operands do not fit.
    pub(super) fn result_types(&self, inputs: &[Type]) -> Result<Vec<Type>, TypeError> {
        let Some(x) = inputs.first() else {
            return Err(TypeError::new("no operand"));
        };
        if inputs.len() != 1 && !matches!(self, Concat { .. }) {
            return Err(TypeError::new(counted(inputs.len(), "operand", "operands")));
        }
        let ty = match self {
            Broadcast { shape, axes } => broadcast_type(x, shape, axes)?,
            Reshape { dims } => {
                let ty = sized(x.dtype, dims)?;
                let (have, want) = (known(x)?.iter().product::<usize>(), ty.size());
                if have != want {
                    return Err(TypeError::new(format!(
                        "{x} has {}, {ty} has {want}",
                        counted(have, "element", "elements")
                    )));
                }
                ty
            }
            Transpose { axes } => {
                let dims = known(x)?;
                let mut sorted = axes.clone();
                sorted.sort_unstable();
                if !sorted.iter().copied().eq(0..dims.len()) {
                    return Err(TypeError::new(format!(
                        "{axes:?} is not an order of the {} of {x}",
                        counted(dims.len(), "axis", "axes")
                    )));
                }
                x.with_dims(&axes.iter().map(|&a| dims[a]).collect::<Vec<_>>())
            }
            Slice { start, limit, step } => {
                let mut dims = per_axis(x, [start, limit, step])?;
                for (i, n) in dims.iter_mut().enumerate() {
                    let (from, to, by) = (start[i], limit[i], step[i]);
                    if by == 0 || from > to || to > *n {
                        return Err(TypeError::new(format!(
                            "{from}..{to} by {by} is not a part of axis {i} of {x}"
                        )));
                    }
                    *n = (to - from).div_ceil(by);
                }
                x.with_dims(&dims)
            }
            Pad {
                low,
                high,
                interior,
            } => {
                let mut dims = per_axis(x, [low, high, interior])?;
                for (i, n) in dims.iter_mut().enumerate() {
                    *n = padded(*n, low[i], high[i], interior[i]).ok_or_else(|| {
                        TypeError::new(format!("axis {i} of {x} would be too long"))
                    })?;
                }
                sized(x.dtype, &dims)?
            }
            Concat { axis } => {
                let mut dims = known(x)?;
                if *axis >= dims.len() {
                    return Err(TypeError::new(format!("{x} has no axis {axis}")));
                }
                dims[*axis] = 0;
                for other in inputs {
                    let mut one = known(other)?;
                    let fits = other.dtype == x.dtype && one.len() == dims.len();
                    let n = if fits { one[*axis] } else { 0 };
                    if fits {
                        one[*axis] = dims[*axis];
                    }
                    if !fits || one != dims {
                        return Err(TypeError::new(format!(
                            "{x} and {other} do not join along axis {axis}"
                        )));
                    }
                    dims[*axis] = dims[*axis].saturating_add(n);
                }
                sized(x.dtype, &dims)?
            }
            Reverse { axes } => {
                let rank = known(x)?.len();
                if !ascending(axes, rank) {
                    return Err(TypeError::new(format!(
                        "{axes:?} are not ascending axes of {x}"
                    )));
                }
                x.clone()
            }
        };
        Ok(vec![ty])
    }
}
