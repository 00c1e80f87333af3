//! Checks that the rules agree: tangents with finite differences, cotangents with tangents, a
//! batch with a loop; and again for the derivatives, which are functions like any other.

use wengert_ir::buffer::{Buffer, Data, Dense};
use wengert_ir::eval::eval;
use wengert_ir::ir::verify::verify;
use wengert_ir::ir::{Func, Type};
use wengert_ir::ops::{Batched, Cotangent, Mode};
use wengert_ir::trace::{Kind, Var, closed};
use wengert_ir::transform::{batch, inline, linearize, replay};

/// A deterministic pseudorandom generator.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Random {
        Random(seed.wrapping_mul(2) + 1)
    }

    /// Returns a number in `-2..2`.
    pub fn number(&mut self) -> f64 {
        self.0 = (self.0)
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        (self.0 >> 11) as f64 / (1u64 << 53) as f64 * 4.0 - 2.0
    }

    pub fn array(&mut self, dims: &[usize]) -> Dense {
        let n = dims.iter().product();
        Dense::of(dims.to_vec(), (0..n).map(|_| self.number()).collect())
    }
}

pub fn f64s(dims: &[usize], elements: &[f64]) -> Dense {
    Dense::of(dims.to_vec(), elements.to_vec())
}

pub fn i64s(dims: &[usize], elements: &[i64]) -> Dense {
    Dense::of(dims.to_vec(), elements.to_vec())
}

/// Returns `0, 1, 2, ..` in the given shape.
pub fn count(dims: &[usize]) -> Dense {
    let n: usize = dims.iter().product();
    Dense::of(dims.to_vec(), (0..n).map(|i| i as f64).collect())
}

pub fn trace(types: &[Type], f: impl Fn(&[Var]) -> Vec<Var>) -> Func {
    let func = closed(Kind::Door, types, f).func;
    assert_eq!(verify(&func), Ok(()));
    let text = func.to_string();
    assert_eq!(Func::parse(&text).as_ref(), Ok(&func), "{text}");
    func
}

pub fn run(func: &Func, args: &[Dense]) -> Vec<Dense> {
    let args: Vec<Buffer> = args.iter().cloned().map(Buffer::Dense).collect();
    let out = eval(func, &args).expect("arguments of the right types");
    out.iter().map(|b| b.dense().clone()).collect()
}

/// Evaluates `f`, which has one result, at the given arguments.
pub fn value(f: impl Fn(&[Var]) -> Var, args: &[Dense]) -> Dense {
    let types: Vec<Type> = args.iter().map(Dense::ty).collect();
    run(&trace(&types, |x| vec![f(x)]), args).swap_remove(0)
}

fn is_float(x: &Dense) -> bool {
    matches!(*x.data, Data::F64(_))
}

fn close(what: &str, a: &Dense, b: &Dense, tolerance: f64) {
    assert_eq!(a.ty(), b.ty(), "{what}");
    if !is_float(a) {
        assert_eq!(a, b, "{what}");
        return;
    }
    for (i, (&x, &y)) in a.slice::<f64>().iter().zip(b.slice::<f64>()).enumerate() {
        let same = x == y || (x.is_nan() && y.is_nan());
        let near = (x - y).abs() <= tolerance * (1.0 + x.abs().max(y.abs()));
        assert!(
            same || near,
            "{what}: element {i}: {x} and {y}\n{a:?}\n{b:?}"
        );
    }
}

fn inner(a: &[Dense], b: &[Dense]) -> f64 {
    let floats = a.iter().zip(b).filter(|(a, _)| is_float(a));
    let product = |(a, b): (&Dense, &Dense)| -> f64 {
        (a.slice::<f64>().iter().zip(b.slice::<f64>()))
            .map(|(x, y)| x * y)
            .sum()
    };
    floats.map(product).sum()
}

