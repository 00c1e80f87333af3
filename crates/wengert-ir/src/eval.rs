//! The interpreter: evaluates a function equation by equation. It is the oracle for all compiled code.

use crate::buffer::{Buffer, NoMemory, within_memory};
use crate::error::{Error, Result, counted};
use crate::ir::{Atom, Func, Type};

/// Evaluates a function at the given arguments.
///
/// # Errors
/// If an argument does not have the type of its parameter, an operation fails at run time, or there is
/// not enough memory for a value.
pub fn eval(func: &Func, args: &[Buffer]) -> Result<Vec<Buffer>> {
    if args.len() != func.arity() {
        return Err(Error::value(
            "eval",
            format!(
                "{} for {}",
                counted(args.len(), "argument", "arguments"),
                counted(func.arity(), "parameter", "parameters")
            ),
            None,
        ));
    }
    for (i, (arg, ty)) in args.iter().zip(func.param_types()).enumerate() {
        if !arg.fits(ty) {
            return Err(Error::value(
                "eval",
                format!("argument {i} is not a {ty}"),
                None,
            ));
        }
    }
    within_memory(|| run(func, args.to_vec())).unwrap_or_else(|e| Err(e.error("eval", None)))
}

/// Evaluates a function like [`eval`], for arguments whose types are known to fit.
pub(crate) fn run(func: &Func, args: Vec<Buffer>) -> Result<Vec<Buffer>> {
    let mut values = args;
    let get = |values: &[Buffer], atom: &Atom| match atom {
        Atom::Var(id) => values[*id as usize].clone(),
        Atom::Lit(splat) => Buffer::filled(splat.ty(), splat.bits),
    };
    for eqn in &func.eqns {
        let evaluated = within_memory(|| {
            let inputs: Vec<Buffer> = eqn.inputs.iter().map(|a| get(&values, a)).collect();
            // Checked before the operation runs: a long loop should not run only to find that its results do not fit.
            let outputs = eqn.outputs.clone().map(|o| &func.types[o as usize]);
            outputs
                .filter(|ty| !ty.shape.has_run())
                .try_for_each(has_room)?;
            eqn.op.eval(&inputs)
        });
        let outputs = evaluated
            .unwrap_or_else(|e| Err(e.error(&eqn.op.method(), None)))
            .map_err(|e| e.placed_at(eqn.source))?;
        debug_assert_eq!(outputs.len(), eqn.outputs.len(), "{}", eqn.op.name());
        debug_assert!(
            eqn.outputs
                .clone()
                .zip(&outputs)
                .all(|(o, v)| v.fits(&func.types[o as usize])),
            "{} gave a value of another type than it said",
            eqn.op.name()
        );
        values.extend(outputs);
    }
    Ok(func.results.iter().map(|a| get(&values, a)).collect())
}

/// Checks that a large value fits into memory: allocates its size and frees it at once.
fn has_room(ty: &Type) -> Result<()> {
    const LARGE: usize = 1 << 20;
    let (len, bytes) = (ty.size(), ty.size().saturating_mul(ty.dtype.bytes()));
    if bytes < LARGE || Vec::<u8>::new().try_reserve_exact(bytes).is_ok() {
        return Ok(());
    }
    let dtype = ty.dtype;
    NoMemory { dtype, len }.raise()
}
