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

/// The number of elements.
pub(crate) fn count(batches: &[(usize, Vec<bool>)]) -> usize {
    batches.iter().map(|(size, _)| size).product()
}

/// The operands with one axis for the elements of all batches in front; those without an axis for a batch are repeated.
pub(crate) fn whole(batches: &[(usize, Vec<bool>)], operands: &[Dense]) -> Vec<Dense> {
    let n = count(batches);
    let widened = |(k, x): (usize, &Dense)| {
        let own = batches.iter().filter(|(_, mapped)| mapped[k]).count();
        let inner = &x.dims[own..];
        let dims = [&[n], inner].concat();
        if own == batches.len() {
            return Dense {
                dims: dims.into(),
                data: x.data.clone(),
            };
        }
        let len: usize = inner.iter().product();
        let places = |i: usize| {
            // The element's number in each batch, outermost first, makes that of its row.
            let (mut below, mut row) = (n, 0);
            for (size, mapped) in batches {
                below /= size;
                if mapped[k] {
                    row = row * size + i / below % size;
                }
            }
            row * len..(row + 1) * len
        };
        let data = x.data.pick((0..n).flat_map(places));
        Dense::new(dims, data)
    };
    operands.iter().enumerate().map(widened).collect()
}

fn row(x: &Dense, i: usize) -> Dense {
    let n: usize = x.dims[1..].iter().product();
    Dense::new(x.dims[1..].to_vec(), x.data.pick(i * n..(i + 1) * n))
}
