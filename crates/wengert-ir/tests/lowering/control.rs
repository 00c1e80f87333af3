//! Nested loops, branches and maps.

use super::*;
use wengert_ir::ops::checkpoint::checkpoint;
use wengert_ir::ops::cond::cond;
use wengert_ir::ops::map::map;
use wengert_ir::trace::stack;

/// Records a loop of `n` steps without rows.
fn steps(init: &[Var], n: usize, f: impl FnOnce(&[Var]) -> Vec<Var>) -> Vec<Var> {
    scan(init, &[], n, false, |carry, _| (f(carry), vec![])).0
}

fn newton(x: Var) -> Var {
    let zero = Var::scalar(0i64);
    let out = while_loop(
        &[x, zero],
        100,
        |c| (c[0] * c[0] - 2.0).abs().gt(1e-3) & c[1].lt(20),
        |c| vec![c[0] - (c[0] * c[0] - 2.0) / (2.0 * c[0] + 0.1), c[1] + 1],
    );
    out[0] * 2.0
}

fn choice(x: Var) -> Var {
    let out = cond(x.lt(0.3), || vec![(x * 3.0).sin()], || vec![x.exp() * x]);
    out[0]
}

#[test]
fn scans() {
    agree_with_derivatives(&[f64s(&[]), f64s(&[9]), f64s(&[4, 9])], |x| {
        let (carry, rows) = scan(&[x[0], x[1]], &[x[2]], 4, false, |carry, row| {
            let y = carry[0] * row[0].sum() + 0.1;
            (
                vec![y.sin(), carry[1] * y + row[0]],
                vec![carry[1] * 2.0, y],
            )
        });
        [carry, rows].concat()
    });
    agree_with_derivatives(&[f64s(&[3]), f64s(&[5, 3])], |x| {
        let (carry, rows) = scan(&[x[0]], &[x[1]], 5, true, |carry, row| {
            (vec![carry[0] * row[0] + 0.5], vec![row[0] + carry[0]])
        });
        [carry, rows].concat()
    });
}

/// Two carries swap places, and the next value of a third reads all of it.
#[test]
fn carries_read_what_was_there_before() {
    agree_with_derivatives(&[f64s(&[6]), f64s(&[6]), f64s(&[6])], |x| {
        steps(x, 5, |c| {
            vec![c[1], c[0] * 0.5, c[2].flip([0]) + c[0].sum()]
        })
    });
    agree_with_derivatives(&[f64s(&[3, 3])], |x| {
        steps(x, 5, |c| {
            vec![c[0].t() * 0.5 + c[0].sum_axis([0]).broadcast_to([3, 3])]
        })
    });
}

#[test]
fn windows_of_carries() {
    agree_with_derivatives(&[f64s(&[12]), f64s(&[])], |x| {
        let zero = Var::scalar(0i64);
        steps(&[x[0], zero, x[1]], 9, |c| {
            let window = c[0].dynamic_slice(&[c[1]], [2]);
            let next = window * c[2] + 0.3;
            let sum = next.sum();
            vec![c[0].dynamic_update(next, &[c[1] + 1]), c[1] + 1, sum.sin()]
        })
    });
}

#[test]
fn windows_of_carries_in_lanes() {
    agree_with_derivatives(&[f64s(&[20, 12]), f64s(&[20])], |x| {
        map(x, 20, |x| {
            let zero = Var::scalar(0i64);
            steps(&[x[0], zero, x[1]], 5, |c| {
                let window = c[0].dynamic_slice(&[c[1]], [2]);
                let next = window * c[2] + 0.3;
                let sum = next.sum();
                vec![c[0].dynamic_update(next, &[c[1] + 1]), c[1] + 1, sum.sin()]
            })
        })
    });
}

