//! Compares lowered programs with the interpreter, bit for bit, and checks the text of some of them.

mod arrays;
mod control;
mod families;
mod lists;
mod pad;
mod random;
mod shape;

use expect_test::Expect;
use wengert_ir::buffer::{Buffer, Data, Dense};
use wengert_ir::ir::verify::verify;
use wengert_ir::ir::{DType, Func, Type};
use wengert_ir::ops::{self, Cotangent};
use wengert_ir::rewrite::optimise;
use wengert_ir::schedule::compare::compare;
use wengert_ir::schedule::lower;
use wengert_ir::trace::{Kind, Var, closed};
use wengert_ir::transform::linearize;

/// Records a function that is written by hand.
fn trace(types: &[Type], f: impl FnOnce(&[Var]) -> Vec<Var>) -> Func {
    let func = closed(Kind::Door, types, f).func;
    assert_eq!(verify(&func), Ok(()));
    func
}

fn f64s(dims: &[usize]) -> Type {
    Type::new(DType::F64, dims)
}

fn i64s(dims: &[usize]) -> Type {
    Type::new(DType::I64, dims)
}

/// Returns pseudorandom numbers: floats in `-2..2`, integers in `-3..7`.
fn numbers(ty: &Type, seed: u64) -> Buffer {
    let mut state = seed.wrapping_mul(2) + 1;
    let mut data = Data::zeros(ty.dtype, ty.size());
    for i in 0..data.len() {
        state = state
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        let x = (state >> 11) as f64 / (1u64 << 53) as f64;
        match &mut data {
            Data::F64(v) => v[i] = 4.0 * x - 2.0,
            Data::F32(v) => v[i] = (4.0 * x - 2.0) as f32,
            Data::I64(v) => v[i] = (10.0 * x) as i64 - 3,
            Data::I32(v) => v[i] = (10.0 * x) as i32 - 3,
            Data::U32(v) => v[i] = (7.0 * x) as u32,
            Data::U64(v) => v[i] = (7.0 * x) as u64,
            Data::U8(v) => v[i] = (7.0 * x) as u8,
            Data::Bool(v) => v[i] = x > 0.5,
        }
    }
    Buffer::Dense(Dense::new(ty.dims(), data))
}

/// Compares a function lowered and interpreted, both as it is and prepared for scheduling.
#[track_caller]
fn agree(func: &Func) {
    for func in [func.clone(), optimise(func, false), optimise(func, true)] {
        let types = func.param_types().iter().enumerate();
        let args: Vec<Buffer> = types.map(|(i, ty)| numbers(ty, 7 * i as u64 + 1)).collect();
        if let Err(e) = compare(&func, &args) {
            panic!("{e}");
        }
    }
}

/// Checks a function, its gradient, and the gradient's derivatives in forward and reverse mode.
#[track_caller]
fn agree_with_derivatives(types: &[Type], f: impl Fn(&[Var]) -> Vec<Var> + Copy) {
    agree(&trace(types, f));
    let first = move |x: &[Var]| pulled(f, x);
    agree(&trace(types, first));
    agree(&trace(types, move |x| pulled(first, x)));
}

/// Returns the gradient of an unevenly weighted sum of all results.
fn pulled(f: impl FnOnce(&[Var]) -> Vec<Var>, x: &[Var]) -> Vec<Var> {
    let types: Vec<Type> = x.iter().map(|v| v.ty()).collect();
    let inner = closed(Kind::Plain, &types, f);
    let args = [x, &inner.captures].concat();
    let active: Vec<bool> = args.iter().map(|v| v.ty().is_float()).collect();
    let (y, linear) = linearize(&inner.func, &args, &active);
    let ct: Vec<Option<Cotangent>> = (y.iter().enumerate())
        .map(|(i, y)| {
            let weight = Var::full(&y.ty(), 0.7 - 0.4 * i as f64);
            y.ty().is_float().then(|| Cotangent::new(weight))
        })
        .collect();
    let back = linear.pull(&ct);
    let floats = x.iter().zip(back).filter(|(x, _)| x.ty().is_float());
    let grads = floats.map(|(x, g)| g.map_or_else(|| Var::zeros(&x.ty()), |g| g.value));
    grads.collect()
}

#[track_caller]
fn check(func: &Func, expect: Expect) {
    agree(func);
    expect.assert_eq(&lower(func).unwrap().to_string());
}

/// Records a loop and returns its last carry and its rows.
fn scan(
    init: &[Var],
    xs: &[Var],
    length: usize,
    reverse: bool,
    step: impl FnOnce(&[Var], &[Var]) -> (Vec<Var>, Vec<Var>),
) -> (Vec<Var>, Vec<Var>) {
    let mut carry = ops::scan::scan(init, xs, length, reverse, step);
    let rows = carry.split_off(init.len());
    (carry, rows)
}

fn while_loop(
    init: &[Var],
    limit: u64,
    cond: impl FnOnce(&[Var]) -> Var,
    body: impl FnOnce(&[Var]) -> Vec<Var>,
) -> Vec<Var> {
    let _limited = ops::while_loop::limited(limit);
    ops::while_loop::while_loop(init, cond, body)
}
