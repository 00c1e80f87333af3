//! Compiled programs against the reference interpreter.

use wengert_ir::buffer::Data;
use wengert_ir::loops::{BufferKind, Program, interp, verify};
use wengert_jit::{Executable, Options, compile};

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
pub fn agree(p: &Program, inputs: &[Data]) -> Vec<Data> {
    let ins: Vec<&Data> = inputs.iter().collect();
    verify::verify(p).unwrap_or_else(|e| panic!("{e}\n{p:?}"));
    let mut want = outputs(p);
    interp::run(p, &ins, &mut want).expect("it runs");
    for baseline in [false, true] {
        let options = Options {
            baseline,
            ..Options::default()
        };
        let exe = compile(p, &options).expect("it compiles");
        check(&exe, &ins, &want);
        check(&exe, &ins, &want);
    }
    want
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
