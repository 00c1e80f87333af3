//! The problems of a fixed number of unknowns.

use std::f64::consts::PI;

use wengert::prelude::*;

use super::Problem;

fn each<const N: usize>(x: Var) -> [Var; N] {
    std::array::from_fn(|i| x.at(i))
}

fn data(y: &[f64]) -> Var {
    Var::from(Array::from(y.to_vec()))
}

/// The numbers from 1 to n.
fn numbers(n: usize) -> Var {
    arange(1..n + 1).to(DType::F64)
}

fn rosenbrock(x: Var) -> Var {
    let [x, y] = each(x);
    stack([10.0 * (y - x * x), 1.0 - x])
}

fn freudenstein_roth(x: Var) -> Var {
    let [x, y] = each(x);
    stack([
        -13.0 + x + ((5.0 - y) * y - 2.0) * y,
        -29.0 + x + ((y + 1.0) * y - 14.0) * y,
    ])
}

fn powell_badly_scaled(x: Var) -> Var {
    let [x, y] = each(x);
    stack([1e4 * x * y - 1.0, (-x).exp() + (-y).exp() - 1.0001])
}

fn brown_badly_scaled(x: Var) -> Var {
    let [x, y] = each(x);
    stack([x - 1e6, y - 2e-6, x * y - 2.0])
}

fn beale(x: Var) -> Var {
    let [x, y] = each(x);
    data(&[1.5, 2.25, 2.625]) - x * (1.0 - stack([y, y * y, y * y * y]))
}

fn jennrich_sampson(x: Var) -> Var {
    let [x, y] = each(x);
    let i = numbers(10);
    2.0 + 2.0 * i - ((i * x).exp() + (i * y).exp())
}

fn helical_valley(x: Var) -> Var {
    let [x, y, z] = each(x);
    // The angle from -π/2 to 3π/2, in turns.
    let right = x.gt(0.0);
    let other = right.select(x, 1.0);
    let turned = right.select(-1.0, x);
    let angle = right.select((y / other).atan(), (y / turned).atan() + PI) / (2.0 * PI);
    stack([10.0 * (z - 10.0 * angle), 10.0 * (x.hypot(y) - 1.0), z])
}

const BARD: [f64; 15] = [
    0.14, 0.18, 0.22, 0.25, 0.29, 0.32, 0.35, 0.39, 0.37, 0.58, 0.73, 0.96, 1.34, 2.10, 4.39,
];

fn bard(x: Var) -> Var {
    let [x, y, z] = each(x);
    let u = numbers(15);
    let v = 16.0 - u;
    data(&BARD) - (x + u / (v * y + u.minimum(v) * z))
}

const GAUSSIAN: [f64; 15] = [
    0.0009, 0.0044, 0.0175, 0.0540, 0.1295, 0.2420, 0.3521, 0.3989, 0.3521, 0.2420, 0.1295, 0.0540,
    0.0175, 0.0044, 0.0009,
];

fn gaussian(x: Var) -> Var {
    let [x, y, z] = each(x);
    let t = (8.0 - numbers(15)) / 2.0;
    x * (-y * (t - z).square() / 2.0).exp() - data(&GAUSSIAN)
}

const MEYER: [f64; 16] = [
    34780.0, 28610.0, 23650.0, 19630.0, 16370.0, 13720.0, 11540.0, 9744.0, 8261.0, 7030.0, 6005.0,
    5147.0, 4427.0, 3820.0, 3307.0, 2872.0,
];

fn meyer(x: Var) -> Var {
    let [x, y, z] = each(x);
    let t = 45.0 + 5.0 * numbers(16);
    x * (y / (t + z)).exp() - data(&MEYER)
}

fn gulf(x: Var) -> Var {
    let [x, y, z] = each(x);
    let t = numbers(99) / 100.0;
    let u = 25.0 + (-50.0 * t.ln()).powf(2.0 / 3.0);
    (-(u - y).abs().powf(z) / x).exp() - t
}

