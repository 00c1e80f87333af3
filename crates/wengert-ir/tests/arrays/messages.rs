//! The messages of mistakes.

use std::panic::{AssertUnwindSafe, catch_unwind};

use expect_test::{Expect, expect};
use wengert_ir::error::Error;
use wengert_ir::ir::{DType, Type};
use wengert_ir::s;
use wengert_ir::trace::{Kind, Span, Var, arange, closed, concat, eye, full, stack, zeros};

pub type Mistake = (&'static str, fn(Var, Var, Var, Var) -> Var);

/// A list of expressions over `x: f64[3,4]`, `v: f64[3]`, `i: i64` and `b: bool[2]`.
macro_rules! mistakes {
    (|$x:ident, $v:ident, $i:ident, $b:ident| $($wrong:expr;)*) => {
        &[$((stringify!($wrong), |$x, $v, $i, $b| { let _ = ($x, $v, $i, $b); $wrong })),*]
    };
}

pub(crate) use mistakes;

/// Checks the message of each mistake, listed below its expression, and that the error names the caller's file.
pub fn check(mistakes: &[Mistake], expected: Expect) {
    let types = [
        Type::new(DType::F64, &[3, 4]),
        Type::new(DType::F64, &[3]),
        Type::new(DType::I64, &[]),
        Type::new(DType::Bool, &[2]),
    ];
    let mut said = String::new();
    for (wrong, f) in mistakes {
        let traced = || closed(Kind::Door, &types, |x| vec![f(x[0], x[1], x[2], x[3])]);
        let payload = catch_unwind(AssertUnwindSafe(traced)).expect_err("a mistake");
        let error = payload
            .downcast::<Error>()
            .expect("an error of this library");
        let text = error.to_string();
        let Some((message, place)) = text.split_once(", at ") else {
            panic!("{wrong} names no place: {text}")
        };
        assert!(place.contains("messages.rs:"), "{wrong}: {text}");
        let hint = place.split_once("; ").map(|(_, hint)| format!("; {hint}"));
        said += &format!("{wrong}\n    {message}{}\n", hint.unwrap_or_default());
    }
    expected.assert_eq(&said);
}

#[test]
fn shapes() {
    let wrong: &[Mistake] = mistakes! { |x, v, i, b|
        x.reshape([5, 2]);
        x.reshape([-1, 5]);
        x.reshape([-1, -1]);
        x.reshape([i64::MAX, -1, i64::MAX]);
        x.reshape([-2, 6]);
        x.transpose([0, 0]);
        x.transpose([0]);
        x.transpose([0, 2]);
        x.swap_axes(0, -3);
        x.move_axis(0, 2);
        x.broadcast_to([3, 5]);
        x.broadcast_to(4);
        x.expand_dims(3);
        x.squeeze_axis(0);
        x.flip(2);
        x.flip([1, -1]);
        x.roll(1, 2);
        x.pad([(1, 1)]);
        x.pad([(usize::MAX, 1), (0, 0)]);
        zeros([usize::MAX, 2]);
        zeros(-1);
        arange(usize::MAX);
        eye(1i64 << 40);
        full([2, 2], v);
    };
    check(
        wrong,
        expect![[r#"
            x.reshape([5, 2])
                reshape: f64[3,4] has 12 elements, f64[5,2] has 10
            x.reshape([-1, 5])
                reshape: f64[3,4] cannot take the shape [-1, 5]; no length in the place of -1 makes 12 elements of it
            x.reshape([-1, -1])
                reshape: f64[3,4] cannot take the shape [-1, -1]; one length may be left open, as -1
            x.reshape([i64::MAX, -1, i64::MAX])
                reshape: f64[3,4] cannot take the shape [9223372036854775807, -1, 9223372036854775807]; no length in the place of -1 makes 12 elements of it
            x.reshape([-2, 6])
                reshape: [-2, 6] holds a negative length
            x.transpose([0, 0])
                transpose: [0, 0] is not an order of the 2 axes of f64[3,4]
            x.transpose([0])
                transpose: [0] is not an order of the 2 axes of f64[3,4]
            x.transpose([0, 2])
                transpose: f64[3,4] has no axis 2
            x.swap_axes(0, -3)
                swap_axes: f64[3,4] has no axis -3
            x.move_axis(0, 2)
                move_axis: f64[3,4] has no axis 2
            x.broadcast_to([3, 5])
                broadcast_to: f64[3,4] does not broadcast to f64[3,5]
            x.broadcast_to(4)
                broadcast_to: f64[3,4] does not broadcast to f64[4]
            x.expand_dims(3)
                expand_dims: f64[3,4] has no axis 3
            x.squeeze_axis(0)
                squeeze: axis 0 of f64[3,4] has not length 1
            x.flip(2)
                flip: f64[3,4] has no axis 2
            x.flip([1, -1])
                flip: an axis of f64[3,4] is named twice in [1, -1]
            x.roll(1, 2)
                roll: f64[3,4] has no axis 2
            x.pad([(1, 1)])
                pad: 1 pair of widths for the 2 axes of f64[3,4]
            x.pad([(usize::MAX, 1), (0, 0)])
                pad: f64[9223372036854775807,4] is larger than memory can be
            zeros([usize::MAX, 2])
                zeros: f64[9223372036854775807,2] is larger than memory can be
            zeros(-1)
                zeros: [-1] holds a negative length
            arange(usize::MAX)
                arange: i64[9223372036854775807] is larger than memory can be
            eye(1i64 << 40)
                eye: i64[1099511627776,1099511627776] is larger than memory can be
            full([2, 2], v)
                full: f64[3] does not broadcast to f64[2,2]
        "#]],
    );
}

#[test]
fn reductions() {
    let wrong: &[Mistake] = mistakes! { |x, v, i, b|
        x.sum_axis(2);
        x.sum_axis([0, 0]);
        b.sum();
        b.at(0).sum();
        x.any();
        b.amax();
        x.slice((.., 0..0)).amax_axis(1);
        i.mean();
    };
    check(
        wrong,
        expect![[r#"
        x.sum_axis(2)
            sum: f64[3,4] has no axis 2
        x.sum_axis([0, 0])
            sum: an axis of f64[3,4] is named twice in [0, 0]
        b.sum()
            sum: bool[2] is not an array of numbers; convert it first, as in `x.to(DType::I64)`
        b.at(0).sum()
            sum: bool is not an array of numbers; convert it first, as in `x.to(DType::I64)`
        x.any()
            any: f64[3,4] is not an array of truth values; compare it first, as in `x.ne(0)`
        b.amax()
            amax: bool[2] is not an array of numbers; convert it first, as in `x.to(DType::I64)`
        x.slice((.., 0..0)).amax_axis(1)
            amax: f64[3,0] has no element along axis 1
        i.mean()
            mean: i64 is not an array of floats; convert it first, as in `x.to(DType::F64)`
    "#]],
    );
}

#[test]
fn running_values_and_order() {
    let wrong: &[Mistake] = mistakes! { |x, v, i, b|
        x.cumsum(2);
        i.cumprod(0);
        b.cummax(0);
        x.cummin_reverse(-3);
        arange(3).cumlogsumexp(0);
        x.sort(2);
        i.sort(0);
        x.argsort_descending(-3);
        x.sort_with(&[v], 0)[1];
        x.argmax_axis(2);
        x.slice(0..0).argmax_axis(0);
        x.slice(0..0).argmin();
        x.top_k(5).0;
        i.top_k(0).1;
        x.searchsorted(v);
        v.searchsorted(i);
        x.take_along_axis(i, 0);
        x.take_along_axis(v, 0);
        x.take_along_axis(arange(6).reshape([2, 3]), 0);
        x.take_along_axis(x, 1);
        x.put_along_axis(arange(3).reshape([3, 1]), v, 1);
        x.add_along_axis(arange(3).reshape([3, 1]), true, 2);
        v.one_hot(3);
        i.one_hot(usize::MAX);
    };
    check(
        wrong,
        expect![[r#"
            x.cumsum(2)
                cumsum: f64[3,4] has no axis 2
            i.cumprod(0)
                cumprod: i64 has no axis 0
            b.cummax(0)
                cummax: bool[2] is not an array of numbers; convert it first, as in `x.to(DType::I64)`
            x.cummin_reverse(-3)
                cummin: f64[3,4] has no axis -3
            arange(3).cumlogsumexp(0)
                cumlogsumexp: i64[3] is not an array of floats; convert it first, as in `x.to(DType::F64)`
            x.sort(2)
                sort: f64[3,4] has no axis 2
            i.sort(0)
                sort: i64 has no axis 0
            x.argsort_descending(-3)
                argsort: f64[3,4] has no axis -3
            x.sort_with(&[v], 0)[1]
                sort: f64[3,4] and f64[3] have different shapes
            x.argmax_axis(2)
                argmax: f64[3,4] has no axis 2
            x.slice(0..0).argmax_axis(0)
                argmax: f64[0,4] has no element along axis 0
            x.slice(0..0).argmin()
                argmin: f64[0] has no element along axis 0
            x.top_k(5).0
                top_k: f64[3,4] has fewer than 5 elements along axis 1
            i.top_k(0).1
                top_k: i64 has no axis -1
            x.searchsorted(v)
                searchsorted: f64[3,4] is not a vector; use `vmap` for a stack of them
            v.searchsorted(i)
                searchsorted: f64[3] and i64 have no common element type; convert one of them, as in `x.to(DType::F64)`
            x.take_along_axis(i, 0)
                take_along_axis: indices i64 do not go along axis 0 of f64[3,4]
            x.take_along_axis(v, 0)
                take_along_axis: f64[3] is not an array of indices; convert it, as in `i.to(DType::I64)`
            x.take_along_axis(arange(6).reshape([2, 3]), 0)
                take_along_axis: indices i64[2,3] do not go along axis 0 of f64[3,4]
            x.take_along_axis(x, 1)
                take_along_axis: f64[3,4] is not an array of indices; convert it, as in `i.to(DType::I64)`
            x.put_along_axis(arange(3).reshape([3, 1]), v, 1)
                put_along_axis: f64[3] does not broadcast to f64[3,1]
            x.add_along_axis(arange(3).reshape([3, 1]), true, 2)
                add_along_axis: f64[3,4] has no axis 2
            v.one_hot(3)
                one_hot: f64[3] is not an array of indices; convert it, as in `i.to(DType::I64)`
            i.one_hot(usize::MAX)
                one_hot: i64[18446744073709551615] is larger than memory can be
        "#]],
    );
}

/// These operations do not exist for lists from loops of unknown length; their types report an error.
#[test]
fn axes_of_run_time_length() {
    use wengert_ir::ir::{Dim, Shape};
    use wengert_ir::ops::Primitive;
    use wengert_ir::ops::affine_scatter::AffineScatter;
    use wengert_ir::ops::cumulative::{Cumulative, Step};
    use wengert_ir::ops::index::{Access, Bounds, Index};
    use wengert_ir::ops::sort::Sort;
    let list = Type {
        dtype: DType::F64,
        shape: Shape([Dim::Run, Dim::N(3)].into_iter().collect()),
    };
    let places = Type::new(DType::I64, &[2]);
    let index = Index {
        access: Access::Max,
        axis: 1,
        batch: 0,
        bounds: Bounds::Drop,
    };
    let all: [(&dyn Primitive, Vec<Type>); 4] = [
        (
            &Cumulative {
                step: Step::Sum,
                axis: 1,
                reverse: false,
            },
            vec![list.clone()],
        ),
        (
            &Sort {
                axis: 1,
                descending: false,
            },
            vec![list.clone()],
        ),
        (&index, vec![list.clone(), places.clone(), list.clone()]),
        (
            &AffineScatter::new(1, 0, Bounds::Clamp),
            vec![list.clone(), places, list.clone(), list],
        ),
    ];
    for (op, types) in all {
        let error = op.types(&types).expect_err("an axis of run-time length");
        assert_eq!(error.message, "f64[?,3] has an axis of run-time length");
    }
}

#[test]
fn index_expressions() {
    let wrong: &[Mistake] = mistakes! { |x, v, i, b|
        x.at(s![.., 4]);
        x.at(s![.., .., 0]);
        x.at(s![..., 0, ...]);
        x.at(s![0, 2..5]);
        x.at(s![.., 0..3;0]);
        x.at(s![.., 4..0;-1]);
        x.at(s![.., 0..3;-1]);
        x.at(s![.., 3..-5;-1]);
        x.at_set(s![0, 1..=4;2], 0.0);
        x.at_set(s![..;-1, 0], v.at(s![..;-2]));
        x.at(s![b]);
        x.at(s![i, v]);
        x.at(s![arange(2), arange(3)]);
        x.slice((.., 0..0)).at(s![.., i]);
        x.at_set(s![0, 1..3], v);
        x.at_add(s![i], x);
        x.at_mul(s![.., -5], 2.0);
        x.at_min(v, 2.0);
        x.at_max(0, b);
        b.at_max(0, true);
        b.at_mul(0, true);
        arange(3).at_mul(s![0..2], 0.5);
    };
    check(
        wrong,
        expect![[r#"
            x.at(s![.., 4])
                at: f64[3,4] has no place 4 along axis 1
            x.at(s![.., .., 0])
                at: 3 indices for the 2 axes of f64[3,4]
            x.at(s![..., 0, ...])
                at: 2 times `...` among the parts of f64[3,4]
            x.at(s![0, 2..5])
                at: 2..5 is not a part of axis 1 of f64[3,4]; the axis has 4 elements
            x.at(s![.., 0..3;0])
                at: 0..3 by 0 is not a part of axis 1 of f64[3,4]; a step is not 0
            x.at(s![.., 4..0;-1])
                at: 4..0 by -1 is not a part of axis 1 of f64[3,4]; a negative step leads down, and the axis has 4 elements
            x.at(s![.., 0..3;-1])
                at: 0..3 by -1 is not a part of axis 1 of f64[3,4]; a negative step leads down, and the axis has 4 elements
            x.at(s![.., 3..-5;-1])
                at: 3..-5 by -1 is not a part of axis 1 of f64[3,4]; a negative step leads down, and the axis has 4 elements
            x.at_set(s![0, 1..=4;2], 0.0)
                at_set: 1..=4 by 2 is not a part of axis 1 of f64[3,4]; the axis has 4 elements
            x.at_set(s![..;-1, 0], v.at(s![..;-2]))
                at_set: f64[2] does not broadcast to f64[3]
            x.at(s![b])
                at: bool[2] is not an array of indices; choose by a mask with `select`, as in `mask.select(x, 0.0)`
            x.at(s![i, v])
                at: f64[3] is not an array of indices; convert it, as in `i.to(DType::I64)`
            x.at(s![arange(2), arange(3)])
                at: the indices i64[2], i64[3] do not broadcast
            x.slice((.., 0..0)).at(s![.., i])
                at: f64[3,0] has no element along axis 1
            x.at_set(s![0, 1..3], v)
                at_set: f64[3] does not broadcast to f64[2]
            x.at_add(s![i], x)
                at_add: f64[3,4] does not broadcast to f64[4]
            x.at_mul(s![.., -5], 2.0)
                at_mul: f64[3,4] has no place -5 along axis 1
            x.at_min(v, 2.0)
                at_min: f64[3] is not an array of indices; convert it, as in `i.to(DType::I64)`
            x.at_max(0, b)
                at_max: f64[2] does not broadcast to f64[4]
            b.at_max(0, true)
                at_max: bool[2] is not an array of numbers; use `at_set`, or convert it, as in `x.to(DType::I64)`
            b.at_mul(0, true)
                at_mul: bool[2] is not an array of numbers; use `at_set`, or convert it, as in `x.to(DType::I64)`
            arange(3).at_mul(s![0..2], 0.5)
                at_mul: the float 0.5 does not go into i64[3]; convert one of them, as in `x.to(DType::F64)`
        "#]],
    );
}

#[test]
fn products() {
    let wrong: &[Mistake] = mistakes! { |x, v, i, b|
        x.dot(v);
        x.dot(x);
        x.dot(i.to(DType::F64));
        x.dot(i);
        x.expand_dims(0).dot(v);
        x.matmul(x);
        x.broadcast_to([2, 3, 4]).matmul(x.t().broadcast_to([3, 4, 3]));
        v.matmul(2.0);
        b.outer(b);
        x.tensordot(v, [(0, 1)]);
        x.tensordot(v, [(1, 0)]);
        x.tensordot(x, [(0, 0), (0, 1)]);
    };
    check(
        wrong,
        expect![[r#"
            x.dot(v)
                dot: f64[3,4] and f64[3] differ in length along axes 1 and 0
            x.dot(x)
                dot: f64[3,4] and f64[3,4] differ in length along axes 1 and 0
            x.dot(i.to(DType::F64))
                dot: f64[3,4] has 2 axes, and f64 has 0; multiply by a number with `*`
            x.dot(i)
                dot: f64[3,4] and i64 have no common element type; convert one of them, as in `x.to(DType::F64)`
            x.expand_dims(0).dot(v)
                dot: f64[1,3,4] has 3 axes, and f64[3] has 1; use `matmul` for stacks of matrices
            x.matmul(x)
                matmul: f64[3,4] and f64[3,4] differ in length along axes 1 and 0
            x.broadcast_to([2, 3, 4]).matmul(x.t().broadcast_to([3, 4, 3]))
                matmul: the stacks f64[2,3,4] and f64[3,4,3] do not broadcast
            v.matmul(2.0)
                matmul: f64[3] and f64: a number is not a matrix; multiply by a number with `*`
            b.outer(b)
                dot: bool[2] and bool[2] do not multiply; convert one of them, as in `x.to(DType::F64)`
            x.tensordot(v, [(0, 1)])
                tensordot: f64[3] has no axis 1
            x.tensordot(v, [(1, 0)])
                tensordot: f64[3,4] and f64[3] differ in length along axes 1 and 0
            x.tensordot(x, [(0, 0), (0, 1)])
                tensordot: f64[3,4] and f64[3,4] differ in length along axes 0 and 1
        "#]],
    );
}

#[test]
fn parts() {
    let wrong: &[Mistake] = mistakes! { |x, v, i, b|
        x.at(3);
        x.at(-4);
        x.at(v);
        i.at(0);
        x.slice(2..5);
        x.slice((.., 1..5));
        x.slice((.., .., ..));
        x.slice_axis(0, Span::from(..).by(0));
        x.slice_axis(2, ..);
        x.slice_axis(1, -5..);
        x.take(v, 0);
        x.take(i, 2);
        x.slice(0..0).take(i, 0);
        x.slice(0..0).take_along_axis(zeros([1, 4]).to(DType::I64), 0);
        x.slice(0..0).at(i);
        x.dynamic_slice(&[i], 2);
        x.dynamic_slice(&[i, i], [2, 5]);
        x.dynamic_slice(&[i, v], [2, 2]);
        x.dynamic_slice(&[i, i], [2, -2]);
        x.dynamic_update(v, &[i, i]);
        v.to(DType::F32).dynamic_update(v, &[i]);
        x.at_set(0, v);
        x.at_set(3, 1.0);
        x.at_set(v, 1.0);
        b.at_set(0, 1);
        b.at_add(0, true);
        b.at_set(0, v);
        arange(3).at_set(0, 0.5);
        arange(3).at_set(0, v.at(0));
        arange(3).to(DType::U8).at_set(0, 256);
    };
    check(
        wrong,
        expect![[r#"
            x.at(3)
                at: f64[3,4] has no place 3 along axis 0
            x.at(-4)
                at: f64[3,4] has no place -4 along axis 0
            x.at(v)
                at: f64[3] is not an array of indices; convert it, as in `i.to(DType::I64)`
            i.at(0)
                at: i64 has no axis
            x.slice(2..5)
                slice: 2..5 is not a part of axis 0 of f64[3,4]; the axis has 3 elements
            x.slice((.., 1..5))
                slice: 1..5 is not a part of axis 1 of f64[3,4]; the axis has 4 elements
            x.slice((.., .., ..))
                slice: 3 indices for the 2 axes of f64[3,4]
            x.slice_axis(0, Span::from(..).by(0))
                slice: .. by 0 is not a part of axis 0 of f64[3,4]; a step is not 0
            x.slice_axis(2, ..)
                slice: f64[3,4] has no axis 2
            x.slice_axis(1, -5..)
                slice: -5.. is not a part of axis 1 of f64[3,4]; the axis has 4 elements
            x.take(v, 0)
                take: f64[3] is not an array of indices; convert it, as in `i.to(DType::I64)`
            x.take(i, 2)
                take: f64[3,4] has no axis 2
            x.slice(0..0).take(i, 0)
                take: f64[0,4] has no element along axis 0
            x.slice(0..0).take_along_axis(zeros([1, 4]).to(DType::I64), 0)
                take_along_axis: f64[0,4] has no element along axis 0
            x.slice(0..0).at(i)
                at: f64[0,4] has no element along axis 0
            x.dynamic_slice(&[i], 2)
                dynamic_slice: 1 index for the 2 axes of f64[3,4]
            x.dynamic_slice(&[i, i], [2, 5])
                dynamic_slice: f64[2,5] is not a window of f64[3,4]
            x.dynamic_slice(&[i, v], [2, 2])
                dynamic_slice: an index is a whole number, not f64[3]
            x.dynamic_slice(&[i, i], [2, -2])
                dynamic_slice: [2, -2] holds a negative length
            x.dynamic_update(v, &[i, i])
                dynamic_update: f64[3] is not a window of f64[3,4]
            v.to(DType::F32).dynamic_update(v, &[i])
                dynamic_update: f64[3] does not go into f32[3]; convert one of them, as in `x.to(DType::F64)`
            x.at_set(0, v)
                at_set: f64[3] does not broadcast to f64[4]
            x.at_set(3, 1.0)
                at_set: f64[3,4] has no place 3 along axis 0
            x.at_set(v, 1.0)
                at_set: f64[3] is not an array of indices; convert it, as in `i.to(DType::I64)`
            b.at_set(0, 1)
                at_set: 1 does not go into bool[2]; convert one of them, as in `x.to(DType::F64)`
            b.at_add(0, true)
                at_add: bool[2] is not an array of numbers; use `at_set`, or convert it, as in `x.to(DType::I64)`
            b.at_set(0, v)
                at_set: f64[3] does not go into bool[2]; convert one of them, as in `x.to(DType::F64)`
            arange(3).at_set(0, 0.5)
                at_set: the float 0.5 does not go into i64[3]; convert one of them, as in `x.to(DType::F64)`
            arange(3).at_set(0, v.at(0))
                at_set: f64 does not go into i64[3]; convert one of them, as in `x.to(DType::F64)`
            arange(3).to(DType::U8).at_set(0, 256)
                at_set: 256 does not fit in u8; convert first, as in `x.to(DType::I64)`
        "#]],
    );
}

#[test]
fn joining() {
    let wrong: &[Mistake] = mistakes! { |x, v, i, b|
        concat([], 0);
        concat([x, v], 0);
        concat([x, x.t()], 0);
        concat([x, x], 2);
        concat([v, arange(3)], 0);
        concat([i, i], 0);
        stack([]);
        stack([x, v]);
    };
    check(
        wrong,
        expect![[r#"
            concat([], 0)
                concat: no operand
            concat([x, v], 0)
                concat: f64[3,4] and f64[3] do not join along axis 0
            concat([x, x.t()], 0)
                concat: f64[3,4] and f64[4,3] do not join along axis 0
            concat([x, x], 2)
                concat: f64[3,4] has no axis 2
            concat([v, arange(3)], 0)
                concat: f64[3] and i64[3] have no common element type; convert one of them, as in `x.to(DType::F64)`
            concat([i, i], 0)
                concat: i64 has no axis; use `stack` to make an axis
            stack([])
                stack: no operand
            stack([x, v])
                stack: f64[3,4] and f64[3] have different shapes
        "#]],
    );
}
