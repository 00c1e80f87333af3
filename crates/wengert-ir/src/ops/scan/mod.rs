//! `scan`: a counted loop that carries values from step to step, reads a row of some arrays at each
//! step and stacks rows of others.
//!
//! The length is known when the loop is traced, or only at run time ([`Dim::Run`]). In the latter case the trip count
//! is the first operand, and the arrays that are read and stacked are lists of that length.

mod batch;

use std::borrow::Cow;
use std::sync::Arc;

use crate::buffer::Buffer;
use crate::error::{Error, TypeError};
use crate::eval;
use crate::ir::text::{Attribute, Attributes, Given};
use crate::ir::{BitMatrix, DType, Dim, Eqn, Func, Type};
use crate::loops::LoopKind;
use crate::ops::cond::branch;
use crate::ops::trip_count::trip_count;
use crate::ops::{Batched, Cotangent, Mode, Op, Operand, Primitive, Pruned, Tangent, elementwise};
use crate::schedule::node::NodeId;
use crate::schedule::{Lowering, Wanted};
use crate::trace::{Kind, OpenTrace, Var, bind, closed, open};
use crate::transform::body::{
    LinearBody, Residual, Runs, fuse_body, instantiate, linearize_body, supplies,
};
use crate::transform::dead::{live_params, live_results, narrowed};
use crate::transform::linearize::scatter;
use crate::transform::transpose;

pub(crate) use batch::choose;

/// A counted loop. Operands: the trip count (`i64`, only if the length is a run-time one), the carry,
/// the arrays to read row by row, constants. The body takes a carry, rows and constants to the next
/// carry and rows; the results are the last carry and the stacked rows.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Scan {
    /// The function of one step.
    pub body: Func,
    /// The number of carried values.
    pub carry: usize,
    /// The number of arrays read row by row.
    pub xs: usize,
    /// The number of steps.
    pub length: Dim,
    /// Whether the steps go from the last row to the first.
    pub reverse: bool,
}

/// The operands of a scan, by part.
struct Parts<'a, T> {
    count: &'a [T],
    carry: &'a [T],
    xs: &'a [T],
    constants: &'a [T],
}

impl Scan {
    fn counts(&self) -> usize {
        (self.length == Dim::Run) as usize
    }

