//! Functions with user-defined derivatives: `custom_jvp` and `custom_vjp`.

use std::borrow::Cow;
use std::sync::Arc;

use crate::buffer::Buffer;
use crate::error::{Error, TypeError, raise};
use crate::eval;
use crate::ir::text::{Attribute, Attributes, Given};
use crate::ir::{BitMatrix, Func, Type};
use crate::ops::scan::{active, expect_types};
use crate::ops::{Batched, Cotangent, Mode, Op, Operand, Primitive, Tangent, reduce};
use crate::schedule::node::NodeId;
use crate::schedule::owned::in_place_of;
use crate::schedule::{Lowering, Wanted, places};
use crate::source::SourceId;
use crate::trace::{Kind, Var, bind, closed, current_source};
use crate::transform::dead::narrowed;
use crate::transform::{batched, inline, replay, why_not_linear};

/// A function with a rule for its derivative. Neither of them captures anything.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct CustomRule {
    /// The function.
    pub body: Func,
    /// The rule for the derivative.
    pub rule: Rule,
}

/// A user-defined derivative.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Rule {
    /// A function from operands and their tangents to results and their tangents, linear in the tangents.
    Jvp(Func),
    /// A pullback, in two halves.
    Vjp {
        /// The function from operands to results, then residuals.
        forward: Func,
        /// The function from residuals and cotangents of the results to cotangents of the operands.
        backward: Func,
    },
}

/// The tangents of a function with a user-defined pullback, which can only be transposed.
/// Operands: residuals, then the tangents of the function's operands.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct CustomTangent {
    /// The pullback.
    pub backward: Func,
    /// The number of residuals.
    pub residuals: usize,
    /// The types of the results.
    pub results: Vec<Type>,
}

/// Returns the error for running the linear map of a function with a pullback, which exists only to be transposed.
fn only_a_pullback(at: Option<SourceId>) -> Error {
    Error::derivative(
        "custom_vjp",
        "forward mode through a function that has only a pullback",
        at,
        "use reverse mode (`grad`, `vjp`), or give the function a `custom_jvp`",
    )
}

/// Returns the tangents with zeros in place of missing ones.
fn tangents(x: &[Var], dx: &[Tangent]) -> Vec<Var> {
    let all = x.iter().zip(dx);
    all.map(|(x, d)| d.unwrap_or_else(|| Var::zeros(&x.ty())))
        .collect()
}

/// Drops the tangents of integers and truth values, which have none.
fn real(y: &[Var], dy: Vec<Tangent>) -> Vec<Tangent> {
    let all = y.iter().zip(dy);
    all.map(|(y, d)| d.filter(|_| y.ty().is_float())).collect()
}

impl CustomRule {
    /// Parses an operation of this family from the text form; `None` if it is none of this family.
    pub fn parse(name: &str, _: &Given, bodies: &[Func]) -> Option<Op> {
        let (body, rule) = match (name, bodies) {
            ("custom_jvp", [body, rule]) => (body, Rule::Jvp(rule.clone())),
            ("custom_vjp", [body, forward, backward]) => {
                let (forward, backward) = (forward.clone(), backward.clone());
                (body, Rule::Vjp { forward, backward })
            }
            _ => return None,
        };
        let body = body.clone();
        Some(Op::CustomRule(Arc::new(CustomRule { body, rule })))
    }
}

impl CustomRule {
    /// Records the rule and returns the results and their tangents.
    fn by_rule(&self, x: &[Var], dx: &[Tangent], mode: Mode) -> (Vec<Var>, Vec<Tangent>) {
        let n = self.body.results.len();
        match (&self.rule, mode) {
            (Rule::Jvp(rule), Mode::Fused) => {
                let mut y = inline(rule, &[x, &tangents(x, dx)].concat());
                let dy = y.split_off(n).into_iter().map(Some).collect();
                let dy = real(&y, dy);
                (y, dy)
            }
            (Rule::Jvp(rule), Mode::Linear) => {
                // The rule is linear in the tangents, so it can be linearised at any tangents: at zero.
                let zeros: Vec<Var> = x.iter().map(|v| Var::zeros(&v.ty())).collect();
                let none = vec![None; x.len()];
                let (mut y, mut dy) = replay(
                    rule,
                    &[x, &zeros].concat(),
                    &[&none, dx].concat(),
                    Mode::Linear,
                );
                y.truncate(n);
                let dy = dy.split_off(n);
                let dy = real(&y, dy);
                (y, dy)
            }
            (Rule::Vjp { .. }, Mode::Fused) => raise(only_a_pullback(Some(current_source()))),
            (Rule::Vjp { forward, backward }, Mode::Linear) => {
                let mut y = inline(forward, x);
                let residuals = y.split_off(n);
                let tangent = CustomTangent {
                    backward: backward.clone(),
                    residuals: residuals.len(),
                    results: self.body.result_types(),
                };
                let op = Op::CustomTangent(Arc::new(tangent));
                let dy = bind(op, &[residuals, tangents(x, dx)].concat());
                let dy = real(&y, dy.into_iter().map(Some).collect());
                (y, dy)
            }
        }
    }
}

