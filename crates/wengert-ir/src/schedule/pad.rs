//! Zeros with an array in them.
//!
//! Where it pays, such an array is never stored. A nest that reads padded arrays is cut into pieces, each of
//! which lies entirely inside or entirely outside of the window of every one of them. Elements inside of a
//! window are computed in the piece, with indices shifted by the start of the window. That may repeat work
//! that is done elsewhere, too, so only light expressions are treated this way.

use std::collections::BTreeSet;

use super::nest::{Space, Visit};
use super::node::{Expr, FEW, NodeId, Position};
use super::notes::StoreReason;
use super::view::{PerAxis, View};
use super::{Lowering, Wanted};
use crate::error::Result;
use crate::ir::Type;
use crate::loops::affine::Affine;
use crate::loops::{ScalarOp, Value};
use crate::ops::work::{READ, WRITE};

/// Maximum number of pieces that a nest is cut into.
const PIECES: usize = 9;

/// Upper bound on the code size: pieces x expressions per piece.
const WRITTEN: usize = 512;

/// The part of a nest: a half-open range of indices along each axis.
pub(super) type Piece = PerAxis<(i64, i64)>;

/// The indices at which a nest is cut, along each axis.
pub(super) struct Cuts(Vec<BTreeSet<i64>>);

impl Cuts {
    fn count(&self) -> usize {
        self.0.iter().map(|places| places.len() + 1).product()
    }

    fn pieces(&self, dims: &[usize]) -> Vec<Piece> {
        let mut pieces: Vec<Piece> = vec![Piece::new()];
        for (places, &n) in self.0.iter().zip(dims) {
            let starts = [0].into_iter().chain(places.iter().copied());
            let ends = places.iter().copied().chain([n as i64]);
            let parts: Vec<(i64, i64)> = starts.zip(ends).collect();
            let longer = |piece: &Piece| {
                let add = |&part: &(i64, i64)| piece.iter().copied().chain([part]).collect();
                parts.iter().map(add).collect::<Vec<Piece>>()
            };
            pieces = pieces.iter().flat_map(longer).collect();
        }
        pieces
    }
}

impl Lowering {
    /// Pads an array with zeros: its elements start at `low` and are `step` apart along each axis.
    ///
    /// # Errors
    /// As [`Lowering::force`].
    pub fn pad(
        &mut self,
        x: NodeId,
        low: &[usize],
        step: &[usize],
        want: &Wanted,
    ) -> Result<NodeId> {
        let (dims, out) = (self.dims(x), want.ty.dims());
        if want.ty.size() <= FEW || self.in_lanes() {
            return self.pad_chosen(x, low, step, want);
        }
        let dense = step.iter().all(|&s| s == 1) && !dims.contains(&0);
        let borders =
            |a: usize| 1 + usize::from(low[a] > 0) + usize::from(low[a] + dims[a] < out[a]);
        if dense && (0..dims.len()).map(borders).product::<usize>() <= PIECES {
            if !self.is_light(x) {
                self.force(&[x], StoreReason::Shared)?;
            }
            let low = low.iter().map(|&l| l as i64).collect();
            let id = self.push(want.ty.clone(), Expr::Padded { x, low });
            if self.cuts(&[id], &out).count() <= PIECES {
                return Ok(id);
            }
            // The array contains padded ones, whose borders make too many pieces.
            self.discard(id);
        }
        let place = self.place(want);
        if dense {
            self.clear_borders(&place, &want.ty, low, &dims)?;
        } else {
            let zeros = self.literal(want.ty.clone(), 0);
            self.write(zeros, place.clone())?;
        }
        let walks = (0..dims.len()).map(|a| (low[a] as i64, step[a] as i64));
        let window = self.window(&place, &dims, walks);
        self.write(x, window)?;
        Ok(self.stored(want.ty.dtype, out, place))
    }

