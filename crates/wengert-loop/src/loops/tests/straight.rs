//! Short loops unrolled, and elements in registers.

use expect_test::{Expect, expect};

use super::*;
use crate::loops::affine::Affine;
use crate::loops::builder::Carry;
use crate::loops::promote::promote;
use crate::loops::unroll::unroll;
use crate::loops::{BufferId, FoldOp, Value};

/// The unrolled and promoted program, after a check that it computes the same bits.
fn straight(b: Builder, inputs: &[Data]) -> Program {
    let before = checked(b);
    let after = promote(&unroll(&before));
    if let Err(e) = verify(&after) {
        panic!("{e}\n{after}");
    }
    let bits = |p: &Program| -> Vec<u64> {
        let all = result::<f64>(p, inputs).expect("a program that runs");
        all.into_iter().map(f64::to_bits).collect()
    };
    assert_eq!(bits(&after), bits(&before), "{before}\n{after}");
    after
}

fn check(b: Builder, inputs: &[Data], expect: Expect) {
    expect.assert_eq(&straight(b, inputs).to_string());
}

fn at(b: &Builder, i: Value) -> Affine {
    b.affine(i)
}

fn numbers(n: usize) -> Data {
    Data::F64((0..n).map(|i| 0.3 + 0.7 * i as f64).collect())
}

/// `y[i] = 2 x[i]`, in lanes.
fn doubled(b: &mut Builder, x: BufferId, y: BufferId, n: i64) {
    let n = b.i64(n);
    b.for_(LoopKind::Vector, n, &[], |b, i, _| {
        let i = at(b, i);
        let v = b.load(x, &i);
        let v = b.add(v, v);
        b.store(y, &i, v);
        vec![]
    });
}

