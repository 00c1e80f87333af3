//! Tables: every operation, and every elementary function.

use wengert_ir::buffer::Data;
use wengert_ir::elementary::Elementary;
use wengert_ir::loops::builder::{Builder, Carry};
use wengert_ir::loops::math::elementary;
use wengert_ir::loops::{BufferId, BufferKind, Index, LoopKind, ScalarOp, Stmt, Value};
use wengert_ir::scalar::table::Gives;
use wengert_ir::types::DType;

use super::Example;

/// Floats that are easily got wrong, each with its negative: zero, subnormal numbers, ties of roundings, the borders of
/// the integer types, the largest number, infinity, NaN.
fn floats() -> Vec<f64> {
    let mut all = vec![
        0.0,
        f64::from_bits(1),
        1e-310,
        f64::MIN_POSITIVE,
        1e-40,
        f64::from(f32::MIN_POSITIVE),
        1e-16,
        0.1,
        0.49999999999999994,
        0.5,
        0.9999999999999999,
        1.0,
        1.0000000000000002,
        1.5,
        2.5,
        3.7,
        254.5,
        255.5,
        256.0,
        2147483647.5,
        2147483648.5,
        4294967295.5,
        4294967296.5,
        4503599627370495.5,
        4503599627370497.5,
        9007199254740993.0,
        9.3e18,
        1.9e19,
        f64::from(f32::MAX),
        1e200,
        f64::MAX,
        f64::INFINITY,
        f64::NAN,
    ];
    let negative: Vec<f64> = all.iter().map(|x| -x).collect();
    all.extend(negative);
    all
}

/// Numbers of a type that are easily got wrong, by their bits.
fn awkward(dtype: DType) -> Vec<u64> {
    let integers: [i128; 20] = [
        0,
        1,
        2,
        3,
        7,
        -1,
        -2,
        -8,
        31,
        32,
        63,
        64,
        127,
        255,
        i32::MAX as i128,
        i32::MIN as i128,
        1 << 32,
        i64::MAX as i128,
        i64::MIN as i128,
        0x0123_4567_89ab_cdef,
    ];
    match dtype {
        DType::F64 => floats().iter().map(|x| x.to_bits()).collect(),
        DType::F32 => floats()
            .iter()
            .map(|&x| u64::from((x as f32).to_bits()))
            .collect(),
        DType::Bool => vec![0, 1],
        _ => {
            let mask = u64::MAX >> (64 - 8 * dtype.bytes());
            integers.iter().map(|&x| x as u64 & mask).collect()
        }
    }
}

fn data(dtype: DType, bits: &[u64]) -> Data {
    let mut data = Data::zeros(dtype, bits.len());
    for (i, &b) in bits.iter().enumerate() {
        data.set_bits(i, b);
    }
    data
}

/// The types of the operands and the result of an operation.
fn signatures(op: ScalarOp) -> Vec<(Vec<DType>, DType)> {
    let row = op.row();
    let mut all = vec![];
    for dtype in DType::ALL.into_iter().filter(|&d| row.takes.includes(d)) {
        let mut operands = vec![dtype; row.arity];
        if op == ScalarOp::Select {
            operands[0] = DType::Bool;
        }
        match row.gives {
            Gives::Same => all.push((operands, dtype)),
            Gives::Truth => all.push((operands, DType::Bool)),
            Gives::Any => all.extend(DType::ALL.map(|to| (operands.clone(), to))),
            Gives::AnyOfWidth => {
                let fits = |to: &DType| {
                    to.bytes() == dtype.bytes() && (*to == DType::Bool) == (dtype == DType::Bool)
                };
                all.extend(
                    DType::ALL
                        .into_iter()
                        .filter(fits)
                        .map(|to| (operands.clone(), to)),
                );
            }
        }
    }
    all
}

/// Every pair of awkward operands, with a third one that is another for each.
fn columns(types: &[DType]) -> Vec<Data> {
    let all: Vec<Vec<u64>> = types.iter().map(|&d| awkward(d)).collect();
    let last = all.len() - 1;
    let n = match all.len() {
        1 => all[0].len(),
        // A `bool` in front takes both values with each.
        _ => all[last].len() * all[last - 1].len() * if all.len() > 2 { 2 } else { 1 },
    };
    let columns = all.iter().enumerate().map(|(k, values)| {
        let pick = |i: usize| match last - k {
            0 => values[i % values.len()],
            1 => values[i / all[last].len() % values.len()],
            _ => values[(i * 7 + i / (n / 2)) % values.len()],
        };
        data(types[k], &(0..n).map(pick).collect::<Vec<_>>())
    });
    columns.collect()
}

/// How the elements of a column are computed.
#[derive(Clone, Copy, PartialEq)]
enum By {
    Lanes,
    Steps,
}

