//! A function of a source, with the names of its arguments and results.

use std::collections::{HashMap, HashSet};

use wengert::{FunctionParts, ShapeDtype};
use wengert_ir::schedule::lower_with_notes;
use wengert_ir::schedule::notes::{Notes, Part};
use wengert_loop::buffer::Dense;
use wengert_loop::loops::kernel::as_loops;
use wengert_loop::loops::prepare::prepare;
use wengert_loop::loops::{BufferKind, Program};
use wengert_loop::target::Target;

use crate::CError;
use crate::emit::kernels::is_without_function;
use crate::names;
use crate::unit::{Port, Unit};

/// A leaf of the arguments or of the results.
#[derive(Clone, Debug)]
pub(crate) struct Leaf {
    pub port: Port,
    pub spec: ShapeDtype,
    /// What it is, for people.
    pub said: String,
}

/// What a function computes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Role {
    Value,
    Jvp,
    Vjp,
    Jacobian,
}

/// A function of a source.
#[derive(Clone, Debug)]
pub(crate) struct Function {
    pub name: String,
    pub role: Role,
    parts: FunctionParts,
    pub inputs: Vec<Leaf>,
    pub outputs: Vec<Leaf>,
}

fn leaf(name: String, spec: ShapeDtype, said: String) -> Leaf {
    let port = Port {
        name,
        dtype: spec.dtype,
        len: spec.shape.iter().product(),
    };
    Leaf { port, spec, said }
}

impl Function {
    /// The function itself.
    pub fn plain(name: &str, parts: FunctionParts) -> Function {
        let mut taken = HashSet::from([name.to_string()]);
        let (args, out) = (parts.args.paths(), parts.out.paths());
        let x = names::of_paths(&args, "x", &mut taken);
        let y = names::of_paths(&out, "y", &mut taken);
        let leaves =
            |names: Vec<String>, paths: Vec<String>, what: &str, specs: Vec<ShapeDtype>| {
                let each = names.into_iter().zip(paths).zip(specs);
                let each =
                    each.map(|((name, path), spec)| leaf(name, spec, format!("{what}{path}")));
                each.collect()
            };
        let types = parts.func.param_types().iter().map(ShapeDtype::from);
        let arg_types: Vec<ShapeDtype> = types.take(x.len()).collect();
        let result_types = parts.func.result_types();
        let result_types = result_types.iter().map(ShapeDtype::from).collect();
        Function {
            name: name.to_string(),
            role: Role::Value,
            inputs: leaves(x, args, "args", arg_types),
            outputs: leaves(y, out, "out", result_types),
            parts,
        }
    }

    /// A derivative of this function, by the floats among its arguments, of those among its results.
    pub fn derived(
        &self,
        role: Role,
        parts: FunctionParts,
        xs: &[usize],
        ys: &[usize],
    ) -> Function {
        let (mut inputs, mut outputs) = (self.inputs.clone(), self.outputs.clone());
        let names = inputs.iter().chain(&outputs).map(|l| l.port.name.clone());
        let mut taken: HashSet<String> = names.collect();
        let mut free = |name: String| {
            let mut name = name;
            while !names::is_free(&name) || !taken.insert(name.clone()) {
                name.push('_');
            }
            name
        };
        let mut beside = |l: &Leaf, letter: &str, what: &str| {
            let name = free(format!("{letter}{}", l.port.name));
            leaf(name, l.spec.clone(), format!("the {what} of {}", l.said))
        };
        let suffix = match role {
            Role::Value => "",
            Role::Jvp => {
                let dx: Vec<Leaf> = xs
                    .iter()
                    .map(|&i| beside(&self.inputs[i], "d", "tangent"))
                    .collect();
                let dy: Vec<Leaf> = ys
                    .iter()
                    .map(|&i| beside(&self.outputs[i], "d", "tangent"))
                    .collect();
                inputs.extend(dx);
                outputs.extend(dy);
                "_jvp"
            }
            Role::Vjp => {
                let dy: Vec<Leaf> = ys
                    .iter()
                    .map(|&i| beside(&self.outputs[i], "bar_", "cotangent"))
                    .collect();
                let dx: Vec<Leaf> = xs
                    .iter()
                    .map(|&i| beside(&self.inputs[i], "bar_", "cotangent"))
                    .collect();
                inputs.extend(dy);
                outputs.extend(dx);
                "_vjp"
            }
            Role::Jacobian => {
                for &i in ys {
                    for &j in xs {
                        let (y, x) = (&self.outputs[i], &self.inputs[j]);
                        let shape = [&y.spec.shape[..], &x.spec.shape[..]].concat();
                        // It has the element type of the result, or by reverse mode of the argument.
                        let at = outputs.len();
                        let dtype = parts.func.result_types()[at].dtype;
                        let spec = ShapeDtype { dtype, shape };
                        let name = free(format!("d{}_d{}", y.port.name, x.port.name));
                        outputs.push(leaf(name, spec, format!("d {} / d {}", y.said, x.said)));
                    }
                }
                "_jac"
            }
        };
        Function {
            name: format!("{}{suffix}", self.name),
            role,
            parts,
            inputs,
            outputs,
        }
    }

