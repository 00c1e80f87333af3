//! A library of C: its functions with Rust's types, and its pressure as an operation.

use std::ffi::{CStr, c_char, c_int};
use std::fmt;
use std::ptr::NonNull;
use std::sync::Arc;

use wengert::prelude::*;

/// What the header declares. For a large header, `bindgen` writes this.
mod native {
    use super::{c_char, c_int};

    #[repr(C)]
    pub struct Gas {
        _private: [u8; 0],
    }

    unsafe extern "C" {
        pub fn gas_message(status: c_int) -> *const c_char;
        pub fn gas_new(n: usize, t: *const f64, b: *const f64, status: *mut c_int) -> *mut Gas;
        pub fn gas_free(gas: *mut Gas);
        pub fn gas_pressure(
            gas: *const Gas,
            n: usize,
            density: *const f64,
            temperature: *const f64,
            pressure: *mut f64,
            place: *mut usize,
        ) -> c_int;
        pub fn gas_slopes(
            gas: *const Gas,
            n: usize,
            density: *const f64,
            temperature: *const f64,
            by_density: *mut f64,
            by_temperature: *mut f64,
            place: *mut usize,
        ) -> c_int;
    }
}

/// A status of the library, and the state that it is about.
#[derive(Clone, PartialEq, Debug)]
pub struct GasError {
    status: c_int,
    state: Option<(f64, f64)>,
}

impl fmt::Display for GasError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // SAFETY: The library returns a constant string for any number.
        let said = unsafe { CStr::from_ptr(native::gas_message(self.status)) };
        write!(f, "gas: {}", said.to_string_lossy())?;
        match self.state {
            Some((density, t)) => write!(f, " (at {density} mol/m³ and {t} K)"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for GasError {}

/// A gas of the library.
#[derive(Debug)]
pub struct Gas(NonNull<native::Gas>);

// SAFETY: After `gas_new` the library only reads a gas, until it is freed.
unsafe impl Send for Gas {}
// SAFETY: As above.
unsafe impl Sync for Gas {}

impl Drop for Gas {
    fn drop(&mut self) {
        // SAFETY: It is of `gas_new`, and freed here alone.
        unsafe { native::gas_free(self.0.as_ptr()) }
    }
}

impl Gas {
    /// A gas, by a table of second virial coefficients (m³/mol) at temperatures (K).
    pub fn new(temperatures: &[f64], virial: &[f64]) -> Result<Gas, GasError> {
        assert_eq!(temperatures.len(), virial.len());
        let mut status = 0;
        // SAFETY: Both arrays have as many numbers as is said, and the library copies them.
        let gas = unsafe {
            let (t, b) = (temperatures.as_ptr(), virial.as_ptr());
            native::gas_new(temperatures.len(), t, b, &mut status)
        };
        NonNull::new(gas).map(Gas).ok_or(GasError {
            status,
            state: None,
        })
    }

    /// The pressures (Pa) of states: densities (mol/m³) and temperatures (K).
    pub fn pressure(&self, density: &[f64], temperature: &[f64]) -> Result<Vec<f64>, GasError> {
        assert_eq!(density.len(), temperature.len());
        let (mut out, mut place) = (vec![0.0; density.len()], 0);
        // SAFETY: All arrays have as many numbers as is said.
        let status = unsafe {
            let (rho, t) = (density.as_ptr(), temperature.as_ptr());
            native::gas_pressure(
                self.0.as_ptr(),
                out.len(),
                rho,
                t,
                out.as_mut_ptr(),
                &mut place,
            )
        };
        done(status, place, density, temperature)?;
        Ok(out)
    }

    /// The derivatives of the pressures by density and by temperature.
    pub fn slopes(&self, density: &[f64], temperature: &[f64]) -> Result<[Vec<f64>; 2], GasError> {
        assert_eq!(density.len(), temperature.len());
        let n = density.len();
        let (mut by_density, mut by_temperature, mut place) = (vec![0.0; n], vec![0.0; n], 0);
        // SAFETY: All arrays have as many numbers as is said.
        let status = unsafe {
            let (rho, t) = (density.as_ptr(), temperature.as_ptr());
            let out = (by_density.as_mut_ptr(), by_temperature.as_mut_ptr());
            native::gas_slopes(self.0.as_ptr(), n, rho, t, out.0, out.1, &mut place)
        };
        done(status, place, density, temperature)?;
        Ok([by_density, by_temperature])
    }
}

fn done(status: c_int, place: usize, rho: &[f64], t: &[f64]) -> Result<(), GasError> {
    match status {
        0 => Ok(()),
        _ => Err(GasError {
            status,
            state: Some((rho[place], t[place])),
        }),
    }
}

/// The pressure of one state as an operation, with its derivative. In a batch the library gets whole arrays.
pub fn pressure(gas: &Arc<Gas>) -> impl Fn([Var; 2]) -> Var + Clone + Send + Sync + 'static {
    let number = ShapeDtype::scalar(DType::F64);
    let (of_value, of_slopes) = (gas.clone(), gas.clone());
    let value = move |state: [Var; 2]| {
        let gas = of_value.clone();
        let call = move |[rho, t]: [Array; 2]| -> Result<Array, Box<dyn std::error::Error>> {
            Ok(gas.pressure(rho.as_slice()?, t.as_slice()?)?.into())
        };
        pure_callback_batched(call, &ShapeDtype::scalar(DType::F64), state)
    };
    let slopes = move |state: [Var; 2]| {
        let gas = of_slopes.clone();
        let call = move |[rho, t]: [Array; 2]| -> Result<[Array; 2], Box<dyn std::error::Error>> {
            Ok(gas.slopes(rho.as_slice()?, t.as_slice()?)?.map(Array::from))
        };
        pure_callback_batched(call, &[number.clone(), number.clone()], state)
    };
    custom_jvp(value.clone(), move |state, [drho, dt]: [Var; 2]| {
        let [by_rho, by_t] = slopes(state);
        (value(state), by_rho * drho + by_t * dt)
    })
}