/// A loop that computes an element of the result from those of the columns.
fn looped(
    name: String,
    inputs: Vec<Data>,
    to: DType,
    by: By,
    element: impl FnOnce(&mut Builder, &[Value]) -> Value,
) -> Example {
    let n = inputs[0].len();
    let mut b = Builder::new();
    let columns: Vec<BufferId> = (inputs.iter().zip(0..))
        .map(|(x, i)| b.buffer(x.dtype(), x.len(), BufferKind::Input(i)))
        .collect();
    let out = b.buffer(to, n, BufferKind::Output(0));
    let extent = b.i64(n as i64);
    let kind = match by {
        By::Lanes => LoopKind::Vector,
        By::Steps => LoopKind::SERIAL,
    };
    let (open, _) = b.open_for(kind, extent, &[]);
    let at = match by {
        By::Lanes => Index {
            stride: 1,
            ..Index::default()
        },
        By::Steps => Index {
            base: Some(open.index),
            ..Index::default()
        },
    };
    let mut values = vec![];
    for (&buffer, x) in columns.iter().zip(&inputs) {
        let v = b.value(x.dtype(), by == By::Lanes);
        b.push(Stmt::Load {
            out: v,
            buffer,
            index: at,
        });
        values.push(v);
    }
    let value = element(&mut b, &values);
    b.push(Stmt::Store {
        buffer: out,
        index: at,
        value,
    });
    b.close_for(open, vec![]);
    Example {
        name,
        program: b.unswept(),
        inputs,
    }
}

/// Returns every scalar operation on every type, in lanes and one by one, on operands that are easily got wrong, and
/// every fold over lanes.
pub fn operations() -> Vec<Example> {
    let mut all = vec![];
    for op in ScalarOp::ALL {
        if let ScalarOp::Fold(_) = op {
            all.extend(folds(op));
            continue;
        }
        for (types, to) in signatures(op) {
            for by in [By::Lanes, By::Steps] {
                // Whether any lane wants something is a question in lanes.
                if op == ScalarOp::Any {
                    continue;
                }
                let how = if by == By::Lanes {
                    "in lanes"
                } else {
                    "one by one"
                };
                let name = format!(
                    "{} of {}, to {to}, {how}",
                    op.row().name,
                    types[types.len() - 1]
                );
                all.push(looped(name, columns(&types), to, by, |b, args| {
                    let out = b.value(to, by == By::Lanes);
                    let args = args.into();
                    b.push(Stmt::Op { out, op, args });
                    out
                }));
            }
        }
    }
    all
}

/// Folds of what lanes have gathered, of each type.
fn folds(op: ScalarOp) -> Vec<Example> {
    let ScalarOp::Fold(by) = op else {
        return vec![];
    };
    let mut all = vec![];
    for dtype in DType::ALL {
        if !by.scalar().row().takes.includes(dtype) {
            continue;
        }
        let values = awkward(dtype);
        for n in [3, 8, values.len()] {
            let column: Vec<u64> = (0..n).map(|i| values[(i * 5 + 1) % values.len()]).collect();
            let mut b = Builder::new();
            let from = b.buffer(dtype, n, BufferKind::Input(0));
            let to = b.buffer(dtype, 1, BufferKind::Output(0));
            let (extent, first) = (b.i64(n as i64), b.constant(dtype, values[1]));
            let carry = Carry {
                init: first,
                lanes: true,
            };
            let outs = b.for_(LoopKind::Vector, extent, &[carry], |b, i, state| {
                let at = b.affine(i);
                let x = b.load(from, &at);
                let out = b.value(dtype, true);
                let args = [state[0], x].as_slice().into();
                b.push(Stmt::Op {
                    out,
                    op: by.scalar(),
                    args,
                });
                vec![out]
            });
            let value = b.value(dtype, false);
            b.push(Stmt::Op {
                out: value,
                op,
                args: outs.as_slice().into(),
            });
            b.push(Stmt::Store {
                buffer: to,
                index: Index::default(),
                value,
            });
            all.push(Example {
                name: format!("{} of {n} {dtype}", op.row().name),
                program: b.unswept(),
                inputs: vec![data(dtype, &column)],
            });
        }
    }
    all
}

/// Points of every magnitude and sign, and all special values.
fn points() -> Vec<f64> {
    let mut all = floats();
    let scales = (-1074..1024).step_by(37);
    let spread = scales.map(|e| 1.8769 * f64::powi(2.0, e));
    let near = (0..90).map(|i| f64::from(i) * 0.391 + 0.013);
    for x in spread.chain(near) {
        all.extend([x, -x]);
    }
    all
}

/// Returns every elementary function, in both precisions, on numbers of every magnitude.
pub fn functions() -> Vec<Example> {
    let xs = points();
    let n = xs.len();
    let mut all = vec![];
    for &f in Elementary::ALL {
        for dtype in [DType::F64, DType::F32] {
            let column = |k: usize| {
                let bits = (0..n).map(|i| {
                    let x = xs[(i * (1 + 676 * k) + 13 * k) % n];
                    match dtype {
                        DType::F32 => u64::from((x as f32).to_bits()),
                        _ => x.to_bits(),
                    }
                });
                data(dtype, &bits.collect::<Vec<_>>())
            };
            let columns: Vec<Data> = (0..f.arity()).map(column).collect();
            let name = format!("{} of {dtype}", f.name());
            all.push(looped(name, columns, dtype, By::Lanes, |b, args| {
                let function = elementary(b, f, dtype);
                b.call(function, args)
            }));
        }
    }
    all
}
