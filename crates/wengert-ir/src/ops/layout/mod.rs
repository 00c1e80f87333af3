//! Operations that only move, repeat and omit elements.
//!
//! All are linear, and the transpose of each is such an operation or a sum: the transpose of a broadcast is a sum, that
//! of a slice a pad, that of a concatenation slices; those of reshape, transpose and reverse are of the same kind.

use std::borrow::Cow;

use crate::buffer::Buffer;
use crate::error::{Error, TypeError};
use crate::ir::text::{Attribute, Attributes, Given};
use crate::ir::{BitMatrix, Dim, Func, Shape, Type};
use crate::loops::affine::Affine;
use crate::ops::work::FREE;
use crate::ops::{Batched, Cotangent, Folding, Mode, Op, Operand, Primitive, Tangent, reduce};
use crate::schedule::node::NodeId;
use crate::schedule::view::{AxisMap, Walk};
use crate::schedule::{Lowering, Wanted};
use crate::trace::{Var, bind1};

mod build;
mod eval;
mod overlay;
mod places;
mod types;

pub use build::{
    broadcast, broadcast_to, concat, insert_axis, move_axis, pad, reshape, reverse, row, slice,
    slice_axis, stack, transpose,
};
pub(super) use overlay::{Padded, sum_of_parts};
pub use places::{Places, places, row_major};
use types::padded;
pub(crate) use types::{ascending, known, sized};

/// An operation that moves, repeats or omits elements.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Layout {
    /// Repeats elements along new axes, and along axes of length 1.
    Broadcast {
        /// The shape of the result.
        shape: Shape,
        /// For each axis of the operand, the axis of the result that it becomes; ascending.
        axes: Vec<usize>,
    },
    /// Arranges the elements in another shape, in row-major order.
    Reshape {
        /// The shape of the result.
        dims: Vec<usize>,
    },
    /// Permutes the axes.
    Transpose {
        /// For each axis of the result, the axis of the operand that it was.
        axes: Vec<usize>,
    },
    /// Takes the elements `start`, `start + step`, .. below `limit` along each axis.
    Slice {
        /// The first element taken.
        start: Vec<usize>,
        /// The end, which is not taken.
        limit: Vec<usize>,
        /// The step, at least 1.
        step: Vec<usize>,
    },
    /// Puts zeros before, after and between the elements along each axis.
    Pad {
        /// The number of zeros before the elements.
        low: Vec<usize>,
        /// The number of zeros after the elements.
        high: Vec<usize>,
        /// The number of zeros between neighbours.
        interior: Vec<usize>,
    },
    /// Concatenates the operands.
    Concat {
        /// The axis; the other axes agree.
        axis: usize,
    },
    /// Reverses the order of the elements.
    Reverse {
        /// The axes; ascending.
        axes: Vec<usize>,
    },
}

use Layout::*;

impl Layout {
    /// Parses an operation of this family from the text form; `None` if it is none of this family.
    pub fn parse(name: &str, given: &Given, _: &[Func]) -> Option<Op> {
        let op = match name {
            "broadcast" => {
                let dim = |n: i64| match n {
                    -1 => Some(Dim::Run),
                    n => usize::try_from(n).ok().map(Dim::N),
                };
                let dims: Option<_> = given.ints("dims")?.into_iter().map(dim).collect();
                Broadcast {
                    shape: Shape(dims?),
                    axes: given.indices("axes")?,
                }
            }
            "reshape" => Reshape {
                dims: given.indices("dims")?,
            },
            "transpose" => Transpose {
                axes: given.indices("axes")?,
            },
            "slice" => Slice {
                start: given.indices("start")?,
                limit: given.indices("limit")?,
                step: given.indices("step")?,
            },
            "pad" => Pad {
                low: given.indices("low")?,
                high: given.indices("high")?,
                interior: given.indices("interior")?,
            },
            "concat" => Concat {
                axis: given.index("axis")?,
            },
            "reverse" => Reverse {
                axes: given.indices("axes")?,
            },
            _ => return None,
        };
        Some(Op::Layout(op))
    }
}

