//! Values of run-time length, in functions that transforms produce but users cannot write.

use wengert_ir::buffer::{Buffer, Dense};
use wengert_ir::ir::Func;
use wengert_ir::ops::map;
use wengert_ir::schedule::compare::compare;
use wengert_ir::transform::inline;

use super::{agree, f64s, trace};

/// Checks a function of two numbers: for several of each, for a batch of them, and for a batch of batches.
#[track_caller]
fn holds(text: &str) {
    let func = Func::parse(text).unwrap();
    let starts = [-0.7, 0.2, 0.9, 1.5];
    for (x, y) in starts.iter().flat_map(|x| starts.map(|y| (*x, y))) {
        let args = [x, y].map(|x| Buffer::Dense(Dense::scalar(x)));
        if let Err(e) = compare(&func, &args) {
            panic!("at {x}, {y}: {e}");
        }
    }
    let batch = |x: &[_], n| map::map(x, n, |x| inline(&func, x));
    agree(&trace(&[f64s(&[11]), f64s(&[11])], |x| batch(x, 11)));
    let types = [f64s(&[11, 3]), f64s(&[11, 3])];
    agree(&trace(&types, |x| map::map(x, 11, |x| batch(x, 3))));
}

/// Returns the text of a loop that collects its steps from `x` up to `to` in a list. `out` names its results: the last
/// value, the number of steps, and the list.
fn steps(out: [&str; 3], x: &str, to: &str) -> String {
    let [last, count, list] = out;
    format!(
        "{last}: f64, {count}: i64, {list}: f64[?] = while{{carry=1, limit=100}}({x}, {to})
        fn(v0: f64, v1: f64) {{
          v2: bool = lt(v0, v1)
          return v2
        }}
        fn(v0: f64) {{
          v1: f64 = add(v0, 0.4: f64)
          v2: f64 = sin(v0)
          return v1, v2
        }}"
    )
}

/// Returns the text of a loop that computes a number from a list, to which each row contributes differently.
fn digits(out: &str, count: &str, list: &str) -> String {
    format!(
        "{out}: f64 = scan{{carry=1, xs=1, length=-1, reverse=true}}({count}, 0.0: f64, {list})
        fn(v0: f64, v1: f64) {{
          v2: f64 = mul(v0, 0.5: f64)
          v3: f64 = add(v2, v1)
          return v3
        }}"
    )
}

/// Next to a longer list, a shorter list reads as zeros after its last row: the missing rows of a cosine are 0, not the
/// cosine of 0.
#[test]
fn lists_of_two_lengths() {
    let (a, b) = (
        steps(["v2", "v3", "v4"], "v0", "1.0: f64"),
        steps(["v5", "v6", "v7"], "v1", "1.0: f64"),
    );
    let digits = digits("v12", "v11", "v10");
    holds(&format!(
        "wengert 1
    fn(v0: f64, v1: f64) {{
      {a}
      {b}
      v8: f64[?] = cos(v4)
      v9: f64[?] = sub(v8, v7)
      v10: f64[?] = mul(v9, v4)
      v11: i64 = max(v3, v6)
      {digits}
      return v12
    }}"
    ));
}

/// Lists next to long rows are not part of a flattened batch either.
#[test]
fn lists_beside_rows() {
    let steps = steps(["v2", "v3", "v4"], "v0", "1.0: f64");
    let digits = digits("v6", "v3", "v5");
    holds(&format!(
        "wengert 1
    fn(v0: f64, v1: f64) {{
      {steps}
      v5: f64[?] = mul(v4, v4)
      {digits}
      v7: f64[9] = broadcast{{dims=[9], axes=[]}}(v6)
      v8: f64[9] = iota{{ty=f64[9], axis=0}}()
      v9: f64[9] = mul(v7, v8)
      return v9
    }}"
    ));
}

