//! `cond`: one of two functions. The branch that is not taken does not run, and nothing is moved out of a
//! branch.

use std::borrow::Cow;
use std::sync::Arc;

use crate::buffer::Buffer;
use crate::error::{Error, TypeError, counted, raise};
use crate::eval;
use crate::ir::text::{Attribute, Attributes, Given};
use crate::ir::{Atom, BitMatrix, DType, Func, Splat, Type};
use crate::ops::convert::convert;
use crate::ops::scan::{active, choose, expect_types, has, present};
use crate::ops::{
    Batched, Cotangent, Mode, Op, Operand, Primitive, Pruned, Tangent, add_cotangents, elementwise,
    reduce,
};
use crate::schedule::node::NodeId;
use crate::schedule::owned::in_place_of;
use crate::schedule::{Lowering, Wanted};
use crate::trace::{Closed, Kind, Var, bind, closed, current_source, is_weak, open};
use crate::transform::body::{LinearBody, Runs, fuse_body, linearize_body, supplies};
use crate::transform::dead::{live_params, narrowed};
use crate::transform::linearize::{pick, scatter};
use crate::transform::transpose::transpose_onto;
use crate::transform::{batch, inline};

/// One of two functions of the same operands. Operands: a `bool`, then those of the functions.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Cond {
    /// The function for `true`, and the function for `false`.
    pub branches: [Func; 2],
    /// For each result, the value of the `bool` under which alone it is read, if there is one. Under the other value
    /// arrays are left unwritten, so that residuals of a branch that is not taken cost nothing.
    pub only: Vec<Option<bool>>,
}

impl Cond {
    fn results(&self) -> usize {
        self.branches[0].results.len()
    }

    fn active(&self, dx: &[Tangent]) -> Vec<bool> {
        active(&self.deps(dx.len(), self.results()), dx)
    }

    fn fused(&self, x: &[Var], dx: &[Tangent]) -> (Vec<Var>, Vec<Tangent>) {
        let n = self.results();
        let act = self.active(dx);
        let supply = supplies(0, &x[1..]);
        let [then, otherwise] = self.branches.each_ref().map(|f| {
            let f = fuse_body(Runs::Perhaps, f, &supply, &dx[1..], &act, 0);
            captured(f.func, f.captures)
        });
        let out = branch(x[0], then, otherwise);
        (out[..n].to_vec(), scatter(&act, out[n..].iter().copied()))
    }

    fn linear(&self, x: &[Var], dx: &[Tangent]) -> (Vec<Var>, Vec<Tangent>) {
        let n = self.results();
        let act = self.active(dx);
        let supply = supplies(0, &x[1..]);
        let moving = has(&dx[1..]);
        let [mut a, mut b] = self
            .branches
            .each_ref()
            .map(|f| linearize_body(Runs::Perhaps, f, &supply, &moving, &act, usize::MAX));
        // Each branch returns its own residuals, and zeros for those of the other branch.
        let kept = |l: &LinearBody| l.primal.result_types()[n..].to_vec();
        let (of_a, of_b) = (kept(&a), kept(&b));
        append_zeros(&mut a.primal, n + of_a.len(), &of_b);
        append_zeros(&mut b.primal, n, &of_a);
        let then = captured(a.primal.clone(), a.captures.clone());
        let otherwise = captured(b.primal.clone(), b.captures.clone());
        let mut only = vec![None; n];
        only.resize(n + of_a.len(), Some(true));
        only.resize(n + of_a.len() + of_b.len(), Some(false));
        let out = branch_only(x[0], then, otherwise, only);
        let tangents = present(&dx[1..]);
        let nt = tangents.len();
        let residuals = [&tangents[..], &out[n..]].concat();
        let side = |l: &LinearBody, first: usize, own: usize| {
            let mut types = l.linear.types[..nt].to_vec();
            types.extend(of_a.iter().chain(&of_b).cloned());
            types.extend_from_slice(&l.linear.param_types()[nt + own..]);
            let others = of_a.len() + of_b.len() - own;
            let places: Vec<usize> = (0..nt)
                .chain(nt + first..nt + first + own)
                .chain((nt + own..l.linear.arity()).map(|i| i + others))
                .collect();
            let func = l.linear.with_params(types, &places);
            captured(func, [&residuals[..], &l.invariants].concat())
        };
        let then = side(&a, 0, of_a.len());
        let otherwise = side(&b, of_a.len(), of_b.len());
        (
            out[..n].to_vec(),
            scatter(&act, branch(x[0], then, otherwise)),
        )
    }
}

