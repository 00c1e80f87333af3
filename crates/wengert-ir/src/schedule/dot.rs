//! Contractions: loops, or a library's product if the contraction is large.

use std::collections::HashMap;
use std::sync::Arc;

use super::after::After;
use super::fold::{Fold, Rule};
use super::node::{Expr, FEW, NodeId, positions};
use super::notes::StoreReason;
use super::store::buffer_of;
use super::view::{AxisMap, PerAxis, View, Walk, is_contiguous};
use super::{Lowering, Wanted};
use crate::error::Result;
use crate::ir::{DType, Type};
use crate::loops::affine::Affine;
use crate::loops::kernel::Gemm;
use crate::loops::{FoldOp, Kernel, ScalarOp, Value};
use crate::ops::work::PLAIN;
use crate::order::{self, ALONE, SIDE};

/// The number of terms from which a product is done as a whole by a library. A product of matrices with at least
/// [`SIDE`] rows and columns is then done tile by tile, where loops would go row by row; a product of a matrix and a
/// few vectors is done in the order in which the matrix lies in memory.
const SOME: usize = 1024;

/// Maximum number of terms of a sum that a library computes in one thread. Loops share longer sums among threads.
const LONGEST: usize = 65_536;

/// A sum of products.
pub struct Product {
    /// The lengths of the axes of the products: first the axes of the result, then the axes summed over.
    pub dims: Vec<usize>,
    /// The first factor, and which axes of `dims` its own axes are.
    pub a: (NodeId, Vec<usize>),
    /// The second factor, likewise.
    pub b: (NodeId, Vec<usize>),
    /// The number of leading axes of the result that both factors have.
    pub batch: usize,
    /// The number of axes after those that belong to the first factor.
    pub rows: usize,
    /// Whether the product is zero wherever the first factor is, even if the second is not finite.
    pub zero_wins: bool,
    /// Whether a library should do it.
    pub large: bool,
}

impl Lowering {
    /// Lowers sums of products, added in the order that [`Dot`](crate::ops::dot::Dot) defines.
    ///
    /// # Errors
    /// As [`Lowering::force`].
    pub fn product(&mut self, p: &Product, want: &Wanted) -> Result<NodeId> {
        let kept = want.ty.rank();
        if p.dims[kept..].contains(&0) {
            return Ok(self.literal(want.ty.clone(), 0));
        }
        self.force(&[p.a.0, p.b.0], StoreReason::Factor)?;
        let (mut factors, rows) = ([&p.a, &p.b].map(|f| f.0), p.batch + p.rows);
        let size = |axes: &[usize]| -> usize { axes.iter().product() };
        let (m, n) = (size(&p.dims[p.batch..rows]), size(&p.dims[rows..kept]));
        let long = order::is_long(m, n, size(&p.dims[kept..]));
        if long {
            factors[0] = self.summed_last(p.a.0, &p.a.1, kept, false)?;
            factors[1] = self.summed_last(p.b.0, &p.b.1, kept, false)?;
            // A matrix whose terms are adjacent is read along them, so the terms of the vectors must be adjacent too.
            let (matrix, vectors) = match m >= n {
                true => (0, 1),
                false => (1, 0),
            };
            let axes = [&p.a.1, &p.b.1];
            if !self.in_lanes()
                && m.max(n) >= SIDE
                && self.adjacent_terms(factors[matrix], axes[matrix], kept)
            {
                factors[vectors] = self.summed_last(factors[vectors], axes[vectors], kept, true)?;
            }
        }
        if let Some(product) = self.lane_product(p, want, factors)? {
            return Ok(product);
        }
        let a = self.remap(factors[0], &AxisMap::broadcast(&p.dims, &p.a.1))?;
        let b = self.remap(factors[1], &AxisMap::broadcast(&p.dims, &p.b.1))?;
        if !self.in_lanes()
            && let (Expr::Stored(va), Expr::Stored(vb)) = (self.expr(a), self.expr(b))
            && let Some(matrices) = Matrices::of(p, kept, self.ty(a).dtype, [va, vb])
        {
            if p.large && p.zero_wins {
                return self.masked_product(p, want, &matrices, (a, b));
            }
            let whole = matrices.are_some() || matrices.are_vectors();
            if p.large || (!p.zero_wins && want.ty.is_float() && whole) {
                return self.library_product(p, want, &matrices);
            }
        }
        if !self.in_lanes() && p.dims[kept..].iter().product::<usize>() <= FEW {
            return self.short_product(p, want, (a, b));
        }
        // Either rule adds the terms of a short sum in order.
        let rule = if long { Rule::Usual } else { Rule::OneByOne };
        self.looped_product(p, want, (a, b), rule)
    }