impl Primitive for Layout {
    fn name(&self) -> Cow<'static, str> {
        match self {
            Broadcast { .. } => "broadcast",
            Reshape { .. } => "reshape",
            Transpose { .. } => "transpose",
            Slice { .. } => "slice",
            Pad { .. } => "pad",
            Concat { .. } => "concat",
            Reverse { .. } => "reverse",
        }
        .into()
    }

    fn method(&self) -> Cow<'static, str> {
        match self {
            Broadcast { .. } => "broadcast_to".into(),
            _ => self.name(),
        }
    }

    fn parts(&self, inputs: &[Type]) -> Option<Vec<usize>> {
        if inputs.iter().any(|ty| ty.shape.has_run()) {
            return None;
        }
        match self {
            Reshape { .. } => Some(vec![0]),
            Broadcast { shape, .. } => {
                let size: usize = shape.known()?.iter().product();
                (size == inputs[0].size()).then(|| vec![0])
            }
            Concat { axis } => {
                let rows = inputs[0].dims()[..*axis].iter().all(|&n| n == 1);
                let start = |first: &mut usize, ty: &Type| {
                    let start = *first;
                    *first += ty.size();
                    Some(start)
                };
                rows.then(|| inputs.iter().scan(0, start).collect())
            }
            _ => None,
        }
    }

    fn attributes(&self) -> Attributes {
        let ints = |v: &[usize]| Attribute::Ints(v.iter().map(|&i| i as i64).collect());
        match self {
            Broadcast { shape, axes } => {
                let dim = |d: &Dim| match d {
                    Dim::N(n) => *n as i64,
                    Dim::Run => -1,
                };
                let dims = shape.0.iter().map(dim).collect();
                vec![("dims", Attribute::Ints(dims)), ("axes", ints(axes))]
            }
            Reshape { dims } => vec![("dims", ints(dims))],
            Transpose { axes } | Reverse { axes } => vec![("axes", ints(axes))],
            Slice { start, limit, step } => vec![
                ("start", ints(start)),
                ("limit", ints(limit)),
                ("step", ints(step)),
            ],
            Pad {
                low,
                high,
                interior,
            } => vec![
                ("low", ints(low)),
                ("high", ints(high)),
                ("interior", ints(interior)),
            ],
            Concat { axis } => vec![("axis", Attribute::Int(*axis as i64))],
        }
    }

    fn only_moves(&self) -> bool {
        true
    }

    fn types(&self, inputs: &[Type]) -> Result<Vec<Type>, TypeError> {
        self.result_types(inputs)
    }

    fn eval(&self, inputs: &[Buffer]) -> Result<Vec<Buffer>, Error> {
        Ok(vec![self.value(inputs)])
    }

    fn deps(&self, inputs: usize, outputs: usize) -> BitMatrix {
        BitMatrix::full(outputs, inputs)
    }

    fn folding(&self) -> Folding {
        match self {
            // The zeros between would replace a repeated number that is not zero; `pad` itself folds zeros.
            Pad { .. } => Folding::Keep,
            _ => Folding::Layout,
        }
    }

    fn jvp(&self, x: &[Var], dx: &[Tangent], _: Mode) -> (Vec<Var>, Vec<Tangent>) {
        let y = bind1(Op::Layout(self.clone()), x);
        let dx: Vec<Var> = x
            .iter()
            .zip(dx)
            .map(|(x, dx)| dx.unwrap_or_else(|| Var::zeros(&x.ty())))
            .collect();
        (vec![y], vec![Some(bind1(Op::Layout(self.clone()), &dx))])
    }

    fn transpose(&self, inputs: &[Operand], ct: &[Option<Cotangent>]) -> Vec<Option<Cotangent>> {
        let ct = ct[0].expect("the cotangent of the one result");
        let ty = inputs[0].ty();
        let back: Box<dyn FnOnce(Var) -> Var> = match self {
            Broadcast { shape, axes } => Box::new(move |ct| unbroadcast(ct, &ty, shape, axes)),
            Reshape { .. } => Box::new(move |ct| reshape(ct, &ty.dims())),
            Transpose { axes } => Box::new(|ct| {
                let mut inverse = vec![0; axes.len()];
                for (i, &a) in axes.iter().enumerate() {
                    inverse[a] = i;
                }
                transpose(ct, &inverse)
            }),
            Slice { start, step, .. } => Box::new(move |ct| {
                let interior: Vec<usize> = step.iter().map(|s| s - 1).collect();
                let behind = |(i, n): (usize, usize)| {
                    let covered = padded(n, start[i], 0, interior[i]).expect("typed");
                    ty.dims()[i] - covered
                };
                let high: Vec<usize> = ct.shape().into_iter().enumerate().map(behind).collect();
                pad(ct, start, &high, &interior)
            }),
            Pad { low, interior, .. } => Box::new(move |ct| {
                let limit = |(i, n): (usize, usize)| padded(n, low[i], 0, interior[i]);
                let limit = ty.dims().into_iter().enumerate().map(limit);
                let limit: Vec<usize> = limit.map(|n| n.expect("typed")).collect();
                let step: Vec<usize> = interior.iter().map(|n| n + 1).collect();
                slice(ct, low, &limit, &step)
            }),
            Reverse { axes } => Box::new(|ct| reverse(ct, axes)),
            Concat { axis } => {
                let mut first = 0;
                let mut parts = Vec::with_capacity(inputs.len());
                for input in inputs {
                    let part = first..first + input.ty().dims()[*axis];
                    first = part.end;
                    let back = |ct| slice_axis(ct, *axis, part);
                    parts.push(input.is_linear().then(|| ct.map(back)));
                }
                return parts;
            }
        };
        let unread = matches!(self, Slice { .. }) || ct.unread;
        vec![(inputs[0].is_linear()).then(|| Cotangent {
            unread,
            ..ct.map(back)
        })]
    }

    fn element_work(&self, _: &[Type]) -> Option<u64> {
        Some(FREE)
    }

    fn lower(
        &self,
        l: &mut Lowering,
        inputs: &[NodeId],
        outputs: &[Wanted],
    ) -> Result<Vec<NodeId>, Error> {
        let (x, want) = (inputs[0], &outputs[0]);
        if let Broadcast { shape, axes } = self {
            return Ok(vec![lower_broadcast(l, x, &want.ty, &shape.0, axes)?]);
        }
        let dims = l.dims(x);
        let map = |walks: &mut dyn Iterator<Item = Walk>| AxisMap {
            dims: want.ty.dims(),
            axes: walks.collect(),
        };
        let node = match self {
            Broadcast { .. } => unreachable!("above"),
            Reshape { dims } => l.reshape(x, dims)?,
            Transpose { axes } => l.remap(x, &AxisMap::transpose(&dims, axes))?,
            Slice { start, step, .. } => {
                let walk = |a: usize| Walk::from(start[a] as i64, a, step[a] as i64);
                l.remap(x, &map(&mut (0..dims.len()).map(walk)))?
            }
            Reverse { axes } => {
                let walk = |a: usize| match axes.contains(&a) {
                    true => Walk::from(dims[a] as i64 - 1, a, -1),
                    false => Walk::whole(a),
                };
                l.remap(x, &map(&mut (0..dims.len()).map(walk)))?
            }
            Pad { low, interior, .. } => {
                let step: Vec<usize> = interior.iter().map(|n| n + 1).collect();
                l.pad(x, low, &step, want)?
            }
            Concat { axis } => l.concat(inputs, *axis, want)?,
        };
        Ok(vec![node])
    }

    fn batch(&self, inputs: &[Batched], size: usize) -> Vec<Batched> {
        let x = inputs[0];
        let later = |axes: &[usize]| axes.iter().map(|a| a + 1).collect::<Vec<_>>();
        let behind = |first: usize, axes: &[usize]| {
            std::iter::once(first)
                .chain(axes.iter().copied())
                .collect::<Vec<_>>()
        };
        let op = match self {
            Broadcast { shape, axes } => {
                let at = shape.batch_axis();
                let to = |(i, &a): (usize, &usize)| if i < at { a } else { a + 1 };
                let mut axes: Vec<usize> = axes.iter().enumerate().map(to).collect();
                axes.insert(at, at);
                let mut shape = shape.clone();
                shape.0.insert(at, Dim::N(size));
                Broadcast { shape, axes }
            }
            Reshape { dims } => Reshape {
                dims: behind(size, dims),
            },
            Transpose { axes } => Transpose {
                axes: behind(0, &later(axes)),
            },
            Slice { start, limit, step } => Slice {
                start: behind(0, start),
                limit: behind(size, limit),
                step: behind(1, step),
            },
            Pad {
                low,
                high,
                interior,
            } => Pad {
                low: behind(0, low),
                high: behind(0, high),
                interior: behind(0, interior),
            },
            Reverse { axes } => Reverse { axes: later(axes) },
            Concat { axis } => {
                let parts: Vec<Var> = inputs.iter().map(|x| x.spread(size)).collect();
                return vec![Batched::mapped(concat(&parts, axis + 1))];
            }
        };
        vec![Batched::mapped(bind1(Op::Layout(op), &[x.value]))]
    }
}

