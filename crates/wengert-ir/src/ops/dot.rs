//! Contraction of two arrays: sums of products over shared axes.

use std::borrow::Cow;

use crate::arithmetic::Arithmetic;
use crate::buffer::{Buffer, Dense};
use crate::error::{Error, TypeError};
use crate::ir::text::{Attribute, Attributes, Given};
use crate::ir::{BitMatrix, DType, Func, Type};
use crate::ops::layout::{self, known, places, row_major, sized};
use crate::ops::{
    Batched, Cotangent, Mode, Op, Operand, Primitive, Tangent, add_tangents, not_linear,
};
use crate::order;
use crate::order::{ALONE, LIBRARY};
use crate::schedule::dot::Product;
use crate::schedule::node::NodeId;
use crate::schedule::{Lowering, Wanted};
use crate::trace::{Var, bind1};
use crate::with_data;

/// `c[i.., j.., k..] = Σ_l a[i, j, l] · b[i, k, l]`: the axes of the result are the batch axes, then
/// the other axes of `a`, then those of `b`.
///
/// The products are counted with the last contracted axis moving fastest. Those of matrices are added in order, and those
/// of few rows or columns, such as of a matrix and a vector, as by a reduction ([`order::is_long`]). A sum without terms is
/// zero.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Dot {
    /// The pairs of batch axes of `a` and of `b`.
    pub batch: Vec<(usize, usize)>,
    /// The pairs of axes of `a` and of `b` that are contracted.
    pub contract: Vec<(usize, usize)>,
    /// Whether a product is zero where the element of `a` is zero, whatever the other factor: `a` is a cotangent
    /// that has passed through a mask (see [`Cotangent::maybe_zero`]).
    pub zero_wins: bool,
}

/// One of the two operands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    A,
    B,
}

impl Side {
    fn of(self, pair: &(usize, usize)) -> usize {
        match self {
            Side::A => pair.0,
            Side::B => pair.1,
        }
    }

    fn other(self) -> Side {
        match self {
            Side::A => Side::B,
            Side::B => Side::A,
        }
    }
}

/// Records the contraction of `a` and `b` along pairs of their axes.
#[track_caller]
pub fn dot(a: Var, b: Var, batch: &[(usize, usize)], contract: &[(usize, usize)]) -> Var {
    let op = Dot {
        batch: batch.to_vec(),
        contract: contract.to_vec(),
        zero_wins: false,
    };
    op.bind(a, b)
}

impl Dot {
    /// The rows, columns and terms of one product of matrices.
    fn extents(&self, inputs: &[Type]) -> [usize; 3] {
        let (a, b) = (inputs[0].dims(), inputs[1].dims());
        let size = |side: Side, dims: &[usize]| -> usize {
            let free = self.free(side, dims.len());
            free.iter().map(|&i| dims[i]).product()
        };
        let terms = self.contract.iter().map(|p| a[p.0]).product();
        [size(Side::A, &a), size(Side::B, &b), terms]
    }

    /// Parses an operation of this family from the text form; `None` if it is none of this family.
    pub fn parse(name: &str, given: &Given, _: &[Func]) -> Option<Op> {
        let zero_wins = match name {
            "dot" => false,
            "dot_or_zero" => true,
            _ => return None,
        };
        let pairs = |a: &str, b: &str| -> Option<Vec<(usize, usize)>> {
            let (a, b) = (given.indices(a)?, given.indices(b)?);
            (a.len() == b.len()).then(|| a.into_iter().zip(b).collect())
        };
        Some(Op::Dot(Dot {
            batch: pairs("batch_a", "batch_b")?,
            contract: pairs("contract_a", "contract_b")?,
            zero_wins,
        }))
    }

    #[track_caller]
    pub(super) fn bind(&self, a: Var, b: Var) -> Var {
        bind1(Op::Dot(self.clone()), &[a, b])
    }

