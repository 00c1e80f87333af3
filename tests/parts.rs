//! Arrays that are read part by part: their cotangents are put together from those of the parts.

use wengert::prelude::*;
use wengert_check::check_grads;

type Reader = fn(Var) -> Var;

/// Functions of a vector of 12 that read it at fixed places.
const VECTORS: [(&str, Reader); 12] = [
    ("each element", |x| {
        (0..12).fold(Var::from(0.1), |s, i| {
            s * 0.7 + (x.at(i) * (i as f64 + 1.0)).sin()
        })
    }),
    ("some elements, some twice", |x| {
        x.at(3) * x.at(7) + x.at(3).exp() + x.at(0) * x.at(11)
    }),
    ("halves", |x| x.slice(..6).dot(x.slice(6..).sin())),
    ("a half twice", |x| {
        x.slice(..6).sum() + x.slice(..6).dot(x.slice(6..))
    }),
    ("an element of a part", |x| {
        x.slice(2..9).sin().sum() * x.at(4)
    }),
    ("a part around an element", |x| {
        x.at(4) * x.slice(2..9).sin().sum()
    }),
    ("parts that overlap", |x| {
        x.slice(..8).dot(x.slice(4..).cos()) + x.slice(2..10).square().sum()
    }),
    ("differences", |x| {
        (x.slice(1..) - x.slice(..11)).square().sum()
    }),
    ("every third", |x| {
        x.at(s![0..;3]).dot(x.at(s![2..;3])) + x.at(1)
    }),
    ("nothing and all", |x| {
        x.slice(3..3).sum() + x.slice(..).prod() + x.at(-1)
    }),
    ("parts and all", |x| {
        x.square().sum() + x.at(2) * x.at(5) + x.at(8)
    }),
    ("parts in a branch", |x| {
        cond(x.at(0).gt(0.0), x, |x| x.at(1) * x.at(2), |x| x.at(3)) + x.at(1) * x.at(9)
    }),
];

/// Functions of a matrix of 3 by 4.
const MATRICES: [(&str, Reader); 6] = [
    ("each element", |a| {
        let all = (0..3).flat_map(|i| (0..4).map(move |j| (i, j)));
        all.fold(Var::from(0.0), |s, (i, j)| s * 0.5 + a.at((i, j)).sin())
    }),
    ("rows", |a| a.at(0).dot(a.at(1)) + a.at(2).exp().sum()),
    ("columns", |a| {
        a.slice((.., 0)).dot(a.slice((.., 3))) + a.slice((.., 1)).sum()
    }),
    ("a row and a column", |a| {
        a.at(1).dot(a.at(1)) * a.slice((.., 2)).exp().sum()
    }),
    ("blocks", |a| {
        let (p, q) = (a.slice((..2, ..2)), a.slice((1.., 2..)));
        (p * q).sum() + a.at((0, 3)) * a.at((2, 0))
    }),
    ("a determinant", |a| {
        let m = |i: i64, j: i64| a.at((i, j));
        m(0, 0) * (m(1, 1) * m(2, 2) - m(1, 2) * m(2, 1))
            - m(0, 1) * (m(1, 0) * m(2, 2) - m(1, 2) * m(2, 0))
            + m(0, 2) * (m(1, 0) * m(2, 1) - m(1, 1) * m(2, 0))
    }),
];

fn agree(name: &str, f: Reader, x: &Array) {
    let back = jit(grad(f));
    let forward = jit(jacfwd(f));
    let slope = back.call(x).unwrap();
    assert!(
        slope.all_close(&forward.call(x).unwrap(), 1e-13, 1e-13),
        "{name}: {slope} {}",
        forward.call(x).unwrap()
    );
    assert_eq!(slope, back.interpret(x).unwrap(), "{name}");
    check_grads(f, x.clone(), 2).unwrap();
    let rows = jit(move |x: Var| vmap(grad(f))(stack([x, 0.5 * x, x])).at(0));
    assert_eq!(rows.call(x).unwrap(), slope, "{name}, in a batch");
    let steps = jit(move |x: Var| fori(0..1, x, move |_, x| grad(f)(x)));
    assert_eq!(steps.call(x).unwrap(), slope, "{name}, in a loop");
}

#[test]
fn cotangents_of_parts() {
    let x: Array = (0..12)
        .map(|i| 0.3 * (f64::from(i) + 0.7).sin())
        .collect::<Vec<_>>()
        .into();
    for (name, f) in VECTORS {
        agree(name, f, &x);
    }
    let a = x.reshape([3, 4]).unwrap();
    for (name, f) in MATRICES {
        agree(name, f, &a);
    }
}

/// The gradient of a model that reads its parameters one by one adds nothing of their length.
#[test]
fn parameters_read_one_by_one() {
    for (name, f) in [VECTORS[0], VECTORS[1], VECTORS[2], VECTORS[4], VECTORS[10]] {
        let text = jit(grad(f)).func([0.0; 12].as_slice()).unwrap().to_string();
        let full = |line: &&str| {
            let adds = ["= add(", "= fma("];
            line.contains("f64[12]") && adds.iter().any(|a| line.contains(a))
        };
        let adds = text.lines().filter(full).count();
        // What reads all of the array adds its cotangent once.
        assert_eq!(
            adds,
            usize::from(name == "parts and all"),
            "{name}:\n{text}"
        );
        assert!(!text.contains("f64[12] = pad"), "{name}:\n{text}");
    }
}

/// A few large parts are padded and added where they are read, so that their sum is never stored.
#[test]
fn large_parts_are_stored_nowhere() {
    let loss = |x: Var| (x.slice(..5000) * x.slice(5000..).sin()).sum();
    let step = jit(move |x: Var| x - 0.1 * grad(loss)(x));
    let text = step.explain(vec![0.0; 10_000]).unwrap().to_string();
    assert!(text.contains("memory on the way\n    none"), "{text}");
}
