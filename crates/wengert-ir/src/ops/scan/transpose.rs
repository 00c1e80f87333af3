//! The transpose of linear scans.

use super::Scan;
use crate::ir::{Dim, Eqn, Func, Type};
use crate::ops::{Cotangent, Operand, add_cotangents};
use crate::trace::{Kind, OpenTrace, Var, open};
use crate::transform::linearize::scatter;
use crate::transform::transpose::transpose_onto;

impl Scan {
    /// Returns the scan in the opposite direction. Every carry of a linear scan is linear, whatever it starts
    /// from. Which of their cotangents are live is a fixpoint, and correctness depends on it: a dead
    /// cotangent times an infinite factor would be NaN. Cotangents of constants are summed in the carry, starting from
    /// those that the operands `have` so far.
    pub(super) fn transposed(
        &self,
        inputs: &[Operand],
        ct: &[Option<Cotangent>],
        have: &[Option<Cotangent>],
    ) -> Vec<Option<Cotangent>> {
        let (nc, nx, np) = (self.carry, self.xs, self.body.arity());
        if self.length == Dim::N(0) {
            let mut through: Vec<Option<Cotangent>> = ct[..nc].to_vec();
            through.resize(np, None);
            let all = have.iter().zip(through);
            return all.map(|(&have, ct)| add_cotangents(have, ct)).collect();
        }
        let types = self.body.param_types();
        let counts = self.counts();
        let count: Vec<Var> = inputs[..counts].iter().map(Operand::known).collect();
        let operands = &inputs[counts..];
        let live = live_carries(&self.body, nc, ct);
        let back = self.transposed_step(operands, ct, &live);

        let linear: Vec<bool> = (0..np).map(|i| i < nc || operands[i].is_linear()).collect();
        let value = |i: usize| back.found[i].map(|c| c.value);
        let mut outs: Vec<Var> = (0..nc)
            .filter(|&j| live[j])
            .map(|j| value(j).unwrap_or_else(|| Var::zeros(&types[j])))
            .collect();
        let lives = outs.len();
        let mut found = vec![None; np];
        let sums: Vec<usize> = (nc + nx..np).filter(|&i| back.sums[i].is_some()).collect();
        for &i in &sums {
            found[i] = Some(outs.len());
            outs.extend(value(i));
        }
        let carry = outs.len();
        for i in (nc..nc + nx).filter(|&i| linear[i]) {
            if let Some(v) = value(i) {
                found[i] = Some(outs.len());
                outs.push(v);
            }
        }
        let closed = back.trace.close(&outs);
        // Parameters are live carries, sums, rows, captures.
        let nr = back.rows.len();
        debug_assert_eq!(
            lives + sums.len() + nr + closed.captures.len(),
            closed.func.arity()
        );
        let start = |j: usize| ct[j].map_or_else(|| Var::zeros(&types[j]), |c| c.value);
        let carry0: Vec<Var> = (0..nc).filter(|&j| live[j]).map(start).collect();
        let onto = |i: usize| have[counts + i].map_or_else(|| Var::zeros(&types[i]), |c| c.value);
        let sums0: Vec<Var> = sums.iter().map(|&i| onto(i)).collect();
        let scan = Scan {
            body: closed.func,
            carry,
            xs: nr,
            length: self.length,
            reverse: !self.reverse,
        };
        let out = scan.bind(&[&count, &carry0, &sums0, &back.rows, &closed.captures]);
        let arrives = Arrives::at_start(&self.body, nc, ct, self.length);
        let mut result: Vec<Option<Cotangent>> = have[..counts].to_vec();
        let mut next = 0;
        for i in 0..np {
            let (place, reached) = if i < nc && live[i] {
                next += 1;
                (Some(next - 1), arrives[i])
            } else {
                // If the loop may run no step, the result may not depend on a constant.
                let perhaps = i >= nc + nx && self.length == Dim::Run;
                let reached = if perhaps {
                    Arrives::Perhaps
                } else {
                    Arrives::Surely
                };
                (found[i], reached)
            };
            let wanted = operands[i].is_linear() && reached != Arrives::Never;
            let maybe_zero = reached == Arrives::Perhaps
                || back.masked
                || back.found[i].is_some_and(|c| c.maybe_zero);
            let total = place
                .filter(|_| wanted)
                .map(|p| Cotangent::of(out[p], maybe_zero));
            result.push(match (total, have[counts + i]) {
                (Some(total), Some(have)) if sums.contains(&i) => Some(total.joined(have)),
                (total, have) => add_cotangents(have, total),
            });
        }
        result
    }
}

