//! Further mistakes of those who know NumPy and JAX, each read as such a user.

use expect_test::expect;
use wengert::prelude::*;

use super::mistaken;

#[test]
fn axes_and_shapes() {
    // A negative axis beyond the first.
    mistaken(
        |x: Var| x.sum_axis(-3),
        [[1.0], [2.0]],
        expect!["sum: f64[2,1] has no axis -3, at HERE"],
    );
    // An axis of a concatenation that is not there.
    mistaken(
        |x: Var| concat((x, x), 1),
        [1.0, 2.0],
        expect!["concat: f64[2] has no axis 1, at HERE"],
    );
    // Matrices in the wrong order.
    mistaken(
        |(a, b): (Var, Var)| a.dot(b),
        ([[1.0, 2.0, 3.0]], [[1.0], [2.0]]),
        expect!["dot: f64[1,3] and f64[2,1] differ in length along axes 1 and 0, at HERE"],
    );
    // A matrix times a vector of another length.
    mistaken(
        |(a, v): (Var, Var)| a.dot(v),
        ([[1.0, 2.0], [3.0, 4.0]], [1.0, 2.0, 3.0]),
        expect!["dot: f64[2,2] and f64[3] differ in length along axes 1 and 0, at HERE"],
    );
    // A length left open that does not come out even.
    mistaken(
        |x: Var| x.reshape([2, -1]),
        [1.0, 2.0, 3.0],
        expect![
            "reshape: f64[3] cannot take the shape [2, -1], at HERE; no length in the place of -1 makes 3 elements of it"
        ],
    );
    // Integers joined to floats.
    mistaken(
        |x: Var| concat((x, x.to(DType::I64)), 0),
        [1.0, 2.0],
        expect![
            "concat: f64[2] and i64[2] have no common element type, at HERE; convert one of them, as in `x.to(DType::F64)`"
        ],
    );
    // An order that is none.
    mistaken(
        |x: Var| x.transpose([0, 0]),
        [[1.0], [2.0]],
        expect!["transpose: [0, 0] is not an order of the 2 axes of f64[2,1], at HERE"],
    );
    // An axis dropped that is not of length 1.
    mistaken(
        |x: Var| x.squeeze_axis(0),
        [1.0, 2.0],
        expect!["squeeze: axis 0 of f64[2] has not length 1, at HERE"],
    );
    // A split that does not come out even.
    mistaken(
        |x: Var| x.split(2, 0),
        [1.0, 2.0, 3.0],
        expect![
            "split: f64[3] has no 2 equal parts along axis 0, at HERE; use `array_split` for parts that differ in length"
        ],
    );
    // Shapes that broadcast in one way only.
    mistaken(
        |x: Var| x.broadcast_to([2]),
        [1.0, 2.0, 3.0],
        expect!["broadcast_to: f64[3] does not broadcast to f64[2], at HERE"],
    );
    // A condition of another shape.
    mistaken(
        |x: Var| x.gt(0.0).select([1.0, 2.0, 3.0], 0.0),
        [1.0, 2.0],
        expect!["select: bool[2] and f64[3] do not broadcast, at HERE"],
    );
    // A spread along an axis that is not there.
    mistaken(
        |x: Var| x.std_axis(1),
        [1.0, 2.0],
        expect!["std: f64[2] has no axis 1, at HERE"],
    );
}

#[test]
fn places_and_values() {
    // An index in front of the first.
    mistaken(
        |x: Var| x.at(-3),
        [1.0, 2.0],
        expect!["at: f64[2] has no place -3 along axis 0, at HERE"],
    );
    // More indices than axes.
    mistaken(
        |x: Var| x.at((0, 0)),
        [1.0, 2.0],
        expect!["at: 2 indices for the 1 axis of f64[2], at HERE"],
    );
    // A step of 0.
    mistaken(
        |x: Var| x.at(s![..;0]),
        [1.0, 2.0],
        expect!["at: .. by 0 is not a part of axis 0 of f64[2], at HERE; a step is not 0"],
    );
    // A slice beyond the end.
    mistaken(
        |x: Var| x.slice_axis(0, 1..5),
        [1.0, 2.0],
        expect!["slice: 1..5 is not a part of axis 0 of f64[2], at HERE; the axis has 2 elements"],
    );
    // Values of another shape written.
    mistaken(
        |x: Var| x.at_set(s![0..2], [1.0, 2.0, 3.0]),
        [1.0, 2.0, 3.0],
        expect!["at_set: f64[3] does not broadcast to f64[2], at HERE"],
    );
    // The largest of none.
    mistaken(
        |x: Var| x.amax(),
        Array::zeros(0, DType::F64),
        expect!["amax: f64[0] has no element along axis 0, at HERE"],
    );
    // The place of the largest of none.
    mistaken(
        |x: Var| x.argmax(),
        Array::zeros(0, DType::F64),
        expect!["argmax: f64[0] has no element along axis 0, at HERE"],
    );
    // A mean of counts.
    mistaken(
        |n: Var| n.mean(),
        [1i64, 2],
        expect![
            "mean: i64[2] is not an array of floats, at HERE; convert it first, as in `x.to(DType::F64)`"
        ],
    );
    // A power that is negative, of integers.
    mistaken(
        |n: Var| n.powi(-1),
        2i64,
        expect![
            "powi: i64 to the power -1 is no whole number, at HERE; convert first, as in `x.to(DType::F64)`"
        ],
    );
    // `f32` and `i32` mixed.
    mistaken(
        |(x, n): (Var, Var)| x * n,
        (1f32, 2i32),
        expect![
            "mul: f32 and i32 have no common element type, at HERE; convert one of them, as in `x.to(DType::F32)`"
        ],
    );
    // A quantile of no share.
    mistaken(
        |x: Var| x.quantile(1.5),
        [1.0, 2.0],
        expect!["quantile: the share 1.5 is not in [0, 1], at HERE"],
    );
    // A literal too large for the type.
    mistaken(
        |x: Var| x + 300,
        1u8,
        expect!["add: 300 does not fit in u8, at HERE; convert first, as in `x.to(DType::I64)`"],
    );
}