    fn parts<'a, T>(&self, operands: &'a [T]) -> Parts<'a, T> {
        let (count, rest) = operands.split_at(self.counts());
        let (carry, rest) = rest.split_at(self.carry);
        let (xs, constants) = rest.split_at(self.xs);
        Parts {
            count,
            carry,
            xs,
            constants,
        }
    }

    fn bind(self, operands: &[&[Var]]) -> Vec<Var> {
        bind(Op::Scan(Arc::new(self)), &operands.concat())
    }

    /// Returns the loop with another body.
    fn with(&self, body: Func, carry: usize, xs: usize) -> Scan {
        Scan {
            body,
            carry,
            xs,
            length: self.length,
            reverse: self.reverse,
        }
    }

    /// Returns which parameters and results of the body the `used` results need, at some step.
    fn live(&self, used: &[bool]) -> (Vec<bool>, Vec<bool>) {
        let nc = self.carry;
        let results = live_results(&self.body, nc, used);
        let mut params = live_params(&self.body, &results);
        // A carry must be kept both as a parameter and as a result, or as neither.
        params[..nc].copy_from_slice(&results[..nc]);
        (params, results)
    }

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
    fn runs<R>(length: Dim, count: Option<Var>, f: impl FnOnce(Runs<'_>) -> R) -> R {
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

    fn fused(&self, x: &[Var], dx: &[Tangent]) -> (Vec<Var>, Vec<Tangent>) {
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

    fn linear(&self, x: &[Var], dx: &[Tangent]) -> (Vec<Var>, Vec<Tangent>) {
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

/// Returns the dependence through any number of steps: the least fixpoint over that of the body. Rows are results of the
/// body; columns are its parameters.
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

impl Scan {
    /// Parses an operation of this family from the text form; `None` if it is none of this family.
    pub fn parse(name: &str, given: &Given, bodies: &[Func]) -> Option<Op> {
        let [body] = bodies else { return None };
        let length = match given.int("length")? {
            -1 => Dim::Run,
            n => Dim::N(usize::try_from(n).ok()?),
        };
        let scan = Scan {
            body: body.clone(),
            carry: given.index("carry")?,
            xs: given.index("xs")?,
            length,
            reverse: given.boolean("reverse")?,
        };
        (name == "scan").then(|| Op::Scan(Arc::new(scan)))
    }
}

impl Primitive for Scan {
    fn name(&self) -> Cow<'static, str> {
        "scan".into()
    }

    fn attributes(&self) -> Attributes {
        let length = match self.length {
            Dim::N(n) => n as i64,
            Dim::Run => -1,
        };
        vec![
            ("carry", Attribute::Int(self.carry as i64)),
            ("xs", Attribute::Int(self.xs as i64)),
            ("length", Attribute::Int(length)),
            ("reverse", Attribute::Bool(self.reverse)),
        ]
    }

    fn types(&self, inputs: &[Type]) -> Result<Vec<Type>, TypeError> {
        let want = self.counts() + self.body.arity();
        if inputs.len() != want || self.carry + self.xs > self.body.arity() {
            return Err(TypeError::new(format!(
                "takes {want} operands, got {}",
                inputs.len()
            )));
        }
        if self.body.results.len() < self.carry {
            return Err(TypeError::new(
                "the body returns fewer values than it carries",
            ));
        }
        let p = self.parts(inputs);
        if p.count.iter().any(|t| *t != Type::scalar(DType::I64)) {
            return Err(TypeError::new(format!(
                "the trip count is a {}, not an i64",
                p.count[0]
            )));
        }
        let params = self.body.param_types();
        for (i, x) in p.xs.iter().enumerate() {
            if x.shape.0.first() != Some(&self.length) {
                let n = Type::scalar(DType::F64).stacked(self.length).shape;
                let message =
                    format!("operand {i} to scan over is {x}, and the loop has {n} steps");
                return Err(TypeError::new(message));
            }
        }
        let rows: Vec<Type> = p.xs.iter().map(Type::row).collect();
        expect_types("operand", &[p.carry, &rows, p.constants].concat(), params)?;
        let results = self.body.result_types();
        for (i, (before, after)) in p.carry.iter().zip(&results).enumerate() {
            if before != after {
                return Err(TypeError::new(format!(
                    "carry {i} is {before} before the step and {after} after it"
                ))
                .hint("convert or broadcast one of them: a carry keeps its type"));
            }
        }
        let rows = results[self.carry..].iter().map(|t| t.stacked(self.length));
        Ok(p.carry.iter().cloned().chain(rows).collect())
    }

    fn eval(&self, inputs: &[Buffer]) -> Result<Vec<Buffer>, Error> {
        let p = self.parts(inputs);
        let n = match self.length {
            Dim::N(n) => n,
            Dim::Run => p.count[0].dense().slice::<i64>()[0].max(0) as usize,
        };
        let row_types = &self.body.param_types()[self.carry..self.carry + self.xs];
        let mut carry = p.carry.to_vec();
        let mut ys: Vec<Vec<Buffer>> = vec![vec![]; self.body.results.len() - self.carry];
        for step in 0..n {
            let i = if self.reverse { n - 1 - step } else { step };
            let mut args = carry;
            args.extend(p.xs.iter().zip(row_types).map(|(x, ty)| x.row(i, ty)));
            args.extend_from_slice(p.constants);
            let mut results = eval::run(&self.body, args)?;
            for (ys, y) in ys.iter_mut().zip(results.split_off(self.carry)) {
                ys.push(y);
            }
            carry = results;
        }
        let types = self.body.result_types();
        for (mut rows, ty) in ys.into_iter().zip(&types[self.carry..]) {
            if self.reverse {
                rows.reverse();
            }
            carry.push(Buffer::stack(rows, ty, self.length));
        }
        Ok(carry)
    }

    fn deps(&self, inputs: usize, outputs: usize) -> BitMatrix {
        let deps = loop_deps(&self.body, self.carry);
        let counts = self.counts();
        BitMatrix::from_fn(outputs, inputs, |r, i| {
            i >= counts && deps.get(r, i - counts)
        })
    }

    fn bodies(&self) -> Vec<&Func> {
        vec![&self.body]
    }

    fn with_bodies(&self, rewrite: &mut dyn FnMut(&Func) -> Func) -> Option<Op> {
        let body = rewrite(&self.body);
        Some(Op::Scan(Arc::new(self.with(body, self.carry, self.xs))))
    }

    fn needs(&self, used: &[bool]) -> Option<Vec<bool>> {
        let (params, _) = self.live(used);
        Some([&vec![true; self.counts()][..], &params].concat())
    }

    fn prune(&self, used: &[bool]) -> Option<Pruned> {
        let nc = self.carry;
        let (params, results) = self.live(used);
        if results.iter().chain(&params).all(|l| *l) {
            return None;
        }
        let count = |live: &[bool]| live.iter().filter(|l| **l).count();
        let body = narrowed(&self.body, &params, &results);
        let xs = count(&params[nc..nc + self.xs]);
        Some(Pruned {
            op: Op::Scan(Arc::new(self.with(body, count(&params[..nc]), xs))),
            inputs: [&vec![true; self.counts()][..], &params].concat(),
            outputs: results,
        })
    }

    fn jvp(&self, x: &[Var], dx: &[Tangent], mode: Mode) -> (Vec<Var>, Vec<Tangent>) {
        match mode {
            Mode::Fused => self.fused(x, dx),
            Mode::Linear => self.linear(x, dx),
        }
    }

    /// Returns the scan in the opposite direction. Every carry of a linear scan is linear, whatever it starts
    /// from. Which of their cotangents are live is a fixpoint, and correctness depends on it: a dead
    /// cotangent times an infinite factor would be NaN. Cotangents of constants are summed in the carry.
    fn transpose(&self, inputs: &[Operand], ct: &[Option<Cotangent>]) -> Vec<Option<Cotangent>> {
        let (nc, nx, np) = (self.carry, self.xs, self.body.arity());
        if self.length == Dim::N(0) {
            let mut through: Vec<Option<Cotangent>> = ct[..nc].to_vec();
            through.resize(np, None);
            return through;
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
        let mut sums: Vec<Type> = vec![];
        for i in (nc + nx..np).filter(|&i| linear[i]) {
            if let Some(v) = value(i) {
                found[i] = Some(outs.len());
                sums.push(types[i].clone());
                outs.push(elementwise::add(back.trace.param(types[i].clone()), v));
            }
        }
        let carry = outs.len();
        for i in (nc..nc + nx).filter(|&i| linear[i]) {
            if let Some(v) = value(i) {
                found[i] = Some(outs.len());
                outs.push(v);
            }
        }
        let closed = back.trace.close(&outs);
        // Parameters are live carries, rows, sums, captures.
        let (nr, ns) = (back.rows.len(), sums.len());
        let order: Vec<usize> = (0..lives)
            .chain(lives + nr..lives + nr + ns)
            .chain(lives..lives + nr)
            .chain(lives + nr + ns..closed.func.arity())
            .collect();
        let start = |j: usize| ct[j].map_or_else(|| Var::zeros(&types[j]), |c| c.value);
        let carry0: Vec<Var> = (0..nc).filter(|&j| live[j]).map(start).collect();
        let sums0: Vec<Var> = sums.iter().map(Var::zeros).collect();
        let scan = Scan {
            body: closed.func.reordered(&order),
            carry,
            xs: nr,
            length: self.length,
            reverse: !self.reverse,
        };
        let out = scan.bind(&[&count, &carry0, &sums0, &back.rows, &closed.captures]);
        let arrives = Arrives::at_start(&self.body, nc, ct, self.length);
        let mut result: Vec<Option<Cotangent>> = vec![None; counts];
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
            result.push(
                place
                    .filter(|_| wanted)
                    .map(|p| Cotangent::of(out[p], maybe_zero)),
            );
        }
        result
    }

    fn lower(
        &self,
        l: &mut Lowering,
        inputs: &[NodeId],
        outputs: &[Wanted],
    ) -> Result<Vec<NodeId>, Error> {
        let p = self.parts(inputs);
        let others = [p.count, p.carry, p.constants].concat();
        let rows = l.rows_for(p.xs, &others, self.length, self.reverse)?;
        let extent = match self.length {
            Dim::N(n) => l.b.i64(n as i64),
            Dim::Run => l.value(p.count[0]),
        };
        let (carry, piled) = outputs.split_at(self.carry);
        let uniform = match l.b.lanes(extent) {
            true => vec![false; self.carry],
            false => l.uniform_carries(&self.body, &inputs[self.counts()..], self.carry),
        };
        let places: Vec<_> = carry.iter().map(|w| w.place.clone()).collect();
        let carried = l.carry(p.carry, &uniform, &places)?;
        let piles = l.pile(piled, self.length);
        if self.reverse {
            l.push_rows(&piles, extent)?;
        }
        let kind = LoopKind::Serial {
            reverse: self.reverse,
        };
        let outs = l.for_(kind, extent, &carried.carries, |l, i, params| {
            let row = l.b.affine(i);
            let mut args = l.carried(&carried, params);
            args.extend(l.rows_at(&rows, i)?);
            args.extend(p.constants);
            if !self.reverse {
                l.push_row(&piles, i);
            }
            let mut places = vec![None; self.carry];
            places.extend(l.row_places(&piles, &row));
            let results = l.run(&self.body, &args, &places)?;
            let mut next = l.next(&carried, &results)?;
            next.writes
                .extend(l.pile_up_rows(&piles, &row, &results[self.carry..])?);
            l.commit(next.writes, &carried.buffers())?;
            Ok(next.values)
        })?;
        let mut results = l.carried(&carried, &outs);
        results.extend(l.piled(piles, extent, piled));
        Ok(results)
    }

    fn batch(&self, inputs: &[Batched], size: usize) -> Vec<Batched> {
        self.batched(inputs, size)
    }
}

/// A step of a linear loop, transposed, in a trace that is still open.
struct TransposedStep {
    /// The trace. Its parameters are the cotangents of the live carries, then `rows`.
    trace: OpenTrace,
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
        let found = transpose(&self.body, &body_operands, &body_ct);
        TransposedStep {
            trace,
            rows,
            found,
            masked,
        }
    }
}

/// Whether the cotangent of a carry at the start of a loop depends on any given cotangent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Arrives {
    /// It does for every number of steps.
    Surely,
    /// It does for some numbers of steps; for the others it is zero.
    Perhaps,
    /// It does for no possible number of steps.
    Never,
}

impl Arrives {
    /// Returns the answer for each carry. A carry that is overwritten before it is read does not affect the results of a
    /// loop that runs at least one step.
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

/// Checks that types agree, with an error that names the ones that differ.
pub(crate) fn expect_types(what: &str, got: &[Type], want: &[Type]) -> Result<(), TypeError> {
    if got.len() != want.len() {
        let message = format!("takes {} {what}s, got {}", want.len(), got.len());
        return Err(TypeError::new(message));
    }
    match got.iter().zip(want).position(|(g, w)| g != w) {
        None => Ok(()),
        Some(i) => Err(TypeError::new(format!(
            "{what} {i} is {}, and the body takes {}",
            got[i], want[i]
        ))),
    }
}

/// Records a loop of `length` steps over the rows of `xs`.
#[track_caller]
pub fn scan(
    init: &[Var],
    xs: &[Var],
    length: usize,
    reverse: bool,
    step: impl FnOnce(&[Var], &[Var]) -> (Vec<Var>, Vec<Var>),
) -> Vec<Var> {
    let nc = init.len();
    let mut types: Vec<Type> = init.iter().map(|v| v.ty()).collect();
    types.extend(xs.iter().map(|v| v.ty().row()));
    let kind = if length > 0 {
        Kind::Plain
    } else {
        Kind::Barrier
    };
    let body = closed(kind, &types, |vars| {
        let (mut carry, ys) = step(&vars[..nc], &vars[nc..]);
        carry.extend(ys);
        carry
    });
    Scan {
        body: body.func,
        carry: nc,
        xs: xs.len(),
        length: Dim::N(length),
        reverse,
    }
    .bind(&[init, xs, &body.captures])
}

/// Records a loop from `start` up to `end`, traced `i64`s; the step receives its number.
#[track_caller]
pub fn repeat(
    start: Var,
    end: Var,
    init: &[Var],
    step: impl FnOnce(Var, &[Var]) -> Vec<Var>,
) -> Vec<Var> {
    let count = trip_count(start, end);
    let mut carry = vec![Var::scalar(0i64)];
    carry.extend(init);
    let types: Vec<Type> = carry.iter().map(|v| v.ty()).collect();
    Scan::runs(Dim::Run, Some(count), |runs| {
        let (trace, vars) = crate::transform::body::BodyTrace::open(runs, &types);
        let mut next = vec![elementwise::add(vars[0], Var::scalar(1i64))];
        let number = match start.as_literal() {
            Some(zero) if zero.bits == 0 => vars[0],
            _ => elementwise::add(vars[0], start),
        };
        next.extend(step(number, &vars[1..]));
        let body = trace.close(&next, &mut []);
        let scan = Scan {
            body: body.func,
            carry: carry.len(),
            xs: 0,
            length: Dim::Run,
            reverse: false,
        };
        let out = scan.bind(&[&[count], &carry, &body.captures]);
        out[1..].to_vec()
    })
}
