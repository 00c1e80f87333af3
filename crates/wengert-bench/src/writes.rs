//! Loops that write an array element by element.

use wengert::prelude::*;

use crate::inputs::{array, u};
use crate::measure::Workload;

const SIZES: [(&str, usize); 3] = [("1e3", 1_000), ("1e5", 100_000), ("1e6", 1_000_000)];
/// Length of the inner of two nested loops.
const INNER: usize = 100;
/// Number of rows of the ring buffer, and of numbers in a row.
const RING: [usize; 2] = [100, 84];

pub fn workloads() -> Vec<Workload> {
    let mut all = vec![];
    for (size, n) in SIZES {
        all.push(Workload::of(format!("write/history_{size}"), move || {
            (jit(move |x| history(x, n)), Array::from(0.5))
        }));
        all.push(Workload::of(
            format!("write/history_grad_{size}"),
            move || {
                let loss = move |x| history(x, n).square().mean();
                (jit(grad(loss)), Array::from(0.5))
            },
        ));
        all.push(Workload::of(format!("write/prefix_{size}"), move || {
            (jit(move |x| prefix_sums(x, n)), centred(n))
        }));
        all.push(Workload::of(
            format!("write/prefix_grad_{size}"),
            move || {
                let loss = move |x| prefix_sums(x, n).square().mean();
                (jit(grad(loss)), centred(n))
            },
        ));
        all.push(Workload::of(format!("write/swaps_{size}"), move || {
            (jit(move |x| swaps(x, n)), array([n], 0))
        }));
        all.push(Workload::of(format!("write/cond_{size}"), move || {
            (jit(move |x| thirds(x, n)), Array::from(0.5))
        }));
        all.push(Workload::of(format!("write/nested_{size}"), move || {
            (jit(move |x| nested(x, n)), Array::from(0.5))
        }));
        all.push(Workload::of(format!("write/ring_{size}"), move || {
            (jit(move |x| delayed(x, n)), array([RING[1]], 0))
        }));
    }
    for (size, n, steps) in [("1e5", 100_000, 1_200.0), ("1e6", 1_000_000, 4_200.0)] {
        all.push(
            Workload::of(format!("write/sieve_{size}"), move || {
                let flags = Array::from(vec![true; n]);
                (jit(move |flags| sieve(flags, n)), flags)
            })
            .with_steps(steps),
        );
    }
    all
}

fn centred(n: usize) -> Array {
    let x: Vec<f64> = u(n, 0).iter().map(|u| u - 0.5).collect();
    Array::from(x)
}

/// Returns `n` values of a recurrence.
fn history(x: Var, n: usize) -> Var {
    let step = |i: Var, (h, x): (Var, Var)| (h.at_set(i, x), 0.99 * x + 0.1);
    fori(0..n, (zeros(n), x), step).0
}

/// Returns the sums of the first elements, computed where the elements are.
fn prefix_sums(x: Var, n: usize) -> Var {
    fori(1..n, x, |i, h| h.at_set(i, h.at(i - 1) + h.at(i)))
}

/// Exchanges each element with another one.
fn swaps(x: Var, n: usize) -> Var {
    fori(0..n, x, |i, h| {
        let j = (7919 * i + 13) % n as i64;
        let (a, b) = (h.at(i), h.at(j));
        h.at_set(i, b).at_set(j, a)
    })
}

/// Returns every third of `n` values of a recurrence, and zeros between them.
fn thirds(x: Var, n: usize) -> Var {
    let step = |i: Var, (h, x): (Var, Var)| {
        let h = cond((i % 3).eq(0), h, |h| h.at_set(i, x), |h| h);
        (h, 0.99 * x + 0.1)
    };
    fori(0..n, (zeros(n), x), step).0
}

/// Returns `n` values of a recurrence, by two loops.
fn nested(x: Var, n: usize) -> Var {
    let outer = |i: Var, carry: (Var, Var)| {
        let step = |j: Var, (h, x): (Var, Var)| (h.at_set(i * INNER as i64 + j, x), 0.99 * x + 0.1);
        fori(0..INNER, carry, step)
    };
    fori(0..n / INNER, (zeros(n), x), outer).0
}

/// Takes `n` steps of a row of numbers that are driven by their own past, which is kept in a ring buffer.
fn delayed(x: Var, n: usize) -> Var {
    let step = |i: Var, (ring, x): (Var, Var)| {
        let place = i % RING[0] as i64;
        let past = ring.at(place);
        (ring.at_set(place, x), x + 0.01 * (past - x * x * x))
    };
    fori(0..n, (ones(RING), x), step).1
}

/// Returns the number of primes below `n` plus 2, by the sieve of Eratosthenes.
fn sieve(flags: Var, n: usize) -> Var {
    let root = (n as f64).sqrt() as usize;
    let flags = fori(2..root + 1, flags, |p, flags| {
        let strike = |flags: Var| {
            let step = |(k, flags): (Var, Var)| (k + p, flags.at_set(k, false));
            while_loop((p * p, flags), |(k, _)| k.lt(n as i64), step).1
        };
        cond(flags.at(p), flags, strike, |flags| flags)
    });
    flags.to(DType::F64).sum()
}
