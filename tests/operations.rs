//! Every elementwise operation is tested because it exists: derivatives to second order over its
//! domain, batches against loops, machine code against the interpreter.

use wengert::prelude::*;
use wengert_check::{Options, Rng, check_grads_with};
use wengert_ir::buffer::{Data, Dense};
use wengert_ir::ops::elementwise::Elementwise;
use wengert_ir::ops::rows;

/// Elements of each operand: some for a block of lanes, and some left over.
const N: usize = 11;

const DTYPES: [DType; 8] = [
    DType::F64,
    DType::F32,
    DType::I64,
    DType::I32,
    DType::U64,
    DType::U32,
    DType::U8,
    DType::Bool,
];

/// Where operand `i` may lie.
fn domain(op: Elementwise, i: usize) -> (f64, f64) {
    let domain = op.row().domain;
    domain
        .get(i)
        .or(domain.last())
        .copied()
        .unwrap_or((-3.0, 3.0))
}

/// Whether operand `i` is a condition.
fn is_predicate(op: Elementwise, i: usize) -> bool {
    op.row().signature.predicate && i == 0
}

fn bools(rng: &mut Rng, n: usize) -> Array {
    Array::from((0..n).map(|_| rng.one_in(2)).collect::<Vec<bool>>())
}

/// Operands over the domain.
fn operands(op: Elementwise, rng: &mut Rng) -> Vec<Array> {
    let operand = |i: usize| match is_predicate(op, i) {
        true => bools(rng, N),
        false => {
            let (low, high) = domain(op, i);
            let x = (0..N).map(|_| rng.uniform(low, high));
            Array::from(x.collect::<Vec<f64>>())
        }
    };
    (0..op.row().signature.arity).map(operand).collect()
}

/// Bits to fill elements with: common ones, extreme ones, any.
fn bits(rng: &mut Rng, dtype: DType) -> u64 {
    let special = [
        0,
        1,
        u64::MAX,
        u64::MAX >> 1,
        1 << 63,
        1 << 31,
        (1 << 31) - 1,
        7,
    ];
    let floats = [
        0.0,
        -0.0,
        1.0,
        -1.0,
        0.5,
        1e300,
        -1e-310,
        f64::INFINITY,
        f64::NEG_INFINITY,
        f64::NAN,
        708.5,
        -745.0,
    ];
    match dtype {
        DType::F64 => match rng.below(3) {
            0 => rng.pick(&floats).to_bits(),
            1 => rng.uniform(-4.0, 4.0).to_bits(),
            _ => rng.bits(),
        },
        DType::F32 => u64::from(match rng.below(3) {
            0 => (*rng.pick(&floats) as f32).to_bits(),
            1 => (rng.uniform(-4.0, 4.0) as f32).to_bits(),
            _ => rng.bits() as u32,
        }),
        DType::Bool => rng.bits() & 1,
        _ => match rng.below(3) {
            0 => *rng.pick(&special),
            1 => rng.below(40) as u64,
            _ => rng.bits(),
        },
    }
}

/// An array of any elements.
fn any(rng: &mut Rng, dtype: DType, n: usize) -> Array {
    let mut data = Data::zeros(dtype, n);
    for i in 0..n {
        data.set_bits(i, bits(rng, dtype));
    }
    Array::from_dense(Dense::new(vec![n], data))
}

/// Two results, one NaN being like another.
#[track_caller]
fn same(what: &str, inputs: &[Array], a: &Array, b: &Array) {
    assert_eq!((a.shape(), a.dtype()), (b.shape(), b.dtype()), "{what}");
    for i in 0..a.len() {
        let bits = [a, b].map(|x| x.dense().data.bits(i));
        let nan = [a, b].map(|x| match &*x.dense().data {
            Data::F64(v) => v[i].is_nan(),
            Data::F32(v) => v[i].is_nan(),
            _ => false,
        });
        assert!(
            bits[0] == bits[1] || nan == [true, true],
            "{what}: element {i}: {:#x} and {:#x} of {inputs:?}",
            bits[0],
            bits[1]
        );
    }
}

fn function(op: Elementwise) -> impl Fn(Vec<Var>) -> Var + Clone + Send + Sync + 'static {
    move |x| op.apply(&x)
}

