//! Checks that no result contains a NaN or an infinity that the function itself produced.
//!
//! Each float is tracked together with its *blame*: the equation that first made it non-finite (the earliest one if
//! several contributed). A value that a selection, a branch or a product with a masked zero has dropped leaves a finite
//! value without blame, whichever operation dropped it. Only what arrives at the results is reported.
//!
//! The blame of an elementwise operation is tracked element by element; elsewhere one number stands for a whole array.
//! Loops, branches and maps pass it through as additional operands and results.

use std::sync::Arc;

use crate::ir::{Atom, DType, Func, Type};
use crate::ops::Op;
use crate::ops::check::check;
use crate::ops::cond::Cond;
use crate::ops::elementwise::{eq, min, select};
use crate::ops::layout::broadcast_to;
use crate::ops::map::{Gather, Map};
use crate::ops::reduce::{Reducer, reduce};
use crate::ops::rows::row;
use crate::ops::scan::Scan;
use crate::ops::while_loop::While;
use crate::rewrite::{number, value};
use crate::source::SourceId;
use crate::trace::{Kind, Var, bind, open, with_source};

/// The blame of finite values.
const NONE: i64 = i64::MAX;

/// The blame of non-finite arguments and literals, which are not reported.
const GIVEN: i64 = NONE - 1;

/// Returns the function with a check that fails with [`Error::Check`](crate::error::Error::Check) if a result is a
/// NaN or an infinity that the function itself produced. The error names the first equation that made it out of
/// finite operands, with the user's line, also in the functions that operations hold.
pub fn check_finite(func: &Func) -> Func {
    let (trace, params) = open(Kind::Door, func.param_types());
    let mut pass = Pass::default();
    let blames = params.iter().map(|&x| refined(x, scalar(GIVEN)));
    let blames = blames.collect();
    let (results, blames) = pass.run(func, params, blames);
    let worst = all(blames);
    for (id, note) in pass.notes.into_iter().enumerate() {
        with_source(note.source, || {
            let blameless = worst.ne(scalar(id as i64));
            check(blameless, &note.message);
        });
    }
    trace.close(&results).func
}

/// The equation to blame for each element of a float, or for all its elements; `None` for other types.
type Blame = Option<Var>;

/// An equation that may be blamed; its index in the list of notes is the number that blames it.
struct Note {
    message: String,
    source: SourceId,
}

#[derive(Default)]
struct Pass {
    notes: Vec<Note>,
}

fn scalar(blame: i64) -> Var {
    Var::scalar(blame)
}

/// Reduces blames to one number: the smallest, that is, the first equation to blame.
fn all(blames: impl IntoIterator<Item = Blame>) -> Var {
    let each = blames.into_iter().flatten().map(|b| {
        let rank = b.ty().rank();
        match (b.as_literal(), rank, b.ty().size()) {
            (_, 0, _) => b,
            (_, _, 0) => scalar(NONE),
            _ => reduce(Reducer::Min, b, &(0..rank).collect::<Vec<_>>()),
        }
    });
    each.fold(scalar(NONE), min)
}

fn is_list(ty: &Type) -> bool {
    ty.shape.has_run()
}

/// Returns the indices of the types that have a blame.
fn tracked(types: &[Type]) -> Vec<usize> {
    (0..types.len()).filter(|&i| types[i].is_float()).collect()
}

/// Returns the blame of each element of `x`, given one blame for the whole: finite elements have none.
fn refined(x: Var, blame: Var) -> Blame {
    let ty = x.ty();
    if !ty.is_float() {
        return None;
    }
    if is_list(&ty) {
        return Some(blame);
    }
    let [blame, none] = [blame, scalar(NONE)].map(|b| broadcast_to(b, &ty.dims()));
    Some(select(x.is_finite(), none, blame))
}

/// Returns the blame of an operand.
fn blame_of(blames: &[Blame], atom: &Atom) -> Blame {
    match atom {
        Atom::Var(id) => blames[*id as usize],
        Atom::Lit(splat) => {
            let x = number(Var::literal(*splat))?;
            Some(scalar(if x.is_finite() { NONE } else { GIVEN }))
        }
    }
}