    /// The names of its arguments and results.
    pub fn leaf_names(&self) -> impl Iterator<Item = &String> {
        let leaves = self.inputs.iter().chain(&self.outputs);
        leaves.map(|l| &l.port.name)
    }

    /// What it computes, for people.
    pub fn said(&self) -> &'static str {
        match self.role {
            Role::Value => "The function.",
            Role::Jvp => "The function, and its derivative along a tangent of the arguments.",
            Role::Vjp => {
                "The function, and the derivative of the inner product of its results with cotangents."
            }
            Role::Jacobian => "The function, and its Jacobian.",
        }
    }

    /// The program of the function, with what the lowering says of it.
    fn lowered(&self) -> Result<(Program, Notes), CError> {
        let target = Target::default().with_threads(|| 1).without_library();
        let (program, notes) = lower_with_notes(&self.parts.func, &target)?;
        let program = captured(program, self.inputs.len(), &self.parts.arrays);
        Ok((program, notes))
    }

    /// The program of the function, with loops instead of kernels.
    pub fn loops(&self) -> Result<Program, CError> {
        let (program, _) = self.lowered()?;
        Ok(prepare(&as_loops(&program, &|_| true)))
    }

    /// Writes the function into a source.
    pub fn write(&self, unit: &mut Unit, lines: bool) -> Result<(), CError> {
        let (program, notes) = self.lowered()?;
        let ports = |all: &[Leaf]| -> Vec<Port> { all.iter().map(|l| l.port.clone()).collect() };
        let said = Said::of(&notes);
        let program = as_loops(&program, &is_without_function);
        unit.add_noted(
            &prepare(&program),
            &self.name,
            &ports(&self.inputs),
            &ports(&self.outputs),
            &|marks| said.of_loop(marks, lines),
        )
    }
}

/// The program with the arrays that the function captures as tables.
fn captured(mut program: Program, args: usize, arrays: &[Dense]) -> Program {
    for b in &mut program.buffers {
        if let BufferKind::Input(n) = b.kind
            && let Some(i) = (n as usize).checked_sub(args)
        {
            let data = &arrays[i].data;
            b.kind = BufferKind::Constant(program.constants.len() as u32);
            program
                .constants
                .push((0..data.len()).map(|i| data.bits(i)).collect());
        }
    }
    program
}

/// What loops come from, by their marks.
struct Said(HashMap<u32, Origin>);

/// The operation that a loop comes from, and its place.
struct Origin {
    name: String,
    at: String,
    line: Option<(String, u32)>,
}

impl Said {
    fn of(notes: &Notes) -> Said {
        let mut said = Said(HashMap::new());
        said.part(notes, &notes.body);
        said
    }

    fn part(&mut self, notes: &Notes, part: &Part) {
        let operation = part.operations.first().copied().or(part.by);
        if let Some(o) = operation {
            let operation = &notes.operations[o];
            let place = operation.source.places().into_iter().next();
            let at = place.as_ref().map_or(String::new(), |p| p.to_string());
            let line = place.map(|p| (p.file, p.line));
            let name = operation.name.clone();
            self.0.insert(part.mark, Origin { name, at, line });
        }
        part.parts.iter().for_each(|p| self.part(notes, p));
    }

    /// What is written in front of a loop with these marks.
    fn of_loop(&self, marks: &[u32], lines: bool) -> Vec<String> {
        let Some(Origin { name, at, line }) = marks.iter().find_map(|m| self.0.get(m)) else {
            return vec![];
        };
        let mut all = vec![format!("{name} at {}", at.replace("*/", "* /"))];
        if lines && let Some((file, line)) = line {
            all.push(format!("#line {line} {file:?}"));
        }
        all
    }
}
