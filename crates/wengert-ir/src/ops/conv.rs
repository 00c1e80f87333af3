//! Convolutions with several channels, along any number of axes.

use std::borrow::Cow;
use std::sync::Arc;

use crate::buffer::Buffer;
use crate::error::{Error, TypeError};
use crate::eval;
use crate::ir::text::{Attribute, Attributes, Given};
use crate::ir::{Func, Type};
use crate::ops::dot::Dot;
use crate::ops::layout::{self, known};
use crate::ops::scan::expect_types;
use crate::ops::{
    Batched, Cotangent, Mode, Op, Operand, Primitive, Tangent, add_tangents, elementwise,
    not_linear,
};
use crate::schedule::node::NodeId;
use crate::schedule::{Lowering, Wanted};
use crate::trace::{Kind, Var, bind1, closed};

mod body;

/// One axis along which a kernel moves.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Axis {
    /// Elements from one place of the kernel to the next.
    pub stride: usize,
    /// Zeros before the input, and after it; negative numbers cut elements off.
    pub pad: (i64, i64),
    /// Elements of the spread input for each element of it: the others are zeros.
    pub spread: usize,
    /// Elements of the input from one element of the kernel to the next.
    pub dilation: usize,
}

impl Axis {
    /// The length of the input with its zeros.
    pub fn padded(&self, n: usize) -> Option<usize> {
        usize::try_from(spread(n, self.spread) + self.pad.0 + self.pad.1).ok()
    }

    /// The number of places of a kernel of length `k` in an input of length `n`.
    pub fn places(&self, n: usize, k: usize) -> usize {
        let (padded, k) = (self.padded(n).unwrap_or(0), spread(k, self.dilation));
        match (padded as i64).checked_sub(k) {
            Some(rest) if rest >= 0 && k > 0 => rest as usize / self.stride + 1,
            _ => 0,
        }
    }
}

/// The length of `n` elements with zeros between them.
fn spread(n: usize, by: usize) -> i64 {
    match n {
        0 => 0,
        _ => ((n - 1) * by + 1) as i64,
    }
}

/// `y[b, n, o, t..] = Σ x[b, n, c, t * stride + k * dilation - low..] w[b, o, c, k..]`, the sum over the channels `c` and
/// the elements `k..` of the kernel. The batch axis `b` is of both operands: groups of channels, for example.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Conv {
    /// The axes after the channels.
    pub axes: Vec<Axis>,
    /// The operand, if any, whose zeros make a product zero whatever the other factor is.
    pub wins: Option<usize>,
    /// The sum, composed of other operations.
    body: Func,
}

/// Records a convolution of `x` (`[b, n, c, ..]`) with `w` (`[b, o, c, ..]`), which have one element type.
#[track_caller]
pub fn conv(x: Var, w: Var, axes: &[Axis]) -> Var {
    of(x, w, axes, None)
}

#[track_caller]
fn of(x: Var, w: Var, axes: &[Axis], wins: Option<usize>) -> Var {
    let types = [x.ty(), w.ty()];
    let sum = |v: &[Var]| vec![body::compose(v[0], v[1], axes, wins)];
    let body = closed(Kind::Barrier, &types, sum).func;
    let axes = axes.to_vec();
    bind1(Op::Conv(Arc::new(Conv { axes, wins, body })), &[x, w])
}

impl Conv {
    /// Parses an operation of this family from the text form; `None` if it is none of this family.
    pub fn parse(name: &str, given: &Given, bodies: &[Func]) -> Option<Op> {
        let ("conv", [body]) = (name, bodies) else {
            return None;
        };
        let stride = given.indices("stride")?;
        let (low, high) = (given.ints("low")?, given.ints("high")?);
        let (spread, dilation) = (given.indices("spread")?, given.indices("dilation")?);
        let axis = |i: usize| {
            Some(Axis {
                stride: stride[i],
                pad: (*low.get(i)?, *high.get(i)?),
                spread: *spread.get(i)?,
                dilation: *dilation.get(i)?,
            })
        };
        let axes: Option<Vec<Axis>> = (0..stride.len()).map(axis).collect();
        Some(Op::Conv(Arc::new(Conv {
            axes: axes?,
            wins: usize::try_from(given.int("wins")?).ok(),
            body: body.clone(),
        })))
    }
}

/// Exchanges two axes.
fn exchanged(x: Var, a: usize, b: usize) -> Var {
    let mut order: Vec<usize> = (0..x.rank()).collect();
    order.swap(a, b);
    layout::transpose(x, &order)
}

