//! Gather and scatter along one axis, by an array of indices.

mod remaining;

use std::borrow::Cow;

use crate::arithmetic::Arithmetic;
use crate::buffer::{Buffer, Data, Dense};
use crate::error::{Error, TypeError};
use crate::ir::text::{Attribute, Attributes, Given};
use crate::ir::{BitMatrix, DType, Func, Splat, Type};
use crate::loops::builder::Builder;
use crate::loops::{ScalarOp, Value};
use crate::ops::affine_scatter::AffineScatter;
use crate::ops::layout::{self, known, places, row_major, sized};
use crate::ops::{
    Batched, Cotangent, Mode, Op, Operand, Primitive, Tangent, elementwise, not_linear,
};
use crate::schedule::index::{Places, Scatter};
use crate::schedule::node::NodeId;
use crate::schedule::{Lowering, Wanted};
use crate::trace::{Var, bind1};
use crate::with_data;

/// What is done at the indices.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Access {
    /// `(x, idx)`: reads.
    Gather,
    /// `(x, idx, u)`: replaces elements of `x` by the updates; the last of several updates at one place
    /// wins.
    Set,
    /// `(x, idx, u)`: adds the updates to `x`, in row-major order of the indices. Integers wrap.
    Add,
    /// `(x, idx, u)`: multiplies `x` by the updates, in row-major order of the indices. Integers wrap.
    Mul,
    /// `(x, idx, u)`: the smallest of the element of `x` and its updates; NaN if any of them is NaN.
    Min,
    /// `(x, idx, u)`: the largest of the element of `x` and its updates; NaN if any of them is NaN.
    Max,
}

/// What happens at an index out of range.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Bounds {
    /// The index is clamped to the first or the last element.
    Clamp,
    /// A read gives zero, a write is dropped.
    Drop,
}

impl Bounds {
    /// Parses the parameter of the text form.
    pub(super) fn parse(given: &Given) -> Option<Bounds> {
        match given.name("bounds")? {
            "clamp" => Some(Bounds::Clamp),
            "drop" => Some(Bounds::Drop),
            _ => None,
        }
    }
}

/// Reads or writes an array along one axis, at the indices in an array of integers.
///
/// The first `batch` axes of `x`, of the indices and of the updates are batch axes. Let `b..` be these axes, `i..` the
/// axes between them and `axis`, `k..` the axes after `axis`, and `j..` the other axes of the indices. A gather
/// gives `y[b, i, j, k] = x[b, i, idx[b, j], k]`, and updates have the shape of such a `y`.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Index {
    /// What is done at the indices.
    pub access: Access,
    /// The axis of `x`, which is not a batch axis.
    pub axis: usize,
    /// The number of leading batch axes.
    pub batch: usize,
    /// What happens at an index out of range.
    pub bounds: Bounds,
}

use Access::{Add, Gather, Max, Min, Mul, Set};

/// Records the read of `x` along `axis` at the indices; see [`Index`].
#[track_caller]
pub fn gather(x: Var, idx: Var, axis: usize, batch: usize, bounds: Bounds) -> Var {
    Index {
        access: Gather,
        axis,
        batch,
        bounds,
    }
    .bind(x, idx, None)
}

/// Records `x` with updates along `axis` at the indices; see [`Index`].
#[track_caller]
pub fn scatter(
    access: Access,
    x: Var,
    idx: Var,
    u: Var,
    axis: usize,
    batch: usize,
    bounds: Bounds,
) -> Var {
    Index {
        access,
        axis,
        batch,
        bounds,
    }
    .bind(x, idx, Some(u))
}

/// Records `x` with the updates added along `axis` at the indices; see [`Index`].
#[track_caller]
pub fn scatter_add(x: Var, idx: Var, u: Var, axis: usize, batch: usize, bounds: Bounds) -> Var {
    scatter(Add, x, idx, u, axis, batch, bounds)
}

/// Records `x` with elements replaced by the updates along `axis` at the indices; see [`Index`].
#[track_caller]
pub fn scatter_set(x: Var, idx: Var, u: Var, axis: usize, batch: usize, bounds: Bounds) -> Var {
    scatter(Set, x, idx, u, axis, batch, bounds)
}

