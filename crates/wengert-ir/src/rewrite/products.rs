//! Products that leave loops and maps.
//!
//! The gradient by a matrix that is multiplied by a vector is the outer product of two vectors. It is as large as the
//! matrix, and in a loop or a batch there is one for each step and each element, all of which are added. Their sum is one
//! product of matrices, whose rows are the vectors of all steps or elements. So a loop or a map that adds products stacks
//! their factors instead, and one product follows it. A map that stacks products stacks the factors as well, and the
//! products are written where they stay.
//!
//! The order of the sums is that of the new product, which the interpreter sees too.

use std::sync::Arc;

use crate::ir::{Atom, Dim, Eqn, Func, Type};
use crate::ops::Op;
use crate::ops::dot::Dot;
use crate::ops::elementwise::{Elementwise, add};
use crate::ops::layout::{self, Layout};
use crate::ops::map::{Gather, Map};
use crate::ops::rows::row;
use crate::ops::scan::Scan;
use crate::source::SourceId;
use crate::trace::{Kind, Var, bind, closed, with_source};
use crate::transform::{inline, recorded_anew};

const ADD: Elementwise = row("add");

/// The work of a product for each element that is stacked for it, from which it leaves.
const WORTH: usize = 8;

/// The number of elements that a loop or a map may stack in any case. Where there are more, it stacks no more than it
/// reads.
const ROOM: usize = 1 << 22;

/// As [`ROOM`], for each element of a batch.
const ROOM_OF_EACH: usize = 1 << 18;

/// Moves products out of the loops and maps of a function, and of nested functions.
pub fn move_products(func: &Func) -> Func {
    moved(func, ROOM)
}

fn moved(func: &Func, room: usize) -> Func {
    if !holds_product(func) {
        return func.clone();
    }
    let rows = read_by_maps(func);
    recorded_anew(func, |eqn, inputs| {
        let room_inside = match eqn.op {
            Op::Map(_) => ROOM_OF_EACH,
            _ => room,
        };
        let op = eqn.op.with_bodies(&mut |f| moved(f, room_inside));
        let op = op.unwrap_or_else(|| eqn.op.clone());
        let apart = match &op {
            Op::Scan(scan) => out_of_scan(scan, inputs, room),
            Op::Map(map) => {
                let (first, end) = (eqn.outputs.start as usize, eqn.outputs.end as usize);
                out_of_map(map, inputs, &rows[first..end], room)
            }
            _ => None,
        };
        apart.unwrap_or_else(|| bind(op, inputs))
    })
}

/// Returns which values other maps read row by row, themselves or after elementwise operations. Such maps are fused with
/// the one that stacks the rows, so that these are never stored.
fn read_by_maps(func: &Func) -> Vec<bool> {
    let mut read = vec![false; func.types.len()];
    for eqn in func.eqns.iter().rev() {
        let through = eqn.outputs.clone().any(|v| read[v as usize]);
        let by_rows = |i: usize| match &eqn.op {
            Op::Map(map) => map.mapped[i],
            Op::Elementwise(_) | Op::Convert(_) => through,
            _ => false,
        };
        for (i, atom) in eqn.inputs.iter().enumerate() {
            if let Atom::Var(v) = atom {
                read[*v as usize] |= by_rows(i);
            }
        }
    }
    read
}

/// Returns whether a function holds a product in a loop or a map.
fn holds_product(func: &Func) -> bool {
    let inside = |f: &Func| f.eqns.iter().any(|e| matches!(e.op, Op::Dot(_)));
    let holds = |e: &Eqn| {
        let looped = matches!(e.op, Op::Scan(_) | Op::Map(_));
        (e.op.bodies().into_iter()).any(|f| (looped && inside(f)) || holds_product(f))
    };
    func.eqns.iter().any(holds)
}

/// A product in the body of a loop or a map.
struct Product {
    atom: Atom,
    dot: Dot,
    factors: [Atom; 2],
    /// The order of the axes in which it is added or stacked.
    axes: Option<Vec<usize>>,
    source: SourceId,
}

