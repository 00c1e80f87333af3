//! Ranges of integers: an index that is known to be in range needs no clamp.

use super::Builder;
use crate::loops::{ScalarOp, Value};

/// The least and the greatest number that a value may be.
pub(in crate::loops) type Range = (i64, i64);

impl Builder {
    /// Returns the range of an `i64`, if it is known.
    pub(in crate::loops) fn range(&self, value: Value) -> Option<Range> {
        let known = self.known(value).map(|bits| (bits as i64, bits as i64));
        known.or_else(|| self.ranges.get(&value).copied())
    }

    /// Notes the range of an `i64`, from here on.
    pub(in crate::loops) fn note_between(&mut self, value: Value, range: Range) {
        self.ranges.insert(value, range);
    }

    /// Notes that the index of a loop is below its extent.
    pub(super) fn note_index(&mut self, index: Value, extent: Value) {
        if let Some((_, most)) = self.range(extent) {
            self.ranges
                .insert(index, (0, most.saturating_sub(1).max(0)));
        }
    }

    /// Notes what the operands of an operation on `i64` say of its result.
    pub(super) fn note_range(&mut self, out: Value, op: ScalarOp, args: &[Value]) {
        if let Some(range) = self.range_of(op, args) {
            self.ranges.insert(out, range);
        }
    }

    /// Returns the range of a result; `None` if it is not known or may wrap.
    fn range_of(&self, op: ScalarOp, args: &[Value]) -> Option<Range> {
        let one = |i: usize| self.range(args[i]);
        let both = || Some((one(0)?, one(1)?));
        match op {
            ScalarOp::Add => {
                let (a, b) = both()?;
                Some((a.0.checked_add(b.0)?, a.1.checked_add(b.1)?))
            }
            ScalarOp::Sub => {
                let (a, b) = both()?;
                Some((a.0.checked_sub(b.1)?, a.1.checked_sub(b.0)?))
            }
            ScalarOp::Mul => {
                let (a, b) = both()?;
                let ends = [(a.0, b.0), (a.0, b.1), (a.1, b.0), (a.1, b.1)];
                let all: Option<Vec<i64>> = ends.iter().map(|e| e.0.checked_mul(e.1)).collect();
                let all = all?;
                Some((*all.iter().min()?, *all.iter().max()?))
            }
            // One side bounds the result if the other is not known.
            ScalarOp::Min => match (one(0), one(1)) {
                (Some(a), Some(b)) => Some((a.0.min(b.0), a.1.min(b.1))),
                (Some(a), None) | (None, Some(a)) => Some((i64::MIN, a.1)),
                (None, None) => None,
            },
            ScalarOp::Max => match (one(0), one(1)) {
                (Some(a), Some(b)) => Some((a.0.max(b.0), a.1.max(b.1))),
                (Some(a), None) | (None, Some(a)) => Some((a.0, i64::MAX)),
                (None, None) => None,
            },
            ScalarOp::Rem => {
                let by = one(1).filter(|by| by.0 > 0)?;
                match one(0) {
                    Some(a) if a.0 >= 0 => Some((0, a.1.min(by.1 - 1))),
                    _ => Some((1 - by.1, by.1 - 1)),
                }
            }
            ScalarOp::Div => {
                let (a, by) = both()?;
                (a.0 >= 0 && by.0 > 0).then(|| (a.0 / by.1, a.1 / by.0))
            }
            ScalarOp::And => {
                let mask = |r: Option<Range>| r.filter(|r| r.0 >= 0).map(|r| r.1);
                match (mask(one(0)), mask(one(1))) {
                    (Some(a), Some(b)) => Some((0, a.min(b))),
                    (Some(a), None) | (None, Some(a)) => Some((0, a)),
                    (None, None) => None,
                }
            }
            ScalarOp::Select => {
                let (a, b) = (one(1)?, one(2)?);
                Some((a.0.min(b.0), a.1.max(b.1)))
            }
            _ => None,
        }
    }

    /// Returns the result of an operation on `i64` that the ranges of its operands decide.
    pub(super) fn decided(&mut self, op: ScalarOp, args: &[Value]) -> Option<Value> {
        if args.len() != 2 {
            return None;
        }
        if args[0] == args[1] && matches!(op, ScalarOp::Eq | ScalarOp::Le) {
            return Some(self.bool(true));
        }
        let (a, b) = (self.range(args[0])?, self.range(args[1])?);
        let apart = a.1 < b.0 || b.1 < a.0;
        match op {
            ScalarOp::Min if a.1 <= b.0 => Some(args[0]),
            ScalarOp::Min if b.1 <= a.0 => Some(args[1]),
            ScalarOp::Max if a.0 >= b.1 => Some(args[0]),
            ScalarOp::Max if b.0 >= a.1 => Some(args[1]),
            ScalarOp::Lt if a.1 < b.0 => Some(self.bool(true)),
            ScalarOp::Lt if a.0 >= b.1 => Some(self.bool(false)),
            ScalarOp::Le if a.1 <= b.0 => Some(self.bool(true)),
            ScalarOp::Le if a.0 > b.1 => Some(self.bool(false)),
            ScalarOp::Eq if apart => Some(self.bool(false)),
            ScalarOp::Ne if apart => Some(self.bool(true)),
            _ => None,
        }
    }

    /// Returns the result of an operation that a known truth value decides.
    pub(super) fn decided_by_truth(&self, op: ScalarOp, args: &[Value]) -> Option<Value> {
        let truth = |i: usize| self.known(args[i]).map(|bits| bits != 0);
        match op {
            ScalarOp::Select => Some(if truth(0)? { args[1] } else { args[2] }),
            _ => None,
        }
    }
}