/// A step of a linear loop, transposed, in a trace that is still open.
struct TransposedStep {
    /// The trace. Its parameters are the cotangents of the live carries, then `sums`, then `rows`.
    trace: OpenTrace,
    /// For each parameter of the step that is a linear constant, the sum of its cotangents in the steps before.
    sums: Vec<Option<Var>>,
    /// The operands read row by row: known values, then cotangents of results.
    rows: Vec<Var>,
    /// The cotangents of the parameters of the step.
    found: Vec<Option<Cotangent>>,
    /// Whether all cotangents in the loop are treated as masked.
    masked: bool,
}

impl Scan {
    /// Transposes a step. A cotangent that leaves the step masked enters the step before it masked, so a step may have
    /// to be transposed again.
    fn transposed_step(
        &self,
        operands: &[Operand],
        ct: &[Option<Cotangent>],
        live: &[bool],
    ) -> TransposedStep {
        let nc = self.carry;
        let branches = |e: &Eqn| e.op.masks() && !e.op.bodies().is_empty();
        // A mask in one step affects the others, so a mask anywhere in the loop counts.
        let masked = ct.iter().flatten().any(|c| c.maybe_zero) || holds(&self.body, &branches);
        // A carry without a given cotangent starts with a zero, which meets values that a selection in the body masked.
        let selects = holds(&self.body, &|e: &Eqn| e.op.masks());
        let mut flags: Vec<bool> = (0..nc)
            .map(|j| masked || (ct[j].is_none() && selects))
            .collect();
        loop {
            let step = self.transposed_with(operands, ct, live, &flags, masked);
            let late =
                |&j: &usize| live[j] && !flags[j] && step.found[j].is_some_and(|c| c.maybe_zero);
            let late: Vec<usize> = (0..nc).filter(late).collect();
            if late.is_empty() {
                return step;
            }
            step.trace.close(&[]);
            late.into_iter().for_each(|j| flags[j] = true);
        }
    }

    fn transposed_with(
        &self,
        operands: &[Operand],
        ct: &[Option<Cotangent>],
        live: &[bool],
        flags: &[bool],
        masked: bool,
    ) -> TransposedStep {
        let (nc, nx, np) = (self.carry, self.xs, self.body.arity());
        let types = self.body.param_types();
        let result_types = self.body.result_types();
        let carried: Vec<Type> = (0..nc)
            .filter(|&j| live[j])
            .map(|j| types[j].clone())
            .collect();
        let kind = match self.length {
            Dim::N(_) => Kind::Plain,
            Dim::Run => Kind::Barrier,
        };
        let (trace, params) = open(kind, &carried);
        let carries = scatter(live, params).into_iter().zip(flags);
        let mut body_ct: Vec<Option<Cotangent>> = carries
            .map(|(v, &maybe_zero)| v.map(|value| Cotangent::of(value, maybe_zero)))
            .collect();
        let deps = self.body.deps();
        let given = |r: usize| if r < nc { live[r] } else { ct[r].is_some() };
        let sums: Vec<Option<Var>> = (0..np)
            .map(|i| {
                let reached = (0..result_types.len()).any(|r| given(r) && deps.get(r, i));
                let summed = i >= nc + nx && operands[i].is_linear() && reached;
                summed.then(|| trace.param(types[i].clone()))
            })
            .collect();
        let mut rows: Vec<Var> = vec![];
        let mut body_operands = vec![];
        for i in 0..np {
            body_operands.push(if i < nc || operands[i].is_linear() {
                Operand::Linear(types[i].clone())
            } else if i < nc + nx {
                rows.push(operands[i].known());
                Operand::Known(trace.param(types[i].clone()))
            } else {
                Operand::Known(operands[i].known())
            });
        }
        for r in nc..result_types.len() {
            body_ct.push(ct[r].map(|c| {
                rows.push(c.value);
                Cotangent::of(trace.param(result_types[r].clone()), masked)
            }));
        }
        // A sum takes the mask of what is added to it.
        let onto: Vec<Option<Cotangent>> = (sums.iter())
            .map(|sum| sum.map(|value| Cotangent::of(value, true)))
            .collect();
        let found = transpose_onto(&self.body, &body_operands, &body_ct, &onto);
        TransposedStep {
            trace,
            sums,
            rows,
            found,
            masked,
        }
    }
}

