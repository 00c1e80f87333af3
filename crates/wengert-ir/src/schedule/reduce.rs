//! Reductions of arrays.

use std::collections::HashMap;

use super::after::After;
use super::fold::{Fold, Rule, TASK, nothing};
use super::node::{Expr, FEW, NodeId};
use super::notes::StoreReason;
use super::view::{AxisMap, PerAxis, View};
use super::{Lowering, Wanted};
use crate::error::Result;
use crate::loops::affine::Affine;
use crate::loops::{FoldOp, LANES, Value};
use crate::order::SHORT;

/// Number of reads per element from which a reduction copies an array into the order in which it reads it.
const OFTEN: usize = 8;

impl Lowering {
    /// Reduces an array over `axes`; the other axes stay, in order. Applies to each result the cheap
    /// operations that follow it.
    ///
    /// # Errors
    /// As [`Lowering::force`].
    pub fn reduce(
        &mut self,
        x: NodeId,
        axes: &[usize],
        op: FoldOp,
        want: &Wanted,
    ) -> Result<NodeId> {
        let after = std::mem::take(&mut self.after);
        let dims = self.dims(x);
        let (reduced, kept): (Vec<usize>, Vec<usize>) =
            (0..dims.len()).partition(|a| axes.contains(a));
        let n: usize = reduced.iter().map(|&a| dims[a]).product();
        if n == 0 {
            return Ok(self.literal(want.ty.clone(), nothing(op, want.ty.dtype)));
        }
        self.force(&self.pads(&self.pending_below([x])), StoreReason::Whole)?;
        let mut draws = self.draws(&self.pending_below([x]));
        if self.in_lanes() || self.parallel || !kept.is_empty() || n <= TASK {
            self.force(&draws, StoreReason::Whole)?;
            draws.clear();
        }
        let pending = self.pending_below([x]);
        let mut beside = self.wanted_outside(&pending, &[x]);
        if pending.last() == Some(&x) && self.node(x).uses > 1 {
            beside.push(x);
        }
        let leaves = self.with_leaves(&pending, &[x]);
        let walks = self.walks(&leaves);
        let read = self.with_found(leaves.clone());
        let mut fold = Fold {
            op,
            dtype: want.ty.dtype,
            dims: dims.clone(),
            kept,
            reduced,
            walks,
            rule: Rule::Usual,
            serially: false,
            by_rows: false,
            draws,
            after,
        };
        let rows = fold.across(self.in_lanes()) && fold.reduced_space().axes.len() > 1;
        fold.by_rows = rows && beside.is_empty() && self.is_by_rows(x, &fold);
        if rows && !fold.by_rows {
            // Make the terms contiguous.
            let perm = [&fold.kept[..], &fold.reduced].concat();
            let moved = self.remap(x, &AxisMap::transpose(&dims, &perm))?;
            let view = self.contiguous_memory(moved, StoreReason::Reordered)?;
            let k = fold.kept.len();
            let ty = self.ty(moved).clone();
            let moved = self.stored(ty.dtype, ty.dims(), view);
            let axes: Vec<usize> = (k..dims.len()).collect();
            self.after = fold.after;
            return self.reduce(moved, &axes, op, want);
        }
        let turned = self.turn(&leaves, &fold)?;
        fold.walks = self.walks(&leaves);
        let places: Vec<View> = (beside.iter())
            .map(|&id| {
                let wish = self.node_mut(id).place.take();
                wish.unwrap_or_else(|| self.alloc_for(id, StoreReason::Shared))
            })
            .collect();
        fold.walks
            .extend(places.iter().map(|p| Some(p.strides.clone())));
        let spilled = std::mem::take(&mut self.spilled);
        self.spill(&read)?;
        let term = &mut |l: &mut Lowering, at: &[Affine]| {
            l.memo = Some(HashMap::new());
            for &id in &pending {
                l.element(id, at)?;
            }
            let value = l.element(x, at)?;
            let beside: Result<Vec<Value>> = beside.iter().map(|&id| l.element(id, at)).collect();
            l.memo = None;
            for (place, value) in places.iter().zip(beside?) {
                l.store(place, at, value);
            }
            Ok(value)
        };
        let written = places.iter().chain(&want.place);
        let result = self.in_nest(written, |l| l.fold(&fold, want, term))?;
        self.spilled = spilled;
        for (id, expr) in turned {
            self.node_mut(id).expr = expr;
        }
        for (id, place) in beside.into_iter().zip(places) {
            self.settle(id, Expr::Stored(place));
        }
        Ok(result)
    }

