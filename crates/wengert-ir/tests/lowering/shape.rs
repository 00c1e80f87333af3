//! The text of lowered programs.

use super::*;
use expect_test::expect;
use wengert_ir::ops::map::map;
use wengert_ir::trace::stack;

/// Several results of the same shape become one loop nest, in which each value is computed once; a layout
/// operation only changes strides.
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
        unused v4: i64, v7: i64
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

/// The steps of a Runge-Kutta method on an array, in lanes: each step has one loop over the elements.
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
            unused v10: i64, v88: i64
            v0: i64 = 4
            for parallel v1 < v0 {
              v2: i64 = 32
              v3: i64 = -32
              v4: i64 = mul v1, v3
              v5: i64 = 100
              v6: i64 = add v4, v5
              v7: i64 = min v6, v2
              v11: i64 = 192
              v12: i64 = mul v1, v11
              for vector v8 < v7 {
                v9: i64 = 50
                v13: f64* = b0[v12 + 6*i]
                b2[0] = v13
                v14: f64* = b0[v12 + 6*i + 1]
                b2[1] = v14
                v15: f64* = b0[v12 + 6*i + 2]
                b2[2] = v15
                v16: f64* = b0[v12 + 6*i + 3]
                b2[3] = v16
                v17: f64* = b0[v12 + 6*i + 4]
                b2[4] = v17
                v18: f64* = b0[v12 + 6*i + 5]
                b2[5] = v18
                for v19 < v9 {
                  v20: f64 = 1.0
                  v21: f64* = b2[0]
                  v22: f64* = sub v20, v21
                  v23: f64* = mul v21, v22
                  v24: f64 = 0.05
                  v25: f64* = mul v24, v23
                  v26: f64* = add v21, v25
                  v27: f64* = sub v20, v26
                  v28: f64* = mul v26, v27
                  v29: f64* = add v23, v28
                  v30: f64* = mul v24, v29
                  v31: f64* = add v21, v30
                  b2[0] = v31
                  v32: f64* = b2[1]
                  v33: f64* = sub v20, v32
                  v34: f64* = mul v32, v33
                  v35: f64* = mul v24, v34
                  v36: f64* = add v32, v35
                  v37: f64* = sub v20, v36
                  v38: f64* = mul v36, v37
                  v39: f64* = add v34, v38
                  v40: f64* = mul v24, v39
                  v41: f64* = add v32, v40
                  b2[1] = v41
                  v42: f64* = b2[2]
                  v43: f64* = sub v20, v42
                  v44: f64* = mul v42, v43
                  v45: f64* = mul v24, v44
                  v46: f64* = add v42, v45
                  v47: f64* = sub v20, v46
                  v48: f64* = mul v46, v47
                  v49: f64* = add v44, v48
                  v50: f64* = mul v24, v49
                  v51: f64* = add v42, v50
                  b2[2] = v51
                  v52: f64* = b2[3]
                  v53: f64* = sub v20, v52
                  v54: f64* = mul v52, v53
                  v55: f64* = mul v24, v54
                  v56: f64* = add v52, v55
                  v57: f64* = sub v20, v56
                  v58: f64* = mul v56, v57
                  v59: f64* = add v54, v58
                  v60: f64* = mul v24, v59
                  v61: f64* = add v52, v60
                  b2[3] = v61
                  v62: f64* = b2[4]
                  v63: f64* = sub v20, v62
                  v64: f64* = mul v62, v63
                  v65: f64* = mul v24, v64
                  v66: f64* = add v62, v65
                  v67: f64* = sub v20, v66
                  v68: f64* = mul v66, v67
                  v69: f64* = add v64, v68
                  v70: f64* = mul v24, v69
                  v71: f64* = add v62, v70
                  b2[4] = v71
                  v72: f64* = b2[5]
                  v73: f64* = sub v20, v72
                  v74: f64* = mul v72, v73
                  v75: f64* = mul v24, v74
                  v76: f64* = add v72, v75
                  v77: f64* = sub v20, v76
                  v78: f64* = mul v76, v77
                  v79: f64* = add v74, v78
                  v80: f64* = mul v24, v79
                  v81: f64* = add v72, v80
                  b2[5] = v81
                }
                v82: f64* = b2[0]
                b1[v12 + 6*i] = v82
                v83: f64* = b2[1]
                b1[v12 + 6*i + 1] = v83
                v84: f64* = b2[2]
                b1[v12 + 6*i + 2] = v84
                v85: f64* = b2[3]
                b1[v12 + 6*i + 3] = v85
                v86: f64* = b2[4]
                b1[v12 + 6*i + 4] = v86
                v87: f64* = b2[5]
                b1[v12 + 6*i + 5] = v87
              }
            }
        "#]],
    );
}

