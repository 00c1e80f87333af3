//! Logarithms of probabilities of counts, as accurate for 2^60 as for 10.
//!
//! For such counts `log Γ` is about 10^19 and the difference of two is about 1, so subtracting them loses all
//! digits. In Stirling's formula the large terms cancel analytically.

use wengert_ir::trace::Var;

/// Returns `(1 + t) log(1 + t) - t`, which is `t²/2` for small `t`.
#[track_caller]
pub(super) fn excess(t: Var) -> Var {
    // Its series has the terms `(-t)^k / (k (k - 1))`.
    let terms = (2..=9).rev().map(|k| f64::from(k * (k - 1)).recip());
    let series = terms.fold(Var::scalar(0.0), |sum, c| (-t).mul_add(sum, c));
    let near = t.abs().lt(0.01);
    near.select(t * t * series, (1.0 + t) * t.log1p() - t)
}

/// Returns `log Γ(y) - ((y - 1/2) log y - y + log(2π) / 2)` for `y >= 1`.
#[track_caller]
pub(super) fn correction(y: Var) -> Var {
    const HALF_LOG_2PI: f64 = 0.918_938_533_204_672_7;
    const TERMS: [f64; 5] = [
        1.0 / 12.0,
        -1.0 / 360.0,
        1.0 / 1260.0,
        -1.0 / 1680.0,
        1.0 / 1188.0,
    ];
    let large = y.ge(16.0);
    let r = y.recip();
    let terms = TERMS.iter().rev();
    let series = r * terms.fold(Var::scalar(0.0), |sum, &c| sum.mul_add(r * r, c));
    let x = large.select(16.0, y);
    let direct = x.lgamma() - ((x - 0.5) * x.ln() - x + HALF_LOG_2PI);
    large.select(series, direct)
}