    /// Returns whether an expression shares so little work with others that computing it again is better than
    /// storing it.
    fn is_light(&self, id: NodeId) -> bool {
        const SHORT: usize = 32;
        let limit = self.ty(id).dtype.bytes() as u64 * (WRITE + 2 * READ);
        let mut left = vec![(id, false)];
        let mut seen = BTreeSet::new();
        let mut again = 0;
        while let Some((id, shared)) = left.pop() {
            let shared = shared || self.node(id).uses > 1;
            match self.expr(id) {
                Expr::Each { inputs, work, .. } if seen.insert(id) => {
                    again += if shared { *work } else { 0 };
                    left.extend(inputs.iter().map(|&i| (i, shared)));
                }
                Expr::Padded { x, .. } => left.push((*x, shared)),
                Expr::Find { .. } | Expr::Draw(_) => return false,
                _ => {}
            }
        }
        seen.len() <= SHORT && again <= limit
    }

    /// Returns the padded arrays among nodes.
    pub(super) fn pads(&self, nodes: &[NodeId]) -> Vec<NodeId> {
        let pad = |id: &&NodeId| matches!(self.expr(**id), Expr::Padded { .. });
        nodes.iter().filter(pad).copied().collect()
    }

    /// Returns where a nest that computes these nodes has to be cut.
    pub(super) fn cuts(&self, nodes: &[NodeId], dims: &[usize]) -> Cuts {
        let mut cuts = vec![BTreeSet::new(); dims.len()];
        let origin: PerAxis<i64> = dims.iter().map(|_| 0).collect();
        let mut left: Vec<(NodeId, PerAxis<i64>)> =
            nodes.iter().map(|&id| (id, origin.clone())).collect();
        let mut seen = BTreeSet::new();
        while let Some((id, from)) = left.pop() {
            if !seen.insert((id, from.clone())) {
                continue;
            }
            match self.expr(id) {
                Expr::Each { inputs, .. } => {
                    left.extend(inputs.iter().map(|&i| (i, from.clone())));
                }
                Expr::Padded { x, low } => {
                    let first: PerAxis<i64> = from.iter().zip(low).map(|(f, l)| f + l).collect();
                    for (a, len) in self.dims(*x).into_iter().enumerate() {
                        let borders = [first[a], first[a] + len as i64];
                        let inside = |&b: &i64| 0 < b && b < dims[a] as i64;
                        cuts[a].extend(borders.into_iter().filter(inside));
                    }
                    left.push((*x, first));
                }
                _ => {}
            }
        }
        Cuts(cuts)
    }

    /// Returns whether these expressions can be computed in one nest with these cuts.
    pub(super) fn can_be_cut(&self, pending: &[NodeId], cuts: &Cuts) -> bool {
        let pieces = cuts.count();
        pieces == 1
            || (pieces <= PIECES
                && pieces * pending.len() <= WRITTEN
                && self.draws(pending).is_empty())
    }

    /// Visits every point, piece by piece, each as [`Lowering::over_strips`] does.
    pub(super) fn over_pieces(
        &mut self,
        dims: &[usize],
        walks: &[Option<PerAxis<i64>>],
        cuts: &Cuts,
        draws: &[NodeId],
        visit: &mut Visit<'_>,
    ) -> Result<()> {
        for piece in cuts.pieces(dims) {
            let sizes: Vec<usize> = piece.iter().map(|p| (p.1 - p.0) as usize).collect();
            let space = Space::new(&sizes, walks);
            let around = self.piece.replace(piece.clone());
            self.over_strips(&space, draws, &mut |l, at| {
                let moved = at.iter().zip(&piece).map(|(i, p)| i.clone().plus(p.0));
                visit(l, &moved.collect::<Position>())
            })?;
            self.piece = around;
        }
        Ok(())
    }