impl Primitive for CustomRule {
    fn name(&self) -> Cow<'static, str> {
        match self.rule {
            Rule::Jvp(_) => "custom_jvp".into(),
            Rule::Vjp { .. } => "custom_vjp".into(),
        }
    }

    fn types(&self, inputs: &[Type]) -> Result<Vec<Type>, TypeError> {
        expect_types("operand", inputs, self.body.param_types())?;
        let results = self.body.result_types();
        let twice = |t: &[Type]| [t, t].concat();
        match &self.rule {
            Rule::Jvp(rule) => {
                expect_types("the rule's operand", &twice(inputs), rule.param_types())?;
                expect_types("the rule's result", &rule.result_types(), &twice(&results))?;
            }
            Rule::Vjp { forward, backward } => {
                expect_types("the forward rule's operand", inputs, forward.param_types())?;
                let given = forward.result_types();
                let n = results.len().min(given.len());
                expect_types("the forward rule's result", &given[..n], &results)?;
                let wanted = [&given[n..], &results].concat();
                expect_types(
                    "the backward rule's operand",
                    &wanted,
                    backward.param_types(),
                )?;
                expect_types(
                    "the backward rule's result",
                    &backward.result_types(),
                    inputs,
                )?;
            }
        }
        Ok(results)
    }

    fn eval(&self, inputs: &[Buffer]) -> Result<Vec<Buffer>, Error> {
        eval::run(&self.body, inputs.to_vec())
    }

    /// The dependence that the rule shows, whatever the function computes.
    fn deps(&self, inputs: usize, outputs: usize) -> BitMatrix {
        match &self.rule {
            Rule::Jvp(rule) => {
                let deps = rule.deps();
                BitMatrix::from_fn(outputs, inputs, |r, i| deps.get(outputs + r, inputs + i))
            }
            Rule::Vjp { backward, .. } => {
                let deps = backward.deps();
                let residuals = backward.arity() - outputs;
                BitMatrix::from_fn(outputs, inputs, |r, i| deps.get(i, residuals + r))
            }
        }
    }

    fn bodies(&self) -> Vec<&Func> {
        match &self.rule {
            Rule::Jvp(rule) => vec![&self.body, rule],
            Rule::Vjp { forward, backward } => vec![&self.body, forward, backward],
        }
    }

    fn call(&self) -> Option<&Func> {
        Some(&self.body)
    }

    fn jvp(&self, x: &[Var], dx: &[Tangent], mode: Mode) -> (Vec<Var>, Vec<Tangent>) {
        let (y, mut dy) = self.by_rule(x, dx, mode);
        // A result that does not depend on the operands by the rule gets no tangent rather than a zero tangent.
        let out = active(&self.deps(x.len(), y.len()), dx);
        dy.iter_mut()
            .zip(out)
            .filter(|(_, out)| !out)
            .for_each(|(d, _)| *d = None);
        (y, dy)
    }

    fn transpose(&self, _: &[Operand], _: &[Option<Cotangent>]) -> Vec<Option<Cotangent>> {
        unreachable!("the linear part of a custom rule is what the rule records")
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
        let all = |n: usize| vec![true; n];
        let body = batched(&self.body, &mapped, size);
        let rule = match &self.rule {
            Rule::Jvp(rule) => {
                let twice = [&mapped[..], &mapped].concat();
                Rule::Jvp(batched(rule, &twice, size))
            }
            Rule::Vjp { forward, backward } => {
                let spread = batched(forward, &mapped, size);
                let back = batched(backward, &all(backward.arity()), size);
                Rule::Vjp {
                    forward: spread,
                    backward: summed(back, &mapped),
                }
            }
        };
        let op = Op::CustomRule(Arc::new(CustomRule { body, rule }));
        let operands: Vec<Var> = inputs.iter().map(|b| b.value).collect();
        bind(op, &operands)
            .into_iter()
            .map(Batched::mapped)
            .collect()
    }
}

