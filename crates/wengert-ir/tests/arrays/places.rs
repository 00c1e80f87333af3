//! The lines of the program that equations are attributed to.

use wengert_ir::ir::{DType, Type};
use wengert_ir::trace::{Kind, arange, closed, concat, eye, full, stack};

/// Everything that a method records is attributed to the line that called it.
#[test]
fn places_of_what_is_recorded() {
    let types = [
        Type::new(DType::F64, &[3, 4]),
        Type::new(DType::F64, &[3]),
        Type::new(DType::I64, &[]),
        Type::new(DType::F32, &[3]),
    ];
    let func = closed(Kind::Door, &types, |a| {
        let [x, v, i, w] = *a else { unreachable!() };
        let stacked = x.broadcast_to([2, 3, 4]);
        vec![
            x.reshape([2, 6]).flatten(),
            x.t(),
            x.swap_axes(0, 1).expand_dims(0).squeeze(),
            x.flip([0, 1]).roll(1, 0).pad([(1, 1), (0, 2)]),
            x.mean(),
            x.prod_axis(0),
            x.amax() + x.amin(),
            x.gt(0.0).any() & x.lt(0.0).all(),
            v.dot(x).outer(w),
            stacked.matmul(x.t()),
            x.t().matmul(stacked.slice_axis(1, ..3)),
            stacked.matmul(stacked.swap_axes(1, 2).broadcast_to([2, 2, 4, 3])),
            x.tensordot(v, [(0, 0)]),
            x.at(1) + x.at(i) + x.take(i, 0),
            x.at_set(i, w.at(0)).at_add(0, 1.0),
            x.dynamic_slice(&[i, i], [1, 1]),
            x.dynamic_update(w.reshape([3, 1]), &[i, i]),
            concat([v, w], 0),
            stack([v, w]),
            eye(3),
            arange(3),
            full([2, 3], v),
        ]
    })
    .func;
    for eqn in &func.eqns {
        let place = eqn.source.place();
        assert!(place.file.ends_with("places.rs"), "{:?} at {place}", eqn.op);
    }
}
