use expect_test::{Expect, expect};

use super::*;
use crate::loops::affine::Affine;
use crate::loops::{Stmt, Value, dead_carries};

fn check(b: Builder, expect: Expect) {
    expect.assert_eq(&checked(b).to_string());
}

/// Index arithmetic that an inner loop does not change is computed outside it, numbers are folded,
/// and equal sums are computed once.
#[test]
fn index_arithmetic_moves_out_and_is_shared() {
    let mut b = Builder::new();
    let x = input(&mut b, 0, DType::F64, 24);
    let y = output(&mut b, DType::F64, 24);
    let (two, three) = (b.i64(2), b.i64(3));
    b.repeat(two, |b, i| {
        b.repeat(three, |b, j| {
            let four = b.i64(4);
            b.repeat(four, |b, k| {
                let (i, j, k) = (b.affine(i), b.affine(j), b.affine(k));
                let at = b.add_scaled(&k, &j, 4);
                let at = b.add_scaled(&at, &i, 12);
                let other = at.clone().plus(-1);
                let v = b.load(x, &at);
                b.store(y, &at, v);
                let w = b.load(x, &other);
                b.store(y, &other, w);
            });
        });
    });
    check(
        b,
        expect![[r#"
            b0: f64[24] input 0
            b1: f64[24] output 0
            unused v6: i64, v9: i64, v12: i64
            v0: i64 = 2
            v1: i64 = 3
            for v2 < v0 {
              v7: i64 = 12
              v8: i64 = mul v2, v7
              for v3 < v1 {
                v4: i64 = 4
                v10: i64 = mul v3, v4
                v11: i64 = add v8, v10
                for v5 < v4 {
                  v13: i64 = add v11, v5
                  v14: f64 = b0[v13]
                  b1[v13] = v14
                  v15: f64 = b0[v13 + -1]
                  b1[v13 + -1] = v15
                }
              }
            }
        "#]],
    );
}

#[test]
fn layouts_of_a_vector_access() {
    let mut b = Builder::new();
    let x = input(&mut b, 0, DType::F32, 100);
    let y = output(&mut b, DType::F32, 10);
    let ten = b.i64(10);
    b.for_(LoopKind::Vector, ten, &[], |b, i, _| {
        let i = b.affine(i);
        let at = b.scale(&i, -1).plus(9);
        let reversed = b.load(x, &at);
        let at = b.scale(&i, 10).plus(3);
        let column = b.load(x, &at);
        let all = b.load(x, &Affine::constant(7));
        let at = b.div(&i, 2);
        let repeated = b.load(x, &at);
        let even = b.scale(&i, 4);
        let exact = b.div(&even, 2);
        let doubled = b.load(x, &exact);
        let v = [column, all, repeated, doubled]
            .into_iter()
            .fold(reversed, |a, c| b.add(a, c));
        b.store(y, &i, v);
        vec![]
    });
    check(
        b,
        expect![[r#"
            b0: f32[100] input 0
            b1: f32[10] output 0
            unused v5: i64, v6: i64
            v0: i64 = 10
            for vector v1 < v0 {
              v2: f32* = b0[-1*i + 9]
              v3: f32* = b0[10*i + 3]
              v4: f32 = b0[7]
              v7: i64 = 2
              v8: i64* = div v1, v7
              v9: f32* = b0[v8]
              v10: f32* = b0[2*i]
              v11: f32* = add v2, v3
              v12: f32* = add v11, v4
              v13: f32* = add v12, v9
              v14: f32* = add v13, v10
              b1[i] = v14
            }
        "#]],
    );
}

/// Every kind of statement, for the text form.
#[test]
fn text() {
    let mut b = Builder::new();
    let x = input(&mut b, 0, DType::F64, 8);
    let y = output(&mut b, DType::F64, 8);
    let scratch = b.buffer(DType::F64, 2, BufferKind::Local);
    let table = b.table(DType::F64, vec![0, 1.5f64.to_bits()]);
    let square = b.function("square", &[DType::F64], |b, p| b.mul(p[0], p[0]));
    let eight = b.i64(8);
    let zero = b.f64(0.0);
    b.store(scratch, &Affine::constant(1), zero);
    let carry = b.carry(zero);
    let sums = b.for_(LoopKind::Vector, eight, &[carry], |b, i, carried| {
        let at = b.affine(i);
        let v = b.load(x, &at);
        let list = b.list(vec![(DType::F64, 1)], None);
        b.list_begin(list);
        let carries = [b.carry(v), b.counter(), b.carry(eight)];
        let outs = b.while_(
            100,
            &carries,
            |b, p| {
                let limit = b.f64(0.5);
                b.op(ScalarOp::Lt, &[limit, p[0]])
            },
            |b, p| {
                b.list_push(list, p[1]);
                b.list_store(list, 0, p[1], &Affine::constant(0), p[0]);
                let (half, one) = (b.f64(0.5), b.i64(1));
                let (next, rows) = (b.mul(p[0], half), b.add(p[1], one));
                let lanes = b.add(p[2], one);
                vec![next, rows, lanes]
            },
        );
        let eight = b.i64(8);
        let steps = b.sub(outs[2], eight);
        let built = b.list_finish(list, steps);
        let handle = b.list_handle(list.field(built, 0));
        let n = b.list_rows(handle);
        let reverse = LoopKind::Serial { reverse: true };
        let carry = b.carry(zero);
        let rows = Rows::Of(list.field(built, 0));
        let back = b.for_(reverse, n, &[carry], |b, row, p| {
            let at = Affine::constant(0);
            let v = b.list_load(DType::F64, rows, row, &at);
            let w = b.list_load(DType::F64, Rows::Handle(handle), row, &at);
            let v = b.mul(v, w);
            vec![b.add(p[0], v)]
        });
        let positive = b.op(ScalarOp::Lt, &[zero, back[0]]);
        let chosen = b.if_(
            positive,
            |b| {
                let one = b.i64(1);
                let one = b.affine(one);
                vec![b.load(table, &one)]
            },
            |b| vec![b.call(square, &[back[0]])],
        );
        b.store(scratch, &Affine::constant(0), chosen[0]);
        b.store(y, &at, chosen[0]);
        vec![b.add(carried[0], chosen[0])]
    });
    b.op(ScalarOp::Fold(crate::loops::FoldOp::Add), &[sums[0]]);
    let half = b.i64(4);
    b.for_(LoopKind::Parallel, half, &[], |b, i, _| {
        let at = b.affine(i);
        b.copy((y, &at), (x, &Affine::constant(3)), 2);
        vec![]
    });
    check(
        b,
        expect![[r#"
            b0: f64[8] input 0
            b1: f64[8] output 0
            b2: f64[2] local
            b3: f64[2] constant 0
            constant 0: f64 0.0, 1.5
            l0: list* (f64[1])
            f0 square(v0: f64*) {
              v1: f64* = mul v0, v0
              yield v1
            }
            unused v33: i64, v38: f64, v41: i64
            v0: i64 = 8
            v1: f64 = 0.0
            b2[1] = v1
            v3: f64* = for vector v4 < v0 (v2 = v1) {
              v5: f64* = b0[i]
              begin l0
              v6: i64 = 0
              v8: f64*, v10: i64, v12: i64* = while (v7 = v5, v9 = v6, v11 = v0) limit 100 {
                v13: f64 = 0.5
                v14: bool* = lt v13, v7
                yield v14
              } do {
                push l0 v9
                l0.0[v9][0] = v7
                v15: f64 = 0.5
                v16: i64 = 1
                v17: f64* = mul v7, v15
                v18: i64 = add v9, v16
                v19: i64* = add v11, v16
                yield v17, v18, v19
              }
              v20: i64 = 8
              v21: i64* = sub v12, v20
              v22: i64 = finish l0 rows v21
              v23: i64* = handle l0(v22).0
              v24: i64* = rows v23
              v26: f64* = for reverse v27 < v24 (v25 = v1) {
                v28: f64* = l0(v22).0[v27][0]
                v29: f64* = list(v23)[v27][0]
                v30: f64* = mul v28, v29
                v31: f64* = add v25, v30
                yield v31
              }
              v32: bool* = lt v1, v26
              v36: f64* = if v32 {
                v34: f64 = b3[1]
                yield v34
              } else {
                v35: f64* = f0(v26)
                yield v35
              }
              b2[0] = v36
              b1[i] = v36
              v37: f64* = add v2, v36
              yield v37
            }
            v39: i64 = 4
            for parallel v40 < v39 {
              copy 2: b1[v40] = b0[3]
            }
        "#]],
    );
}

/// A loop drops a count of its steps that nobody reads, and keeps one that the condition, another carried value or
/// what comes after it reads.
#[test]
fn carried_values_that_nobody_reads_are_dropped() {
    let mut b = Builder::new();
    let y = output(&mut b, DType::I64, 2);
    let (zero, one, ten) = (b.i64(0), b.i64(1), b.i64(10));
    let carries = [zero; 5].map(|init| b.carry(init));
    let outs = b.while_(
        u64::MAX,
        &carries,
        |b, p| b.op(ScalarOp::Lt, &[p[0], ten]),
        |b, p| {
            let mut next: Vec<Value> = p[..4].iter().map(|&v| b.add(v, one)).collect();
            next.push(b.add(p[4], p[2]));
            next
        },
    );
    b.store(y, &Affine::constant(0), outs[3]);
    b.store(y, &Affine::constant(1), outs[4]);
    let mut program = checked(b);
    dead_carries::remove(&mut program);
    verify(&program).unwrap();
    let carried = program.body.stmts.iter().find_map(|s| match s {
        Stmt::While(w) => Some(w.carried.iter().map(|c| c.out).collect::<Vec<_>>()),
        _ => None,
    });
    assert_eq!(carried, Some(vec![outs[0], outs[2], outs[3], outs[4]]));
}
