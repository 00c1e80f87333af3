//! Programs on floats of 64 bits as programs on floats of 32 bits.

use wengert_loop::buffer::Data;
use wengert_loop::loops::walk;
use wengert_loop::loops::{Block, Program, Stmt};
use wengert_loop::types::DType;

/// The same program with `f32` for each `f64`. No value may be an operand whose bits count.
pub fn in_singles(p: &Program) -> Program {
    let mut out = p.clone();
    let doubles: Vec<bool> = p.values.iter().map(|t| t.dtype == DType::F64).collect();
    constants(&mut out.body, &doubles);
    for t in out.values.iter_mut().filter(|t| t.dtype == DType::F64) {
        t.dtype = DType::F32;
    }
    for b in out.buffers.iter_mut().filter(|b| b.dtype == DType::F64) {
        b.dtype = DType::F32;
    }
    out
}

fn constants(block: &mut Block, doubles: &[bool]) {
    for s in &mut block.stmts {
        if let Stmt::Const { out, bits } = s
            && doubles[out.0 as usize]
        {
            *bits = (f64::from_bits(*bits) as f32).to_bits().into();
        }
        walk::blocks_mut(s).for_each(|b| constants(b, doubles));
    }
}

/// Inputs of such a program.
pub fn single_inputs(inputs: &[Data]) -> Vec<Data> {
    let single = |d: &Data| match d {
        Data::F64(v) => Data::F32(v.iter().map(|&x| x as f32).collect()),
        other => other.clone(),
    };
    inputs.iter().map(single).collect()
}
