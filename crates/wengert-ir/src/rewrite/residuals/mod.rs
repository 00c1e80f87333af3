//! Chooses what a loop stores for its way back: what is expensive to compute is stored, what is cheap is recomputed.
//!
//! Linearising a loop gives two loops: one that stacks, step by step, the factors of the derivative, and one that
//! reads them. This pass finds such groups (a loop whose rows are read only by later loops over the same steps, in
//! the same function) and makes a [`plan`] for each: the cheapest way for the later loops to obtain the values that
//! they need, by a minimum cut between the values that are available regardless and those that are needed. The later
//! loops then get copies of the recomputed equations, which give the same bits, and the first loop stacks what
//! remains.
//!
//! A loop never stores more bytes than before, and effects, random draws, loops, products and reductions are never
//! recomputed. A [`Choice`] describes what was chosen.

mod cost;
mod looped;
mod plan;
mod reader;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fmt;

use looped::{Line, Loop, Role, with_results};
use plan::{Plan, Question, Way, plan};
use reader::Reader;

use crate::ir::{Atom, Eqn, Func, Type};
use crate::source::SourceId;
use crate::transform::dead::dead_code;

/// What a loop stores in each of its steps for later loops, and what these recompute instead.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Choice {
    /// The name of the loop's operation: `scan`, `while`, `map`.
    pub name: String,
    /// Where the user wrote the loop.
    pub source: SourceId,
    /// The bytes that a step would store if nothing were recomputed; lists are not counted.
    pub before: u64,
    /// The bytes that a step stores.
    pub after: u64,
    /// The stored values: a carry by its number or the operation that gives the value; its type; where the user wrote
    /// it.
    pub stored: Vec<(String, Type, Option<SourceId>)>,
    /// The recomputed operations, and where the user wrote them.
    pub again: Vec<(String, SourceId)>,
}

impl Choice {
    /// Describes the choice: `a step stores 8 bytes instead of 24 (carry 0: f64), 2 operations again (fma, mul)`.
    pub fn said(&self) -> String {
        let mut out = format!("a step stores {} bytes", self.after);
        if self.after < self.before {
            out += &format!(" instead of {}", self.before);
        }
        let stored: Vec<String> = (self.stored.iter())
            .map(|(what, ty, _)| format!("{what}: {ty}"))
            .collect();
        if !stored.is_empty() {
            out += &format!(" ({})", stored.join(", "));
        }
        let mut names: Vec<&str> = self.again.iter().map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        match self.again.len() {
            0 => {}
            1 => out += &format!(", 1 operation again ({})", names[0]),
            n => out += &format!(", {n} operations again ({})", names.join(", ")),
        }
        out
    }
}

impl fmt::Display for Choice {
    /// Writes one line: `scan at src/main.rs:7:5: ` and the description of the choice.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}: {}", self.name, self.source, self.said())
    }
}

/// Chooses what the loops of a function store, in nested functions too, and returns the choices.
pub fn choose_residuals(func: &Func) -> (Func, Vec<Choice>) {
    let mut choices = vec![];
    let func = choose(func, &mut choices);
    (func, choices)
}

fn choose(func: &Func, choices: &mut Vec<Choice>) -> Func {
    let mut line = |e: &Eqn| Line {
        op: (e.op.with_bodies(&mut |f| choose(f, choices))).unwrap_or_else(|| e.op.clone()),
        inputs: e.inputs.to_vec(),
        outputs: e.outputs.clone().collect(),
        source: e.source,
    };
    let mut level = Level {
        lines: func.eqns.iter().map(&mut line).collect(),
        types: func.types.clone(),
        params: func.params,
        returned: func.results.iter().filter_map(number).collect(),
        last: HashMap::new(),
        readers: HashMap::new(),
    };
    level.look();
    for i in 0..level.lines.len() {
        choices.extend(level.choose(i));
    }
    level.finish(func)
}

/// Returns the index of a value, or `None` for a literal.
fn number(atom: &Atom) -> Option<u32> {
    match atom {
        Atom::Var(v) => Some(*v),
        Atom::Lit(_) => None,
    }
}