/// Sums the cotangents of operands that are shared by the whole batch over the batch.
fn summed(f: Func, mapped: &[bool]) -> Func {
    let closed = closed(Kind::Barrier, f.param_types(), |vars| {
        let results = inline(&f, vars).into_iter().zip(mapped);
        results
            .map(|(v, m)| if *m { v } else { reduce::sum(v, &[0]) })
            .collect()
    });
    closed.func
}

impl CustomTangent {
    /// Parses an operation of this family from the text form; `None` if it is none of this family.
    pub fn parse(name: &str, given: &Given, bodies: &[Func]) -> Option<Op> {
        let [backward] = bodies else { return None };
        let tangent = CustomTangent {
            backward: backward.clone(),
            residuals: given.index("residuals")?,
            results: given.types("results")?,
        };
        (name == "custom_tangent").then(|| Op::CustomTangent(Arc::new(tangent)))
    }
}

impl Primitive for CustomTangent {
    fn name(&self) -> Cow<'static, str> {
        "custom_tangent".into()
    }

    fn attributes(&self) -> Attributes {
        vec![
            ("residuals", Attribute::Int(self.residuals as i64)),
            ("results", Attribute::Types(self.results.clone())),
        ]
    }

    fn types(&self, inputs: &[Type]) -> Result<Vec<Type>, TypeError> {
        let Some(residuals) = self.backward.param_types().get(..self.residuals) else {
            return Err(TypeError::new(
                "the pullback takes fewer operands than there are residuals",
            ));
        };
        let wanted = [residuals, &self.backward.result_types()].concat();
        expect_types("operand", inputs, &wanted)?;
        Ok(self.results.clone())
    }

    fn eval(&self, _: &[Buffer]) -> Result<Vec<Buffer>, Error> {
        Err(only_a_pullback(None))
    }

    fn deps(&self, inputs: usize, outputs: usize) -> BitMatrix {
        let (deps, n) = (self.backward.deps(), self.residuals);
        BitMatrix::from_fn(outputs, inputs, |r, i| i < n || deps.get(i - n, n + r))
    }

    fn has_effect(&self) -> bool {
        false
    }

    fn bodies(&self) -> Vec<&Func> {
        vec![&self.backward]
    }

    fn jvp(&self, _: &[Var], _: &[Tangent], _: Mode) -> (Vec<Var>, Vec<Tangent>) {
        raise(only_a_pullback(Some(current_source())))
    }

    fn transpose(&self, inputs: &[Operand], ct: &[Option<Cotangent>]) -> Vec<Option<Cotangent>> {
        let (residuals, tangents) = inputs.split_at(self.residuals);
        let mut args: Vec<Var> = residuals.iter().map(Operand::known).collect();
        let zeros = |ty: &Type| Var::zeros(ty);
        let all = ct.iter().zip(&self.results);
        args.extend(all.map(|(c, ty)| c.map_or_else(|| zeros(ty), |c| c.value)));
        let back = inline(&self.backward, &args);
        let mut out = vec![None; self.residuals];
        out.extend(tangents.iter().zip(back).map(|(t, v)| {
            let wanted = t.is_linear() && v.ty().is_float();
            wanted.then(|| Cotangent::new(v))
        }));
        out
    }

    fn lower(&self, _: &mut Lowering, _: &[NodeId], _: &[Wanted]) -> Result<Vec<NodeId>, Error> {
        Err(only_a_pullback(None))
    }

    fn batch(&self, inputs: &[Batched], size: usize) -> Vec<Batched> {
        let all = vec![true; self.backward.arity()];
        let tangent = CustomTangent {
            backward: batched(&self.backward, &all, size),
            residuals: self.residuals,
            results: self.results.iter().map(|t| t.batched(size)).collect(),
        };
        let operands: Vec<Var> = inputs.iter().map(|b| b.spread(size)).collect();
        let results = bind(Op::CustomTangent(Arc::new(tangent)), &operands);
        results.into_iter().map(Batched::mapped).collect()
    }
}