fn captured(func: Func, captures: Vec<Var>) -> Closed {
    Closed {
        func,
        captures,
        arrays: vec![],
    }
}

/// Inserts results that are zero at index `at`.
fn append_zeros(func: &mut Func, at: usize, types: &[Type]) {
    let zeros = types.iter().map(|t| Atom::Lit(Splat::zeros(t)));
    func.results.splice(at..at, zeros);
}

/// Records a branch on `pred`: each side is a closed trace whose parameters are its captures.
pub fn branch(pred: Var, then: Closed, otherwise: Closed) -> Vec<Var> {
    let only = vec![None; then.func.results.len()];
    branch_only(pred, then, otherwise, only)
}

/// Records a branch like [`branch`], some of whose results are read only if one side is taken (see [`Cond::only`]).
fn branch_only(pred: Var, then: Closed, otherwise: Closed, only: Vec<Option<bool>>) -> Vec<Var> {
    let mut operands: Vec<Var> = vec![];
    let places = [&then, &otherwise].map(|side| {
        debug_assert_eq!(side.func.arity(), side.captures.len());
        let place = |v: &Var| match operands.iter().position(|o| o.same(*v)) {
            Some(i) => i,
            None => {
                operands.push(*v);
                operands.len() - 1
            }
        };
        side.captures.iter().map(place).collect::<Vec<_>>()
    });
    let types: Vec<Type> = operands.iter().map(|v| v.ty()).collect();
    let branches = [
        then.func.with_params(types.clone(), &places[0]),
        otherwise.func.with_params(types, &places[1]),
    ];
    let inputs: Vec<Var> = std::iter::once(pred).chain(operands).collect();
    bind(Op::Cond(Arc::new(Cond { branches, only })), &inputs)
}

/// Records a choice between two functions.
#[track_caller]
pub fn cond(
    pred: Var,
    then: impl FnOnce() -> Vec<Var>,
    otherwise: impl FnOnce() -> Vec<Var>,
) -> Vec<Var> {
    choice("cond", pred, then, otherwise)
}

/// Records a choice like [`cond`], with the operation's name for messages.
#[track_caller]
pub fn choice(
    op: &str,
    pred: Var,
    then: impl FnOnce() -> Vec<Var>,
    otherwise: impl FnOnce() -> Vec<Var>,
) -> Vec<Var> {
    let mut soft = [vec![], vec![]];
    let mut then = closed(Kind::Barrier, &[], |_| noted(then(), &mut soft[0]));
    let mut otherwise = closed(Kind::Barrier, &[], |_| noted(otherwise(), &mut soft[1]));
    let [a, b] = [&then, &otherwise].map(|c| c.func.result_types());
    give_way(&mut then.func, &a, &soft[0], &b);
    give_way(&mut otherwise.func, &b, &soft[1], &a);
    let types = [&then, &otherwise].map(|c| c.func.result_types());
    if let Some(error) = differ(&types) {
        raise(error.error(op, types.concat(), current_source()));
    }
    branch(pred, then, otherwise)
}

/// Returns what is wrong with branches whose results have these types.
fn differ([a, b]: &[Vec<Type>; 2]) -> Option<TypeError> {
    if a.len() != b.len() {
        return Some(TypeError::new(format!(
            "one branch gives {}, and the other {}",
            counted(a.len(), "result", "results"),
            b.len()
        )));
    }
    let i = a.iter().zip(b).position(|(a, b)| a != b)?;
    let message = format!(
        "result {i} is {} in one branch and {} in the other",
        a[i], b[i]
    );
    let hint = "convert or broadcast one of them: the branches give one type";
    Some(TypeError::new(message).hint(hint))
}

/// Returns the results of a branch and marks in `soft` those whose element type adapts to that of the other branch.
fn noted(results: Vec<Var>, soft: &mut Vec<bool>) -> Vec<Var> {
    let gives_way = |v: &Var| v.as_literal().is_some() || is_weak(*v);
    *soft = results.iter().map(gives_way).collect();
    results
}

/// Converts adaptable results to `f32` where the other branch gives an `f32`.
fn give_way(func: &mut Func, own: &[Type], soft: &[bool], other: &[Type]) {
    let all = own.iter().zip(soft).zip(other);
    let narrow: Vec<bool> = all
        .map(|((a, soft), b)| *soft && a.dtype == DType::F64 && *b == a.with_dtype(DType::F32))
        .collect();
    if narrow.contains(&true) {
        let params = func.param_types();
        let converted = closed(Kind::Barrier, params, |x| {
            let results = inline(func, x).into_iter().zip(&narrow);
            results
                .map(|(v, narrow)| if *narrow { convert(v, DType::F32) } else { v })
                .collect()
        });
        *func = converted.func;
    }
}

