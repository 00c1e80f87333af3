//! Small maps in loops are unrolled, and their results keep their bits.

use wengert::map;
use wengert::prelude::*;
use wengert_ir::rewrite::optimise;

/// Numbers whose sum depends on the order in which they are added.
fn rows(n: usize) -> Vec<f64> {
    (0..n)
        .map(|i| (-1f64).powi(i as i32) * 10f64.powi((5 * i % 7) as i32) * (i as f64 + 0.3))
        .collect()
}

type Step = fn(Var, Var) -> Var;

/// Steps of a loop with maps over rows of so many numbers.
const STEPS: [(&str, Step); 5] = [
    ("a sum over the map", |w, rows| {
        grad_at(w, |w| map(rows, move |r| (w * r + r).square() * w).sum()) * 1e-12
    }),
    ("results side by side", |w, rows| {
        let y = map(rows, move |r| r / (1.0 + w * w));
        w + 1e-9 * y.at(0) * y.at(-1)
    }),
    ("columns of a Jacobian", |w, rows| {
        let f = |x: Var| x * x.at(0) + w;
        let columns = jacfwd(f)(rows.slice(..1));
        w + 1e-3 * columns.sum()
    }),
    ("maps in a map", |w, rows| {
        let inner = move |a: Var| map(rows, move |b| a * b * w).sum();
        w + 1e-15 * map(rows, inner).sum()
    }),
    ("zeros of both signs", |w, rows| {
        grad_at(w, |w| map(rows, move |r| -0.0 * (w * r)).sum()) + w
    }),
];

fn run(step: Step, n: usize) -> impl Fn(Var) -> Var + Copy + Send + Sync {
    move |w| fori(0..4, w, move |_, w| step(w, Var::from(rows(n))))
}

#[test]
fn the_same_bits() {
    for (name, step) in STEPS {
        for n in 1..=9 {
            let f = jit(run(step, n));
            let bits = |y: Array| y.item::<f64>().unwrap().to_bits();
            let (fast, plain) = (f.call(0.7).unwrap(), f.interpret(0.7).unwrap());
            assert_eq!(bits(fast), bits(plain), "{name}, {n}");
            let slope = jit(grad(run(step, n)));
            let (fast, plain) = (slope.call(0.7).unwrap(), slope.interpret(0.7).unwrap());
            assert_eq!(bits(fast), bits(plain), "the gradient of {name}, {n}");
            let batch = jit(vmap(run(step, n))).call([0.7; 3]).unwrap();
            let alone = f.call(0.7).unwrap().item::<f64>().unwrap();
            assert_eq!(batch.to_vec::<f64>().unwrap(), [alone; 3], "{name}, {n}");
        }
    }
}

#[test]
fn maps_shorter_than_a_vector_are_unrolled_in_loops() {
    let step = STEPS[0].1;
    for n in 1..=9 {
        let types = || {
            (
                ShapeDtype::scalar(DType::F64),
                ShapeDtype::new([n], DType::F64),
            )
        };
        let text = |f: fn((Var, Var), Step) -> Var| {
            let traced = wengert::trace(move |args: (Var, Var)| f(args, step), types());
            optimise(traced.unwrap().ir(), true).to_string()
        };
        let inside = text(|(w, rows), step| fori(0..4, w, move |_, w| step(w, rows)));
        assert_eq!(inside.contains("map{"), n >= 8, "{n}");
        let outside = text(|(w, rows), step| step(w, rows));
        assert_eq!(outside.contains("map{"), n > 1, "{n}");
    }
}

/// Newton's method for a square root, a loop of unknown length, with each number of `x` by itself.
fn roots(x: Var) -> Var {
    let far = |[y, x]: [Var; 2]| (y * y - x).abs().gt(1e-12 * x);
    while_loop([x + 1.0, x], far, |[y, x]| [0.5 * (y + x / y), x])[0]
}

#[test]
fn a_map_over_one_element_is_its_element() {
    type Program = fn(Var) -> Var;
    let programs: [(&str, Program); 5] = [
        ("a column", |x| jacfwd(roots)(x.at(0))),
        ("a pullback", |x| jacrev(|x: Var| x * x.sin())(x.at(0))),
        ("a second derivative", |x| {
            hessian(|x: Var| x.exp().sin())(x.at(0))
        }),
        ("an element", |x| map(x, roots)),
        ("a sum over it", |x| {
            let w = x.at(0);
            grad_at(w, |w| map(x, move |x| (w * x).sin()).sum())
        }),
    ];
    for (name, program) in programs {
        let f = jit(program);
        let code = f.compile(ShapeDtype::new([1], DType::F64)).unwrap();
        let text = code.explain().unwrap().to_string();
        assert!(
            !text.contains("lanes") && !text.contains("map:"),
            "{name}: {text}"
        );
        for x in [0.3, 2.0, -0.0] {
            let bits = |y: Array| y.to_vec::<f64>().unwrap().into_iter().map(f64::to_bits);
            let (fast, plain) = (f.call([x]).unwrap(), f.interpret([x]).unwrap());
            assert!(bits(fast).eq(bits(plain)), "{name} of {x}");
        }
    }
}

#[test]
fn one_element_of_a_batch_has_the_bits_of_many() {
    let each = |x: Var| {
        let w = x.outer(x + 1.0);
        (
            roots(x.at(0).abs() + 0.1),
            w.dot(x).sum(),
            jacfwd(|x: Var| x.exp().sum())(x),
        )
    };
    let numbers = (0..35).map(|i| (i as f64 * 0.7).sin()).collect();
    let x = Array::new([5, 7], numbers).unwrap();
    let all = jit(move |x: Var| map(x, each)).call(&x).unwrap();
    let one = jit(move |x: Var| map(x.slice(3..4), each))
        .call(&x)
        .unwrap();
    let pick = jit(|(a, b, c): (Var, Var, Var)| (a.at(3), b.at(3), c.at(3)));
    let alone = jit(|(a, b, c): (Var, Var, Var)| (a.at(0), b.at(0), c.at(0)));
    let (a, b, c) = all;
    let all = pick.call((&a, &b, &c)).unwrap();
    let (a, b, c) = one;
    assert_eq!(all, alone.call((&a, &b, &c)).unwrap());
}
