//! Runs a host function on each element of nested batches.

use wengert_ir::buffer::Dense;

/// Nested batches, outermost first: for each the number of elements, and which operands have an axis for it.
/// The axis of the outermost batch is an operand's first.
pub(crate) type Batches = Vec<(usize, Vec<bool>)>;

/// Calls `f` with the operands of each element, in order.
pub(crate) fn each<E>(
    batches: &[(usize, Vec<bool>)],
    operands: &[Dense],
    f: &mut dyn FnMut(&[Dense]) -> Result<(), E>,
) -> Result<(), E> {
    let Some(((size, mapped), inner)) = batches.split_first() else {
        return f(operands);
    };
    for i in 0..*size {
        let rows = operands.iter().zip(mapped).map(|(x, mapped)| match mapped {
            true => row(x, i),
            false => x.clone(),
        });
        each(inner, &rows.collect::<Vec<_>>(), f)?;
    }
    Ok(())
}

fn row(x: &Dense, i: usize) -> Dense {
    let n: usize = x.dims[1..].iter().product();
    Dense::new(x.dims[1..].to_vec(), x.data.pick(i * n..(i + 1) * n))
}
