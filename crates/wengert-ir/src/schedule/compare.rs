//! Test support: runs a function in the interpreter and compares with the reference interpreter of loops, which runs
//! the lowered program after its text has been printed and parsed again.

use crate::buffer::{Buffer, Data};
use crate::eval::eval;
use crate::ir::Func;
use crate::loops::{Program, interp, verify};

/// Prints a program and returns what its text parses to, which must equal the program except for source places. Returns
/// a program unchanged if it has a kernel that cannot be parsed: a function of the host or a user's own kernel.
///
/// # Errors
/// Fails if the text does not parse or parses to a different program.
pub fn read_again(program: Program) -> Result<Program, String> {
    if program.has_foreign_kernel() {
        return Ok(program);
    }
    let read = Program::parse(&program.to_string()).map_err(|e| format!("{e}\n{program}"))?;
    let text = format!("{program:#}");
    let same = format!("{read:#}") == text;
    let unplaced = Program::parse(&text).map_err(|e| format!("{e}\n{text}"))?;
    match same && unplaced == program.without_places() {
        true => Ok(read),
        false => Err(format!("the text of\n{program}is read as\n{read}")),
    }
}

/// Checks that the lowered function gives the same bits as the interpreter (except for the bits of a NaN).
///
/// # Errors
/// Returns a message that says what went wrong or where the results differ, and shows the program.
pub fn compare(func: &Func, args: &[Buffer]) -> Result<(), String> {
    if args.iter().any(|a| matches!(a, Buffer::List(_)))
        || func.result_types().iter().any(|t| t.shape.has_run())
    {
        return Ok(());
    }
    let wanted = eval(func, args);
    let lowered = super::lower(func).map_err(|e| format!("{e}\n{func}"))?;
    verify::verify(&lowered).map_err(|e| format!("{e}\n{lowered}\n{func}"))?;
    let program = read_again(lowered).map_err(|e| format!("{e}\n{func}"))?;
    let inputs: Vec<&Data> = args.iter().map(|a| &*a.dense().data).collect();
    let types = func.result_types();
    let zeros = types.iter().map(|ty| Data::zeros(ty.dtype, ty.size()));
    let mut outputs: Vec<Data> = zeros.collect();
    let ran = interp::run(&program, &inputs, &mut outputs);
    let wanted = match (wanted, ran) {
        (Ok(wanted), Ok(())) => wanted,
        (Err(_), Err(interp::Error::MaxSteps { .. } | interp::Error::Failed(_))) => return Ok(()),
        (wanted, ran) => {
            let wanted = wanted.map(|_| ());
            return Err(format!("{wanted:?} and {ran:?}\n{program}\n{func}"));
        }
    };
    for (i, (wanted, got)) in wanted.iter().zip(&outputs).enumerate() {
        let wanted = &wanted.dense().data;
        for k in 0..got.len() {
            let nan = |d: &Data| match d {
                Data::F64(v) => v[k].is_nan(),
                Data::F32(v) => v[k].is_nan(),
                _ => false,
            };
            if wanted.bits(k) != got.bits(k) && !(nan(wanted) && nan(got)) {
                let show = |d: &Data| format!("{:?}", d.pick(std::iter::once(k)));
                return Err(format!(
                    "result {i}, element {k}: {} and lowered {}\n{program}\n{func}",
                    show(wanted),
                    show(got)
                ));
            }
        }
    }
    Ok(())
}
