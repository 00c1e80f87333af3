//! Differentiating the body of a loop, a branch or a map: the part that all higher-order operations share.
//!
//! Primal constants of the body are bound to the outer `Var`s themselves. So whatever depends on them alone
//! is recorded outside the body and becomes an *invariant* residual, computed once. Tangents, including those of
//! constants, always enter the body's own linear trace as parameters. This separates the residuals of a step
//! from the invariant ones without further analysis.

use crate::ir::{Func, Type};
use crate::ops::{Mode, Tangent};
use crate::trace::{Closed, Kind, OpenTrace, Var, closed, open};
use crate::transform::linearize::{pick, scatter};
use crate::transform::replay;

/// The source of a parameter's value.
#[derive(Clone, Copy, Debug)]
pub enum Supply {
    /// The operation that runs the body: the parameter is a carry, a row or an element.
    Step,
    /// A value from outside, which is the same each time the body runs.
    Outer(Var),
}

/// Returns the sources of `steps` parameters that the operation supplies, followed by constants.
pub fn supplies(steps: usize, constants: &[Var]) -> Vec<Supply> {
    let mut all = vec![Supply::Step; steps];
    all.extend(constants.iter().map(|&v| Supply::Outer(v)));
    all
}

/// Whether a body is known to run.
#[derive(Clone, Copy)]
pub enum Runs<'a> {
    /// The body runs at least once: what depends on none of its values may be computed before it.
    Surely,
    /// The body may not run, so nothing may be moved out of it.
    Perhaps,
    /// The body may not run, and a truth value tells whether it does: what depends on none of its values is
    /// computed before it, in a branch on that value.
    If(&'a dyn Fn() -> Var, Branch),
}

/// A function that records a branch on a truth value, given its two sides as closed traces.
pub type Branch = fn(Var, Closed, Closed) -> Vec<Var>;

/// The trace of a body, with a second trace around it, the preheader, that catches its invariants.
pub struct BodyTrace<'a> {
    preheader: Option<(OpenTrace, &'a dyn Fn() -> Var, Branch)>,
    /// The trace of the body.
    pub trace: OpenTrace,
}

impl<'a> BodyTrace<'a> {
    /// Opens the trace of a body with parameters of the given types.
    pub fn open(runs: Runs<'a>, params: &[Type]) -> (BodyTrace<'a>, Vec<Var>) {
        let (preheader, kind) = match runs {
            Runs::Surely => (None, Kind::Plain),
            Runs::Perhaps => (None, Kind::Barrier),
            Runs::If(guard, branch) => {
                let preheader = (open(Kind::Barrier, &[]).0, guard, branch);
                (Some(preheader), Kind::Plain)
            }
        };
        let (trace, vars) = open(kind, params);
        (BodyTrace { preheader, trace }, vars)
    }

    /// Closes the trace. `also` are further values of the preheader that are needed outside; they and the captures
    /// are replaced by values of the surrounding traces.
    pub fn close(self, results: &[Var], also: &mut [Var]) -> Closed {
        let mut body = self.trace.close(results);
        let Some((trace, guard, branch)) = self.preheader else {
            return body;
        };
        let mut caught: Vec<Var> = vec![];
        for &v in body.captures.iter().chain(also.iter()) {
            if trace.owns(v) && !caught.iter().any(|c| c.same(v)) {
                caught.push(v);
            }
        }
        let types: Vec<Type> = caught.iter().map(|v| v.ty()).collect();
        let then = trace.close(&caught);
        if caught.is_empty() {
            return body;
        }
        let zeros = |_: &[Var]| types.iter().map(Var::zeros).collect();
        let otherwise = closed(Kind::Barrier, &[], zeros);
        let values = branch(guard(), then, otherwise);
        for v in body.captures.iter_mut().chain(also) {
            if let Some(i) = caught.iter().position(|c| c.same(*v)) {
                *v = values[i];
            }
        }
        body
    }
}

/// The place where the body already has a residual of a step.
#[derive(Clone, Copy, Debug)]
pub enum Residual {
    /// Result `i` of the primal body.
    Result(usize),
    /// Parameter `i` of the body, whose values the operation has already.
    Param(usize),
}

/// A body and its linear part.
pub struct LinearBody {
    /// The primal body: step parameters, then captures, to the body's results, then residuals.
    pub primal: Func,
    /// The outer values that `primal` uses.
    pub captures: Vec<Var>,
    /// The place of each residual of a step.
    pub residuals: Vec<Residual>,
    /// The number of residuals among the results of `primal`.
    pub stored: usize,
    /// The linear part: tangents of the active inputs, residuals of the step, invariant residuals, to tangents.
    pub linear: Func,
    /// The invariant residuals.
    pub invariants: Vec<Var>,
    /// The number of tangents that `linear` takes.
    pub tangents: usize,
    /// Which results of the body have a tangent.
    pub out: Vec<bool>,
}

