//! The differential equations that are shared by tests: their ends are those that the sources print.

use wengert::prelude::*;
use wengert_check::equations::{detest, problem, problems};

/// What Mazzia and Magherini print, with the number of digits to which it agrees with the table.
const PRINTED: &[(&str, usize, &[f64])] = &[
    (
        "van_der_pol",
        13,
        &[1.706167732170469, -0.8928097010248125e-3],
    ),
    (
        "robertson",
        12,
        &[
            0.2083340149701255e-7,
            0.8333360770334713e-13,
            0.999999979166505,
        ],
    ),
    (
        "hires",
        12,
        &[
            0.7371312573325668e-3,
            0.1442485726316185e-3,
            0.5888729740967575e-4,
            0.1175651343283149e-2,
            0.2386356198831331e-2,
            0.6238968252742796e-2,
            0.2849998395185769e-2,
            0.2850001604814231e-2,
        ],
    ),
    (
        "oregonator",
        12,
        &[1.000814870318523, 1228.178521549917, 132.0554942846706],
    ),
    (
        "pollution",
        12,
        &[
            0.5646255480022769e-1,
            0.1342484130422339,
            0.4139734331099427e-8,
            0.5523140207484359e-2,
            0.2018977262302196e-6,
            0.1464541863493966e-6,
            0.7784249118997964e-1,
            0.3245075353396018,
            0.7494013383880406e-2,
            0.1622293157301561e-7,
            0.1135863833257075e-7,
            0.2230505975721359e-2,
            0.208716288279863e-3,
            0.1396921016840158e-4,
            0.8964884856898295e-2,
            0.4352846369330103e-17,
            0.6899219696263405e-2,
            0.1007803037365946e-3,
            0.1772146513969984e-5,
            0.5682943292316392e-4,
        ],
    ),
    (
        "pleiades",
        11,
        &[
            0.3706139143970502,
            3.237284092057233,
            -3.222559032418324,
            0.659709145577531,
            0.3425581707156584,
            1.562172101400631,
            -0.7003092922212495,
            -3.943437585517392,
            -3.27138097397255,
            5.225081843456543,
            -2.59061243497747,
            1.198213693392275,
            -0.2429682344935824,
            1.09144924042898,
            3.417003806314313,
            1.354584501625501,
            -2.590065597810775,
            2.025053734714242,
            -1.155815100160448,
            -0.8072988170223021,
            0.595239635420871,
            -3.74124496123401,
            0.377345968575063,
            0.9386858869551073,
            0.3667922227200571,
            -0.347404635380849,
            2.344915448180937,
            -1.947020434263292,
        ],
    ),
    (
        "chemical_akzo",
        12,
        &[
            0.1150794920661702,
            0.1203831471567715e-2,
            0.1611562887407974,
            0.3656156421249283e-3,
            0.1708010885264404e-1,
            0.4873531310307455e-2,
        ],
    ),
];

#[test]
fn the_ends_are_those_that_are_printed() {
    for (name, digits, printed) in PRINTED {
        let end = problem(name).expect("a problem").end();
        assert_eq!(end.len(), printed.len(), "{name}");
        for (i, (x, y)) in end.iter().zip(*printed).enumerate() {
            let apart = ((x - y) / y).abs();
            assert!(
                apart < 10f64.powi(-(*digits as i32)),
                "{name}[{i}]: {x:e} and {y:e}"
            );
        }
    }
    // A closed orbit, which its authors give to as many digits as doubles have.
    let orbit = problem("arenstorf").expect("a problem");
    for (x, y) in orbit.end().iter().zip(&orbit.start) {
        assert!((x - y).abs() < 1e-10, "{x} and {y}");
    }
}

#[test]
fn the_ends_are_those_of_closed_forms() {
    let end = |name: &str| problem(name).expect("a problem").end();
    let close = |name: &str, x: f64, y: f64| {
        assert!((x - y).abs() <= 1e-13 * y.abs(), "{name}: {x:e} and {y:e}");
    };
    close("a1", end("detest_a1")[0], (-20f64).exp());
    close("a2", end("detest_a2")[0], 1.0 / 21f64.sqrt());
    close("a3", end("detest_a3")[0], 20f64.sin().exp());
    close(
        "a4",
        end("detest_a4")[0],
        20.0 / (1.0 + 19.0 * (-5f64).exp()),
    );
    // A flow that keeps the sum of what it moves.
    close("b2", end("detest_b2").iter().sum(), 3.0);
    close("robertson", end("robertson").iter().sum(), 1.0);
    // Exactly 20 periods of a circle would need 40π; the energy is kept, whatever the time.
    for (name, _) in [("detest_d1", 0.1), ("detest_d3", 0.5), ("detest_d5", 0.9)] {
        let [x, y, u, v] = end(name)[..] else {
            panic!("four numbers");
        };
        close(name, 0.5 * (u * u + v * v) - 1.0 / x.hypot(y), -0.5);
    }
}

#[test]
fn the_right_hand_sides_are_finite_at_both_ends() {
    let all: Vec<_> = problems().into_iter().chain(detest()).collect();
    assert_eq!(all.len(), 15 + 25);
    for p in all {
        let f = jit(p.vector().pair());
        for (t, y) in [(p.span[0], &p.start), (p.span[1], &p.end())] {
            let rate = f.call((t, y)).unwrap_or_else(|e| panic!("{}: {e}", p.name));
            let rate = rate.to_vec::<f64>().unwrap();
            assert_eq!(rate.len(), p.size(), "{}", p.name);
            assert!(rate.iter().all(|x| x.is_finite()), "{} at {t}", p.name);
        }
    }
}

/// A function of two arguments as one of a pair.
trait Pair {
    fn pair(self) -> impl Fn((Var, Var)) -> Var + 'static;
}

impl<F: Fn(Var, Var) -> Var + 'static> Pair for F {
    fn pair(self) -> impl Fn((Var, Var)) -> Var + 'static {
        move |(t, y)| self(t, y)
    }
}