/// Records the elements of `x` at the places that `idx` gives along an axis; both have the same shape except for that
/// axis. An index out of range is clamped.
#[track_caller]
pub fn take_along(x: Var, idx: Var, axis: usize) -> Var {
    let last = x.rank() - 1;
    let (x, idx) = (
        layout::move_axis(x, axis, last),
        layout::move_axis(idx, axis, last),
    );
    let found = gather(x, idx, last, last, Bounds::Clamp);
    layout::move_axis(found, last, axis)
}

/// Returns what is wrong with an array of indices, if anything.
pub(crate) fn not_indices(idx: &Type) -> Option<TypeError> {
    if idx.dtype.is_int() {
        return None;
    }
    let error = TypeError::new(format!("{idx} is not an array of indices"));
    Some(error.hint(match idx.dtype {
        DType::Bool => "choose by a mask with `select`, as in `mask.select(x, 0.0)`",
        _ => "convert it, as in `i.to(DType::I64)`",
    }))
}

/// Returns element `i` as an integer.
pub(crate) fn whole(data: &Data, i: usize) -> i128 {
    let bits = data.bits(i);
    match data.dtype() {
        DType::I32 => i128::from(bits as u32 as i32),
        DType::I64 => i128::from(bits as i64),
        _ => i128::from(bits),
    }
}

/// Records indices clamped to `0..=last`.
#[track_caller]
pub(crate) fn clamped(idx: Var, last: usize) -> Var {
    let ty = idx.ty();
    let largest = match ty.dtype {
        DType::I32 => i32::MAX as u64,
        DType::U32 => u32::MAX as u64,
        DType::U8 => u8::MAX as u64,
        DType::U64 => u64::MAX,
        _ => i64::MAX as u64,
    };
    let low = match ty.dtype.is_signed_int() {
        true => elementwise::max(idx, Var::zeros(&ty)),
        false => idx,
    };
    match (last as u64) < largest {
        true => elementwise::min(low, Var::literal(Splat::new(&ty, last as u64))),
        false => low,
    }
}

impl Index {
    /// Parses an operation of this family from the text form; `None` if it is none of this family.
    pub fn parse(name: &str, given: &Given, _: &[Func]) -> Option<Op> {
        let access = match name {
            "gather" => Gather,
            "scatter_set" => Set,
            "scatter_add" => Add,
            "scatter_mul" => Mul,
            "scatter_min" => Min,
            "scatter_max" => Max,
            _ => return None,
        };
        let bounds = Bounds::parse(given)?;
        Some(Op::Index(Index {
            access,
            axis: given.index("axis")?,
            batch: given.index("batch")?,
            bounds,
        }))
    }

    #[track_caller]
    pub(crate) fn bind(&self, x: Var, idx: Var, u: Option<Var>) -> Var {
        let inputs: Vec<Var> = [x, idx].into_iter().chain(u).collect();
        let y = bind1(Op::Index(self.clone()), &inputs);
        // Reading an array of one repeated number gives that number.
        match x.as_literal().filter(|l| self.reads_literal(*l)) {
            Some(l) => Var::literal(Splat::new(&y.ty(), l.bits)),
            None => y,
        }
    }

    fn reads_literal(&self, l: Splat) -> bool {
        self.access == Gather && (self.bounds == Bounds::Clamp || l.bits == 0)
    }

    fn with_access(&self, access: Access) -> Index {
        Index {
            access,
            ..self.clone()
        }
    }

    /// Returns the shape of the elements that are read or written.
    fn window(&self, x: &[usize], idx: &[usize]) -> Vec<usize> {
        [&x[..self.axis], &idx[self.batch..], &x[self.axis + 1..]].concat()
    }

    /// Returns the number of indices for each element of the batch.
    fn updates(&self, idx: &Type) -> usize {
        idx.dims()[self.batch..].iter().product()
    }

