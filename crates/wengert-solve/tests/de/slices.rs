//! Right-hand sides as functions of slices.

use wengert::Error;
use wengert::prelude::*;
use wengert_solve::de::Slices;

type Result = std::result::Result<(), Box<dyn std::error::Error>>;

/// The products of both Jacobians are those of differences, and transposes fit.
#[test]
fn products_are_those_of_the_jacobians() -> Result {
    let f = |t: Var, y: Var, p: Var| {
        let (a, b) = (y.at(0), y.at(1));
        stack([a * b * p.at(0) + t, (a - p.at(1)).sin(), p.at(2) * b.exp()]) + 0.0 * y
    };
    let f = Slices::new(f, 3, 3)?;
    let (t, y, p) = (0.3, [0.5, -0.2, 0.1], [1.5, 0.7, -0.4]);
    let rate = |y: &[f64], p: &[f64]| {
        let mut out = [0.0; 3];
        f.rate(t, y, p, &mut out).map(|()| out)
    };
    let got = rate(&y, &p)?;
    let want = [
        0.5 * -0.2 * 1.5 + 0.3,
        f64::sin(0.5 - 0.7),
        -0.4 * f64::exp(-0.2),
    ];
    for (got, want) in got.iter().zip(want) {
        assert!((got - want).abs() < 1e-15, "{got} {want}");
    }
    let (v, w) = ([0.3, -1.0, 0.8], [1.2, 0.4, -0.9]);
    let h = 1e-6;
    let moved = |x: [f64; 3], s: f64| [0, 1, 2].map(|i| x[i] + s * v[i]);
    let dot = |a: [f64; 3], b: [f64; 3]| (0..3).map(|i| a[i] * b[i]).sum::<f64>();
    let (mut product, mut transposed) = ([0.0; 3], [0.0; 3]);
    for by_state in [true, false] {
        let (ahead, behind) = match by_state {
            true => (rate(&moved(y, h), &p)?, rate(&moved(y, -h), &p)?),
            false => (rate(&y, &moved(p, h))?, rate(&y, &moved(p, -h))?),
        };
        match by_state {
            true => {
                f.product(t, &y, &p, &v, &mut product)?;
                f.transposed(t, &y, &p, &w, &mut transposed)?;
            }
            false => {
                f.by_parameters(t, &y, &p, &v, &mut product)?;
                f.by_parameters_transposed(t, &y, &p, &w, &mut transposed)?;
            }
        }
        for i in 0..3 {
            let slope = (ahead[i] - behind[i]) / (2.0 * h);
            assert!((product[i] - slope).abs() < 1e-8, "{product:?}");
        }
        assert!((dot(product, w) - dot(transposed, v)).abs() < 1e-14);
    }
    Ok(())
}

#[test]
fn mistakes_are_errors() -> Result {
    let said = |r: std::result::Result<(), Error>| r.unwrap_err().to_string();
    let f = Slices::new(|_: Var, y: Var, p: Var| -p.at(0) * y, 2, 1)?;
    let mut out = [0.0; 2];
    assert!(said(f.rate(0.0, &[1.0], &[1.0], &mut out)).contains("f64[2]"));
    assert!(said(f.product(0.0, &[1.0; 2], &[1.0], &[1.0; 3], &mut out)).contains("f64[3]"));
    assert!(said(f.rate(0.0, &[1.0; 2], &[1.0], &mut [0.0; 3])).contains("reshape"));
    let other = Slices::new(|_: Var, y: Var, _: Var| y.at(0), 2, 1);
    let other = other.err().map(|e| e.to_string()).unwrap_or_default();
    assert!(
        other.starts_with("slices: ") && other.contains("slices.rs"),
        "{other}"
    );
    Ok(())
}
