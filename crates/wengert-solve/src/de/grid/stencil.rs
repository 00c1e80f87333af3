//! Weights of finite differences on points that are one apart.

/// A difference of `2k + 1` neighbours: the weights of `u[i - k] ..= u[i + k]`.
pub(super) type Stencil = [f64];

/// The first derivative of order 2, 4 or 6.
pub(super) fn first(order: u32) -> Option<&'static Stencil> {
    Some(match order {
        2 => &[-1.0 / 2.0, 0.0, 1.0 / 2.0],
        4 => &[1.0 / 12.0, -2.0 / 3.0, 0.0, 2.0 / 3.0, -1.0 / 12.0],
        6 => &[
            -1.0 / 60.0,
            3.0 / 20.0,
            -3.0 / 4.0,
            0.0,
            3.0 / 4.0,
            -3.0 / 20.0,
            1.0 / 60.0,
        ],
        _ => return None,
    })
}

/// The second derivative of order 2, 4 or 6.
pub(super) fn second(order: u32) -> Option<&'static Stencil> {
    Some(match order {
        2 => &[1.0, -2.0, 1.0],
        4 => &[-1.0 / 12.0, 4.0 / 3.0, -5.0 / 2.0, 4.0 / 3.0, -1.0 / 12.0],
        6 => &[
            1.0 / 90.0,
            -3.0 / 20.0,
            3.0 / 2.0,
            -49.0 / 18.0,
            3.0 / 2.0,
            -3.0 / 20.0,
            1.0 / 90.0,
        ],
        _ => return None,
    })
}

/// The first derivative by one point more before than behind, of order 1, 3 or 5.
pub(super) fn backward(order: u32) -> Option<&'static Stencil> {
    Some(match order {
        2 => &[-1.0, 1.0, 0.0],
        4 => &[1.0 / 6.0, -1.0, 1.0 / 2.0, 1.0 / 3.0, 0.0],
        6 => &[
            -1.0 / 30.0,
            1.0 / 4.0,
            -1.0,
            1.0 / 3.0,
            1.0 / 2.0,
            -1.0 / 20.0,
            0.0,
        ],
        _ => return None,
    })
}

/// What is known at an end.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Datum {
    /// The value, so far before the first point.
    Value(f64),
    /// The slope, so far before the first point.
    Slope(f64),
}

/// The weights of a stencil at the first `k` points: in each row that of the datum, and those of the first `2k` points.
///
/// The points that are missing before the end are those of the polynomial of degree `2k` through the datum and `2k` points.
/// So a row is exact for such polynomials as the stencil is.
pub(super) fn rows(stencil: &Stencil, datum: Datum) -> Vec<Vec<f64>> {
    let k = stencil.len() / 2;
    let row = |i: usize| {
        let mut row = vec![0.0; 2 * k + 1];
        for (j, &c) in stencil.iter().enumerate() {
            // The point is i + j - k.
            match (i + j).checked_sub(k) {
                Some(point) => row[1 + point] += c,
                None => {
                    let before = (k - i - j) as f64;
                    for (sum, w) in row.iter_mut().zip(ghost(2 * k, datum, before)) {
                        *sum += c * w;
                    }
                }
            }
        }
        // What cancels is left out.
        let largest = row.iter().fold(0.0, |m: f64, w| m.max(w.abs()));
        for w in &mut row {
            if w.abs() < 1e-13 * largest {
                *w = 0.0;
            }
        }
        row
    };
    (0..k).map(row).collect()
}

/// The value at `-before` of the polynomial through a datum and the points `0 .. n`: their weights.
///
/// That is Lagrange's polynomial through the points, and the multiple of their node polynomial that the datum asks for.
fn ghost(n: usize, datum: Datum, before: f64) -> Vec<f64> {
    let (nodes, known): (f64, Vec<f64>) = match datum {
        Datum::Value(gap) => (node(n, -gap), (0..n).map(|j| basis(n, j, -gap)).collect()),
        Datum::Slope(gap) => (
            node_slope(n, -gap),
            (0..n).map(|j| basis_slope(n, j, -gap)).collect(),
        ),
    };
    let own = node(n, -before) / nodes;
    let others = (0..n).map(|j| basis(n, j, -before) - own * known[j]);
    [own].into_iter().chain(others).collect()
}

/// `(x - 0) (x - 1) .. (x - (n - 1))`.
fn node(n: usize, x: f64) -> f64 {
    (0..n).map(|j| x - j as f64).product()
}

/// Its derivative.
fn node_slope(n: usize, x: f64) -> f64 {
    let without = |i: usize| -> f64 { others(n, i).map(|j| x - j).product() };
    (0..n).map(without).sum()
}

/// Lagrange's polynomial that is 1 at point `j` and 0 at the others.
fn basis(n: usize, j: usize, x: f64) -> f64 {
    others(n, j).map(|i| (x - i) / (j as f64 - i)).product()
}

/// Its derivative.
fn basis_slope(n: usize, j: usize, x: f64) -> f64 {
    let without = |i: f64| -> f64 {
        let rest = others(n, j).filter(|&l| l != i);
        rest.map(|l| (x - l) / (j as f64 - l)).product::<f64>() / (j as f64 - i)
    };
    others(n, j).map(without).sum()
}

/// The points `0 .. n` but for one.
fn others(n: usize, but: usize) -> impl Iterator<Item = f64> {
    (0..n).filter(move |&i| i != but).map(|i| i as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_exact_for_polynomials() {
        for order in [2, 4, 6] {
            let stencils = [first(order), second(order), backward(order)].map(Option::unwrap);
            for (stencil, derivative) in stencils.into_iter().zip([1, 2, 1]) {
                let upwind = stencil == backward(order).unwrap();
                let degree = if upwind { order - 1 } else { order } as i32;
                for datum in [
                    Datum::Value(1.0),
                    Datum::Value(0.5),
                    Datum::Slope(0.0),
                    Datum::Slope(0.5),
                ] {
                    for (i, row) in rows(stencil, datum).iter().enumerate() {
                        for p in 0..=degree {
                            let known = match datum {
                                Datum::Value(gap) => (-gap).powi(p),
                                Datum::Slope(_) if p == 0 => 0.0,
                                Datum::Slope(gap) => f64::from(p) * (-gap).powi(p - 1),
                            };
                            let points = (0..order).map(|j| f64::from(j).powi(p));
                            let values = [known].into_iter().chain(points);
                            let got: f64 = row.iter().zip(values).map(|(w, v)| w * v).sum();
                            let x = i as f64;
                            let want = match derivative {
                                _ if p < derivative => 0.0,
                                1 => f64::from(p) * x.powi(p - 1),
                                _ => f64::from(p * (p - 1)) * x.powi(p - 2),
                            };
                            let scale = f64::from(order).powi(p);
                            assert!(
                                (got - want).abs() < 1e-13 * scale,
                                "{order} {derivative} {datum:?} {i} {p}: {got} {want}"
                            );
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn usual_rows() {
        // The value one before the first point is a point like the others.
        let second = second(2).unwrap();
        assert_eq!(rows(second, Datum::Value(1.0)), [[1.0, -2.0, 1.0]]);
        // The flux through the wall of a cell.
        assert_eq!(rows(second, Datum::Slope(0.5)), [[-1.0, -1.0, 1.0]]);
        assert_eq!(rows(second, Datum::Slope(0.0)), [[-2.0, -2.0, 2.0]]);
    }
}
