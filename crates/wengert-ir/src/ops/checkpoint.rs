//! `checkpoint`: a function whose intermediate values are not stored for its derivative but recomputed.

use std::borrow::Cow;
use std::sync::Arc;

use crate::buffer::Buffer;
use crate::error::{Error, TypeError};
use crate::eval;
use crate::ir::text::{Attribute, Attributes, Given};
use crate::ir::{BitMatrix, Func, Type};
use crate::ops::scan::{active, expect_types, has, present};
use crate::ops::{Batched, Cotangent, Mode, Op, Operand, Primitive, Pruned, Tangent};
use crate::schedule::node::NodeId;
use crate::schedule::owned::in_place_of;
use crate::schedule::{Lowering, Wanted, places};
use crate::trace::{Kind, Var, bind, closed, open};
use crate::transform::dead::{live_params, narrowed};
use crate::transform::linearize::{pick, scatter};
use crate::transform::{batched_body, linearize, replay};

/// A function that is run again when its derivative needs its intermediate values.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Checkpoint {
    /// The function.
    pub body: Func,
}

/// The tangents of a checkpointed function. Operands: its own, then the tangents of the active ones. Results: the
/// tangents of the results that have one.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct CheckpointTangent {
    /// The function.
    pub body: Func,
    /// Which operands have a tangent.
    pub active: Vec<bool>,
    /// Which results have a tangent.
    pub out: Vec<bool>,
}

impl Checkpoint {
    fn bind(body: Func, operands: &[Var]) -> Vec<Var> {
        bind(Op::Checkpoint(Arc::new(Checkpoint { body })), operands)
    }
}

impl Checkpoint {
    /// Parses an operation of this family from the text form; `None` if it is none of this family.
    pub fn parse(name: &str, _: &Given, bodies: &[Func]) -> Option<Op> {
        let [body] = bodies else { return None };
        let body = body.clone();
        (name == "checkpoint").then(|| Op::Checkpoint(Arc::new(Checkpoint { body })))
    }
}

impl Primitive for Checkpoint {
    fn name(&self) -> Cow<'static, str> {
        "checkpoint".into()
    }

    fn types(&self, inputs: &[Type]) -> Result<Vec<Type>, TypeError> {
        expect_types("operand", inputs, self.body.param_types())?;
        Ok(self.body.result_types())
    }

    fn eval(&self, inputs: &[Buffer]) -> Result<Vec<Buffer>, Error> {
        eval::run(&self.body, inputs.to_vec())
    }

    fn deps(&self, _: usize, _: usize) -> BitMatrix {
        self.body.deps()
    }

    fn bodies(&self) -> Vec<&Func> {
        vec![&self.body]
    }

    fn with_bodies(&self, rewrite: &mut dyn FnMut(&Func) -> Func) -> Option<Op> {
        let body = rewrite(&self.body);
        Some(Op::Checkpoint(Arc::new(Checkpoint { body })))
    }

    fn unfolded(&self) -> Option<Func> {
        Some(self.body.clone())
    }

    fn needs(&self, used: &[bool]) -> Option<Vec<bool>> {
        Some(live_params(&self.body, used))
    }

    fn prune(&self, used: &[bool]) -> Option<Pruned> {
        let params = self.needs(used)?;
        if params.iter().chain(used).all(|l| *l) {
            return None;
        }
        let body = narrowed(&self.body, &params, used);
        Some(Pruned {
            op: Op::Checkpoint(Arc::new(Checkpoint { body })),
            inputs: params,
            outputs: used.to_vec(),
        })
    }

    fn jvp(&self, x: &[Var], dx: &[Tangent], _: Mode) -> (Vec<Var>, Vec<Tangent>) {
        let y = Checkpoint::bind(self.body.clone(), x);
        let out = active(&self.body.deps(), dx);
        let tangent = CheckpointTangent {
            body: self.body.clone(),
            active: has(dx),
            out: out.clone(),
        };
        let op = Op::CheckpointTangent(Arc::new(tangent));
        let dy = bind(op, &[x, &present(dx)].concat());
        (y, scatter(&out, dy))
    }

    fn transpose(&self, _: &[Operand], _: &[Option<Cotangent>]) -> Vec<Option<Cotangent>> {
        unreachable!("the linear part of a checkpointed function is its tangent operation")
    }

    fn in_place_of(&self, result: usize) -> Option<usize> {
        in_place_of(&self.body, result)
    }

    fn lower(
        &self,
        l: &mut Lowering,
        inputs: &[NodeId],
        outputs: &[Wanted],
    ) -> Result<Vec<NodeId>, Error> {
        l.call(&self.body, inputs, &places(outputs))
    }

    fn batch(&self, inputs: &[Batched], size: usize) -> Vec<Batched> {
        let mapped: Vec<bool> = inputs.iter().map(|b| b.mapped).collect();
        let (body, out) = batched_body(&self.body, &mapped, size);
        let operands: Vec<Var> = inputs.iter().map(|b| b.value).collect();
        let results = Checkpoint::bind(body, &operands).into_iter().zip(out);
        results
            .map(|(value, mapped)| Batched { value, mapped })
            .collect()
    }
}

impl CheckpointTangent {
    /// Returns the function from operands and tangents to tangents, computed together.
    fn fused(&self) -> Func {
        let n = self.body.arity();
        let mut types = self.body.param_types().to_vec();
        types.extend(pick(self.body.param_types(), &self.active));
        let closed = closed(Kind::Barrier, &types, |vars| {
            let dx = scatter(&self.active, vars[n..].iter().copied());
            let (y, dy) = replay(&self.body, &vars[..n], &dx, Mode::Fused);
            let all = y.iter().zip(dy).zip(&self.out).filter(|(_, out)| **out);
            all.map(|((y, dy), _)| dy.unwrap_or_else(|| Var::zeros(&y.ty())))
                .collect()
        });
        closed.func
    }
}

