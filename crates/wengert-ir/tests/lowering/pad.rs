//! Arrays padded with zeros, which are the transposes of slices: loop nests are split at their borders.

use super::*;
use expect_test::expect;
use wengert_ir::ops::layout::{pad, slice};
use wengert_ir::ops::map::map;

fn rosenbrock(x: &[Var]) -> Vec<Var> {
    let (here, next) = (x[0].slice(..-1), x[0].slice(1..));
    vec![(100.0 * (next - here.square()).square() + (1.0 - here).square()).sum()]
}

/// The terms of a gradient that come from shifted slices are computed in one pass, and no intermediate array is stored.
#[test]
fn shifted_terms() {
    let func = trace(&[f64s(&[1000])], |x| pulled(rosenbrock, x));
    check(
        &optimise(&func, true),
        expect![[r#"
        b0: f64[1000] input 0
        b1: f64[1000] output 0
        v0: f64 = 0.0
        v1: f64 = -0.7
        v2: f64 = 2.0
        v3: f64 = 1.0
        v4: f64 = b0[0]
        v5: f64 = sub v3, v4
        v6: f64 = mul v2, v5
        v7: f64 = 140.0
        v8: f64 = b0[1]
        v9: f64 = mul v4, v4
        v10: f64 = sub v8, v9
        v11: f64 = mul v7, v10
        v12: f64 = neg v11
        v13: f64 = mul v2, v4
        v14: f64 = mul v12, v13
        v15: f64 = fma v1, v6, v14
        v16: f64 = add v0, v15
        b1[0] = v16
        v17: i64 = 998
        for vector v18 < v17 {
          v19: f64 = 140.0
          v20: f64* = b0[i + 1]
          v21: f64* = b0[i]
          v22: f64* = mul v21, v21
          v23: f64* = sub v20, v22
          v24: f64* = mul v19, v23
          v25: f64 = -0.7
          v26: f64 = 2.0
          v27: f64 = 1.0
          v28: f64* = sub v27, v20
          v29: f64* = mul v26, v28
          v30: f64* = b0[i + 2]
          v31: f64* = mul v20, v20
          v32: f64* = sub v30, v31
          v33: f64* = mul v19, v32
          v34: f64* = neg v33
          v35: f64* = mul v26, v20
          v36: f64* = mul v34, v35
          v37: f64* = fma v25, v29, v36
          v38: f64* = add v24, v37
          b1[i + 1] = v38
        }
        v39: f64 = b0[999]
        v40: f64 = b0[998]
        v41: f64 = mul v40, v40
        v42: f64 = sub v39, v41
        v43: f64 = mul v7, v42
        v44: f64 = add v43, v0
        b1[999] = v44
    "#]],
    );
}

/// An expensive array is computed once and stored; the padded array is not stored.
#[test]
fn dear_terms() {
    let func = trace(&[f64s(&[1000])], |x| {
        let y = 1.0 / x[0].slice(..-1).sqrt();
        vec![pad(y, &[1], &[0], &[0]) - pad(y, &[0], &[1], &[0])]
    });
    check(
        &func,
        expect![[r#"
        b0: f64[1000] input 0
        b1: f64[1000] output 0
        b2: f64[999] call
        v0: i64 = 999
        for vector v1 < v0 {
          v2: f64* = b0[i]
          v3: f64* = sqrt v2
          v4: f64 = 1.0
          v5: f64* = div v4, v3
          b2[i] = v5
        }
        v6: f64 = 0.0
        v7: f64 = b2[0]
        v8: f64 = sub v6, v7
        b1[0] = v8
        v9: i64 = 998
        for vector v10 < v9 {
          v11: f64* = b2[i]
          v12: f64* = b2[i + 1]
          v13: f64* = sub v11, v12
          b1[i + 1] = v13
        }
        v14: f64 = b2[998]
        v15: f64 = sub v14, v6
        b1[999] = v15
    "#]],
    );
}

/// A batch of gradients along rows is computed row by row, and none of it is stored.
#[test]
fn rows_of_a_map() {
    let func = trace(&[f64s(&[30, 20])], |x| {
        map(&[x[0]], 30, |row| {
            let d = row[0].slice(1..) - row[0].slice(..-1);
            vec![pad(d, &[1], &[0], &[0]) - pad(d, &[0], &[1], &[0])]
        })
    });
    check(
        &func,
        expect![[r#"
        b0: f64[600] input 0
        b1: f64[600] output 0
        unused v10: i64
        v0: i64 = 30
        for vector v1 < v0 {
          v2: f64 = 0.0
          v3: f64* = b0[20*i + 1]
          v4: f64* = b0[20*i]
          v5: f64* = sub v3, v4
          v6: f64* = sub v2, v5
          b1[20*i] = v6
        }
        for v7 < v0 {
          v8: i64 = 18
          v11: i64 = 20
          v12: i64 = mul v7, v11
          for vector v9 < v8 {
            v13: f64* = b0[v12 + i + 1]
            v14: f64* = b0[v12 + i]
            v15: f64* = sub v13, v14
            v16: f64* = b0[v12 + i + 2]
            v17: f64* = sub v16, v13
            v18: f64* = sub v15, v17
            b1[v12 + i + 1] = v18
          }
        }
        for vector v19 < v0 {
          v20: f64* = b0[20*i + 19]
          v21: f64* = b0[20*i + 18]
          v22: f64* = sub v20, v21
          v23: f64 = 0.0
          v24: f64* = sub v22, v23
          b1[20*i + 19] = v24
        }
    "#]],
    );
}

#[test]
fn borders() {
    agree_with_derivatives(&[f64s(&[40])], rosenbrock);
    // Padding along both axes in turn, with more pieces than a nest is split into.
    agree_with_derivatives(&[f64s(&[9, 12])], |x| {
        let d = x[0].slice((1.., ..)) - x[0].slice((..-1, ..)).sin();
        let e = d.slice((.., 2..)) * d.slice((.., ..-2));
        vec![e.square().sum(), e.slice((1..7, 1..9)).exp().sum()]
    });
    agree_with_derivatives(&[f64s(&[6, 7, 8])], |x| {
        vec![x[0].slice((1..5, 2..5, 3..5)).square() * 2.0]
    });
    agree_with_derivatives(&[f64s(&[50])], |x| {
        (0..12).map(|i| x[0].slice(i..i + 20).square()).collect()
    });
    // Windows that are disjoint, that touch, and that cover one another.
    agree(&trace(&[f64s(&[5]), f64s(&[15])], |x| {
        let at = |low: usize| pad(x[0] * 2.0, &[low], &[15 - low], &[0]);
        let wide = pad(x[1] + 1.0, &[2], &[3], &[0]);
        vec![at(0) + at(5), at(0) * at(15), at(4) - wide, wide + at(1)]
    }));
}

/// Padded arrays that are padded again, reversed, reshaped, sliced, summed, and read as a whole.
#[test]
fn what_reads_them() {
    agree(&trace(&[f64s(&[8, 10]), f64s(&[11, 3])], |x| {
        let y = x[0] * 3.0 - 1.0;
        let p = pad(y, &[2, 1], &[1, 3], &[0, 0]);
        vec![
            pad(p, &[1, 0], &[0, 2], &[0, 0]) + 1.0,
            pad(y + x[0], &[2, 0], &[0, 0], &[0, 0]).t(),
            (pad(y.sin(), &[1, 1], &[0, 0], &[0, 0]) * 2.0).t() + 1.0,
            pad(y * 5.0, &[0, 1], &[0, 1], &[0, 0]).reshape([96]) * 2.0,
            slice(
                pad(y * 6.0, &[0, 1], &[0, 1], &[0, 0]) + 1.0,
                &[1, 0],
                &[8, 9],
                &[1, 1],
            ),
            pad(y * 7.0, &[0, 1], &[0, 1], &[0, 0]).sum(),
            (pad(y * 8.0, &[3, 0], &[0, 0], &[0, 0]) + 2.0).cumsum(0),
            pad(y * 9.0, &[3, 3], &[2, 0], &[1, 0]) - 1.0,
            pad(y * 4.0, &[0, 1], &[0, 0], &[0, 0]).matmul(x[1]),
        ]
    }));
}

/// A step overwrites its carry only after all reads of it, including reads at other places.
#[test]
fn carries() {
    agree_with_derivatives(&[f64s(&[20])], |x| {
        let step = |c: &[Var], _: &[Var]| {
            let inside = (c[0].slice(..-2) + c[0].slice(2..)) * 0.5;
            (vec![pad(inside, &[1], &[1], &[0])], vec![])
        };
        scan(&[x[0]], &[], 4, false, step).0
    });
    // There are more borders than a nest is split at, and each step reads what another result overwrites.
    let all = vec![f64s(&[20]); 7];
    agree(&trace(&all, |x| {
        let step = |c: &[Var], _: &[Var]| {
            let next = |i: usize| {
                let window = pad(c[(i + 1) % 6].slice(..10) + 1.0, &[i], &[10 - i], &[0]);
                if i.is_multiple_of(2) {
                    window
                } else {
                    window + c[i - 1]
                }
            };
            ((0..7).map(next).collect(), vec![])
        };
        scan(x, &[], 3, false, step).0
    }));
    agree(&trace(&[f64s(&[20, 30])], |x| {
        map(&[x[0]], 20, |row| {
            let step = |c: &[Var], _: &[Var]| {
                let next = c[0] + pad(c[0].slice(1..) * 0.5, &[0], &[1], &[0]);
                (vec![next], vec![next.slice(2..)])
            };
            let (carry, rows) = scan(&[row[0]], &[], 3, false, step);
            [carry, rows].concat()
        })
    }));
}
