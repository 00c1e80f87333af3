//! `while`: a loop of unknown length.
//!
//! Reverse mode needs no rule of its own: linearising a while gives a while that also *pushes* the
//! residuals of each step onto lists and counts its steps, and a linear [`Scan`](super::scan::Scan) of
//! that run-time length over those lists.

use std::borrow::Cow;
use std::cell::Cell;
use std::sync::Arc;

use crate::buffer::{Buffer, Dense};
use crate::error::{Error, TypeError};
use crate::eval;
use crate::ir::text::{Attribute, Attributes, Given};
use crate::ir::{BitMatrix, DType, Dim, Func, Type};
use crate::ops::cond::branch;
use crate::ops::scan::{
    Tangents, active, carries_first, choose, expect_types, has, linear_scan, loop_deps, present,
};
use crate::ops::{
    Batched, Cotangent, Mode, Op, Operand, Primitive, Pruned, Tangent, elementwise, reduce,
};
use crate::schedule::node::NodeId;
use crate::schedule::{Lowering, Wanted};
use crate::trace::{Kind, Var, bind, closed};
use crate::transform::batch;
use crate::transform::body::{
    BodyTrace, Residual, Runs, fuse_body, instantiate, linearize_body, supplies,
};
use crate::transform::dead::{live_params, live_results, narrowed};
use crate::transform::inline;
use crate::transform::linearize::scatter;

/// The default number of steps after which a loop is considered endless.
pub const DEFAULT_MAX_STEPS: u64 = 1_000_000_000;

thread_local! {
    static MAX_STEPS: Cell<u64> = const { Cell::new(DEFAULT_MAX_STEPS) };
}

/// A guard: while it lives, loops that are recorded on this thread have another limit.
#[derive(Debug)]
pub struct Limited(u64);

impl Drop for Limited {
    fn drop(&mut self) {
        MAX_STEPS.set(self.0);
    }
}

/// Returns the current limit of loops that are recorded on this thread.
pub(crate) fn max_steps() -> u64 {
    MAX_STEPS.get()
}

/// Limits loops that are recorded from now on to `steps` steps, until the guard is dropped.
pub fn limited(steps: u64) -> Limited {
    Limited(MAX_STEPS.replace(steps))
}

/// A loop of unknown length. Operands: the carry, constants of the body, constants of the condition.
/// The body takes carry and constants to the next carry and values to push; the results are the last
/// carry, the number of steps (`i64`) and a list for each pushed value.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct While {
    /// The condition: takes carry and constants to a `bool`, whether to continue.
    pub cond: Func,
    /// The function of one step.
    pub body: Func,
    /// The number of carried values.
    pub carry: usize,
    /// The number of steps after which the loop fails.
    pub limit: u64,
}

struct Parts<'a, T> {
    carry: &'a [T],
    constants: &'a [T],
    cond: &'a [T],
}

