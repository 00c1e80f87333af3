//! A function both ways: by the interpreter, and lowered, by the reference interpreter of loops, once the
//! lowered program has been written down and read. For tests.

use crate::buffer::{Buffer, Data};
use crate::eval::eval;
use crate::ir::Func;
use crate::loops::{Program, interp, verify};

/// What the text of a program is read as, which must be the same but for the places in it. One with a kernel that cannot
/// be read, of the host or of somebody's own, stays as it is.
///
/// # Errors
/// If it is not.
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

/// Whether the lowered function gives the same bits (but for those of a NaN).
///
/// # Errors
/// What went wrong, or where they differ, with the program.
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
        (Err(_), Err(interp::Error::MaxSteps(_) | interp::Error::Failed(_))) => return Ok(()),
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