/// Moves every argument by `h` along its tangent.
fn moved(args: &[Dense], tangents: &[Dense], h: f64) -> Vec<Dense> {
    let one = |(x, dx): (&Dense, &Dense)| match is_float(x) {
        false => x.clone(),
        true => {
            let sums = x.slice::<f64>().iter().zip(dx.slice::<f64>());
            Dense::of(x.dims.clone(), sums.map(|(x, dx)| x + h * dx).collect())
        }
    };
    args.iter().zip(tangents).map(one).collect()
}

/// Returns the function from arguments and their tangents to the tangents of the results, with zeros
/// in place of missing ones.
fn forward(func: &Func, mode: Mode) -> Func {
    let n = func.arity();
    let types = [func.param_types(), func.param_types()].concat();
    trace(&types, |v| {
        let (x, dx) = v.split_at(n);
        let active: Vec<bool> = x.iter().map(|x| x.ty().is_float()).collect();
        let dx: Vec<_> = dx
            .iter()
            .zip(&active)
            .map(|(d, a)| a.then_some(*d))
            .collect();
        let (y, dy) = match mode {
            Mode::Fused => replay(func, x, &dx, mode),
            Mode::Linear => {
                let (y, linear) = linearize(func, x, &active);
                let dy = linear.push(&dx);
                (y, dy)
            }
        };
        let zeros = |(y, dy): (&Var, &Option<Var>)| dy.unwrap_or_else(|| Var::zeros(&y.ty()));
        y.iter().zip(&dy).map(zeros).collect()
    })
}

/// Returns the function from arguments and cotangents of the results to the cotangents of the
/// arguments.
fn reverse(func: &Func) -> Func {
    let n = func.arity();
    let types = [func.param_types().to_vec(), func.result_types()].concat();
    trace(&types, |v| {
        let (x, ct) = v.split_at(n);
        let active: Vec<bool> = x.iter().map(|x| x.ty().is_float()).collect();
        let (y, linear) = linearize(func, x, &active);
        let is_float = |y: &Var| y.ty().is_float();
        let ct: Vec<_> = (y.iter().zip(ct))
            .map(|(y, ct)| is_float(y).then(|| Cotangent::new(*ct)))
            .collect();
        let back = linear.pull(&ct);
        let zeros = |(x, back): (&Var, &Option<Cotangent>)| match back {
            Some(ct) => ct.value,
            None => Var::zeros(&x.ty()),
        };
        x.iter().zip(&back).map(zeros).collect()
    })
}

fn check_derivatives(func: &Func, args: &[Dense], random: &mut Random, order: usize) {
    let mut like = |all: &[Dense]| -> Vec<Dense> {
        let one = |x: &Dense| match is_float(x) {
            true => random.array(&x.dims),
            false => x.clone(),
        };
        all.iter().map(one).collect()
    };
    let results = run(func, args);
    let (tangents, cotangents) = (like(args), like(&results));
    let with = |more: &[Dense]| [args, more].concat();

    let forward_func = forward(func, Mode::Fused);
    let pushed = run(&forward_func, &with(&tangents));
    let h = 1e-5;
    let (low, high) = (moved(args, &tangents, -h), moved(args, &tangents, h));
    for ((got, low), high) in pushed.iter().zip(run(func, &low)).zip(run(func, &high)) {
        if is_float(got) {
            let slopes = high.slice::<f64>().iter().zip(low.slice::<f64>());
            let slopes = slopes.map(|(a, b)| (a - b) / (2.0 * h)).collect();
            let want = Dense::of(got.dims.clone(), slopes);
            close(&format!("tangent at order {order}"), got, &want, 1e-6);
        }
    }
    let linear = run(&forward(func, Mode::Linear), &with(&tangents));
    for (a, b) in pushed.iter().zip(&linear) {
        close("both modes", a, b, 1e-12);
    }
    let reverse_func = reverse(func);
    let pulled = run(&reverse_func, &with(&cotangents));
    let (one, other) = (inner(&pushed, &cotangents), inner(&tangents, &pulled));
    assert!(
        (one - other).abs() <= 1e-10 * (1.0 + one.abs()),
        "order {order}: <Jv, w> = {one}, <v, J'w> = {other}"
    );
    if order > 1 {
        check_derivatives(&forward_func, &with(&tangents), random, order - 1);
        check_derivatives(&reverse_func, &with(&cotangents), random, order - 1);
    }
}

