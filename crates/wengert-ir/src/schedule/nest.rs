//! Loop nests over the elements of arrays.

use super::Lowering;
use super::node::{FEW, Position, positions};
use super::view::PerAxis;
use crate::error::Result;
use crate::loops::affine::Affine;
use crate::loops::builder::{Builder, Carry};
use crate::loops::{LANES, LoopKind, ScalarOp, Value};

/// Total number of steps up to which inner loops are unrolled.
pub(super) const UNROLLED: usize = 2 * FEW;

/// Rows and columns of a tile: one cache line of the narrower side, and as many lines of the other side as
/// the smallest cache holds with ease.
const TILE: (usize, usize) = (8, 64);

/// An axis, or several axes walked as one.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Axis {
    pub extent: usize,
    /// The innermost of the axes walked as one: its index runs over all of them, and the indices of the
    /// others are 0.
    pub axis: usize,
}

/// The points that a nest runs over: axes in row-major order.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Space {
    pub axes: Vec<Axis>,
    dims: Vec<usize>,
    /// A pair of axes (outer, inner) that are walked in tiles, because some array is contiguous along the
    /// outer one and strided along the inner one: a tile uses each cache line as a whole.
    tiled: Option<(usize, usize)>,
}

impl Space {
    /// Makes a space of axes of these lengths. Neighbouring axes are merged where every array with these
    /// strides can be walked along them as one (`None`: an array that cannot).
    pub fn new(dims: &[usize], walks: &[Option<PerAxis<i64>>]) -> Space {
        let all: Vec<usize> = (0..dims.len()).collect();
        Space::of_axes(dims, &all, walks)
    }

    /// Makes a space of some of the axes only, in this order.
    pub fn of_axes(dims: &[usize], order: &[usize], walks: &[Option<PerAxis<i64>>]) -> Space {
        let dims: Vec<usize> = (0..dims.len())
            .map(|a| if order.contains(&a) { dims[a] } else { 1 })
            .collect();
        let axes = collapse(&dims, order, walks);
        let tiled = tiled(&axes, walks);
        Space { axes, dims, tiled }
    }

    /// Returns the number of points.
    pub fn size(&self) -> usize {
        self.dims.iter().product()
    }

    /// Returns the lengths of the axes, 1 for those that the space does not run over.
    pub fn dims(&self) -> Vec<usize> {
        self.dims.clone()
    }

    pub fn origin(&self) -> Position {
        self.dims.iter().map(|_| Affine::default()).collect()
    }

    /// Returns the innermost axis, and the space of the others.
    pub fn split_last(&self) -> Option<(Axis, Space)> {
        let (&last, outer) = self.axes.split_last()?;
        let outer = Space {
            axes: outer.to_vec(),
            dims: self.dims.clone(),
            tiled: None,
        };
        Some((last, outer))
    }

    /// Sets the position to the point with this number, in row-major order.
    pub fn set(&self, b: &mut Builder, at: &mut Position, number: Affine) {
        let mut number = number;
        for (k, axis) in self.axes.iter().enumerate().rev() {
            if k == 0 {
                at[axis.axis] = number;
                return;
            }
            at[axis.axis] = b.rem(&number, axis.extent as i64);
            number = b.div(&number, axis.extent as i64);
        }
    }
}

/// Merges neighbouring axes where possible.
fn collapse(dims: &[usize], order: &[usize], walks: &[Option<PerAxis<i64>>]) -> Vec<Axis> {
    let mut axes: Vec<Axis> = vec![];
    for axis in order.iter().copied().filter(|&a| dims[a] != 1) {
        let extent = dims[axis];
        let merges = |outer: &Axis| {
            let even = |w: &Option<PerAxis<i64>>| {
                w.as_ref()
                    .is_some_and(|s| s[outer.axis] == s[axis] * extent as i64)
            };
            walks.iter().all(even)
        };
        match axes.last_mut() {
            Some(outer) if merges(outer) => {
                *outer = Axis {
                    extent: outer.extent * extent,
                    axis,
                };
            }
            _ => axes.push(Axis { extent, axis }),
        }
    }
    axes
}

/// Returns the two innermost axes if they are long and an array is contiguous along the outer instead of the
/// inner one.
fn tiled(axes: &[Axis], walks: &[Option<PerAxis<i64>>]) -> Option<(usize, usize)> {
    let [.., outer, inner] = axes else {
        return None;
    };
    let long = outer.extent >= TILE.0 && inner.extent >= TILE.1;
    let across = |w: &Option<PerAxis<i64>>| {
        (w.as_ref()).is_some_and(|s| s[inner.axis].abs() > 1 && s[outer.axis].abs() == 1)
    };
    (long && walks.iter().any(across)).then_some((axes.len() - 2, axes.len() - 1))
}

