//! Discrete Fourier transforms along the last axis.

use std::borrow::Cow;
use std::sync::Arc;

use crate::buffer::{Buffer, Data, Dense, Element};
use crate::error::{Error, TypeError};
use crate::fourier::{Kind, Number, Plan};
use crate::ir::text::{Attribute, Attributes, Given};
use crate::ir::{DType, Func, Type};
use crate::loops::kernel;
use crate::ops::layout::{concat, known, slice_axis};
use crate::ops::{Batched, Cotangent, Mode, Op, Operand, Primitive, Tangent, elementwise};
use crate::schedule::node::NodeId;
use crate::schedule::{Lowering, Wanted};
use crate::trace::{Var, bind};

/// A transform of each row along the last axis, not scaled: see [`Kind`]. Complex numbers are two operands or results,
/// their real and imaginary parts.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Fft {
    /// What is computed.
    pub kind: Kind,
    /// The length of the transform, at least 1.
    pub n: usize,
}

/// Records a transform of complex numbers to as many, with the factors `exp(-2πi jk/n)`.
#[track_caller]
pub fn forward(re: Var, im: Var) -> (Var, Var) {
    complex(Kind::Forward, re, im)
}

/// Records a transform of complex numbers to as many, with the factors `exp(2πi jk/n)`.
#[track_caller]
pub fn backward(re: Var, im: Var) -> (Var, Var) {
    complex(Kind::Backward, re, im)
}

#[track_caller]
fn complex(kind: Kind, re: Var, im: Var) -> (Var, Var) {
    let n = last(re);
    let y = bind(Op::Fft(Fft { kind, n }), &[re, im]);
    (y[0], y[1])
}

/// Records the first half of the [`forward`] transform of real numbers: `n/2 + 1` numbers.
#[track_caller]
pub fn to_half(x: Var) -> (Var, Var) {
    let kind = Kind::ToHalf;
    let y = bind(Op::Fft(Fft { kind, n: last(x) }), &[x]);
    (y[0], y[1])
}

/// Records the [`backward`] transform, of length `n`, of the numbers of which these are the first half and the others
/// their conjugates.
#[track_caller]
pub fn from_half(re: Var, im: Var, n: usize) -> Var {
    let kind = Kind::FromHalf;
    bind(Op::Fft(Fft { kind, n }), &[re, im])[0]
}

fn last(x: Var) -> usize {
    x.ty().dims().last().copied().unwrap_or(0)
}

/// Multiplies those numbers of a half that stand for their conjugates, too.
fn times_paired(x: Var, n: usize, factor: f64) -> Var {
    let ty = x.ty();
    let (axis, half) = (ty.rank() - 1, n / 2 + 1);
    let end = n.div_ceil(2);
    let part = |from: usize, to: usize| slice_axis(x, axis, from..to);
    let scaled = elementwise::mul(part(1, end), Var::full(&part(1, end).ty(), factor));
    let parts = [part(0, 1), scaled, part(end.max(1), half)];
    let parts: Vec<Var> = (parts.into_iter())
        .filter(|p| p.ty().dims()[axis] > 0)
        .collect();
    concat(&parts, axis)
}

impl Fft {
    /// Parses an operation of this family from the text form; `None` if it is none of this family.
    pub fn parse(name: &str, given: &Given, _: &[Func]) -> Option<Op> {
        match name {
            "fft" => Some(Op::Fft(Fft {
                kind: Kind::named(given.name("kind")?)?,
                n: given.index("n")?,
            })),
            _ => None,
        }
    }

    fn record(&self, x: &[Var]) -> Vec<Var> {
        bind(Op::Fft(*self), x)
    }

    fn compute<T: Number + Element>(&self, x: &[Buffer], len: usize) -> Vec<Data> {
        let from: Vec<&[T]> = x
            .iter()
            .map(|x| T::slice(&x.dense().data).expect("elements of one type"))
            .collect();
        let mut to = vec![vec![T::default(); len]; self.kind.written(self.n).0];
        let mut parts: Vec<&mut [T]> = to.iter_mut().map(|v| &mut v[..]).collect();
        Plan::of(self.kind, self.n).rows(&from, &mut parts);
        to.into_iter().map(T::wrap).collect()
    }
}

/// The value of a cotangent, or zeros where it is absent.
fn or_zeros(ct: Option<Cotangent>, ty: &Type) -> Var {
    ct.map_or_else(|| Var::zeros(ty), |ct| ct.value)
}

