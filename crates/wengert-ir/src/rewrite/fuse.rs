//! Fusion of maps: two maps over the same elements become one if the second reads rows that the first gives. So the
//! forward and the backward pass of an ensemble run together, and the values that go from one to the other are never
//! stored for the whole ensemble.
//!
//! Elementwise operations between two such maps become part of the fused map.

use std::sync::Arc;

use crate::ir::{Atom, Dim, Eqn, Func, Splat, Type};
use crate::ops::Op;
use crate::ops::map::{Gather, Map};
use crate::trace::{Kind, Var, bind, closed, open, with_source};
use crate::transform::inline;

/// Fuses the maps of a function, in nested functions too.
pub fn fuse_maps(func: &Func) -> Func {
    let inner = |e: &Eqn| Eqn {
        op: (e.op.with_bodies(&mut |f| fuse_maps(f))).unwrap_or_else(|| e.op.clone()),
        ..e.clone()
    };
    let mut func = Func {
        eqns: func.eqns.iter().map(inner).collect(),
        ..func.clone()
    };
    while let Some(fusion) = find(&func) {
        func = fused(&func, &fusion);
    }
    func
}

/// Two maps that are to become one.
struct Fusion {
    first: usize,
    second: usize,
    /// The equations in between that depend on the first map and that the second needs.
    between: Vec<usize>,
    /// The other equations in between that depend on the first map.
    after: Vec<usize>,
}

fn as_map(eqn: &Eqn) -> Option<&Map> {
    match &eqn.op {
        Op::Map(map) => Some(map),
        _ => None,
    }
}

fn find(func: &Func) -> Option<Fusion> {
    let maps: Vec<usize> = (0..func.eqns.len())
        .filter(|&i| as_map(&func.eqns[i]).is_some_and(|m| m.extent > 0))
        .collect();
    for (k, &second) in maps.iter().enumerate() {
        for &first in maps[..k].iter().rev() {
            if let Some(fusion) = fusion(func, first, second) {
                return Some(fusion);
            }
        }
    }
    None
}

fn fusion(func: &Func, first: usize, second: usize) -> Option<Fusion> {
    let (a, b) = (as_map(&func.eqns[first])?, as_map(&func.eqns[second])?);
    if a.extent != b.extent {
        return None;
    }
    let range = first + 1..second;
    if func.eqns[first..=second].iter().any(|e| e.op.has_effect()) {
        return None;
    }
    // `depends` is propagated forward from the first map, `needed` backward from the second.
    let mut depends = vec![false; func.types.len()];
    let outputs = func.eqns[first].outputs.clone();
    outputs.for_each(|v| depends[v as usize] = true);
    let reads = |e: &Eqn, set: &[bool]| {
        let is = |a: &Atom| matches!(a, Atom::Var(v) if set[*v as usize]);
        e.inputs.iter().any(is)
    };
    let mut later = vec![];
    for i in range.clone() {
        let eqn = &func.eqns[i];
        if reads(eqn, &depends) {
            eqn.outputs.clone().for_each(|v| depends[v as usize] = true);
            later.push(i);
        }
    }
    if !reads(&func.eqns[second], &depends) {
        return None;
    }
    let mut needed = vec![false; func.types.len()];
    let need = |needed: &mut Vec<bool>, e: &Eqn| {
        for a in &e.inputs {
            if let Atom::Var(v) = a {
                needed[*v as usize] = true;
            }
        }
    };
    need(&mut needed, &func.eqns[second]);
    let mut between = vec![];
    for &i in later.iter().rev() {
        let eqn = &func.eqns[i];
        if eqn.outputs.clone().any(|v| needed[v as usize]) {
            need(&mut needed, eqn);
            between.push(i);
        }
    }
    between.reverse();
    // Every value that comes from the first map must be read row by row, so sums over the batch do not qualify.
    let summed = |v: u32| {
        let i = v.checked_sub(func.eqns[first].outputs.start);
        i.is_some_and(|i| a.gather.get(i as usize) == Some(&Gather::Sum))
    };
    let from_first = |a: &Atom| matches!(a, Atom::Var(v) if depends[*v as usize]);
    let by_rows = |a: &Atom| !matches!(a, Atom::Var(v) if summed(*v));
    let n = Dim::N(a.extent);
    let local = |&i: &usize| {
        let eqn = &func.eqns[i];
        let rows = |ty: &Type| ty.shape.0.first() == Some(&n);
        matches!(eqn.op, Op::Elementwise(_) | Op::Convert(_))
            && eqn
                .inputs
                .iter()
                .all(|a| rows(func.type_of(*a)) && by_rows(a))
    };
    let mapped = func.eqns[second].inputs.iter().zip(&b.mapped);
    let fits = mapped
        .clone()
        .all(|(a, mapped)| !from_first(a) || (*mapped && by_rows(a)));
    if !fits || !between.iter().all(local) {
        return None;
    }
    later.retain(|i| !between.contains(i));
    Some(Fusion {
        first,
        second,
        between,
        after: later,
    })
}

/// The operands of the fused map.
#[derive(Default)]
struct Operands {
    atoms: Vec<Atom>,
    mapped: Vec<bool>,
}

