//! Both libraries against finite differences, in batches, loops and gradients, and their errors.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;

fn libraries() -> (Arc<Gas>, Arc<Curve>) {
    (nitrogen().unwrap(), Arc::new(Curve::new(&VALVE).unwrap()))
}

/// The difference quotient of a function of numbers.
fn slope(f: impl Fn(f64) -> f64, x: f64) -> f64 {
    let h = 1e-4 * x.abs().max(1e-2);
    (8.0 * (f(x + h) - f(x - h)) - (f(x + 2.0 * h) - f(x - 2.0 * h))) / (12.0 * h)
}

fn close(a: f64, b: f64, relative: f64) {
    assert!((a - b).abs() <= relative * b.abs(), "{a} is not {b}");
}

#[test]
fn derivatives_of_a_step_are_those_of_the_libraries() {
    let (gas, curve) = libraries();
    let p = gas::pressure(&gas);
    let f = jit(grad(move |(rho, t): (Var, Var)| p([rho, t])));
    for (rho, t) in [(1000.0, 280.0), (40.0, 130.0), (3000.0, 640.0)] {
        let (by_rho, by_t) = f.call((rho, t)).unwrap();
        let at = |rho: f64, t: f64| gas.pressure(&[rho], &[t]).unwrap()[0];
        close(by_rho.item().unwrap(), slope(|rho| at(rho, t), rho), 1e-8);
        close(by_t.item().unwrap(), slope(|t| at(rho, t), t), 1e-8);
    }
    let f = jit(grad(curve::value(&curve)));
    for x in [0.1, 0.45, 0.9] {
        let at = |x: f64| curve.values(&[x]).unwrap()[0];
        close(f.call(x).unwrap().item().unwrap(), slope(at, x), 1e-7);
    }
}

#[test]
fn derivatives_of_a_simulation_agree_with_differences() {
    let (gas, curve) = libraries();
    let (p, v) = (gas::pressure(&gas), curve::value(&curve));
    let model = move |b: Bottle| left(&p, &v, b);
    let run = jit(model.clone());
    let at = Bottle {
        density: 2000.0,
        temperature: 290.0,
        opening: 0.6,
    };
    let by = jit(grad(model)).call(at).unwrap();
    let value = |b: Bottle<f64>| run.call(b).unwrap().item::<f64>().unwrap();
    let found = |x: &Array| x.item::<f64>().unwrap();
    close(
        found(&by.density),
        slope(|density| value(Bottle { density, ..at }), at.density),
        1e-6,
    );
    close(
        found(&by.temperature),
        slope(
            |temperature| value(Bottle { temperature, ..at }),
            at.temperature,
        ),
        1e-6,
    );
    close(
        found(&by.opening),
        slope(|opening| value(Bottle { opening, ..at }), at.opening),
        1e-6,
    );
}

/// The same bits alone and in a batch, by call and interpreted, with a gradient in it.
#[test]
fn a_batch_has_the_bits_of_its_elements() {
    let (gas, curve) = libraries();
    let (p, v) = (gas::pressure(&gas), curve::value(&curve));
    let model = value_and_grad(move |b: Bottle| left(&p, &v, b));
    let openings = [0.0, 0.2, 0.55, 1.0];
    let bottle = |opening| Bottle {
        density: 2000.0,
        temperature: 290.0,
        opening,
    };
    let all = Bottle {
        density: vec![2000.0; 4],
        temperature: vec![290.0; 4],
        opening: openings.to_vec(),
    };
    let many = jit(vmap(model.clone()));
    let one = jit(model);
    for (y, by) in [many.call(&all).unwrap(), many.interpret(&all).unwrap()] {
        for (i, opening) in openings.into_iter().enumerate() {
            let (y1, by1) = one.call(bottle(opening)).unwrap();
            assert_eq!(y.to_vec::<f64>().unwrap()[i], y1.item::<f64>().unwrap());
            let bits = |x: f64| x.to_bits();
            let in_batch = by.opening.to_vec::<f64>().unwrap()[i];
            assert_eq!(bits(in_batch), bits(by1.opening.item().unwrap()));
        }
    }
}

/// A step of a batch is one call of a library.
#[test]
fn a_library_gets_whole_arrays() {
    let (calls, elements) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (gas, _) = libraries();
    let counted = (calls.clone(), elements.clone());
    let p = move |state: [Var; 2]| {
        let (gas, (calls, elements)) = (gas.clone(), counted.clone());
        let call = move |[rho, t]: [Array; 2]| -> Result<Array, Box<dyn Error>> {
            calls.fetch_add(1, Ordering::Relaxed);
            elements.fetch_add(rho.len(), Ordering::Relaxed);
            Ok(gas.pressure(rho.as_slice()?, t.as_slice()?)?.into())
        };
        pure_callback_batched(call, &ShapeDtype::scalar(DType::F64), state)
    };
    let f = jit(vmap(move |rho: Var| {
        scan(rho, 0..10, |rho, _| {
            (rho - 1e-6 * p([rho, Var::from(300.0)]), ())
        })
        .0
    }));
    f.call(vec![1000.0; 500]).unwrap();
    assert_eq!(calls.load(Ordering::Relaxed), 10);
    assert_eq!(elements.load(Ordering::Relaxed), 5000);
}

#[test]
fn errors_of_the_libraries_are_errors_with_the_users_line() {
    let (gas, curve) = libraries();
    let (p, v) = (gas::pressure(&gas), curve::value(&curve));
    let f = jit(vmap(move |(rho, t): (Var, Var)| p([rho, t])));
    let said = |e: wengert::Error| e.to_string();
    let e = said(f.call(([1.0, 1.0, 1.0], [300.0, 80.0, 900.0])).unwrap_err());
    assert!(
        e.contains("colder than the table (at 1 mol/m³ and 80 K)") && e.contains("gas.rs:"),
        "{e}"
    );
    let e = said(f.call(([1.0, -1.0], [300.0, 300.0])).unwrap_err());
    assert!(e.contains("density is negative"), "{e}");
    let e = said(f.call(([1.0], [f64::NAN])).unwrap_err());
    assert!(e.contains("colder"), "{e}");
    let f = jit(grad(v));
    let e = said(f.call(1.5).unwrap_err());
    assert!(
        e.contains("1.5 is not between 0 and 1") && e.contains("curve.rs:"),
        "{e}"
    );
    let e = Curve::new(&[(0.0, 1.0), (0.0, 2.0)])
        .unwrap_err()
        .to_string();
    assert!(e.contains("point 1 is not right"), "{e}");
    let e = Gas::new(&[300.0, 200.0], &[0.0, 0.0])
        .unwrap_err()
        .to_string();
    assert!(e.contains("temperatures that rise"), "{e}");
    // The library's derivatives have none themselves.
    let (gas, _) = libraries();
    let p = gas::pressure(&gas);
    let e = said(
        jit(grad(grad(move |rho: Var| p([rho, Var::from(300.0)]))))
            .call(1.0)
            .unwrap_err(),
    );
    assert!(e.contains("give it one with `custom_jvp`"), "{e}");
}
