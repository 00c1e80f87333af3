//! Ranges with traced bounds: an empty one runs no step, and a long one meets the limit of steps.

use super::*;

fn steps(x: f64, a: i64, b: i64) -> [Result<Array>; 2] {
    let f = jit(|(x, a, b): (Var, Var, Var)| fori(a..b, x, |_, x| x + 1.0)).max_steps(1_000);
    both(&f, || (x, a, b))
}

#[test]
fn an_empty_one_runs_no_step() {
    let bounds = [i64::MIN, i64::MIN + 2, -7, 0, 3, i64::MAX - 2, i64::MAX];
    for (a, b) in bounds.iter().flat_map(|&a| bounds.map(|b| (a, b))) {
        let n = (i128::from(b) - i128::from(a)).max(0);
        for result in steps(0.5, a, b) {
            match n <= 1_000 {
                true => assert_eq!(result.unwrap(), Array::from(0.5 + n as f64), "{a}..{b}"),
                false => assert!(
                    matches!(
                        result,
                        Err(Error::MaxSteps {
                            limit: 1_000,
                            at: Some(_),
                            ..
                        })
                    ),
                    "{a}..{b}"
                ),
            }
        }
    }
    for result in steps(0.0, 5_000_000_000_000_000_000, -5_000_000_000_000_000_000) {
        assert_eq!(result.unwrap(), Array::from(0.0));
    }
}

#[test]
fn the_limit_of_steps_holds() {
    for (n, fine) in [(1_000, true), (1_001, false), (1 << 40, false)] {
        for result in steps(0.0, 0, n) {
            assert_eq!(result.is_ok(), fine, "{n}");
        }
        for result in steps(0.0, -n, 0) {
            assert_eq!(result.is_ok(), fine, "{n}");
        }
    }
    let error = steps(0.0, 0, i64::MAX).map(|r| r.unwrap_err().to_string());
    assert_eq!(error[0], error[1]);
    assert!(
        error[0].starts_with("fori: more than 1000 steps, at "),
        "{}",
        error[0]
    );
    assert!(error[0].contains("traced_ranges.rs:"), "{}", error[0]);
}

/// Alone, in lanes, flattened, in a loop, in a branch, and in derivatives.
#[test]
fn the_limit_of_steps_holds_whatever_is_made_of_the_loop() {
    let power = |(x, n): (Var, Var)| fori(..n, x, |_, x| x * 0.5);
    let powers = |(x, n): (Var, Var)| fori(..n, x, |_, x| x.sin());
    let double = |(x, n): (Var, Var)| fori(..n, x.expand_dims(0), |_, x| x * 2.0).sum();
    for body in [power, powers, double] {
        let slope = move |(x, n): (Var, Var)| grad_at(x, |x| body((x, n)));
        let slopes = move |(x, n): (Var, Var)| jacfwd(move |x: Var| body((x, n)))(x);
        for f in [jit(body), jit(slope), jit(slopes)] {
            let f = f.max_steps(100);
            for result in both(&f, || (0.25, 100i64)) {
                assert!(result.is_ok());
            }
            for result in both(&f, || (0.25, i64::MAX)) {
                assert!(matches!(result, Err(Error::MaxSteps { limit: 100, .. })));
            }
        }
        for f in [jit(vmap(body)), jit(vmap(slope)), jit(vmap(slopes))] {
            let f = f.max_steps(100);
            for at in [0, 3, 11] {
                let mut n = vec![7i64; 12];
                n[5] = i64::MIN;
                assert!(
                    both(&f, || (vec![0.25; 12], n.clone()))
                        .iter()
                        .all(Result::is_ok)
                );
                n[at] = 101;
                for result in both(&f, || (vec![0.25; 12], n.clone())) {
                    assert!(matches!(result, Err(Error::MaxSteps { limit: 100, .. })));
                }
            }
        }
        // Where the loop is not reached, its length does not matter.
        let guarded = move |(x, n): (Var, Var)| cond(n.lt(50), x, move |x| body((x, n)), |x| x);
        for result in both(&jit(guarded).max_steps(100), || (0.25, i64::MAX)) {
            assert_eq!(result.unwrap(), Array::from(0.25));
        }
        let lanes = jit(vmap(guarded)).max_steps(100);
        for result in both(&lanes, || (vec![0.25; 3], vec![2i64, i64::MAX, 3])) {
            assert_eq!(result.unwrap().as_slice::<f64>().unwrap()[1], 0.25);
        }
    }
}

#[test]
fn bounds_of_every_integer_type() {
    let f = jit(|(x, a, b): (Var, Var, Var)| fori(a..b, x, |i, x| x + i.to(DType::F64)));
    let f = f.max_steps(1_000);
    let good = |results: [Result<Array>; 2], want: f64| {
        for result in results {
            assert_eq!(result.unwrap(), Array::from(want));
        }
    };
    let bad = |results: [Result<Array>; 2]| {
        for result in results {
            assert!(matches!(result, Err(Error::MaxSteps { limit: 1_000, .. })));
        }
    };
    good(both(&f, || (0.0, 2u64, 5u64)), 9.0);
    good(both(&f, || (0.0, -2i64, 3u64)), 0.0);
    good(both(&f, || (0.0, 2u32, 5i64)), 9.0);
    good(both(&f, || (0.0, 250u8, 253u8)), 753.0);
    good(both(&f, || (0.0, -1i32, 2u64)), 0.0);
    good(both(&f, || (0.0, u64::MAX, 5i64)), 0.0);
    good(both(&f, || (0.0, u64::MAX, 5u64)), 0.0);
    good(both(&f, || (0.0, u64::MAX, u64::MAX)), 0.0);
    bad(both(&f, || (0.0, 0u64, u64::MAX)));
    bad(both(&f, || (0.0, -1i64, u64::MAX)));
    bad(both(&f, || (0.0, u64::MAX - 3, u64::MAX)));
    bad(both(&f, || (0.0, i64::MAX, u64::MAX)));
}

/// A range that the compiler knows is the range that it is.
#[test]
fn known_bounds() {
    let f = jit(|x: Var| fori(i64::MAX..i64::MIN, x, |_, x| x + 1.0));
    assert_eq!(f.call(1.0).unwrap(), Array::from(1.0));
    let f = jit(|x: Var| fori(usize::MAX - 2..usize::MAX, x, |_, x| x + 1.0));
    assert!(f.call(1.0).is_ok());
    let f = jit(|x: Var| fori(0..usize::MAX, x, |_, x| x + 1.0));
    assert!(f.call(1.0).is_err());
}