impl Cond {
    /// Parses an operation of this family from the text form; `None` if it is none of this family.
    pub fn parse(name: &str, given: &Given, bodies: &[Func]) -> Option<Op> {
        let branches = <[Func; 2]>::try_from(bodies.to_vec()).ok()?;
        let n = branches[0].results.len();
        let [then, otherwise] = ["then_only", "otherwise_only"]
            .map(|side| given.booleans(side).unwrap_or_else(|| vec![false; n]));
        let only = (then.iter().zip(&otherwise))
            .map(|(then, otherwise)| (then | otherwise).then_some(*then))
            .collect();
        (name == "cond").then(|| Op::Cond(Arc::new(Cond { branches, only })))
    }

    /// Returns the operation with other functions that have the same results.
    fn with(&self, branches: [Func; 2]) -> Op {
        let only = self.only.clone();
        Op::Cond(Arc::new(Cond { branches, only }))
    }
}

impl Primitive for Cond {
    fn name(&self) -> Cow<'static, str> {
        "cond".into()
    }

    fn attributes(&self) -> Attributes {
        let sides = [("then_only", true), ("otherwise_only", false)];
        let side = |(name, side)| {
            let of: Vec<bool> = self.only.iter().map(|o| *o == Some(side)).collect();
            of.contains(&true).then_some((name, Attribute::Bools(of)))
        };
        sides.into_iter().filter_map(side).collect()
    }

    fn types(&self, inputs: &[Type]) -> Result<Vec<Type>, TypeError> {
        let Some((pred, operands)) = inputs.split_first() else {
            return Err(TypeError::new(
                "takes a bool and the operands of its branches",
            ));
        };
        if *pred != Type::scalar(DType::Bool) {
            let hint = match pred.dtype {
                DType::Bool => {
                    "reduce the truth values to one by `any()` or `all()`, or choose element by element \
                     with `select`"
                }
                _ => "compare it with something, as in `x.gt(0)`",
            };
            let message = format!("chooses by one truth value, a scalar bool, and got {pred}");
            return Err(TypeError::new(message).hint(hint));
        }
        for f in &self.branches {
            expect_types("operand", operands, f.param_types())?;
        }
        let types = self.branches.each_ref().map(Func::result_types);
        if let Some(error) = differ(&types) {
            return Err(error);
        }
        let [a, _] = types;
        if self.only.len() != a.len() {
            let message = format!("says of {} results where they are read", self.only.len());
            return Err(TypeError::new(message));
        }
        Ok(a)
    }

    fn eval(&self, inputs: &[Buffer]) -> Result<Vec<Buffer>, Error> {
        let taken = inputs[0].dense().slice::<bool>()[0];
        eval::run(&self.branches[!taken as usize], inputs[1..].to_vec())
    }

    fn deps(&self, inputs: usize, outputs: usize) -> BitMatrix {
        let [a, b] = self.branches.each_ref().map(Func::deps);
        BitMatrix::from_fn(outputs, inputs, |r, i| {
            i > 0 && (a.get(r, i - 1) || b.get(r, i - 1))
        })
    }

    fn keeps_step(&self) -> bool {
        false
    }

    fn bodies(&self) -> Vec<&Func> {
        self.branches.iter().collect()
    }

    fn with_bodies(&self, rewrite: &mut dyn FnMut(&Func) -> Func) -> Option<Op> {
        Some(self.with(self.branches.each_ref().map(rewrite)))
    }

    fn needs(&self, used: &[bool]) -> Option<Vec<bool>> {
        let [a, b] = self.branches.each_ref().map(|f| live_params(f, used));
        let either = a.iter().zip(&b).map(|(a, b)| a | b);
        Some(std::iter::once(true).chain(either).collect())
    }

    fn prune(&self, used: &[bool]) -> Option<Pruned> {
        let inputs = self.needs(used)?;
        if inputs.iter().chain(used).all(|l| *l) {
            return None;
        }
        let branches = (self.branches.each_ref()).map(|f| narrowed(f, &inputs[1..], used));
        Some(Pruned {
            op: Op::Cond(Arc::new(Cond {
                branches,
                only: pick(&self.only, used),
            })),
            inputs,
            outputs: used.to_vec(),
        })
    }

    fn jvp(&self, x: &[Var], dx: &[Tangent], mode: Mode) -> (Vec<Var>, Vec<Tangent>) {
        match mode {
            Mode::Fused => self.fused(x, dx),
            Mode::Linear => self.linear(x, dx),
        }
    }

    fn transpose(&self, inputs: &[Operand], ct: &[Option<Cotangent>]) -> Vec<Option<Cotangent>> {
        self.transpose_onto(inputs, ct, &vec![None; inputs.len()])
    }

    /// The branch that runs adds its contributions to the cotangents of arrays.
    fn transpose_onto(
        &self,
        inputs: &[Operand],
        ct: &[Option<Cotangent>],
        have: &[Option<Cotangent>],
    ) -> Vec<Option<Cotangent>> {
        let deps = self.deps(inputs.len(), ct.len());
        let reached = |i: usize| (0..ct.len()).any(|r| ct[r].is_some() && deps.get(r, i));
        let live: Vec<bool> = (0..inputs.len())
            .map(|i| inputs[i].is_linear() && reached(i))
            .collect();
        let onto: Vec<Option<Cotangent>> = (0..inputs.len())
            .map(|i| have[i].filter(|_| live[i] && inputs[i].ty().rank() > 0))
            .collect();
        let [then, otherwise] = self.branches.each_ref().map(|f| {
            let (trace, _) = open(Kind::Barrier, &[]);
            let back = transpose_onto(f, &inputs[1..], ct, &onto[1..]);
            let value = |i: usize| {
                let zeros = || Var::zeros(&f.types[i - 1]);
                back[i - 1].map_or_else(zeros, |c| c.value)
            };
            let outs: Vec<Var> = (1..inputs.len()).filter(|&i| live[i]).map(value).collect();
            trace.close(&outs)
        });
        // The cotangents that the branch not taken would give are zero.
        let out = branch(inputs[0].known(), then, otherwise).into_iter();
        let found = scatter(&live, out.map(|v| Cotangent::new(v).masked()));
        let all = found.into_iter().zip(have.iter().zip(onto));
        all.map(|(found, (&have, onto))| match (found, onto) {
            // The sum of both is masked where both are.
            (Some(found), Some(onto)) => Some(onto.map(|_| found.value)),
            (found, _) => add_cotangents(have, found),
        })
        .collect()
    }

    fn masks(&self) -> bool {
        true
    }

    fn in_place_of(&self, result: usize) -> Option<usize> {
        let from = self.branches.iter();
        Some(1 + from.filter_map(|f| in_place_of(f, result)).next()?)
    }

    fn lower(
        &self,
        l: &mut Lowering,
        inputs: &[NodeId],
        outputs: &[Wanted],
    ) -> Result<Vec<NodeId>, Error> {
        l.branch(inputs[0], &self.branches, &inputs[1..], outputs, &self.only)
    }

    fn batch(&self, inputs: &[Batched], size: usize) -> Vec<Batched> {
        let (pred, operands) = (inputs[0], &inputs[1..]);
        let side = |f: &Func, wide: Option<&[bool]>| {
            let mut out = vec![];
            let func = closed(Kind::Barrier, &[], |_| {
                let results = batch(f, operands, size).into_iter().enumerate();
                let results = results.map(|(i, r)| {
                    out.push(r.mapped);
                    let spread = wide.is_some_and(|w| w[i]);
                    if spread { r.spread(size) } else { r.value }
                });
                results.collect()
            });
            (func, out)
        };
        // The first pass only finds out which results are mapped; a trace that is dropped leaves nothing behind.
        let [a, b] = self.branches.each_ref().map(|f| side(f, None).1);
        let wide: Vec<bool> = a.iter().zip(&b).map(|(a, b)| a | b | pred.mapped).collect();
        let [then, otherwise] = self.branches.each_ref().map(|f| side(f, Some(&wide)).0);
        if !pred.mapped {
            let out = branch(pred.value, then, otherwise).into_iter().zip(wide);
            return out
                .map(|(value, mapped)| Batched { value, mapped })
                .collect();
        }
        // A side runs if any element takes it; each element then selects the result of its own side.
        let types = then.func.result_types();
        let none = || {
            let zeros = |_: &[Var]| types.iter().map(Var::zeros).collect();
            closed(Kind::Barrier, &[], zeros)
        };
        let takes = reduce::reduce(reduce::Reducer::Any, pred.value, &[0]);
        let leaves = reduce::reduce(reduce::Reducer::Any, elementwise::not(pred.value), &[0]);
        let then = branch(takes, then, none());
        let otherwise = branch(leaves, otherwise, none());
        let both = then.into_iter().zip(otherwise);
        both.map(|(a, b)| Batched::mapped(choose(pred.value, a, b)))
            .collect()
    }
}
