//! Every row of the tables of elementwise operations: its value, derivatives and transpose.

use wengert_ir::buffer::{Buffer, Dense, Element};
use wengert_ir::eval::eval;
use wengert_ir::ir::{Atom, DType, Func, Type};
use wengert_ir::ops::elementwise::Elementwise;
use wengert_ir::ops::rows::{self, Define, Elements, row};
use wengert_ir::ops::{Batched, Cotangent, Mode, Operand, Primitive, Tangent};
use wengert_ir::trace::{Kind, Var, closed};

/// Evaluates an operation at scalars of one type.
fn value<T: Element, U: Element>(op: Elementwise, x: &[T]) -> U {
    let args: Vec<Buffer> = x.iter().map(|&x| Buffer::Dense(Dense::scalar(x))).collect();
    op.eval(&args).expect("a value")[0].dense().slice::<U>()[0]
}

/// Evaluates an operation at floats; the first operand may stand for a condition, and the result for a truth value.
fn at(op: Elementwise, x: &[f64]) -> f64 {
    let signature = op.row().signature;
    let condition = |i: usize| signature.predicate && i == 0;
    let arg = |(i, &x): (usize, &f64)| match condition(i) {
        true => Dense::scalar(x > 0.5),
        false => Dense::scalar(x),
    };
    let args: Vec<Buffer> = x.iter().enumerate().map(arg).map(Buffer::Dense).collect();
    let y = op.eval(&args).expect("a value");
    match signature.returns_bool {
        true => f64::from(u8::from(y[0].dense().slice::<bool>()[0])),
        false => y[0].dense().slice::<f64>()[0],
    }
}

/// Returns points of the domain, spread over it and away from its corners.
fn points(op: Elementwise) -> Vec<Vec<f64>> {
    let domain = op.row().domain;
    let point = |k: usize| {
        let along = |(i, (low, high)): (usize, &(f64, f64))| {
            // Steps by the golden ratio and its generalisations fill the box evenly.
            let step = [
                0.618_033_988_7,
                0.754_877_666_2,
                0.819_172_513_3,
                0.856_674_883_8,
                0.881_271_458_0,
            ][i];
            low + (high - low) * ((k as f64 + 0.5) * step).fract()
        };
        domain.iter().enumerate().map(along).collect()
    };
    (0..17).map(point).collect()
}

fn takes_floats(op: &Elementwise) -> bool {
    op.row().signature.elements.contains(DType::F64)
}

fn close(a: f64, b: f64, tolerance: f64) -> bool {
    (a - b).abs() <= tolerance * (1.0 + b.abs())
}

fn run(func: &Func, x: &[f64]) -> Vec<f64> {
    let scalar = |(x, ty): (&f64, &Type)| {
        Buffer::Dense(match ty.dtype {
            DType::Bool => Dense::scalar(*x > 0.5),
            _ => Dense::scalar(*x),
        })
    };
    let args: Vec<Buffer> = x.iter().zip(func.param_types()).map(scalar).collect();
    let results = eval(func, &args).expect("values");
    results
        .iter()
        .map(|y| y.dense().slice::<f64>()[0])
        .collect()
}

