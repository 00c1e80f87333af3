//! The values of layout operations.

use super::Layout::{self, *};
use super::types::padded;
use super::{places, row_major};
use crate::buffer::{Buffer, Data, Dense};
use crate::ir::{Dim, Shape};

impl Layout {
    /// Computes the result.
    pub(super) fn value(&self, inputs: &[Buffer]) -> Buffer {
        if let Broadcast { shape, axes } = self {
            return eval_broadcast(&inputs[0], &shape.0, axes);
        }
        let x = inputs[0].dense();
        let strides = row_major(&x.dims);
        let value = match self {
            Broadcast { .. } => unreachable!("above"),
            Reshape { dims } => Dense {
                dims: dims.as_slice().into(),
                data: x.data.clone(),
            },
            Transpose { axes } => {
                let dims: Vec<usize> = axes.iter().map(|&a| x.dims[a]).collect();
                let strides: Vec<isize> = axes.iter().map(|&a| strides[a]).collect();
                Dense::new(dims.clone(), x.data.pick(places(&dims, 0, &strides)))
            }
            Slice { start, limit, step } => {
                let dims: Vec<usize> = (0..start.len())
                    .map(|i| (limit[i] - start[i]).div_ceil(step[i]))
                    .collect();
                let first = start.iter().zip(&strides).map(|(&i, s)| i as isize * s);
                let by: Vec<isize> = step
                    .iter()
                    .zip(&strides)
                    .map(|(&n, s)| n as isize * s)
                    .collect();
                let from = places(&dims, first.sum(), &by);
                Dense::new(dims.clone(), x.data.pick(from))
            }
            Pad {
                low,
                high,
                interior,
            } => {
                let dims: Vec<usize> = (0..low.len())
                    .map(|i| padded(x.dims[i], low[i], high[i], interior[i]).expect("typed"))
                    .collect();
                let mut data = Data::zeros(x.data.dtype(), dims.iter().product());
                let strides = row_major(&dims);
                let first = low.iter().zip(&strides).map(|(&i, s)| i as isize * s);
                let by: Vec<isize> = interior
                    .iter()
                    .zip(&strides)
                    .map(|(&n, s)| (n as isize + 1) * s)
                    .collect();
                for (i, to) in places(&x.dims, first.sum(), &by).enumerate() {
                    data.set_bits(to, x.data.bits(i));
                }
                Dense::new(dims, data)
            }
            Concat { axis } => {
                let mut dims = x.dims.clone();
                dims[*axis] = inputs.iter().map(|x| x.dense().dims[*axis]).sum();
                let mut data = Data::zeros(x.data.dtype(), dims.iter().product());
                let strides = row_major(&dims);
                let mut first = 0;
                for x in inputs {
                    let x = x.dense();
                    let to = places(&x.dims, first * strides[*axis], &strides);
                    for (i, to) in to.enumerate() {
                        data.set_bits(to, x.data.bits(i));
                    }
                    first += x.dims[*axis] as isize;
                }
                Dense::new(dims, data)
            }
            Reverse { axes } => {
                let mut by = strides.clone();
                let mut first = 0;
                for &a in axes {
                    by[a] = -strides[a];
                    first += (x.dims[a] as isize - 1) * strides[a];
                }
                let from = places(&x.dims, first, &by);
                Dense::new(x.dims.clone(), x.data.pick(from))
            }
        };
        Buffer::Dense(value)
    }
}

fn eval_broadcast(x: &Buffer, shape: &[Dim], axes: &[usize]) -> Buffer {
    match x {
        Buffer::List(rows) => {
            let axes: Vec<usize> = axes[1..].iter().map(|a| a - 1).collect();
            let rows = rows.iter();
            Buffer::list(
                rows.map(|r| eval_broadcast(r, &shape[1..], &axes))
                    .collect(),
            )
        }
        Buffer::Dense(x) => {
            let dims = Shape(shape.into()).dims();
            let mut strides = vec![0; dims.len()];
            for ((&a, &n), s) in axes.iter().zip(&x.dims).zip(row_major(&x.dims)) {
                if n == dims[a] {
                    strides[a] = s;
                }
            }
            let data = x.data.pick(places(&dims, 0, &strides));
            Buffer::Dense(Dense::new(dims, data))
        }
    }
}