impl Pass {
    /// Records a function and returns its results and their blames, given those of its parameters.
    fn run(&mut self, func: &Func, x: Vec<Var>, blames: Vec<Blame>) -> (Vec<Var>, Vec<Blame>) {
        let (mut env, mut blames) = (x, blames);
        for eqn in &func.eqns {
            let inputs: Vec<Var> = eqn.inputs.iter().map(|a| value(&env, a)).collect();
            let given: Vec<Blame> = eqn.inputs.iter().map(|a| blame_of(&blames, a)).collect();
            let (outputs, made) = with_source(eqn.source, || match &eqn.op {
                Op::Scan(scan) => self.scan(scan, &inputs, &given),
                Op::While(run) => self.while_loop(run, &inputs, &given),
                Op::Cond(cond) => self.cond(cond, &inputs, &given),
                Op::Map(map) => self.map(map, eqn.source, &inputs, &given),
                Op::Checkpoint(call) => self.run(&call.body, inputs, given),
                op => match op.call() {
                    Some(body) => self.run(body, inputs, given),
                    None => self.plain(op, eqn.source, &inputs, &given),
                },
            });
            env.extend(outputs);
            blames.extend(made);
        }
        let results = func.results.iter();
        results
            .map(|a| (value(&env, a), blame_of(&blames, a)))
            .unzip()
    }

    /// Notes an equation that may be blamed and returns its number.
    fn number(&mut self, name: &str, source: SourceId, outputs: &[Var]) -> Var {
        let types: Vec<String> = outputs.iter().map(|y| y.ty().to_string()).collect();
        let place = match source.is_derivative() {
            true => " in a derivative",
            false => "",
        };
        let types = types.join(", ");
        let message = format!("{name} made a NaN or an infinity ({types}){place}");
        self.notes.push(Note { message, source });
        scalar(self.notes.len() as i64 - 1)
    }

    /// Records an operation that holds no functions.
    fn plain(
        &mut self,
        op: &Op,
        source: SourceId,
        inputs: &[Var],
        given: &[Blame],
    ) -> (Vec<Var>, Vec<Blame>) {
        let outputs = bind(op.clone(), inputs);
        let mut blames = vec![None; outputs.len()];
        let floats: Vec<usize> = (0..outputs.len())
            .filter(|&i| outputs[i].ty().is_float())
            .collect();
        if floats.is_empty() {
            return (outputs, blames);
        }
        // An operation that only moves elements produces nothing non-finite.
        let id = (!op.only_moves()).then(|| self.number(&op.method(), source, &outputs));
        for i in floats {
            let y = outputs[i];
            let ty = y.ty();
            blames[i] = Some(match op {
                _ if is_list(&ty) => all(given.iter().copied()),
                Op::Elementwise(which) => {
                    let spread = |b: Blame| broadcast_to(b.unwrap_or(scalar(NONE)), &ty.dims());
                    let blame = match *which == const { row("select") } {
                        true => select(inputs[0], spread(given[1]), spread(given[2])),
                        false => {
                            let each = given.iter().flatten().map(|&b| spread(Some(b)));
                            each.fold(spread(None), min)
                        }
                    };
                    judged(y.is_finite(), blame, id)
                }
                _ => {
                    let fine = y.is_finite().all();
                    judged(fine, all(given.iter().copied()), id)
                }
            });
        }
        (outputs, blames)
    }

    /// Records a body with `more` additional scalar parameters besides the blames of the `tracked` ones. `finish` makes
    /// the results from the old results, their blames and the additional parameters.
    fn body(
        &mut self,
        func: &Func,
        tracked: &[usize],
        more: usize,
        finish: impl FnOnce(Vec<Var>, Vec<Blame>, &[Var]) -> Vec<Var>,
    ) -> Func {
        let number = Type::scalar(DType::I64);
        let mut types = func.param_types().to_vec();
        let n = types.len();
        types.resize(n + tracked.len() + more, number);
        let (trace, params) = open(Kind::Door, &types);
        let (x, further) = params.split_at(n);
        let mut blames = vec![None; n];
        for (&i, &blame) in tracked.iter().zip(further) {
            blames[i] = refined(x[i], blame);
        }
        let (results, made) = self.run(func, x.to_vec(), blames);
        let results = finish(results, made, &further[tracked.len()..]);
        trace.close(&results).func
    }

