//! `scan`: a counted loop that carries values from step to step, reads a row of some arrays at each
//! step and stacks rows of others.
//!
//! The length is known when the loop is traced, or only at run time ([`Dim::Run`]). In the latter case the trip count
//! is the first operand, and the arrays that are read and stacked are lists of that length.

mod batch;
mod record;
mod tangents;
mod transpose;

use std::borrow::Cow;
use std::sync::Arc;

use crate::buffer::Buffer;
use crate::error::{Error, TypeError};
use crate::eval;
use crate::ir::text::{Attribute, Attributes, Given};
use crate::ir::{BitMatrix, DType, Dim, Func, Type};
use crate::loops::LoopKind;
use crate::ops::{Batched, Cotangent, Mode, Op, Operand, Primitive, Pruned, Tangent};
use crate::schedule::node::NodeId;
use crate::schedule::{Lowering, Wanted};
use crate::trace::{Var, bind};
use crate::transform::dead::{live_params, live_results, narrowed};

pub(crate) use batch::choose;
pub use record::{repeat, scan};
pub(crate) use tangents::{Tangents, active, carries_first, has, linear_scan, loop_deps, present};

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

    fn transpose(&self, inputs: &[Operand], ct: &[Option<Cotangent>]) -> Vec<Option<Cotangent>> {
        self.transposed(inputs, ct, &vec![None; inputs.len()])
    }

    fn transpose_onto(
        &self,
        inputs: &[Operand],
        ct: &[Option<Cotangent>],
        have: &[Option<Cotangent>],
    ) -> Vec<Option<Cotangent>> {
        self.transposed(inputs, ct, have)
    }

    fn in_place_of(&self, result: usize) -> Option<usize> {
        (result < self.carry).then(|| self.counts() + result)
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
