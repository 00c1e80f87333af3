//! Laws of the stages after differentiation: rewrites, text, machine code.

use wengert::prelude::*;
use wengert_ir::buffer::{Data, Dense};
use wengert_ir::ir::Func;
use wengert_ir::ir::verify::verify;
use wengert_ir::{rewrite, schedule};

use super::Verdict;
use super::case::{Case, Given};
use crate::close::{Failure, agree, fail};
use crate::program::Style;

/// Tolerance for one rounding instead of two.
const FUSED: f64 = 1e-9;
/// Number of elements in a batch.
const LANES: usize = 5;

/// Checks that removing dead code, simplifying, and choosing residuals change no bit, and that contraction only
/// rounds once instead of twice.
pub fn rewrites(case: &Case) -> Result<Verdict, Failure> {
    if !case.is_small(1)? {
        return Ok(Verdict::TooLarge);
    }
    for func in [case.value()?, case.gradient()?] {
        let want = case.run(func)?;
        let rewritten = [
            (
                "without dead code",
                wengert_ir::transform::dead_code(func),
                0.0,
            ),
            ("simplified", rewrite::optimise(func, false), 0.0),
            ("contracted", rewrite::optimise(func, true), FUSED),
        ];
        for (what, func, tolerance) in rewritten {
            verify(&func)?;
            agree([what, "as traced"], &case.run(&func)?, &want, tolerance)?;
        }
        let with = |chosen| {
            let options = rewrite::Options {
                fused: true,
                chosen,
            };
            case.run(&rewrite::optimise_with(func, &options).0)
        };
        let whats = ["with what loops store chosen", "with nothing chosen"];
        agree(whats, &with(true)?, &with(false)?, 0.0)?;
    }
    Ok(Verdict::Held)
}

/// Checks that the text of a function parses to the same function, and that of its loops to the same loops.
pub fn text_form(case: &Case) -> Result<Verdict, Failure> {
    if !case.is_small(1)? {
        return Ok(Verdict::TooLarge);
    }
    let (value, gradient) = (case.value()?, case.gradient()?);
    for func in [value, gradient, &rewrite::optimise(gradient, true)] {
        let text = func.to_string();
        let read = Func::parse(&text)?;
        if read.to_string() != text {
            return fail(format!("the text changes when it is read: {text}\n{read}"));
        }
        let whats = ["the function that was read", "the one that was written"];
        agree(whats, &case.run(&read)?, &case.run(func)?, 0.0)?;
        schedule::compare::read_again(schedule::lower(func)?).map_err(Failure)?;
    }
    Ok(Verdict::Held)
}

/// Checks that compiled code gives the same bits as the interpreter, for the program and its gradient. This
/// also holds for code for the baseline processor, code that may write results over its arguments, and code
/// made without the passes that make it faster.
pub fn machine_code(case: &Case) -> Result<Verdict, Failure> {
    if !case.is_small(2)? {
        return Ok(Verdict::TooLarge);
    }
    let args = arrays(case, &case.args);
    both("the program", jit(value(case)), args.clone())?;
    both("the gradient", jit(gradient(case)), args)?;
    Ok(Verdict::Held)
}

/// Checks the same for a batch of both: a block of lanes, and a remainder.
pub fn machine_code_in_lanes(case: &Case) -> Result<Verdict, Failure> {
    if !case.is_small(2)? {
        return Ok(Verdict::TooLarge);
    }
    let points: Vec<Vec<Dense>> = (0..LANES).map(|i| case.moved(0.4 * i as f64)).collect();
    let args = arrays(case, &super::batches::stacked(&points));
    both("the batch", jit(vmap(value(case))), args.clone())?;
    let gradients = jit(vmap(gradient(case)));
    both("the batch of gradients", gradients, args)?;
    Ok(Verdict::Held)
}

fn value(case: &Case) -> impl Fn(Given) -> Var + Clone + Send + Sync + 'static {
    let subject = case.subject.clone();
    move |(x, _, _)| subject.build(&x, Style::Structured)
}

