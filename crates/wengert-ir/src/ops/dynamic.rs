//! Windows whose position is traced.

use std::borrow::Cow;

use crate::buffer::{Buffer, Dense};
use crate::error::{Error, TypeError};
use crate::ir::text::{Attribute, Attributes, Given};
use crate::ir::{BitMatrix, DType, Func, Type};
use crate::ops::index::{self, Bounds, whole};
use crate::ops::layout::{self, known, places, row_major};
use crate::ops::{
    Batched, Cotangent, Mode, Op, Operand, Primitive, Tangent, convert, elementwise, iota,
};
use crate::schedule::node::NodeId;
use crate::schedule::{Lowering, Wanted};
use crate::trace::{Var, bind1};

/// Reads or writes the window of an array that starts at traced indices, one for each axis, each an integer of any
/// type. An index is clamped so that the window lies inside the array.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Dynamic {
    /// `(x, i..)`: reads the window of the given lengths.
    Slice {
        /// The lengths of the window.
        sizes: Vec<usize>,
    },
    /// `(x, u, i..)`: replaces the window of the lengths of `u` in `x` by `u`.
    Update,
}

use Dynamic::{Slice, Update};

/// Records the read of the window of lengths `sizes` that starts at `start`, clamped so that it lies inside.
#[track_caller]
pub fn slice(x: Var, start: &[Var], sizes: &[usize]) -> Var {
    let sizes = sizes.to_vec();
    let inputs = [&[x], start].concat();
    let window = bind1(Op::Dynamic(Slice { sizes }), &inputs);
    match x.as_literal() {
        Some(l) => Var::literal(crate::ir::Splat::new(&window.ty(), l.bits)),
        None => window,
    }
}

/// Records `x` with the window that starts at `start` replaced by `u`, clamped so that it lies inside.
#[track_caller]
pub fn update(x: Var, u: Var, start: &[Var]) -> Var {
    bind1(Op::Dynamic(Update), &[&[x, u], start].concat())
}

impl Dynamic {
    /// Parses an operation of this family from the text form; `None` if it is none of this family.
    pub fn parse(name: &str, given: &Given, _: &[Func]) -> Option<Op> {
        match name {
            "dynamic_slice" => Some(Op::Dynamic(Slice {
                sizes: given.indices("sizes")?,
            })),
            "dynamic_update" => Some(Op::Dynamic(Update)),
            _ => None,
        }
    }

    /// Returns the number of operands in front of the indices.
    fn arrays(&self) -> usize {
        match self {
            Slice { .. } => 1,
            Update => 2,
        }
    }
}

impl Primitive for Dynamic {
    fn name(&self) -> Cow<'static, str> {
        match self {
            Slice { .. } => "dynamic_slice",
            Update => "dynamic_update",
        }
        .into()
    }

    fn attributes(&self) -> Attributes {
        match self {
            Slice { sizes } => {
                let sizes = sizes.iter().map(|&n| n as i64).collect();
                vec![("sizes", Attribute::Ints(sizes))]
            }
            Update => vec![],
        }
    }

    fn only_moves(&self) -> bool {
        true
    }

    fn types(&self, inputs: &[Type]) -> Result<Vec<Type>, TypeError> {
        if inputs.len() < self.arrays() {
            return Err(TypeError::new(crate::error::counted(
                inputs.len(),
                "operand",
                "operands",
            )));
        }
        let (arrays, indices) = inputs.split_at(self.arrays());
        let x = &arrays[0];
        let dims = known(x)?;
        if indices.len() != dims.len() {
            return Err(TypeError::new(format!(
                "{} for the {} of {x}",
                crate::error::counted(indices.len(), "index", "indices"),
                crate::error::counted(dims.len(), "axis", "axes")
            )));
        }
        if let Some(i) = indices.iter().find(|i| !i.dtype.is_int() || i.rank() != 0) {
            return Err(TypeError::new(format!(
                "an index is a whole number, not {i}"
            )));
        }
        let (window, ty) = match self {
            Slice { sizes } => (x.with_dims(sizes), x.with_dims(sizes)),
            Update => (arrays[1].clone(), x.clone()),
        };
        let sizes = known(&window)?;
        let inside = sizes.len() == dims.len() && sizes.iter().zip(&dims).all(|(s, d)| s <= d);
        if window.dtype != x.dtype || !inside {
            return Err(TypeError::new(format!("{window} is not a window of {x}")));
        }
        Ok(vec![ty])
    }

    fn eval(&self, inputs: &[Buffer]) -> Result<Vec<Buffer>, Error> {
        let x = inputs[0].dense();
        let sizes = match self {
            Slice { sizes } => &sizes[..],
            Update => &inputs[1].dense().dims,
        };
        let strides = row_major(&x.dims);
        let mut first = 0;
        for (axis, i) in inputs[self.arrays()..].iter().enumerate() {
            let last = (x.dims[axis] - sizes[axis]) as i128;
            let i = whole(&i.dense().data, 0).clamp(0, last);
            first += i as isize * strides[axis];
        }
        let window = places(sizes, first, &strides);
        Ok(vec![Buffer::Dense(match self {
            Slice { .. } => Dense::new(sizes, x.data.pick(window)),
            Update => {
                let mut data = (*x.data).clone();
                for (k, place) in window.enumerate() {
                    data.set_bits(place, inputs[1].dense().data.bits(k));
                }
                Dense::new(x.dims.clone(), data)
            }
        })])
    }

    fn deps(&self, inputs: usize, outputs: usize) -> BitMatrix {
        BitMatrix::from_fn(outputs, inputs, |_, i| i < self.arrays())
    }

    fn jvp(&self, x: &[Var], dx: &[Tangent], _: Mode) -> (Vec<Var>, Vec<Tangent>) {
        let (arrays, start) = x.split_at(self.arrays());
        let zeros = |(x, dx): (&Var, &Tangent)| dx.unwrap_or_else(|| Var::zeros(&x.ty()));
        let dx: Vec<Var> = arrays.iter().zip(dx).map(zeros).collect();
        let both = |arrays: &[Var]| match self {
            Slice { sizes } => slice(arrays[0], start, sizes),
            Update => update(arrays[0], arrays[1], start),
        };
        (vec![both(arrays)], vec![Some(both(&dx))])
    }

    fn transpose(&self, inputs: &[Operand], ct: &[Option<Cotangent>]) -> Vec<Option<Cotangent>> {
        let ct = ct[0].expect("the cotangent of the one result");
        let (arrays, start) = inputs.split_at(self.arrays());
        let start: Vec<Var> = start.iter().map(|i| i.known()).collect();
        let mut back = vec![None; inputs.len()];
        let ty = arrays[0].ty();
        match self {
            Slice { .. } => {
                let zeros = Var::zeros(&ty);
                back[0] = Some(ct.map(|ct| update(zeros, ct, &start)).masked());
            }
            Update => {
                let window = arrays[1].ty();
                if arrays[0].is_linear() {
                    let zeros = Var::zeros(&window);
                    back[0] = Some(ct.map(|ct| update(ct, zeros, &start)).masked());
                }
                if arrays[1].is_linear() {
                    back[1] = Some(ct.map(|ct| slice(ct, &start, &window.dims())));
                }
            }
        }
        back
    }

    fn in_place_of(&self, _: usize) -> Option<usize> {
        matches!(self, Update).then_some(0)
    }

    fn lower(
        &self,
        l: &mut Lowering,
        inputs: &[NodeId],
        outputs: &[Wanted],
    ) -> Result<Vec<NodeId>, Error> {
        let (arrays, indices) = inputs.split_at(self.arrays());
        Ok(vec![match self {
            Slice { sizes } => l.dynamic_slice(arrays[0], indices, sizes)?,
            Update => l.dynamic_update(arrays[0], arrays[1], indices, &outputs[0])?,
        }])
    }

    fn batch(&self, inputs: &[Batched], size: usize) -> Vec<Batched> {
        let (arrays, start) = inputs.split_at(self.arrays());
        let value = match start.iter().any(|i| i.mapped) {
            true => self.batch_apart(arrays, start, size),
            false => {
                // One window for the whole batch, with one more axis.
                let start: Vec<Var> = (std::iter::once(Var::scalar(0i64)))
                    .chain(start.iter().map(|i| i.value))
                    .collect();
                match self {
                    Slice { sizes } => {
                        let sizes = [&[size], &sizes[..]].concat();
                        slice(arrays[0].value, &start, &sizes)
                    }
                    Update => update(arrays[0].spread(size), arrays[1].spread(size), &start),
                }
            }
        };
        vec![Batched::mapped(value)]
    }
}