    /// Returns whether an expression is computed row by row where it is reduced: its rows are long, and each array is read
    /// along them as it lies, or has one element for all of a row.
    fn is_by_rows(&self, x: NodeId, fold: &Fold) -> bool {
        let space = fold.reduced_space();
        let Some(row) = space.axes.last().filter(|row| row.extent >= SHORT) else {
            return false;
        };
        let along = |walk: &Option<PerAxis<i64>>| {
            walk.as_ref()
                .is_some_and(|strides| strides[row.axis].abs() <= 1)
        };
        self.expr(x).is_pending() && fold.draws.is_empty() && fold.walks.iter().all(along)
    }

    /// Copies the arrays of which the reduction reads each element often, and reads elements side by side
    /// that are not neighbours in memory. The copies are laid out in the order of reading. Each stands in for
    /// its array until the caller restores the expressions that are returned, because a copy exists where the
    /// reduction is and maybe nowhere else.
    fn turn(&mut self, leaves: &[NodeId], fold: &Fold) -> Result<Vec<(NodeId, Expr)>> {
        let mut turned = vec![];
        let mut kept = fold.kept.iter().copied().rev();
        let Some(lanes) = kept.find(|&a| fold.dims[a] >= LANES) else {
            return Ok(turned);
        };
        if self.in_lanes() || fold.serially || fold.across(false) {
            return Ok(turned);
        }
        let points: usize = fold.dims.iter().product();
        for &id in leaves {
            let Expr::Stored(view) = self.expr(id).clone() else {
                continue;
            };
            let (ty, dims) = (self.ty(id).clone(), self.dims(id));
            let is_own = |&a: &usize| view.strides[a] != 0 && dims[a] > 1;
            let own: Vec<usize> = (0..dims.len()).filter(is_own).collect();
            let len: usize = own.iter().map(|&a| dims[a]).product();
            if view.strides[lanes].abs() <= 1 || len <= FEW || points / len < OFTEN {
                continue;
            }
            let mut to = View {
                strides: dims.iter().map(|_| 0).collect(),
                ..self.alloc_because(ty.dtype, &[len], StoreReason::Reordered)
            };
            let mut next = 1;
            let others = own.iter().rev().filter(|&&a| a != lanes);
            for &a in std::iter::once(&lanes).chain(others) {
                to.strides[a] = next;
                next *= dims[a] as i64;
            }
            let once = (0..dims.len()).map(|a| if own.contains(&a) { dims[a] } else { 1 });
            let from = self.stored(ty.dtype, once.collect(), view);
            self.write(from, to.clone())?;
            let before = std::mem::replace(&mut self.node_mut(id).expr, Expr::Stored(to));
            turned.push((id, before));
        }
        Ok(turned)
    }

    /// Sums over the first axis, in the order of a sum over the lanes of a map, or in a tree.
    pub(super) fn sum_rows(&mut self, x: NodeId, rule: Rule, want: &Wanted) -> Result<NodeId> {
        self.force(&[x], StoreReason::Whole)?;
        let dims = self.dims(x);
        let fold = Fold {
            op: FoldOp::Add,
            dtype: want.ty.dtype,
            kept: (1..dims.len()).collect(),
            reduced: vec![0],
            walks: self.walks(&[x]),
            dims,
            rule,
            serially: false,
            by_rows: false,
            draws: vec![],
            after: After::default(),
        };
        let spilled = std::mem::take(&mut self.spilled);
        self.spill(&[x])?;
        let sum = self.fold(&fold, want, &mut |l, at| l.element(x, at));
        self.spilled = spilled;
        sum
    }
}
