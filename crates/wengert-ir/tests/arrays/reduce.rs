//! Reductions.

use wengert_ir::buffer::{Buffer, Dense};
use wengert_ir::eval::eval;
use wengert_ir::order;
use wengert_ir::trace::{Kind, Var, closed};

use super::rules::{Random, check, count, f64s, i64s, trace, value};

#[test]
fn values() {
    let x = [count(&[2, 3])];
    let of = |f: &dyn Fn(Var) -> Var| value(|x| f(x[0]), &x);
    assert_eq!(of(&|x| x.sum()), Dense::scalar(15.0));
    assert_eq!(of(&|x| x.sum_axis(0)), f64s(&[3], &[3.0, 5.0, 7.0]));
    assert_eq!(of(&|x| x.sum_axis(-1)), f64s(&[2], &[3.0, 12.0]));
    assert_eq!(of(&|x| x.sum_axis([0, 1])), Dense::scalar(15.0));
    assert_eq!(of(&|x| x.sum_axis(())), count(&[2, 3]));
    assert_eq!(of(&|x| (x + 1.0).prod()), Dense::scalar(720.0));
    assert_eq!(of(&|x| x.prod_axis(0)), f64s(&[3], &[0.0, 4.0, 10.0]));
    assert_eq!(of(&|x| x.mean()), Dense::scalar(2.5));
    assert_eq!(of(&|x| x.mean_axis(1)), f64s(&[2], &[1.0, 4.0]));
    assert_eq!(of(&|x| x.amax()), Dense::scalar(5.0));
    assert_eq!(of(&|x| x.amax_axis(0)), f64s(&[3], &[3.0, 4.0, 5.0]));
    assert_eq!(of(&|x| x.amin_axis(1)), f64s(&[2], &[0.0, 3.0]));
    assert_eq!(of(&|x| x.amin()), Dense::scalar(0.0));
    assert_eq!(of(&|x| x.gt(4.0).any()), Dense::scalar(true));
    assert_eq!(
        of(&|x| x.gt(2.0).all_axis(1)),
        Dense::of(vec![2], vec![false, true])
    );
    assert_eq!(
        of(&|x| x.gt(4.0).any_axis(0)),
        Dense::of(vec![3], vec![false, false, true])
    );
    assert_eq!(of(&|x| x.ge(0.0).all()), Dense::scalar(true));
}

#[test]
fn whole_numbers_wrap() {
    let x = [i64s(&[2], &[i64::MAX, 2])];
    assert_eq!(value(|x| x[0].sum(), &x), Dense::scalar(i64::MIN + 1));
    assert_eq!(value(|x| x[0].prod(), &x), Dense::scalar(-2i64));
    assert_eq!(value(|x| x[0].amax(), &x), Dense::scalar(i64::MAX));
    let x = [Dense::of(vec![3], vec![200u8, 100, 3])];
    assert_eq!(value(|x| x[0].sum(), &x), Dense::scalar(47u8));
    assert_eq!(value(|x| x[0].amin(), &x), Dense::scalar(3u8));
}

#[test]
fn of_nothing() {
    let x = [f64s(&[0, 2], &[])];
    assert_eq!(value(|x| x[0].sum(), &x), Dense::scalar(0.0));
    assert_eq!(value(|x| x[0].prod_axis(0), &x), f64s(&[2], &[1.0, 1.0]));
    assert_eq!(value(|x| x[0].gt(0.0).any(), &x), Dense::scalar(false));
    assert_eq!(
        value(|x| x[0].gt(0.0).all_axis(0), &x),
        Dense::of(vec![2], vec![true; 2])
    );
    assert!(value(|x| x[0].mean(), &x).slice::<f64>()[0].is_nan());
    // Axis 1 has elements, so there is no error; the result is empty because axis 0 is.
    assert_eq!(value(|x| x[0].amax_axis(1), &x), f64s(&[0], &[]));
}

#[test]
fn not_a_number() {
    let x = [f64s(&[2, 2], &[1.0, f64::NAN, 3.0, -0.0])];
    let max = value(|x| x[0].amax_axis(1), &x);
    assert!(max.slice::<f64>()[0].is_nan());
    assert_eq!(max.slice::<f64>()[1], 3.0);
    assert!(value(|x| x[0].amin(), &x).slice::<f64>()[0].is_nan());
    let zeros = [f64s(&[2], &[0.0, -0.0])];
    let bits = |d: Dense| d.slice::<f64>()[0].to_bits();
    assert_eq!(
        bits(value(|x| x[0].amin(), &zeros)),
        bits(Dense::scalar(-0.0))
    );
    assert_eq!(
        bits(value(|x| x[0].amax(), &zeros)),
        bits(Dense::scalar(0.0))
    );
}

