//! Programs: those in files, and random ones.

use wengert_ir::buffer::Dense;
use wengert_ir::ir::Func;
use wengert_ir::loops::LANES;
use wengert_ir::{rewrite, schedule};
use wengert_loop::testing::File;

use wengert::prelude::*;

use super::Example;
use crate::Failure;
use crate::laws::{Case, Given, stacked};
use crate::program::{Limits, Program, Style};

/// Returns the programs in files of `wengert-loop`, with the arguments of their runs.
///
/// # Panics
/// If the sources of that crate are not there.
pub fn files() -> Vec<Example> {
    let mut all = vec![];
    for name in File::names() {
        let file = File::named(&name).unwrap_or_else(|e| panic!("{name}.loop: {e}"));
        for run in file.runs {
            all.push(Example {
                name: format!("{name}.loop, line {}", run.line),
                program: file.program.clone(),
                inputs: run.inputs,
            });
        }
    }
    all
}

/// Returns random differentiable programs: `n` examples from a seed on, in turns a program, its gradient, a batch of the
/// program, and a batch of gradients, with loops, branches and lists in each other.
///
/// # Errors
/// If one of them cannot be traced or lowered, which is a bug of Wengert.
pub fn generated(seed: u64, n: usize, limits: &Limits) -> Result<Vec<Example>, Failure> {
    let mut all = vec![];
    let mut seed = seed;
    while all.len() < n {
        let case = Case::new(Program::random(seed, limits).into());
        let name = |what: &str| format!("seed {seed}, {what}");
        if case.is_small(4)? {
            all.push(example(name("a program"), case.value()?, &case.args)?);
            all.push(example(name("a gradient"), case.gradient()?, &case.args)?);
            let points: Vec<Vec<Dense>> =
                (0..LANES + 1).map(|i| case.moved(0.4 * i as f64)).collect();
            let args = stacked(&points);
            let (value, subject) = (case.subject.clone(), case.subject.clone());
            let batch = vmap(move |(x, _, _): Given| value.build(&x, Style::Structured));
            all.push(batched(name("a batch"), batch, &case, &args)?);
            let gradient = vmap(move |(x, _, w): Given| {
                grad_at(x, |x: Vec<Var>| {
                    (subject.build(&x, Style::Structured) * w).sum()
                })
            });
            all.push(batched(
                name("a batch of gradients"),
                gradient,
                &case,
                &args,
            )?);
        }
        seed += 1;
    }
    all.truncate(n);
    Ok(all)
}

/// The example of a function of the inputs, optimised and lowered as `jit` does.
fn example(name: String, func: &Func, args: &[Dense]) -> Result<Example, Failure> {
    let func = rewrite::optimise(func, true);
    Ok(Example {
        name,
        program: schedule::lower(&func)?,
        inputs: args.iter().map(|a| (*a.data).clone()).collect(),
    })
}

fn batched<Y>(
    name: String,
    f: impl Fn(Given) -> Y,
    case: &Case,
    args: &[Dense],
) -> Result<Example, Failure>
where
    Y: Tree<Leaf = Var>,
{
    let n = case.params();
    let spec = |a: &Dense| ShapeDtype::new(a.dims.to_vec(), DType::F64);
    let specs: Vec<ShapeDtype> = args.iter().map(spec).collect();
    let specs = (
        specs[..n].to_vec(),
        specs[n..2 * n].to_vec(),
        specs[2 * n].clone(),
    );
    let func = wengert::trace(f, &specs)?.into_ir();
    example(name, &func, args)
}