/// Traces a function of a custom rule, which must not capture anything.
#[track_caller]
fn alone(what: &str, types: &[Type], f: impl FnOnce(&[Var]) -> Vec<Var>) -> Func {
    let closed = closed(Kind::Barrier, types, f);
    if let Some(v) = closed.captures.first() {
        let made = crate::trace::place_of(*v).map_or_else(String::new, |p| format!(" made at {p}"));
        raise(Error::derivative(
            what,
            format!("a function of a custom rule captures a Var{made}"),
            current_source(),
            "pass it as an argument",
        ));
    }
    closed.func
}

/// Refuses a rule whose tangents are not linear in those of the operands, which are its parameters from
/// index `n` on: reverse mode relies on linearity. An added constant is not detected; it does not affect reverse mode.
#[track_caller]
fn expect_linear(rule: &Func, n: usize) {
    let refuse = |why: String| {
        raise(Error::derivative(
            "custom_jvp",
            format!("the rule is not linear in the tangent: {why}"),
            current_source(),
            "multiply the tangent by what does not depend on it",
        ))
    };
    let types = rule.result_types();
    let first = types.len() / 2;
    let tangents: Vec<bool> = (0..types.len())
        .map(|r| r >= first && types[r].is_float())
        .collect();
    let params = rule.param_types();
    let unknown: Vec<bool> = (0..2 * n).map(|i| i >= n && params[i].is_float()).collect();
    let rule = narrowed(rule, &vec![true; rule.arity()], &tangents);
    if let Some(message) = why_not_linear(&rule, &unknown, |_| String::new()) {
        // The message is about a function and its argument; here they are the rule and the tangent.
        let why = message.rsplit_once(": ").map_or(&*message, |(_, why)| why);
        refuse(why.replace("argument", "tangent"));
    }
}

/// Records `f` with a rule for its tangents, from operands and tangents to results and tangents.
#[track_caller]
pub fn custom_jvp(
    x: &[Var],
    f: impl FnOnce(&[Var]) -> Vec<Var>,
    rule: impl FnOnce(&[Var], &[Var]) -> (Vec<Var>, Vec<Var>),
) -> Vec<Var> {
    let types: Vec<Type> = x.iter().map(|v| v.ty()).collect();
    let n = types.len();
    let body = alone("custom_jvp", &types, f);
    let rule = alone("custom_jvp", &[&types[..], &types].concat(), |vars| {
        let (mut y, dy) = rule(&vars[..n], &vars[n..]);
        y.extend(dy);
        y
    });
    expect_linear(&rule, n);
    let rule = Rule::Jvp(rule);
    bind(Op::CustomRule(Arc::new(CustomRule { body, rule })), x)
}

/// Records `f` with a pullback: `forward` gives results and residuals; `backward` maps residuals
/// and the cotangents of the results to the cotangents of the operands.
#[track_caller]
pub fn custom_vjp(
    x: &[Var],
    f: impl FnOnce(&[Var]) -> Vec<Var>,
    forward: impl FnOnce(&[Var]) -> (Vec<Var>, Vec<Var>),
    backward: impl FnOnce(&[Var], &[Var]) -> Vec<Var>,
) -> Vec<Var> {
    let types: Vec<Type> = x.iter().map(|v| v.ty()).collect();
    let body = alone("custom_vjp", &types, f);
    let mut kept = 0;
    let forward = alone("custom_vjp", &types, |vars| {
        let (mut y, residuals) = forward(vars);
        kept = residuals.len();
        y.extend(residuals);
        y
    });
    let given = forward.result_types();
    let mut types = given[given.len() - kept..].to_vec();
    types.extend(body.result_types());
    let backward = alone("custom_vjp", &types, |vars| {
        backward(&vars[..kept], &vars[kept..])
    });
    let rule = Rule::Vjp { forward, backward };
    bind(Op::CustomRule(Arc::new(CustomRule { body, rule })), x)
}
