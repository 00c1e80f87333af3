//! Gradients through every kind of body, in both modes and to third order, against finite
//! differences and against each other.

use wengert::prelude::*;
use wengert::tree::Vars;

/// A scalar function of a few scalars.
type Loss = fn(&[Var]) -> Var;

fn run(x: &[f64], f: impl Fn(&[Var]) -> Var + Send + Sync + 'static) -> f64 {
    let f = jit(move |x: Vec<Var>| f(&x));
    f.call(x.to_vec()).unwrap().item::<f64>().unwrap()
}

fn runs(x: &[f64], f: impl Fn(&[Var]) -> Vec<Var> + Send + Sync + 'static) -> Vec<f64> {
    let f = jit(move |x: Vec<Var>| f(&x));
    let out = f.call(x.to_vec()).unwrap();
    out.iter().map(|a| a.item::<f64>().unwrap()).collect()
}

fn direction(n: usize) -> Vec<f64> {
    (0..n).map(|i| 0.7 - 0.4 * i as f64).collect()
}

/// Computes the derivative along a fixed direction, in forward mode.
fn forward(f: impl Fn(&[Var]) -> Var, x: &[Var]) -> Var {
    let d: Vec<Var> = direction(x.len()).into_iter().map(Var::from).collect();
    jvp(|x: Vec<Var>| f(&x), x.to_vec(), d).1
}

fn reverse(f: impl Fn(&[Var]) -> Var, x: &[Var]) -> Var {
    let g = grad_at(x.to_vec(), |x| f(&x));
    let terms = g.into_iter().zip(direction(x.len()));
    terms.fold(Var::from(0.0), |sum, (g, d)| sum + g * d)
}

#[track_caller]
fn close(what: &str, a: f64, b: f64, tolerance: f64) {
    let near = (a - b).abs() <= tolerance * (1.0 + b.abs());
    assert!(near, "{what}: {a} and {b}");
}

/// Checks first to third derivatives of `f` at `x`.
#[track_caller]
fn check(x: &[f64], f: Loss) {
    let moved = |h: f64| -> Vec<f64> {
        let d = direction(x.len());
        x.iter().zip(d).map(|(x, d)| x + h * d).collect()
    };
    let h = 1e-5;
    let slope = |f: &dyn Fn(&[f64]) -> f64| (f(&moved(h)) - f(&moved(-h))) / (2.0 * h);
    let first = run(x, move |x| reverse(f, x));
    close(
        "reverse, finite differences",
        first,
        slope(&|x| run(x, f)),
        1e-6,
    );
    close(
        "forward, reverse",
        run(x, move |x| forward(f, x)),
        first,
        1e-10,
    );
    let second = run(x, move |x| reverse(|x| reverse(f, x), x));
    let differences = slope(&|x| run(x, move |x| reverse(f, x)));
    close(
        "reverse reverse, finite differences",
        second,
        differences,
        1e-5,
    );
    for (what, got) in [
        (
            "forward reverse",
            run(x, move |x| forward(|x| reverse(f, x), x)),
        ),
        (
            "reverse forward",
            run(x, move |x| reverse(|x| forward(f, x), x)),
        ),
        (
            "forward forward",
            run(x, move |x| forward(|x| forward(f, x), x)),
        ),
    ] {
        close(what, got, second, 1e-9);
    }
    let third = run(x, move |x| reverse(|x| reverse(|x| reverse(f, x), x), x));
    let mixed = run(x, move |x| reverse(|x| forward(|x| forward(f, x), x), x));
    close("third order", third, mixed, 1e-8);
}

fn sum(x: Var) -> Var {
    x.sum()
}

fn stacked(v: &[Var]) -> Var {
    wengert::stack(v)
}

fn looped(v: &[Var]) -> Var {
    let b = v[1];
    let (x, y) = while_loop(
        (v[0], 0.0),
        |(x, _)| x.lt(5.0),
        |(x, y)| (x * b.sqrt() + 1.0 + x.sin() * 0.3, y + x * b),
    );
    (x * 0.1).sin() + (y * 0.1).sin()
}

fn repeated<C: Vars>(n: i64, init: C, f: impl Fn(C) -> C) -> C {
    fori(0..n, init, |_, c| f(c))
}

