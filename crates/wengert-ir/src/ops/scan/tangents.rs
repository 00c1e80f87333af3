//! Tangents of scans, in forward mode and in the linear part of reverse mode, and what other loops share of this.

use super::Scan;
use crate::ir::{BitMatrix, Dim, Func};
use crate::ops::cond::branch;
use crate::ops::{Primitive, Tangent, elementwise};
use crate::trace::Var;
use crate::transform::body::{
    LinearBody, Residual, Runs, fuse_body, instantiate, linearize_body, supplies,
};
use crate::transform::linearize::scatter;

impl Scan {
    fn active(&self, dx: &[Tangent]) -> Vec<bool> {
        active(&self.deps(dx.len(), self.body.results.len()), dx)
    }

    /// Returns which results must have a tangent: all active carries, from the first step on.
    fn must(&self, active: &[bool]) -> Vec<bool> {
        (0..active.len())
            .map(|i| i < self.carry && active[i])
            .collect()
    }

    /// Calls `f` with what is known about whether a step runs.
    pub(super) fn runs<R>(length: Dim, count: Option<Var>, f: impl FnOnce(Runs<'_>) -> R) -> R {
        match (length, count) {
            (Dim::N(0), _) => f(Runs::Perhaps),
            (Dim::N(_), _) => f(Runs::Surely),
            (Dim::Run, count) => {
                let count = count.expect("a run-time length has a count");
                let some = || elementwise::lt(Var::scalar(0i64), count);
                f(Runs::If(&some, branch))
            }
        }
    }

    pub(super) fn fused(&self, x: &[Var], dx: &[Tangent]) -> (Vec<Var>, Vec<Tangent>) {
        let (nc, nx, nb) = (self.carry, self.xs, self.body.results.len());
        let act = self.active(dx);
        let (p, d) = (self.parts(x), self.parts(dx));
        let dc = instantiate(d.carry, p.carry, &act[..nc]);
        let tangents = [&dc, d.xs, d.constants].concat();
        let supply = supplies(nc + nx, p.constants);
        let must = self.must(&act);
        let f = Scan::runs(self.length, p.count.first().copied(), |runs| {
            fuse_body(runs, &self.body, &supply, &tangents, &must, nc)
        });
        let (dc, dxs) = (present(&dc), present(d.xs));
        let (na, nax) = (dc.len(), dxs.len());
        // Parameters are carry, xs, dcarry, dxs, captures. A scan needs all carries first.
        let steps = nc + nx;
        let order: Vec<usize> = (0..nc)
            .chain(steps..steps + na)
            .chain(nc..steps)
            .chain(steps + na..f.func.arity())
            .collect();
        let mut body = f.func.reordered(&order);
        carries_first(&mut body, nb, nc, na);
        let out = self.with(body, nc + na, nx + nax).bind(&[
            p.count,
            p.carry,
            &dc,
            p.xs,
            &dxs,
            &f.captures,
        ]);
        let rows = nc + na..nc + na + nb - nc;
        let y = [&out[..nc], &out[rows.clone()]].concat();
        let dy = [&out[nc..nc + na], &out[rows.end..]].concat();
        (y, scatter(&f.out, dy))
    }

    pub(super) fn linear(&self, x: &[Var], dx: &[Tangent]) -> (Vec<Var>, Vec<Tangent>) {
        let (nc, nx, nb) = (self.carry, self.xs, self.body.results.len());
        let act = self.active(dx);
        let (p, d) = (self.parts(x), self.parts(dx));
        let active = [&act[..nc], &has(d.xs), &has(d.constants)].concat();
        let supply = supplies(nc + nx, p.constants);
        let must = self.must(&act);
        let b = Scan::runs(self.length, p.count.first().copied(), |runs| {
            linearize_body(runs, &self.body, &supply, &active, &must, nc)
        });
        let primal = self.with(b.primal.clone(), nc, nx);
        let out = primal.bind(&[p.count, p.carry, p.xs, &b.captures]);
        let residual = |r: &Residual| match r {
            Residual::Result(i) => out[*i],
            Residual::Param(i) => p.xs[*i - nc],
        };
        let residuals: Vec<Var> = b.residuals.iter().map(residual).collect();
        let dc = instantiate(d.carry, p.carry, &act[..nc]);
        let tangents = Tangents {
            carry: present(&dc),
            xs: present(d.xs),
            constants: present(d.constants),
        };
        let dy = linear_scan(self.length, self.reverse, p.count, &b, tangents, &residuals);
        (out[..nb].to_vec(), scatter(&b.out, dy))
    }
}

/// The tangents that a linear scan takes.
pub(crate) struct Tangents {
    pub carry: Vec<Var>,
    pub xs: Vec<Var>,
    pub constants: Vec<Var>,
}

/// Records the scan of the linear part of a loop's body over the residuals of its steps.
pub(crate) fn linear_scan(
    length: Dim,
    reverse: bool,
    count: &[Var],
    b: &LinearBody,
    d: Tangents,
    residuals: &[Var],
) -> Vec<Var> {
    let (nc, nx, nr) = (d.carry.len(), d.xs.len(), residuals.len());
    // Parameters are tangents of carry, xs, constants; residuals; invariants. The residuals are read
    // row by row like xs.
    let order: Vec<usize> = (0..nc + nx)
        .chain(b.tangents..b.tangents + nr)
        .chain(nc + nx..b.tangents)
        .chain(b.tangents + nr..b.linear.arity())
        .collect();
    Scan {
        body: b.linear.reordered(&order),
        carry: nc,
        xs: nx + nr,
        length,
        reverse,
    }
    .bind(&[
        count,
        &d.carry,
        &d.xs,
        residuals,
        &d.constants,
        &b.invariants,
    ])
}

/// Reorders results from `[carry, ys, dcarry, dys]` to `[carry, dcarry, ys, dys]`.
pub(crate) fn carries_first(body: &mut Func, results: usize, carry: usize, tangents: usize) {
    body.results[carry..results + tangents].rotate_right(tangents);
}

pub(crate) fn has(dx: &[Tangent]) -> Vec<bool> {
    dx.iter().map(Option::is_some).collect()
}

pub(crate) fn present(dx: &[Tangent]) -> Vec<Var> {
    dx.iter().flatten().copied().collect()
}

/// Returns which results have a tangent, given the tangents of the operands.
pub(crate) fn active(deps: &BitMatrix, dx: &[Tangent]) -> Vec<bool> {
    let row = |r| (0..dx.len()).any(|i| deps.get(r, i) && dx[i].is_some());
    (0..deps.rows()).map(row).collect()
}

/// Returns the dependence through any number of steps: the least fixpoint over that of the body. Rows are results of
/// the body; columns are its parameters.
pub(crate) fn loop_deps(body: &Func, carry: usize) -> BitMatrix {
    let step = body.deps();
    let (results, params) = (step.rows(), step.columns());
    // Row r < carry is what carry r depends on after any number of steps.
    let mut all = BitMatrix::new(results, params);
    for i in (0..carry).filter(|&i| body.types[i].is_float()) {
        all.set(i, i);
    }
    let mut changed = true;
    while changed {
        changed = false;
        for r in 0..results {
            for k in (0..params).filter(|&k| step.get(r, k)) {
                if k < carry {
                    changed |= all.or_row(r, k);
                } else if !all.get(r, k) {
                    all.set(r, k);
                    changed = true;
                }
            }
        }
    }
    all
}