#[test]
fn derivatives() {
    let mut rng = Rng::new(1);
    for op in rows::all() {
        let signature = op.row().signature;
        if signature.returns_bool || !signature.elements.contains(DType::F64) {
            continue;
        }
        let x = operands(op, &mut rng);
        // Away from zero a step is small beside the operand, and the second derivatives are tame.
        let options = Options {
            differences: 1e-5,
            ..Options::default()
        };
        let name = op.row().name;
        // The last two have an operand that is made of the others.
        if matches!(name, "stop_gradient" | "inverse_power" | "power_log") {
            continue;
        }
        check_grads_with(function(op), x, &options).unwrap_or_else(|e| panic!("{name}: {e}"));
    }
}

#[test]
fn no_derivative_flows_through_a_stop() {
    let f = jit(grad(|x: Var| x.stop_gradient() * x));
    assert_eq!(f.call(3.0).unwrap().item::<f64>().unwrap(), 3.0);
}

#[test]
fn compiled_and_interpreted() {
    let mut rng = Rng::new(2);
    for op in rows::all() {
        let signature = op.row().signature;
        for dtype in DTYPES
            .into_iter()
            .filter(|d| signature.elements.contains(*d))
        {
            let f = jit(function(op));
            let scalar = jit(function(op));
            for _ in 0..4 {
                let operand = |i: usize| match is_predicate(op, i) {
                    true => bools(&mut rng, N),
                    false => any(&mut rng, dtype, N),
                };
                let x: Vec<Array> = (0..signature.arity).map(operand).collect();
                let what = format!("{} of {dtype}", op.row().name);
                let (a, b) = (f.call(x.clone()), f.interpret(x.clone()));
                same(&what, &x, &a.unwrap(), &b.unwrap());
                let first =
                    |a: &Array| Array::from_dense(Dense::new(vec![], a.dense().data.pick(0..1)));
                let x: Vec<Array> = x.iter().map(first).collect();
                let (a, b) = (scalar.call(x.clone()), scalar.interpret(x.clone()));
                same(&format!("{what}, a scalar"), &x, &a.unwrap(), &b.unwrap());
            }
        }
    }
}

#[test]
fn derivatives_compiled_and_interpreted() {
    let mut rng = Rng::new(3);
    for op in rows::all() {
        let signature = op.row().signature;
        if signature.returns_bool || !signature.elements.contains(DType::F64) {
            continue;
        }
        let loss = move |x: Vec<Var>| {
            let (condition, rest) = x.split_at(usize::from(signature.predicate));
            let condition = condition.to_vec();
            let f = function(op);
            let f = move |x: Vec<Var>| f([&condition[..], &x].concat()).sum();
            let slopes = grad(f.clone())(rest.to_vec());
            let f = grad(move |x: Vec<Var>| {
                grad(f.clone())(x)
                    .into_iter()
                    .map(|g| (g * g).sum())
                    .sum::<Var>()
            });
            (slopes, f(rest.to_vec()))
        };
        let f = jit(loss);
        let x = operands(op, &mut rng);
        let (a, b) = (f.call(x.clone()).unwrap(), f.interpret(x.clone()).unwrap());
        for (a, b) in a.0.iter().zip(&b.0).chain(a.1.iter().zip(&b.1)) {
            same(&format!("the gradient of {}", op.row().name), &x, a, b);
        }
    }
}

#[test]
fn batches_and_loops() {
    let mut rng = Rng::new(4);
    for op in rows::all() {
        let signature = op.row().signature;
        let dtypes = [DType::F64, DType::I64, DType::Bool];
        for dtype in dtypes
            .into_iter()
            .filter(|d| signature.elements.contains(*d))
        {
            let operand = |i: usize| match is_predicate(op, i) {
                true => bools(&mut rng, N),
                false => any(&mut rng, dtype, N),
            };
            let x: Vec<Array> = (0..signature.arity).map(operand).collect();
            let f = function(op);
            wengert_check::check_vmap(f, x)
                .unwrap_or_else(|e| panic!("{} of {dtype}: {e}", op.row().name));
        }
    }
}