#[test]
fn arithmetic() {
    check(&[0.7, -0.3], |v| {
        v[0].sin() * v[1].exp() / (v[0] * v[0] + 1.0) + (v[0] + 2.0).ln() * v[1]
    });
}

#[test]
fn scan_with_invariants_rows_and_results() {
    check(&[0.4, 0.9, -0.5], |v| {
        let xs = stacked(&[v[2], v[2] * 2.0, v[2].sin(), v[1]]);
        let w = v[0];
        let (last, ys) = scan(v[1], xs, |k, x| {
            let next = (k * w.exp() * 0.3).sin() + x;
            (next, next * k)
        });
        last + sum(ys)
    });
}

#[test]
fn scan_backwards() {
    check(&[0.4, 0.9], |v| {
        let xs = stacked(&[v[0], v[1], v[0] * v[1]]);
        let (last, ys) = scan_reverse(v[1], xs, |k, x| ((k * x).sin() + x, k * k));
        last + sum(ys * xs)
    });
}

#[test]
fn carry_that_becomes_active_late() {
    check(&[0.4], |v| {
        let a = v[0];
        let (x, y, z) = repeated(
            3,
            (Var::from(0.0), Var::from(1.0), Var::from(2.0)),
            |(x, y, z)| (y.sin(), z * 0.5, z * a + x),
        );
        x * y + z
    });
}

#[test]
fn array_carry() {
    check(&[0.4, 0.3], |v| {
        let a = stacked(&[v[0], v[1], v[0] * v[1]]);
        let w = v[1];
        let ((a, b), ys) = scan((a, v[0]), 0..3, |(a, b), _| {
            (((a * b).sin() + a, sum(a) * 0.3), a * w)
        });
        sum(a) * b + sum(ys)
    });
}

#[test]
fn integer_carry_and_traced_index() {
    check(&[0.4, 0.3], |v| {
        let a = stacked(&[v[0], v[1], v[0] * v[1]]);
        let start = (v[0], Var::scalar(0i64));
        repeated(3, start, |(x, i)| (x * a.at(i).sin() + a.at(i), i + 1)).0
    });
}

#[test]
fn nested_scans() {
    check(&[0.4, 0.3], |v| {
        let b = v[1];
        let (last, ys) = scan(v[0], 0..3, |k, _| {
            let (q, zs) = scan(k, 0..2, |q, _| ((q * b + k).sin(), q * k));
            (q + 0.1, sum(zs))
        });
        last + sum(ys)
    });
}

#[test]
fn while_loops() {
    check(&[1.3, 0.8], looped);
    check(&[60.0, 0.8], looped);
}

#[test]
fn loops_of_unknown_length_inside_others() {
    check(&[1.3, 0.8], |v| {
        let b = v[1];
        let (last, ys) = scan(v[0], 0..3, |k, _| {
            let w = while_loop(k, |q| q.lt(10.0), |q| q * (b + 1.0) + k.sin() + 1.5);
            (w * 0.2, w.sin())
        });
        last + sum(ys)
    });
    check(&[1.3, 0.8], |v| {
        let b = v[1];
        while_loop(
            v[0],
            |q| q.lt(10.0),
            |q| repeated(2, q, |k| k * 1.3 + b.sin() * k.sin()) + 0.5,
        )
        .sin()
    });
    check(&[1.3, 0.8], |v| {
        let b = v[1];
        while_loop(
            v[0],
            |q| q.lt(10.0),
            |q| while_loop(q, |k| k.lt(q * 2.0), |k| k * 1.3 + b.sin() * k.sin()),
        )
        .sin()
    });
}

#[test]
fn traced_bounds() {
    check(&[0.4, 3.4], |v| {
        let (a, b) = (v[0], v[1]);
        let n = stop_gradient(b.floor()).to(DType::I64);
        fori(..n, a, |i, k| (k * b.sqrt()).sin() + i.to(DType::F64) * a)
    });
    check(&[0.4, 3.4], |v| {
        let n = stop_gradient(v[1].floor()).to(DType::I64);
        fori(..n, v[0], |_, k| k * 2.0) * v[1]
    });
}

