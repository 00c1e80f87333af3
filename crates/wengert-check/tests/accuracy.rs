//! Every function against its limit, over its whole range.

use wengert_check::accuracy::{
    Found, HEADS, Oracle, Random, SUBJECTS, SWEPT_HEADS, TABLED, Width, compare, measure,
    sweep_f32, swept, ulps, witness,
};
use wengert_ir::elementary::{Elementary, eval};
use wengert_ir::ir::DType;
use wengert_ir::ops::rows;

/// Prints the largest errors as a table, and fails if one is above its limit.
fn report(found: &[Found]) {
    println!("{HEADS}");
    found.iter().for_each(|f| println!("{f}"));
    let missed: Vec<String> = found
        .iter()
        .filter(|f| !f.holds())
        .map(|f| f.to_string())
        .collect();
    assert!(missed.is_empty(), "too large: {missed:#?}");
}

/// The subjects, measured by two threads.
fn measured(width: Width) -> Vec<Found> {
    std::thread::scope(|scope| {
        let part = |k: usize| SUBJECTS.iter().skip(k).step_by(2);
        let run = move |k: usize| part(k).map(|s| measure(s, width, 20_000)).collect();
        let runs: Vec<_> = (0..2).map(|k| scope.spawn(move || run(k))).collect();
        let found = runs.into_iter().map(|run| run.join().expect("a result"));
        found.flat_map(|found: Vec<Found>| found).collect()
    })
}

#[test]
fn in_f64() {
    report(&measured(Width::F64));
}

#[test]
fn in_f32() {
    report(&measured(Width::F32));
}

/// Compiled code, at a million of the `f32`s there are: every exponent, both signs, and what is no number.
#[test]
fn compiled_in_f32() {
    println!("{SWEPT_HEADS}");
    let mut missed = vec![];
    for subject in swept() {
        let found = sweep_f32(subject, 4099).expect("it compiles");
        println!("{found}");
        if !found.holds() {
            missed.push(found.to_string());
        }
    }
    assert!(missed.is_empty(), "too large: {missed:#?}");
}

/// Each row of one float has somebody to compare it with at every `f32`.
#[test]
fn none_is_without_a_witness() {
    for row in rows::TABLES.into_iter().flatten() {
        let signature = row.signature;
        let float = signature.arity == 1 && signature.elements.contains(DType::F32);
        // This one gives back what it is given.
        if float && row.name != "stop_gradient" {
            assert!(witness(row.name).is_some(), "{}", row.name);
            assert!(swept().any(|s| s.name == row.name), "{}", row.name);
        }
    }
}

#[test]
fn against_tables() {
    let found = TABLED.iter().map(|t| compare(t).expect("it compiles"));
    report(&found.collect::<Vec<Found>>());
}

/// Where the reduction cancels: next to multiples of `pi/2`, up to the largest floats.
#[test]
fn near_multiples_of_half_pi() {
    let mut oracle = Oracle::default();
    let mut random = Random(0x2545_f491_4f6c_dd1d);
    let mut xs: Vec<f64> = (0..2000)
        .map(|i| {
            (random.within(1.0, 2.0) * 2f64.powi(i % 53)).floor() * std::f64::consts::FRAC_PI_2
        })
        .collect();
    // The float closest to a multiple of pi/2 (Kahan; Muller, Elementary Functions, 1997).
    xs.push(6_381_956_970_095_103.0 * 2f64.powi(797));
    for f in [Elementary::Sin, Elementary::Cos, Elementary::Tan] {
        for &x in &xs {
            let exact = oracle.value(f.name(), &[x]).expect("it is known");
            let error = ulps(eval(f, &[x]), &exact);
            assert!(error <= 2.0, "{} {x:?}: {error} ulp", f.name());
        }
    }
}

/// Each elementary function is measured.
#[test]
fn none_is_left_out() {
    for f in Elementary::ALL {
        // The densities and the integrals are measured by what they are derivatives of.
        let part = ["_density", "_moment", "_slope", "_gap"];
        let part = part.iter().any(|end| f.name().ends_with(end));
        let tabled = TABLED.iter().map(|t| t.subject.name);
        let mut names = SUBJECTS.iter().map(|s| s.name).chain(tabled);
        assert!(part || names.any(|name| name == f.name()), "{}", f.name());
    }
}
