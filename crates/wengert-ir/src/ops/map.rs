//! `map`: a function applied to each element along the first axis of its mapped operands, which is what `vmap`
//! records. Whether it runs in lanes or as one batched computation is decided by the scheduler.
//!
//! A result is stacked, or summed over the elements. So the transpose of a map is a map, and the
//! cotangent of an operand that all elements share is never stored for each of them.

use std::borrow::Cow;
use std::sync::Arc;

use crate::buffer::{Buffer, Dense};
use crate::error::{Error, TypeError};
use crate::eval;
use crate::ir::text::{Attribute, Attributes, Given};
use crate::ir::{BitMatrix, Dim, Func, Type};
use crate::ops::scan::{expect_types, has};
use crate::ops::{Batched, Cotangent, Mode, Op, Operand, Primitive, Pruned, Tangent, layout};
use crate::order;
use crate::schedule::lanes;
use crate::schedule::node::NodeId;
use crate::schedule::way::Way;
use crate::schedule::{Lowering, Wanted};
use crate::trace::{Kind, Var, bind, closed, open};
use crate::transform::body::{Residual, Runs, Supply, fuse_body, linearize_body};
use crate::transform::dead::{live_params, narrowed};
use crate::transform::linearize::{pick, scatter};
use crate::transform::{batch, transpose};

/// What is done with a result of the body.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Gather {
    /// The results of all elements are stacked along a new first axis.
    Stack,
    /// The results are summed (in the order that [`order::lane_sum`] defines).
    Sum,
}

/// A function for each element of a batch. Operands: those of the body, each mapped (with one row
/// per element) or shared by all elements.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Map {
    /// The function of one element.
    pub body: Func,
    /// The number of elements.
    pub extent: usize,
    /// Which operands are mapped.
    pub mapped: Vec<bool>,
    /// What is done with each result.
    pub gather: Vec<Gather>,
}

impl Map {
    fn kind(&self) -> Kind {
        if self.extent > 0 {
            Kind::Plain
        } else {
            Kind::Barrier
        }
    }

    fn runs(&self) -> Runs<'static> {
        if self.extent > 0 {
            Runs::Surely
        } else {
            Runs::Perhaps
        }
    }

    fn supply(&self, x: &[Var]) -> Vec<Supply> {
        let supply = x.iter().zip(&self.mapped);
        let supply = supply.map(|(&v, m)| if *m { Supply::Step } else { Supply::Outer(v) });
        supply.collect()
    }

    fn shared(&self) -> Vec<bool> {
        self.mapped.iter().map(|m| !m).collect()
    }

    /// Records a map of the same extent, whose first operands are `mapped` and whose other operands are `shared`.
    fn bind(&self, body: Func, gather: Vec<Gather>, mapped: &[Var], shared: &[Var]) -> Vec<Var> {
        let n = mapped.len();
        let operands = [mapped, shared].concat();
        let map = Map {
            body,
            extent: self.extent,
            mapped: (0..operands.len()).map(|i| i < n).collect(),
            gather,
        };
        bind(Op::Map(Arc::new(map)), &operands)
    }

    fn fused(&self, x: &[Var], dx: &[Tangent]) -> (Vec<Var>, Vec<Tangent>) {
        let n = self.body.results.len();
        let f = fuse_body(
            self.runs(),
            &self.body,
            &self.supply(x),
            dx,
            &vec![false; n],
            0,
        );
        let xs = pick(x, &self.mapped);
        let dxs: Vec<Var> = pick(dx, &self.mapped).into_iter().flatten().collect();
        let gather = [&self.gather[..], &pick(&self.gather, &f.out)].concat();
        let out = self.bind(f.func, gather, &[xs, dxs].concat(), &f.captures);
        (out[..n].to_vec(), scatter(&f.out, out[n..].iter().copied()))
    }

    fn linear(&self, x: &[Var], dx: &[Tangent]) -> (Vec<Var>, Vec<Tangent>) {
        let n = self.body.results.len();
        let none = vec![false; n];
        let b = linearize_body(self.runs(), &self.body, &self.supply(x), &has(dx), &none, 0);
        let xs = pick(x, &self.mapped);
        let mut gather = self.gather.clone();
        gather.resize(n + b.stored, Gather::Stack);
        let out = self.bind(b.primal, gather, &xs, &b.captures);
        let residual = |r: &Residual| match r {
            Residual::Result(i) => out[*i],
            Residual::Param(i) => xs[*i],
        };
        let residuals: Vec<Var> = b.residuals.iter().map(residual).collect();
        // The tangents are in the order of the operands; mapped ones must come first, like the residuals.
        let moving: Vec<usize> = (0..dx.len()).filter(|&i| dx[i].is_some()).collect();
        let which = |m: bool| {
            let all = moving.iter().enumerate();
            all.filter(move |(_, i)| self.mapped[**i] == m)
                .map(|(place, _)| place)
        };
        let nt = b.tangents;
        let order: Vec<usize> = which(true)
            .chain(nt..nt + residuals.len())
            .chain(which(false))
            .chain(nt + residuals.len()..b.linear.arity())
            .collect();
        let mapped: Vec<Var> = pick(dx, &self.mapped).into_iter().flatten().collect();
        let shared: Vec<Var> = pick(dx, &self.shared()).into_iter().flatten().collect();
        let dy = self.bind(
            b.linear.reordered(&order),
            pick(&self.gather, &b.out),
            &[mapped, residuals].concat(),
            &[shared, b.invariants].concat(),
        );
        (out[..n].to_vec(), scatter(&b.out, dy))
    }

    fn has_lists(&self) -> bool {
        let run = |t: &Type| t.shape.has_run();
        self.body.param_types().iter().any(run) || self.body.result_types().iter().any(run)
    }

    /// Returns the results of all elements by the batching rules, stacked along a new first axis,
    /// including those that are to be summed.
    fn stacked(&self, x: &[Var]) -> Vec<Var> {
        let inputs = x.iter().zip(&self.mapped);
        let inputs: Vec<Batched> = inputs
            .map(|(&value, &mapped)| Batched { value, mapped })
            .collect();
        let results = batch(&self.body, &inputs, self.extent).into_iter();
        results.map(|r| r.spread(self.extent)).collect()
    }

    /// Computes the results by the batching rules: one computation on whole batches. `None` if a
    /// value has a run-time length, since such values exist only as rows.
    pub fn flattened(&self, x: &[Var]) -> Option<Vec<Var>> {
        if self.has_lists() {
            return None;
        }
        let results = self.stacked(x);
        let results = results.into_iter().zip(&self.gather);
        Some(
            results
                .map(|(r, gather)| match gather {
                    Gather::Stack => r,
                    Gather::Sum => crate::ops::reduce::sum(r, &[0]),
                })
                .collect(),
        )
    }
}