fn box_three(x: Var) -> Var {
    let [x, y, z] = each(x);
    let t = 0.1 * numbers(10);
    (-t * x).exp() - (-t * y).exp() - z * ((-t).exp() - (-10.0 * t).exp())
}

fn powell_singular(x: Var) -> Var {
    let [a, b, c, d] = each(x);
    stack([
        a + 10.0 * b,
        5f64.sqrt() * (c - d),
        (b - 2.0 * c).square(),
        10f64.sqrt() * (a - d).square(),
    ])
}

fn wood(x: Var) -> Var {
    let [a, b, c, d] = each(x);
    stack([
        10.0 * (b - a * a),
        1.0 - a,
        90f64.sqrt() * (d - c * c),
        1.0 - c,
        10f64.sqrt() * (b + d - 2.0),
        (b - d) / 10f64.sqrt(),
    ])
}

const KOWALIK_Y: [f64; 11] = [
    0.1957, 0.1947, 0.1735, 0.1600, 0.0844, 0.0627, 0.0456, 0.0342, 0.0323, 0.0235, 0.0246,
];
const KOWALIK_U: [f64; 11] = [
    4.0, 2.0, 1.0, 0.5, 0.25, 0.167, 0.125, 0.1, 0.0833, 0.0714, 0.0625,
];

fn kowalik_osborne(x: Var) -> Var {
    let [a, b, c, d] = each(x);
    let u = data(&KOWALIK_U);
    data(&KOWALIK_Y) - a * (u * u + u * b) / (u * u + u * c + d)
}

fn brown_dennis(x: Var) -> Var {
    let [a, b, c, d] = each(x);
    let t = numbers(20) / 5.0;
    (a + t * b - t.exp()).square() + (c + d * t.sin() - t.cos()).square()
}

const OSBORNE_1: [f64; 33] = [
    0.844, 0.908, 0.932, 0.936, 0.925, 0.908, 0.881, 0.850, 0.818, 0.784, 0.751, 0.718, 0.685,
    0.658, 0.628, 0.603, 0.580, 0.558, 0.538, 0.522, 0.506, 0.490, 0.478, 0.467, 0.457, 0.448,
    0.438, 0.431, 0.424, 0.420, 0.414, 0.411, 0.406,
];

fn osborne_1(x: Var) -> Var {
    let [a, b, c, d, e] = each(x);
    let t = 10.0 * (numbers(33) - 1.0);
    data(&OSBORNE_1) - (a + b * (-t * d).exp() + c * (-t * e).exp())
}

fn biggs(x: Var) -> Var {
    let [a, b, c, d, e, f] = each(x);
    let t = 0.1 * numbers(13);
    let y = (-t).exp() - 5.0 * (-10.0 * t).exp() + 3.0 * (-4.0 * t).exp();
    c * (-t * a).exp() - d * (-t * b).exp() + f * (-t * e).exp() - y
}

const OSBORNE_2: [f64; 65] = [
    1.366, 1.191, 1.112, 1.013, 0.991, 0.885, 0.831, 0.847, 0.786, 0.725, 0.746, 0.679, 0.608,
    0.655, 0.616, 0.606, 0.602, 0.626, 0.651, 0.724, 0.649, 0.649, 0.694, 0.644, 0.624, 0.661,
    0.612, 0.558, 0.533, 0.495, 0.500, 0.423, 0.395, 0.375, 0.372, 0.391, 0.396, 0.405, 0.428,
    0.429, 0.523, 0.562, 0.607, 0.653, 0.672, 0.708, 0.633, 0.668, 0.645, 0.632, 0.591, 0.559,
    0.597, 0.625, 0.739, 0.710, 0.729, 0.720, 0.636, 0.581, 0.428, 0.292, 0.162, 0.098, 0.054,
];