/// Sums over the axes that a broadcast repeated.
fn unbroadcast(ct: Var, ty: &Type, shape: &Shape, axes: &[usize]) -> Var {
    let repeated: Vec<usize> = (0..shape.rank())
        .filter(|a| match axes.iter().position(|b| b == a) {
            Some(i) => ty.shape.0[i] != shape.0[*a],
            None => true,
        })
        .collect();
    let sum = reduce::sum(ct, &repeated);
    match ty.shape.has_run() {
        true => sum,
        false => reshape(sum, &ty.dims()),
    }
}

/// Lowers a broadcast: an axis of length 1 is read at its one place, whatever length it becomes.
fn lower_broadcast(
    l: &mut Lowering,
    x: NodeId,
    ty: &Type,
    dims: &[Dim],
    axes: &[usize],
) -> Result<NodeId, Error> {
    if ty.shape.has_run() {
        // The axes of lists pass through unchanged; they are never repeated.
        let row = ty.row();
        let axes: Vec<usize> = axes[1..].iter().map(|a| a - 1).collect();
        let make = move |l: &mut Lowering, rows: &[NodeId]| {
            lower_broadcast(l, rows[0], &row, &row.shape.0.clone(), &axes)
        };
        return Ok(l.rows(ty.clone(), smallvec::smallvec![x], make));
    }
    let from = l.dims(x);
    let walk = |(a, &axis): (usize, &usize)| match Dim::N(from[a]) == dims[axis] {
        true => Walk::whole(axis),
        false => Walk::at(Affine::default()),
    };
    let map = AxisMap {
        dims: ty.dims(),
        axes: axes.iter().enumerate().map(walk).collect(),
    };
    l.remap(x, &map)
}