    /// Returns the axes of an operand of rank `rank` that are neither batch axes nor contracted.
    fn free(&self, side: Side, rank: usize) -> Vec<usize> {
        let pairs = || self.batch.iter().chain(&self.contract);
        (0..rank)
            .filter(|a| pairs().all(|p| side.of(p) != *a))
            .collect()
    }

    /// Returns the cotangent of operand `to` from that of the result and the other operand: contracts `ct`
    /// with `known` over the free axes of `known`, and moves the axes where they belong.
    fn pull(&self, to: Side, to_type: &Type, ct: Cotangent, known: Var) -> Cotangent {
        let from = to.other();
        let to_free = self.free(to, to_type.rank());
        let from_free = self.free(from, known.rank());
        // In the cotangent the batch axes come first, then the free axes of `a`, then those of `b`.
        let from_at = match to {
            Side::A => self.batch.len() + to_free.len(),
            Side::B => self.batch.len(),
        };
        // The free axes of `known` in the result are its contracted axes, in order of their index.
        let mut contracted = self.contract.clone();
        contracted.sort_by_key(|p| from.of(p));
        let batch: Vec<usize> = self.batch.iter().map(|p| to.of(p)).collect();
        let contracted: Vec<usize> = contracted.iter().map(|p| to.of(p)).collect();
        let found = |ct_first: bool| match ct_first {
            true => [&batch[..], &to_free, &contracted].concat(),
            false => [&batch[..], &contracted, &to_free].concat(),
        };
        // The operand whose zeros win must come first: the cotangent, unless `known` was such an operand before. If no
        // zeros win, the other order is chosen where only its result needs no transposition.
        let zero_wins = ct.maybe_zero || self.zero_wins;
        let ct_first = match zero_wins {
            true => !(self.zero_wins && from == Side::A),
            false => found(true).is_sorted() || !found(false).is_sorted(),
        };
        let found = found(ct_first);
        let pair = |ct_axis: usize, axis: usize| match ct_first {
            true => (ct_axis, axis),
            false => (axis, ct_axis),
        };
        let over = Dot {
            batch: (self.batch.iter().enumerate())
                .map(|(i, p)| pair(i, from.of(p)))
                .collect(),
            contract: (from_free.iter().enumerate())
                .map(|(j, &axis)| pair(from_at + j, axis))
                .collect(),
            zero_wins,
        };
        let mut axes = vec![0; found.len()];
        for (i, axis) in found.into_iter().enumerate() {
            axes[axis] = i;
        }
        let ct = if self.zero_wins { ct.masked() } else { ct };
        ct.map(|ct| {
            let product = match ct_first {
                true => over.bind(ct, known),
                false => over.bind(known, ct),
            };
            layout::transpose(product, &axes)
        })
    }
}

