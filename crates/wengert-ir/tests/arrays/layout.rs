//! Moving and repeating elements.

use wengert_ir::buffer::{Buffer, Dense};
use wengert_ir::eval::eval;
use wengert_ir::ir::{DType, Dim, Func, Shape, Type};
use wengert_ir::ops::layout::{self, broadcast, insert_axis};
use wengert_ir::ops::{Batched, Cotangent, Operand};
use wengert_ir::trace::{Kind, Span, Var, closed, concat, full, stack, stack_axis, zeros};

use super::rules::{check, count, f64s, trace, value};

#[test]
fn values() {
    let x = [count(&[2, 3])];
    let of = |f: &dyn Fn(Var) -> Var| value(|x| f(x[0]), &x);
    assert_eq!(of(&|x| x.reshape([3, 2])), count(&[3, 2]));
    assert_eq!(of(&|x| x.reshape([-1, 1, 2])), count(&[3, 1, 2]));
    assert_eq!(of(&|x| x.flatten()), count(&[6]));
    let t = f64s(&[3, 2], &[0.0, 3.0, 1.0, 4.0, 2.0, 5.0]);
    assert_eq!(of(&|x| x.t()), t);
    assert_eq!(of(&|x| x.transpose([1, 0])), t);
    assert_eq!(of(&|x| x.transpose([-1, -2])), t);
    assert_eq!(of(&|x| x.swap_axes(0, 1)), t);
    assert_eq!(of(&|x| x.move_axis(1, 0)), t);
    assert_eq!(of(&|x| x.expand_dims(-1).move_axis(0, -1).squeeze()), t);
    assert_eq!(of(&|x| x.expand_dims(0).squeeze_axis(0)), count(&[2, 3]));
    assert_eq!(
        of(&|x| x.slice_axis(0, 1..).broadcast_to([2, 2, 3])),
        f64s(&[2, 2, 3], &[3.0, 4.0, 5.0].repeat(4))
    );
    assert_eq!(
        of(&|x| x.flip(1)),
        f64s(&[2, 3], &[2.0, 1.0, 0.0, 5.0, 4.0, 3.0])
    );
    assert_eq!(
        of(&|x| x.flip([0, -1])),
        f64s(&[2, 3], &[5.0, 4.0, 3.0, 2.0, 1.0, 0.0])
    );
    assert_eq!(
        of(&|x| x.roll(1, 1)),
        f64s(&[2, 3], &[2.0, 0.0, 1.0, 5.0, 3.0, 4.0])
    );
    assert_eq!(
        of(&|x| x.roll(-4, 1)),
        f64s(&[2, 3], &[1.0, 2.0, 0.0, 4.0, 5.0, 3.0])
    );
    assert_eq!(
        of(&|x| x.slice_axis(0, 1..2).pad([(1, 0), (0, 2)])),
        f64s(&[2, 5], &[0.0, 0.0, 0.0, 0.0, 0.0, 3.0, 4.0, 5.0, 0.0, 0.0])
    );
    assert_eq!(
        of(&|x| layout::pad(x, &[0, 1], &[1, 0], &[1, 0])),
        f64s(
            &[4, 4],
            &[
                0.0, 0.0, 1.0, 2.0, 0.0, 0.0, 0.0, 0.0, 0.0, 3.0, 4.0, 5.0, 0.0, 0.0, 0.0, 0.0
            ]
        )
    );
}

#[test]
fn parts() {
    let x = [count(&[3, 4])];
    let of = |f: &dyn Fn(Var) -> Var| value(|x| f(x[0]), &x);
    let row = |dims: &[usize], v: &[f64]| f64s(dims, v);
    assert_eq!(of(&|x| x.at(1)), row(&[4], &[4.0, 5.0, 6.0, 7.0]));
    assert_eq!(of(&|x| x.at(-1)), of(&|x| x.at(2)));
    assert_eq!(of(&|x| x.at(2).at(3)), Dense::scalar(11.0));
    assert_eq!(of(&|x| x.slice(1..2)), row(&[1, 4], &[4.0, 5.0, 6.0, 7.0]));
    assert_eq!(
        of(&|x| x.slice((.., 1..3))),
        row(&[3, 2], &[1.0, 2.0, 5.0, 6.0, 9.0, 10.0])
    );
    assert_eq!(of(&|x| x.slice([1..2, 0..2])), row(&[1, 2], &[4.0, 5.0]));
    assert_eq!(of(&|x| x.slice((..=0, -2..))), row(&[1, 2], &[2.0, 3.0]));
    assert_eq!(of(&|x| x.slice((2.., ..=-1))), of(&|x| x.slice(2..)));
    let n = 3;
    assert_eq!(
        of(&|x| x.slice((1..n, ..))),
        of(&|x| x.slice_axis(0, 1usize..))
    );
    assert_eq!(
        of(&|x| x.slice_axis(1, Span::from(1..).by(2))),
        row(&[3, 2], &[1.0, 3.0, 5.0, 7.0, 9.0, 11.0])
    );
    assert_eq!(of(&|x| x.slice((1..1, ..))), row(&[0, 4], &[]));
}