impl While {
    fn parts<'a, T>(&self, operands: &'a [T]) -> Parts<'a, T> {
        let (carry, rest) = operands.split_at(self.carry);
        let (constants, cond) = rest.split_at(self.body.arity() - self.carry);
        Parts {
            carry,
            constants,
            cond,
        }
    }

    fn bind(self, operands: &[&[Var]]) -> Vec<Var> {
        bind(Op::While(Arc::new(self)), &operands.concat())
    }

    /// Returns which parameters and results of the body, and which parameters of the condition, the `used` results
    /// need, at some step.
    fn live(&self, used: &[bool]) -> (Vec<bool>, Vec<bool>, Vec<bool>) {
        let nc = self.carry;
        // The condition reads its carries at every step.
        let tested = live_params(&self.cond, &[true]);
        let mut wanted = used.to_vec();
        wanted.remove(nc);
        for (wanted, tested) in wanted.iter_mut().zip(&tested[..nc]) {
            *wanted |= tested;
        }
        let results = live_results(&self.body, nc, &wanted);
        let mut params = live_params(&self.body, &results);
        params[..nc].copy_from_slice(&results[..nc]);
        (params, results, tested)
    }

    fn active(&self, dx: &[Tangent]) -> Vec<bool> {
        let mut act = active(&self.deps(dx.len(), self.body.results.len() + 1), dx);
        act.remove(self.carry);
        act
    }

    fn must(&self, active: &[bool]) -> Vec<bool> {
        (0..active.len())
            .map(|i| i < self.carry && active[i])
            .collect()
    }

    fn fused(&self, x: &[Var], dx: &[Tangent]) -> (Vec<Var>, Vec<Tangent>) {
        let (nc, nb) = (self.carry, self.body.results.len());
        let act = self.active(dx);
        let (p, d) = (self.parts(x), self.parts(dx));
        let dc = instantiate(d.carry, p.carry, &act[..nc]);
        let guard = || inline(&self.cond, &[p.carry, p.cond].concat())[0];
        let mut f = fuse_body(
            Runs::If(&guard, branch),
            &self.body,
            &supplies(nc, p.constants),
            &[&dc, d.constants].concat(),
            &self.must(&act),
            nc,
        );
        let dc = present(&dc);
        let na = dc.len();
        carries_first(&mut f.func, nb, nc, na);
        // The condition does not read the tangents.
        let mut types = self.cond.types[..nc].to_vec();
        types.extend(dc.iter().map(|v| v.ty()));
        types.extend_from_slice(&self.cond.param_types()[nc..]);
        let places: Vec<usize> = (0..nc).chain(nc + na..types.len()).collect();
        let fused = While {
            cond: self.cond.with_params(types, &places),
            body: f.func,
            carry: nc + na,
            limit: self.limit,
        };
        let out = fused.bind(&[p.carry, &dc, &f.captures, p.cond]);
        let (carry, rest) = out.split_at(nc + na);
        let (counted, pushed) = rest.split_at(1 + nb - nc);
        let y = [&carry[..nc], counted].concat();
        let dy = [&carry[nc..], pushed].concat();
        let mut has = f.out;
        has.insert(nc, false);
        (y, scatter(&has, dy))
    }

    fn linear(&self, x: &[Var], dx: &[Tangent]) -> (Vec<Var>, Vec<Tangent>) {
        let (nc, nb) = (self.carry, self.body.results.len());
        let act = self.active(dx);
        let (p, d) = (self.parts(x), self.parts(dx));
        let guard = || inline(&self.cond, &[p.carry, p.cond].concat())[0];
        let b = linearize_body(
            Runs::If(&guard, branch),
            &self.body,
            &supplies(nc, p.constants),
            &[&act[..nc], &has(d.constants)].concat(),
            &self.must(&act),
            usize::MAX,
        );
        let primal = While {
            cond: self.cond.clone(),
            body: b.primal.clone(),
            carry: nc,
            limit: self.limit,
        };
        let out = primal.bind(&[p.carry, &b.captures, p.cond]);
        let residual = |r: &Residual| match r {
            Residual::Result(i) => out[*i + 1],
            Residual::Param(_) => unreachable!("a while reads no rows"),
        };
        let residuals: Vec<Var> = b.residuals.iter().map(residual).collect();
        let tangents = Tangents {
            carry: present(&instantiate(d.carry, p.carry, &act[..nc])),
            xs: vec![],
            constants: present(d.constants),
        };
        let dy = linear_scan(Dim::Run, false, &[out[nc]], &b, tangents, &residuals);
        let mut has = b.out.clone();
        has.insert(nc, false);
        (out[..nb + 1].to_vec(), scatter(&has, dy))
    }
}

impl While {
    /// Parses an operation of this family from the text form; `None` if it is none of this family.
    pub fn parse(name: &str, given: &Given, bodies: &[Func]) -> Option<Op> {
        let [cond, body] = bodies else { return None };
        let looped = While {
            cond: cond.clone(),
            body: body.clone(),
            carry: given.index("carry")?,
            limit: given.index("limit")? as u64,
        };
        (name == "while").then(|| Op::While(Arc::new(looped)))
    }
}