/// Returns the function `(x, dx) -> dy`: `func` replayed with tangents of the parameters that `moves` selects.
fn tangent(func: &Func, moves: &[bool]) -> Func {
    let f64s = moves
        .iter()
        .filter(|m| **m)
        .map(|_| Type::scalar(DType::F64));
    let params: Vec<Type> = func.param_types().iter().cloned().chain(f64s).collect();
    let door = closed(Kind::Door, &params, |vars| {
        let mut env: Vec<(Var, Tangent)> = vec![];
        let mut tangents = vars[func.arity()..].iter().copied();
        for (x, &m) in vars[..func.arity()].iter().zip(moves) {
            env.push((*x, if m { tangents.next() } else { None }));
        }
        let get = |env: &[(Var, Tangent)], a: &Atom| match a {
            Atom::Var(id) => env[*id as usize],
            Atom::Lit(splat) => (Var::literal(*splat), None),
        };
        for eqn in &func.eqns {
            let (x, dx): (Vec<Var>, Vec<Tangent>) = eqn.inputs.iter().map(|a| get(&env, a)).unzip();
            match dx.iter().any(Option::is_some) {
                true => {
                    let (y, dy) = eqn.op.jvp(&x, &dx, Mode::Fused);
                    env.extend(y.into_iter().zip(dy));
                }
                false => {
                    let y = wengert_ir::trace::bind(eqn.op.clone(), &x);
                    env.extend(y.into_iter().map(|y| (y, None)));
                }
            }
        }
        let (y, dy) = get(&env, &func.results[0]);
        vec![dy.unwrap_or_else(|| Var::zeros(&y.ty()))]
    });
    door.func
}

/// Returns the operation as a function of scalars.
fn func_of(op: Elementwise) -> Func {
    let signature = op.row().signature;
    let ty = |i: usize| {
        Type::scalar(match signature.predicate && i == 0 {
            true => DType::Bool,
            false => DType::F64,
        })
    };
    let params: Vec<Type> = (0..signature.arity).map(ty).collect();
    closed(Kind::Door, &params, |x| vec![op.apply(x)]).func
}

#[test]
fn tables_are_in_order() {
    for op in rows::all() {
        let row = op.row();
        assert_eq!(
            rows::find(row.name),
            Some(op),
            "{} is there twice",
            row.name
        );
        assert!(row.doc.ends_with('.'), "{} is not described", row.name);
        assert_eq!(row.domain.len(), row.signature.arity, "{}", row.name);
    }
}

/// Computes the error function by a series whose terms have one sign (Abramowitz and Stegun 7.1.6).
fn error_function(x: f64) -> f64 {
    let mut term = x;
    let mut sum = x;
    for n in 1..80 {
        term *= 2.0 * x * x / (2.0 * f64::from(n) + 1.0);
        sum += term;
    }
    sum * (-x * x).exp() * std::f64::consts::FRAC_2_SQRT_PI
}

type Reference = fn(&[f64]) -> f64;

