//! Compiled programs against the reference interpreter.

use wengert_jit::{Cpu, Executable, Options, Vectors, code_for, compile};
use wengert_loop::buffer::Data;
use wengert_loop::loops::{Program, verify};
use wengert_loop::testing::{File, Interpreter, Run, Runner, difference, shrunk};

/// Whether two arrays have the same bits, any NaN being as good as another.
pub fn same(a: &Data, b: &Data) -> bool {
    difference(std::slice::from_ref(a), std::slice::from_ref(b)).is_none()
}

/// Verifies, interprets, compiles and runs a program, for this machine and for any; all must agree.
/// There must be code for another architecture, too, and the text of the program must be read as the
/// same program.
///
/// # Panics
/// If they do not, with a smaller program for which they do not either, as a file.
pub fn agree(p: &Program, inputs: &[Data]) -> Vec<Data> {
    let wrong = match tried(p, inputs) {
        Ok(want) => return want,
        Err(wrong) => wrong,
    };
    // What is wrong with the program itself would not stay the same when the program changes.
    if verify::verify(p).is_err() || Interpreter.run(p, inputs).is_err() {
        panic!("{wrong}\n{p:?}");
    }
    let (small, inputs) = shrunk(p, inputs, 2000, |p, inputs| tried(p, inputs).is_err());
    let wrong = tried(&small, &inputs).err().unwrap_or(wrong);
    panic!("{wrong}\n{}", file(&small, &inputs));
}

/// A program as a file, with what the interpreter gives.
pub fn file(program: &Program, inputs: &[Data]) -> File {
    File {
        name: "small".into(),
        program: program.clone(),
        runs: vec![Run {
            line: 0,
            inputs: inputs.to_vec(),
            expected: Interpreter.run(program, inputs),
        }],
        wide: None,
    }
}

/// What [`agree`] wants, or who does not.
fn tried(p: &Program, inputs: &[Data]) -> Result<Vec<Data>, String> {
    let ins: Vec<&Data> = inputs.iter().collect();
    verify::verify(p)?;
    if !p.has_foreign_kernel() {
        let read = Program::parse(&p.to_string()).map_err(|e| format!("its text: {e}"))?;
        if format!("{read:#}") != format!("{p:#}") {
            return Err(format!("its text is read as another program:\n{read}"));
        }
    }
    let want = Interpreter.run(p, inputs).map_err(|e| e.to_string())?;
    let narrow = Options {
        cpu: Cpu::baseline(),
        ..Options::default()
    };
    let with = |vectors| Options {
        vectors,
        ..Options::default()
    };
    let half = Options {
        cpu: match Cpu::X86_64_V3.runs_here() {
            true => Cpu::X86_64_V3,
            false => Cpu::host(),
        },
        ..with(Vectors::AllLoops)
    };
    // Of longer programs every second one.
    let short = p.values.len() < 40 || p.values.len().is_multiple_of(2);
    for (what, options) in [
        Some(("for any processor", narrow)),
        Some(("with wide functions", with(Vectors::Functions))),
        short.then_some(("in registers of 256 bits", half)),
        Some(("with wide loops", with(Vectors::AllLoops))),
    ]
    .into_iter()
    .flatten()
    {
        let wrong = |e: &dyn std::fmt::Display| format!("compiled {what}: {e}");
        let exe = compile(p, &options).map_err(|e| wrong(&e))?;
        for _ in 0..2 {
            compared(&exe, &ins, &want).map_err(|e| wrong(&e))?;
        }
        compared_in_place(&exe, inputs, &want).map_err(|e| wrong(&e))?;
    }
    // Of what cannot be run here there is code all the same.
    for cpu in [Cpu::ARM64, Cpu::X86_64_V3, Cpu::X86_64_V4] {
        let options = Options {
            cpu,
            ..with(Vectors::AllLoops)
        };
        if !cpu.runs_here() {
            code_for(p, &options).map_err(|e| format!("for {cpu}: {e}"))?;
        }
    }
    Ok(want)
}

/// Writes each output over each input that allows it. How many pairs there are.
pub fn check_in_place(exe: &Executable, inputs: &[Data], want: &[Data]) -> usize {
    compared_in_place(exe, inputs, want).unwrap_or_else(|e| panic!("{e}"))
}

/// The same, or where they differ.
pub fn compared_in_place(
    exe: &Executable,
    inputs: &[Data],
    want: &[Data],
) -> Result<usize, String> {
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
            call.run().map_err(|e| e.to_string())?;
            if let Some(wrong) = difference(&got, want) {
                return Err(format!("with input {i} in output {o}: {wrong}"));
            }
            pairs += 1;
        }
    }
    Ok(pairs)
}

pub fn check(exe: &Executable, inputs: &[&Data], want: &[Data]) {
    compared(exe, inputs, want).unwrap_or_else(|e| panic!("{e}"));
}

/// Runs a program, whose results must be those.
fn compared(exe: &Executable, inputs: &[&Data], want: &[Data]) -> Result<(), String> {
    let mut got: Vec<Data> = want
        .iter()
        .map(|d| Data::zeros(d.dtype(), d.len()))
        .collect();
    let mut outs: Vec<&mut Data> = got.iter_mut().collect();
    exe.run(inputs, &mut outs).map_err(|e| e.to_string())?;
    match difference(&got, want) {
        Some(wrong) => Err(wrong),
        None => Ok(()),
    }
}

/// The number of loops in registers of 512 bits, and how many of them have blocks of sixteen lanes.
pub fn wide_loops(p: &Program) -> (usize, usize) {
    let options = Options {
        cpu: Cpu::X86_64_V4,
        vectors: Vectors::AllLoops,
        listing: true,
        ..Options::default()
    };
    let made = code_for(p, &options).expect("it compiles");
    let functions = made.functions.expect("they were asked for");
    let sixteen = functions.iter().filter(|f| f.name.contains("16 lanes"));
    (made.size.wide_loops, sixteen.count())
}
