//! Linear functions the other way, pullbacks beside which something else comes back, and modes that
//! cannot be mixed.

use wengert::Feed;
use wengert::prelude::*;
use wengert_check::{floats, refusal};

/// All the numbers that a function gives.
#[track_caller]
fn numbers<X, Y, A>(f: impl Fn(X) -> Y + Send + Sync + 'static, args: A) -> Vec<f64>
where
    X: Tree<Leaf = Var>,
    Y: Tree<Leaf = Var>,
    A: Feed<X::With<Array>> + Clone,
{
    floats(f, args).concat()
}

/// `<f(x), c> = <x, transpose(c)>`.
#[track_caller]
fn transposes(f: impl Fn(Var) -> Var + Copy + Send + Sync + 'static, x: Vec<f64>, c: Vec<f64>) {
    let both = move |(x, c): (Var, Var)| {
        let back = linear_transpose(f, &x);
        [(f(x) * c).sum(), (x * back(c)).sum()]
    };
    let got = numbers(both, (x, c));
    assert!(
        (got[0] - got[1]).abs() < 1e-12 * got[0].abs().max(1.0),
        "{got:?}"
    );
}

#[test]
fn the_transpose_of_a_linear_function() {
    let x = vec![0.3, -1.2, 2.0, 0.7];
    let c = vec![1.1, 0.4, -0.9, 0.2];
    transposes(|x| 3.0 * x - x / 7.0, x.clone(), c.clone());
    transposes(|x| x.cumsum(0).flip(0).roll(1, 0), x.clone(), c.clone());
    transposes(
        |x| {
            let w = (arange(4).to(DType::F64) * 0.3).sin();
            w.outer(w + 1.0).dot(x) + x.sum() * w
        },
        x.clone(),
        c.clone(),
    );
    // A recurrence, a batch, a branch that something else chooses, a loop that something else ends.
    transposes(
        |x| scan(0.0, x, |s, x| (0.5 * s + x, s - x)).1,
        x.clone(),
        c.clone(),
    );
    transposes(
        |x| vmap(move |y: Var| 2.0 * y + x.at(1))(x),
        x.clone(),
        c.clone(),
    );
    transposes(
        |x| cond(Var::from(true), x, |x| x * 2.0, |x| x.flip(0)),
        x.clone(),
        c.clone(),
    );
    transposes(
        |x| {
            while_loop(
                (x, 0.0),
                |(_, t)| t.lt(2.5),
                |(x, t)| (x * 0.5 + x.flip(0), t + 1.0),
            )
            .0
        },
        x,
        c,
    );
}

#[test]
fn a_transpose_of_trees_and_its_derivative() {
    // What is captured has a derivative: d/da <f_a(x), c> with f_a = (a x, x0 y).
    let f = |(a, b): (Var, Var)| {
        let example = &(b, b);
        let back = linear_transpose(move |(x, y): (Var, Var)| (a * x + y, [x * a * a]), example);
        let (x, y) = back((b, [b * b]));
        x + 10.0 * y
    };
    // x: a b + a² b², y: b.
    assert_eq!(numbers(f, (3.0, 2.0)), [3.0 * 2.0 + 9.0 * 4.0 + 20.0]);
    assert_eq!(numbers(grad(f), (3.0, 2.0))[0], 2.0 + 6.0 * 4.0);
    // Where nothing depends on the argument its cotangent is zero; a constant has no part.
    let f = |x: Var| linear_transpose(|(x, _): (Var, Var)| x + 5.0, &(x, x))(x);
    assert_eq!(numbers(f, 2.0), [2.0, 0.0]);
    // Twice is once.
    let twice = |x: Var| {
        let f = |x: Var| x.at(0) * 2.0 + x.at(1) * 5.0;
        let back = linear_transpose(f, &x);
        linear_transpose(back, &x.at(0))(x)
    };
    assert_eq!(numbers(twice, [3.0, 4.0]), [26.0]);
}

#[test]
fn what_is_not_linear_has_no_transpose() {
    let of = |f: fn(Var) -> Var| {
        refusal(
            move |x: Var| {
                let back = linear_transpose(f, &x);
                back(f(x))
            },
            1.5,
        )
    };
    let functions: [fn(Var) -> Var; 7] = [
        |x| x * x,
        |x| x.sin(),
        |x| x.abs(),
        |x| cond(x.gt(0.0), x, |x| x, |x| 2.0 * x),
        |x| fori(..x.to(DType::I64), x, |_, x| x * 2.0),
        |x| x.floor(),
        stop_gradient,
    ];
    for f in functions {
        let said = of(f);
        assert!(
            said.starts_with("linear_transpose: the function is not linear"),
            "{said}"
        );
        assert!(said.contains("linear.rs:"), "{said}");
    }
    assert!(
        of(|x| x.to(DType::I64)).contains("the result is i64, and linear functions give floats")
    );
    let said = refusal(|x: Var| linear_transpose(|x: Var| x, &x)(x), 1i64);
    assert!(said.contains("only floats have derivatives"), "{said}");
    let said = refusal(|x: Var| linear_transpose(|x: Var| x, &x)(x.at(0)), [1.0]);
    assert!(
        said.contains("the result has f64[1], and the cotangent has f64"),
        "{said}"
    );
}

#[test]
fn a_pullback_with_something_beside() {
    let f = |(a, b): (Var, Var)| {
        let ((y, (big, seen)), pull) = vjp_aux(
            |(a, b): (Var, Var)| ([a * b, a.sin()], (b.gt(1.0), [a, a + b])),
            (a, b),
        );
        let (da, db) = pull([Var::from(2.0), Var::from(0.0)]);
        ([da, db], y[0], big.to(DType::F64), seen)
    };
    assert_eq!(numbers(f, (3.0, 5.0)), [10.0, 6.0, 15.0, 1.0, 3.0, 8.0]);
    // What comes beside has derivatives of its own when all of it is differentiated again.
    let f = |x: Var| {
        let ((_, aux), pull) = vjp_aux(|x: Var| (x * x, x * x * x), x);
        pull(Var::from(1.0)) * aux
    };
    assert_eq!(numbers(grad(f), 2.0), [8.0 * 8.0]);
    // Under a batch, with a loop of unknown length inside.
    let f = |x: Var| {
        let run = |x: Var| while_loop((x, 0i64), |(x, _)| x.lt(9.0), |(x, n)| (x * x, n + 1));
        let ((y, n), pull) = vjp_aux(run, x);
        [pull(ones_like(y)), n.to(DType::F64)]
    };
    assert_eq!(
        numbers(vmap(f), [2.0, 3.0, 10.0]),
        [32.0, 6.0, 1.0, 2.0, 1.0, 0.0]
    );
    let said = refusal(
        |x: Var| {
            let (_, pull) = vjp_aux(|x: Var| (x, x.sum()), x);
            pull(x.sum())
        },
        [1.0, 2.0],
    );
    assert!(
        said.contains("the result has f64[2], and the cotangent has f64"),
        "{said}"
    );
}

/// The identity, with a pullback of its own.
fn clipped(x: Var) -> Var {
    custom_vjp(|x: Var| x, |x| (x, ()), |(), ct: Var| ct.clamp(-1.0, 1.0))(x)
}

#[test]
fn forward_mode_through_a_pullback_is_refused_wherever_it_stands() {
    let one = || Var::from(1.0);
    let refused = |said: String| {
        assert!(
            said.starts_with(
                "custom_vjp: forward mode through a function that has only a pullback"
            ),
            "{said}"
        );
        assert!(said.contains("linear.rs:"), "{said}");
    };
    refused(refusal(move |x: Var| jvp(clipped, x, one()).1, 1.0));
    refused(refusal(jacfwd(|x: Var| clipped(x)), [1.0, 2.0]));
    refused(refusal(
        move |x: Var| jvp(|x: Var| scan(x, 0..3, |c, _| (clipped(c), ())).0, x, one()).1,
        1.0,
    ));
    refused(refusal(
        move |x: Var| {
            let f = |x: Var| while_loop(x, |x| x.lt(3.0), |x| clipped(x) + 1.0);
            jvp(f, x, one()).1
        },
        1.0,
    ));
    refused(refusal(
        move |x: Var| jvp(|x: Var| cond(x.gt(0.0), x, clipped, |x| x), x, one()).1,
        1.0,
    ));
    refused(refusal(
        move |x: Var| {
            let (_, push) = linearize(clipped, x);
            push(one())
        },
        1.0,
    ));
    refused(refusal(
        move |x: Var| {
            let (_, push) = linearize(|x: Var| scan(x, 0..3, |c, _| (clipped(c), ())).0, x);
            push(one())
        },
        1.0,
    ));
    // Forward over reverse is another matter: the pullback itself has tangents.
    let f = |x: Var| clipped(x * x * 0.1).sum();
    assert_eq!(numbers(hessian(f), [1.0, 2.0]), [0.2, 0.0, 0.0, 0.2]);
}

#[test]
fn second_derivatives_are_forward_over_reverse() {
    let f = |x: Var| {
        let n = while_loop(
            (x.at(0), x.at(1)),
            |(a, _)| a.lt(50.0),
            |(a, b)| (a * b, b + 1.0),
        );
        n.0 * n.1
    };
    let h = numbers(hessian(f), [2.0, 3.0]);
    let rr = numbers(jacrev(grad(f)), [2.0, 3.0]);
    assert_eq!(h.len(), 4);
    assert_eq!(h[1], h[2]);
    for (a, b) in h.iter().zip(&rr) {
        assert!((a - b).abs() < 1e-9 * b.abs().max(1.0), "{h:?} {rr:?}");
    }
    // a (b (b+1)), b + 2 = a b (b+1) (b+2): 2·3·4 = 24 goes on to 120.
    let wanted = {
        // a · b (b+1) (b+2) · (b+3)
        let b = 3.0f64;
        let p = b * (b + 1.0) * (b + 2.0) * (b + 3.0);
        let slope = p * (1.0 / b + 1.0 / (b + 1.0) + 1.0 / (b + 2.0) + 1.0 / (b + 3.0));
        assert_eq!(p, 360.0);
        slope
    };
    assert!((h[1] - wanted).abs() < 1e-9, "{h:?}");
}