#[test]
fn maps() {
    check(&[0.4, 0.3], |v| {
        let (a, b) = (v[0], v[1]);
        let (x, y, z) = wengert::map(stacked(&[a, b, a * b]), |x| {
            ((x * b).sin() * x, x * a.exp(), a * 2.0)
        });
        sum(x) * sum(y) + sum(z)
    });
    check(&[0.4, 0.3], |v| {
        let b = v[1];
        let a = stacked(&[v[0], v[1], v[0] * v[1]]);
        sum(wengert::map(a, |x| {
            sum(wengert::map(a * x, |y| (y * x + b).sin()))
        }))
    });
    check(&[0.4, 1.3], |v| {
        let b = v[1];
        let a = stacked(&[v[0], v[1], v[0] * v[1] + 4.0, Var::from(60.0)]);
        sum(wengert::map(a, |x| looped(&[x, b])))
    });
    check(&[0.4, 1.3], |v| {
        let b = v[1];
        let a = stacked(&[v[0], v[1], v[0] * v[1] + 4.0]);
        sum(wengert::map(a, |x| grad_at(x, |y| looped(&[y, b])))).sin()
    });
    check(&[0.4, 1.3], |v| {
        let b = v[1];
        let a = stacked(&[v[0], v[1]]);
        sum(repeated(3, a, |k| {
            wengert::map(k, |x| x.sin() * b + sum(k) * x)
        }))
    });
    check(&[0.4, 1.3], |v| {
        let b = v[1];
        let a = stacked(&[v[0], v[1]]);
        sum(wengert::map(a, |x| {
            scan(x, a, |k, y| (k.sin() * b + y * x, ())).0
        }))
    });
    check(&[0.4, 1.3], |v| {
        let b = v[1];
        let a = stacked(&[v[0], v[1], v[0] - 1.0]);
        sum(wengert::map(a, |x| {
            cond(x.lt(0.0), x, |x| x * b, |x| x.sqrt() * x.sin())
        }))
    });
}

#[test]
fn branches() {
    for x in [0.4, 1.4] {
        check(&[x, 1.3], |v| {
            let (a, b) = (v[0], v[1]);
            let s = b.exp();
            let (x, y) = cond(
                a.lt(1.0),
                (),
                |()| (a.sin() * s, Var::from(3.0)),
                |()| (Var::from(2.0), (a * b).cos() * s.sqrt()),
            );
            x * y + a
        });
    }
    check(&[0.4, 1.3], |v| {
        let b = v[1];
        let (last, ys) = scan(v[0], 0..4, |k, _| {
            let y = cond(
                k.lt(0.9),
                k,
                |k| (k * b).exp() * 0.5 + 0.3,
                |k| k.sin() * k * 0.3,
            );
            (y, y * k)
        });
        last + sum(ys)
    });
    check(&[0.4, 1.3], |v| {
        let (a, b) = (v[0], v[1]);
        cond(
            a.lt(0.9),
            a,
            |x| repeated(3, x, |k| (k * b).sin() + a.sqrt()),
            |x| x,
        )
    });
    check(&[0.4, 1.3], |v| {
        let b = v[1];
        repeated(4, v[0], |k| {
            cond(
                k.lt(1.0),
                k,
                |k| while_loop(k, |q| q.lt(3.0), |q| q * b + k * k),
                |k| k * 0.2,
            )
        })
    });
}

#[test]
fn gradients_inside_loops() {
    check(&[0.4, 1.3], |v| {
        let b = v[1];
        repeated(3, v[0], |k| k - grad_at(k, |y| (y * b + k).sin() * y) * 0.1)
    });
    check(&[0.4, 1.3], |v| {
        let b = v[1];
        while_loop(
            v[0],
            |k| k.lt(2.0),
            |k| k + grad_at(k, |y| (y * b + k * y).exp()) * 0.3,
        )
    });
    check(&[0.4, 1.3], |v| {
        let b = v[1];
        repeated(3, v[0], |k| {
            k - grad_at(k, |y| repeated(2, y, |q| q * b.sin() + q.sin() * k)) * 0.1
        })
    });
}

