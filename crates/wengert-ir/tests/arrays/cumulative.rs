//! Cumulative operations.

use wengert_ir::buffer::Dense;
use wengert_ir::ops::cumulative::{Step, recurrence};
use wengert_ir::ops::{Cotangent, cumulative};
use wengert_ir::trace::Var;
use wengert_ir::transform::linearize;

use super::rules::{check, count, f64s, i64s, run, trace, value};

type Method = fn(Var, isize) -> Var;

const METHODS: [Method; 10] = [
    |x, a| x.cumsum(a),
    |x, a| x.cumsum_reverse(a),
    |x, a| x.cumprod(a),
    |x, a| x.cumprod_reverse(a),
    |x, a| x.cummax(a),
    |x, a| x.cummax_reverse(a),
    |x, a| x.cummin(a),
    |x, a| x.cummin_reverse(a),
    |x, a| x.cumlogsumexp(a),
    |x, a| x.cumlogsumexp_reverse(a),
];

#[test]
fn values() {
    let x = [f64s(&[2, 3], &[1.0, -2.0, 3.0, -4.0, 5.0, 0.5])];
    let of = |f: &dyn Fn(Var) -> Var| value(|x| f(x[0]), &x);
    let is = |got: Dense, want: [f64; 6]| assert_eq!(got, f64s(&[2, 3], &want));
    is(of(&|x| x.cumsum(1)), [1.0, -1.0, 2.0, -4.0, 1.0, 1.5]);
    is(of(&|x| x.cumsum(0)), [1.0, -2.0, 3.0, -3.0, 3.0, 3.5]);
    is(
        of(&|x| x.cumsum_reverse(-1)),
        [2.0, 1.0, 3.0, 1.5, 5.5, 0.5],
    );
    is(of(&|x| x.cumprod(1)), [1.0, -2.0, -6.0, -4.0, -20.0, -10.0]);
    is(
        of(&|x| x.cumprod_reverse(0)),
        [-4.0, -10.0, 1.5, -4.0, 5.0, 0.5],
    );
    is(of(&|x| x.cummax(1)), [1.0, 1.0, 3.0, -4.0, 5.0, 5.0]);
    is(of(&|x| x.cummin(1)), [1.0, -2.0, -2.0, -4.0, -4.0, -4.0]);
    is(of(&|x| x.cummax_reverse(1)), [3.0, 3.0, 3.0, 5.0, 5.0, 0.5]);
    is(
        of(&|x| x.cummin_reverse(0)),
        [-4.0, -2.0, 0.5, -4.0, 5.0, 0.5],
    );
    let l = of(&|x| x.cumlogsumexp(1) - x.exp().cumsum(1).ln());
    assert!(l.slice::<f64>().iter().all(|d| d.abs() < 1e-15), "{l:?}");
}

#[test]
fn whole_numbers_wrap() {
    let x = [i64s(&[3], &[i64::MAX, 2, -1])];
    assert_eq!(
        value(|x| x[0].cumsum(0), &x),
        i64s(&[3], &[i64::MAX, i64::MIN + 1, i64::MIN])
    );
    assert_eq!(
        value(|x| x[0].cumprod(0), &x),
        i64s(&[3], &[i64::MAX, -2, 2])
    );
    let x = [Dense::of(vec![3], vec![200u8, 100, 3])];
    assert_eq!(
        value(|x| x[0].cumsum(0), &x),
        Dense::of(vec![3], vec![200u8, 44, 47])
    );
    assert_eq!(
        value(|x| x[0].cummin(0), &x),
        Dense::of(vec![3], vec![200u8, 100, 3])
    );
}

/// NaN, infinities, and zeros with their signs.
#[test]
fn special() {
    let (inf, nan) = (f64::INFINITY, f64::NAN);
    let bits = |d: &Dense| {
        d.slice::<f64>()
            .iter()
            .map(|x| x.to_bits())
            .collect::<Vec<_>>()
    };
    let of = |f: fn(Var, isize) -> Var, x: &[f64]| value(|v| f(v[0], 0), &[f64s(&[x.len()], x)]);
    let max = of(|x, a| x.cummax(a), &[-0.0, 0.0, nan, 3.0]);
    assert_eq!(bits(&max)[..2], bits(&f64s(&[2], &[-0.0, 0.0])));
    assert!(max.slice::<f64>()[2..].iter().all(|x| x.is_nan()));
    assert_eq!(
        bits(&of(|x, a| x.cumsum(a), &[-0.0, -0.0])),
        bits(&f64s(&[2], &[-0.0; 2]))
    );
    let log = of(
        |x, a| x.cumlogsumexp(a),
        &[-inf, -inf, -1000.0, 2.0, inf, 1.0],
    );
    assert_eq!(log, f64s(&[6], &[-inf, -inf, -1000.0, 2.0, inf, inf]));
    let high = of(|x, a| x.cumlogsumexp(a), &[1e300, 1e300, 5.0]);
    assert_eq!(high, f64s(&[3], &[1e300; 3]));
}