    fn scan(&mut self, scan: &Scan, x: &[Var], given: &[Blame]) -> (Vec<Var>, Vec<Blame>) {
        let counts = x.len() - scan.body.arity();
        let (count, x) = x.split_at(counts);
        let (nc, nx) = (scan.carry, scan.xs);
        let carried = Carried::new(&scan.body, nc);
        let body = self.body(
            &scan.body,
            &carried.params,
            carried.rows.len(),
            |y, b, more| carried.results(nc, y, b, more),
        );
        // The carries are the old carries, their blames and the worst blame of each row; the rest follows.
        let n = scan.body.arity();
        let blame = |i: usize| all([given[counts + i]]);
        let order: Vec<usize> = (0..nc)
            .chain(n..n + carried.carries)
            .chain(n + carried.params.len()..body.arity())
            .chain(nc..n)
            .chain(n + carried.carries..n + carried.params.len())
            .collect();
        let mut operands = count.to_vec();
        operands.extend(&x[..nc]);
        operands.extend(carried.params[..carried.carries].iter().map(|&i| blame(i)));
        operands.extend(carried.rows.iter().map(|_| scalar(NONE)));
        operands.extend(&x[nc..]);
        operands.extend(carried.params[carried.carries..].iter().map(|&i| blame(i)));
        let op = Op::Scan(Arc::new(Scan {
            body: body.reordered(&order),
            carry: nc + carried.carries + carried.rows.len(),
            xs: nx,
            length: scan.length,
            reverse: scan.reverse,
        }));
        carried.taken_apart(nc, bind(op, &operands))
    }

    fn while_loop(&mut self, run: &While, x: &[Var], given: &[Blame]) -> (Vec<Var>, Vec<Blame>) {
        let nc = run.carry;
        let n = run.body.arity();
        let carried = Carried::new(&run.body, nc);
        let body = self.body(
            &run.body,
            &carried.params,
            carried.rows.len(),
            |y, b, more| carried.results(nc, y, b, more),
        );
        let further = carried.carries + carried.rows.len();
        let order: Vec<usize> = (0..nc)
            .chain(n..n + carried.carries)
            .chain(n + carried.params.len()..body.arity())
            .chain(nc..n)
            .chain(n + carried.carries..n + carried.params.len())
            .collect();
        let blame = |i: usize| all([given[i]]);
        let mut operands = x[..nc].to_vec();
        operands.extend(carried.params[..carried.carries].iter().map(|&i| blame(i)));
        operands.extend(carried.rows.iter().map(|_| scalar(NONE)));
        operands.extend(&x[nc..n]);
        operands.extend(carried.params[carried.carries..].iter().map(|&i| blame(i)));
        operands.extend(&x[n..]);
        // The condition does not read the blames.
        let mut types = run.cond.param_types()[..nc].to_vec();
        types.resize(nc + further, Type::scalar(DType::I64));
        types.extend_from_slice(&run.cond.param_types()[nc..]);
        let places: Vec<usize> = (0..nc).chain(nc + further..types.len()).collect();
        let op = Op::While(Arc::new(While {
            cond: run.cond.with_params(types, &places),
            body: body.reordered(&order),
            carry: nc + further,
            limit: run.limit,
        }));
        let mut outputs = bind(op, &operands);
        let count = outputs.remove(nc + further);
        let (mut outputs, mut blames) = carried.taken_apart(nc, outputs);
        outputs.insert(nc, count);
        blames.insert(nc, None);
        (outputs, blames)
    }

    fn cond(&mut self, cond: &Cond, x: &[Var], given: &[Blame]) -> (Vec<Var>, Vec<Blame>) {
        let params = tracked(cond.branches[0].param_types());
        let floats = tracked(&cond.branches[0].result_types());
        let branches = cond.branches.each_ref().map(|f| {
            self.body(f, &params, 0, |mut y, b, _| {
                y.extend(floats.iter().map(|&i| all([b[i]])));
                y
            })
        });
        let blames = params.iter().map(|&i| all([given[i + 1]]));
        let operands: Vec<Var> = x.iter().copied().chain(blames).collect();
        // The blame of a result is read even where the result itself is not.
        let only = vec![None; branches[0].results.len()];
        let outputs = bind(Op::Cond(Arc::new(Cond { branches, only })), &operands);
        let n = cond.branches[0].results.len();
        let mut made = vec![None; n];
        for (&i, &b) in floats.iter().zip(&outputs[n..]) {
            made[i] = refined(outputs[i], b);
        }
        (outputs[..n].to_vec(), made)
    }

