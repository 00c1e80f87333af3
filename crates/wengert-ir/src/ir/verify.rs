//! Checks that a function keeps the rules of the IR.

use crate::error::Error;
use crate::ir::{Atom, DType, Eqn, Func, Splat, Type};

/// Checks every rule of the IR, in the function and in the functions that its operations hold: values are numbered
/// without gaps, defined before they are used, and have the types that their operations give.
///
/// # Errors
/// [`Error::Invalid`], which names the equation and its place in the program.
pub fn verify(func: &Func) -> Result<(), Error> {
    if func.arity() > func.types.len() {
        return invalid(format!(
            "{} parameters, but only {} values",
            func.params,
            func.types.len()
        ));
    }
    if let Some(Err(e)) = func.types.iter().map(Type::check_size).find(Result::is_err) {
        return invalid(e.message);
    }
    let mut next = func.params;
    for (i, eqn) in func.eqns.iter().enumerate() {
        check(func, eqn, next).or_else(|e| within(i, eqn, e))?;
        next = eqn.outputs.end;
    }
    if next as usize != func.types.len() {
        return invalid(format!(
            "{} values are defined, and {} have a type",
            next,
            func.types.len()
        ));
    }
    for (i, atom) in func.results.iter().enumerate() {
        operand(*atom, next).or_else(|m| invalid(format!("result {i}: {m}")))?;
    }
    Ok(())
}

fn invalid<T>(message: String) -> Result<T, Error> {
    Err(Error::invalid(message))
}

/// Adds to an error the equation that it is about.
fn within(i: usize, eqn: &Eqn, error: Error) -> Result<(), Error> {
    let message = match error {
        Error::Invalid { message, .. } => message,
        other => other.to_string(),
    };
    let name = eqn.op.name();
    invalid(format!(
        "equation {i} ({name}, at {}): {message}",
        eqn.source
    ))
}

/// Checks an equation whose first result must have the number `next`.
fn check(func: &Func, eqn: &Eqn, next: u32) -> Result<(), Error> {
    for (i, atom) in eqn.inputs.iter().enumerate() {
        operand(*atom, next).or_else(|m| invalid(format!("operand {i}: {m}")))?;
    }
    let outputs = &eqn.outputs;
    if outputs.start != next || outputs.end < next || outputs.end as usize > func.types.len() {
        return invalid(format!(
            "defines v{} to v{} where v{next} is next",
            outputs.start, outputs.end
        ));
    }
    for (i, body) in eqn.op.bodies().into_iter().enumerate() {
        verify(body).or_else(|e| match e {
            Error::Invalid { message, .. } => invalid(format!("in function {i}: {message}")),
            other => Err(other),
        })?;
    }
    let inputs: Vec<Type> = eqn
        .inputs
        .iter()
        .map(|&a| func.type_of(a).clone())
        .collect();
    let expected = match eqn.op.types(&inputs) {
        Ok(types) => types,
        Err(e) => return invalid(e.message),
    };
    let found = &func.types[outputs.start as usize..outputs.end as usize];
    if expected != found {
        let list = |types: &[Type]| {
            let types: Vec<String> = types.iter().map(Type::to_string).collect();
            format!("({})", types.join(", "))
        };
        return invalid(format!("gives {}, not {}", list(&expected), list(found)));
    }
    Ok(())
}

fn operand(atom: Atom, next: u32) -> Result<(), String> {
    match atom {
        Atom::Var(id) if id >= next => Err(format!("v{id} is used before it is defined")),
        Atom::Var(_) => Ok(()),
        Atom::Lit(splat) => literal(splat),
    }
}

fn literal(splat: Splat) -> Result<(), String> {
    let ty = splat.ty();
    if ty.shape.has_run() && splat.bits != 0 {
        // A literal with a run-time axis is an empty list, which is read as zeros.
        return Err(format!("a literal of type {ty} is not zero"));
    }
    ty.check_size().map_err(|e| e.message)?;
    let bits = match ty.dtype {
        DType::Bool => 1,
        dtype => 8 * dtype.bytes(),
    };
    if bits < 64 && splat.bits >> bits != 0 {
        return Err(format!("a literal has more bits than {}", ty.dtype));
    }
    Ok(())
}