/// A result of a body: products, other terms, and perhaps the carry to which they are added.
#[derive(Default)]
struct Sum {
    products: Vec<Product>,
    others: Vec<Atom>,
    carry: Option<u32>,
}

/// What a parameter of a body is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    /// A row of an operand.
    Row,
    Carry,
    /// The same in all steps or for all elements.
    Constant,
}

/// The body of a loop or a map that products leave.
struct Body<'a> {
    func: &'a Func,
    roles: Vec<Role>,
    /// For each value, the equation that defines it, and how often it is used.
    definitions: Vec<Option<&'a Eqn>>,
    uses: Vec<u32>,
    /// The number of elements that may still be stacked in a step.
    room: usize,
    /// The values that are newly stacked.
    stacked: Vec<Atom>,
    /// For each result, what remains of it and what leaves, if something leaves.
    sums: Vec<Option<Sum>>,
}

impl<'a> Body<'a> {
    fn new(func: &'a Func, roles: Vec<Role>, room: usize) -> Body<'a> {
        let rows = func.param_types().iter().zip(&roles);
        let rows = rows.filter(|(ty, role)| **role == Role::Row && !ty.shape.has_run());
        let read: usize = rows.map(|(ty, _)| ty.size()).sum();
        let mut definitions = vec![None; func.types.len()];
        for eqn in &func.eqns {
            let outputs = eqn.outputs.clone();
            outputs.for_each(|v| definitions[v as usize] = Some(eqn));
        }
        Body {
            func,
            roles,
            definitions,
            uses: super::uses(func),
            room: room.max(read),
            stacked: vec![],
            sums: func.results.iter().map(|_| None).collect(),
        }
    }

    /// Returns the equation of a value that is used once.
    fn once(&self, atom: Atom) -> Option<&'a Eqn> {
        match atom {
            Atom::Var(v) if self.uses[v as usize] == 1 => self.definitions[v as usize],
            _ => None,
        }
    }

    /// Returns the product that a value is, if nothing else uses it and its factors differ from step to step.
    fn product(&self, atom: Atom) -> Option<Product> {
        let eqn = self.once(atom)?;
        let (eqn, axes) = match &eqn.op {
            Op::Layout(Layout::Transpose { axes }) => {
                (self.once(eqn.inputs[0])?, Some(axes.clone()))
            }
            _ => (eqn, None),
        };
        let Op::Dot(dot) = &eqn.op else {
            return None;
        };
        let factors = [eqn.inputs[0], eqn.inputs[1]];
        let differs = |a: &Atom| match *a {
            Atom::Var(v) => (self.roles.get(v as usize)).is_none_or(|r| *r != Role::Constant),
            Atom::Lit(_) => false,
        };
        let known = |a: &Atom| !self.func.type_of(*a).shape.has_run();
        let product = Product {
            atom,
            dot: dot.clone(),
            factors,
            axes,
            source: eqn.source,
        };
        let is_float = self.func.type_of(atom).is_float();
        (is_float && factors.iter().all(|a| differs(a) && known(a))).then_some(product)
    }

    /// Collects the terms of a sum, into which the carry may enter once.
    fn collect(&self, atom: Atom, carry: Option<u32>, sum: &mut Sum) {
        if let Atom::Var(v) = atom
            && Some(v) == carry
            && self.uses[v as usize] == 1
        {
            sum.carry = carry;
        } else if let Some(product) = self.product(atom) {
            sum.products.push(product);
        } else if let Some(eqn) = self.once(atom).filter(|e| e.op == Op::Elementwise(ADD)) {
            for &term in &eqn.inputs {
                self.collect(term, carry, sum);
            }
        } else {
            sum.others.push(atom);
        }
    }