impl Primitive for While {
    fn name(&self) -> Cow<'static, str> {
        "while".into()
    }

    fn method(&self) -> Cow<'static, str> {
        "while_loop".into()
    }

    fn attributes(&self) -> Attributes {
        vec![
            ("carry", Attribute::Int(self.carry as i64)),
            ("limit", Attribute::Int(self.limit as i64)),
        ]
    }

    fn types(&self, inputs: &[Type]) -> Result<Vec<Type>, TypeError> {
        let constants = (self.body.arity()).checked_sub(self.carry);
        let conds = (self.cond.arity()).checked_sub(self.carry);
        let want = constants.zip(conds).map(|(b, c)| self.carry + b + c);
        if want != Some(inputs.len()) {
            return Err(TypeError::new(format!(
                "got {}",
                crate::error::counted(inputs.len(), "operand", "operands")
            )));
        }
        let p = self.parts(inputs);
        expect_types(
            "operand",
            &[p.carry, p.constants].concat(),
            self.body.param_types(),
        )?;
        expect_types(
            "operand",
            &[p.carry, p.cond].concat(),
            self.cond.param_types(),
        )?;
        let test = self.cond.result_types();
        if test != [Type::scalar(DType::Bool)] {
            let got: Vec<String> = test.iter().map(Type::to_string).collect();
            return Err(TypeError::new(format!(
                "the condition gives {}, not a bool",
                got.join(", ")
            ))
            .hint("reduce an array of truth values by `any()` or `all()`"));
        }
        let results = self.body.result_types();
        if results.len() < self.carry {
            return Err(TypeError::new(
                "the body returns fewer values than it carries",
            ));
        }
        for (i, (before, after)) in p.carry.iter().zip(&results).enumerate() {
            if before != after {
                return Err(TypeError::new(format!(
                    "carry {i} is {before} before the step and {after} after it"
                ))
                .hint("convert or broadcast one of them: a carry keeps its type"));
            }
        }
        let mut out = p.carry.to_vec();
        out.push(Type::scalar(DType::I64));
        out.extend(results[self.carry..].iter().map(|t| t.stacked(Dim::Run)));
        Ok(out)
    }

    fn eval(&self, inputs: &[Buffer]) -> Result<Vec<Buffer>, Error> {
        let p = self.parts(inputs);
        let mut carry = p.carry.to_vec();
        let mut pushed: Vec<Vec<Buffer>> = vec![vec![]; self.body.results.len() - self.carry];
        let mut steps = 0u64;
        while eval::run(&self.cond, [&carry, p.cond].concat())?[0]
            .dense()
            .slice::<bool>()[0]
        {
            if steps == self.limit {
                return Err(Error::max_steps(self.method(), self.limit, None));
            }
            let mut results = eval::run(&self.body, [&carry, p.constants].concat())?;
            for (list, value) in pushed.iter_mut().zip(results.split_off(self.carry)) {
                list.push(value);
            }
            carry = results;
            steps += 1;
        }
        carry.push(Buffer::Dense(Dense::scalar(steps as i64)));
        carry.extend(pushed.into_iter().map(Buffer::list));
        Ok(carry)
    }

    fn deps(&self, inputs: usize, outputs: usize) -> BitMatrix {
        let deps = loop_deps(&self.body, self.carry);
        // The number of steps stands between carries and lists, and depends on nothing.
        BitMatrix::from_fn(outputs, inputs, |r, i| {
            let row = if r > self.carry { r - 1 } else { r };
            r != self.carry && i < deps.columns() && deps.get(row, i)
        })
    }

    fn keeps_step(&self) -> bool {
        false
    }

    fn bodies(&self) -> Vec<&Func> {
        vec![&self.cond, &self.body]
    }

    fn with_bodies(&self, rewrite: &mut dyn FnMut(&Func) -> Func) -> Option<Op> {
        Some(Op::While(Arc::new(While {
            cond: rewrite(&self.cond),
            body: rewrite(&self.body),
            ..*self
        })))
    }

    fn needs(&self, used: &[bool]) -> Option<Vec<bool>> {
        let (params, _, tested) = self.live(used);
        Some([&params[..], &tested[self.carry..]].concat())
    }

    fn prune(&self, used: &[bool]) -> Option<Pruned> {
        let nc = self.carry;
        let (params, results, tested) = self.live(used);
        let conds = [&params[..nc], &tested[nc..]].concat();
        if results.iter().chain(&params).chain(&conds).all(|l| *l) {
            return None;
        }
        let pruned = While {
            cond: narrowed(&self.cond, &conds, &[true]),
            body: narrowed(&self.body, &params, &results),
            carry: params[..nc].iter().filter(|l| **l).count(),
            limit: self.limit,
        };
        let mut outputs = results;
        outputs.insert(nc, true);
        Some(Pruned {
            op: Op::While(Arc::new(pruned)),
            inputs: [&params[..], &tested[nc..]].concat(),
            outputs,
        })
    }

    fn jvp(&self, x: &[Var], dx: &[Tangent], mode: Mode) -> (Vec<Var>, Vec<Tangent>) {
        match mode {
            Mode::Fused => self.fused(x, dx),
            Mode::Linear => self.linear(x, dx),
        }
    }

    fn transpose(&self, _: &[Operand], _: &[Option<Cotangent>]) -> Vec<Option<Cotangent>> {
        unreachable!("the linear part of a while is a scan")
    }

    /// Lowers to a loop that runs as long as any element of the batch does; a finished element keeps its carry.
    fn in_place_of(&self, result: usize) -> Option<usize> {
        (result < self.carry).then_some(result)
    }

    fn lower(
        &self,
        l: &mut Lowering,
        inputs: &[NodeId],
        outputs: &[Wanted],
    ) -> Result<Vec<NodeId>, Error> {
        l.ready(inputs)?;
        let p = self.parts(inputs);
        let (carry, rest) = outputs.split_at(self.carry);
        let piled = &rest[1..];
        let places: Vec<_> = carry.iter().map(|w| w.place.clone()).collect();
        let carried = l.carry(p.carry, &vec![!l.in_lanes(); self.carry], &places)?;
        let piles = l.pile(piled, Dim::Run);
        // Each lane counts its own steps; rows are numbered for all lanes of a block.
        let zero = l.b.i64(0);
        let mut carries = carried.carries.clone();
        let steps = carries.len();
        carries.push(l.b.carry(zero));
        carries.push(l.b.counter());
        let outs = l.while_(
            self.limit,
            &carries,
            |l, params| {
                let mut args = l.carried(&carried, params);
                args.extend(p.cond);
                // The step reads the carry again.
                args.iter().for_each(|&arg| l.retain(arg, 1));
                let results = l.run(&self.cond, &args, &[None])?;
                let go_on = l.value(results[0]);
                l.release(results[0]);
                args.iter().for_each(|&arg| l.release(arg));
                Ok(go_on)
            },
            |l, params| {
                let mut args = l.carried(&carried, params);
                args.extend(p.constants);
                let row = params[steps + 1];
                l.push_row(&piles, row);
                let places = vec![None; self.body.results.len()];
                let results = l.run(&self.body, &args, &places)?;
                let mut next = l.next(&carried, &results)?;
                let at = l.b.affine(row);
                next.writes
                    .extend(l.pile_up_rows(&piles, &at, &results[self.carry..])?);
                l.commit(next.writes, &carried.buffers())?;
                let one = l.b.i64(1);
                next.values.push(l.b.add(params[steps], one));
                next.values.push(l.b.add(row, one));
                Ok(next.values)
            },
        )?;
        let mut results = l.carried(&carried, &outs);
        results.push(l.scalar(&[], outs[steps]));
        results.extend(l.piled(piles, outs[steps], piled));
        Ok(results)
    }

    fn batch(&self, inputs: &[Batched], size: usize) -> Vec<Batched> {
        let p = self.parts(inputs);
        let mut mapped: Vec<bool> = p.carry.iter().map(|b| b.mapped).collect();
        loop {
            let types = self.body.param_types();
            let params: Vec<Type> = mapped
                .iter()
                .zip(types)
                .map(|(m, ty)| if *m { ty.batched(size) } else { ty.clone() })
                .collect();
            let args = |vars: &[Var], constants: &[Batched]| -> Vec<Batched> {
                let steps = vars.iter().zip(&mapped);
                let steps = steps.map(|(&value, &mapped)| Batched { value, mapped });
                steps.chain(constants.iter().copied()).collect()
            };
            let mut differs = false;
            let cond = closed(Kind::Barrier, &params, |vars| {
                let go = batch(&self.cond, &args(vars, p.cond), size)[0];
                differs = go.mapped;
                vec![match go.mapped {
                    true => reduce::reduce(reduce::Reducer::Any, go.value, &[0]),
                    false => go.value,
                }]
            });
            let mut out = vec![];
            let guard = || {
                let at: Vec<Var> = p
                    .carry
                    .iter()
                    .zip(&mapped)
                    .map(|(b, &m)| if m { b.spread(size) } else { b.value })
                    .collect();
                inline(&cond.func, &[&at[..], &cond.captures].concat())[0]
            };
            let (trace, vars) = BodyTrace::open(Runs::If(&guard, branch), &params);
            let live = differs.then(|| batch(&self.cond, &args(&vars, p.cond), size)[0].value);
            let results = batch(&self.body, &args(&vars, p.constants), size);
            let mut values = vec![];
            for (i, r) in results.into_iter().enumerate() {
                let wide = r.mapped || live.is_some() || (i < self.carry && mapped[i]);
                out.push(wide);
                let next = if wide { r.spread(size) } else { r.value };
                values.push(match live {
                    None => next,
                    Some(live) => {
                        let stay = match i < self.carry {
                            true if mapped[i] => vars[i],
                            true => Batched::shared(vars[i]).spread(size),
                            false => Var::zeros(&next.ty()),
                        };
                        choose(live, next, stay)
                    }
                });
            }
            // The number of steps of each element becomes another carry.
            let body = trace;
            let next: Vec<bool> = (0..self.carry).map(|i| mapped[i] || out[i]).collect();
            if next != mapped {
                drop(body);
                mapped = next;
                continue;
            }
            return self.batch_bind(body, values, live, &cond, p.carry, &mapped, &out, size);
        }
    }
}

