//! Batching of scans.

use super::Scan;
use crate::ir::{DType, Dim, Func, Type};
use crate::ops::reduce::{Reducer, reduce};
use crate::ops::{Batched, elementwise, layout};
use crate::trace::{Kind, Var, closed};
use crate::transform::batch;

impl Scan {
    /// Records the loop on a batch.
    pub(super) fn batched(&self, inputs: &[Batched], size: usize) -> Vec<Batched> {
        let p = self.parts(inputs);
        if let [count] = p.count
            && count.mapped
        {
            return self.batch_to_longest(*count, inputs, size);
        }
        let count: Vec<Var> = p.count.iter().map(|c| c.value).collect();
        // A carry is mapped if anything that ever flows into it is mapped.
        let mut mapped: Vec<bool> = p.carry.iter().map(|b| b.mapped).collect();
        loop {
            let (body, captures, out) = self.batch_body(&mapped, p.xs, p.constants, size);
            let next: Vec<bool> = (0..self.carry).map(|i| mapped[i] || out[i]).collect();
            if next != mapped {
                mapped = next;
                continue;
            }
            let carry: Vec<Var> = (0..self.carry)
                .map(|i| {
                    if mapped[i] {
                        p.carry[i].spread(size)
                    } else {
                        p.carry[i].value
                    }
                })
                .collect();
            // In arrays of known length that the loop reads or stacks, the axis of rows comes first, a batch axis
            // second.
            let xs: Vec<Var> = p.xs.iter().map(|b| self.rows_in(*b)).collect();
            let scan = self.with(body, self.carry, self.xs);
            let outs = scan.bind(&[&count, &carry, &xs, &captures]);
            return outs
                .into_iter()
                .enumerate()
                .map(|(i, v)| match out[i] {
                    false => Batched::shared(v),
                    true if i < self.carry => Batched::mapped(v),
                    true => Batched::mapped(self.rows_out(v)),
                })
                .collect();
        }
    }

    /// Moves the axis of rows to the front of an operand that a batched scan reads row by row.
    fn rows_in(&self, b: Batched) -> Var {
        match b.mapped && !b.value.ty().shape.has_run() {
            true => layout::move_axis(b.value, 0, 1),
            false => b.value,
        }
    }

    fn rows_out(&self, v: Var) -> Var {
        match v.ty().shape.has_run() {
            true => v,
            false => layout::move_axis(v, 1, 0),
        }
    }

    /// Returns the body on a batch, given which carries are mapped, its captures, and which results are mapped.
    fn batch_body(
        &self,
        carry: &[bool],
        xs: &[Batched],
        constants: &[Batched],
        size: usize,
    ) -> (Func, Vec<Var>, Vec<bool>) {
        let types = self.body.param_types();
        let mapped = carry.iter().copied().chain(xs.iter().map(|b| b.mapped));
        let mapped: Vec<bool> = mapped.collect();
        let params: Vec<Type> = mapped
            .iter()
            .zip(types)
            .map(|(m, ty)| if *m { ty.batched(size) } else { ty.clone() })
            .collect();
        let kind = match self.length {
            Dim::N(n) if n > 0 => Kind::Plain,
            _ => Kind::Barrier,
        };
        let mut out = vec![];
        let body = closed(kind, &params, |vars| {
            let steps = vars.iter().zip(&mapped);
            let steps = steps.map(|(&value, &mapped)| Batched { value, mapped });
            let args: Vec<Batched> = steps.chain(constants.iter().copied()).collect();
            let results = batch(&self.body, &args, size);
            let spread = |(i, r): (usize, Batched)| {
                let wide = r.mapped || (i < self.carry && carry[i]);
                out.push(wide);
                if wide { r.spread(size) } else { r.value }
            };
            results.into_iter().enumerate().map(spread).collect()
        });
        (body.func, body.captures, out)
    }

    /// Batches a loop whose trip count is mapped: it runs to the longest count, and a finished element
    /// keeps its carry.
    fn batch_to_longest(&self, count: Batched, inputs: &[Batched], size: usize) -> Vec<Batched> {
        let p = self.parts(inputs);
        let counts = count.value;
        let longest = match size {
            0 => Var::scalar(0i64),
            _ => reduce(Reducer::Max, counts, &[0]),
        };
        let types = self.body.param_types().to_vec();
        let nc = self.carry;
        // The step number becomes another carry; a reverse loop counts down.
        let first = match self.reverse {
            true => elementwise::sub(longest, Var::scalar(1i64)),
            false => Var::scalar(0i64),
        };
        let mut params = vec![Type::scalar(DType::I64)];
        params.extend(types[..nc].iter().map(|t| t.batched(size)));
        for (b, ty) in p.xs.iter().zip(&types[nc..]) {
            params.push(if b.mapped {
                ty.batched(size)
            } else {
                ty.clone()
            });
        }
        let body = closed(Kind::Barrier, &params, |vars| {
            let (number, vars) = (vars[0], &vars[1..]);
            let mut args: Vec<Batched> = vars[..nc].iter().map(|&v| Batched::mapped(v)).collect();
            let rows = vars[nc..].iter().zip(p.xs);
            args.extend(rows.map(|(&value, b)| Batched {
                value,
                mapped: b.mapped,
            }));
            args.extend_from_slice(p.constants);
            let results = batch(&self.body, &args, size);
            let step = Var::scalar(if self.reverse { -1i64 } else { 1 });
            let mut outs = vec![elementwise::add(number, step)];
            let live = elementwise::lt(layout::insert_axis(number, 0, size), counts);
            for (i, r) in results.into_iter().enumerate() {
                let next = r.spread(size);
                let stay = if i < nc {
                    vars[i]
                } else {
                    Var::zeros(&next.ty())
                };
                outs.push(choose(live, next, stay));
            }
            outs
        });
        let carry = p.carry.iter().map(|b| b.spread(size));
        let carry: Vec<Var> = std::iter::once(first).chain(carry).collect();
        let xs: Vec<Var> = p.xs.iter().map(|b| b.value).collect();
        let scan = self.with(body.func, nc + 1, self.xs);
        let outs = scan.bind(&[&[longest], &carry, &xs, &body.captures]);
        outs[1..].iter().copied().map(Batched::mapped).collect()
    }
}

/// Selects `a` where `live` (one truth value for each element of the batch) is true, and `b` elsewhere.
pub(crate) fn choose(live: Var, a: Var, b: Var) -> Var {
    let ty = a.ty();
    let at = ty.shape.batch_axis();
    let mut mask = live;
    for (axis, dim) in ty.shape.0.iter().enumerate() {
        if axis > at
            && let Dim::N(n) = dim
        {
            mask = layout::insert_axis(mask, axis - at, *n);
        }
    }
    elementwise::select(mask, a, b)
}