#[test]
fn recomputation() {
    check(&[0.4, 1.3], |v| {
        let b = v[1];
        checkpoint(move |x: Var| (x * b).sin().exp() * x)(v[0])
    });
    check(&[0.4, 1.3], |v| {
        let b = v[1];
        repeated(3, v[0], |k| {
            checkpoint(move |k: Var| (k * b).sin().exp() * k * 0.5)(k)
        })
    });
    check(&[0.4, 1.3], |v| {
        let b = v[1];
        sum(wengert::map(stacked(v), |x| {
            checkpoint(move |k: Var| looped(&[k, b]))(x)
        }))
    });
    check(&[0.4, 1.3], |v| {
        let b = v[1];
        repeated(3, v[0], |k| {
            checkpoint(move |k: Var| repeated(3, k, |q| (q * b).sin() + k))(k)
        })
    });
}

#[test]
fn pullbacks_applied_elsewhere() {
    check(&[1.3, 0.8], |v| {
        let (_, pull) = vjp(|v: Vec<Var>| (looped(&v), v[0] * looped(&v)), v.to_vec());
        let e = stacked(&[
            stacked(&[Var::from(1.0), Var::from(0.0)]),
            stacked(&[Var::from(0.0), Var::from(1.0)]),
        ]);
        sum(wengert::map(e, |r| {
            let t = pull((r.at(0), r.at(1)));
            (t[0] * t[1]).sin()
        }))
    });
    check(&[1.3, 0.8], |v| {
        let (_, pull) = vjp(|v: Vec<Var>| looped(&v), v.to_vec());
        repeated(3, v[0], |k| pull(k * 0.01)[0].sin())
    });
    for x in [0.3, 1.3] {
        check(&[x, 0.8], |v| {
            let (_, pull) = vjp(|v: Vec<Var>| looped(&v), v.to_vec());
            let (a, b) = (v[0], v[1]);
            cond(a.lt(1.0), (), |()| a * b, |()| pull(a * 0.01)[0].sin())
        });
    }
    check(&[1.3, 0.8], |v| {
        let (_, pull) = vjp(|v: Vec<Var>| looped(&v), v.to_vec());
        let all = stacked(v);
        repeated(2, v[0], |k| {
            sum(wengert::map(all, |x| pull(x * 0.01 + k)[0].sin()))
        })
    });
}

#[test]
fn custom_rules() {
    let power = |x: (Var, Var)| {
        custom_jvp(
            |(a, b): (Var, Var)| repeated(3, a, |k| k.sin() * b),
            |(a, b), (da, db)| {
                repeated(3, (a, da), |(k, d)| {
                    (k.sin() * b, k.cos() * d * b + k.sin() * db)
                })
            },
        )(x)
    };
    let _ = power;
    fn p(a: Var, b: Var) -> Var {
        custom_jvp(
            |(a, b): (Var, Var)| repeated(3, a, |k| k.sin() * b),
            |(a, b), (da, db)| {
                repeated(3, (a, da), |(k, d)| {
                    (k.sin() * b, k.cos() * d * b + k.sin() * db)
                })
            },
        )((a, b))
    }
    check(&[0.4, 1.3], |v| p(v[0], v[1]) * v[1]);
    check(&[0.4, 1.3], |v| repeated(2, v[0], |k| p(k, v[1])));
    let got = run(&[2.0], |v| {
        let rule = custom_vjp(
            |x: Var| x.sin(),
            |x| (x.sin(), x),
            |x, ct: Var| x * ct * 100.0,
        );
        grad_at(v[0], |x| rule(x * 3.0))
    });
    assert_eq!(got, 6.0 * 100.0 * 3.0);
}

#[test]
fn perturbations_are_not_confused() {
    let one = |f: Loss, x: f64| run(&[x], f);
    assert_eq!(
        one(|v| grad_at(v[0], |x| x * grad_at(2.0, |y| x + y)), 3.0),
        1.0
    );
    assert_eq!(
        one(|v| grad_at(v[0], |x| x * grad_at(x, |y| x * y * y)), 3.0),
        54.0
    );
    let f: Loss = |v| grad_at(v[0], |x| x * jvp(|y: Var| x * y * x, Var::from(2.0), x).1);
    assert_eq!(one(f, 3.0), 108.0);
}

