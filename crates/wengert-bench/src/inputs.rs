//! Inputs that every peer can generate identically: small closed forms.

use wengert::Array;

/// Returns `n` numbers spread over [0, 1) by the golden ratio, starting with the `k`-th.
pub fn u(n: usize, k: usize) -> Vec<f64> {
    (0..n)
        .map(|i| ((i + 1 + k) as f64 * 0.618_033_988_749_894_9) % 1.0)
        .collect()
}

/// Returns such numbers as an array of this shape.
pub fn array<const R: usize>(shape: [usize; R], k: usize) -> Array {
    let elements = u(shape.iter().product(), k);
    Array::new(shape, elements).expect("as many as the shape holds")
}

/// Returns `n` equidistant numbers from `start` to `stop`, both included.
pub fn linspace(start: f64, stop: f64, n: usize) -> Vec<f64> {
    let step = (stop - start) / (n - 1) as f64;
    (0..n).map(|i| start + step * i as f64).collect()
}