#[test]
fn functions_and_loops() {
    // Rows of different numbers.
    mistaken(
        |(x, y): (Var, Var)| scan(0.0, (x, y), |c, (x, y)| (c + x * y, ())).0,
        ([1.0], [1.0, 2.0, 3.0]),
        expect!["scan: the array.0 has 1 row, and the array.1 has 3, at HERE"],
    );
    // A gradient of a vector.
    mistaken(
        |x: Var| value_and_grad(|x: Var| x * 2.0)(x).1,
        [1.0, 2.0],
        expect![
            "value_and_grad: the function gives f64[2], and a gradient is that of a float scalar, at HERE; take a sum or a mean of it, or use `jacrev`"
        ],
    );
    // A gradient by integers, beside floats.
    mistaken(
        |(x, n): (Var, Var)| grad_at((x, n), |(x, n)| x * n.to(DType::F64)).0,
        (1.0, 2i64),
        expect![
            "grad_at: the argument.1 is i64, and only floats have derivatives, at HERE; capture it, or convert it to f64"
        ],
    );
    // Leaves of another number.
    mistaken(
        |x: Var| vmap_axes(|(a, b): (Var, Var)| a + b, [Some(0), None, None], 0)((x, x)),
        [1.0, 2.0],
        expect![
            "vmap_axes: of the argument, 3 axes are given for 2 leaves, which count in the order of `tree::leaves`, at HERE"
        ],
    );
    // One key for a batch.
    mistaken(
        vmap(|key: Key| key.normal(())),
        Key::from_seed(0),
        expect![
            "normal: u32 is one word of a key, and no key, at HERE; a batch or a loop goes over several keys: make them by `key.split_into(n)`"
        ],
    );
    // One key for a loop.
    mistaken(
        |key: Key| scan(0.0, key, |x, key: Key| (x + key.normal(()), ())).0,
        Key::from_seed(0),
        expect![
            "normal: u32 is one word of a key, and no key, at HERE; a batch or a loop goes over several keys: make them by `key.split_into(n)`"
        ],
    );
    // A choice by a vector.
    mistaken(
        |x: Var| cond(x.gt(0.0), x, |x| x, |x| -x),
        [1.0, -2.0],
        expect![
            "cond: chooses by one truth value, a scalar bool, and got bool[2], at HERE; reduce the truth values to one by `any()` or `all()`, or choose element by element with `select`"
        ],
    );
    // A sum of vectors that starts from a number.
    mistaken(
        |x: Var| scan(0.0, x, |c, x| (c + x, ())).0,
        [[1.0, 2.0], [3.0, 4.0]],
        expect![
            "scan: the carry is f64 before the step and f64[2] after it, and a carry keeps its type; start from an array of that shape, such as `zeros([2])`, or make one number of it in the step, as by `sum`, at HERE"
        ],
    );
    // A count that becomes a float.
    mistaken(
        |x: Var| fori(0..3, 0i64, |_, n| n.to(DType::F64) + x),
        1.0,
        expect![
            "fori: the carry is i64 before the step and f64 after it, and a carry keeps its type; start from a number of that type, as in `Var::scalar(0f64)`, or convert what the step gives, as in `x.to(DType::I64)`, at HERE"
        ],
    );
    // Names for another number of axes.
    mistaken(
        |(a, b): (Var, Var)| einsum("ij,jk->ik", &[a, b]),
        ([[1.0, 2.0]], [1.0, 2.0]),
        expect![
            "einsum: `jk` of `ij,jk->ik` names 2 axes, and operand 1 has 1, of the shape [2], at HERE"
        ],
    );
    // Lengths of one name.
    mistaken(
        |(a, b): (Var, Var)| einsum("ij,jk->ik", &[a, b]),
        ([[1.0, 2.0]], [[1.0], [2.0], [3.0]]),
        expect![
            "einsum: `j` of `ij,jk->ik` has the length 2 in one operand and 3 in operand 1, at HERE"
        ],
    );
    // A name that no operand has.
    mistaken(
        |a: Var| einsum("ij->k", &[a]),
        [[1.0, 2.0]],
        expect!["einsum: no operand of `ij->k` has an axis `k`, at HERE"],
    );
    // A letter that is none.
    mistaken(
        |a: Var| einsum("i1->i", &[a]),
        [[1.0, 2.0]],
        expect!["einsum: `1` in `i1` is not the name of an axis, at HERE"],
    );
    // Roots of a function of another shape.
    mistaken(
        |x: Var| fixed_point(x, 1e-9, |x: Var| x.sum()),
        [1.0, 2.0],
        expect![
            "fixed_point: the start has f64[2], and the value of the function has f64, at HERE"
        ],
    );
}
