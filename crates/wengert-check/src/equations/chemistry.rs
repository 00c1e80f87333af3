//! Kinetics of chemical reactions.

use wengert::prelude::*;

use super::{Problem, constants};

/// The rates of Robertson's reactions.
pub const ROBERTSON: [f64; 3] = [0.04, 1e4, 3e7];

/// Robertson's three reactions (1966), with their rates.
pub fn robertson([a, b, c]: [Var; 3], [x, y, z]: [Var; 3]) -> [Var; 3] {
    let first = a * x - b * y * z;
    let second = c * y.square();
    [-first, first - second, second]
}

/// The twelve rates of [`hires`], in the order of their first use.
pub const HIRES: [f64; 12] = [
    1.71, 0.43, 8.32, 0.0007, 8.75, 10.03, 0.035, 1.12, 1.745, 280.0, 0.69, 1.81,
];

/// How light steers the growth of plants: High Irradiance RESponse (E. Schäfer, J. Math. Biology 2, 1975), with its rates.
pub fn hires(k: [Var; 12], y: [Var; 8]) -> [Var; 8] {
    let [y1, y2, y3, y4, y5, y6, y7, y8] = y;
    let bound = k[9] * y6 * y8;
    let freed = k[11] * y7;
    [
        -k[0] * y1 + k[1] * y2 + k[2] * y3 + k[3],
        k[0] * y1 - k[4] * y2,
        -k[5] * y3 + k[1] * y4 + k[6] * y5,
        k[2] * y2 + k[0] * y3 - k[7] * y4,
        -k[8] * y5 + k[1] * (y6 + y7),
        -bound + k[10] * (y4 + y7) + k[0] * y5 - k[1] * y6,
        bound - freed,
        freed - bound,
    ]
}

/// The Belousov-Zhabotinskii reaction in Field and Noyes' Oregonator (J. Chem. Phys. 60, 1974).
fn oregonator(_: Var, [x, y, z]: [Var; 3]) -> [Var; 3] {
    [
        77.27 * (y + x * (1.0 - 8.375e-6 * x - y)),
        (z - (1.0 + x) * y) / 77.27,
        0.161 * (x - z),
    ]
}

/// A chemical pyrolysis, E5 of Enright, Hull and Lindberg (BIT 15, 1975).
fn e5(_: Var, [w, x, y, z]: [Var; 4]) -> [Var; 4] {
    let [a, b, c, m] = [7.89e-10, 1.1e7, 1.13e3, 1e6];
    let (start, second) = (a * w, b * w * y);
    let (third, last) = (m * c * x * y, c * z);
    [
        -start - second,
        start - third,
        start - second - third + last,
        second - last,
    ]
}

