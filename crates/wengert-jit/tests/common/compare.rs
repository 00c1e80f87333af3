//! Compiled programs against the reference interpreter.

use wengert_jit::{Cpu, Executable, Options, Vectors, code_for, compile};
use wengert_loop::buffer::Data;
use wengert_loop::loops::{BufferKind, Program, interp, verify};

fn outputs(p: &Program) -> Vec<Data> {
    let mut out: Vec<(u32, Data)> = p
        .buffers
        .iter()
        .filter_map(|b| match b.kind {
            BufferKind::Output(i) => Some((i, Data::zeros(b.dtype, b.len))),
            _ => None,
        })
        .collect();
    out.sort_by_key(|o| o.0);
    out.into_iter().map(|o| o.1).collect()
}

/// Whether two arrays have the same bits, any NaN being as good as another.
pub fn same(a: &Data, b: &Data) -> bool {
    if a.dtype() != b.dtype() || a.len() != b.len() {
        return false;
    }
    (0..a.len()).all(|i| {
        let nan = |d: &Data| match d {
            Data::F64(v) => v[i].is_nan(),
            Data::F32(v) => v[i].is_nan(),
            _ => false,
        };
        a.bits(i) == b.bits(i) || (nan(a) && nan(b))
    })
}

/// Verifies, interprets, compiles and runs a program, for this machine and for any; all must agree.
/// There must be code for another architecture, too.
pub fn agree(p: &Program, inputs: &[Data]) -> Vec<Data> {
    let ins: Vec<&Data> = inputs.iter().collect();
    verify::verify(p).unwrap_or_else(|e| panic!("{e}\n{p:?}"));
    let mut want = outputs(p);
    interp::run(p, &ins, &mut want).expect("it runs");
    let narrow = Options {
        cpu: Cpu::baseline(),
        ..Options::default()
    };
    let with = |vectors| Options {
        vectors,
        ..Options::default()
    };
    for options in [narrow, with(Vectors::Functions), with(Vectors::AllLoops)] {
        let exe = compile(p, &options).expect("it compiles");
        check(&exe, &ins, &want);
        check(&exe, &ins, &want);
        check_in_place(&exe, inputs, &want);
    }
    // Of what cannot be run here there is code all the same.
    for cpu in [Cpu::ARM64, Cpu::X86_64_V4] {
        let options = Options {
            cpu,
            ..with(Vectors::AllLoops)
        };
        if !cpu.runs_here() {
            code_for(p, &options).expect("it compiles");
        }
    }
    want
}

/// Writes each output over each input that allows it. How many pairs there are.
pub fn check_in_place(exe: &Executable, inputs: &[Data], want: &[Data]) -> usize {
    let mut pairs = 0;
    for o in 0..want.len() {
        for i in exe.choices(o).iter().map(|&i| i as usize) {
            let mut got: Vec<Data> = want
                .iter()
                .map(|d| Data::zeros(d.dtype(), d.len()))
                .collect();
            got[o] = inputs[i].clone();
            let mut call = exe.prepare().expect("memory");
            for (n, data) in got.iter_mut().enumerate() {
                call.output(n, data).expect("an output");
            }
            for (n, data) in inputs.iter().enumerate() {
                let given = match n == i {
                    true => call.input_in_output(i, o),
                    false => call.input(n, data),
                };
                given.expect("an input");
            }
            call.run().expect("it runs");
            for (n, (a, b)) in got.iter().zip(want).enumerate() {
                assert!(
                    same(a, b),
                    "output {n} (with input {i} in output {o}): {a:?}\nexpected {b:?}"
                );
            }
            pairs += 1;
        }
    }
    pairs
}

pub fn check(exe: &Executable, inputs: &[&Data], want: &[Data]) {
    let mut got: Vec<Data> = want
        .iter()
        .map(|d| Data::zeros(d.dtype(), d.len()))
        .collect();
    let mut outs: Vec<&mut Data> = got.iter_mut().collect();
    exe.run(inputs, &mut outs).expect("it runs");
    for (n, (a, b)) in got.iter().zip(want).enumerate() {
        assert!(same(a, b), "output {n}: {a:?}\nexpected {b:?}");
    }
}
