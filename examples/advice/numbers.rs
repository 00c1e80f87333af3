//! Numbers and functions.

use wengert::prelude::*;

use super::{Failure, Pair, Scale, pair, sum};

pub(crate) fn narrow_numbers(scale: Scale) -> Result<Pair, Failure> {
    let n = scale.of(100, 4_000_000);
    // Small whole numbers, whose sums of products are exact in both.
    let wide = Array::new([n], (0..n).map(|i| (i % 3) as f64).collect())?;
    let narrow = jit(|x: Var| x.to(DType::F32)).call(&wide)?;
    let f = jit(|x: Var| 0.5 * x + 1.0);
    let mut out = [wide.clone(), narrow.clone()];
    let codes = [f.compile(&wide)?, f.compile(&narrow)?];
    let [wide_out, narrow_out] = &mut out;
    pair(
        scale,
        ("`f64`", || {
            codes[0].call_into(&wide, wide_out)?;
            wide_out.get::<f64>([n - 1])
        }),
        ("`f32`", || {
            codes[1].call_into(&narrow, narrow_out)?;
            narrow_out.get::<f32>([n - 1]).map(f64::from)
        }),
    )
}

pub(crate) fn whole_powers(scale: Scale) -> Result<Pair, Failure> {
    let n = scale.of(100, 1_000_000);
    let x = Array::new([n], (0..n).map(|i| 1.0 + i as f64 / n as f64).collect())?;
    // An exponent that is not known when the function is compiled.
    let real = jit(|(x, p): (Var, Var)| x.powf(p).sum());
    let whole = jit(|x: Var| x.powi(3).sum());
    pair(
        scale,
        ("`x.powf(p)`, `p` an argument", || {
            Ok((real.call((&x, 3.0))?.item::<f64>()? / 1e3).round())
        }),
        ("`x.powi(3)`", || Ok((sum(&whole.call(&x)?)? / 1e3).round())),
    )
}