fn gradient(case: &Case) -> impl Fn(Given) -> Vec<Var> + Clone + Send + Sync + 'static {
    let subject = case.subject.clone();
    move |(x, _, w)| {
        grad_at(x, |x: Vec<Var>| {
            (subject.build(&x, Style::Structured) * w).sum()
        })
    }
}

fn arrays(case: &Case, args: &[Dense]) -> Args {
    let n = case.params();
    let args: Vec<Array> = args.iter().map(|a| Array::from_dense(a.clone())).collect();
    (
        args[..n].to_vec(),
        args[n..2 * n].to_vec(),
        args[2 * n].clone(),
    )
}

type Args = (Vec<Array>, Vec<Array>, Array);

/// Copies the arguments, so that results may be written over them.
fn own(args: &Args) -> Args {
    let own = |a: &Array| {
        let Dense { dims, data } = a.dense();
        Array::from_dense(Dense::new(dims.clone(), (**data).clone()))
    };
    let all = |args: &[Array]| args.iter().map(own).collect();
    (all(&args.0), all(&args.1), own(&args.2))
}

/// Returns the results of code for the baseline of this architecture.
fn anywhere<Y>(f: &Jit<Given, Y>, args: &Args) -> Result<Vec<Dense>, Failure>
where
    Y: Tree<Leaf = Var>,
{
    let (all, _) = tree::flatten(args.clone());
    let spec = |a: &Array| ShapeDtype::new(a.shape(), a.dtype());
    let specs = |args: &[Array]| -> Vec<ShapeDtype> { args.iter().map(spec).collect() };
    let func = f
        .func(&(specs(&args.0), specs(&args.1), spec(&args.2)))?
        .into_ir();
    let options = wengert_jit::Options {
        cpu: wengert_jit::Cpu::baseline(),
        // All functions use the register allocator that only long functions use otherwise.
        quick_above: 0,
        ..Default::default()
    };
    let code = wengert_jit::compile(&schedule::lower(&func)?, &options);
    let code = code.map_err(|e| Failure(e.to_string()))?;
    let types = func.result_types();
    let zeros = types.iter().map(|ty| Data::zeros(ty.dtype, ty.size()));
    let mut results: Vec<Data> = zeros.collect();
    let inputs: Vec<&Data> = all.iter().map(|a| &*a.dense().data).collect();
    let mut outputs: Vec<&mut Data> = results.iter_mut().collect();
    code.run(&inputs, &mut outputs)
        .map_err(|e| Failure(e.to_string()))?;
    let results = types.iter().zip(results);
    Ok(results
        .map(|(ty, data)| Dense::new(ty.dims(), data))
        .collect())
}

fn both<Y>(what: &str, f: Jit<Given, Y>, args: Args) -> Result<(), Failure>
where
    Y: Tree<Leaf = Var>,
{
    let dense = |y: Y::With<Array>| -> Vec<Dense> {
        let (leaves, _) = tree::flatten(y);
        leaves.into_iter().map(Array::into_dense).collect()
    };
    let compiled = dense(f.call(args.clone())?);
    let moved = dense(f.call(own(&args))?);
    let interpreted = dense(f.interpret(args.clone())?);
    let whats = [&format!("{what} compiled")[..], "interpreted"];
    agree(whats, &compiled, &interpreted, 0.0)?;
    agree(
        [
            &format!("{what} compiled for any machine")[..],
            "interpreted",
        ],
        &anywhere(&f, &args)?,
        &interpreted,
        0.0,
    )?;
    let plain = dense(f.plain_code().call(args)?);
    let whats = [
        &format!("{what} compiled without passes")[..],
        "interpreted",
    ];
    agree(whats, &plain, &interpreted, 0.0)?;
    let whats = [
        &format!("{what} written over its arguments")[..],
        "interpreted",
    ];
    agree(whats, &moved, &interpreted, 0.0)
}