    /// Lowers an element of a padded array.
    pub(super) fn padded_element(
        &mut self,
        x: NodeId,
        low: &[i64],
        at: &[Affine],
    ) -> Result<Value> {
        let dims = self.dims(x);
        let from: Position = at
            .iter()
            .zip(low)
            .map(|(i, l)| i.clone().plus(-l))
            .collect();
        let Some(piece) = self.piece.clone() else {
            return self.chosen_element(x, &vec![1; dims.len()], &from);
        };
        let moved = piece.iter().zip(low).map(|(p, l)| (p.0 - l, p.1 - l));
        let piece: Piece = moved.collect();
        let mut sides = piece.iter().zip(&dims);
        if sides.clone().any(|(p, &n)| p.1 <= 0 || p.0 >= n as i64) {
            return Ok(self.b.constant(self.ty(x).dtype, 0));
        }
        debug_assert!(
            sides.all(|(p, &n)| p.0 >= 0 && p.1 <= n as i64),
            "a piece is inside or outside"
        );
        let around = self.piece.replace(piece);
        let value = self.element(x, &from)?;
        self.piece = around;
        Ok(value)
    }

    /// Pads an array by choosing between zero and an element where the result is read.
    fn pad_chosen(
        &mut self,
        x: NodeId,
        low: &[usize],
        step: &[usize],
        want: &Wanted,
    ) -> Result<NodeId> {
        let (low, step) = (low.to_vec(), step.to_vec());
        self.find(&want.ty, &[x], move |l, at| {
            let from = at
                .iter()
                .zip(&low)
                .map(|(i, &l)| i.clone().plus(-(l as i64)));
            l.chosen_element(x, &step, &from.collect::<Position>())
        })
    }

    /// Lowers an element of an array whose elements are `step` apart: zero between them and outside.
    fn chosen_element(&mut self, x: NodeId, step: &[usize], at: &[Affine]) -> Result<Value> {
        let dims = self.dims(x);
        let zero = self.b.constant(self.ty(x).dtype, 0);
        if dims.contains(&0) {
            return Ok(zero);
        }
        let mut inside: Option<Value> = None;
        let mut from = Position::new();
        for (a, i) in at.iter().enumerate() {
            let (step, last) = (step[a] as i64, dims[a] as i64 - 1);
            if let Some(i) = i.as_constant() {
                if i < 0 || i % step != 0 || i / step > last {
                    return Ok(zero);
                }
                from.push(Affine::constant(i / step));
                continue;
            }
            let i = self.b.materialize(i);
            let near = self.b.clamp(i, 0, last * step);
            let mut here = self.b.op(ScalarOp::Eq, &[i, near]);
            let mut near = self.b.affine(near);
            if step > 1 {
                let rest = self.b.rem(&near, step);
                let rest = self.b.materialize(&rest);
                let none = self.b.i64(0);
                let even = self.b.op(ScalarOp::Eq, &[rest, none]);
                here = self.b.op(ScalarOp::And, &[here, even]);
                near = self.b.div(&near, step);
            }
            from.push(near);
            inside = Some(match inside {
                Some(inside) => self.b.op(ScalarOp::And, &[inside, here]),
                None => here,
            });
        }
        let value = self.element(x, &from)?;
        Ok(match inside {
            Some(inside) => self.b.select(inside, value, zero),
            None => value,
        })
    }

    /// Writes zeros before and after the window of lengths `dims` at `low`, along each axis.
    fn clear_borders(
        &mut self,
        place: &View,
        ty: &Type,
        low: &[usize],
        dims: &[usize],
    ) -> Result<()> {
        let out = ty.dims();
        for axis in 0..dims.len() {
            let behind = low[axis] + dims[axis];
            for (start, len) in [(0, low[axis]), (behind, out[axis] - behind)] {
                if len == 0 {
                    continue;
                }
                // Along the axes before this one, the borders have been cleared already.
                let mut sizes = out.clone();
                sizes[..axis].copy_from_slice(&dims[..axis]);
                sizes[axis] = len;
                let starts = (0..dims.len()).map(|a| match a.cmp(&axis) {
                    std::cmp::Ordering::Less => low[a] as i64,
                    std::cmp::Ordering::Equal => start as i64,
                    std::cmp::Ordering::Greater => 0,
                });
                let border = self.window(place, &sizes, starts.map(|s| (s, 1)));
                let zeros = self.literal(Type::new(ty.dtype, &sizes), 0);
                self.write(zeros, border)?;
            }
        }
        Ok(())
    }
}