impl While {
    #[allow(clippy::too_many_arguments)]
    fn batch_bind(
        &self,
        trace: BodyTrace<'_>,
        mut values: Vec<Var>,
        live: Option<Var>,
        cond: &crate::trace::Closed,
        carry: &[Batched],
        mapped: &[bool],
        out: &[bool],
        size: usize,
    ) -> Vec<Batched> {
        let nc = self.carry;
        let mut cond_func = cond.func.clone();
        let counted = Type::new(DType::I64, &[size]);
        let extra = usize::from(live.is_some());
        if let Some(live) = live {
            let steps = trace.trace.param(counted.clone());
            let one = Var::full(&counted, 1.0);
            let more = elementwise::select(live, elementwise::add(steps, one), steps);
            values.insert(nc, more);
            let mut types = cond_func.types[..nc].to_vec();
            types.push(counted.clone());
            types.extend_from_slice(&cond_func.param_types()[nc..]);
            let places: Vec<usize> = (0..nc).chain(nc + 1..types.len()).collect();
            cond_func = cond_func.with_params(types, &places);
        }
        let body = trace.close(&values, &mut []);
        // This comes after the body is closed: values recorded in its preheader could not be used outside.
        let spread = |(b, &m): (&Batched, &bool)| if m { b.spread(size) } else { b.value };
        let mut init: Vec<Var> = carry.iter().zip(mapped).map(spread).collect();
        if extra > 0 {
            init.push(Var::zeros(&counted));
        }
        let batched = While {
            cond: cond_func,
            body: body.func,
            carry: init.len(),
            limit: self.limit,
        };
        let outs = batched.bind(&[&init, &body.captures, &cond.captures]);
        let mut result: Vec<Batched> = (0..nc)
            .map(|i| Batched {
                value: outs[i],
                mapped: mapped[i],
            })
            .collect();
        // If each element has its own count, that of the loop is not used.
        result.push(match extra {
            0 => Batched::shared(outs[nc]),
            _ => Batched::mapped(outs[nc]),
        });
        let lists = outs[nc + extra + 1..].iter().zip(&out[nc..]);
        result.extend(lists.map(|(&value, &mapped)| Batched { value, mapped }));
        result
    }
}

/// Records a loop that runs while `cond` is true.
#[track_caller]
pub fn while_loop(
    init: &[Var],
    cond: impl FnOnce(&[Var]) -> Var,
    body: impl FnOnce(&[Var]) -> Vec<Var>,
) -> Vec<Var> {
    let types: Vec<Type> = init.iter().map(|v| v.ty()).collect();
    let cond = closed(Kind::Barrier, &types, |vars| vec![cond(vars)]);
    let guard = || inline(&cond.func, &[init, &cond.captures].concat())[0];
    let (trace, vars) = BodyTrace::open(Runs::If(&guard, branch), &types);
    let next = body(&vars);
    let body = trace.close(&next, &mut []);
    let n = init.len();
    let looped = While {
        cond: cond.func.clone(),
        body: body.func,
        carry: n,
        limit: MAX_STEPS.get(),
    };
    looped.bind(&[init, &body.captures, &cond.captures])[..n].to_vec()
}