#[test]
fn lists_that_loops_carry() {
    let steps = steps(["v2", "v3", "v4"], "v0", "v1");
    let digits = digits("v6", "v3", "v5");
    holds(&format!(
        "wengert 1
    fn(v0: f64, v1: f64) {{
      {steps}
      v5: f64[?] = scan{{carry=1, xs=0, length=3, reverse=false}}(0.0: f64[?], v4)
        fn(v0: f64[?], v1: f64[?]) {{
          v2: f64[?] = mul(v0, v0)
          v3: f64[?] = add(v2, v1)
          return v3
        }}
      {digits}
      return v6
    }}"
    ));
}

/// A loop carries a list and keeps each version of it in another list, and selects between that list and an empty one.
#[test]
fn lists_in_lists() {
    let steps = steps(["v2", "v3", "v4"], "v0", "1.0: f64");
    let digits = digits("v3", "v2", "v1");
    holds(&format!(
        "wengert 1
    fn(v0: f64, v1: f64) {{
      {steps}
      v5: f64, v6: f64[?], v7: i64, v8: f64[?,?] = while{{carry=2, limit=100}}(v1, v4, 2.0: f64)
        fn(v0: f64, v1: f64[?], v2: f64) {{
          v3: bool = lt(v0, v2)
          return v3
        }}
        fn(v0: f64, v1: f64[?]) {{
          v2: f64 = add(v0, 0.4: f64)
          v3: f64[?] = sin(v1)
          v4: f64[?] = add(v3, v1)
          return v2, v3, v4
        }}
      v9: bool = lt(v0, 0.0: f64)
      v10: f64[?,?] = select(v9, v8, 0.0: f64[?,?])
      v11: f64[?,?] = sub(v10, v8)
      v12: f64 = scan{{carry=1, xs=1, length=-1, reverse=false}}(v7, 0.0: f64, v11, v3)
        fn(v0: f64, v1: f64[?], v2: i64) {{
          {digits}
          v4: f64 = mul(v0, 0.3: f64)
          v5: f64 = add(v4, v3)
          return v5
        }}
      return v12
    }}"
    ));
}

#[test]
fn lists_that_branches_choose() {
    let steps = steps(["v2", "v3", "v4"], "v0", "v1");
    let digits = digits("v7", "v3", "v6");
    holds(&format!(
        "wengert 1
    fn(v0: f64, v1: f64) {{
      {steps}
      v5: bool = lt(v0, 0.0: f64)
      v6: f64[?] = cond(v5, v4)
        fn(v0: f64[?]) {{
          return v0
        }}
        fn(v0: f64[?]) {{
          v1: f64[?] = cos(v0)
          return v1
        }}
      {digits}
      return v7
    }}"
    ));
}

/// Three lists are summed over a batch of four, of which two elements contribute.
#[test]
fn lists_that_batches_add_up() {
    let steps = steps(["v2", "v3", "v4"], "v0", "v1");
    let digits = digits("v2", "v0", "v1");
    holds(&format!(
        "wengert 1
    fn(v0: f64, v1: f64) {{
      v2: f64[3] = iota{{ty=f64[3], axis=0}}()
      v3: i64[3], v4: f64[3,?] = map{{extent=3, mapped=[true, false], sum=[false, false]}}(v2, v0)
        fn(v0: f64, v1: f64) {{
          {steps}
          return v3, v4
        }}
      v5: f64[4] = iota{{ty=f64[4], axis=0}}()
      v6: f64[3,?] = map{{extent=4, mapped=[true, false], sum=[true]}}(v5, v4)
        fn(v0: f64, v1: f64[3,?]) {{
          v2: bool = lt(v0, 1.5: f64)
          v3: f64[3,?] = select(v2, v1, 0.0: f64[3,?])
          return v3
        }}
      v7: f64[3] = map{{extent=3, mapped=[true, true], sum=[false]}}(v3, v6)
        fn(v0: i64, v1: f64[?]) {{
          {digits}
          return v2
        }}
      return v7
    }}"
    ));
}