    /// Returns which axis of the window each axis of the indices is.
    fn index_axes(&self, rank: usize) -> Vec<usize> {
        let moved = |a: usize| {
            if a < self.batch {
                a
            } else {
                a - self.batch + self.axis
            }
        };
        (0..rank).map(moved).collect()
    }
}

impl Primitive for Index {
    fn name(&self) -> Cow<'static, str> {
        match self.access {
            Gather => "gather",
            Set => "scatter_set",
            Add => "scatter_add",
            Mul => "scatter_mul",
            Min => "scatter_min",
            Max => "scatter_max",
        }
        .into()
    }

    fn method(&self) -> Cow<'static, str> {
        match self.access {
            Gather => "at",
            Set => "at_set",
            Add => "at_add",
            Mul => "at_mul",
            Min => "at_min",
            Max => "at_max",
        }
        .into()
    }

    fn attributes(&self) -> Attributes {
        let bounds = match self.bounds {
            Bounds::Clamp => "clamp",
            Bounds::Drop => "drop",
        };
        vec![
            ("axis", Attribute::Int(self.axis as i64)),
            ("batch", Attribute::Int(self.batch as i64)),
            ("bounds", Attribute::Name(bounds.into())),
        ]
    }

    fn only_moves(&self) -> bool {
        true
    }

    fn types(&self, inputs: &[Type]) -> Result<Vec<Type>, TypeError> {
        let (x, idx, u) = match (self.access, inputs) {
            (Gather, [x, idx]) => (x, idx, None),
            (Gather, _) => {
                return Err(TypeError::new(crate::error::counted(
                    inputs.len(),
                    "operand",
                    "operands",
                )));
            }
            (_, [x, idx, u]) => (x, idx, Some(u)),
            _ => {
                return Err(TypeError::new(crate::error::counted(
                    inputs.len(),
                    "operand",
                    "operands",
                )));
            }
        };
        let window = self.window_type(x, idx)?;
        if !matches!(self.access, Gather | Set) && x.dtype == DType::Bool {
            return Err(TypeError::new(format!("{x} is not an array of numbers")));
        }
        match u {
            None => Ok(vec![window]),
            Some(u) if *u == window => Ok(vec![x.clone()]),
            Some(u) => Err(TypeError::new(format!(
                "updates {u} of {x} at {idx} should be {window}"
            ))),
        }
    }

    fn eval(&self, inputs: &[Buffer]) -> Result<Vec<Buffer>, Error> {
        let (x, idx) = (inputs[0].dense(), inputs[1].dense());
        let value = match self.access {
            Gather => self.read(x, idx),
            _ => with_data!(&*x.data, v => self.write(x, v, idx, inputs[2].dense())),
        };
        Ok(vec![Buffer::Dense(value)])
    }

    fn deps(&self, inputs: usize, outputs: usize) -> BitMatrix {
        BitMatrix::from_fn(outputs, inputs, |_, i| i != 1)
    }

    fn jvp(&self, x: &[Var], dx: &[Tangent], _: Mode) -> (Vec<Var>, Vec<Tangent>) {
        let d = |i: usize| dx[i].unwrap_or_else(|| Var::zeros(&x[i].ty()));
        let u = x.get(2).copied();
        if self.access == Mul {
            let walk = AffineScatter::new(self.axis, self.batch, self.bounds);
            let (y, dy) = walk.product([x[0], x[1], x[2]], dx[0], dx[2]);
            return (vec![y], vec![Some(dy)]);
        }
        let y = self.bind(x[0], x[1], u);
        let dy = match self.access {
            Min | Max => self.extreme_tangent(x, y, d(0), d(2)),
            _ => self.bind(d(0), x[1], u.map(|_| d(2))),
        };
        (vec![y], vec![Some(dy)])
    }

    fn transpose(&self, inputs: &[Operand], ct: &[Option<Cotangent>]) -> Vec<Option<Cotangent>> {
        let ct = ct[0].expect("the cotangent of the one result");
        let idx = inputs[1].known();
        let x = inputs[0].ty();
        let read = |ct: Var| self.with_access(Gather).bind(ct, idx, None);
        if self.access == Gather {
            let add = self.with_access(Add);
            let back = |ct| add.bind(Var::zeros(&x), idx, Some(ct));
            // Elements that are not read get a zero cotangent.
            return vec![Some(ct.map(back).masked()), None];
        }
        let to_x = inputs[0].is_linear().then(|| match self.access {
            Set => {
                let zeros = Var::zeros(&inputs[2].ty());
                ct.map(|ct| self.bind(ct, idx, Some(zeros))).masked()
            }
            Add => ct,
            _ => not_linear("an update"),
        });
        let to_u = inputs[2].is_linear().then(|| match self.access {
            // A single update is not overwritten, and if it is dropped its cotangent reads as zero.
            Set if self.updates(&inputs[1].ty()) <= 1 => match self.bounds {
                Bounds::Clamp => ct.map(read),
                Bounds::Drop => ct.map(read).masked(),
            },
            Set => {
                let u = inputs[2].ty();
                let stays = self.stays(&x, idx, &u);
                let kept = |ct| elementwise::select(stays, read(ct), Var::zeros(&u));
                ct.map(kept).masked()
            }
            _ => match self.bounds {
                Bounds::Clamp => ct.map(read),
                Bounds::Drop => ct.map(read).masked(),
            },
        });
        vec![to_x, None, to_u]
    }

    fn in_place_of(&self, result: usize) -> Option<usize> {
        (result == 0 && self.access != Access::Gather).then_some(0)
    }

    fn lower(
        &self,
        l: &mut Lowering,
        inputs: &[NodeId],
        outputs: &[Wanted],
    ) -> Result<Vec<NodeId>, Error> {
        let (x, idx) = (inputs[0], inputs[1]);
        let places = Places {
            axis: self.axis,
            batch: self.batch,
            drop: self.bounds == Bounds::Drop,
        };
        let op = match self.access {
            Gather => return Ok(vec![l.gather(x, idx, places, &outputs[0].ty)?]),
            Set => None,
            Add => Some(ScalarOp::Add),
            Mul => Some(ScalarOp::Mul),
            Min => Some(ScalarOp::Min),
            Max => Some(ScalarOp::Max),
        };
        let join = |b: &mut Builder, old: Value, u: &[Value]| match op {
            Some(op) => b.op(op, &[old, u[0]]),
            None => u[0],
        };
        let scatter = Scatter {
            places,
            idx,
            updates: &inputs[2..],
            join: &join,
            reverse: false,
            before: None,
        };
        Ok(vec![l.scatter(x, &scatter, &outputs[0])?.0])
    }

    fn batch(&self, inputs: &[Batched], size: usize) -> Vec<Batched> {
        let (x, idx) = (inputs[0], inputs[1]);
        let u = inputs.get(2);
        let axis = self.axis + 1;
        let value = if !idx.mapped && self.batch == 0 {
            // The batch axis is just another axis in front of `axis`.
            let op = Index {
                axis,
                ..self.clone()
            };
            op.bind(x.spread(size), idx.value, u.map(|u| u.spread(size)))
        } else if self.access == Gather && !x.mapped && self.batch == 0 {
            // The batch axis is just another axis of the indices.
            let found = self.bind(x.value, idx.value, None);
            layout::move_axis(found, self.axis, 0)
        } else {
            let batch = self.batch + 1;
            let op = Index {
                axis,
                batch,
                ..self.clone()
            };
            let u = u.map(|u| u.spread(size));
            op.bind(x.spread(size), idx.spread(size), u)
        };
        vec![Batched::mapped(value)]
    }
}