impl Dynamic {
    /// Records a window per element of the batch, each at its own position: rows are gathered from, or
    /// scattered to, the array, flattened except for the axes that the window covers completely.
    fn batch_apart(&self, arrays: &[Batched], start: &[Batched], size: usize) -> Var {
        let x = arrays[0];
        let dims = x.element_type().dims();
        let sizes = match self {
            Slice { sizes } => sizes.clone(),
            Update => arrays[1].element_type().dims(),
        };
        let lead = (0..dims.len()).rfind(|&k| sizes[k] != dims[k]);
        let lead = lead.map_or(0, |k| k + 1);
        let rows: usize = dims[..lead].iter().product();
        let row: usize = dims[lead..].iter().product();
        let taken: usize = sizes[..lead].iter().product();
        let places = window(&dims[..lead], &sizes[..lead], &start[..lead], size);
        match self {
            Slice { .. } => {
                let found = match x.mapped {
                    true => {
                        let x = layout::reshape(x.value, &[size, rows, row]);
                        index::gather(x, places, 1, 1, Bounds::Clamp)
                    }
                    false => {
                        let x = layout::reshape(x.value, &[rows, row]);
                        index::gather(x, places, 0, 0, Bounds::Clamp)
                    }
                };
                layout::reshape(found, &[&[size], &sizes[..]].concat())
            }
            Update => {
                let x = layout::reshape(x.spread(size), &[size, rows, row]);
                let u = layout::reshape(arrays[1].spread(size), &[size, taken, row]);
                let written = index::scatter_set(x, places, u, 1, 1, Bounds::Clamp);
                layout::reshape(written, &[&[size], &dims[..]].concat())
            }
        }
    }
}

/// Returns the positions, in a row-major array of lengths `dims`, of a window for each element of the batch:
/// `i64[size, elements of the window]`.
fn window(dims: &[usize], sizes: &[usize], start: &[Batched], size: usize) -> Var {
    let full: Vec<usize> = [&[size], sizes].concat();
    let ty = Type::new(DType::I64, &full);
    let mut total = Var::zeros(&ty);
    for (k, stride) in row_major(dims).into_iter().enumerate() {
        let first = index::clamped(start[k].value, dims[k] - sizes[k]);
        let first = convert::convert(first, DType::I64);
        let axes: &[usize] = if start[k].mapped { &[0] } else { &[] };
        let first = layout::broadcast(first, &ty.shape, axes);
        let along = elementwise::add(first, iota::iota(ty.clone(), k + 1));
        let stride = Var::full(&ty, stride as f64);
        total = elementwise::add(total, elementwise::mul(along, stride));
    }
    layout::reshape(total, &[size, sizes.iter().product()])
}