#[test]
fn joining() {
    let x = [count(&[2, 2]), f64s(&[1, 2], &[8.0, 9.0])];
    let joined = value(|x| concat([x[0], x[1]], 0), &x);
    assert_eq!(joined, f64s(&[3, 2], &[0.0, 1.0, 2.0, 3.0, 8.0, 9.0]));
    let beside = value(|x| concat([x[0], x[1].t(), x[0]], -1), &x);
    assert_eq!(
        beside,
        f64s(&[2, 5], &[0.0, 1.0, 8.0, 0.0, 1.0, 2.0, 3.0, 9.0, 2.0, 3.0])
    );
    let piled = value(|x| stack([x[1], x[1] + 1.0]), &x);
    assert_eq!(piled, f64s(&[2, 1, 2], &[8.0, 9.0, 9.0, 10.0]));
    let last = value(|x| stack_axis([x[1], x[1] + 1.0], -1), &x);
    assert_eq!(last, f64s(&[1, 2, 2], &[8.0, 9.0, 9.0, 10.0]));
    let scalars = value(|x| stack([x[0].at(0).at(1), 7.0.into()]), &x);
    assert_eq!(scalars, f64s(&[2], &[1.0, 7.0]));
    // Truth values are promoted to floats.
    let mixed = value(
        |x| concat([x[0], Var::from(true).broadcast_to([1, 2])], 0),
        &x,
    );
    assert_eq!(mixed.dims[..], [3, 2]);
}

#[test]
fn literals_stay_literals() {
    let func = trace(&[], |_| {
        let x = full([2, 3], 1.5);
        vec![
            x.t(),
            x.reshape(6),
            x.slice((.., 1..)),
            x.flip(0),
            x.broadcast_to([4, 2, 3]),
            concat([x, x], 1),
            stack([x, x]),
            zeros([2, 3]).pad([(1, 1), (0, 2)]),
            x.at(0),
            zeros(3).sum(),
        ]
    });
    assert_eq!(func.eqns.len(), 0);
}

#[test]
fn nothing_to_do_records_nothing() {
    let func = trace(&[Type::new(DType::F64, &[2, 3])], |x| {
        let x = x[0];
        vec![
            x.transpose([0, 1]),
            x.reshape([2, 3]),
            x.slice((.., ..)),
            x.flip(()),
            x.broadcast_to([2, 3]),
            concat([x], 1),
            x.pad([(0, 0), (0, 0)]),
            x.roll(3, 1),
            x.sum_axis(()),
        ]
    });
    assert_eq!(func.eqns.len(), 0);
}

#[test]
fn rules() {
    let one = |dims: &'static [usize], f: &dyn Fn(Var) -> Var| {
        // Squares, so that second derivatives are not zero.
        check(|r| vec![r.array(dims)], |x| f(x[0] * x[0]));
    };
    for dims in [&[2, 3][..], &[0, 3], &[1, 1]] {
        one(dims, &|x| x.t());
        one(dims, &|x| x.flatten());
        one(dims, &|x| x.flip(0));
        one(dims, &|x| x.flip([0, 1]));
        one(dims, &|x| x.pad([(1, 2), (0, 3)]));
        one(dims, &|x| layout::pad(x, &[1, 0], &[0, 2], &[2, 1]));
        one(dims, &|x| x.expand_dims(1));
        one(dims, &|x| {
            x.expand_dims(1).broadcast_to([2, dims[0], 4, dims[1]])
        });
        one(dims, &|x| insert_axis(x, 1, 0));
        one(dims, &|x| concat([x, x + 1.0, x], 0).t());
        one(dims, &|x| stack_axis([x, x * 2.0], 1));
    }
    one(&[], &|x| x.broadcast_to([2, 2]));
    one(&[], &|x| x.reshape([1, 1, 1, 1]));
    one(&[5, 4], &|x| x.slice((Span::from(1..).by(3), 1..3)));
    one(&[5, 4], &|x| x.slice((2..2, Span::from(..).by(5))));
    one(&[2, 3, 1, 4], &|x| x.transpose([2, 0, 3, 1]));
    one(&[2, 1, 3], &|x| x.broadcast_to([2, 4, 3]));
    one(&[3, 2], &|x| x.at(1));
    check(
        |r| vec![r.array(&[2, 3]), r.array(&[2, 0]), r.array(&[2, 1])],
        |x| concat([x[0] * x[0], x[1], x[2]], 1),
    );
}