/// A loop that updates an array carries its elements, and writes them once.
#[test]
fn a_loop_carries_the_elements_it_stores() {
    let mut b = Builder::new();
    let x = input(&mut b, 0, DType::F64, 2);
    let y = output(&mut b, DType::F64, 2);
    let (state, next) = (
        b.buffer(DType::F64, 2, BufferKind::Call),
        b.buffer(DType::F64, 2, BufferKind::Call),
    );
    doubled(&mut b, x, state, 2);
    let thousand = b.i64(1000);
    b.repeat(thousand, |b, _| {
        doubled(b, state, next, 2);
        doubled(b, next, state, 2);
    });
    doubled(&mut b, state, y, 2);
    check(
        b,
        &[numbers(2)],
        expect![[r#"
            b0: f64[2] input 0
            b1: f64[2] output 0
            b2: f64[2] call
            b3: f64[2] call
            v0: f64 = b0[0]
            v1: f64 = add v0, v0
            v2: f64 = b0[1]
            v3: f64 = add v2, v2
            v4: i64 = 1000
            v6: f64, v8: f64 = for v9 < v4 (v5 = v1, v7 = v3) {
              v10: f64 = add v5, v5
              v11: f64 = add v7, v7
              v12: f64 = add v10, v10
              v13: f64 = add v11, v11
              yield v12, v13
            }
            v14: f64 = add v6, v6
            b1[0] = v14
            v15: f64 = add v8, v8
            b1[1] = v15
        "#]],
    );
}

/// A vector loop that sums has a partial sum for each lane, and the sums are joined as if the loop
/// ran.
#[test]
fn partial_sums_are_joined_in_the_same_order() {
    for n in [1, 2, 3, 8, 9] {
        let mut b = Builder::new();
        let x = input(&mut b, 0, DType::F64, n);
        let y = output(&mut b, DType::F64, 1);
        let zero = b.f64(0.0);
        let carry = Carry {
            init: zero,
            lanes: true,
        };
        let count = b.i64(n as i64);
        let sums = b.for_(LoopKind::Vector, count, &[carry], |b, i, sum| {
            let i = at(b, i);
            let v = b.load(x, &i);
            vec![b.add(sum[0], v)]
        });
        let sum = b.op(ScalarOp::Fold(FoldOp::Add), &sums);
        b.store(y, &Affine::constant(0), sum);
        let after = straight(b, &[numbers(n)]);
        assert!(!after.to_string().contains("for"), "{after}");
    }
}

/// A branch yields the elements that it stores; other elements keep their values.
#[test]
fn a_branch_in_lanes_yields_the_elements_it_stores() {
    let mut b = Builder::new();
    let x = input(&mut b, 0, DType::F64, 20);
    let y = output(&mut b, DType::F64, 20);
    let own = b.buffer(DType::F64, 2, BufferKind::Local);
    let n = b.i64(20);
    b.for_(LoopKind::Vector, n, &[], |b, i, _| {
        let i = at(b, i);
        let v = b.load(x, &i);
        let (zero, one) = (Affine::constant(0), Affine::constant(1));
        b.store(own, &zero, v);
        b.store(own, &one, v);
        let five = b.f64(5.0);
        let small = b.op(ScalarOp::Lt, &[v, five]);
        b.if_(
            small,
            |b| {
                let w = b.load(own, &one);
                let w = b.mul(w, w);
                b.store(own, &zero, w);
                vec![]
            },
            |_| vec![],
        );
        let (v, w) = (b.load(own, &zero), b.load(own, &one));
        let sum = b.add(v, w);
        b.store(y, &i, sum);
        vec![]
    });
    check(
        b,
        &[numbers(20)],
        expect![[r#"
            b0: f64[20] input 0
            b1: f64[20] output 0
            b2: f64[2] local
            v0: i64 = 20
            for vector v1 < v0 {
              v2: f64* = b0[i]
              v3: f64 = 5.0
              v4: bool* = lt v2, v3
              v6: f64* = if v4 {
                v5: f64* = mul v2, v2
                yield v5
              } else {
                yield v2
              }
              v7: f64* = add v6, v2
              b1[i] = v7
            }
        "#]],
    );
}

/// Elements that are accessed at unknown indices stay in memory, and long loops are not unrolled.
#[test]
fn what_cannot_be_in_registers_stays() {
    let mut b = Builder::new();
    let x = input(&mut b, 0, DType::F64, 4);
    let y = output(&mut b, DType::F64, 4);
    let state = b.buffer(DType::F64, 4, BufferKind::Call);
    doubled(&mut b, x, state, 4);
    let hundred = b.i64(100);
    b.repeat(hundred, |b, i| {
        let three = b.i64(3);
        let i = b.op(ScalarOp::And, &[i, three]);
        let i = at(b, i);
        let v = b.load(state, &i);
        let v = b.mul(v, v);
        b.store(state, &i, v);
    });
    doubled(&mut b, state, y, 4);
    let after = straight(b, &[numbers(4)]).to_string();
    assert!(after.contains("b2["), "{after}");
    assert!(after.contains("for"), "{after}");
}

/// Scratch that belongs to a step is garbage in the next step, so it is not carried.
#[test]
fn scratch_of_a_step_is_not_carried() {
    let mut b = Builder::new();
    let x = input(&mut b, 0, DType::F64, 40);
    let y = output(&mut b, DType::F64, 40);
    let own = b.buffer(DType::F64, 1, BufferKind::Task);
    let n = b.i64(40);
    b.repeat(n, |b, i| {
        let i = at(b, i);
        let v = b.load(x, &i);
        b.store(own, &Affine::constant(0), v);
        let w = b.load(own, &Affine::constant(0));
        let w = b.mul(w, v);
        b.store(y, &i, w);
    });
    check(
        b,
        &[numbers(40)],
        expect![[r#"
            b0: f64[40] input 0
            b1: f64[40] output 0
            b2: f64[1] task
            unused v2: i64
            v0: i64 = 40
            for v1 < v0 {
              v3: f64 = b0[v1]
              v4: f64 = mul v3, v3
              b1[v1] = v4
            }
        "#]],
    );
}