    /// Lets the products of a sum leave that cost so much more than stacking their factors that this is worth it.
    fn leave(&mut self, result: usize, mut sum: Sum) {
        let products = std::mem::take(&mut sum.products);
        for product in products {
            let mut new = product.factors.to_vec();
            new.dedup();
            new.retain(|&a| self.operand(a).is_none() && !self.stacked.contains(&a));
            let stacked: usize = new.iter().map(|&a| self.func.type_of(a).size()).sum();
            let factor = self.func.type_of(product.factors[0]).dims();
            let terms: usize = product.dot.contract.iter().map(|p| factor[p.0]).product();
            let size = self.func.type_of(product.atom).size();
            let pays = size.saturating_mul(terms + 1) >= WORTH * stacked;
            if pays && stacked <= self.room {
                self.room -= stacked;
                self.stacked.extend(new);
                sum.products.push(product);
            } else {
                sum.others.push(product.atom);
            }
        }
        self.sums[result] = (!sum.products.is_empty()).then_some(sum);
    }

    /// Returns the operand whose rows a value is.
    fn operand(&self, atom: Atom) -> Option<usize> {
        match atom {
            Atom::Var(v) if self.roles.get(v as usize) == Some(&Role::Row) => Some(v as usize),
            _ => None,
        }
    }

    /// Returns whether something of a result remains.
    fn stays(&self, result: usize) -> bool {
        (self.sums[result].as_ref()).is_none_or(|sum| !sum.others.is_empty())
    }

    /// Returns the body without the products, on those of its parameters that stay. Its results are what remains of the
    /// old ones, and the values that are newly stacked.
    fn rebuilt(&self, params: &[usize]) -> Func {
        let types = self.func.param_types();
        let kept: Vec<Type> = params.iter().map(|&i| types[i].clone()).collect();
        let body = closed(Kind::Barrier, &kept, |vars| {
            let mut args: Vec<Var> = types.iter().map(Var::zeros).collect();
            params.iter().zip(vars).for_each(|(&i, &v)| args[i] = v);
            let mut wanted = vec![];
            for (sum, &result) in self.sums.iter().zip(&self.func.results) {
                match sum {
                    Some(sum) => wanted.extend(&sum.others),
                    None => wanted.push(result),
                }
            }
            wanted.extend(&self.stacked);
            let func = Func {
                results: wanted,
                ..self.func.clone()
            };
            let mut found = inline(&func, &args).into_iter();
            let mut results = vec![];
            for sum in &self.sums {
                let Some(sum) = sum else {
                    results.extend(found.next());
                    continue;
                };
                let terms: Vec<Var> = found.by_ref().take(sum.others.len()).collect();
                let start = sum.carry.map(|c| args[c as usize]);
                let first = terms.first().map(|_| start).unwrap_or_default();
                results.extend(first.into_iter().chain(terms).reduce(add));
            }
            results.extend(found);
            results
        });
        debug_assert!(body.captures.is_empty(), "a body with all it needs");
        body.func
    }

    /// Adds the products of all steps or elements to what remains of a result.
    fn whole(
        &self,
        result: usize,
        rest: Option<Var>,
        summed: bool,
        inputs: &[Var],
        stacked: &[Var],
    ) -> Option<Var> {
        let products = self.sums[result].iter().flat_map(|sum| &sum.products);
        let products = products.map(|product| {
            let rows = product.factors.map(|a| match self.operand(a) {
                Some(i) => inputs[i],
                None => stacked[self.stacked.iter().position(|s| *s == a).expect("stacked")],
            });
            with_source(product.source, || product.whole(rows, summed))
        });
        rest.into_iter().chain(products).reduce(add)
    }
}

impl Product {
    /// Records the products of all steps or elements from the rows of their factors: their sum, or each.
    fn whole(&self, rows: [Var; 2], summed: bool) -> Var {
        let shift = |pairs: &[(usize, usize)]| -> Vec<(usize, usize)> {
            pairs.iter().map(|p| (p.0 + 1, p.1 + 1)).collect()
        };
        let mut dot = Dot {
            batch: shift(&self.dot.batch),
            contract: shift(&self.dot.contract),
            zero_wins: self.dot.zero_wins,
        };
        match summed {
            true => dot.contract.insert(0, (0, 0)),
            false => dot.batch.insert(0, (0, 0)),
        }
        let product = bind(Op::Dot(dot), &rows)[0];
        match (&self.axes, summed) {
            (None, _) => product,
            (Some(axes), true) => layout::transpose(product, axes),
            (Some(axes), false) => {
                let axes = std::iter::once(0).chain(axes.iter().map(|a| a + 1));
                layout::transpose(product, &axes.collect::<Vec<_>>())
            }
        }
    }
}

