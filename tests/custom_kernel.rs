//! An operation from outside with a kernel of its own: nothing else knows of it, and it goes through every transform.

use std::borrow::Cow;
use std::sync::Arc;

use wengert::backend::Interpreter;
use wengert::prelude::*;
use wengert::{Error, Type};
use wengert_check::{check_grads, check_vmap};
use wengert_ir::buffer::{Buffer, Data, Dense};
use wengert_ir::error::TypeError;
use wengert_ir::loops::kernel::{Elements, Kernel, Region, Regions, same_value};
use wengert_ir::ops::custom::custom;
use wengert_ir::ops::{Batched, Cotangent, Mode, Operand, Primitive, Tangent};
use wengert_ir::schedule::node::NodeId;
use wengert_ir::schedule::{Lowering, Wanted};

/// Elements of a matrix.
const SIZE: usize = 9;

/// The running products of 3x3 matrices, `p[i] = a[0] a[1] .. a[i]`, along the axis before the last two.
#[derive(Debug)]
struct Products;

#[track_caller]
fn products(a: Var) -> Var {
    custom(Products, &[a])[0]
}

/// The same as a loop, which has a derivative.
fn by_a_loop(a: Var) -> Var {
    scan(eye(3), a, |p: Var, a: Var| {
        let p = p.dot(a);
        (p, p)
    })
    .1
}

fn compute(a: &[f64], n: usize, out: &mut [f64]) {
    for (a, out) in a.chunks(n * SIZE).zip(out.chunks_mut(n * SIZE)) {
        let mut p = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0];
        for (a, out) in a.chunks(SIZE).zip(out.chunks_mut(SIZE)) {
            let element = |i: usize| {
                let terms = (0..3).map(|k| p[i / 3 * 3 + k] * a[k * 3 + i % 3]);
                terms.reduce(|x, y| x + y).expect("three terms")
            };
            p = std::array::from_fn(element);
            out.copy_from_slice(&p);
        }
    }
}

#[derive(Clone, Copy, PartialEq, Debug)]
struct ProductsKernel {
    rows: usize,
    n: usize,
}

impl Kernel for ProductsKernel {
    fn text(&self) -> String {
        format!("matrix_products {}x{}", self.rows, self.n)
    }

    fn description(&self) -> String {
        format!("the running products of {} matrices", self.n)
    }

    fn regions(&self) -> Regions {
        let len = self.rows * self.n * SIZE;
        Regions::from_iter([
            Region::read(DType::F64, len),
            Region::write(DType::F64, len),
        ])
    }

    fn nanoseconds(&self) -> f64 {
        15.0 * (self.rows * self.n) as f64
    }

    fn run(&self, regions: &mut [Elements<'_>]) -> Result<(), Error> {
        let [a, out] = regions else {
            panic!("two regions");
        };
        compute(a.read().typed(), self.n, out.write().typed());
        Ok(())
    }

    fn equals(&self, other: &dyn Kernel) -> bool {
        same_value(self, other)
    }
}

impl Primitive for Products {
    fn name(&self) -> Cow<'static, str> {
        "matrix_products".into()
    }

    fn types(&self, inputs: &[Type]) -> Result<Vec<Type>, TypeError> {
        match inputs {
            [a] if a.dtype == DType::F64 && a.rank() >= 3 && a.dims().ends_with(&[3, 3]) => {
                Ok(vec![a.clone()])
            }
            _ => Err(TypeError::new("takes f64 matrices of 3x3 along an axis")),
        }
    }

    fn eval(&self, inputs: &[Buffer]) -> Result<Vec<Buffer>, Error> {
        let a = inputs[0].dense();
        let mut out = vec![0.0; a.data.len()];
        compute(a.slice(), a.dims[a.dims.len() - 3], &mut out);
        Ok(vec![Buffer::Dense(Dense::new(
            a.dims.clone(),
            Data::F64(out),
        ))])
    }