    /// Returns the axes of a factor that are summed over, in order, without axes of length 1.
    fn summed(&self, x: NodeId, axes: &[usize], kept: usize) -> Vec<usize> {
        let dims = self.dims(x);
        let mut summed: Vec<usize> = (0..axes.len()).filter(|&i| axes[i] >= kept).collect();
        summed.sort_by_key(|&i| axes[i]);
        summed.retain(|&i| dims[i] > 1);
        summed
    }

    /// Returns whether neighbouring terms of a factor are neighbours in memory.
    fn adjacent_terms(&self, x: NodeId, axes: &[usize], kept: usize) -> bool {
        let summed = self.summed(x, axes, kept);
        match self.expr(x) {
            Expr::Stored(view) => summed.last().is_some_and(|&i| view.strides[i] == 1),
            _ => false,
        }
    }

    /// Returns a factor whose summed axes can be walked as one axis and, with `adjacent`, whose terms are neighbours in
    /// memory. Returns the factor itself if it already satisfies this, or if it is not in memory.
    fn summed_last(
        &mut self,
        x: NodeId,
        axes: &[usize],
        kept: usize,
        adjacent: bool,
    ) -> Result<NodeId> {
        let dims = self.dims(x);
        let summed = self.summed(x, axes, kept);
        let Expr::Stored(view) = self.expr(x) else {
            return Ok(x);
        };
        let even = summed.windows(2).all(|pair| {
            let [outer, inner] = [pair[0], pair[1]];
            view.strides[outer] == view.strides[inner] * dims[inner] as i64
        });
        if even && (!adjacent || self.adjacent_terms(x, axes, kept)) {
            return Ok(x);
        }
        // Stores the factor with the other axes in front, then moves the axes back to where they were.
        let mut order: Vec<usize> = (0..axes.len()).filter(|&i| axes[i] < kept).collect();
        let mut last: Vec<usize> = (0..axes.len()).filter(|&i| axes[i] >= kept).collect();
        last.sort_by_key(|&i| axes[i]);
        order.extend(last);
        let moved = self.remap(x, &AxisMap::transpose(&dims, &order))?;
        let view = self.contiguous_memory(moved, StoreReason::Reordered)?;
        let ty = self.ty(moved).clone();
        let moved = self.stored(ty.dtype, ty.dims(), view);
        let mut back = vec![0; order.len()];
        for (i, &axis) in order.iter().enumerate() {
            back[axis] = i;
        }
        let dims = self.dims(moved);
        self.remap(moved, &AxisMap::transpose(&dims, &back))
    }

    /// Lowers sums of so few products that each is an expression, which its readers compute. Both factors have all axes
    /// of the products.
    fn short_product(
        &mut self,
        p: &Product,
        want: &Wanted,
        (a, b): (NodeId, NodeId),
    ) -> Result<NodeId> {
        let kept = want.ty.rank();
        let mut factors = vec![];
        for term in positions(&p.dims[kept..]) {
            let walks = (0..kept).map(Walk::whole);
            let map = AxisMap {
                dims: want.ty.dims(),
                axes: walks.chain(term.into_iter().map(Walk::at)).collect(),
            };
            factors.push(self.remap(a, &map)?);
            factors.push(self.remap(b, &map)?);
        }
        let work = (factors.len() - 1) as u64 * PLAIN;
        let zero_wins = p.zero_wins;
        let sum = self.each(&want.ty, &factors, work, move |b, factors| {
            let terms = factors.chunks(2).map(|pair| {
                let xy = b.mul(pair[0], pair[1]);
                if !zero_wins {
                    return xy;
                }
                let zero = b.constant(b.dtype(xy), 0);
                let none = b.op(ScalarOp::Eq, &[pair[0], zero]);
                b.select(none, zero, xy)
            });
            let terms: Vec<Value> = terms.collect();
            let sum = terms.into_iter().reduce(|sum, term| b.add(sum, term));
            sum.expect("a product has terms")
        });
        for node in [a, b] {
            self.discard(node);
        }
        Ok(sum)
    }

