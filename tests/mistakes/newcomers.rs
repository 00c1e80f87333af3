//! One mistake after the other, as someone makes them who knows NumPy and JAX.

use expect_test::expect;
use wengert::prelude::*;

use super::mistaken;

/// One mistake after the other, as someone makes them who knows NumPy and JAX.
#[test]
fn what_a_newcomer_gets_wrong() {
    // An index beyond the end.
    mistaken(
        |x: Var| x.at(5),
        [1.0, 2.0],
        expect!["at: f64[2] has no place 5 along axis 0, at HERE"],
    );
    // An index that is a float.
    mistaken(
        |x: Var| x.at(x.at(0)),
        [1.0, 2.0],
        expect![
            "at: f64 is not an array of indices, at HERE; convert it, as in `i.to(DType::I64)`"
        ],
    );
    // A shape of another size.
    mistaken(
        |x: Var| x.reshape([2, 2]),
        [1.0, 2.0],
        expect!["reshape: f64[2] has 2 elements, f64[2,2] has 4, at HERE"],
    );
    // Two lengths left open.
    mistaken(
        |x: Var| x.reshape([-1, -1]),
        [1.0, 2.0],
        expect![
            "reshape: f64[2] cannot take the shape [-1, -1], at HERE; one length may be left open, as -1"
        ],
    );
    // An axis that is not there.
    mistaken(
        |x: Var| x.sum_axis(2),
        [1.0, 2.0],
        expect!["sum: f64[2] has no axis 2, at HERE"],
    );
    // Arrays that cannot be joined.
    mistaken(
        |x: Var| concat((x, x.expand_dims(0)), 0),
        [1.0, 2.0],
        expect!["concat: f64[2] and f64[1,2] do not join along axis 0, at HERE"],
    );
    // Scalars joined.
    mistaken(
        |x: Var| concat((x, 1.0), 0),
        1.0,
        expect!["concat: f64 has no axis, at HERE; use `stack` to make an axis"],
    );
    // Arrays of other shapes stacked.
    mistaken(
        |x: Var| stack((x, 1.0)),
        [1.0, 2.0],
        expect!["stack: f64[2] and f64 have different shapes, at HERE"],
    );
    // Nothing stacked.
    mistaken(
        |_: Var| stack(Vec::<Var>::new()),
        1.0,
        expect!["stack: no operand, at HERE"],
    );
    // A product of shapes that do not fit.
    mistaken(
        |x: Var| x.dot(zeros([3, 2])),
        [1.0, 2.0],
        expect!["dot: f64[2] and f64[3,2] differ in length along axes 0 and 0, at HERE"],
    );
    // A length that is negative.
    mistaken(
        |_: Var| zeros([-1]),
        1.0,
        expect!["zeros: [-1] holds a negative length, at HERE"],
    );
    // A bound that is a float.
    mistaken(
        |x: Var| fori(..x, x, |_, x| x),
        1.0,
        expect!["fori: a bound is an integer scalar, got f64, at HERE"],
    );
    // A choice among several at once.
    mistaken(
        |x: Var| cond(x.gt(0.0), x, |x| x, |x| -x),
        [1.0, 2.0],
        expect![
            "cond: chooses by one truth value, a scalar bool, and got bool[2], at HERE; reduce the truth values to one by `any()` or `all()`, or choose element by element with `select`"
        ],
    );
    // A condition of many.
    mistaken(
        |x: Var| while_loop(x, |x| x.lt(3.0), |x| x + 1.0),
        [1.0, 2.0],
        expect![
            "while_loop: the condition gives bool[2], not a bool, at HERE; reduce an array of truth values by `any()` or `all()`"
        ],
    );
    // A number that chooses.
    mistaken(
        |x: Var| x.select(1.0, 2.0),
        1.0,
        expect![
            "select: the condition is f64, not bool, at HERE; compare it with something, as in `x.ne(0)`"
        ],
    );
    // Floats joined bit by bit.
    mistaken(
        |x: Var| x & x,
        1.0,
        expect!["and: integers or bool expected, got f64, at HERE"],
    );
    // A branch chosen by a float.
    mistaken(
        |x: Var| switch(x, x, &[&|x: Var| x, &|x: Var| -x]),
        1.0,
        expect!["switch: the number of a branch is an integer scalar, got f64, at HERE"],
    );
    // A tangent of another type.
    mistaken(
        |x: Var| jvp(|x: Var| x * x, x, x.to(DType::F32)).1,
        1.0,
        expect!["jvp: the argument has f64, and the tangent has f32, at HERE"],
    );
    // A cotangent of another shape.
    mistaken(
        |x: Var| vjp(|x: Var| x.sum(), x).1(x),
        [1.0, 2.0],
        expect!["vjp: the result has f64, and the cotangent has f64[2], at HERE"],
    );
    // A gradient of several results.
    mistaken(
        |x: Var| grad(|x: Var| x * 2.0)(x),
        [1.0, 2.0],
        expect![
            "grad: the function gives f64[2], and a gradient is that of a float scalar, at HERE; take a sum or a mean of it, or use `jacrev`"
        ],
    );
    // Widths for too few axes.
    mistaken(
        |x: Var| x.pad([(1, 1)]),
        [[1.0], [2.0]],
        expect!["pad: 1 pair of widths for the 2 axes of f64[2,1], at HERE"],
    );
    // Too few operands.
    mistaken(
        |x: Var| einsum("ij,jk->ik", &[x]),
        [[1.0], [2.0]],
        expect!["einsum: `ij,jk->ik` names 2 operands, and 1 is given, at HERE"],
    );
    // A batch of a scalar beside one.
    mistaken(
        |x: Var| vmap(|(x, y): (Var, Var)| x + y)((x, Var::from(1.0))),
        [1.0, 2.0],
        expect![
            "vmap: the argument.1 is f64, which has no axis 0 to map over; capture what is the same for all, or use `vmap_axes`, at HERE"
        ],
    );
    // A float written into integers.
    mistaken(
        |x: Var| zeros_of(3, DType::I64).at_set(0, x),
        1.0,
        expect![
            "at_set: f64 does not go into i64[3], at HERE; convert one of them, as in `x.to(DType::F64)`"
        ],
    );
    // A float added to a count.
    mistaken(
        |n: Var| n + 0.5,
        1i64,
        expect!["add: the float 0.5 beside i64, at HERE; convert first, as in `x.to(DType::F64)`"],
    );
    // A placeholder too few.
    mistaken(
        |x: Var| {
            debug_print("{}", (x, x));
            x
        },
        1.0,
        expect![[r#"debug_print: 1 {} for 2 leaves, in "{}", at HERE"#]],
    );
    // A carry that grows.
    mistaken(
        |x: Var| fori(0..3, x, |_, x| concat((x, [1.0]), 0)),
        [1.0, 2.0],
        expect![
            "fori: the carry is f64[2] before the step and f64[3] after it, and a carry keeps its type; broadcast what the step gives, or start from that shape, at HERE"
        ],
    );
    // A carry that becomes a float.
    mistaken(
        |x: Var| fori(0..3, x, |i, _| i),
        1.0,
        expect![
            "fori: the carry is f64 before the step and i64 after it, and a carry keeps its type; start from a number of that type, as in `Var::scalar(0i64)`, or convert what the step gives, as in `x.to(DType::F64)`, at HERE"
        ],
    );
    // A carry of a count that becomes a float.
    mistaken(
        |x: Var| scan(0i64, x, |n, x| (x * 2.0, n)).1,
        [1.0, 2.0],
        expect![
            "scan: the carry is i64 before the step and f64 after it, and a carry keeps its type; start from a number of that type, as in `Var::scalar(0f64)`, or convert what the step gives, as in `x.to(DType::I64)`, at HERE"
        ],
    );
    // A mean of truth values.
    mistaken(
        |x: Var| x.gt(0.0).mean(),
        [1.0, 2.0],
        expect![
            "mean: bool[2] is not an array of floats, at HERE; convert it first, as in `x.to(DType::F64)`"
        ],
    );
    // A gradient by an integer.
    mistaken(
        |n: Var| grad(|n: Var| n.to(DType::F64))(n),
        1i64,
        expect![
            "grad: the argument is i64, and only floats have derivatives, at HERE; capture it, or convert it to f64"
        ],
    );
    // A jacobian of counts.
    mistaken(
        |x: Var| jacrev(|x: Var| (x, x.to(DType::I64)))(x).0,
        1.0,
        expect![
            "jacrev: the result.1 is i64, and only floats have derivatives, at HERE; leave it out, or convert it to f64"
        ],
    );
    // A step of zero.
    mistaken(
        |_: Var| arange((0, 5, 0)),
        1.0,
        expect!["arange: no step leads from 0 to 5, at HERE"],
    );
    // An axis named twice.
    mistaken(
        |x: Var| x.sum_axis([0, 0]),
        [[1.0], [2.0]],
        expect!["sum: an axis of f64[2,1] is named twice in [0, 0], at HERE"],
    );
}
