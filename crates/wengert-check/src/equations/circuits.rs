//! Electric circuits.

use wengert::prelude::*;

use super::Problem;

/// Van der Pol's oscillator, a circuit with a triode (Phil. Mag. 2, 1926), with its parameter μ.
pub fn van_der_pol(mu: Var, [x, v]: [Var; 2]) -> [Var; 2] {
    [v, mu * (1.0 - x.square()) * v - x]
}

/// A ring of four diodes that mixes a low and a high frequency (E. H. Horneber, 1985; the test set's Ringmod): seven
/// voltages, then eight currents.
fn ring_modulator(t: Var, y: [Var; 15]) -> [Var; 15] {
    const C: f64 = 1.6e-8;
    const C_S: f64 = 2e-12;
    const C_P: f64 = 1e-8;
    const L_H: f64 = 4.45;
    const L_S1: f64 = 0.002;
    const L_S2: f64 = 5e-4;
    const L_S3: f64 = 5e-4;
    const R: f64 = 25000.0;
    const R_P: f64 = 50.0;
    const R_G1: f64 = 36.3;
    const R_G2: f64 = 17.3;
    const R_G3: f64 = 17.3;
    const R_I: f64 = 50.0;
    const R_C: f64 = 600.0;
    let diode = |u: Var| 40.672_864_02e-9 * (17.749_333_2 * u).exp_m1();
    let turn = 2.0 * std::f64::consts::PI * t;
    let low = 0.5 * (1e3 * turn).sin();
    let high = 2.0 * (1e4 * turn).sin();
    let [v1, v2, v3, v4, v5, v6, v7, i1, i2, i3, i4, i5, i6, i7, i8] = y;
    let d1 = diode(v3 - v5 - v7 - high);
    let d2 = diode(-v4 + v6 - v7 - high);
    let d3 = diode(v4 + v5 + v7 + high);
    let d4 = diode(-v3 - v6 + v7 + high);
    [
        (i1 - 0.5 * i3 + 0.5 * i4 + i7 - v1 / R) / C,
        (i2 - 0.5 * i5 + 0.5 * i6 + i8 - v2 / R) / C,
        (i3 - d1 + d4) / C_S,
        (-i4 + d2 - d3) / C_S,
        (i5 + d1 - d3) / C_S,
        (-i6 - d2 + d4) / C_S,
        (-v7 / R_P + d1 + d2 - d3 - d4) / C_P,
        -v1 / L_H,
        -v2 / L_H,
        (0.5 * v1 - v3 - R_G2 * i3) / L_S2,
        (-0.5 * v1 + v4 - R_G3 * i4) / L_S3,
        (0.5 * v2 - v5 - R_G2 * i5) / L_S2,
        (-0.5 * v2 + v6 - R_G3 * i6) / L_S3,
        (-v1 + low - (R_I + R_G1) * i7) / L_S1,
        (-v2 - (R_C + R_G1) * i8) / L_S1,
    ]
}

pub(super) fn problems() -> Vec<Problem> {
    vec![
        Problem::new(
            "van_der_pol",
            |_, y| van_der_pol(1000.0.into(), y),
            [2.0, 0.0],
            2000.0,
        )
        .stiff()
        .small(1e-3),
        Problem::new("ring_modulator", ring_modulator, [0.0; 15], 1e-3)
            .stiff()
            .small(1e-3),
    ]
}