    /// Lowers a sum of products to loops. Both factors have all axes of the products.
    fn looped_product(
        &mut self,
        p: &Product,
        want: &Wanted,
        (a, b): (NodeId, NodeId),
        rule: Rule,
    ) -> Result<NodeId> {
        let (kept, all) = (want.ty.rank(), p.dims.len());
        let (mut a, mut b, mut dims) = (a, b, p.dims.clone());
        let (mut results, mut summed) = (0..kept, kept..all);
        // Neighbours in the memory of the larger factor are computed side by side: where they belong to neighbouring
        // results, the axes of the result go last.
        let side_by_side = |l: &Lowering, x: NodeId| match l.expr(x) {
            Expr::Stored(view) => (0..all).find(|&i| view.strides[i] == 1 && p.dims[i] > 1),
            _ => None,
        };
        let elements = |axes: &[usize]| -> usize { axes.iter().map(|&i| p.dims[i]).product() };
        let larger = match elements(&p.a.1) < elements(&p.b.1) {
            true => b,
            false => a,
        };
        let across = side_by_side(self, larger).is_some_and(|axis| axis < kept);
        if rule == Rule::Usual && across {
            let order: Vec<usize> = (kept..all).chain(0..kept).collect();
            a = self.remap(a, &AxisMap::transpose(&dims, &order))?;
            b = self.remap(b, &AxisMap::transpose(&dims, &order))?;
            dims = order.iter().map(|&i| p.dims[i]).collect();
            (summed, results) = (0..all - kept, all - kept..all);
        }
        let fold = Fold {
            op: FoldOp::Add,
            dtype: want.ty.dtype,
            dims,
            kept: results.collect(),
            reduced: summed.collect(),
            walks: self.walks(&[a, b]),
            rule,
            serially: false,
            by_rows: false,
            draws: vec![],
            after: After::default(),
        };
        let spilled = std::mem::take(&mut self.spilled);
        self.spill(&[a, b])?;
        let term = &mut |l: &mut Lowering, at: &[Affine]| {
            l.memo = Some(HashMap::new());
            let (x, y) = (l.element(a, at)?, l.element(b, at)?);
            l.memo = None;
            let xy = l.b.mul(x, y);
            if !p.zero_wins {
                return Ok(xy);
            }
            let zero = l.b.constant(l.b.dtype(x), 0);
            let none = l.b.op(ScalarOp::Eq, &[x, zero]);
            Ok(l.b.select(none, zero, xy))
        };
        let result = self.in_nest(&want.place, |l| l.fold(&fold, want, term));
        self.spilled = spilled;
        result
    }

    /// Lowers a large product in which zeros of the first factor win. If the second factor is finite, zeros win anyway
    /// and a library computes the product; otherwise loops do.
    fn masked_product(
        &mut self,
        p: &Product,
        want: &Wanted,
        matrices: &Matrices,
        factors: (NodeId, NodeId),
    ) -> Result<NodeId> {
        let want = Wanted {
            ty: want.ty.clone(),
            place: Some(self.whole_place(want)),
        };
        let finite = self.is_finite(p.b.0)?;
        self.b.open(None);
        let product = self.library_product(p, &want, matrices)?;
        let then = self.b.close(vec![]);
        self.b.open(None);
        let looped = self.looped_product(p, &want, factors, Rule::OneByOne)?;
        self.retain(looped, 1);
        let place = want.place.clone().expect("it has one");
        self.commit(vec![(looped, place)], &[])?;
        let otherwise = self.b.close(vec![]);
        self.b.close_if(finite, then, otherwise);
        Ok(product)
    }

    /// Lowers a test whether all elements of an array in memory are finite.
    fn is_finite(&mut self, x: NodeId) -> Result<Value> {
        let dtype = self.ty(x).dtype;
        let dims = self.dims(x);
        let fold = Fold {
            op: FoldOp::Add,
            dtype,
            kept: vec![],
            reduced: (0..dims.len()).collect(),
            walks: self.walks(&[x]),
            dims,
            rule: Rule::Usual,
            serially: false,
            by_rows: false,
            draws: vec![],
            after: After::default(),
        };
        let want = Wanted {
            ty: Type::scalar(dtype),
            place: None,
        };
        // A value times zero is NaN unless the value is finite, and one NaN makes the sum NaN.
        let sum = self.in_nest(&want.place, |l| {
            l.fold(&fold, &want, &mut |l, at| {
                let x = l.element(x, at)?;
                let zero = l.b.constant(dtype, 0);
                Ok(l.b.mul(x, zero))
            })
        })?;
        let sum = self.value(sum);
        Ok(self.b.op(ScalarOp::Eq, &[sum, sum]))
    }

    /// Returns contiguous memory for a whole product: the wanted place if it is contiguous, or new memory.
    fn whole_place(&mut self, want: &Wanted) -> View {
        match &want.place {
            Some(place) if is_contiguous(&want.ty.dims(), &place.strides) => place.clone(),
            _ => self.alloc(want.ty.dtype, &want.ty.dims()),
        }
    }