    /// `dp[i] = dp[i - 1] a[i] + p[i - 1] da[i]`: a loop in which nothing but the tangents is carried.
    fn jvp(&self, x: &[Var], dx: &[Tangent], _: Mode) -> (Vec<Var>, Vec<Tangent>) {
        let dims = x[0].shape();
        let stacked = |v: Var| v.reshape([-1, dims[dims.len() - 3] as isize, 3, 3]);
        let p = products(x[0]);
        let of_one = |(a, p, d): (Var, Var, Var)| {
            let before = concat([eye(3).expand_dims(0), p.at(s![..-1])], 0);
            let step = |dp: Var, (a, before, d): (Var, Var, Var)| {
                let dp = dp.dot(a) + before.dot(d);
                (dp, dp)
            };
            scan(zeros([3, 3]), (a, before, d), step).1
        };
        let tangent = |d: Var| {
            let all = vmap(of_one)((stacked(x[0]), stacked(p), stacked(d)));
            all.reshape(&dims)
        };
        (vec![p], vec![dx[0].map(tangent)])
    }

    fn transpose(&self, _: &[Operand], _: &[Option<Cotangent>]) -> Vec<Option<Cotangent>> {
        unreachable!("not linear")
    }

    fn lower(&self, l: &mut Lowering, x: &[NodeId], out: &[Wanted]) -> Result<Vec<NodeId>, Error> {
        let dims = l.dims(x[0]);
        let (rows, n) = dims.split_at(dims.len() - 3);
        let kernel = ProductsKernel {
            rows: rows.iter().product(),
            n: n[0],
        };
        l.kernel(Arc::new(kernel), x, out)
    }

    fn batch(&self, inputs: &[Batched], size: usize) -> Vec<Batched> {
        vec![Batched::mapped(products(inputs[0].spread(size)))]
    }

    fn runs_on_host(&self) -> bool {
        true
    }
}

fn matrices(n: usize) -> Var {
    let i = arange(n * SIZE).to(DType::F64);
    (i * 0.7).sin().reshape([n as isize, 3, 3])
}

#[test]
fn its_value_is_that_of_the_loop() {
    let f = jit(|x: Var| (products(matrices(7) * x), by_a_loop(matrices(7) * x)));
    let g =
        jit(|x: Var| (products(matrices(7) * x), by_a_loop(matrices(7) * x))).backend(Interpreter);
    for (kernel, by_loop) in [f.call(1.1), f.interpret(1.1), g.call(1.1)].map(Result::unwrap) {
        let pairs = kernel.to_vec::<f64>().unwrap().into_iter();
        for (a, b) in pairs.zip(by_loop.to_vec::<f64>().unwrap()) {
            assert!((a - b).abs() < 1e-14, "{a} {b}");
        }
    }
}

#[test]
fn derivatives_batches_loops_and_branches() {
    let f = |x: Var| products(matrices(4) * x.sin());
    check_grads(f, 0.4, 2).unwrap();
    check_vmap(f, [0.4, 0.5, 1.2]).unwrap();
    let repeated = |x: Var| fori(0..3, matrices(4) * x, |_, a| products(a).tanh()).sum();
    check_grads(repeated, 0.4, 2).unwrap();
    check_vmap(grad(repeated), [0.4, 0.5, 1.2]).unwrap();
    let either = move |x: Var| cond(x.gt(0.0), x, repeated, |x| x * x);
    check_vmap(grad(either), [0.4, -0.5, 1.2]).unwrap();
}

#[test]
fn it_is_explained_and_printed() {
    let code = jit(|x: Var| products(matrices(4) * x).sum())
        .compile(1.0)
        .unwrap();
    let text = code.explain().unwrap().to_string();
    assert!(
        text.contains("the running products of 4 matrices"),
        "{text}"
    );
    let text = code.dump(wengert::Stage::LoopIr).unwrap();
    assert!(text.contains("matrix_products 1x4: "), "{text}");
}