/// The order of summation is part of the meaning of a sum.
#[test]
fn order_of_sums() {
    let mut random = Random::new(3);
    for n in [63, 64, 100, 70_000] {
        let x = random.array(&[n]);
        let v = x.slice::<f64>();
        let want = order::reduce(n, |i| v[i], |a, b| a + b).unwrap();
        assert_eq!(
            value(|x| x[0].sum(), std::slice::from_ref(&x)),
            Dense::scalar(want)
        );
        // A sum over several axes is in row-major order, whichever axes remain.
        let y = value(
            |x| x[0].reshape([n, 1]).broadcast_to([n, 2]),
            std::slice::from_ref(&x),
        );
        let y = value(|y| y[0].reshape([1, n, 1, 2]).sum_axis([0, 1, 2]), &[y]);
        assert_eq!(y, f64s(&[2], &[want, want]));
    }
}

#[test]
fn rules() {
    for (dims, axes) in [
        (&[2, 3, 2][..], &[1][..]),
        (&[2, 3, 2], &[0, 2]),
        (&[2, 3, 2], &[0, 1, 2]),
        (&[5], &[0]),
        (&[1], &[0]),
        (&[0, 2], &[0]),
        (&[2, 0], &[0]),
        (&[], &[]),
    ] {
        let axes: Vec<isize> = axes.to_vec();
        let one = |f: &dyn Fn(Var) -> Var| check(|r| vec![r.array(dims)], |x| f(x[0]));
        let ints = || -> Vec<i64> { axes.iter().map(|&a| a as i64).collect() };
        one(&|x| (x * x).sum_axis(ints()));
        one(&|x| x.prod_axis(ints()));
        if dims.iter().all(|&n| n > 0) {
            one(&|x| (x * x).amax_axis(ints()));
            one(&|x| (x * x).amin_axis(ints()));
            one(&|x| (x * x).mean_axis(ints()));
        }
        one(&|x| x.gt(0.0).any_axis(ints()).select(1.0, 2.0));
        one(&|x| x.gt(0.0).all_axis(ints()));
    }
}

/// With zeros among the factors, dividing by a factor would give NaN.
#[test]
fn products_with_zeros() {
    for zeros in [&[1][..], &[0, 3], &[0, 1, 2]] {
        check(
            |r| {
                let mut v = r.array(&[5]).slice::<f64>().to_vec();
                zeros.iter().for_each(|&i| v[i] = 0.0);
                vec![f64s(&[5], &v)]
            },
            |x| x[0].prod(),
        );
    }
}

fn gradient(f: impl Fn(Var) -> Var, x: &Dense) -> Dense {
    use wengert_ir::ops::Cotangent;
    use wengert_ir::transform::linearize;
    let func = trace(&[x.ty()], |x| vec![f(x[0])]);
    let back = closed(Kind::Door, &[x.ty()], |x| {
        let (y, linear) = linearize(&func, x, &[true]);
        let ct = Cotangent::new(Var::full(&y[0].ty(), 1.0));
        vec![linear.pull(&[Some(ct)])[0].unwrap().value]
    });
    let out = eval(&back.func, &[Buffer::Dense(x.clone())]).unwrap();
    out[0].dense().clone()
}

#[test]
fn ties_share_the_derivative() {
    let x = f64s(&[4], &[1.0, 3.0, 3.0, 2.0]);
    assert_eq!(
        gradient(|x| x.amax(), &x),
        f64s(&[4], &[0.0, 0.5, 0.5, 0.0])
    );
    let x = f64s(&[2, 2], &[1.0, 1.0, 1.0, 2.0]);
    assert_eq!(
        gradient(|x| x.amin_axis(1).sum(), &x),
        f64s(&[2, 2], &[0.5, 0.5, 1.0, 0.0])
    );
}

#[test]
fn the_derivative_of_not_a_number_goes_to_it() {
    let x = f64s(&[3], &[1.0, f64::NAN, 3.0]);
    assert_eq!(gradient(|x| x.amax(), &x), f64s(&[3], &[0.0, 1.0, 0.0]));
    assert_eq!(gradient(|x| x.amin(), &x), f64s(&[3], &[0.0, 1.0, 0.0]));
}

/// Elements that are not chosen do no harm: their cotangents are zero, not zero times infinity.
#[test]
fn what_was_not_chosen_does_no_harm() {
    let x = f64s(&[2], &[0.0, 4.0]);
    assert_eq!(gradient(|x| x.sqrt().amax(), &x), f64s(&[2], &[0.0, 0.25]));
}

#[test]
fn lists_of_rows() {
    use wengert_ir::ir::{DType, Dim, Shape, Type};
    use wengert_ir::ops::reduce;
    let ty = Type {
        dtype: DType::F64,
        shape: Shape([Dim::Run, Dim::N(2)].into_iter().collect()),
    };
    let func = closed(Kind::Door, &[ty], |x| vec![reduce::sum(x[0], &[1])]).func;
    let row = |a, b| Buffer::Dense(f64s(&[2], &[a, b]));
    let out = eval(&func, &[Buffer::list(vec![row(1.0, 2.0), row(3.0, 4.0)])]).unwrap();
    let scalar = |x: f64| Buffer::Dense(Dense::scalar(x));
    assert_eq!(out[0], Buffer::list(vec![scalar(3.0), scalar(7.0)]));
}
