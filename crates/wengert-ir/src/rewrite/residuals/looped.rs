//! A common view of scans, whiles and maps: each goes step by step through rows.

use std::sync::Arc;

use crate::ir::{Atom, Dim, Func};
use crate::ops::Op;
use crate::ops::map::{Gather, Map};
use crate::ops::scan::Scan;
use crate::ops::while_loop::While;

/// An equation whose outputs need not be numbered consecutively.
#[derive(Clone)]
pub struct Line {
    pub op: Op,
    pub inputs: Vec<Atom>,
    pub outputs: Vec<u32>,
    pub source: crate::source::SourceId,
}

/// The source of a parameter of a body.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Role {
    /// The carry with this index.
    Carry(usize),
    /// A row of an operand.
    Row(Atom),
    /// A whole operand, the same in every step.
    Constant(Atom),
}

/// The common description of a loop.
pub struct Loop<'a> {
    pub body: &'a Func,
    /// The number of carried values.
    pub carry: usize,
    /// The source of each parameter of the body.
    pub roles: Vec<Role>,
    /// The number of steps.
    pub length: Dim,
    /// The trip count, if it is known only when the loop runs.
    pub count: Option<Atom>,
    /// Whether the steps go from the last row to the first; `None` if the steps have no order.
    pub reverse: Option<bool>,
    /// The number of operands in front of those of the body.
    pub first: usize,
    /// Whether the equation has a step count (that of a while) after its carries.
    counts: bool,
    /// Which results of the body are stacked.
    stacked: Vec<bool>,
}

impl Loop<'_> {
    /// Returns the description of an equation that is a loop, unless it is known to run no step.
    pub fn of(line: &Line) -> Option<Loop<'_>> {
        let inputs = &line.inputs[..];
        let ordered = |carry: usize, xs: usize, inputs: &[Atom], params: usize| {
            let role = |i: usize| match i {
                _ if i < carry => Role::Carry(i),
                _ if i < carry + xs => Role::Row(inputs[i]),
                _ => Role::Constant(inputs[i]),
            };
            (0..params).map(role).collect()
        };
        let behind =
            |carry: usize, body: &Func| (0..body.results.len()).map(|r| r >= carry).collect();
        match &line.op {
            Op::Scan(scan) if scan.length != Dim::N(0) => {
                let first = usize::from(scan.length == Dim::Run);
                Some(Loop {
                    body: &scan.body,
                    carry: scan.carry,
                    roles: ordered(scan.carry, scan.xs, &inputs[first..], scan.body.arity()),
                    length: scan.length,
                    count: (first == 1).then(|| inputs[0]),
                    reverse: Some(scan.reverse),
                    first,
                    counts: false,
                    stacked: behind(scan.carry, &scan.body),
                })
            }
            Op::While(looped) => Some(Loop {
                body: &looped.body,
                carry: looped.carry,
                roles: ordered(looped.carry, 0, inputs, looped.body.arity()),
                length: Dim::Run,
                count: Some(Atom::Var(line.outputs[looped.carry])),
                reverse: Some(false),
                first: 0,
                counts: true,
                stacked: behind(looped.carry, &looped.body),
            }),
            Op::Map(map) if map.extent > 0 => Some(Loop {
                body: &map.body,
                carry: 0,
                roles: (inputs.iter().zip(&map.mapped))
                    .map(|(&a, mapped)| match mapped {
                        true => Role::Row(a),
                        false => Role::Constant(a),
                    })
                    .collect(),
                length: Dim::N(map.extent),
                count: None,
                reverse: None,
                first: 0,
                counts: false,
                stacked: map.gather.iter().map(|g| *g == Gather::Stack).collect(),
            }),
            _ => None,
        }
    }

    /// Returns the index of the equation's output that is result `r` of the body.
    pub fn output(&self, r: usize) -> usize {
        r + usize::from(self.counts && r >= self.carry)
    }

    /// Returns the equation's outputs for these results of the body, among which all carries must be.
    pub fn outputs(&self, line: &Line, results: &[usize]) -> Vec<u32> {
        let mut outputs: Vec<u32> = (results.iter())
            .map(|&r| line.outputs[self.output(r)])
            .collect();
        if self.counts {
            outputs.insert(self.carry, line.outputs[self.carry]);
        }
        outputs
    }

    /// Returns the results of the body that are stacked.
    pub fn piled(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.stacked.len()).filter(|&r| self.stacked[r])
    }

    /// Returns whether `later` reads the rows that this loop stacks, step for step.
    pub fn is_read_by(&self, later: &Line, looped: &Loop<'_>) -> bool {
        let kind = match later.op {
            Op::Scan(_) => self.reverse.is_some(),
            Op::Map(_) => self.reverse.is_none(),
            _ => false,
        };
        kind && self.length == looped.length && self.count == looped.count
    }

    /// Returns whether `later` runs in the opposite direction.
    pub fn is_opposite(&self, later: &Loop<'_>) -> bool {
        matches!((self.reverse, later.reverse), (Some(a), Some(b)) if a != b)
    }
}

/// Returns the loop's operation with a body that gives the results `kept`, followed by further results to be stacked.
pub fn with_results(line: &Line, body: Func, kept: &[usize]) -> Op {
    match &line.op {
        Op::Scan(scan) => Op::Scan(Arc::new(Scan {
            body,
            carry: scan.carry,
            xs: scan.xs,
            length: scan.length,
            reverse: scan.reverse,
        })),
        Op::While(looped) => Op::While(Arc::new(While {
            body,
            ..(**looped).clone()
        })),
        Op::Map(map) => {
            let mut gather: Vec<Gather> = kept.iter().map(|&r| map.gather[r]).collect();
            gather.resize(body.results.len(), Gather::Stack);
            Op::Map(Arc::new(Map {
                body,
                extent: map.extent,
                mapped: map.mapped.clone(),
                gather,
            }))
        }
        _ => unreachable!("a loop"),
    }
}
