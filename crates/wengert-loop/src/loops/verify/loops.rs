//! Loops and their carried values.

use super::{Check, Checker, State, ensure};
use crate::loops::{Block, Carried, For, LoopKind, Value, While};
use crate::types::DType;

impl Checker<'_> {
    fn params(&self, carried: &[Carried]) -> Check {
        carried.iter().try_for_each(|c| {
            self.flows(c.init, c.param)?;
            ensure(self.ty(c.param) == self.ty(c.out), || {
                format!("{} and {} are of two types", c.param, c.out)
            })
        })
    }

    /// Checks a loop's body: its results must fit the parameters.
    fn body(&mut self, body: &Block, index: Option<Value>, carried: &[Carried]) -> Check {
        let params: Vec<Value> = index
            .into_iter()
            .chain(carried.iter().map(|c| c.param))
            .collect();
        self.region(body, &params, |c, results| {
            ensure(results.len() == carried.len(), || {
                "unequal numbers carried".into()
            })?;
            let mut pairs = results.iter().zip(carried);
            pairs.try_for_each(|(&r, to)| c.flows(r, to.param))
        })
    }

    pub(super) fn for_(&mut self, l: &For) -> Check {
        let &For {
            kind,
            extent,
            index,
            ref carried,
            ref body,
            ..
        } = l;
        self.expect(extent, DType::I64)?;
        self.params(carried)?;
        let vector = kind == LoopKind::Vector;
        ensure(self.ty(index).dtype == DType::I64, || {
            "an index is an i64".into()
        })?;
        ensure(self.lanes(index) == vector, || {
            format!("{index}: a loop's index")
        })?;
        let outer = (self.vector, self.parallel);
        match kind {
            LoopKind::Serial { .. } => {
                if self.lanes(extent) {
                    ensure(carried.iter().all(|c| self.lanes(c.param)), || {
                        "a loop that diverges carries something uniform".into()
                    })?;
                }
            }
            LoopKind::Vector => {
                ensure(!self.vector, || "vector loops do not nest".into())?;
                ensure(
                    carried
                        .iter()
                        .all(|c| self.lanes(c.param) && !self.lanes(c.init)),
                    || "a vector loop carries copies of something uniform".into(),
                )?;
                self.vector = true;
            }
            LoopKind::Parallel => {
                ensure(!self.vector, || "a parallel loop in a vector loop".into())?;
                ensure(!self.parallel, || "parallel loops do not nest".into())?;
                ensure(carried.is_empty(), || {
                    "a parallel loop carries nothing".into()
                })?;
                self.parallel = true;
            }
        }
        self.body(body, Some(index), carried)?;
        (self.vector, self.parallel) = outer;
        let state = if vector {
            State::Copies
        } else {
            State::Defined
        };
        carried
            .iter()
            .try_for_each(|c| self.define_as(c.out, state))
    }

    pub(super) fn while_(&mut self, l: &While) -> Check {
        let carried = &l.carried;
        self.params(carried)?;
        let params: Vec<Value> = carried.iter().map(|c| c.param).collect();
        let mut divergent = false;
        let before = self.state.clone();
        self.region(&l.cond, &params, |c, results| {
            ensure(results.len() == 1, || {
                "a condition yields one truth value".into()
            })?;
            c.expect(results[0], DType::Bool)?;
            divergent = c.lanes(results[0]);
            Ok(())
        })?;
        // The body defines the same parameters.
        for p in params {
            self.state[p.0 as usize] = before[p.0 as usize];
        }
        self.body(&l.body, None, carried)?;
        carried.iter().try_for_each(|c| {
            let stale = divergent && !self.lanes(c.out);
            self.define_as(c.out, if stale { State::Stale } else { State::Defined })
        })
    }
}