/// The equations of one function while they are being changed.
struct Level {
    lines: Vec<Line>,
    types: Vec<Type>,
    params: u32,
    returned: HashSet<u32>,
    /// For each value, the last equation that reads it.
    last: HashMap<u32, usize>,
    /// For each result of a loop, the equations that read it.
    readers: HashMap<u32, Vec<usize>>,
}

/// A value that a loop stacks for later loops alone.
struct Handed {
    /// The value in the loop's body.
    atom: Atom,
    /// The stacked value outside the loop.
    output: u32,
}

impl Level {
    fn look(&mut self) {
        for line in &self.lines {
            if Loop::of(line).is_some() {
                let outputs = line.outputs.iter();
                self.readers.extend(outputs.map(|&v| (v, vec![])));
            }
        }
        for (i, line) in self.lines.iter().enumerate() {
            for v in line.inputs.iter().filter_map(number) {
                self.last.insert(v, i);
                if let Some(readers) = self.readers.get_mut(&v)
                    && readers.last() != Some(&i)
                {
                    readers.push(i);
                }
            }
        }
    }

    /// Chooses what equation `i` stores, if it is a loop.
    fn choose(&mut self, i: usize) -> Option<Choice> {
        let first = &self.lines[i];
        let looped = Loop::of(first)?;
        let handed = self.handed(first, &looped);
        if handed.is_empty() {
            return None;
        }
        let later: BTreeSet<usize> = (handed.values())
            .flat_map(|h| self.readers[&h.output].iter().copied())
            .collect();
        let later: Vec<usize> = later.into_iter().collect();
        let sources = self.sources(i, &looped, &handed, &later);
        let wanted: BTreeSet<u32> = handed.values().filter_map(|h| number(&h.atom)).collect();
        let wanted: Vec<u32> = wanted.into_iter().collect();
        let shifted = (later.iter())
            .all(|&l| Loop::of(&self.lines[l]).is_some_and(|later| looped.is_opposite(&later)));
        let next: HashMap<u32, usize> = match shifted {
            true => (0..looped.carry)
                .filter_map(|c| Some((number(&looped.body.results[c])?, c)))
                .collect(),
            false => HashMap::new(),
        };
        let there = sources.iter().map(|(&v, s)| (v, s.1)).collect();
        let plan = plan(&Question {
            body: looped.body,
            wanted: &wanted,
            there: &there,
            next: &next,
            readers: later.len() as u64,
        });
        let choice = described(first, &looped, &wanted, &plan);
        let stays = |h: &Handed| number(&h.atom).is_some_and(|v| plan[&v] == Way::Stored);
        let once = handed.len() == wanted.len();
        if !once || !handed.values().all(stays) {
            let roles = sources.into_iter().map(|(v, s)| (v, s.0)).collect();
            self.apply(i, &handed, &later, roles, &plan);
        }
        Some(choice)
    }

    /// Returns the stacked results that only later loops over the same steps read, row by row, keyed by the result of
    /// the body.
    fn handed(&self, first: &Line, looped: &Loop) -> BTreeMap<usize, Handed> {
        // For each loop, how often it reads each value other than by rows; `None` if it is no loop over the same steps.
        let mut rows: HashMap<usize, Option<HashMap<u32, usize>>> = HashMap::new();
        let mut as_rows = |l: usize, output: u32| {
            let counted = rows.entry(l).or_insert_with(|| {
                let later = &self.lines[l];
                let reader = Loop::of(later).filter(|r| looped.is_read_by(later, r))?;
                let mut counted: HashMap<u32, usize> = HashMap::new();
                for v in later.inputs.iter().filter_map(number) {
                    *counted.entry(v).or_default() += 1;
                }
                for role in &reader.roles {
                    if let Role::Row(Atom::Var(v)) = role {
                        *counted.get_mut(v).expect("an operand") -= 1;
                    }
                }
                Some(counted)
            });
            counted.as_ref().is_some_and(|c| c[&output] == 0)
        };
        let mut handed = BTreeMap::new();
        for result in looped.piled() {
            let output = first.outputs[looped.output(result)];
            let atom = looped.body.results[result];
            let readers = &self.readers[&output];
            if !readers.is_empty()
                && !self.returned.contains(&output)
                && !looped.body.type_of(atom).shape.has_run()
                && readers.iter().all(|&l| as_rows(l, output))
            {
                handed.insert(result, Handed { atom, output });
            }
        }
        handed
    }