/// The 25 reactions of a model of air pollution (J. G. Verwer, SIAM J. Sci. Comput. 15, 1994).
fn pollution(_: Var, y: [Var; 20]) -> [Var; 20] {
    let [
        y1,
        y2,
        y3,
        y4,
        y5,
        y6,
        y7,
        _,
        y9,
        y10,
        y11,
        _,
        y13,
        y14,
        _,
        y16,
        y17,
        _,
        y19,
        y20,
    ] = y;
    let r1 = 0.35 * y1;
    let r2 = 26.6 * y2 * y4;
    let r3 = 12_300.0 * y5 * y2;
    let r4 = 0.00086 * y7;
    let r5 = 0.00082 * y7;
    let r6 = 15_000.0 * y7 * y6;
    let r7 = 0.00013 * y9;
    let r8 = 24_000.0 * y9 * y6;
    let r9 = 16_500.0 * y11 * y2;
    let r10 = 9_000.0 * y11 * y1;
    let r11 = 0.022 * y13;
    let r12 = 12_000.0 * y10 * y2;
    let r13 = 1.88 * y14;
    let r14 = 16_300.0 * y1 * y6;
    let r15 = 4_800_000.0 * y3;
    let r16 = 0.00035 * y4;
    let r17 = 0.0175 * y4;
    let r18 = 1e8 * y16;
    let r19 = 4.44e11 * y16;
    let r20 = 1_240.0 * y17 * y6;
    let r21 = 2.1 * y19;
    let r22 = 5.78 * y19;
    let r23 = 0.0474 * y1 * y4;
    let r24 = 1_780.0 * y19 * y1;
    let r25 = 3.12 * y20;
    [
        -r1 - r10 - r14 - r23 - r24 + r2 + r3 + r9 + r11 + r12 + r22 + r25,
        -r2 - r3 - r9 - r12 + r1 + r21,
        -r15 + r1 + r17 + r19 + r22,
        -r2 - r16 - r17 - r23 + r15,
        -r3 + 2.0 * r4 + r6 + r7 + r13 + r20,
        -r6 - r8 - r14 - r20 + r3 + 2.0 * r18,
        -r4 - r5 - r6 + r13,
        r4 + r5 + r6 + r7,
        -r7 - r8,
        -r12 + r7 + r9,
        -r9 - r10 + r8 + r11,
        r9,
        -r11 + r10,
        -r13 + r12,
        r14,
        -r18 - r19 + r16,
        -r20,
        r20,
        -r21 - r22 - r24 + r23 + r25,
        -r25 + r24,
    ]
}

/// What binds the last species of [`chemical_akzo`] to the others.
const K_S: f64 = 115.83;

/// Two species that mix while carbon dioxide is added (Akzo Nobel, Arnhem; the test set's Chemakzo): five differential
/// equations and an algebraic one, of index 1.
fn chemical_akzo(_: Var, [y1, y2, y3, y4, y5, y6]: [Var; 6]) -> [Var; 6] {
    const K_2: f64 = 0.58;
    let root = y2.sqrt();
    let r1 = 18.7 * y1.powi(4) * root;
    let r2 = K_2 * y3 * y4;
    let r3 = K_2 / 34.4 * y1 * y5;
    let r4 = 0.09 * y1 * y4.square();
    let r5 = 0.42 * y6.square() * root;
    let flow = 3.3 * (0.9 / 737.0 - y2);
    [
        -2.0 * r1 + r2 - r3 - r4,
        -0.5 * r1 - r4 - 0.5 * r5 + flow,
        r1 - r2 + r3,
        -r2 + r3 - 2.0 * r4,
        r2 - r3 + r5,
        K_S * y1 * y4 - y6,
    ]
}

pub(super) fn problems() -> Vec<Problem> {
    let mut air = [0.0; 20];
    for (i, x) in [
        (2, 0.2),
        (4, 0.04),
        (7, 0.1),
        (8, 0.3),
        (9, 0.01),
        (17, 0.007),
    ] {
        air[i - 1] = x;
    }
    let akzo = [0.444, 0.00123, 0.0, 0.007, 0.0, K_S * 0.444 * 0.007];
    vec![
        Problem::new(
            "robertson",
            |_, y| robertson(constants(ROBERTSON), y),
            [1.0, 0.0, 0.0],
            1e11,
        )
        .stiff()
        .small(1e-9),
        Problem::new(
            "hires",
            |_, y| hires(constants(HIRES), y),
            [1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0057],
            321.8122,
        )
        .stiff()
        .small(1e-3),
        Problem::new("oregonator", oregonator, [1.0, 2.0, 3.0], 360.0).stiff(),
        Problem::new("e5", e5, [1.76e-3, 0.0, 0.0, 0.0], 1e13)
            .stiff()
            .small(1e-22),
        Problem::new("pollution", pollution, air, 60.0)
            .stiff()
            .small(1e-3),
        Problem {
            mass: Some(vec![1.0, 1.0, 1.0, 1.0, 1.0, 0.0]),
            ..Problem::new("chemical_akzo", chemical_akzo, akzo, 180.0)
                .stiff()
                .small(1e-3)
        },
    ]
}
