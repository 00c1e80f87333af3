//! Broadcasting of shapes and promotion of element types.

use expect_test::{Expect, expect};
use wengert_ir::buffer::{Buffer, Dense};
use wengert_ir::eval::eval;
use wengert_ir::ir::{DType, Type};
use wengert_ir::trace::{Kind, Var, closed, iota};

/// Checks the resulting types, and the elements as `f64`.
#[track_caller]
fn check(args: &[Dense], f: impl Fn(&[Var]) -> Var, expected: Expect) {
    let types: Vec<Type> = args.iter().map(Dense::ty).collect();
    let mut ty = String::new();
    let door = closed(Kind::Door, &types, |x| {
        let y = f(x);
        ty = y.ty().to_string();
        vec![y.to(DType::F64)]
    });
    let args: Vec<Buffer> = args.iter().cloned().map(Buffer::Dense).collect();
    let y = eval(&door.func, &args).expect("a value").remove(0);
    expected.assert_eq(&format!("{ty} {:?}", y.dense().slice::<f64>()));
}

fn row() -> Dense {
    Dense::of(vec![3], vec![1.0, 2.0, 3.0])
}

fn column() -> Dense {
    Dense::of(vec![2, 1], vec![10.0, 20.0])
}

#[test]
fn shapes_align_at_the_right() {
    check(
        &[row(), column()],
        |x| x[0] + x[1],
        expect!["f64[2,3] [11.0, 12.0, 13.0, 21.0, 22.0, 23.0]"],
    );
    check(
        &[Dense::scalar(2.0), row()],
        |x| x[0] * x[1],
        expect!["f64[3] [2.0, 4.0, 6.0]"],
    );
    check(
        &[Dense::of(vec![1], vec![2.0]), row()],
        |x| x[1] - x[0],
        expect!["f64[3] [-1.0, 0.0, 1.0]"],
    );
    check(
        &[Dense::of(vec![0, 1], vec![0.0; 0]), row()],
        |x| x[1] - x[0],
        expect!["f64[0,3] []"],
    );
    check(
        &[row(), column()],
        |x| x[0].gt(1.5).select(x[1], -1.0),
        expect!["f64[2,3] [-1.0, 10.0, 10.0, -1.0, 20.0, 20.0]"],
    );
    check(
        &[row(), column()],
        |x| x[0].mul_add(2.0, x[1]),
        expect!["f64[2,3] [12.0, 14.0, 16.0, 22.0, 24.0, 26.0]"],
    );
    check(
        &[row()],
        |x| Var::from(true).select(x[0], 0.0).clamp(1.5, 2.5),
        expect!["f64[3] [1.5, 2.0, 2.5]"],
    );
}

#[test]
fn element_types_meet() {
    let ints = || Dense::of(vec![3], vec![7i32, -8, 9]);
    let narrow = || Dense::of(vec![3], vec![1.5f32, 2.5, 3.5]);
    check(
        &[row(), narrow()],
        |x| x[0] + x[1],
        expect!["f64[3] [2.5, 4.5, 6.5]"],
    );
    check(
        &[narrow()],
        |x| x[0] + 0.1,
        expect!["f32[3] [1.600000023841858, 2.5999999046325684, 3.5999999046325684]"],
    );
    check(&[ints()], |x| x[0] / 2, expect!["i32[3] [3.0, -4.0, 4.0]"]);
    check(&[ints()], |x| x[0] % 3, expect!["i32[3] [1.0, -2.0, 0.0]"]);
    check(
        &[ints()],
        |x| x[0] << 1 | 1,
        expect!["i32[3] [15.0, -15.0, 19.0]"],
    );
    check(&[ints()], |x| x[0] >> 1, expect!["i32[3] [3.0, -4.0, 4.0]"]);
    check(&[ints()], |x| !x[0], expect!["i32[3] [-8.0, 7.0, -10.0]"]);
    check(
        &[ints()],
        |x| x[0] + x[0].gt(0),
        expect!["i32[3] [8.0, -8.0, 10.0]"],
    );
    check(
        &[ints()],
        |x| x[0].to(DType::U8),
        expect!["u8[3] [7.0, 248.0, 9.0]"],
    );
    check(
        &[row()],
        |x| (x[0] - 2.0).to(DType::U8),
        expect!["u8[3] [0.0, 0.0, 1.0]"],
    );
    check(
        &[row()],
        |x| !(x[0].ge(2.0) & x[0].ne(3)),
        expect!["bool[3] [1.0, 0.0, 1.0]"],
    );
    check(
        &[row()],
        |x| (x[0] / 0.0 - x[0] / 0.0).is_nan(),
        expect!["bool[3] [1.0, 1.0, 1.0]"],
    );
    check(
        &[row()],
        |x| ((x[0] - 2.0) / 0.0).is_finite(),
        expect!["bool[3] [0.0, 0.0, 0.0]"],
    );
}

#[test]
fn counting() {
    check(
        &[],
        |_| iota(4, DType::F32),
        expect!["f32[4] [0.0, 1.0, 2.0, 3.0]"],
    );
    check(&[], |_| iota(0, DType::I64), expect!["i64[0] []"]);
    let along = |axis: usize| {
        move |_: &[Var]| wengert_ir::ops::iota::iota(Type::new(DType::U8, &[2, 3]), axis)
    };
    check(
        &[],
        along(0),
        expect!["u8[2,3] [0.0, 0.0, 0.0, 1.0, 1.0, 1.0]"],
    );
    check(
        &[],
        along(1),
        expect!["u8[2,3] [0.0, 1.0, 2.0, 0.0, 1.0, 2.0]"],
    );
}

#[test]
fn a_literal_stays_one() {
    let door = closed(Kind::Door, &[], |_| {
        let x = Var::from(2.0);
        vec![(x * 3.0 + 1).sqrt(), x.lt(3), x.to(DType::F32), x.powi(10)]
    });
    let expected = expect![[r#"
        wengert 1
        fn() {
          return 2.6457513110645907: f64, true: bool, 2.0: f32, 1024.0: f64
        }
    "#]];
    expected.assert_eq(&format!("{:#}", door.func));
}