/// Stacks the arguments of all elements of a batch along a new first axis.
fn stacked(rows: &[&Dense]) -> Dense {
    let mut dims = vec![rows.len()];
    dims.extend(&rows[0].dims);
    let mut data = Data::zeros(rows[0].data.dtype(), 0);
    for row in rows {
        data.extend(&row.data);
    }
    Dense::new(dims, data)
}

fn check_batch(func: &Func, elements: &[Vec<Dense>]) {
    let n = func.arity();
    let size = elements.len();
    for mask in 1..1usize << n {
        let mapped = |i: usize| mask >> i & 1 == 1;
        let args: Vec<Dense> = (0..n)
            .map(|i| match mapped(i) {
                true => stacked(&elements.iter().map(|e| &e[i]).collect::<Vec<_>>()),
                false => elements[0][i].clone(),
            })
            .collect();
        let types: Vec<Type> = args.iter().map(Dense::ty).collect();
        let batched = trace(&types, |x| {
            let inputs: Vec<Batched> = (0..n)
                .map(|i| Batched {
                    value: x[i],
                    mapped: mapped(i),
                })
                .collect();
            let out = batch(func, &inputs, size);
            out.into_iter().map(|b| b.spread(size)).collect()
        });
        let got = run(&batched, &args);
        let each: Vec<Vec<Dense>> = (elements.iter())
            .map(|e| {
                let pick = |i: usize| {
                    if mapped(i) {
                        e[i].clone()
                    } else {
                        elements[0][i].clone()
                    }
                };
                run(func, &(0..n).map(pick).collect::<Vec<_>>())
            })
            .collect();
        for (r, got) in got.iter().enumerate() {
            let want = stacked(&each.iter().map(|e| &e[r]).collect::<Vec<_>>());
            close(&format!("batch by mask {mask:b}"), got, &want, 1e-12);
        }
    }
}

/// Checks every rule of what `f` records: tangents and cotangents to second order, and a batch of
/// each of these functions, for each choice of mapped arguments. `args` returns arguments of the same
/// types for each seed.
pub fn check(args: impl Fn(&mut Random) -> Vec<Dense>, f: impl Fn(&[Var]) -> Var) {
    let mut random = Random::new(1);
    let first = args(&mut random);
    let types: Vec<Type> = first.iter().map(Dense::ty).collect();
    let func = trace(&types, |x| vec![f(x)]);
    check_derivatives(&func, &first, &mut random, 2);
    for size in [1, 3] {
        let elements: Vec<Vec<Dense>> = (0..size).map(|_| args(&mut random)).collect();
        check_batch(&func, &elements);
        let back = reverse(&func);
        let shape = func.result_types()[0].dims();
        let with_ct: Vec<Vec<Dense>> = (elements.into_iter())
            .map(|mut e| {
                let result = run(&func, &e).swap_remove(0);
                e.push(if is_float(&result) {
                    random.array(&shape)
                } else {
                    result
                });
                e
            })
            .collect();
        check_batch(&back, &with_ct);
    }
    // A batch without elements.
    let types: Vec<Type> = types.iter().map(|t| t.batched(0)).collect();
    let empty: Vec<Dense> = types
        .iter()
        .map(|t| Dense::splat(t.dtype, t.dims(), 0))
        .collect();
    let batched = trace(&types, |x| {
        let inputs: Vec<Batched> = x.iter().map(|x| Batched::mapped(*x)).collect();
        let out = batch(&func, &inputs, 0);
        out.into_iter().map(|b| b.spread(0)).collect()
    });
    assert_eq!(
        run(&batched, &empty)[0].ty(),
        func.result_types()[0].batched(0)
    );
    // Replaying a function gives the same function.
    let again = trace(func.param_types(), |x| inline(&func, x));
    assert_eq!(again, func);
}
