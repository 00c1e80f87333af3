//! Numbers in the text form of programs: written so that they are read back bit for bit.

use crate::buffer::Element;
use crate::scalar::{self, ScalarOp};
use crate::types::DType;

/// Prints the bits of a value of a type as a number, or in hexadecimal if a number would lose bits,
/// as for a NaN with a payload.
pub fn literal(dtype: DType, bits: u64) -> String {
    let text = match dtype {
        DType::F32 => format!("{:?}", <f32 as Element>::from_bits(bits)),
        DType::F64 => format!("{:?}", <f64 as Element>::from_bits(bits)),
        DType::Bool => (bits != 0).to_string(),
        _ if dtype.is_signed_int() => {
            (scalar::apply(ScalarOp::Convert, dtype, DType::I64, &[bits]) as i64).to_string()
        }
        _ => bits.to_string(),
    };
    match read(dtype, &text) == Some(bits) {
        true => text,
        false => format!("{bits:#x}"),
    }
}

/// Reads a number as [`literal`] or a person writes it: in Rust's notation, or as bits in
/// hexadecimal. `NaN` is Rust's own NaN.
pub fn read(dtype: DType, text: &str) -> Option<u64> {
    fn of<T: Element + std::str::FromStr>(text: &str) -> Option<u64> {
        text.parse().ok().map(T::to_bits)
    }
    if let Some(hex) = text.strip_prefix("0x") {
        return u64::from_str_radix(hex, 16).ok();
    }
    match (text, dtype) {
        // The standard library does not specify the sign of a parsed NaN.
        ("NaN", DType::F32) => Some(f32::NAN.to_bits().into()),
        ("NaN", DType::F64) => Some(f64::NAN.to_bits()),
        (_, DType::F32) => of::<f32>(text),
        (_, DType::F64) => of::<f64>(text),
        (_, DType::I32) => of::<i32>(text),
        (_, DType::I64) => of::<i64>(text),
        (_, DType::U32) => of::<u32>(text),
        (_, DType::U64) => of::<u64>(text),
        (_, DType::U8) => of::<u8>(text),
        (_, DType::Bool) => of::<bool>(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_back_bit_for_bit() {
        let corners = [
            0,
            1,
            0x80,
            0xff,
            0x7f80_0000,
            0x7fc0_0000,
            0x7fc0_0001,
            0xffc0_0000,
            0x8000_0000,
            0xffff_ffff,
            1 << 63,
            f64::NAN.to_bits(),
            f64::NAN.to_bits() | 1,
            (-f64::NAN).to_bits(),
            f64::NEG_INFINITY.to_bits(),
            0.1f64.to_bits(),
            5e-324f64.to_bits(),
            u64::MAX,
        ];
        for dtype in DType::ALL {
            for bits in corners {
                let text = literal(dtype, bits);
                assert_eq!(read(dtype, &text), Some(bits), "{text} of {dtype}");
            }
        }
        assert_eq!(literal(DType::I32, 0xffff_ffff), "-1");
        assert_eq!(literal(DType::F32, 0x7fc0_0000), "NaN");
        assert_eq!(literal(DType::F32, 0x7fc0_0001), "0x7fc00001");
        assert_eq!(literal(DType::F64, 1 << 63), "-0.0");
    }
}