#[test]
fn values_agree_with_rust() {
    let table: &[(&str, Reference)] = &[
        ("neg", |x| -x[0]),
        ("add", |x| x[0] + x[1]),
        ("sub", |x| x[0] - x[1]),
        ("mul", |x| x[0] * x[1]),
        ("div", |x| x[0] / x[1]),
        ("rem", |x| x[0] % x[1]),
        ("fma", |x| x[0].mul_add(x[1], x[2])),
        ("mul_or_zero", |x| x[0] * x[1]),
        ("max", |x| x[0].max(x[1])),
        ("min", |x| x[0].min(x[1])),
        ("abs", |x| x[0].abs()),
        ("sign", |x| x[0].signum()),
        ("square", |x| x[0] * x[0]),
        ("reciprocal", |x| 1.0 / x[0]),
        ("stop_gradient", |x| x[0]),
        ("exp", |x| x[0].exp()),
        ("exp2", |x| x[0].exp2()),
        ("expm1", |x| x[0].exp_m1()),
        ("log", |x| x[0].ln()),
        ("log1p", |x| x[0].ln_1p()),
        ("log2", |x| x[0].log2()),
        ("log10", |x| x[0].log10()),
        ("logaddexp", |x| (x[0].exp() + x[1].exp()).ln()),
        ("erf", |x| error_function(x[0])),
        ("erfc", |x| 1.0 - error_function(x[0])),
        ("cbrt", |x| x[0].cbrt()),
        ("asinh", |x| x[0].asinh()),
        ("acosh", |x| x[0].acosh()),
        ("atanh", |x| x[0].atanh()),
        ("sigmoid", |x| 1.0 / (1.0 + (-x[0]).exp())),
        ("pow", |x| x[0].powf(x[1])),
        ("sqrt", |x| x[0].sqrt()),
        ("rsqrt", |x| 1.0 / x[0].sqrt()),
        ("sin", |x| x[0].sin()),
        ("cos", |x| x[0].cos()),
        ("tan", |x| x[0].tan()),
        ("sinc", |x| {
            let angle = std::f64::consts::PI * x[0];
            angle.sin() / angle
        }),
        ("asin", |x| x[0].asin()),
        ("acos", |x| x[0].acos()),
        ("atan", |x| x[0].atan()),
        ("atan2", |x| x[0].atan2(x[1])),
        ("sinh", |x| x[0].sinh()),
        ("cosh", |x| x[0].cosh()),
        ("tanh", |x| x[0].tanh()),
        ("floor", |x| x[0].floor()),
        ("ceil", |x| x[0].ceil()),
        ("round", |x| x[0].round_ties_even()),
        ("trunc", |x| x[0].trunc()),
        ("eq", |x| f64::from(x[0] == x[1])),
        ("ne", |x| f64::from(x[0] != x[1])),
        ("lt", |x| f64::from(x[0] < x[1])),
        ("le", |x| f64::from(x[0] <= x[1])),
        ("select", |x| if x[0] > 0.5 { x[1] } else { x[2] }),
    ];
    for op in rows::all().filter(takes_floats) {
        let name = op.row().name;
        // Functions that Rust does not have are covered by the tests of their derivatives and of the elementary
        // functions.
        let Some((_, expected)) = table.iter().find(|(n, _)| *n == name) else {
            continue;
        };
        for x in points(op) {
            let (got, expected) = (at(op, &x), expected(&x));
            assert!(
                close(got, expected, 2e-15),
                "{name}{x:?}: {got} and {expected}"
            );
        }
    }
}

#[test]
fn integers_and_bits() {
    let i = |name: &str, x: &[i64]| value::<i64, i64>(rows::find(name).expect(name), x);
    assert_eq!(i("div", &[-7, 2]), -3);
    assert_eq!(i("rem", &[-7, 2]), -1);
    assert_eq!(i("sign", &[-7]), -1);
    assert_eq!(i("square", &[-7]), 49);
    assert_eq!(i("max", &[-7, 2]), 2);
    assert_eq!(i("and", &[12, 10]), 8);
    assert_eq!(i("or", &[12, 10]), 14);
    assert_eq!(i("xor", &[12, 10]), 6);
    assert_eq!(i("not", &[12]), -13);
    assert_eq!(i("shift_left", &[3, 2]), 12);
    assert_eq!(i("shift_right", &[-8, 2]), -2);
    assert_eq!(i("shift_right_logical", &[-1, 60]), 15);
    let b = |name: &str, x: &[bool]| value::<bool, bool>(rows::find(name).expect(name), x);
    assert!(b("lt", &[false, true]));
    assert!(!b("not", &[true]));
    assert!(!b("xor", &[true, true]));
    assert_eq!(value::<u32, u32>(row("sign"), &[7]), 1);
}

#[test]
fn special_values() {
    let y = |name: &str, x: &[f64]| at(rows::find(name).expect(name), x);
    assert!(y("sign", &[f64::NAN]).is_nan());
    assert!(y("sign", &[-0.0]).is_sign_negative() && y("sign", &[-0.0]) == 0.0);
    assert_eq!(y("mul_or_zero", &[0.0, f64::NAN]), 0.0);
    assert_eq!(y("mul_or_zero", &[-0.0, f64::INFINITY]), 0.0);
    assert!(y("mul_or_zero", &[1.0, f64::NAN]).is_nan());
    assert!(y("max", &[f64::NAN, 1.0]).is_nan());
    assert_eq!(y("pow", &[f64::NAN, 0.0]), 1.0);
    for infinite in [f64::INFINITY, f64::NEG_INFINITY] {
        assert_eq!(y("logaddexp", &[infinite, infinite]), infinite);
        assert_eq!(y("logaddexp", &[f64::INFINITY, infinite]), f64::INFINITY);
        assert_eq!(y("logaddexp", &[-0.5, f64::NEG_INFINITY]), -0.5);
    }
    assert_eq!(y("logaddexp", &[1e300, 1e300]), 1e300);
}

