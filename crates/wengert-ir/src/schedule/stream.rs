//! Draws that only one loop reads, row by row: the loop computes them itself, some rows at a time, and they
//! are never stored as a whole.

use std::collections::HashMap;

use super::Lowering;
use super::node::{Expr, NodeId, Position};
use super::view::{AxisMap, View, Walk};
use super::way::MODEST;
use crate::error::Result;
use crate::ir::{Dim, Type};
use crate::loops::affine::Affine;
use crate::loops::{ScalarOp, Value};

/// The operands that a loop reads row by row.
pub struct Rows {
    xs: Vec<Source>,
    /// The number of rows.
    n: usize,
    /// The number of rows computed at a time: a power of two.
    strip: usize,
    reverse: bool,
}

#[derive(Clone)]
enum Source {
    /// An array that exists before the loop.
    Array(NodeId),
    /// An expression whose rows are computed in the loop and stored in this strip.
    Strip(NodeId, View),
    /// An expression that is computed row by row, where it is read.
    Expression(NodeId),
}

impl Lowering {
    /// Makes sure that the operands which a loop reads row by row are stored or can be computed in the loop,
    /// and that the other operands are stored.
    ///
    /// # Errors
    /// As [`Lowering::force`].
    pub fn rows_for(
        &mut self,
        xs: &[NodeId],
        others: &[NodeId],
        length: Dim,
        reverse: bool,
    ) -> Result<Rows> {
        let limit = self.strip_limit();
        let n = match length {
            Dim::N(n) => n,
            // Lists are never pending.
            Dim::Run => 0,
        };
        let mut streamed = self.only_read_here(xs);
        // An array that fits into one strip is computed at once.
        streamed.retain(|&x| self.ty(x).size() > limit);
        let counted: Vec<NodeId> = (xs.iter().copied())
            .filter(|&x| self.is_counted(x, xs))
            .collect();
        let waits = |x: &NodeId| streamed.contains(x) || counted.contains(x);
        let mut there = others.to_vec();
        there.extend(xs.iter().filter(|x| !waits(x)));
        self.ready(&there)?;
        let row = |x: &NodeId| self.ty(*x).size() / n;
        let longest = streamed.iter().map(row).max().unwrap_or(1);
        let strip = match longest <= limit / 2 {
            true => 1 << (limit / longest).ilog2(),
            false => 1,
        };
        let mut sources = vec![];
        let mut strips: HashMap<NodeId, Source> = HashMap::new();
        for &x in xs {
            if counted.contains(&x) {
                sources.push(Source::Expression(x));
                continue;
            }
            sources.push(match (streamed.contains(&x), strip) {
                (false, _) => Source::Array(x),
                (true, 1) => Source::Expression(x),
                (true, _) => match strips.get(&x) {
                    Some(source) => source.clone(),
                    None => {
                        let mut dims = self.dims(x);
                        dims[0] = strip;
                        let view = self.alloc(self.ty(x).dtype, &dims);
                        // Write to the strip outside of the loop: scratch memory that only the steps of the
                        // loop use does not survive from one step to the next.
                        let zero = self.b.constant(self.ty(x).dtype, 0);
                        let origin: Position = dims.iter().map(|_| Affine::default()).collect();
                        self.store(&view, &origin, zero);
                        let source = Source::Strip(x, view);
                        strips.insert(x, source.clone());
                        source
                    }
                },
            });
        }
        Ok(Rows {
            xs: sources,
            n,
            strip,
            reverse,
        })
    }

    /// Returns the operands of a loop that are made of draws, if nothing else uses them or anything they are
    /// made of.
    fn only_read_here(&self, xs: &[NodeId]) -> Vec<NodeId> {
        let reads = |id: NodeId| xs.iter().filter(|x| **x == id).count();
        let mut found: Vec<NodeId> = xs.to_vec();
        found.sort();
        found.dedup();
        found.retain(|&x| {
            let below = self.pending_below([x]);
            let plain = |id: &NodeId| matches!(self.expr(*id), Expr::Each { .. } | Expr::Draw(_));
            !self.draws(&below).is_empty()
                && below.iter().all(plain)
                && self.node(x).uses as usize == reads(x)
        });
        loop {
            let below = self.pending_below(found.iter().copied());
            let shared = self.wanted_outside(&below, &found);
            let before = found.len();
            found.retain(|&x| !self.pending_below([x]).iter().any(|id| shared.contains(id)));
            if found.len() == before {
                return found;
            }
        }
    }