fn list(rows: Vec<Buffer>) -> Buffer {
    Buffer::list(rows)
}

/// Returns the type `f64[?,2]` and a list of two rows of this type.
fn rows_of_run_time_length() -> (Type, Buffer) {
    let ty = Type {
        dtype: DType::F64,
        shape: Shape([Dim::Run, Dim::N(2)].into_iter().collect()),
    };
    let row = |a, b| Buffer::Dense(f64s(&[2], &[a, b]));
    (ty, list(vec![row(1.0, 2.0), row(3.0, 4.0)]))
}

#[test]
fn lists_of_rows_take_a_batch_axis() {
    let (ty, x) = rows_of_run_time_length();
    let func = closed(Kind::Door, std::slice::from_ref(&ty), |x| {
        let spread = Batched::shared(x[0]).spread(3);
        assert_eq!(spread.ty(), ty.batched(3));
        assert_eq!(spread.ty().to_string(), "f64[?,3,2]");
        vec![spread]
    })
    .func;
    assert_eq!(Func::parse(&func.to_string()).as_ref(), Ok(&func));
    let out = eval(&func, std::slice::from_ref(&x)).unwrap();
    let row = |a, b| Buffer::Dense(f64s(&[3, 2], &[a, b].repeat(3)));
    assert_eq!(out[0], list(vec![row(1.0, 2.0), row(3.0, 4.0)]));
    // An empty list, which stands for zeros, remains empty.
    let none = eval(&func, &[list(vec![])]).unwrap();
    assert_eq!(none[0], list(vec![]));

    // The same function on a batch, and its transpose.
    let wide = ty.batched(3);
    let batched = closed(Kind::Door, std::slice::from_ref(&wide), |x| {
        let inputs = [Batched::mapped(x[0])];
        let out = wengert_ir::transform::batch(&func, &inputs, 3);
        assert_eq!(out[0].value.ty().to_string(), "f64[?,3,3,2]");
        vec![out[0].value]
    })
    .func;
    let of_batch = eval(&batched, &[out[0].clone()]).unwrap();
    let Buffer::List(rows) = &of_batch[0] else {
        panic!("a list")
    };
    assert_eq!(rows[0].dense().dims[..], [3, 3, 2]);

    let back = closed(Kind::Door, &[wide], |ct| {
        let eqn = &func.eqns[0];
        let ct = Cotangent::new(ct[0]);
        let ct = eqn
            .op
            .transpose(&[Operand::Linear(ty.clone())], &[Some(ct)]);
        vec![ct[0].unwrap().value]
    })
    .func;
    let sums = eval(&back, &[out[0].clone()]).unwrap();
    let row = |a, b| Buffer::Dense(f64s(&[2], &[a, b]));
    assert_eq!(sums[0], list(vec![row(3.0, 6.0), row(9.0, 12.0)]));
}

#[test]
fn rows_of_run_time_length_are_not_repeated() {
    let (ty, _) = rows_of_run_time_length();
    let refused = wengert_ir::ops::Primitive::types(
        &layout::Layout::Broadcast {
            shape: ty.with_axis(0, Dim::N(3)).shape,
            axes: vec![1, 2],
        },
        &[ty],
    );
    assert_eq!(
        refused.unwrap_err().message,
        "f64[?,2] to f64[3,?,2] repeats rows of run-time length"
    );
}

#[test]
fn general_broadcast() {
    let x = [f64s(&[2], &[1.0, 2.0])];
    let y = value(|x| broadcast(x[0], &Shape::new(&[2, 3]), &[0]), &x);
    assert_eq!(y, f64s(&[2, 3], &[1.0, 1.0, 1.0, 2.0, 2.0, 2.0]));
    check(
        |r| vec![r.array(&[2, 1])],
        |x| broadcast(x[0] * x[0], &Shape::new(&[4, 2, 3, 2]), &[1, 2]),
    );
}
