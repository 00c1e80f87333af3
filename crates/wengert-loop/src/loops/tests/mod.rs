mod builder;
mod divide;
mod interp;
mod kernels;
mod math;
mod memory;
mod straight;
mod text;
mod verify;

use super::builder::Builder;
use super::interp::{Error, run};
use super::verify::verify;
use super::{BufferKind, LoopKind, Program, Rows, ScalarOp};
use crate::buffer::{Data, Element};
use crate::types::DType;

fn checked(b: Builder) -> Program {
    let program = b.finish();
    if let Err(e) = verify(&program) {
        panic!("{e}\n{program}");
    }
    let read = Program::parse(&program.to_string()).expect("what is printed is read");
    assert_eq!(read, program);
    program
}

/// Runs a program with one result.
fn result<T: Element>(program: &Program, inputs: &[Data]) -> Result<Vec<T>, Error> {
    let len = |b: &super::Buffer| (b.kind == BufferKind::Output(0)).then_some(b.len);
    let len = program.buffers.iter().find_map(len).expect("a result");
    let inputs: Vec<&Data> = inputs.iter().collect();
    let mut outputs = [Data::zeros(T::DTYPE, len)];
    run(program, &inputs, &mut outputs)?;
    Ok(T::slice(&outputs[0]).expect("of that type").to_vec())
}

fn input(b: &mut Builder, i: u32, dtype: DType, len: usize) -> super::BufferId {
    b.buffer(dtype, len, BufferKind::Input(i))
}

fn output(b: &mut Builder, dtype: DType, len: usize) -> super::BufferId {
    b.buffer(dtype, len, BufferKind::Output(0))
}