    /// Returns whether an array has one number per row and is computed from counts and scalars alone, so that
    /// each step can compute its own number.
    fn is_counted(&self, x: NodeId, xs: &[NodeId]) -> bool {
        let counts = |id: NodeId| {
            let leaf = matches!(
                self.expr(id),
                Expr::Count { .. } | Expr::Literal(_) | Expr::Scalar(_)
            );
            leaf || matches!(self.expr(id), Expr::Each { .. })
        };
        let below = self.pending_below([x]);
        let work = |id: &NodeId| match self.expr(*id) {
            Expr::Each { work, .. } => *work,
            _ => 0,
        };
        let reads = xs.iter().filter(|y| **y == x).count();
        let cheap = below.iter().map(work).sum::<u64>() <= MODEST;
        self.ty(x).rank() == 1
            && !below.is_empty()
            && (cheap || self.node(x).uses as usize == reads)
            && self.with_leaves(&below, &[x]).into_iter().all(counts)
    }

    /// Returns the rows that step `i` reads.
    ///
    /// # Errors
    /// As [`Lowering::force`].
    pub fn rows_at(&mut self, rows: &Rows, i: Value) -> Result<Vec<NodeId>> {
        let at = self.b.affine(i);
        let strips: Vec<(NodeId, View)> = (rows.xs.iter())
            .filter_map(|x| match x {
                Source::Strip(id, view) => Some((*id, view.clone())),
                _ => None,
            })
            .collect();
        let start = match strips.is_empty() {
            true => Affine::default(),
            false => self.strip_at(rows, i, strips)?,
        };
        let mut found = vec![];
        for x in &rows.xs {
            found.push(match x {
                Source::Array(id) => self.row(*id, &at)?,
                Source::Expression(id) => {
                    let map = AxisMap::row(&self.dims(*id), at.clone());
                    self.part(*id, &map, &mut HashMap::new())?
                }
                Source::Strip(id, view) => {
                    let place = self.b.add_scaled(&at, &start, -1);
                    let ty = self.ty(*id).row();
                    let dims = [&[rows.strip], &ty.dims()[..]].concat();
                    let view = self.map_view(view, &AxisMap::row(&dims, place));
                    self.stored(ty.dtype, ty.dims(), view)
                }
            });
        }
        Ok(found)
    }

    /// Computes the strip of rows that step `i` reads, if this step is the first to read it. Returns the
    /// number of the strip's first row.
    fn strip_at(&mut self, rows: &Rows, i: Value, strips: Vec<(NodeId, View)>) -> Result<Affine> {
        let (n, strip) = (rows.n as i64, rows.strip as i64);
        // Steps are counted from the first to run, which in reverse is the last row.
        let last = self.b.i64(n - 1);
        let step = match rows.reverse {
            true => self.b.sub(last, i),
            false => i,
        };
        let mask = self.b.i64(strip - 1);
        let done = self.b.op(ScalarOp::And, &[step, mask]);
        let begun = self.b.sub(step, done);
        let start = match rows.reverse {
            true => {
                let end = self.b.i64(n - strip);
                self.b.sub(end, begun)
            }
            false => begun,
        };
        // The last strip overlaps the one before.
        let start = self.b.clamp(start, 0, n - strip);
        let start = self.b.affine(start);
        let zero = self.b.i64(0);
        let first = self.b.op(ScalarOp::Eq, &[done, zero]);
        self.b.open(None);
        let mut parts = HashMap::new();
        let mut writes: Vec<(NodeId, View)> = vec![];
        for (id, view) in strips {
            let dims = self.dims(id);
            let walks = (1..dims.len()).map(Walk::whole);
            let along = Walk {
                start: start.clone(),
                along: Some((0, 1)),
            };
            let map = AxisMap {
                dims: [&[rows.strip], &dims[1..]].concat(),
                axes: std::iter::once(along).chain(walks).collect(),
            };
            let part = self.part(id, &map, &mut parts)?;
            if !writes.iter().any(|w| w.1 == view) {
                self.retain(part, 1);
                writes.push((part, view));
            }
        }
        self.commit(writes, &[])?;
        let then = self.b.close(vec![]);
        self.b.open(None);
        let otherwise = self.b.close(vec![]);
        self.b.close_if(first, then, otherwise);
        Ok(start)
    }

    /// Returns some rows of an expression as an expression of their own. An operand that is shared stays
    /// shared.
    fn part(
        &mut self,
        id: NodeId,
        map: &AxisMap,
        parts: &mut HashMap<NodeId, NodeId>,
    ) -> Result<NodeId> {
        if let Some(&part) = parts.get(&id) {
            return Ok(part);
        }
        let part = match self.expr(id).clone() {
            Expr::Each { emit, inputs, work } => {
                let mut mapped = smallvec::SmallVec::new();
                for input in inputs {
                    mapped.push(self.part(input, map, parts)?);
                }
                let ty = Type::new(self.ty(id).dtype, &map.dims);
                self.each_of(ty, mapped, work, emit)
            }
            _ => self.remap(id, map)?,
        };
        parts.insert(id, part);
        Ok(part)
    }
}