/// Records a loop without the products that it adds to its carries, and the sums of these products.
fn out_of_scan(scan: &Scan, inputs: &[Var], room: usize) -> Option<Vec<Var>> {
    let (nc, nx) = (scan.carry, scan.xs);
    let Dim::N(length @ 1..) = scan.length else {
        return None;
    };
    let role = |i: usize| match i {
        _ if i < nc => Role::Carry,
        _ if i < nc + nx => Role::Row,
        _ => Role::Constant,
    };
    let roles = (0..scan.body.arity()).map(role).collect();
    let mut body = Body::new(&scan.body, roles, room / length);
    for j in 0..nc {
        let mut sum = Sum::default();
        body.collect(scan.body.results[j], Some(j as u32), &mut sum);
        if sum.carry.is_some() {
            body.leave(j, sum);
        }
    }
    if body.sums.iter().all(Option::is_none) {
        return None;
    }
    // A carry to which nothing else is added is no carry any more.
    let kept = |i: &usize| *i >= nc || body.stays(*i);
    let params: Vec<usize> = (0..scan.body.arity()).filter(kept).collect();
    let carry = (0..nc).filter(kept).count();
    let looped = Scan {
        body: body.rebuilt(&params),
        carry,
        ..scan.clone()
    };
    let operands: Vec<Var> = params.iter().map(|&i| inputs[i]).collect();
    let out = bind(Op::Scan(Arc::new(looped)), &operands);
    let (carries, rows) = out.split_at(carry);
    let (rows, stacked) = rows.split_at(scan.body.results.len() - nc);
    let mut carries = carries.iter().copied();
    let mut results = vec![];
    for (j, &start) in inputs[..nc].iter().enumerate() {
        let rest = match body.stays(j) {
            true => carries.next(),
            // Nothing is added to zeros.
            false => Some(start).filter(|v| v.as_literal().is_none_or(|l| l.bits != 0)),
        };
        results.extend(body.whole(j, rest, true, inputs, stacked));
    }
    results.extend(rows);
    Some(results)
}

/// Records a map without the products that it sums or stacks, and these products. Rows that other maps read stay.
fn out_of_map(map: &Map, inputs: &[Var], rows: &[bool], room: usize) -> Option<Vec<Var>> {
    if map.extent == 0 {
        return None;
    }
    let role = |mapped: &bool| match mapped {
        true => Role::Row,
        false => Role::Constant,
    };
    let roles = map.mapped.iter().map(role).collect();
    let mut body = Body::new(&map.body, roles, room / map.extent);
    for (r, &result) in map.body.results.iter().enumerate() {
        let mut sum = Sum::default();
        match map.gather[r] {
            Gather::Sum => body.collect(result, None, &mut sum),
            Gather::Stack if rows[r] => {}
            Gather::Stack => sum.products.extend(body.product(result)),
        }
        body.leave(r, sum);
    }
    if body.sums.iter().all(Option::is_none) {
        return None;
    }
    let all: Vec<usize> = (0..map.body.arity()).collect();
    let new = body.rebuilt(&all);
    let kept = (0..map.gather.len()).filter(|&r| body.stays(r));
    let mut gather: Vec<Gather> = kept.map(|r| map.gather[r]).collect();
    let count = gather.len();
    gather.resize(new.results.len(), Gather::Stack);
    let mapped = Map {
        body: new,
        gather,
        ..map.clone()
    };
    let out = bind(Op::Map(Arc::new(mapped)), inputs);
    let (rest, stacked) = out.split_at(count);
    let mut rest = rest.iter().copied();
    let mut results = vec![];
    for (r, gather) in map.gather.iter().enumerate() {
        let rest = rest.by_ref().take(usize::from(body.stays(r))).next();
        results.extend(body.whole(r, rest, *gather == Gather::Sum, inputs, stacked));
    }
    Some(results)
}
