//! Integers as sums over values that are not themselves sums, so that indices can be compared.

use std::collections::HashMap;

use super::affine::Affine;
use super::{Block, Index, ScalarOp, Stmt, Value, walk};

/// The depth to which the operations that compute an integer are followed.
const DEPTH: u32 = 32;

/// The statements that define values, and the sums that have been found.
///
/// The index of a vector loop counts as a value like any other here, and so do values that differ by lane.
#[derive(Default)]
pub struct Sums<'p> {
    made: HashMap<Value, &'p Stmt>,
    sums: HashMap<Value, Affine>,
}

impl<'p> Sums<'p> {
    /// Adds the statement that defines a value. A sum must be asked for after the statements that it is made of.
    pub fn add(&mut self, value: Value, stmt: &'p Stmt) {
        self.made.insert(value, stmt);
    }

    /// Returns the operation that defines a value, if one does.
    pub fn made(&self, value: Value) -> Option<&'p Stmt> {
        self.made.get(&value).copied()
    }

    /// Returns an integer as a sum.
    pub fn sum(&mut self, value: Value) -> Affine {
        self.sum_to(value, DEPTH)
    }

    /// Returns the element of an index as a sum; `lane` is the index of the vector loop that is open.
    pub fn place(&mut self, index: &Index, lane: Option<Value>) -> Affine {
        let mut at = Affine::constant(index.offset);
        for part in index.base.into_iter().chain(index.each) {
            at.add_scaled(&self.sum(part), 1);
        }
        if let Some(lane) = lane {
            at.add_scaled(&Affine::uniform(lane), index.stride);
        }
        at
    }

    fn sum_to(&mut self, value: Value, depth: u32) -> Affine {
        if let Some(known) = self.sums.get(&value) {
            return known.clone();
        }
        let Some(depth) = depth.checked_sub(1) else {
            return Affine::uniform(value);
        };
        let sum = match self.made.get(&value) {
            Some(Stmt::Const { bits, .. }) => Affine::constant(*bits as i64),
            Some(Stmt::Op { op, args, .. }) => match op {
                ScalarOp::Add | ScalarOp::Sub => {
                    let mut a = self.sum_to(args[0], depth);
                    let k = if *op == ScalarOp::Add { 1 } else { -1 };
                    a.add_scaled(&self.sum_to(args[1], depth), k);
                    a
                }
                ScalarOp::Mul => {
                    let (a, b) = (self.sum_to(args[0], depth), self.sum_to(args[1], depth));
                    let mut product = Affine::default();
                    match (a.as_constant(), b.as_constant()) {
                        (Some(k), _) => product.add_scaled(&b, k),
                        (_, Some(k)) => product.add_scaled(&a, k),
                        _ => product = Affine::uniform(value),
                    }
                    product
                }
                _ => Affine::uniform(value),
            },
            _ => Affine::uniform(value),
        };
        self.sums.insert(value, sum.clone());
        sum
    }
}

/// Returns the sums of the values of a block.
pub fn of(block: &Block) -> Sums<'_> {
    let mut sums = Sums::default();
    walk::stmts(block, &mut |s| {
        if let Some(v) = walk::result(s) {
            sums.add(v, s);
        }
    });
    sums
}