    fn library_product(
        &mut self,
        p: &Product,
        want: &Wanted,
        matrices: &Matrices,
    ) -> Result<NodeId> {
        let place = self.whole_place(want);
        let [a, b] = &matrices.factors;
        let mut axes: Vec<super::nest::Axis> = vec![];
        for axis in 0..p.batch {
            let extent = p.dims[axis];
            axes.push(super::nest::Axis { extent, axis });
        }
        let mut at: PerAxis<Affine> = p.dims.iter().map(|_| Affine::default()).collect();
        let mut one = |l: &mut Lowering, at: &[Affine]| {
            let regions = [&place, a, b].map(|view| {
                let buffer = buffer_of(view).expect("in a buffer");
                (buffer, l.place_of(view, &at[..p.batch]))
            });
            let [to, a, b] = [0, 1, 2].map(|i| regions[i].0);
            let kernel: Arc<dyn Kernel> = Arc::new(matrices.kernel);
            l.note_kernel(&kernel, &[a, b], &[to]);
            l.b.kernel(kernel, &regions);
            Ok(())
        };
        let terms = matrices.terms();
        let count: usize = axes.iter().map(|a| a.extent).product();
        match terms <= ALONE && count > 1 && self.wants_tasks(count * terms) {
            true => self.outer(&axes, &mut at, terms, true, &mut |l, at| one(l, at))?,
            false => self.serial(&axes, &mut at, &mut one)?,
        }
        Ok(self.stored(want.ty.dtype, want.ty.dims(), place))
    }
}

/// The factors in the form that a library needs.
pub(super) struct Matrices {
    factors: [View; 2],
    /// The numbers of rows, of columns and of terms of each sum.
    dims: (usize, usize, usize),
    pub kernel: Gemm,
}

impl Matrices {
    /// Returns the number of terms of the product.
    fn terms(&self) -> usize {
        let (m, n, k) = self.dims;
        m * n * k
    }

    /// Returns whether the product of two matrices is worth a library call.
    fn are_some(&self) -> bool {
        let (m, n, k) = self.dims;
        m.min(n).min(k) >= SIDE && self.terms() >= SOME
    }

    /// Returns whether the factors are a matrix and a few vectors whose product is worth a library call: the matrix can
    /// be read in the order in which it lies in memory.
    fn are_vectors(&self) -> bool {
        let (m, n, k) = self.dims;
        let Gemm { a, b, .. } = self.kernel;
        // The strides between rows of the matrix, between its terms, and between the terms of the vectors.
        let (row, term, other) = match m >= n {
            true => (a.0, a.1, b.0),
            false => (b.1, b.0, a.1),
        };
        let along = term == 1 && other == 1;
        (2..=LONGEST).contains(&k)
            && m.min(n) < SIDE
            && m.max(n) >= SIDE
            && self.terms() >= SOME
            && (along || (row == 1 && order::is_long(m, n, k)))
    }

    /// Returns the factors as matrices, or `None` if either of a matrix's two axes cannot be walked forwards with one
    /// constant stride.
    pub fn of(p: &Product, kept: usize, dtype: DType, [a, b]: [&View; 2]) -> Option<Matrices> {
        let behind = p.batch + p.rows;
        let walk = |view: &View, axes: std::ops::Range<usize>| -> Option<(usize, usize)> {
            let mut extent = 1;
            let mut stride = 1;
            for axis in axes.rev().filter(|&a| p.dims[a] != 1) {
                let s = usize::try_from(view.strides[axis])
                    .ok()
                    .filter(|&s| s > 0)?;
                match extent {
                    1 => stride = s,
                    _ if s == stride * extent => {}
                    _ => return None,
                }
                extent *= p.dims[axis];
            }
            Some((extent, stride))
        };
        buffer_of(a)?;
        buffer_of(b)?;
        let (m, a_row) = walk(a, p.batch..behind)?;
        let (k, a_column) = walk(a, kept..p.dims.len())?;
        let (_, b_row) = walk(b, kept..p.dims.len())?;
        let (n, b_column) = walk(b, behind..kept)?;
        let kernel = Gemm {
            dtype,
            m,
            n,
            k,
            c: (n, 1),
            a: (a_row, a_column),
            b: (b_row, b_column),
        };
        Some(Matrices {
            factors: [a.clone(), b.clone()],
            dims: (m, n, k),
            kernel,
        })
    }
}
