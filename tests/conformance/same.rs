//! Comparing results to the bit.

use wengert::Array;
use wengert_ir::buffer::Data;

/// The element as `f64`, if it is a float.
pub fn float(x: &Array, i: usize) -> Option<f64> {
    match &*x.dense().data {
        Data::F64(v) => Some(v[i]),
        Data::F32(v) => Some(v[i].into()),
        _ => None,
    }
}

/// The element in words.
pub fn shown(x: &Array, i: usize) -> String {
    match float(x, i) {
        Some(x) => format!("{x:?}"),
        None => format!("{:#x}", x.dense().data.bits(i)),
    }
}

/// Whether both are the same to the bit, one NaN being like another.
pub fn same(a: &Array, b: &Array) -> Result<(), String> {
    let (s, t) = (a.dense().ty(), b.dense().ty());
    if s != t {
        return Err(format!("{s} and {t}"));
    }
    for i in 0..a.len() {
        let bits = [a, b].map(|x| x.dense().data.bits(i));
        let nan = [a, b].map(|x| float(x, i).is_some_and(f64::is_nan));
        if bits[0] != bits[1] && nan != [true, true] {
            return Err(format!("element {i}: {} and {}", shown(a, i), shown(b, i)));
        }
    }
    Ok(())
}