impl Primitive for Fft {
    fn name(&self) -> Cow<'static, str> {
        "fft".into()
    }

    fn attributes(&self) -> Attributes {
        vec![
            ("kind", Attribute::Name(self.kind.name().into())),
            ("n", Attribute::Int(self.n as i64)),
        ]
    }

    fn types(&self, inputs: &[Type]) -> Result<Vec<Type>, TypeError> {
        let (parts, read) = self.kind.read(self.n);
        if inputs.len() != parts {
            let message = format!("{} operands, not {parts}", inputs.len());
            return Err(TypeError::new(message));
        }
        if let Some(other) = inputs.iter().find(|x| **x != inputs[0]) {
            let message = format!("{} and {other} are no parts of one array", inputs[0]);
            return Err(TypeError::new(message));
        }
        let x = &inputs[0];
        if !x.is_float() {
            return Err(TypeError::new(format!("{x} is not an array of floats")));
        }
        let mut dims = known(x)?;
        if self.n == 0 {
            return Err(TypeError::new("a transform of no numbers"));
        }
        let (parts, written) = self.kind.written(self.n);
        match dims.last_mut() {
            Some(last) if *last == read => *last = written,
            _ => {
                let message = format!("the last axis of {x} has not the length {read}");
                return Err(TypeError::new(message));
            }
        }
        Ok(vec![x.with_dims(&dims); parts])
    }

    fn eval(&self, inputs: &[Buffer]) -> Result<Vec<Buffer>, Error> {
        let types: Vec<Type> = inputs.iter().map(|x| x.dense().ty()).collect();
        let ty = self
            .types(&types)
            .expect("operands that were checked")
            .remove(0);
        let data = match ty.dtype {
            DType::F32 => self.compute::<f32>(inputs, ty.size()),
            _ => self.compute::<f64>(inputs, ty.size()),
        };
        let dense = |data| Buffer::Dense(Dense::new(ty.dims(), data));
        Ok(data.into_iter().map(dense).collect())
    }

    /// It is linear.
    fn jvp(&self, x: &[Var], dx: &[Tangent], _: Mode) -> (Vec<Var>, Vec<Tangent>) {
        let tangents: Vec<Var> = dx
            .iter()
            .zip(x)
            .map(|(d, x)| d.unwrap_or_else(|| Var::zeros(&x.ty())))
            .collect();
        let changed = self.record(&tangents).into_iter().map(Some).collect();
        (self.record(x), changed)
    }

    /// The matrix of a transform is symmetric. As a real matrix on both parts it is orthogonal but for its scale, so its
    /// transpose is the transform in the other direction. A half stands for the other half, too.
    fn transpose(&self, inputs: &[Operand], ct: &[Option<Cotangent>]) -> Vec<Option<Cotangent>> {
        let types: Vec<Type> = inputs.iter().map(Operand::ty).collect();
        let of = self.types(&types).expect("operands that were checked");
        let present: Vec<Cotangent> = ct.iter().flatten().copied().collect();
        let marks = (present.iter().copied()).reduce(Cotangent::joined);
        let marks = marks.expect("a cotangent");
        let ct: Vec<Var> = (ct.iter().zip(&of))
            .map(|(ct, ty)| or_zeros(*ct, ty))
            .collect();
        let back: Vec<Var> = match self.kind {
            Kind::Forward => {
                let (re, im) = backward(ct[0], ct[1]);
                vec![re, im]
            }
            Kind::Backward => {
                let (re, im) = forward(ct[0], ct[1]);
                vec![re, im]
            }
            Kind::ToHalf => {
                let [re, im] = [ct[0], ct[1]].map(|x| times_paired(x, self.n, 0.5));
                vec![from_half(re, im, self.n)]
            }
            Kind::FromHalf => {
                let (re, im) = to_half(ct[0]);
                vec![times_paired(re, self.n, 2.0), times_paired(im, self.n, 2.0)]
            }
        };
        let linear = back.into_iter().zip(inputs);
        linear
            .map(|(value, x)| x.is_linear().then(|| marks.map(|_| value)))
            .collect()
    }

    fn batch(&self, inputs: &[Batched], size: usize) -> Vec<Batched> {
        let x: Vec<Var> = inputs.iter().map(|b| b.spread(size)).collect();
        self.record(&x).into_iter().map(Batched::mapped).collect()
    }

    fn lower(
        &self,
        l: &mut Lowering,
        inputs: &[NodeId],
        outputs: &[Wanted],
    ) -> Result<Vec<NodeId>, Error> {
        let dims = l.dims(inputs[0]);
        let rows = dims[..dims.len() - 1].iter().product();
        let dtype = l.ty(inputs[0]).dtype;
        let kernel = kernel::Fft::new(dtype, self.kind, rows, self.n);
        l.kernel(Arc::new(kernel), inputs, outputs)
    }

    fn is_large(&self, _: &[Type]) -> bool {
        true
    }
}