/// Whether the cotangent of a carry at the start of a loop depends on any given cotangent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Arrives {
    /// The cotangent depends on a given one for every number of steps.
    Surely,
    /// The cotangent depends on a given one for some numbers of steps; for the others it is zero.
    Perhaps,
    /// The cotangent depends on no given one, whatever the number of steps.
    Never,
}

impl Arrives {
    /// Returns the answer for each carry. A carry that is overwritten before it is read does not affect the results
    /// of a loop that runs at least one step.
    fn at_start(body: &Func, carry: usize, ct: &[Option<Cotangent>], length: Dim) -> Vec<Arrives> {
        let deps = body.deps();
        let given: Vec<bool> = ct.iter().map(Option::is_some).collect();
        let mut live = given[..carry].to_vec();
        let (mut always, mut ever) = (live.clone(), vec![false; carry]);
        // A path of more steps than there are carries visits one of them twice, so there is also a path with a length
        // between that number and its double: a carry that none of these reach is never reached.
        for k in 0..=2 * carry {
            if length == Dim::N(k) {
                ever = live.clone();
                always = live;
                break;
            }
            if length == Dim::Run || k >= carry {
                ever.iter_mut().zip(&live).for_each(|(e, l)| *e |= l);
            }
            always.iter_mut().zip(&live).for_each(|(a, l)| *a &= l);
            let reached = |j: usize| {
                (0..deps.rows())
                    .any(|r| deps.get(r, j) && if r < carry { live[r] } else { given[r] })
            };
            live = (0..carry).map(reached).collect();
        }
        let answer = |j: usize| match (always[j], ever[j]) {
            (true, _) => Arrives::Surely,
            (false, true) if length == Dim::Run => Arrives::Perhaps,
            (false, true) => Arrives::Surely,
            (false, false) => Arrives::Never,
        };
        (0..carry).map(answer).collect()
    }
}

/// Returns which carries of a linear loop have a live cotangent, at some step.
fn live_carries(body: &Func, carry: usize, ct: &[Option<Cotangent>]) -> Vec<bool> {
    let deps = body.deps();
    let mut live: Vec<bool> = ct.iter().map(Option::is_some).collect();
    loop {
        let mut changed = false;
        for j in (0..carry).filter(|&j| !live[j]).collect::<Vec<_>>() {
            if (0..deps.rows()).any(|r| deps.get(r, j) && live[r]) {
                live[j] = true;
                changed = true;
            }
        }
        if !changed {
            live.truncate(carry);
            return live;
        }
    }
}

/// Returns whether a function has an equation of some kind, in nested functions too.
fn holds(body: &Func, kind: &dyn Fn(&Eqn) -> bool) -> bool {
    (body.eqns.iter()).any(|e| kind(e) || e.op.bodies().iter().any(|f| holds(f, kind)))
}