impl Primitive for Dot {
    fn name(&self) -> Cow<'static, str> {
        match self.zero_wins {
            false => "dot",
            true => "dot_or_zero",
        }
        .into()
    }

    fn method(&self) -> Cow<'static, str> {
        "dot".into()
    }

    fn attributes(&self) -> Attributes {
        let axes = |pairs: &[(usize, usize)], side: Side| {
            Attribute::Ints(pairs.iter().map(|p| side.of(p) as i64).collect())
        };
        vec![
            ("batch_a", axes(&self.batch, Side::A)),
            ("batch_b", axes(&self.batch, Side::B)),
            ("contract_a", axes(&self.contract, Side::A)),
            ("contract_b", axes(&self.contract, Side::B)),
        ]
    }

    fn types(&self, inputs: &[Type]) -> Result<Vec<Type>, TypeError> {
        let [a, b] = inputs else {
            return Err(TypeError::new(crate::error::counted(
                inputs.len(),
                "operand",
                "operands",
            )));
        };
        let (da, db) = (known(a)?, known(b)?);
        if a.dtype != b.dtype || a.dtype == DType::Bool {
            return Err(TypeError::new(format!("{a} and {b} do not multiply"))
                .hint("convert one of them, as in `x.to(DType::F64)`"));
        }
        let pairs: Vec<&(usize, usize)> = self.batch.iter().chain(&self.contract).collect();
        for (i, &&(x, y)) in pairs.iter().enumerate() {
            let twice = pairs[..i].iter().any(|p| p.0 == x || p.1 == y);
            if x >= da.len() || y >= db.len() || twice {
                return Err(TypeError::new(format!(
                    "axes {x} and {y} of {a} and {b} cannot be paired"
                )));
            }
            if da[x] != db[y] {
                return Err(TypeError::new(format!(
                    "{a} and {b} differ in length along axes {x} and {y}"
                )));
            }
        }
        let mut dims: Vec<usize> = self.batch.iter().map(|p| da[p.0]).collect();
        dims.extend(self.free(Side::A, da.len()).iter().map(|&i| da[i]));
        dims.extend(self.free(Side::B, db.len()).iter().map(|&i| db[i]));
        Ok(vec![sized(a.dtype, &dims)?])
    }

    fn eval(&self, inputs: &[Buffer]) -> Result<Vec<Buffer>, Error> {
        let (a, b) = (inputs[0].dense(), inputs[1].dense());
        let c = with_data!(&*a.data, v => self.eval_dense(a, v, b));
        Ok(vec![Buffer::Dense(c)])
    }

    fn deps(&self, inputs: usize, outputs: usize) -> BitMatrix {
        BitMatrix::full(outputs, inputs)
    }

    fn jvp(&self, x: &[Var], dx: &[Tangent], _: Mode) -> (Vec<Var>, Vec<Tangent>) {
        let y = self.bind(x[0], x[1]);
        let da = dx[0].map(|da| self.bind(da, x[1]));
        let db = dx[1].map(|db| self.bind(x[0], db));
        (vec![y], vec![add_tangents(da, db)])
    }

    fn transpose(&self, inputs: &[Operand], ct: &[Option<Cotangent>]) -> Vec<Option<Cotangent>> {
        let ct = ct[0].expect("the cotangent of the one result");
        match inputs {
            [Operand::Linear(a), Operand::Known(b)] => {
                vec![Some(self.pull(Side::A, a, ct, *b)), None]
            }
            [Operand::Known(a), Operand::Linear(b)] => {
                vec![None, Some(self.pull(Side::B, b, ct, *a))]
            }
            _ => not_linear("a product of arrays"),
        }
    }

    fn lower(
        &self,
        l: &mut Lowering,
        inputs: &[NodeId],
        outputs: &[Wanted],
    ) -> Result<Vec<NodeId>, Error> {
        let (a, b, want) = (inputs[0], inputs[1], &outputs[0]);
        let (da, db) = (l.dims(a), l.dims(b));
        // The axes of the products are those of the result, then the contracted ones.
        let axes = |side: Side, dims: &[usize], front: usize| -> (Vec<usize>, Vec<usize>) {
            let kept = want.ty.rank();
            let mut at = vec![0; dims.len()];
            for (i, p) in self.batch.iter().enumerate() {
                at[side.of(p)] = i;
            }
            let free = self.free(side, dims.len());
            for (i, &axis) in free.iter().enumerate() {
                at[axis] = front + i;
            }
            for (i, p) in self.contract.iter().enumerate() {
                at[side.of(p)] = kept + i;
            }
            (at, free)
        };
        let (at_a, free_a) = axes(Side::A, &da, self.batch.len());
        let (at_b, _) = axes(Side::B, &db, self.batch.len() + free_a.len());
        let sums: Vec<usize> = self.contract.iter().map(|p| da[p.0]).collect();
        let product = Product {
            dims: [&want.ty.dims()[..], &sums].concat(),
            a: (a, at_a),
            b: (b, at_b),
            batch: self.batch.len(),
            rows: free_a.len(),
            zero_wins: self.zero_wins,
            large: self.is_large(&[l.ty(a).clone(), l.ty(b).clone()]),
        };
        Ok(vec![l.product(&product, want)?])
    }

    fn is_large(&self, inputs: &[Type]) -> bool {
        let [m, n, k] = self.extents(inputs);
        inputs[0].is_float() && m.min(n).min(k) >= 8 && m * n * k >= LIBRARY
    }

    fn is_large_alone(&self, inputs: &[Type]) -> bool {
        self.is_large(inputs) && self.extents(inputs).iter().product::<usize>() >= ALONE
    }

    fn batch(&self, inputs: &[Batched], _: usize) -> Vec<Batched> {
        let (a, b) = (inputs[0], inputs[1]);
        let shift = |pairs: &[(usize, usize)]| -> Vec<(usize, usize)> {
            let later = |x: Batched, axis: usize| axis + usize::from(x.mapped);
            (pairs.iter().map(|p| (later(a, p.0), later(b, p.1)))).collect()
        };
        let mut op = Dot {
            batch: shift(&self.batch),
            contract: shift(&self.contract),
            zero_wins: self.zero_wins,
        };
        if a.mapped && b.mapped {
            op.batch.insert(0, (0, 0));
            return vec![Batched::mapped(op.bind(a.value, b.value))];
        }
        // The batch axis is the first free axis of the one operand that is mapped.
        let free = op.free(Side::A, a.value.rank()).len();
        let at = op.batch.len() + if a.mapped { 0 } else { free };
        let c = op.bind(a.value, b.value);
        vec![Batched::mapped(layout::move_axis(c, at, 0))]
    }
}