impl Map {
    /// Parses an operation of this family from the text form; `None` if it is none of this family.
    pub fn parse(name: &str, given: &Given, bodies: &[Func]) -> Option<Op> {
        let [body] = bodies else { return None };
        let sum = given.booleans("sum")?.into_iter();
        let map = Map {
            body: body.clone(),
            extent: given.index("extent")?,
            mapped: given.booleans("mapped")?,
            gather: sum
                .map(|s| if s { Gather::Sum } else { Gather::Stack })
                .collect(),
        };
        (name == "map").then(|| Op::Map(Arc::new(map)))
    }
}

impl Primitive for Map {
    fn name(&self) -> Cow<'static, str> {
        "map".into()
    }

    fn method(&self) -> Cow<'static, str> {
        "vmap".into()
    }

    fn attributes(&self) -> Attributes {
        let sum = self.gather.iter().map(|g| *g == Gather::Sum).collect();
        vec![
            ("extent", Attribute::Int(self.extent as i64)),
            ("mapped", Attribute::Bools(self.mapped.clone())),
            ("sum", Attribute::Bools(sum)),
        ]
    }

    fn types(&self, inputs: &[Type]) -> Result<Vec<Type>, TypeError> {
        if inputs.len() != self.mapped.len() || self.gather.len() != self.body.results.len() {
            return Err(TypeError::new(format!(
                "got {}",
                crate::error::counted(inputs.len(), "operand", "operands")
            )));
        }
        let n = Dim::N(self.extent);
        let mut elements = vec![];
        for (i, (ty, mapped)) in inputs.iter().zip(&self.mapped).enumerate() {
            if *mapped && ty.shape.0.first() != Some(&n) {
                let message = format!(
                    "operand {i} is {ty}, to be mapped over {} rows",
                    self.extent
                );
                return Err(TypeError::new(message));
            }
            elements.push(if *mapped { ty.row() } else { ty.clone() });
        }
        expect_types("operand", &elements, self.body.param_types())?;
        let results = self.body.result_types().into_iter().zip(&self.gather);
        Ok(results
            .map(|(ty, gather)| match gather {
                Gather::Stack => ty.stacked(n),
                Gather::Sum => ty,
            })
            .collect())
    }

    fn eval(&self, inputs: &[Buffer]) -> Result<Vec<Buffer>, Error> {
        let types = self.body.param_types();
        let mut rows: Vec<Vec<Buffer>> = vec![vec![]; self.gather.len()];
        for i in 0..self.extent {
            let operands = inputs.iter().zip(&self.mapped).zip(types);
            let args = operands.map(|((x, m), ty)| if *m { x.row(i, ty) } else { x.clone() });
            let results = eval::run(&self.body, args.collect())?;
            for (rows, r) in rows.iter_mut().zip(results) {
                rows.push(r);
            }
        }
        let types = self.body.result_types();
        let results = rows.into_iter().zip(&types).zip(&self.gather);
        Ok(results
            .map(|((rows, ty), gather)| match gather {
                Gather::Stack => Buffer::stack(rows, ty, Dim::N(self.extent)),
                Gather::Sum => sum_of(rows, ty),
            })
            .collect())
    }

    fn deps(&self, _: usize, _: usize) -> BitMatrix {
        self.body.deps()
    }

    fn bodies(&self) -> Vec<&Func> {
        vec![&self.body]
    }

    fn with_bodies(&self, rewrite: &mut dyn FnMut(&Func) -> Func) -> Option<Op> {
        Some(Op::Map(Arc::new(Map {
            body: rewrite(&self.body),
            ..self.clone()
        })))
    }

    fn needs(&self, used: &[bool]) -> Option<Vec<bool>> {
        Some(live_params(&self.body, used))
    }

    fn prune(&self, used: &[bool]) -> Option<Pruned> {
        let params = self.needs(used)?;
        if params.iter().chain(used).all(|l| *l) {
            return None;
        }
        let map = Map {
            body: narrowed(&self.body, &params, used),
            extent: self.extent,
            mapped: pick(&self.mapped, &params),
            gather: pick(&self.gather, used),
        };
        Some(Pruned {
            op: Op::Map(Arc::new(map)),
            inputs: params,
            outputs: used.to_vec(),
        })
    }

    fn jvp(&self, x: &[Var], dx: &[Tangent], mode: Mode) -> (Vec<Var>, Vec<Tangent>) {
        match mode {
            Mode::Fused => self.fused(x, dx),
            Mode::Linear => self.linear(x, dx),
        }
    }

    /// Cotangents of mapped operands are stacked and those of shared operands summed; cotangents of stacked results are
    /// mapped and those of summed results shared.
    fn transpose(&self, inputs: &[Operand], ct: &[Option<Cotangent>]) -> Vec<Option<Cotangent>> {
        if self.extent == 0 {
            return vec![None; inputs.len()];
        }
        let types = self.body.param_types();
        let (trace, _) = open(self.kind(), &[]);
        let mut rows = vec![];
        let operands: Vec<Operand> = (0..inputs.len())
            .map(|i| match &inputs[i] {
                Operand::Linear(_) => Operand::Linear(types[i].clone()),
                Operand::Known(v) if self.mapped[i] => {
                    rows.push(*v);
                    Operand::Known(trace.param(types[i].clone()))
                }
                known => known.clone(),
            })
            .collect();
        let result_types = self.body.result_types();
        let body_ct: Vec<Option<Cotangent>> = (0..ct.len())
            .map(|r| {
                ct[r].map(|c| match self.gather[r] {
                    Gather::Sum => c,
                    Gather::Stack => {
                        rows.push(c.value);
                        c.map(|_| trace.param(result_types[r].clone()))
                    }
                })
            })
            .collect();
        let back = transpose(&self.body, &operands, &body_ct);
        let live: Vec<bool> = (0..inputs.len())
            .map(|i| inputs[i].is_linear() && back[i].is_some())
            .collect();
        let found: Vec<Cotangent> = pick(&back, &live).into_iter().flatten().collect();
        let values: Vec<Var> = found.iter().map(|c| c.value).collect();
        let closed = trace.close(&values);
        let gather = pick(&self.mapped, &live).into_iter();
        let gather = gather.map(|m| if m { Gather::Stack } else { Gather::Sum });
        let out = self.bind(closed.func, gather.collect(), &rows, &closed.captures);
        let out = out.into_iter().zip(found).map(|(v, c)| c.map(|_| v));
        scatter(&live, out)
    }

    /// Lowers to a map over batches: the body is batched, and the batch axis of mapped operands comes after the
    /// axis of the map.
    fn lower(
        &self,
        l: &mut Lowering,
        inputs: &[NodeId],
        outputs: &[Wanted],
    ) -> Result<Vec<NodeId>, Error> {
        let sum: Vec<bool> = self.gather.iter().map(|g| *g == Gather::Sum).collect();
        let batch = lanes::Batch {
            body: &self.body,
            extent: self.extent,
            mapped: &self.mapped,
            sum: &sum,
        };
        let way = batch.way(l, self.extent > 0 && !self.has_lists());
        if way != Way::Flat {
            l.ready(inputs)?;
        }
        match way {
            Way::Lanes => l.map_lanes(&batch, inputs, outputs),
            Way::Each { parallel } => l.map_each(&batch, parallel, inputs, outputs),
            Way::Flat => {
                let types: Vec<Type> = inputs.iter().map(|&i| l.ty(i).clone()).collect();
                let flat = closed(Kind::Barrier, &types, |x| self.stacked(x));
                // What is stacked is made where it is wanted.
                let places = outputs.iter().zip(&sum);
                let places = places.map(|(want, sum)| want.place.clone().filter(|_| !sum));
                let stacked = l.call(&flat.func, inputs, &places.collect::<Vec<_>>())?;
                l.sums_of(&sum, stacked, outputs)
            }
        }
    }

    fn batch(&self, inputs: &[Batched], size: usize) -> Vec<Batched> {
        let types = self.body.param_types();
        let inward = |b: &Batched| match b.value.ty().shape.has_run() {
            true => b.value,
            false => layout::move_axis(b.value, 0, 1),
        };
        let mut mapped = vec![];
        let mut params = vec![];
        for (i, b) in inputs.iter().enumerate().filter(|(i, _)| self.mapped[*i]) {
            mapped.push(if b.mapped { inward(b) } else { b.value });
            params.push(if b.mapped {
                types[i].batched(size)
            } else {
                types[i].clone()
            });
        }
        let mut out = vec![];
        let body = closed(self.kind(), &params, |vars| {
            let mut vars = vars.iter();
            let args = inputs.iter().zip(&self.mapped).map(|(b, m)| match m {
                true => Batched {
                    value: *vars.next().expect("a parameter for each mapped operand"),
                    mapped: b.mapped,
                },
                false => *b,
            });
            let results = batch(&self.body, &args.collect::<Vec<_>>(), size);
            out.extend(results.iter().map(|r| r.mapped));
            results.into_iter().map(|r| r.value).collect()
        });
        let results = self.bind(body.func, self.gather.clone(), &mapped, &body.captures);
        let results = results.into_iter().zip(out).zip(&self.gather);
        results
            .map(|((v, mapped), gather)| Batched {
                value: match mapped && *gather == Gather::Stack && !v.ty().shape.has_run() {
                    true => layout::move_axis(v, 1, 0),
                    false => v,
                },
                mapped,
            })
            .collect()
    }
}