impl Operands {
    fn place(&mut self, atom: Atom, mapped: bool) -> usize {
        let known = self.atoms.iter().zip(&self.mapped);
        let mut known = known.map(|(a, m)| *a == atom && *m == mapped);
        match known.position(|same| same) {
            Some(i) => i,
            None => {
                self.atoms.push(atom);
                self.mapped.push(mapped);
                self.atoms.len() - 1
            }
        }
    }
}

fn fused(func: &Func, f: &Fusion) -> Func {
    let (trace, params) = open(Kind::Door, func.param_types());
    let mut env: Vec<Option<Var>> = vec![None; func.types.len()];
    for (slot, v) in env.iter_mut().zip(params) {
        *slot = Some(v);
    }
    let record = |i: usize, env: &mut Vec<Option<Var>>| {
        let eqn = &func.eqns[i];
        let inputs: Vec<Var> = eqn.inputs.iter().map(|a| value(env, a)).collect();
        let outputs = with_source(eqn.source, || bind(eqn.op.clone(), &inputs));
        for (v, out) in eqn.outputs.clone().zip(outputs) {
            env[v as usize] = Some(out);
        }
    };
    let moved = |i: &usize| f.between.contains(i) || f.after.contains(i);
    let before = (0..f.first).chain((f.first + 1..f.second).filter(|i| !moved(i)));
    for i in before {
        record(i, &mut env);
    }
    with_source(func.eqns[f.second].source, || bind_fused(func, f, &mut env));
    for i in f.after.iter().copied().chain(f.second + 1..func.eqns.len()) {
        record(i, &mut env);
    }
    let results: Vec<Var> = func.results.iter().map(|a| value(&env, a)).collect();
    trace.close(&results).func
}

fn bind_fused(func: &Func, f: &Fusion, env: &mut [Option<Var>]) {
    let (first, second) = (&func.eqns[f.first], &func.eqns[f.second]);
    let (a, b) = (
        as_map(first).expect("a map"),
        as_map(second).expect("a map"),
    );
    let between: Vec<&Eqn> = f.between.iter().map(|&i| &func.eqns[i]).collect();
    // The values that the fused map computes inside.
    let own: Vec<u32> = first
        .outputs
        .clone()
        .chain(between.iter().flat_map(|e| e.outputs.clone()))
        .collect();
    let inside = |atom: &Atom| matches!(atom, Atom::Var(v) if own.contains(v));
    let mut operands = Operands::default();
    let mut places = |e: &Eqn, mapped: &dyn Fn(usize) -> bool| -> Vec<Option<usize>> {
        let inputs = e.inputs.iter().enumerate();
        let place = |(i, atom): (usize, &Atom)| match atom {
            _ if inside(atom) => None,
            Atom::Lit(_) if mapped(i) => None,
            _ => Some(operands.place(*atom, mapped(i))),
        };
        inputs.map(place).collect()
    };
    let of_first = places(first, &|i| a.mapped[i]);
    let of_between: Vec<_> = between.iter().map(|e| places(e, &|_| true)).collect();
    let of_second = places(second, &|i| b.mapped[i]);
    let types: Vec<Type> = (operands.atoms.iter().zip(&operands.mapped))
        .map(|(atom, mapped)| {
            let ty = func.type_of(*atom);
            if *mapped { ty.row() } else { ty.clone() }
        })
        .collect();
    let body = closed(Kind::Barrier, &types, |vars| {
        let mut rows: Vec<(u32, Var)> = vec![];
        let args = |e: &Eqn, places: &[Option<usize>], rows: &[(u32, Var)]| -> Vec<Var> {
            let inputs = e.inputs.iter().zip(places);
            inputs
                .map(|(atom, place)| match (place, atom) {
                    (Some(i), _) => vars[*i],
                    (None, Atom::Lit(splat)) => {
                        Var::literal(Splat::new(&splat.ty().row(), splat.bits))
                    }
                    (None, Atom::Var(v)) => rows.iter().find(|r| r.0 == *v).expect("made inside").1,
                })
                .collect()
        };
        let mut results = inline(&a.body, &args(first, &of_first, &rows));
        rows.extend(first.outputs.clone().zip(results.iter().copied()));
        for (e, places) in between.iter().zip(&of_between) {
            let outputs = with_source(e.source, || bind(e.op.clone(), &args(e, places, &rows)));
            rows.extend(e.outputs.clone().zip(outputs.iter().copied()));
            results.extend(outputs);
        }
        results.extend(inline(&b.body, &args(second, &of_second, &rows)));
        results
    });
    debug_assert!(body.captures.is_empty(), "a body with all it needs");
    let mut gather = a.gather.clone();
    gather.resize(own.len(), Gather::Stack);
    gather.extend(&b.gather);
    let map = Map {
        body: body.func,
        extent: a.extent,
        mapped: operands.mapped,
        gather,
    };
    let inputs: Vec<Var> = operands.atoms.iter().map(|a| value(env, a)).collect();
    let outputs = bind(Op::Map(Arc::new(map)), &inputs);
    let ids = own.into_iter().chain(second.outputs.clone());
    for (v, out) in ids.zip(outputs) {
        env[v as usize] = Some(out);
    }
}

fn value(env: &[Option<Var>], atom: &Atom) -> Var {
    match atom {
        Atom::Var(v) => env[*v as usize].expect("recorded before it is used"),
        Atom::Lit(splat) => Var::literal(*splat),
    }
}