/// A row of floats whose definition rounds once gives in `f32` the rounded `f64` value; one that is defined in `f32`
/// arithmetic, a neighbour of the `f64` value. The slopes of `sigmoid` and `tanh`, which derivatives use, cancel more.
#[test]
fn f32_rounds_once_or_is_within_one_ulp() {
    for op in rows::all().filter(takes_floats) {
        let single = match op.row().define {
            Define::Elementary(f) => f.is_single(),
            Define::Wide(_) => false,
            _ => continue,
        };
        for x in points(op) {
            let narrow: Vec<f32> = x.iter().map(|&x| x as f32).collect();
            let wide: Vec<f64> = narrow.iter().map(|&x| f64::from(x)).collect();
            let (got, exact) = (value::<f32, f32>(op, &narrow), value::<f64, f64>(op, &wide));
            let rounded = exact as f32;
            let name = op.row().name;
            if single {
                let ulp = f64::from(rounded.abs().next_up()) - f64::from(rounded.abs());
                let error = (f64::from(got) - exact).abs();
                let most = if name.ends_with("_slope") { 4.0 } else { 1.0 };
                assert!(
                    got == rounded || error <= most * ulp,
                    "{name}{narrow:?}: {got:e}, not {exact:e}"
                );
            } else {
                assert_eq!(got, rounded, "{name}{narrow:?}");
            }
        }
    }
}

#[test]
fn derivatives_agree_with_differences() {
    for op in rows::all().filter(takes_floats) {
        // One operand of these is a function of the others.
        let bound = matches!(op.row().name, "inverse_power" | "power_log");
        if op.row().signature.returns_bool || bound {
            continue;
        }
        let (name, func) = (op.row().name, func_of(op));
        let n = func.arity();
        let deps = op.deps(n, 1);
        // Either one operand moves, or all that can.
        let can: Vec<bool> = (0..n).map(|i| func.types[i].is_float()).collect();
        let one = |i: usize| (0..n).map(|j| j == i && can[j]).collect::<Vec<bool>>();
        let alone = (0..n).filter(|&i| can[i]).map(one);
        for moves in alone.chain([can.clone()]) {
            let first = tangent(&func, &moves);
            let again: Vec<bool> = (0..first.arity()).map(|i| i < n && moves[i]).collect();
            let second = tangent(&first, &again);
            for x in points(op) {
                let (dx, h) = ([0.8, -0.6, 0.5, -0.4, 0.3], 1e-4);
                let d: Vec<f64> = moves
                    .iter()
                    .zip(dx)
                    .filter(|(m, _)| **m)
                    .map(|m| m.1)
                    .collect();
                let moved = |step: f64| -> Vec<f64> {
                    let by = |i: usize| if moves[i] { step * dx[i] } else { 0.0 };
                    (0..n).map(|i| x[i] + by(i)).collect()
                };
                let with = |x: Vec<f64>| -> Vec<f64> { x.into_iter().chain(d.clone()).collect() };
                // Central differences of the fourth order.
                let slope = |f: &dyn Fn(f64) -> f64| {
                    (8.0 * (f(h) - f(-h)) - (f(2.0 * h) - f(-2.0 * h))) / (12.0 * h)
                };
                let got = run(&first, &with(x.clone()))[0];
                let constant = matches!(name, "stop_gradient");
                let expected = slope(&|t| if constant { 0.0 } else { at(op, &moved(t)) });
                assert!(
                    close(got, expected, 1e-9),
                    "{name}{x:?}: {got} and {expected}"
                );
                let depends = (0..n).any(|i| moves[i] && deps.get(0, i));
                assert!(depends || got == 0.0, "{name} depends on {moves:?}");

                let again: Vec<f64> = with(x.clone()).into_iter().chain(d.clone()).collect();
                let got = run(&second, &again)[0];
                let expected = slope(&|t| run(&first, &with(moved(t)))[0]);
                assert!(
                    close(got, expected, 1e-8),
                    "{name}'' {x:?}: {got} and {expected}"
                );
            }
        }
    }
}