/// Linearises a body in its `active` parameters. Results that `must` have a tangent get a zero tangent if they have
/// none. A residual that is a step parameter with index `forwarded` or higher is not stored again.
pub fn linearize_body(
    runs: Runs<'_>,
    body: &Func,
    supply: &[Supply],
    active: &[bool],
    must: &[bool],
    forwarded: usize,
) -> LinearBody {
    let steps: Vec<Type> = step_types(body, supply);
    let (outer, params) = BodyTrace::open(runs, &steps);
    let tangent_types: Vec<Type> = pick(body.param_types(), active);
    let (inner, tangents) = open(Kind::Linear, &tangent_types);
    let x = supplied(supply, &params);
    let dx = scatter(active, tangents);
    let (mut y, mut dy) = replay(body, &x, &dx, Mode::Linear);
    let results = y.len();
    fill(&mut dy, &y, must);
    let out: Vec<bool> = dy.iter().map(Option::is_some).collect();
    let linear = inner.close(&dy.into_iter().flatten().collect::<Vec<_>>());

    // The linear part captures residuals of the step, which the primal body has to return, and invariant
    // residuals. The former come first.
    let nt = tangent_types.len();
    let of_step = |v: &Var| outer.trace.owns(*v);
    let (mine, mut invariants): (Vec<Var>, Vec<Var>) =
        linear.captures.iter().copied().partition(of_step);
    let place = |which: bool| {
        let captures = linear.captures.iter().enumerate();
        captures
            .filter(move |(_, v)| of_step(v) == which)
            .map(move |(i, _)| nt + i)
    };
    let order: Vec<usize> = (0..nt).chain(place(true)).chain(place(false)).collect();
    let linear = linear.func.reordered(&order);
    let mut residuals = vec![];
    for v in mine {
        match outer.trace.id_of(v) {
            Some(i) if (forwarded..steps.len()).contains(&i) => residuals.push(Residual::Param(i)),
            _ => {
                residuals.push(Residual::Result(y.len()));
                y.push(v);
            }
        }
    }
    let stored = y.len() - results;
    let primal = outer.close(&y, &mut invariants);
    LinearBody {
        primal: primal.func,
        captures: primal.captures,
        residuals,
        stored,
        linear,
        invariants,
        tangents: nt,
        out,
    }
}

/// A body that computes its tangents along with its values.
pub struct FusedBody {
    /// The function: step parameters, their tangents, captures, to results, then tangents.
    pub func: Func,
    /// The outer values that `func` uses.
    pub captures: Vec<Var>,
    /// Which results have a tangent.
    pub out: Vec<bool>,
}

/// Differentiates a body in forward mode. Its first `carried` results are carried: they are the first parameters of
/// the next run. Results that `must` have a tangent get a zero tangent if they have none.
///
/// A tangent that leaves a run masked enters the next one masked, so the body may have to be recorded again.
pub fn fuse_body(
    runs: Runs<'_>,
    body: &Func,
    supply: &[Supply],
    dx: &[Tangent],
    must: &[bool],
    carried: usize,
) -> FusedBody {
    let mut types = step_types(body, supply);
    let steps = types.len();
    let has: Vec<bool> = (0..supply.len())
        .map(|i| matches!(supply[i], Supply::Step) && dx[i].is_some())
        .collect();
    types.extend(pick(body.param_types(), &has));
    let mut masked: Vec<bool> = dx.iter().map(|d| d.is_some_and(Var::is_masked)).collect();
    loop {
        let (outer, params) = BodyTrace::open(runs, &types);
        let x = supplied(supply, &params[..steps]);
        let inner = scatter(&has, params[steps..].iter().copied());
        let marked = |i: usize, d: Tangent| match masked[i] {
            true => d.map(Var::masked),
            false => d,
        };
        let dx: Vec<Tangent> = (0..supply.len())
            .map(|i| match supply[i] {
                Supply::Step => marked(i, inner[i]),
                Supply::Outer(_) => dx[i],
            })
            .collect();
        let (mut y, mut dy) = replay(body, &x, &dx, Mode::Fused);
        let late = |&i: &usize| !masked[i] && dy[i].is_some_and(Var::is_masked);
        let late: Vec<usize> = (0..carried).filter(late).collect();
        if !late.is_empty() {
            late.into_iter().for_each(|i| masked[i] = true);
            outer.close(&[], &mut []);
            continue;
        }
        fill(&mut dy, &y, must);
        let out = dy.iter().map(Option::is_some).collect();
        y.extend(dy.into_iter().flatten());
        let closed = outer.close(&y, &mut []);
        return FusedBody {
            func: closed.func,
            captures: closed.captures,
            out,
        };
    }
}

fn step_types(body: &Func, supply: &[Supply]) -> Vec<Type> {
    let steps = supply.iter().zip(body.param_types());
    let steps = steps.filter(|(s, _)| matches!(s, Supply::Step));
    steps.map(|(_, ty)| ty.clone()).collect()
}

fn supplied(supply: &[Supply], params: &[Var]) -> Vec<Var> {
    let mut params = params.iter();
    supply
        .iter()
        .map(|s| match s {
            Supply::Step => *params.next().expect("a parameter for each step supply"),
            Supply::Outer(v) => *v,
        })
        .collect()
}

fn fill(dy: &mut [Tangent], y: &[Var], must: &[bool]) {
    for ((dy, y), must) in dy.iter_mut().zip(y).zip(must) {
        if *must && dy.is_none() {
            *dy = Some(Var::zeros(&y.ty()));
        }
    }
}

/// Returns the tangents of `x` where `active`, with zeros in place of missing ones.
pub fn instantiate(dx: &[Tangent], x: &[Var], active: &[bool]) -> Vec<Tangent> {
    (0..active.len())
        .map(|i| active[i].then(|| dx[i].unwrap_or_else(|| Var::zeros(&x[i].ty()))))
        .collect()
}