/// Sums the rows, all of one type, in the order of lanes.
fn sum_of(rows: Vec<Buffer>, ty: &Type) -> Buffer {
    if ty.shape.has_run() {
        // Lists are added row by row; an empty list stands for zeros.
        let lists: Vec<&Buffer> = rows.iter().collect();
        let longest = |b: &&Buffer| match b {
            Buffer::List(rows) => rows.len(),
            Buffer::Dense(_) => unreachable!("a value with a run-time axis is a list"),
        };
        let n = match ty.shape.0[0] {
            Dim::N(n) => n,
            Dim::Run => lists.iter().map(longest).max().unwrap_or(0),
        };
        let row = ty.row();
        let sums = (0..n).map(|i| sum_of(lists.iter().map(|l| l.row(i, &row)).collect(), &row));
        return Buffer::list(sums.collect());
    }
    let mut out = Dense::splat(ty.dtype, ty.dims(), 0);
    let data = Arc::make_mut(&mut out.data);
    for k in 0..ty.size() {
        let terms: Vec<u64> = rows.iter().map(|r| r.dense().data.bits(k)).collect();
        data.set_bits(k, order::lane_sum(ty.dtype, &terms));
    }
    Buffer::Dense(out)
}

/// Records a map over the rows of `xs`.
#[track_caller]
pub fn map(xs: &[Var], extent: usize, f: impl FnOnce(&[Var]) -> Vec<Var>) -> Vec<Var> {
    gathered(xs, extent, Gather::Stack, f)
}

/// Records the sums over the rows of `xs` of what `f` makes of each.
#[track_caller]
pub fn sum(xs: &[Var], extent: usize, f: impl FnOnce(&[Var]) -> Vec<Var>) -> Vec<Var> {
    gathered(xs, extent, Gather::Sum, f)
}

#[track_caller]
fn gathered(
    xs: &[Var],
    extent: usize,
    gather: Gather,
    f: impl FnOnce(&[Var]) -> Vec<Var>,
) -> Vec<Var> {
    let types: Vec<Type> = xs.iter().map(|v| v.ty().row()).collect();
    let kind = if extent > 0 {
        Kind::Plain
    } else {
        Kind::Barrier
    };
    let body = closed(kind, &types, f);
    let results = body.func.results.len();
    let map = Map {
        body: body.func,
        extent,
        mapped: (0..xs.len() + body.captures.len())
            .map(|i| i < xs.len())
            .collect(),
        gather: vec![gather; results],
    };
    bind(Op::Map(Arc::new(map)), &[xs, &body.captures].concat())
}