/// `<ct, L dx> = <L' ct, dx>` for linear operations, whether or not a mask may have made the cotangent zero.
#[test]
fn transposes_are_adjoint() {
    let cases: &[(&str, &[usize])] = &[
        ("neg", &[0]),
        ("add", &[0, 1]),
        ("sub", &[0, 1]),
        ("mul", &[0]),
        ("mul", &[1]),
        ("div", &[0]),
        ("fma", &[0, 2]),
        ("fma", &[1, 2]),
        ("mul_or_zero", &[0]),
        ("mul_or_zero", &[1]),
        ("div_or_zero", &[0]),
        ("xlogy", &[0]),
        ("xlog1py", &[0]),
        ("ldexp", &[0]),
        ("select", &[1, 2]),
        ("select", &[1]),
        ("select", &[2]),
    ];
    for op in rows::all().filter(|op| op.row().transpose.is_some()) {
        let name = op.row().name;
        assert!(
            cases.iter().any(|(n, _)| *n == name),
            "{name} is not in this table"
        );
    }
    for &(name, linear) in cases {
        let op = rows::find(name).expect(name);
        let params = func_of(op).param_types().to_vec();
        let f64s = [Type::scalar(DType::F64)];
        for masked in [false, true] {
            let params: Vec<Type> = params.iter().chain(&f64s).cloned().collect();
            let n = params.len() - 1;
            let back = closed(Kind::Door, &params, |v| {
                let operand = |i: usize| match linear.contains(&i) {
                    true => Operand::Linear(params[i].clone()),
                    false => Operand::Known(v[i]),
                };
                let operands: Vec<Operand> = (0..n).map(operand).collect();
                let ct = Cotangent::of(v[n], masked);
                let cts = op.transpose(&operands, &[Some(ct)]);
                assert_eq!(cts.len(), n);
                let masks = matches!(
                    name,
                    "select" | "mul_or_zero" | "div_or_zero" | "xlogy" | "xlog1py"
                );
                let flagged = cts
                    .iter()
                    .flatten()
                    .all(|ct| ct.maybe_zero == (masked || masks));
                assert!(flagged, "{name} forgets a mask");
                let zero = Var::scalar(0.0);
                cts.into_iter()
                    .map(|ct| ct.map_or(zero, |ct| ct.value))
                    .collect()
            });
            for mut x in points(op) {
                // A known operand of a sum would make it affine; the others keep their values.
                for i in (0..n).filter(|i| !linear.contains(i)) {
                    x[i] = if name == "select" && i > 0 { 0.0 } else { x[i] };
                }
                let ct = 0.7;
                let y = at(op, &x);
                let args: Vec<f64> = x.iter().copied().chain([ct]).collect();
                let pulled = run(&back.func, &args);
                let sum: f64 = linear.iter().map(|&i| pulled[i] * x[i]).sum();
                assert!(
                    close(ct * y, sum, 1e-15),
                    "{name}{x:?}: {} and {sum}",
                    ct * y
                );
            }
        }
    }
}

