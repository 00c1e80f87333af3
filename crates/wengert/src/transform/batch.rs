//! Batches, and recomputation.

use std::panic::Location;

use wengert_ir::error::{Error, counted, raise};
use wengert_ir::ops::{checkpoint as recompute, layout, map as mapped};
use wengert_ir::trace::{Var, asked_at, current_source, inside};

use super::{rebuild, types};
use crate::tree::{self, IntoTree, Tree, TreeDef};

/// The batch axis of each leaf; `None` for a leaf shared by the whole batch.
///
/// A number applies to all leaves; a list has an entry for each leaf, in the order of
/// [`tree::leaves`](crate::tree::leaves).
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Axes {
    /// One axis number for every leaf.
    All(usize),
    /// An entry per leaf.
    Each(Vec<Option<usize>>),
}

impl From<usize> for Axes {
    fn from(axis: usize) -> Axes {
        Axes::All(axis)
    }
}

impl<const N: usize> From<[Option<usize>; N]> for Axes {
    fn from(axes: [Option<usize>; N]) -> Axes {
        Axes::Each(axes.to_vec())
    }
}

impl From<Vec<Option<usize>>> for Axes {
    fn from(axes: Vec<Option<usize>>) -> Axes {
        Axes::Each(axes)
    }
}

impl Axes {
    fn of_leaves(&self, n: usize) -> Result<Vec<Option<usize>>, String> {
        match self {
            Axes::All(axis) => Ok(vec![Some(*axis); n]),
            Axes::Each(axes) if axes.len() == n => Ok(axes.clone()),
            Axes::Each(axes) => Err(format!(
                "{} given for {}, which count in the order of `tree::leaves`",
                counted(axes.len(), "axis is", "axes are"),
                counted(n, "leaf", "leaves"),
            )),
        }
    }
}

/// Maps a function over the rows of its argument: every leaf is split along its first axis, and the results are
/// stacked along a new one.
///
/// A small function runs one element per SIMD lane from its first step to its last, including its loops and
/// branches, on all cores.
///
/// # Errors
/// If a leaf is a scalar, or two leaves have first axes of different lengths.
///
/// ```
/// use wengert::prelude::*;
///
/// let f = jit(vmap(|x: Var| x.sin() * x));
/// assert_eq!(f.call([0.0, 1.0])?.shape(), [2]);
/// # Ok::<(), wengert::Error>(())
/// ```
#[track_caller]
pub fn vmap<X, Y, F>(f: F) -> impl Fn(X) -> Y + Clone
where
    X: Tree<Leaf = Var>,
    Y: Tree<Leaf = Var>,
    F: Fn(X) -> Y + Clone,
{
    batched("vmap", f, 0.into(), 0.into())
}

/// Does [`vmap`] along other axes, or with leaves shared by the whole batch.
///
/// A result without batch axis (`None`) must not depend on mapped leaves; its value is that of the first
/// element.
///
/// ```
/// use wengert::prelude::*;
///
/// // The rows of a matrix against one vector.
/// let f = jit(vmap_axes(|(a, v): (Var, Var)| (a * v).sum(), [Some(0), None], 0));
/// let y = f.call(([[1.0, 2.0], [3.0, 4.0]], [1.0, 10.0]))?;
/// assert_eq!(y.to_vec::<f64>()?, [21.0, 43.0]);
/// # Ok::<(), wengert::Error>(())
/// ```
#[track_caller]
pub fn vmap_axes<X, Y, F>(
    f: F,
    in_axes: impl Into<Axes>,
    out_axes: impl Into<Axes>,
) -> impl Fn(X) -> Y + Clone
where
    X: Tree<Leaf = Var>,
    Y: Tree<Leaf = Var>,
    F: Fn(X) -> Y + Clone,
{
    batched("vmap_axes", f, in_axes.into(), out_axes.into())
}

