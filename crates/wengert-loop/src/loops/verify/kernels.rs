//! The memory of calls of a library or of the host.

use super::{Check, Checker, ensure};
use crate::elementary::chacha::{KEY, WORDS};
use crate::loops::{BufferId, Index, Kernel};
use crate::types::DType;

impl Checker<'_> {
    pub(super) fn kernel(&self, kernel: &Kernel, regions: &[(BufferId, Index)]) -> Check {
        let buffer = |i: usize| self.buffer(regions[i].0);
        match kernel {
            Kernel::Host(function) => {
                let hosts = &self.program.hosts;
                let host = hosts.get(*function as usize).ok_or("no such host")?;
                let wanted = host.inputs.iter().chain(&host.outputs);
                ensure(regions.len() == wanted.clone().count(), || {
                    "a host's function with another number of regions".into()
                })?;
                for (i, &(dtype, len)) in wanted.enumerate() {
                    ensure(buffer(i)?.dtype == dtype && buffer(i)?.len >= len, || {
                        "a region that is not what a host's function takes".into()
                    })?;
                    if i >= host.inputs.len() {
                        self.writable(buffer(i)?)?;
                    }
                }
                Ok(())
            }
            Kernel::Gemm { .. } => {
                ensure(regions.len() == 3, || "a product has three regions".into())?;
                self.writable(buffer(0)?)?;
                let dtype = buffer(0)?.dtype;
                ensure(dtype.is_float(), || "a product of integers".into())?;
                for i in 1..3 {
                    ensure(buffer(i)?.dtype == dtype, || {
                        "a product of mixed types".into()
                    })?;
                }
                Ok(())
            }
            Kernel::Sort { .. } => {
                ensure(matches!(regions.len(), 1 | 2), || {
                    "keys to sort, and perhaps their places".into()
                })?;
                for i in 0..regions.len() {
                    self.writable(buffer(i)?)?;
                }
                ensure(regions.len() == 1 || buffer(1)?.dtype == DType::I64, || {
                    "places that are not i64".into()
                })
            }
            Kernel::Block(_) => {
                ensure(regions.len() == 2, || "a block has two regions".into())?;
                self.writable(buffer(1)?)?;
                for (i, len) in [(0, KEY + 2), (1, WORDS)] {
                    let b = buffer(i)?;
                    ensure(b.dtype == DType::U32 && b.len >= len, || {
                        format!("a block without its {len} words")
                    })?;
                }
                Ok(())
            }
        }
    }
}
