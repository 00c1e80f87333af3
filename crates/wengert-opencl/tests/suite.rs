//! The device that tests use, as a back end of the conformance suite.

use std::sync::{Arc, OnceLock};

use wengert_check::conformance::OnDevice;
use wengert_opencl::OpenCl;
use wengert_run::Device;

/// The device that tests use, if there is one: the first whose name contains `WENGERT_OPENCL_DEVICE`. Says so if there
/// is none.
pub fn device() -> Option<Arc<OpenCl>> {
    static FOUND: OnceLock<Result<Arc<OpenCl>, String>> = OnceLock::new();
    let name = std::env::var("WENGERT_OPENCL_DEVICE").unwrap_or_default();
    let found = FOUND.get_or_init(|| match wengert_opencl::machines() {
        Ok(all) => all
            .into_iter()
            .find(|d| d.name().contains(&name))
            .ok_or_else(|| "none is installed that has the name".into()),
        Err(e) => Err(e.to_string()),
    });
    match found {
        Ok(device) => Some(device.clone()),
        Err(why) => {
            eprintln!("there is no device of OpenCL ({why}): this test has run nothing");
            None
        }
    }
}

/// A device that compiles so many programs at once.
pub fn on(device: &OpenCl, at_once: usize) -> OnDevice<'_> {
    OnDevice::new(device, at_once, |programs, options| {
        device.compile_all(programs, options)
    })
}