/// A batch gives the same as a loop over its elements, whichever operands are shared.
#[test]
fn batches_are_loops() {
    const SIZE: usize = 4;
    for op in rows::all().filter(takes_floats) {
        let single = func_of(op);
        let n = single.arity();
        for which in 1..1 << n {
            let mapped = |i: usize| which >> i & 1 == 1;
            let ty = |i: usize| match mapped(i) {
                true => single.types[i].batched(SIZE),
                false => single.types[i].clone(),
            };
            let params: Vec<Type> = (0..n).map(ty).collect();
            let batched = closed(Kind::Door, &params, |v| {
                let operand = |i: usize| Batched {
                    value: v[i],
                    mapped: mapped(i),
                };
                let operands: Vec<Batched> = (0..n).map(operand).collect();
                let results = op.batch(&operands, SIZE);
                assert!(results[0].mapped);
                vec![results[0].value]
            });
            let rows = &points(op)[..SIZE];
            let arg = |i: usize| {
                let lanes = if mapped(i) { SIZE } else { 1 };
                let values = rows[..lanes].iter().map(|x| x[i]);
                let dims = if mapped(i) { vec![SIZE] } else { vec![] };
                Buffer::Dense(match single.types[i].dtype {
                    DType::Bool => Dense::of(dims, values.map(|x| x > 0.5).collect()),
                    _ => Dense::of(dims, values.collect()),
                })
            };
            let args: Vec<Buffer> = (0..n).map(arg).collect();
            let got = eval(&batched.func, &args).expect("a batch").remove(0);
            for lane in 0..SIZE {
                let x = |i: usize| rows[if mapped(i) { lane } else { 0 }][i];
                let expected = at(op, &(0..n).map(x).collect::<Vec<f64>>());
                let bits = got.dense().data.bits(lane);
                let got = match op.row().signature.returns_bool {
                    true => bits as f64,
                    false => f64::from_bits(bits),
                };
                assert_eq!(got.to_bits(), expected.to_bits(), "{op:?} in lane {lane}");
            }
        }
    }
}

/// Branches that are not taken and masked values leave no NaN in derivatives.
#[test]
fn derivatives_at_the_edge() {
    let slopes = |f: fn(&[Var]) -> Var, x: &[f64]| -> Vec<f64> {
        let params = vec![Type::scalar(DType::F64); x.len()];
        let func = closed(Kind::Door, &params, |v| vec![f(v)]).func;
        let slope = |i: usize| {
            let moves: Vec<bool> = (0..x.len()).map(|j| j == i).collect();
            let first = tangent(&func, &moves);
            run(
                &first,
                &x.iter().copied().chain([1.0]).collect::<Vec<f64>>(),
            )[0]
        };
        (0..x.len()).map(slope).collect()
    };
    let pow: fn(&[Var]) -> Var = |x| x[0].powf(x[1]);
    assert_eq!(slopes(pow, &[0.0, 0.0]), [0.0, 0.0]);
    assert_eq!(slopes(pow, &[0.0, 1.0]), [1.0, 0.0]);
    assert_eq!(slopes(pow, &[0.0, 2.0]), [0.0, 0.0]);
    assert_eq!(slopes(pow, &[2.0, 0.0]), [0.0, 2f64.ln()]);
    assert_eq!(slopes(|x| x[0].powf(2.0), &[0.0]), [0.0]);
    assert_eq!(slopes(|x| x[0].powi(0), &[0.0]), [0.0]);
    assert_eq!(slopes(|x| x[0].powi(-2), &[2.0]), [-0.25]);
    assert_eq!(slopes(|x| x[0].powi(5), &[2.0]), [80.0]);
    assert_eq!(slopes(|x| x[0].max(x[1]), &[2.0, 2.0]), [0.5, 0.5]);
    assert_eq!(slopes(|x| x[0].min(x[1]), &[2.0, 3.0]), [1.0, 0.0]);
    assert_eq!(slopes(|x| x[0].abs(), &[0.0]), [0.0]);
    assert_eq!(slopes(|x| x[0].abs(), &[-2.0]), [-1.0]);
    assert_eq!(slopes(|x| x[0].clamp(-1.0, 1.0), &[1.0]), [0.5]);
    assert_eq!(slopes(|x| x[0].rem(x[1]), &[7.5, 2.0]), [1.0, -3.0]);
    let root: fn(&[Var]) -> Var = |x| x[0].gt(0.0).select(x[0].sqrt(), 0.0);
    assert_eq!(slopes(root, &[0.0]), [0.0]);
}