    fn map(
        &mut self,
        map: &Map,
        source: SourceId,
        x: &[Var],
        given: &[Blame],
    ) -> (Vec<Var>, Vec<Blame>) {
        let params = tracked(map.body.param_types());
        let floats = tracked(&map.body.result_types());
        let body = self.body(&map.body, &params, 0, |mut y, b, _| {
            y.extend(floats.iter().map(|&i| all([b[i]])));
            y
        });
        let blames = params.iter().map(|&i| all([given[i]]));
        let operands: Vec<Var> = x.iter().copied().chain(blames).collect();
        let mut mapped = map.mapped.clone();
        mapped.resize(operands.len(), false);
        let n = map.body.results.len();
        let mut gather = map.gather.clone();
        gather.resize(n + floats.len(), Gather::Stack);
        let op = Op::Map(Arc::new(Map {
            body,
            extent: map.extent,
            mapped,
            gather,
        }));
        let outputs = bind(op, &operands);
        let mut made = vec![None; n];
        for (&i, &b) in floats.iter().zip(&outputs[n..]) {
            let (y, b) = (outputs[i], all([Some(b)]));
            made[i] = match (map.gather[i], is_list(&y.ty())) {
                // The sum of finite values may overflow.
                (Gather::Sum, false) => {
                    let id = self.number("sum", source, &[y]);
                    Some(judged(y.is_finite().all(), b, Some(id)))
                }
                _ => refined(y, b),
            };
        }
        (outputs[..n].to_vec(), made)
    }
}

/// Returns the blame of results, given the blame of the operands: where a result is not finite, that of the operands,
/// or equation `id` if they have none.
fn judged(fine: Var, blame: Var, id: Option<Var>) -> Var {
    let dims = fine.shape();
    let spread = |b: Var| broadcast_to(b, &dims);
    let none = spread(scalar(NONE));
    let made = match id {
        Some(id) => select(eq(blame, none), spread(id), blame),
        None => blame,
    };
    select(fine, none, made)
}

/// What a loop carries from step to step besides its own carries.
struct Carried {
    /// The parameters of the loop's body that have a blame.
    params: Vec<usize>,
    /// The number of these parameters that are carries.
    carries: usize,
    /// The results after the carries that have a blame; the loop carries the worst blame of each.
    rows: Vec<usize>,
}

impl Carried {
    fn new(body: &Func, carry: usize) -> Carried {
        let params = tracked(body.param_types());
        let rows = tracked(&body.result_types());
        Carried {
            carries: params.iter().filter(|&&i| i < carry).count(),
            rows: rows.into_iter().filter(|&i| i >= carry).collect(),
            params,
        }
    }

    /// Returns the results of a step: carries, their blames, the worst blames so far, rows.
    fn results(&self, nc: usize, y: Vec<Var>, b: Vec<Blame>, worst: &[Var]) -> Vec<Var> {
        let mut out = y[..nc].to_vec();
        out.extend(self.params[..self.carries].iter().map(|&i| all([b[i]])));
        let rows = self.rows.iter().zip(worst);
        out.extend(rows.map(|(&i, &worst)| min(worst, all([b[i]]))));
        out.extend(&y[nc..]);
        out
    }

    /// Splits the outputs into the loop's own results and their blames, which stand between carries and rows.
    fn taken_apart(&self, nc: usize, outputs: Vec<Var>) -> (Vec<Var>, Vec<Blame>) {
        let (carry, rest) = outputs.split_at(nc);
        let (further, rows) = rest.split_at(self.carries + self.rows.len());
        let y = [carry, rows].concat();
        let mut blames = vec![None; y.len()];
        let places = self.params[..self.carries].iter().chain(&self.rows);
        for (&i, &b) in places.zip(further) {
            blames[i] = refined(y[i], b);
        }
        (y, blames)
    }
}
