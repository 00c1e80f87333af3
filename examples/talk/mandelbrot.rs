//! The Mandelbrot set, as in Numba's own examples: how many steps of `z² + c` stay within a circle. One point is a loop that
//! ends early; the picture is a map of it.

use std::fmt::Write;

use wengert::prelude::*;

use super::Failure;
use super::measure::{Row, Scale, in_turns};

const LIMIT: i64 = 200;

/// The number of steps until `z` leaves the circle of radius 2.
fn escape(x: Var, y: Var) -> Var {
    let (_, _, steps) = while_loop(
        (Var::from(0.0), Var::from(0.0), Var::from(0i64)),
        |(u, v, n)| (u * u + v * v).lt(4.0) & n.lt(LIMIT),
        move |(u, v, n)| (u * u - v * v + x, 2.0 * u * v + y, n + 1),
    );
    steps
}

fn picture((xs, ys): (Var, Var)) -> Var {
    wengert::map(ys, move |y| wengert::map(xs, move |x| escape(x, y)))
}

fn plain(xs: &[f64], ys: &[f64]) -> Vec<i64> {
    let mut all = Vec::with_capacity(xs.len() * ys.len());
    for y in ys {
        for x in xs {
            let (mut u, mut v, mut n) = (0.0, 0.0, 0);
            while u * u + v * v < 4.0 && n < LIMIT {
                (u, v) = (u * u - v * v + x, 2.0 * u * v + y);
                n += 1;
            }
            all.push(n);
        }
    }
    all
}

/// `n` numbers from `a` on, `b` not among them.
fn axis(a: f64, b: f64, n: usize) -> Vec<f64> {
    (0..n).map(|i| a + (b - a) / n as f64 * i as f64).collect()
}

pub(crate) fn run(scale: Scale) -> Result<Vec<Row>, Failure> {
    let (width, height) = (scale.of(48, 768), scale.of(32, 512));
    let (xs, ys) = (axis(-2.0, 1.0, width), axis(-1.0, 1.0, height));
    let data = (Array::from(xs.clone()), Array::from(ys.clone()));

    let f = jit(picture);
    let (ours, theirs, times) = in_turns(scale, || f.call(&data), || plain(&xs, &ys))?;
    let ours = ours.to_vec::<i64>()?;
    // Where a product and a sum are rounded once, a point at the very edge may take another number of steps.
    let other = ours.iter().zip(&theirs).filter(|(a, b)| a != b).count();
    assert!(other * 1000 <= ours.len(), "{other} of {}", ours.len());
    let inside = ours.iter().filter(|&&n| n == LIMIT).count() as f64 / ours.len() as f64;
    Ok(vec![Row {
        name: "mandelbrot",
        said: format!("{:.2} % of {width} × {height} points stay", 100.0 * inside),
        check: inside,
        times,
    }])
}

/// The picture as SVG: a rectangle for each run of one shade in a row.
pub(crate) fn figure() -> Result<String, Failure> {
    let (width, height) = (180, 120);
    let (xs, ys) = (axis(-2.0, 1.0, width), axis(-1.0, 1.0, height));
    let steps = jit(picture).call((xs, ys))?.to_vec::<i64>()?;
    // Shades by the logarithm of the steps.
    let shade = |n: i64| match n {
        LIMIT => 0,
        n => 1 + (1.9 * (n as f64).ln()) as usize,
    };
    const COLOURS: [&str; 12] = [
        "#1a1a2e", "#fdf6e3", "#fbe7c0", "#f8d49a", "#f4bd76", "#eda35b", "#e2884c", "#d26d45",
        "#bc5343", "#a03c44", "#802a45", "#5d1d42",
    ];
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"720\" shape-rendering=\"crispEdges\">\n"
    );
    for (colour, of) in COLOURS.iter().zip(0..) {
        let mut path = String::new();
        for (y, row) in steps.chunks(width).enumerate() {
            let mut x = 0;
            for run in row.chunk_by(|a, b| shade(*a).min(11) == shade(*b).min(11)) {
                if shade(run[0]).min(11) == of {
                    write!(path, "M{x} {y}h{}v1h-{}z", run.len(), run.len())?;
                }
                x += run.len();
            }
        }
        writeln!(svg, "<path fill=\"{colour}\" d=\"{path}\"/>")?;
    }
    svg.push_str("</svg>\n");
    Ok(svg)
}