impl Index {
    /// Returns the type of what is read or written, or an error if the operand types do not fit.
    pub(super) fn window_type(&self, x: &Type, idx: &Type) -> Result<Type, TypeError> {
        let (dx, di) = (known(x)?, known(idx)?);
        if self.axis >= dx.len() {
            return Err(TypeError::new(format!("{x} has no axis {}", self.axis)));
        }
        if let Some(error) = not_indices(idx) {
            return Err(error);
        }
        let b = self.batch;
        if b > self.axis || b > di.len() || dx[..b] != di[..b] {
            return Err(TypeError::new(format!(
                "{x} and {idx} do not share their first {b} axes"
            )));
        }
        if self.bounds == Bounds::Clamp && dx[self.axis] == 0 && !di.contains(&0) {
            return Err(TypeError::new(format!(
                "{x} has no element along axis {}",
                self.axis
            )));
        }
        sized(x.dtype, &self.window(&dx, &di))
    }

    /// Returns the tangent of extremes. Equal elements share as in [`crate::ops::reduce`]: if `k` of the old element
    /// and its updates are equal to the extreme (or are NaN, if it is), each has weight `1/k`.
    fn extreme_tangent(&self, x: &[Var], y: Var, dx: Var, du: Var) -> Var {
        let (tx, tu) = (x[0].ty(), x[2].ty());
        let chosen = |v: Var, y: Var| elementwise::or(elementwise::eq(v, y), elementwise::ne(v, v));
        let there = self.with_access(Gather).bind(y, x[1], None);
        let (old, new) = (chosen(x[0], y), chosen(x[2], there));
        let total = |a: Var, b: Var| {
            let a = elementwise::select(old, a, Var::zeros(&tx));
            let b = elementwise::select(new, b, Var::zeros(&tu));
            self.with_access(Add).bind(a, x[1], Some(b))
        };
        let count = total(Var::full(&tx, 1.0), Var::full(&tu, 1.0));
        elementwise::div(total(dx, du), count)
    }