#[test]
fn arrays_of_whiles_in_lanes() {
    agree_with_derivatives(&[f64s(&[11, 7])], |x| {
        map(x, 11, |x| {
            let out = while_loop(
                &[x[0], Var::scalar(0i64)],
                100,
                |c| (c[0] * c[0]).sum().gt(0.5),
                |c| vec![c[0] * 0.7 + 0.01 * c[0].sin().flip([0]), c[1] + 1],
            );
            vec![out[0] * out[0], out[1]]
        })
    });
}

#[test]
fn long_chains() {
    let f = |n: usize| {
        move |x: &[Var]| {
            let mut y = x[0];
            for _ in 0..n {
                y = y * x[1] + 0.1;
            }
            vec![y]
        }
    };
    let types = [f64s(&[9]), f64s(&[9])];
    agree_with_derivatives(&types, f(300));
    agree(&trace(&types, f(20_000)));
}

#[test]
fn whiles() {
    agree_with_derivatives(&[f64s(&[])], |x| vec![newton(x[0] + 3.0)]);
    agree_with_derivatives(&[f64s(&[7])], |x| {
        let out = while_loop(
            &[x[0], Var::scalar(0i64)],
            100,
            |c| (c[0] * c[0]).sum().gt(0.5),
            |c| vec![c[0] * 0.7 + 0.01 * c[0].sin(), c[1] + 1],
        );
        vec![out[0] * out[0]]
    });
}

#[test]
fn branches() {
    agree_with_derivatives(&[f64s(&[]), f64s(&[8])], |x| {
        let out = cond(
            x[0].lt(0.0),
            || vec![x[1] * x[0], x[0] * 2.0, x[1]],
            || vec![x[1].sin(), x[0], Var::zeros(&f64s(&[8]))],
        );
        vec![out[0] * out[1], out[2]]
    });
}

#[test]
fn lanes() {
    for n in [1, 3, 9, 64, 65, 200] {
        let types = [f64s(&[n]), f64s(&[n, 5]), f64s(&[]), f64s(&[5])];
        agree_with_derivatives(&types, |x| {
            map(&[x[0], x[1]], n, |row| {
                let y = row[0] * x[2] + row[1].sum();
                vec![y.sin(), row[1] * y + x[3]]
            })
        });
    }
}

#[test]
fn control_flow_in_lanes() {
    let n = 70;
    agree_with_derivatives(&[f64s(&[n])], |x| map(&[x[0]], n, |r| vec![choice(r[0])]));
    agree_with_derivatives(&[f64s(&[n])], |x| {
        map(&[x[0]], n, |r| vec![newton(r[0] + 3.0)])
    });
    agree_with_derivatives(&[f64s(&[n, 6]), f64s(&[4])], |x| {
        map(&[x[0]], n, |r| {
            let (carry, rows) = scan(&[r[0]], &[x[1]], 4, false, |c, p| {
                let y = c[0] * p[0] + c[0].flip([0]) * 0.5;
                (vec![y.sin()], vec![choice(y.sum())])
            });
            vec![carry[0], rows[0]]
        })
    });
}

/// A loop of unknown length inside a scan inside lanes, as in an adaptive solver.
#[test]
fn whiles_in_scans_in_lanes() {
    let solve = |x: Var| {
        let (carry, rows) = scan(&[x], &[], 3, false, |c, _| {
            let y = newton(c[0] + 3.0);
            (vec![y * 0.6], vec![y])
        });
        carry[0] + rows[0].sum()
    };
    agree_with_derivatives(&[f64s(&[])], move |x| vec![solve(x[0])]);
    agree_with_derivatives(&[f64s(&[10])], move |x| {
        map(&[x[0]], 10, |r| vec![solve(r[0])])
    });
}

#[test]
fn whiles_in_whiles() {
    let solve = |x: Var| {
        let out = while_loop(
            &[x],
            50,
            |c| c[0].gt(1.5),
            |c| vec![newton(c[0] + 1.0) * 0.3 + c[0] * 0.5 - 0.4],
        );
        out[0]
    };
    agree_with_derivatives(&[f64s(&[])], move |x| vec![solve(x[0] + 6.0)]);
    agree_with_derivatives(&[f64s(&[10])], move |x| {
        map(&[x[0]], 10, |r| vec![solve(r[0] + 6.0)])
    });
}

