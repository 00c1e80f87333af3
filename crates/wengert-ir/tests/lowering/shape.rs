//! What lowered programs look like.

use super::*;
use expect_test::expect;
use wengert_ir::ops::map::map;
use wengert_ir::trace::stack;

/// Several results of one shape are one loop, in which each value is computed once; what a layout
/// operation does is in the strides.
#[test]
fn one_nest() {
    let func = trace(&[f64s(&[20, 30]), f64s(&[30, 20]), f64s(&[30])], |x| {
        let y = x[0] * x[1].t() + x[2].broadcast_to([20, 30]);
        vec![y.sqrt(), y * y]
    });
    check(
        &func,
        expect![[r#"
        b0: f64[600] input 0
        b1: f64[600] input 1
        b2: f64[30] input 2
        b3: f64[600] output 0
        b4: f64[600] output 1
        v0: i64 = 20
        for v1 < v0 {
          v2: i64 = 30
          v5: i64 = mul v1, v2
          for vector v3 < v2 {
            v6: f64* = b0[v5 + i]
            v8: f64* = b1[v1 + 20*i]
            v9: f64* = mul v6, v8
            v10: f64* = b2[i]
            v11: f64* = add v9, v10
            v12: f64* = sqrt v11
            v13: f64* = mul v11, v11
            b3[v5 + i] = v12
            b4[v5 + i] = v13
          }
        }
    "#]],
    );
}

/// The steps of a Runge-Kutta method on an array, in lanes: one loop over its elements a step.
#[test]
fn runge_kutta_in_lanes() {
    let func = trace(&[f64s(&[100, 6])], |x| {
        map(&[x[0]], 100, |row| {
            let f = |y: Var| y * (1.0 - y);
            let step = |c: &[Var], _: &[Var]| {
                let k1 = f(c[0]);
                let k2 = f(c[0] + 0.05 * k1);
                (vec![c[0] + 0.05 * (k1 + k2)], vec![])
            };
            scan(&[row[0]], &[], 50, false, step).0
        })
    });
    check(
        &func,
        expect![[r#"
        b0: f64[600] input 0
        b1: f64[600] output 0
        b2: f64[6] local
        v0: i64 = 2
        for parallel v1 < v0 {
          v2: i64 = 64
          v3: i64 = -64
          v4: i64 = mul v1, v3
          v5: i64 = 100
          v6: i64 = add v4, v5
          v7: i64 = min v6, v2
          v13: i64 = 384
          v14: i64 = mul v1, v13
          for vector v8 < v7 {
            v9: i64 = 50
            v10: i64 = 6
            for v11 < v10 {
              v16: i64 = add v14, v11
              v17: f64* = b0[v16 + 6*i]
              b2[v11] = v17
            }
            for v18 < v9 {
              v19: i64 = 6
              for v20 < v19 {
                v21: f64 = 1.0
                v23: f64* = b2[v20]
                v24: f64* = sub v21, v23
                v25: f64* = mul v23, v24
                v26: f64 = 0.05
                v27: f64* = mul v26, v25
                v28: f64* = add v23, v27
                v29: f64* = sub v21, v28
                v30: f64* = mul v28, v29
                v31: f64* = add v25, v30
                v32: f64* = mul v26, v31
                v33: f64* = add v23, v32
                b2[v20] = v33
              }
            }
            for v34 < v10 {
              v36: f64* = b2[v34]
              v38: i64 = add v14, v34
              b1[v38 + 6*i] = v36
            }
          }
        }
    "#]],
    );
}

/// Few elements live in registers.
#[test]
fn lorenz_in_lanes() {
    let func = trace(&[f64s(&[100, 3])], |x| {
        map(&[x[0]], 100, |row| {
            let step = |c: &[Var], _: &[Var]| {
                let (x, y, z) = (c[0].at(0), c[0].at(1), c[0].at(2));
                let d = stack(&[10.0 * (y - x), x * (28.0 - z) - y, x * y - z]);
                (vec![c[0] + 0.01 * d], vec![])
            };
            scan(&[row[0]], &[], 50, false, step).0
        })
    });
    check(
        &func,
        expect![[r#"
        b0: f64[300] input 0
        b1: f64[300] output 0
        v0: i64 = 2
        for parallel v1 < v0 {
          v2: i64 = 64
          v3: i64 = -64
          v4: i64 = mul v1, v3
          v5: i64 = 100
          v6: i64 = add v4, v5
          v7: i64 = min v6, v2
          v10: i64 = 192
          v11: i64 = mul v1, v10
          for vector v8 < v7 {
            v12: f64* = b0[v11 + 3*i]
            v13: f64* = b0[v11 + 3*i + 1]
            v14: f64* = b0[v11 + 3*i + 2]
            v15: i64 = 50
            v17: f64*, v19: f64*, v21: f64* = for v22 < v15 (v16 = v12, v18 = v13, v20 = v14) {
              v23: f64* = sub v18, v16
              v24: f64 = 10.0
              v25: f64* = mul v24, v23
              v26: f64 = 28.0
              v27: f64* = sub v26, v20
              v28: f64* = mul v16, v27
              v29: f64* = sub v28, v18
              v30: f64* = mul v16, v18
              v31: f64* = sub v30, v20
              v32: f64 = 0.01
              v33: f64* = mul v32, v25
              v34: f64* = mul v32, v29
              v35: f64* = mul v32, v31
              v36: f64* = add v16, v33
              v37: f64* = add v18, v34
              v38: f64* = add v20, v35
              yield v36, v37, v38
            }
            b1[v11 + 3*i] = v17
            b1[v11 + 3*i + 1] = v19
            b1[v11 + 3*i + 2] = v21
          }
        }
    "#]],
    );
}

#[test]
fn softmax() {
    let func = trace(&[f64s(&[400, 1000])], |x| {
        let spread = |v: Var| wengert_ir::ops::layout::insert_axis(v, 1, 1000);
        let e = (x[0] - spread(x[0].amax_axis([1]))).exp();
        vec![e / spread(e.sum_axis([1]))]
    });
    // The interpreter takes its time for so many.
    let program = lower(&func).unwrap().to_string();
    let body = program.split("b0:").nth(1).unwrap();
    expect![[r#"
         f64[400000] input 0
        b1: f64[400000] output 0
        b2: f64[400] call
        b3: f64[400000] call
        b4: f64[400] call
        f0 exp(v0: f64*) {
          v1: f64* = 6755399441055744.0
          v2: f64* = 1.4426950408889634
          v3: f64* = fma v0, v2, v1
          v4: f64* = -6755399441055744.0
          v5: f64* = add v3, v4
          v6: f64* = -0.6931471805598903
          v7: f64* = fma v5, v6, v0
          v8: f64* = -5.497923018708371e-14
          v9: f64* = fma v5, v8, v7
          v10: f64* = 2.4994240767980106e-8
          v11: f64* = 2.7629026963777326e-7
          v12: f64* = fma v10, v9, v11
          v13: f64* = 2.7557606403812172e-6
          v14: f64* = fma v12, v9, v13
          v15: f64* = 2.4801497213389193e-5
          v16: f64* = fma v14, v9, v15
          v17: f64* = 0.00019841269490127741
          v18: f64* = fma v16, v9, v17
          v19: f64* = 0.001388888893895211
          v20: f64* = fma v18, v9, v19
          v21: f64* = 0.008333333333494964
          v22: f64* = fma v20, v9, v21
          v23: f64* = 0.04166666666655086
          v24: f64* = fma v22, v9, v23
          v25: f64* = 0.1666666666666643
          v26: f64* = fma v24, v9, v25
          v27: f64* = 0.5000000000000008
          v28: f64* = fma v26, v9, v27
          v29: f64* = 1.0
          v30: f64* = fma v28, v9, v29
          v31: f64* = fma v30, v9, v29
          v32: i64* = bitcast v3
          v33: i64* = 52
          v34: i64* = shl v32, v33
          v35: i64* = bitcast v31
          v36: i64* = add v35, v34
          v37: f64* = bitcast v36
          v38: f64* = abs v0
          v39: i64* = bitcast v38
          v40: i64* = 4649438849678704639
          v41: bool* = lt v40, v39
          v70: f64* = if v41 {
            v42: f64* = 0.5
            v43: f64* = mul v5, v42
            v44: f64* = 6755399441055744.0
            v45: f64* = add v43, v44
            v46: f64* = -6755399441055744.0
            v47: f64* = add v45, v46
            v48: f64* = sub v5, v47
            v49: f64* = add v48, v44
            v50: i64* = bitcast v45
            v51: i64* = 52
            v52: i64* = shl v50, v51
            v53: i64* = 4607182418800017408
            v54: i64* = add v52, v53
            v55: f64* = bitcast v54
            v56: i64* = bitcast v49
            v57: i64* = shl v56, v51
            v58: i64* = add v57, v53
            v59: f64* = bitcast v58
            v60: f64* = mul v31, v55
            v61: f64* = mul v60, v59
            v62: f64* = inf
            v63: f64* = 720.0
            v64: bool* = lt v63, v0
            v65: f64* = select v64, v62, v61
            v66: f64* = 0.0
            v67: f64* = -750.0
            v68: bool* = lt v0, v67
            v69: f64* = select v68, v66, v65
            yield v69
          } else {
            yield v37
          }
          yield v70
        }
        v0: i64 = 13
        for parallel v1 < v0 {
          v2: i64 = 32
          v3: i64 = -32
          v4: i64 = mul v1, v3
          v5: i64 = 400
          v6: i64 = add v4, v5
          v7: i64 = min v6, v2
          v15: i64 = 32000
          v16: i64 = mul v1, v15
          v24: i64 = mul v1, v2
          for v8 < v7 {
            v9: f64 = -inf
            v10: i64 = 1000
            v18: i64 = mul v8, v10
            v19: i64 = add v16, v18
            v12: f64* = for vector v13 < v10 (v11 = v9) {
              v20: f64* = b0[v19 + i]
              v21: f64* = max v11, v20
              yield v21
            }
            v22: f64 = fold_max v12
            v26: i64 = add v24, v8
            b2[v26] = v22
          }
        }
        for parallel v27 < v0 {
          v28: i64 = 32
          v29: i64 = -32
          v30: i64 = mul v27, v29
          v31: i64 = 400
          v32: i64 = add v30, v31
          v33: i64 = min v32, v28
          v41: i64 = 32000
          v42: i64 = mul v27, v41
          v48: i64 = mul v27, v28
          for v34 < v33 {
            v35: f64 = -0.0
            v36: i64 = 1000
            v44: i64 = mul v34, v36
            v45: i64 = add v42, v44
            v50: i64 = add v48, v34
            v38: f64* = for vector v39 < v36 (v37 = v35) {
              v46: f64* = b0[v45 + i]
              v51: f64 = b2[v50]
              v52: f64* = sub v46, v51
              v53: f64* = f0(v52)
              b3[v45 + i] = v53
              v54: f64* = add v37, v53
              yield v54
            }
            v55: f64 = fold_add v38
            b4[v50] = v55
          }
        }
        for parallel v58 < v0 {
          v59: i64 = 32
          v60: i64 = -32
          v61: i64 = mul v58, v60
          v62: i64 = 400
          v63: i64 = add v61, v62
          v64: i64 = min v63, v59
          v69: i64 = 32000
          v70: i64 = mul v58, v69
          v76: i64 = mul v58, v59
          for v65 < v64 {
            v66: i64 = 1000
            v72: i64 = mul v65, v66
            v73: i64 = add v70, v72
            v78: i64 = add v76, v65
            for vector v67 < v66 {
              v74: f64* = b3[v73 + i]
              v79: f64 = b4[v78]
              v80: f64* = div v74, v79
              b1[v73 + i] = v80
            }
          }
        }
    "#]]
    .assert_eq(body);
}
