//! Programs that were compiled wrongly once.

use wengert::prelude::*;

/// Two sums over a flattened batch, of which one is made of the other.
#[test]
fn sums_of_a_flattened_batch_that_share_an_operand() {
    let f = |x: Var| {
        let row = move |(y, _): (Var, Var)| {
            let wide = x.broadcast_to([3]);
            wide.sin()
                .mul_add(y.broadcast_to([3]).cos(), wide)
                .sigmoid()
        };
        vmap(row)((full([2], 0.5), full([2], 0.5)))
    };
    let slopes = jit(vmap(move |(x, w): (Var, Var)| {
        grad_at(x, |x| (f(x) * w).sum())
    }));
    let args = ([0.1, 0.2, 0.3, 0.4, 0.5], [[[1.0; 3]; 2]; 5]);
    assert_eq!(slopes.call(args).unwrap(), slopes.interpret(args).unwrap());
}