/// Sinc and its derivatives agree with their series where their closed forms cancel.
#[test]
fn sinc_near_zero() {
    let func = func_of(row("sinc"));
    let first = tangent(&func, &[true]);
    let second = tangent(&first, &[true, false]);
    let pi_2 = std::f64::consts::PI.powi(2);
    for x in [0.0, 5e-324, 1e-170, 1e-9, -3e-4, 0.01] {
        let z = pi_2 * x * x;
        let expected = [
            1.0 - z / 6.0 * (1.0 - z / 20.0 * (1.0 - z / 42.0)),
            -pi_2 * x / 3.0 * (1.0 - z / 10.0 * (1.0 - z / 28.0 * (1.0 - z / 54.0))),
            -pi_2 / 3.0 * (1.0 - z * 0.3 * (1.0 - z * 5.0 / 84.0 * (1.0 - z * 7.0 / 270.0))),
        ];
        let got = [
            run(&func, &[x])[0],
            run(&first, &[x, 1.0])[0],
            run(&second, &[x, 1.0, 1.0])[0],
        ];
        for (got, expected) in got.into_iter().zip(expected) {
            assert!(
                (got - expected).abs() <= 1e-15 * expected.abs(),
                "{x:e}: {got:e} and {expected:e}"
            );
        }
    }
}

/// An empty list next to one with rows stands for zeros.
#[test]
fn lists_add_row_by_row() {
    let leaf = |x: &[f64]| Buffer::Dense(Dense::of(vec![x.len()], x.to_vec()));
    let empty = Buffer::list(vec![]);
    let a = Buffer::list(vec![leaf(&[1.0, 2.0]), leaf(&[3.0, 4.0])]);
    let b = Buffer::list(vec![leaf(&[10.0, 20.0]), leaf(&[30.0, 40.0])]);
    let sum = |a: &Buffer, b: &Buffer| {
        row("add")
            .eval(&[a.clone(), b.clone()])
            .expect("a sum")
            .remove(0)
    };
    let total = Buffer::list(vec![leaf(&[11.0, 22.0]), leaf(&[33.0, 44.0])]);
    assert_eq!(sum(&a, &b), total);
    assert_eq!(sum(&a, &empty), a);
    assert_eq!(sum(&empty, &a), a);
    assert_eq!(sum(&empty, &empty), empty);

    let nested = |x: &Buffer| Buffer::list(vec![x.clone(), empty.clone()]);
    assert_eq!(sum(&nested(&a), &nested(&empty)), nested(&a));

    let yes = Buffer::list(vec![
        Buffer::Dense(Dense::of(vec![2], vec![true, false])),
        Buffer::Dense(Dense::of(vec![2], vec![false, true])),
    ]);
    let chosen = |a: &Buffer, b: &Buffer| {
        let args = [yes.clone(), a.clone(), b.clone()];
        row("select").eval(&args).expect("a choice").remove(0)
    };
    let kept = Buffer::list(vec![leaf(&[1.0, 0.0]), leaf(&[0.0, 4.0])]);
    assert_eq!(chosen(&a, &empty), kept);
    assert_eq!(chosen(&empty, &empty), empty);
}

#[test]
fn only_fitting_types_are_taken() {
    for op in rows::all() {
        let signature = op.row().signature;
        for dtype in DType::ALL {
            let mut inputs = vec![Type::new(dtype, &[2]); signature.arity];
            if signature.predicate {
                inputs[0] = Type::new(DType::Bool, &[2]);
            }
            let types = op.types(&inputs);
            assert_eq!(
                types.is_ok(),
                signature.elements.contains(dtype),
                "{op:?} of {dtype}"
            );
            inputs.push(Type::scalar(dtype));
            assert!(op.types(&inputs).is_err(), "{op:?} of one more");
        }
    }
    assert!(Elements::Any.contains(DType::Bool));
}
