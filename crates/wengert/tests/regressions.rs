//! Programs that were once compiled wrongly.

use wengert::prelude::*;

/// Two sums over a flattened batch, one of which uses the other.
#[test]
fn sums_of_a_flattened_batch_that_share_an_operand() {
    let f = |x: Var| {
        let row = move |(y, _): (Var, Var)| {
            let wide = x.broadcast_to([3]);
            wide.sin()
                .mul_add(y.broadcast_to([3]).cos(), wide)
                .sigmoid()
        };
        vmap(row)((full([2], 0.5), full([2], 0.5)))
    };
    let slopes = jit(vmap(move |(x, w): (Var, Var)| {
        grad_at(x, |x| (f(x) * w).sum())
    }));
    let args = ([0.1, 0.2, 0.3, 0.4, 0.5], [[[1.0; 3]; 2]; 5]);
    assert_eq!(slopes.call(args).unwrap(), slopes.interpret(args).unwrap());
}

/// Checks that the gradient of `f` has the same bits compiled and interpreted: one by one, in lanes, and in
/// lanes of lanes.
#[track_caller]
fn slopes_agree(f: impl Fn(Var) -> Var + Clone + Send + Sync + 'static) {
    let x: Vec<f64> = (0..11).map(|i| 0.25 * f64::from(i)).collect();
    let slope = jit(grad(f.clone()));
    for &x in &x {
        assert_eq!(slope.call(x).unwrap(), slope.interpret(x).unwrap());
    }
    let slopes = jit(vmap(grad(f.clone())));
    assert_eq!(slopes.call(&x).unwrap(), slopes.interpret(&x).unwrap());
    let slopes = jit(vmap(move |x: Var| {
        let f = f.clone();
        grad_at(x, move |x| {
            wengert::map(iota(3, DType::F64), |k| f(x * k)).sum()
        })
    }));
    assert_eq!(slopes.call(&x).unwrap(), slopes.interpret(&x).unwrap());
}

/// Functions whose pullbacks read lists: a list of steps; one for each of three; lists in lists.
const TAPES: [fn(Var) -> Var; 3] = [
    grown,
    |x| fori(0..3, x, |_, x| grown(0.3 * x)),
    |x| while_loop(x, |x| x.lt(7.0), |x| x + grown(0.2 * x)),
];

fn grown(x: Var) -> Var {
    while_loop(x, |x| x.lt(2.0), |x| 0.5 * x * x + 0.7)
}

/// Each step of a loop reads a list that exists before the loop: its cotangent is a list that is carried from
/// step to step.
#[test]
fn lists_that_loops_carry() {
    for tape in TAPES {
        slopes_agree(move |x| {
            let (y, pull) = vjp(tape, x);
            fori(0..3, y, |_, s| s + pull(s.sin()))
        });
        slopes_agree(move |x| {
            let (y, pull) = vjp(tape, x);
            let step = |(s, n): (Var, Var)| (s + pull(s.sin()).sin(), n + 1.0);
            while_loop((y, 0.0), |(_, n)| n.lt(x + 1.0), step).0
        });
    }
}

/// Both sides of a branch return lists, built in two ways.
#[test]
fn lists_that_branches_choose() {
    for tape in TAPES {
        slopes_agree(move |x| {
            let (y, pull) = vjp(tape, x);
            let twice = |s: Var| pull(s.cos()) + pull(s.sin());
            cond(x.gt(1.0), y, |s| pull(s.sin()) * s, twice)
        });
    }
}

/// Each element of a batch reads the same list: its cotangent is a sum of lists.
#[test]
fn lists_that_batches_add_up() {
    for tape in TAPES {
        slopes_agree(move |x| {
            let (y, pull) = vjp(tape, x);
            wengert::map(iota(3, DType::F64), |k| pull(k * y.sin()).cos()).sum()
        });
    }
}

/// The cotangent of a list that nobody has read is a sum of empty lists, and reads as zeros.
#[test]
fn empty_lists_that_are_added_up_read_as_zeros() {
    for tape in TAPES {
        slopes_agree(move |x| {
            let (y, pull) = vjp(tape, x);
            let seldom = move |s: Var| cond(s.gt(100.0), s, &pull, |s| 0.9 * s);
            fori(0..3, y, move |_, s| seldom(s) + seldom(0.5 * s).sin())
        });
    }
}

/// A window of zeros around two numbers in registers, at an index that differs by lane.
#[test]
fn a_window_of_few_elements_at_a_traced_place() {
    let f = |(x, at): (Var, Var)| {
        let wide = stack([x, x.sin()]).pad([(2, 3)]);
        wide.dynamic_slice(&[at], [3])
    };
    let f = jit(vmap(f));
    let x: Vec<f64> = (0..11).map(|i| 1.0 + 0.1 * f64::from(i)).collect();
    let at: Vec<i64> = (0..11).map(|i| i - 2).collect();
    let args = (x, at);
    assert_eq!(f.call(args.clone()).unwrap(), f.interpret(args).unwrap());
}

/// A body so long that many of its values are in the frame, in lanes that take different numbers of steps: the
/// slots of values needed at every step, and of those that a finished lane keeps, must not be reused.
#[test]
fn long_loops_in_lanes_that_end_one_after_the_other() {
    /// Sums terms and quotients of them, which are all alive when the first is added.
    fn long(x: Var) -> Var {
        let terms: Vec<Var> = (0..150).map(|i| x * (0.01 * f64::from(i)) + 0.5).collect();
        let quotient = |i: usize| terms[i] / terms[i * 7 % 150];
        let quotients: Vec<Var> = (0..150).map(quotient).collect();
        let both = quotients.into_iter().zip(&terms).rev();
        both.fold(Var::from(0.0), |sum, (q, t)| 0.5 * sum + q - *t)
            .sin()
    }
    let f = |(x, n): (Var, Var)| fori(..n, long(x), |_, x| long(x));
    let f = jit(vmap(f));
    let x: Vec<f64> = (0..11).map(|i| 0.1 * f64::from(i)).collect();
    let n: Vec<i64> = (0..11).map(|i| i * 5 % 7).collect();
    let args = (x, n);
    assert_eq!(f.call(args.clone()).unwrap(), f.interpret(args).unwrap());
}