    /// Returns the values that the later loops can read without storing them: their source and the cost of reading.
    fn sources(
        &self,
        i: usize,
        looped: &Loop,
        handed: &BTreeMap<usize, Handed>,
        later: &[usize],
    ) -> HashMap<u32, (Role, u64)> {
        let first = &self.lines[i];
        let body = looped.body;
        let read: Vec<HashSet<Role>> = (later.iter())
            .map(|&l| {
                let reader = Loop::of(&self.lines[l]).expect("a loop");
                reader.roles.into_iter().collect()
            })
            .collect();
        let readers = later.len() as u64;
        let cost = |outer: Atom, ty: &Type, lives: bool| match outer {
            Atom::Lit(_) => Some(0),
            _ if read.iter().all(|roles| roles.contains(&Role::Row(outer))) => Some(0),
            _ if lives => cost::read(ty, readers),
            // The value would be freed by then: keeping it alive costs as much as storing it.
            _ => cost::store(ty, readers),
        };
        let mut sources = HashMap::new();
        for (p, role) in looped.roles.iter().enumerate() {
            let ty = &body.types[p];
            let source = match *role {
                Role::Constant(_) => Some((*role, 0)),
                Role::Carry(c) if body.results[c] == Atom::Var(p as u32) => {
                    Some((Role::Constant(first.inputs[looped.first + p]), 0))
                }
                Role::Carry(_) => None,
                Role::Row(outer) => {
                    let lives = number(&outer).is_none_or(|v| {
                        v < self.params || self.returned.contains(&v) || self.last[&v] > i
                    });
                    cost(outer, ty, lives).map(|c| (*role, c))
                }
            };
            sources.extend(source.map(|s| (p as u32, s)));
        }
        for result in looped.piled().filter(|r| !handed.contains_key(r)) {
            let output = first.outputs[looped.output(result)];
            let used = self.returned.contains(&output) || !self.readers[&output].is_empty();
            if let Some(v) = number(&body.results[result])
                && used
                && let Some(c) = cost(Atom::Var(output), &body.types[v as usize], true)
            {
                let source = (Role::Row(Atom::Var(output)), c);
                sources.entry(v).or_insert(source);
            }
        }
        sources
    }

    /// Applies the plan to the loop and its readers.
    fn apply(
        &mut self,
        i: usize,
        handed: &BTreeMap<usize, Handed>,
        later: &[usize],
        mut roles: HashMap<u32, Role>,
        plan: &Plan,
    ) {
        let first = self.lines[i].clone();
        let looped = Loop::of(&first).expect("a loop");
        let body = looped.body;
        // Results that stay keep their place; newly stored values follow.
        let mut new: BTreeSet<u32> = (plan.iter())
            .filter(|(_, way)| **way == Way::Stored)
            .map(|(&v, _)| v)
            .collect();
        let mut kept: Vec<usize> = vec![];
        for r in 0..body.results.len() {
            match handed.get(&r) {
                None => kept.push(r),
                Some(Handed { atom, output }) => {
                    if let Some(v) = number(atom).filter(|v| new.remove(v)) {
                        kept.push(r);
                        roles.insert(v, Role::Row(Atom::Var(*output)));
                    }
                }
            }
        }
        let mut outputs = looped.outputs(&first, &kept);
        let mut results: Vec<Atom> = kept.iter().map(|&r| body.results[r]).collect();
        for v in new {
            let outer = self.value(body.types[v as usize].stacked(looped.length));
            outputs.push(outer);
            results.push(Atom::Var(v));
            roles.insert(v, Role::Row(Atom::Var(outer)));
        }
        let replaced = handed.values().map(|h| (h.output, h.atom)).collect();
        let reader = Reader {
            first: &first,
            looped: &looped,
            plan,
            roles: &roles,
            replaced: &replaced,
        };
        for &l in later {
            let (mut line, carries) = reader.rewritten(&self.lines[l]);
            let at = Loop::of(&self.lines[l]).expect("a loop").carry;
            let carries: Vec<u32> = carries.into_iter().map(|ty| self.value(ty)).collect();
            line.outputs.splice(at..at, carries);
            self.replace(l, line);
        }
        let shorter = dead_code(&Func {
            results,
            ..body.clone()
        });
        let op = with_results(&first, shorter, &kept);
        self.replace(
            i,
            Line {
                op,
                outputs,
                ..first
            },
        );
    }