    /// Returns for each element of the window, in order, the place in `x` that it reads or writes.
    pub(super) fn places(&self, x: &Dense, idx: &Dense) -> impl Iterator<Item = Option<usize>> {
        let strides = row_major(&x.dims);
        let n = x.dims[self.axis] as i128;
        let step = strides[self.axis];
        let dims = self.window(&x.dims, &idx.dims);
        let own = idx.dims.len() - self.batch;
        // Two walks over the window in step: the place in `x` for index 0, and the place in the indices.
        let walk = |front: &[isize], middle: &[isize], back: usize| {
            let mut s = front.to_vec();
            s.extend(middle);
            s.resize(s.len() + back, 0);
            s
        };
        let behind = x.dims.len() - self.axis - 1;
        let mut in_x = walk(&strides[..self.axis], &vec![0; own], behind);
        let at = in_x.len() - behind;
        in_x[at..].copy_from_slice(&strides[self.axis + 1..]);
        let steps = row_major(&idx.dims);
        let mut front = steps[..self.batch].to_vec();
        front.resize(self.axis, 0);
        let in_idx = walk(&front, &steps[self.batch..], behind);
        let indices: Vec<i128> = (0..idx.data.len()).map(|i| whole(&idx.data, i)).collect();
        let bounds = self.bounds;
        (places(&dims, 0, &in_x).zip(places(&dims, 0, &in_idx))).map(move |(first, i)| {
            let i = match bounds {
                Bounds::Clamp => indices[i].clamp(0, n - 1),
                Bounds::Drop => indices[i],
            };
            (0..n)
                .contains(&i)
                .then(|| first + i as usize * step as usize)
        })
    }

    fn read(&self, x: &Dense, idx: &Dense) -> Dense {
        let dims = self.window(&x.dims, &idx.dims);
        let mut data = Data::zeros(x.data.dtype(), dims.iter().product());
        for (to, from) in self.places(x, idx).enumerate() {
            if let Some(from) = from {
                data.set_bits(to, x.data.bits(from));
            }
        }
        Dense::new(dims, data)
    }

    fn write<T: Arithmetic>(&self, x: &Dense, v: &[T], idx: &Dense, u: &Dense) -> Dense {
        let mut v = v.to_vec();
        for (&u, to) in u.slice::<T>().iter().zip(self.places(x, idx)) {
            if let Some(to) = to {
                v[to] = match self.access {
                    Set | Gather => u,
                    Add => v[to].add(u),
                    Mul => v[to].mul(u),
                    Min => v[to].min(u),
                    Max => v[to].max(u),
                };
            }
        }
        Dense::of(x.dims.clone(), v)
    }
}