impl Dot {
    fn eval_dense<T: Arithmetic>(&self, a: &Dense, av: &[T], b: &Dense) -> Dense {
        let bv = b.slice::<T>();
        let along = |x: &Dense, axes: &[usize]| -> (Vec<usize>, Vec<usize>) {
            let strides = row_major(&x.dims);
            let strides: Vec<isize> = axes.iter().map(|&i| strides[i]).collect();
            let dims: Vec<usize> = axes.iter().map(|&i| x.dims[i]).collect();
            (places(&dims, 0, &strides).collect(), dims)
        };
        let axes = |pairs: &[(usize, usize)], side: Side| -> Vec<usize> {
            pairs.iter().map(|p| side.of(p)).collect()
        };
        let (batch_a, mut dims) = along(a, &axes(&self.batch, Side::A));
        let (batch_b, _) = along(b, &axes(&self.batch, Side::B));
        let (free_a, rows) = along(a, &self.free(Side::A, a.dims.len()));
        let (free_b, columns) = along(b, &self.free(Side::B, b.dims.len()));
        let (terms_a, _) = along(a, &axes(&self.contract, Side::A));
        let (terms_b, _) = along(b, &axes(&self.contract, Side::B));
        dims.extend(rows);
        dims.extend(columns);
        let product = |x: T, y: T| match self.zero_wins && x == T::ZERO {
            true => T::ZERO,
            false => x.mul(y),
        };
        let long = order::is_long(free_a.len(), free_b.len(), terms_a.len());
        let mut c = Vec::with_capacity(dims.iter().product());
        for (ia, ib) in batch_a.iter().zip(&batch_b) {
            for ja in &free_a {
                for kb in &free_b {
                    let term = |l: usize| {
                        let (la, lb) = (terms_a[l], terms_b[l]);
                        product(av[ia + ja + la], bv[ib + kb + lb])
                    };
                    let n = terms_a.len();
                    let sum = match long {
                        true => order::reduce(n, term, T::add),
                        false => (0..n).map(term).reduce(T::add),
                    };
                    c.push(sum.unwrap_or(T::ZERO));
                }
            }
        }
        Dense::of(dims, c)
    }
}