/// Returns whether loops over these axes are so short, all together, that they are unrolled.
pub(super) fn is_unrolled(axes: &[Axis]) -> bool {
    axes.iter().map(|a| a.extent).product::<usize>() <= UNROLLED
}

/// The action at each point of a nest.
pub(super) type Visit<'f> = dyn FnMut(&mut Lowering, &[Affine]) -> Result<()> + 'f;

impl Lowering {
    /// Lowers a counted loop around what `body` lowers.
    ///
    /// # Errors
    /// Those of the body.
    pub fn for_(
        &mut self,
        kind: LoopKind,
        extent: Value,
        carries: &[Carry],
        body: impl FnOnce(&mut Lowering, Value, &[Value]) -> Result<Vec<Value>>,
    ) -> Result<Vec<Value>> {
        let (mut open, params) = self.b.open_for(kind, extent, carries);
        open.marks = self.note_loop(kind, extent);
        let outer = self.parallel;
        self.parallel |= kind == LoopKind::Parallel;
        let results = body(self, open.index, &params)?;
        self.parallel = outer;
        self.note_close();
        Ok(self.b.close_for(open, results))
    }

    /// Lowers a counted loop that carries nothing.
    pub(super) fn repeat(
        &mut self,
        kind: LoopKind,
        extent: Value,
        body: impl FnOnce(&mut Lowering, Affine) -> Result<()>,
    ) -> Result<()> {
        self.for_(kind, extent, &[], |l, i, _| {
            let i = l.b.affine(i);
            body(l, i)?;
            Ok(vec![])
        })?;
        Ok(())
    }

    /// Visits every point. In lanes, each lane loops over the points. Elsewhere the points run side by side,
    /// and in tasks where there are many; each visit stands for the work of `weight` elements.
    pub(super) fn over(
        &mut self,
        space: &Space,
        weight: usize,
        visit: &mut Visit<'_>,
    ) -> Result<()> {
        let axes = &space.axes;
        if space.size() <= FEW {
            for at in positions(&space.dims) {
                visit(self, &at)?;
            }
            return Ok(());
        }
        let mut at = space.origin();
        if self.in_lanes() {
            return self.serial(axes, &mut at, visit);
        }
        // Vectorize the innermost axis that is long enough.
        let long = axes.iter().rposition(|a| a.extent >= LANES);
        let longest = || (0..axes.len()).max_by_key(|&i| axes[i].extent);
        let v = long.or_else(longest).expect("a space of some size");
        let (outer, vector, inner) = (&axes[..v], axes[v], &axes[v + 1..]);
        let inside: usize = inner.iter().map(|a| a.extent).product::<usize>() * weight;
        let tasks = self.wants_tasks(space.size() * weight);
        if tasks && outer.is_empty() {
            let chunk = (self.target.task / inside)
                .next_multiple_of(LANES)
                .max(LANES);
            let parallel = LoopKind::Parallel;
            return self.chunks(parallel, vector.extent, chunk, &mut |l, start, len, _| {
                l.repeat(LoopKind::Vector, len, |l, i| {
                    at[vector.axis] = l.b.add_scaled(&start, &i, 1);
                    l.serial(inner, &mut at, visit)
                })
            });
        }
        if let Some((across, along)) = space.tiled.filter(|t| t.1 == v) {
            return self.tiles(space, (across, along), weight, visit);
        }
        let mut rows = |l: &mut Lowering, at: &mut Position| {
            let extent = l.b.i64(vector.extent as i64);
            l.repeat(LoopKind::Vector, extent, |l, i| {
                at[vector.axis] = i;
                l.serial(inner, at, visit)
            })
        };
        self.outer(outer, &mut at, inside * vector.extent, tasks, &mut rows)
    }