impl Primitive for Conv {
    fn name(&self) -> Cow<'static, str> {
        "conv".into()
    }

    fn attributes(&self) -> Attributes {
        let of = |f: fn(&Axis) -> i64| Attribute::Ints(self.axes.iter().map(f).collect());
        vec![
            ("stride", of(|a| a.stride as i64)),
            ("low", of(|a| a.pad.0)),
            ("high", of(|a| a.pad.1)),
            ("spread", of(|a| a.spread as i64)),
            ("dilation", of(|a| a.dilation as i64)),
            ("wins", Attribute::Int(self.wins.map_or(-1, |w| w as i64))),
        ]
    }

    fn types(&self, inputs: &[Type]) -> Result<Vec<Type>, TypeError> {
        expect_types("operand", inputs, self.body.param_types())?;
        for x in inputs {
            known(x)?;
        }
        Ok(self.body.result_types())
    }

    fn eval(&self, inputs: &[Buffer]) -> Result<Vec<Buffer>, Error> {
        eval::run(&self.body, inputs.to_vec())
    }

    fn is_shared(&self) -> bool {
        true
    }

    fn bodies(&self) -> Vec<&Func> {
        vec![&self.body]
    }

    fn call(&self) -> Option<&Func> {
        Some(&self.body)
    }

    fn with_bodies(&self, rewrite: &mut dyn FnMut(&Func) -> Func) -> Option<Op> {
        let body = rewrite(&self.body);
        Some(Op::Conv(Arc::new(Conv {
            axes: self.axes.clone(),
            wins: self.wins,
            body,
        })))
    }

    fn jvp(&self, x: &[Var], dx: &[Tangent], _: Mode) -> (Vec<Var>, Vec<Tangent>) {
        let record = |a, b| of(a, b, &self.axes, self.wins);
        let first = dx[0].map(|d| record(d, x[1]));
        let second = dx[1].map(|d| record(x[0], d));
        (vec![record(x[0], x[1])], vec![add_tangents(first, second)])
    }

    /// The cotangent moves over the kernel, reversed, or over the input: either is a convolution, in which stride and
    /// spread, or stride and dilation, have changed places.
    fn transpose(&self, inputs: &[Operand], ct: &[Option<Cotangent>]) -> Vec<Option<Cotangent>> {
        let ct = ct[0].expect("the cotangent of the one result");
        let places = &ct.value.ty().dims()[3..];
        let (x, w) = (inputs[0].ty().dims(), inputs[1].ty().dims());
        if [ct.value.ty(), inputs[0].ty(), inputs[1].ty()]
            .iter()
            .any(|t| t.size() == 0)
        {
            let zeros = |x: &Operand| x.is_linear().then(|| ct.map(|_| Var::zeros(&x.ty())));
            return inputs.iter().map(zeros).collect();
        }
        match inputs {
            [Operand::Linear(_), Operand::Known(kernel)] => {
                let axes: Vec<Axis> = (self.axes.iter().enumerate())
                    .map(|(i, a)| {
                        let k = spread(w[3 + i], a.dilation);
                        let low = k - 1 - a.pad.0;
                        let to = spread(x[3 + i], a.spread);
                        let high = to + k - 1 - spread(places[i], a.stride) - low;
                        Axis {
                            stride: a.spread,
                            pad: (low, high),
                            spread: a.stride,
                            dilation: a.dilation,
                        }
                    })
                    .collect();
                let last: Vec<usize> = (3..w.len()).collect();
                let kernel = exchanged(layout::reverse(*kernel, &last), 1, 2);
                let wins = self.pulled(ct, 1);
                vec![Some(ct.map(|ct| of(ct, kernel, &axes, wins))), None]
            }
            [Operand::Known(input), Operand::Linear(_)] => {
                let axes: Vec<Axis> = (self.axes.iter().enumerate())
                    .map(|(i, a)| {
                        let all = spread(w[3 + i], a.dilation) + spread(places[i], a.stride);
                        let high = all - 1 - spread(x[3 + i], a.spread) - a.pad.0;
                        Axis {
                            stride: a.dilation,
                            pad: (a.pad.0, high),
                            spread: a.spread,
                            dilation: a.stride,
                        }
                    })
                    .collect();
                let input = exchanged(*input, 1, 2);
                let wins = self.pulled(ct, 0).map(|w| 1 - w);
                let of_kernel = |ct| exchanged(of(input, exchanged(ct, 1, 2), &axes, wins), 1, 2);
                vec![None, Some(ct.map(of_kernel))]
            }
            _ => not_linear("a convolution"),
        }
    }

    /// What is mapped becomes more examples, more kernels, or both more batches.
    fn batch(&self, inputs: &[Batched], size: usize) -> Vec<Batched> {
        let (x, w) = (inputs[0], inputs[1]);
        // The new axis in front of another one, and joined with it.
        let into = |x: Var, at: usize| {
            let moved = layout::move_axis(x, 0, at);
            let mut dims = moved.ty().dims();
            let first = dims.remove(at);
            dims[at] *= first;
            layout::reshape(moved, &dims)
        };
        let at = match (x.mapped, w.mapped) {
            (true, true) => 0,
            (true, false) => 1,
            _ => 2,
        };
        let a = if x.mapped { into(x.value, at) } else { x.value };
        let kernels = if at == 2 { 1 } else { at };
        let b = if w.mapped {
            into(w.value, kernels)
        } else {
            w.value
        };
        let y = of(a, b, &self.axes, self.wins);
        let mut dims = y.ty().dims();
        dims[at] /= size.max(1);
        dims.insert(at, size);
        let y = layout::reshape(y, &dims);
        vec![Batched::mapped(layout::move_axis(y, at, 0))]
    }

    fn lower(
        &self,
        l: &mut Lowering,
        inputs: &[NodeId],
        outputs: &[Wanted],
    ) -> Result<Vec<NodeId>, Error> {
        let places: Vec<_> = outputs.iter().map(|want| want.place.clone()).collect();
        l.call(&self.body, inputs, &places)
    }
}

impl Conv {
    /// The operand whose zeros win in the derivative, of the cotangent and then the `known` operand.
    fn pulled(&self, ct: Cotangent, known: usize) -> Option<usize> {
        match self.wins {
            Some(wins) if wins == known => Some(1),
            Some(_) => Some(0),
            None => ct.zero_wins().then_some(0),
        }
    }
}