    /// Creates a value that a loop gives and returns its index.
    fn value(&mut self, ty: Type) -> u32 {
        let v = self.types.len() as u32;
        self.types.push(ty);
        self.readers.insert(v, vec![]);
        v
    }

    fn replace(&mut self, i: usize, line: Line) {
        for v in self.lines[i].inputs.iter().filter_map(number) {
            if let Some(readers) = self.readers.get_mut(&v) {
                readers.retain(|r| *r != i);
            }
        }
        for v in line.inputs.iter().filter_map(number) {
            let last = self.last.entry(v).or_insert(i);
            *last = i.max(*last);
            if let Some(readers) = self.readers.get_mut(&v)
                && !readers.contains(&i)
            {
                readers.push(i);
            }
        }
        self.lines[i] = line;
    }

    /// Returns the function with its values renumbered in order.
    fn finish(self, func: &Func) -> Func {
        let mut place = vec![u32::MAX; self.types.len()];
        let mut types = func.param_types().to_vec();
        for v in 0..self.params {
            place[v as usize] = v;
        }
        let mut eqns = vec![];
        let moved = |place: &[u32], a: &Atom| match a {
            Atom::Var(v) => Atom::Var(place[*v as usize]),
            lit => *lit,
        };
        for line in self.lines {
            let inputs = line.inputs.iter().map(|a| moved(&place, a)).collect();
            let start = types.len() as u32;
            for v in line.outputs {
                place[v as usize] = types.len() as u32;
                types.push(self.types[v as usize].clone());
            }
            eqns.push(Eqn {
                op: line.op,
                inputs,
                outputs: start..types.len() as u32,
                source: line.source,
            });
        }
        Func {
            params: func.params,
            results: func.results.iter().map(|a| moved(&place, a)).collect(),
            types,
            eqns,
        }
    }
}

/// Returns the index of the equation that defines a value, which must not be a parameter.
fn defined_by(func: &Func, value: u32) -> usize {
    func.eqns.partition_point(|e| e.outputs.end <= value)
}

fn described(first: &Line, looped: &Loop, wanted: &[u32], plan: &Plan) -> Choice {
    let body = looped.body;
    let bytes = |v: &u32| cost::bytes(&body.types[*v as usize]).unwrap_or(0);
    let mut values: Vec<(u32, Way)> = plan.iter().map(|(&v, &way)| (v, way)).collect();
    values.sort_unstable_by_key(|(v, _)| *v);
    let stored: Vec<u32> = (values.iter())
        .filter(|(_, way)| *way == Way::Stored)
        .map(|(v, _)| *v)
        .collect();
    let named = |v: &u32| {
        let ty = body.types[*v as usize].clone();
        match looped.roles.get(*v as usize) {
            Some(Role::Carry(c)) => (format!("carry {c}"), ty, None),
            Some(_) => ("a row".to_string(), ty, None),
            None => {
                let eqn = &body.eqns[defined_by(body, *v)];
                (eqn.op.name().to_string(), ty, Some(eqn.source))
            }
        }
    };
    let again = |(_, way): &(u32, Way)| match way {
        Way::Again(e) => Some((body.eqns[*e].op.name().to_string(), body.eqns[*e].source)),
        _ => None,
    };
    Choice {
        name: first.op.name().to_string(),
        source: first.source,
        before: wanted.iter().map(bytes).sum(),
        after: stored.iter().map(bytes).sum(),
        stored: stored.iter().map(named).collect(),
        again: values.iter().filter_map(again).collect(),
    }
}