impl CheckpointTangent {
    /// Parses an operation of this family from the text form; `None` if it is none of this family.
    pub fn parse(name: &str, given: &Given, bodies: &[Func]) -> Option<Op> {
        let [body] = bodies else { return None };
        let tangent = CheckpointTangent {
            body: body.clone(),
            active: given.booleans("active")?,
            out: given.booleans("out")?,
        };
        (name == "checkpoint_tangent").then(|| Op::CheckpointTangent(Arc::new(tangent)))
    }
}

impl Primitive for CheckpointTangent {
    fn name(&self) -> Cow<'static, str> {
        "checkpoint_tangent".into()
    }

    fn attributes(&self) -> Attributes {
        vec![
            ("active", Attribute::Bools(self.active.clone())),
            ("out", Attribute::Bools(self.out.clone())),
        ]
    }

    fn types(&self, inputs: &[Type]) -> Result<Vec<Type>, TypeError> {
        let params = self.body.param_types();
        let want = [params, &pick(params, &self.active)].concat();
        expect_types("operand", inputs, &want)?;
        Ok(pick(&self.body.result_types(), &self.out))
    }

    fn eval(&self, inputs: &[Buffer]) -> Result<Vec<Buffer>, Error> {
        eval::run(&self.fused(), inputs.to_vec())
    }

    /// A tangent depends on all operands, and on the tangents of those operands that its result depends on.
    fn deps(&self, inputs: usize, outputs: usize) -> BitMatrix {
        let n = self.body.arity();
        let of: Vec<usize> = (0..n).filter(|&i| self.active[i]).collect();
        let results: Vec<usize> = (0..self.out.len()).filter(|&r| self.out[r]).collect();
        let deps = self.body.deps();
        BitMatrix::from_fn(outputs, inputs, |r, i| {
            i < n || deps.get(results[r], of[i - n])
        })
    }

    fn has_effect(&self) -> bool {
        false
    }

    fn bodies(&self) -> Vec<&Func> {
        vec![&self.body]
    }

    fn unfolded(&self) -> Option<Func> {
        Some(self.fused())
    }

    /// The operation is linear in its tangents. If its operands have tangents too, it is differentiated as a
    /// checkpointed function of operands and tangents.
    fn jvp(&self, x: &[Var], dx: &[Tangent], mode: Mode) -> (Vec<Var>, Vec<Tangent>) {
        let (primals, tangents) = x.split_at(self.body.arity());
        let (moving, second) = dx.split_at(self.body.arity());
        if moving.iter().any(Option::is_some) {
            return Checkpoint { body: self.fused() }.jvp(x, dx, mode);
        }
        let all = second.iter().zip(tangents);
        let second: Vec<Var> = all
            .map(|(d, t)| d.unwrap_or_else(|| Var::zeros(&t.ty())))
            .collect();
        let apply = |tangents: &[Var]| {
            let op = Op::CheckpointTangent(Arc::new(self.clone()));
            bind(op, &[primals, tangents].concat())
        };
        let y = apply(tangents);
        let out = active(&self.deps(x.len(), y.len()), dx);
        let dy = apply(&second).into_iter().zip(out);
        (y, dy.map(|(d, out)| out.then_some(d)).collect())
    }

    /// All intermediate values are recomputed inside one function, behind a barrier. Otherwise they would be recorded
    /// outside and shared with the forward pass, which would keep them in memory.
    fn transpose(&self, inputs: &[Operand], ct: &[Option<Cotangent>]) -> Vec<Option<Cotangent>> {
        let n = self.body.arity();
        let mut operands: Vec<Var> = inputs[..n].iter().map(Operand::known).collect();
        let types = self.body.result_types();
        let (trace, vars) = open(Kind::Barrier, self.body.param_types());
        let mut given = ct.iter();
        let all: Vec<Option<Cotangent>> = self
            .out
            .iter()
            .zip(&types)
            .map(|(out, ty)| {
                let c = if *out {
                    *given.next().expect("one for each result")
                } else {
                    None
                };
                c.map(|c| {
                    operands.push(c.value);
                    c.map(|_| trace.param(ty.clone()))
                })
            })
            .collect();
        let (_, linear) = linearize(&self.body, &vars, &self.active);
        let back = linear.pull(&all);
        let live: Vec<bool> = back.iter().map(Option::is_some).collect();
        let found: Vec<Cotangent> = back.into_iter().flatten().collect();
        let values: Vec<Var> = found.iter().map(|c| c.value).collect();
        let closed = trace.close(&values);
        operands.extend(closed.captures);
        let out = Checkpoint::bind(closed.func, &operands);
        let out = out.into_iter().zip(found).map(|(v, c)| c.map(|_| v));
        let mut result = vec![None; n];
        result.extend(pick(&scatter(&live, out), &self.active));
        result
    }

    fn lower(
        &self,
        l: &mut Lowering,
        inputs: &[NodeId],
        outputs: &[Wanted],
    ) -> Result<Vec<NodeId>, Error> {
        l.call(&self.fused(), inputs, &places(outputs))
    }

    fn batch(&self, inputs: &[Batched], size: usize) -> Vec<Batched> {
        Checkpoint { body: self.fused() }.batch(inputs, size)
    }
}

/// Records a function whose intermediate values are recomputed for its derivative.
#[track_caller]
pub fn checkpoint(x: &[Var], f: impl FnOnce(&[Var]) -> Vec<Var>) -> Vec<Var> {
    let types: Vec<Type> = x.iter().map(|v| v.ty()).collect();
    let body = closed(Kind::Barrier, &types, f);
    Checkpoint::bind(body.func, &[x, &body.captures].concat())
}
