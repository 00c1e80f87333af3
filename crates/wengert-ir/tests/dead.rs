//! Dead-code elimination, also in nested loops, branches and maps.

use expect_test::{Expect, expect};
use wengert_ir::ir::Func;
use wengert_ir::ir::verify::verify;
use wengert_ir::transform::dead_code;

#[track_caller]
fn left(text: &str, expected: Expect) {
    let func = Func::parse(text).unwrap_or_else(|e| panic!("{e}"));
    let left = dead_code(&func);
    verify(&left).expect("a valid function");
    expected.assert_eq(&format!("{left:#}"));
}

/// All results of the map are used, so the map itself stays as it is. The rows of the loop
/// inside are removed, with the carry and the operands that only they need.
#[test]
fn rows_of_a_loop_in_a_map() {
    left(
        "wengert 1
fn(v0: f64[8], v1: f64[5], v2: f64[5]) {
  v3: f64[8] = map{extent=8, mapped=[true, false, false], sum=[false]}(v0, v1, v2)
    fn(v0: f64, v1: f64[5], v2: f64[5]) {
      v3: f64, v4: f64, v5: f64[5] = scan{carry=2, xs=2, length=5, reverse=false}(v0, v0, v1, v2)
        fn(v0: f64, v1: f64, v2: f64, v3: f64) {
          v4: f64 = mul(v0, v2)
          v5: f64 = exp(v1)
          v6: f64 = mul(v5, v3)
          return v4, v5, v6
        }
      return v3
    }
  return v3
}
",
        expect![[r#"
            wengert 1
            fn(v0: f64[8], v1: f64[5], v2: f64[5]) {
              v3: f64[8] = map{extent=8, mapped=[true, false], sum=[false]}(v0, v1)
                fn(v0: f64, v1: f64[5]) {
                  v2: f64 = scan{carry=1, xs=1, length=5, reverse=false}(v0, v1)
                    fn(v0: f64, v1: f64) {
                      v2: f64 = mul(v0, v1)
                      return v2
                    }
                  return v2
                }
              return v3
            }
        "#]],
    );
}

/// What a check inside a function needs is kept.
#[test]
fn functions_with_effects() {
    left(
        "wengert 1
fn(v0: f64[8]) {
  v1: f64[8] = map{extent=8, mapped=[true], sum=[false]}(v0)
    fn(v0: f64) {
      v1: f64 = exp(v0)
      v2: bool = lt(0.0: f64, v0)
      check{message=\"positive\"}(v2)
      v3: f64 = sin(v0)
      return v3
    }
  return v1
}
",
        expect![[r#"
            wengert 1
            fn(v0: f64[8]) {
              v1: f64[8] = map{extent=8, mapped=[true], sum=[false]}(v0)
                fn(v0: f64) {
                  v1: bool = lt(0.0: f64, v0)
                  check{message=positive}(v1)
                  v2: f64 = sin(v0)
                  return v2
                }
              return v1
            }
        "#]],
    );
}
