//! Blocks of random words.

use super::Site;
use crate::elementary::chacha::{self, KEY, Words};
use crate::loops::affine::Affine;
use crate::loops::builder::Builder;
use crate::loops::kernel::RandomBlock;
use crate::loops::{ScalarOp, Value};
use crate::types::DType;

impl Words for Builder {
    type W = Value;

    fn word(&mut self, x: u32) -> Value {
        self.constant(DType::U32, x.into())
    }

    fn sum(&mut self, a: Value, b: Value) -> Value {
        self.add(a, b)
    }

    fn xor(&mut self, a: Value, b: Value) -> Value {
        self.op(ScalarOp::Xor, &[a, b])
    }

    fn rotate(&mut self, a: Value, by: u32) -> Value {
        let by = self.constant(DType::U32, by.into());
        self.op(ScalarOp::Rotl, &[a, by])
    }
}

/// Writes a block as a straight line.
pub(in crate::loops::kernel) fn words(s: &mut Site<'_>, block: &RandomBlock) {
    let (from, to) = (s.region(0), s.region(1));
    let state: Vec<Value> = (0..KEY + 2)
        .map(|i| s.get(&from, &Affine::constant(i as i64)))
        .collect();
    let key: [Value; KEY] = std::array::from_fn(|i| state[i]);
    let number = [state[KEY], state[KEY + 1]];
    let words = chacha::block(&mut *s.b, &key, number, block.0.number());
    for (i, word) in words.into_iter().enumerate() {
        s.set(&to, &Affine::constant(i as i64), word);
    }
}