#[test]
fn whiles_in_branches() {
    let f = |x: Var| {
        let out = cond(x.lt(0.0), || vec![newton(x * x + 1.0)], || vec![x * x]);
        out[0]
    };
    agree_with_derivatives(&[f64s(&[])], move |x| vec![f(x[0]), f(-x[0])]);
    agree_with_derivatives(&[f64s(&[20])], move |x| map(&[x[0]], 20, |r| vec![f(r[0])]));
    agree_with_derivatives(&[f64s(&[12])], move |x| {
        let (carry, _) = scan(&[Var::scalar(0.1)], &[x[0]], 12, false, |c, r| {
            (vec![c[0] * 0.9 + f(r[0])], vec![])
        });
        carry
    });
}

#[test]
fn maps_in_maps() {
    agree_with_derivatives(&[f64s(&[9, 6]), f64s(&[4])], |x| {
        map(&[x[0]], 9, |row| {
            let inner = map(&[row[0]], 6, |r| {
                vec![(r[0] * x[1]).sin(), r[0] * x[1].sum()]
            });
            vec![inner[0].sum(), inner[1]]
        })
    });
    agree_with_derivatives(&[f64s(&[9, 6])], |x| {
        map(&[x[0]], 9, |row| map(&[row[0]], 6, |r| vec![choice(r[0])]))
    });
}

/// Maps over larger arrays run element by element; large products run as one.
#[test]
fn wide_maps() {
    agree_with_derivatives(&[f64s(&[3, 20_000])], |x| {
        map(&[x[0]], 3, |row| vec![row[0].sin().sum()])
    });
    agree(&trace(&[f64s(&[3, 40, 40]), f64s(&[40, 40])], |x| {
        map(&[x[0]], 3, |row| vec![row[0].matmul(x[1])])
    }));
}

#[test]
fn checkpoints() {
    agree_with_derivatives(&[f64s(&[6])], |x| {
        checkpoint(x, |x| {
            vec![x[0].sin() * x[0], stack([x[0].sum(), choice(x[0].at(1))])]
        })
    });
}

#[test]
fn a_loop_that_may_not_run() {
    for n in [0, 1] {
        agree_with_derivatives(&[f64s(&[6]), f64s(&[n, 6])], move |x| {
            let (carry, rows) = scan(&[x[0]], &[x[1]], n, false, |c, r| {
                (vec![c[0] * r[0]], vec![c[0].sum()])
            });
            [carry, rows].concat()
        });
    }
}

#[test]
fn too_many_steps() {
    let func = trace(&[f64s(&[])], |x| {
        while_loop(&[x[0]], 5, |c| c[0].lt(1e9), |c| vec![c[0] + 1.0])
    });
    agree(&func);
}

/// The forward and backward passes of an ensemble, with a loss over all its members in between.
#[test]
fn ensembles() {
    let n = 70;
    let maps = |f: &Func| f.eqns.iter().filter(|e| e.op.name() == "map").count();
    let loss = |x: &[Var]| {
        let model = map(&[x[0]], n, |r| {
            let (carry, _) = scan(&[r[0]], &[], 4, false, |c, _| {
                (vec![(c[0] * x[2]).sin() + choice(c[0])], vec![])
            });
            carry
        });
        let error = model[0] - x[1];
        vec![(error * error).sum()]
    };
    let types = [f64s(&[n]), f64s(&[n]), f64s(&[])];
    agree_with_derivatives(&types, loss);
    let gradient = trace(&types, move |x| pulled(loss, x));
    assert_eq!(maps(&gradient), 2);
    let ready = optimise(&gradient, false);
    assert_eq!(maps(&ready), 1, "{ready}");
}