#[test]
fn no_nan_from_what_is_not_taken() {
    let zero = Var::from(0.0);
    let _ = zero;
    let f: Loss = |v| {
        grad_at(v[0], |x| {
            cond(x.gt(0.0), x, |x| x.sqrt(), |_| Var::from(0.0))
        })
    };
    assert_eq!(run(&[0.0], f), 0.0);
    let f: Loss = |v| {
        grad_at(v[0], |x| {
            grad_at(x, |x| cond(x.gt(0.0), x, |x| x.sqrt(), |x| x * x))
        })
    };
    assert_eq!(run(&[0.0], f), 2.0);
    // Loops that do not run.
    let g = runs(&[0.0, 60.0], |v| {
        grad_at(v.to_vec(), |v| {
            while_loop(v[1], |k| k.lt(50.0), |k| k * v[0].sqrt())
        })
    });
    assert_eq!(g, [0.0, 1.0]);
    let g = runs(&[0.0, 0.5], |v| {
        grad_at(v.to_vec(), |v| {
            let n = stop_gradient(v[1].floor()).to(DType::I64);
            fori(..n, v[1], |_, k| k * v[0].sqrt())
        })
    });
    assert_eq!(g, [0.0, 1.0]);
    let g = runs(&[0.0, 4.0], |v| {
        grad_at(v.to_vec(), |v| {
            sum(wengert::map(stacked(&v), |x| {
                cond(x.gt(0.0), x, |x| x.sqrt(), |_| Var::from(0.0))
            }))
        })
    });
    assert_eq!(g, [0.0, 0.25]);
    let f: Loss = |v| {
        grad_at(v[0], |x| {
            repeated(3, x, |k| cond(x.gt(0.0), k, |k| k + x.sqrt(), |k| k))
        })
    };
    assert_eq!(run(&[0.0], f), 1.0);
    // A carry that nothing uses.
    let f: Loss = |v| {
        grad_at(v[0], |x| {
            repeated(2, (x, x), |(a, b)| (a.sqrt(), b * 2.0)).1
        })
    };
    assert_eq!(run(&[0.0], f), 4.0);
    // Equal equations on both sides of a barrier stay apart.
    let f: Loss = |v| {
        grad_at(v[0], |x| {
            stop_gradient(x.sqrt()) + cond(x.gt(0.0), x, |x| x.sqrt(), |_| Var::from(0.0))
        })
    };
    assert_eq!(run(&[0.0], f), 0.0);
    // With `select`: the cotangent of the branch that was not chosen stays zero.
    let f: Loss = |v| grad_at(v[0], |x| x.gt(0.0).select(x.sqrt(), 0.0));
    assert_eq!(run(&[0.0], f), 0.0);
    let f: Loss = |v| grad_at(v[0], |x| x.gt(0.0).select(x.ln() / x, 0.0));
    assert_eq!(run(&[0.0], f), 0.0);
    let f: Loss = |v| grad_at(v[0], |x| grad_at(x, |x| x.gt(0.0).select(x.sqrt(), x * x)));
    assert_eq!(run(&[0.0], f), 2.0);
}

/// Rows that were not chosen have the cotangent 0, whatever they are multiplied by. A product large enough for
/// the library must keep this.
#[test]
fn large_products_behind_a_choice_are_masked() {
    const N: usize = 48;
    let f = jit(|(x, w, chosen): (Var, Var, Var)| {
        grad_at(x, |x| chosen.select(x.dot(w), 0.0).square().sum())
    });
    let numbers = |k: f64| -> Vec<f64> { (0..N * N).map(|i| (k * i as f64).sin()).collect() };
    let x = Array::new([N, N], numbers(0.37)).unwrap();
    for infinite in [false, true] {
        let mut w = numbers(0.71);
        if infinite {
            // The column of a choice that is not made.
            (0..N).for_each(|row| w[row * N + 5] = f64::INFINITY);
        }
        let w = Array::new([N, N], w).unwrap();
        let chosen: Array = Array::from((0..N).map(|j| j != 5).collect::<Vec<bool>>());
        let args = (x.clone(), w, chosen);
        let (got, want) = (f.call(&args).unwrap(), f.interpret(&args).unwrap());
        let (got, want) = (got.to_vec::<f64>().unwrap(), want.to_vec::<f64>().unwrap());
        for (a, b) in got.iter().zip(&want) {
            assert!(
                b.is_finite() && (a - b).abs() <= 1e-12 * b.abs().max(1.0),
                "{a} {b}"
            );
        }
    }
}