fn osborne_2(x: Var) -> Var {
    let p: [Var; 11] = each(x);
    let t = (numbers(65) - 1.0) / 10.0;
    let bell = |height: Var, width: Var, at: Var| height * (-(t - at).square() * width).exp();
    data(&OSBORNE_2)
        - (p[0] * (-t * p[4]).exp()
            + bell(p[1], p[5], p[8])
            + bell(p[2], p[6], p[9])
            + bell(p[3], p[7], p[10]))
}

type Row = (
    usize,
    &'static str,
    usize,
    fn(Var) -> Var,
    &'static [f64],
    &'static [f64],
);

/// Number, name, residuals, start, minima.
const ROWS: [Row; 19] = [
    (1, "Rosenbrock", 2, rosenbrock, &[-1.2, 1.0], &[0.0]),
    (
        2,
        "Freudenstein and Roth",
        2,
        freudenstein_roth,
        &[0.5, -2.0],
        &[0.0, 48.984_253_679_24],
    ),
    (
        3,
        "Powell badly scaled",
        2,
        powell_badly_scaled,
        &[0.0, 1.0],
        &[0.0],
    ),
    (
        4,
        "Brown badly scaled",
        3,
        brown_badly_scaled,
        &[1.0, 1.0],
        &[0.0],
    ),
    (5, "Beale", 3, beale, &[1.0, 1.0], &[0.0]),
    (
        6,
        "Jennrich and Sampson",
        10,
        jennrich_sampson,
        &[0.3, 0.4],
        &[124.362_182_355_6],
    ),
    (
        7,
        "Helical valley",
        3,
        helical_valley,
        &[-1.0, 0.0, 0.0],
        &[0.0],
    ),
    (
        8,
        "Bard",
        15,
        bard,
        &[1.0, 1.0, 1.0],
        &[8.214_877e-3, 17.428_69],
    ),
    (
        9,
        "Gaussian",
        15,
        gaussian,
        &[0.4, 1.0, 0.0],
        &[1.127_932_8e-8],
    ),
    (
        10,
        "Meyer",
        16,
        meyer,
        &[0.02, 4000.0, 250.0],
        &[87.945_855],
    ),
    (
        11,
        "Gulf research and development",
        99,
        gulf,
        &[5.0, 2.5, 0.15],
        &[0.0],
    ),
    (
        12,
        "Box three-dimensional",
        10,
        box_three,
        &[0.0, 10.0, 20.0],
        &[0.0],
    ),
    (
        13,
        "Powell singular",
        4,
        powell_singular,
        &[3.0, -1.0, 0.0, 1.0],
        &[0.0],
    ),
    (14, "Wood", 6, wood, &[-3.0, -1.0, -3.0, -1.0], &[0.0]),
    (
        15,
        "Kowalik and Osborne",
        11,
        kowalik_osborne,
        &[0.25, 0.39, 0.415, 0.39],
        &[3.075_056e-4, 1.027_34e-3],
    ),
    (
        16,
        "Brown and Dennis",
        20,
        brown_dennis,
        &[25.0, 5.0, -5.0, -1.0],
        &[85_822.201_626_36],
    ),
    (
        17,
        "Osborne 1",
        33,
        osborne_1,
        &[0.5, 1.5, -1.0, 0.01, 0.02],
        &[5.464_895e-5],
    ),
    (
        18,
        "Biggs EXP6",
        13,
        biggs,
        &[1.0, 2.0, 1.0, 1.0, 1.0, 1.0],
        &[0.0, 5.655_650e-3],
    ),
    (
        19,
        "Osborne 2",
        65,
        osborne_2,
        &[1.3, 0.65, 0.65, 0.7, 0.6, 3.0, 5.0, 7.0, 2.0, 4.5, 5.5],
        &[4.013_774e-2],
    ),
];

pub fn problems() -> Vec<Problem> {
    let of = |&(number, name, m, residuals, start, minima): &Row| Problem {
        number,
        name,
        n: start.len(),
        m,
        residuals,
        start: start.to_vec(),
        minima,
    };
    ROWS.iter().map(of).collect()
}