/// Returns the gradient of one element of the result.
fn gradient(f: impl Fn(Var) -> Var, x: &[f64], at: usize) -> Vec<f64> {
    let x = f64s(&[x.len()], x);
    let func = trace(&[x.ty()], |x| vec![f(x[0])]);
    let back = trace(&[x.ty()], |x| {
        let (_, linear) = linearize(&func, x, &[true]);
        let ct = Var::zeros(&x[0].ty()).at_set(at, 1.0);
        let back = linear.pull(&[Some(Cotangent::new(ct))]);
        vec![back[0].map_or(Var::zeros(&x[0].ty()), |c| c.value)]
    });
    run(&back, &[x])[0].slice::<f64>().to_vec()
}

#[test]
fn derivatives_where_they_are_delicate() {
    let (inf, nan) = (f64::INFINITY, f64::NAN);
    // There are zeros among the factors.
    let prod = |at| gradient(|x| x.cumprod(0), &[2.0, 0.0, 3.0, 0.0, 5.0], at);
    assert_eq!(prod(2), [0.0, 6.0, 0.0, 0.0, 0.0]);
    assert_eq!(prod(4), [0.0; 5]);
    // Equal elements share until a larger one comes.
    let max = |at| gradient(|x| x.cummax(0), &[1.0, 1.0, 0.0, 1.0, 4.0], at);
    assert_eq!(max(1), [0.5, 0.5, 0.0, 0.0, 0.0]);
    let thirds = max(3);
    assert!(
        thirds
            .iter()
            .zip([1.0, 1.0, 0.0, 1.0, 0.0])
            .all(|(g, w)| (g - w / 3.0).abs() < 1e-15)
    );
    assert_eq!(max(4), [0.0, 0.0, 0.0, 0.0, 1.0]);
    // The last element is the extreme of all.
    let x = [0.5, 2.0, -1.0, 2.0, 2.0, 0.0];
    assert_eq!(gradient(|x| x.cummax(0), &x, 5), {
        let all = gradient(|x| x.amax().broadcast_to([6]), &x, 5);
        assert!((all[1] - 1.0 / 3.0).abs() < 1e-15);
        all
    });
    assert_eq!(
        gradient(|x| x.cummin(0), &[3.0, nan, 1.0], 0),
        [1.0, 0.0, 0.0]
    );
    // An infinite derivative of an element that is not chosen does no harm.
    let root = |x: Var| x.sqrt().cummax(0);
    assert_eq!(gradient(root, &[0.0, 4.0, 1.0], 2), [0.0, 0.25, 0.0]);
    // All elements so far are minus infinity.
    let log = |at| gradient(|x| x.cumlogsumexp(0), &[-inf, -inf, 1.0], at);
    assert_eq!(log(1), [0.0; 3]);
    assert_eq!(log(2), [0.0, 0.0, 1.0]);
}

const SHAPES: &[&[usize]] = &[
    &[3],
    &[1],
    &[0],
    &[2, 3],
    &[3, 1],
    &[0, 2],
    &[2, 0],
    &[2, 3, 2],
    &[1, 2, 2, 2],
];

#[test]
fn rules() {
    for method in METHODS {
        for dims in SHAPES {
            for a in 0..dims.len() as isize {
                check(|r| vec![r.array(dims)], |x| method(x[0], a) * x[0]);
            }
        }
    }
}

#[test]
fn rules_of_recurrences() {
    for dims in SHAPES {
        for (axis, reverse) in (0..dims.len()).flat_map(|a| [(a, false), (a, true)]) {
            check(
                |r| vec![r.array(dims), r.array(dims)],
                |x| recurrence(x[0], x[1] * x[1], axis, reverse),
            );
            check(
                |r| vec![r.array(dims)],
                |x| recurrence(x[0], x[0].sin(), axis, reverse),
            );
        }
    }
}

/// A masked cotangent stays zero when it is multiplied by an infinite factor.
#[test]
fn masked_cotangents() {
    let f = |x: &[Var]| {
        let y = recurrence(x[0], x[1], 0, false);
        let chosen = y.is_finite();
        chosen.select(y, 0.0).sum()
    };
    let x = [
        f64s(&[3], &[1.0, f64::INFINITY, 1.0]),
        f64s(&[3], &[1.0; 3]),
    ];
    let types = [x[0].ty(), x[1].ty()];
    let func = trace(&types, |x| vec![f(x)]);
    let back = trace(&types, |x| {
        let (_, linear) = linearize(&func, x, &[true, true]);
        let back = linear.pull(&[Some(Cotangent::new(Var::scalar(1.0)))]);
        back.into_iter().map(|c| c.unwrap().value).collect()
    });
    let grads = run(&back, &x);
    assert_eq!(grads[1], f64s(&[3], &[1.0, 0.0, 0.0]));
}

#[test]
fn literals() {
    let x = [count(&[2])];
    let func = trace(&[x[0].ty()], |x| {
        let zeros = Var::zeros(&x[0].ty());
        let sevens = Var::full(&x[0].ty(), 7.0);
        vec![
            zeros.cumsum(0),
            sevens.cummax(0),
            cumulative::cumulative(Step::Prod, sevens, 0, true),
        ]
    });
    assert_eq!(func.eqns.len(), 1, "{func}");
    assert_eq!(run(&func, &x)[2], f64s(&[2], &[49.0, 7.0]));
}
