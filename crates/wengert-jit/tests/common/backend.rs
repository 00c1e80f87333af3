//! Compiled code as a back end of the suite of loop programs.

use super::compare;
use wengert_jit::{Cpu, Cranelift, Options, Vectors, code_for};
use wengert_loop::buffer::Data;
use wengert_loop::loops::Program;
use wengert_loop::testing::{File, Runner, Stopped};
use wengert_run::testing::compiled;

/// Code made with these options.
pub struct Compiled(pub Options);

impl Runner for Compiled {
    fn run(&self, program: &Program, inputs: &[Data]) -> Result<Vec<Data>, Stopped> {
        let (exe, results) = compiled(&Cranelift, &self.0, program, inputs)?;
        compare::compared_in_place(&exe, inputs, &results).map_err(Stopped::Other)?;
        Ok(results)
    }
}

/// Code with vector loops in registers of 512 or of 256 bits, as a processor has. Where there are no such registers it
/// is made, and what runs is made for the machine at hand.
pub struct Wide(pub Cpu);

impl Wide {
    fn options(cpu: Cpu) -> Options {
        Options {
            cpu,
            vectors: Vectors::AllLoops,
            unroll: false,
            ..Options::default()
        }
    }
}

impl Runner for Wide {
    fn run(&self, program: &Program, inputs: &[Data]) -> Result<Vec<Data>, Stopped> {
        let cpu = match self.0.runs_here() {
            true => self.0,
            false => Cpu::host(),
        };
        Compiled(Wide::options(cpu)).run(program, inputs)
    }

    /// There is such code of as many loops as the file says.
    fn examine(&self, file: &File) -> Result<(), String> {
        let options = Options {
            listing: true,
            ..Wide::options(self.0)
        };
        let made = code_for(&file.program, &options).map_err(|e| e.to_string())?;
        let wide = made.size.wide_loops;
        if file.wide.is_some_and(|n| n != wide) {
            return Err(format!("{wide} loops in wide registers"));
        }
        let functions = made.functions.expect("they were asked for");
        let registers = match self.0.wide_loops() {
            Some(512) => "zmm",
            _ => "ymm",
        };
        let named = functions.iter().filter(|f| f.assembly.contains(registers));
        match named.count() < wide {
            true => Err(format!(
                "{wide} wide loops, and fewer that name the registers"
            )),
            false => Ok(()),
        }
    }
}

/// Code for a processor that need not be this one: it is made, and the interpreter runs the program.
pub struct Made(pub Cpu);

impl Runner for Made {
    fn run(&self, program: &Program, inputs: &[Data]) -> Result<Vec<Data>, Stopped> {
        wengert_loop::testing::Interpreter.run(program, inputs)
    }

    fn examine(&self, file: &File) -> Result<(), String> {
        let options = Options {
            cpu: self.0,
            vectors: Vectors::AllLoops,
            ..Options::default()
        };
        let made = code_for(&file.program, &options).map_err(|e| e.to_string())?;
        match made.size.bytes {
            0 => Err("no code".into()),
            _ => Ok(()),
        }
    }
}