/// Arrays of a few elements live in registers.
#[test]
fn lorenz_in_lanes() {
    let func = trace(&[f64s(&[100, 3])], |x| {
        map(&[x[0]], 100, |row| {
            let step = |c: &[Var], _: &[Var]| {
                let (x, y, z) = (c[0].at(0), c[0].at(1), c[0].at(2));
                let d = stack([10.0 * (y - x), x * (28.0 - z) - y, x * y - z]);
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
            unused v9: i64, v39: i64
            v0: i64 = 4
            for parallel v1 < v0 {
              v2: i64 = 32
              v3: i64 = -32
              v4: i64 = mul v1, v3
              v5: i64 = 100
              v6: i64 = add v4, v5
              v7: i64 = min v6, v2
              v10: i64 = 96
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
    // The program is not run: the interpreter would be slow for this size.
    let program = lower(&func).unwrap().to_string();
    let body = program.split("b0:").nth(1).unwrap();
    expect![[r#"
         f64[400000] input 0
        b1: f64[400000] output 0
        b2: f64[400] call
        b3: f64[400000] call
        b4: f64[400] call
        f0 exp(v0: f64*) is exp {
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
        unused v14: i64, v17: i64, v23: i64, v25: i64, v40: i64, v43: i64, v47: i64, v49: i64, v56: i64, v57: i64, v68: i64, v71: i64, v75: i64, v77: i64
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
            v51: f64 = b2[v50]
            v38: f64* = for vector v39 < v36 (v37 = v35) {
              v46: f64* = b0[v45 + i]
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
            v79: f64 = b4[v78]
            for vector v67 < v66 {
              v74: f64* = b3[v73 + i]
              v80: f64* = div v74, v79
              b1[v73 + i] = v80
            }
          }
        }
    "#]]
    .assert_eq(body);
}

/// A counter is uniform over all lanes, so what it indexes is read without a gather.
#[test]
fn a_counter_in_lanes() {
    let func = trace(&[f64s(&[100, 12])], |x| {
        map(x, 100, |x| {
            let init = [Var::scalar(0.0), Var::scalar(2i64)];
            let step = |c: &[Var], _: &[Var]| {
                let window = x[0].dynamic_slice(&[c[1]], [1]);
                (vec![c[0] + window.at(0), c[1] + 1], vec![])
            };
            vec![scan(&init, &[], 9, false, step).0[0]]
        })
    });
    check(
        &func,
        expect![[r#"
            b0: f64[1200] input 0
            b1: f64[100] output 0
            unused v21: i64, v29: i64, v31: i64
            v0: i64 = 4
            for parallel v1 < v0 {
              v2: i64 = 32
              v3: i64 = -32
              v4: i64 = mul v1, v3
              v5: i64 = 100
              v6: i64 = add v4, v5
              v7: i64 = min v6, v2
              v22: i64 = 384
              v23: i64 = mul v1, v22
              v30: i64 = mul v1, v2
              for vector v8 < v7 {
                v9: i64 = 9
                v10: f64 = 0.0
                v11: i64 = 2
                v13: f64*, v15: i64 = for v16 < v9 (v12 = v10, v14 = v11) {
                  v17: i64 = 0
                  v18: i64 = 11
                  v19: i64 = min v14, v18
                  v20: i64 = max v19, v17
                  v24: i64 = 1
                  v25: i64 = add v23, v20
                  v26: f64* = b0[v25 + 12*i]
                  v27: f64* = add v12, v26
                  v28: i64 = add v14, v24
                  yield v27, v28
                }
                b1[v30 + i] = v13
              }
            }
        "#]],
    );
}