    /// Visits every point, tile by tile of two axes.
    fn tiles(
        &mut self,
        space: &Space,
        (across, along): (usize, usize),
        weight: usize,
        visit: &mut Visit<'_>,
    ) -> Result<()> {
        let (outer, across, along) = (&space.axes[..across], space.axes[across], space.axes[along]);
        let tasks = self.wants_tasks(space.size() * weight);
        let mut at = space.origin();
        let row = along.extent * weight;
        let lines = (self.target.task / row)
            .next_multiple_of(TILE.0)
            .max(TILE.0);
        let serial = LoopKind::SERIAL;
        let kind = match tasks && outer.is_empty() {
            true => LoopKind::Parallel,
            false => serial,
        };
        let inside = across.extent * row;
        self.outer(
            outer,
            &mut at,
            inside,
            tasks && !outer.is_empty(),
            &mut |l, at| {
                l.chunks(kind, across.extent, lines, &mut |l, line, lines, _| {
                    l.chunks(serial, along.extent, TILE.1, &mut |l, start, len, _| {
                        l.repeat(serial, lines, |l, i| {
                            at[across.axis] = l.b.add_scaled(&line, &i, 1);
                            l.repeat(LoopKind::Vector, len, |l, i| {
                                at[along.axis] = l.b.add_scaled(&start, &i, 1);
                                visit(l, at)
                            })
                        })
                    })
                })
            },
        )
    }

    /// Returns whether the work of this many elements is worth cutting into tasks here.
    pub(super) fn wants_tasks(&self, elements: usize) -> bool {
        !self.in_lanes() && !self.parallel && elements >= self.target.tasks_from
    }

    /// Visits every point one after the other, or in tasks where there are many points and tasks are allowed;
    /// each visit stands for the work of `weight` elements.
    pub(super) fn over_serially(
        &mut self,
        space: &Space,
        weight: usize,
        visit: &mut Visit<'_>,
    ) -> Result<()> {
        let mut at = space.origin();
        let tasks = self.wants_tasks(space.size() * weight);
        if tasks && !space.axes.is_empty() {
            return self.outer(&space.axes, &mut at, weight, true, &mut |l, at| {
                visit(l, at)
            });
        }
        self.serial(&space.axes, &mut at, visit)
    }

    /// Loops over outer axes, the first of them in tasks if `tasks` is set, around work of `inside` elements.
    pub(super) fn outer(
        &mut self,
        axes: &[Axis],
        at: &mut Position,
        inside: usize,
        tasks: bool,
        body: &mut dyn FnMut(&mut Lowering, &mut Position) -> Result<()>,
    ) -> Result<()> {
        let Some((first, rest)) = axes.split_first() else {
            return body(self, at);
        };
        let row: usize = rest.iter().map(|a| a.extent).product::<usize>() * inside;
        if !tasks {
            let extent = self.b.i64(first.extent as i64);
            return self.repeat(LoopKind::SERIAL, extent, |l, i| {
                at[first.axis] = i;
                l.outer(rest, at, inside, false, body)
            });
        }
        let chunk = (self.target.task / row.max(1)).clamp(1, first.extent);
        self.chunks(
            LoopKind::Parallel,
            first.extent,
            chunk,
            &mut |l, start, len, _| {
                if chunk == 1 {
                    at[first.axis] = start;
                    return l.outer(rest, at, inside, false, body);
                }
                l.repeat(LoopKind::SERIAL, len, |l, i| {
                    at[first.axis] = l.b.add_scaled(&start, &i, 1);
                    l.outer(rest, at, inside, false, body)
                })
            },
        )
    }

    /// Loops over chunks of an extent. The body gets the first index, the length and the number of each
    /// chunk.
    pub(super) fn chunks(
        &mut self,
        kind: LoopKind,
        extent: usize,
        chunk: usize,
        body: &mut dyn FnMut(&mut Lowering, Affine, Value, Affine) -> Result<()>,
    ) -> Result<()> {
        let count = self.b.i64(extent.div_ceil(chunk) as i64);
        self.repeat(kind, count, |l, c| {
            let start = l.b.scale(&c, chunk as i64);
            let full = l.b.i64(chunk as i64);
            let len = match extent % chunk {
                0 => full,
                _ => {
                    let left = l.b.add_scaled(&Affine::constant(extent as i64), &start, -1);
                    let left = l.b.materialize(&left);
                    let len = l.b.op(ScalarOp::Min, &[left, full]);
                    l.note_bound(len, chunk);
                    len
                }
            };
            body(l, start, len, c)
        })
    }

    /// Nests loops that run one step after the other; short ones are unrolled.
    pub(super) fn serial(
        &mut self,
        axes: &[Axis],
        at: &mut Position,
        visit: &mut Visit<'_>,
    ) -> Result<()> {
        let Some((first, rest)) = axes.split_first() else {
            return visit(self, at);
        };
        if is_unrolled(axes) {
            for i in 0..first.extent {
                at[first.axis] = Affine::constant(i as i64);
                self.serial(rest, at, visit)?;
            }
            return Ok(());
        }
        let extent = self.b.i64(first.extent as i64);
        self.repeat(LoopKind::SERIAL, extent, |l, i| {
            at[first.axis] = i;
            l.serial(rest, at, visit)
        })
    }
}