/// Implements [`vmap_axes`] for operation `op`.
#[track_caller]
fn batched<X, Y, F>(
    op: &'static str,
    f: F,
    in_axes: Axes,
    out_axes: Axes,
) -> impl Fn(X) -> Y + Clone
where
    X: Tree<Leaf = Var>,
    Y: Tree<Leaf = Var>,
    F: Fn(X) -> Y + Clone,
{
    let place = Location::caller();
    move |x| {
        asked_at(place, || {
            let (leaves, def) = tree::flatten(x);
            let axes = in_axes
                .of_leaves(leaves.len())
                .unwrap_or_else(|m| mistake(op, format!("of the argument, {m}")));
            let extent = extent(op, &leaves, &axes, &def);
            let mut rows = vec![];
            for (v, axis) in leaves.iter().zip(&axes) {
                if let Some(axis) = axis {
                    rows.push(layout::move_axis(*v, *axis, 0));
                }
            }
            let mut out: Option<TreeDef> = None;
            let results = mapped::map(&rows, extent, |row| {
                let mut row = row.iter();
                let args = leaves.iter().zip(&axes).map(|(v, axis)| match axis {
                    Some(_) => *row.next().expect("a row for each mapped leaf"),
                    None => *v,
                });
                let args: Vec<Var> = args.collect();
                let (results, structure) = tree::flatten(inside(|| f(rebuild(&def, &args))));
                out = Some(structure);
                results
            });
            let out = out.expect("the function was traced");
            let axes = out_axes
                .of_leaves(results.len())
                .unwrap_or_else(|m| mistake(op, format!("of the results, {m}")));
            let results: Vec<Var> = results
                .iter()
                .zip(axes)
                .map(|(v, axis)| match axis {
                    Some(axis) if axis < v.ty().rank() => layout::move_axis(*v, 0, axis),
                    Some(axis) => mistake(
                        op,
                        format!(
                            "a result is {} for each element, which has no place for axis {axis}",
                            v.ty().row()
                        ),
                    ),
                    None if extent == 0 => {
                        mistake(op, "an empty batch has no first element".into())
                    }
                    None => layout::row(*v, 0),
                })
                .collect();
            rebuild(&out, &results)
        })
    }
}

#[track_caller]
fn mistake(op: &str, message: String) -> ! {
    raise(Error::tree(op, message, current_source()))
}

#[track_caller]
fn extent(op: &str, leaves: &[Var], axes: &[Option<usize>], def: &TreeDef) -> usize {
    let mut found: Option<(usize, String)> = None;
    for ((v, axis), path) in leaves.iter().zip(axes).zip(def.paths()) {
        let Some(axis) = axis else { continue };
        let ty = v.ty();
        let Some(&n) = ty.dims().get(*axis) else {
            mistake(
                op,
                format!(
                    "the argument{path} is {ty}, which has no axis {axis} to map over; capture what is \
                     the same for all, or use `vmap_axes`"
                ),
            );
        };
        match &found {
            Some((m, first)) if *m != n => mistake(
                op,
                format!(
                    "the argument{first} has {} to map over, and the argument{path} has {n}",
                    counted(*m, "element", "elements")
                ),
            ),
            Some(_) => {}
            None => found = Some((n, path)),
        }
    }
    match found {
        Some((n, _)) => n,
        None => mistake(op, "no leaf of the argument is mapped".into()),
    }
}

/// Applies `f` to each row of `xs`: [`vmap`] at a point, with `xs` first.
///
/// ```
/// use wengert::prelude::*;
///
/// let f = jit(|points: Var| wengert::map(points, |p| p.norm()).mean());
/// assert_eq!(f.call([[3.0, 4.0], [0.0, 1.0]])?.item::<f64>()?, 3.0);
/// # Ok::<(), wengert::Error>(())
/// ```
#[track_caller]
pub fn map<I: IntoTree, B: IntoTree>(xs: I, f: impl Fn(I::Tree) -> B) -> B::Tree {
    let f = &f;
    let each = move |x: I::Tree| f(x).into_tree();
    batched("map", each, 0.into(), 0.into())(xs.into_tree())
}

/// Returns the same function, with its intermediate values recomputed for the derivative instead of kept: less
/// memory, for about one more run of the function.
///
/// ```
/// use wengert::prelude::*;
///
/// let f = jit(grad(checkpoint(|x: Var| x.sin().sin().sin())));
/// assert_eq!(f.call(0.0)?.item::<f64>()?, 1.0);
/// # Ok::<(), wengert::Error>(())
/// ```
#[track_caller]
pub fn checkpoint<X, Y, F>(f: F) -> impl Fn(X) -> Y + Clone
where
    X: Tree<Leaf = Var>,
    Y: Tree<Leaf = Var>,
    F: Fn(X) -> Y + Clone,
{
    let place = Location::caller();
    move |x| {
        asked_at(place, || {
            let (leaves, def) = tree::flatten(x);
            debug_assert_eq!(types(&leaves).len(), def.len());
            let mut out = None;
            let results = recompute::checkpoint(&leaves, |vars| {
                let (results, structure) = tree::flatten(inside(|| f(rebuild(&def, vars))));
                out = Some(structure);
                results
            });
            rebuild(&out.expect("the function was traced"), &results)
        })
    }
}
