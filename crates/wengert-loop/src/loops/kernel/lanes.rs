//! Products of matrices in lanes.

use std::sync::Arc;

use super::{Elements, Gemm, Kernel, Regions, Site, loops, same_value};
use crate::error::Error;
use crate::types::DType;

/// A product of matrices for each lane. Its sums are those of the product ([`Gemm`]), in the order that is stated
/// there, whatever their size.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LaneProduct {
    /// The product of each lane.
    pub gemm: Gemm,
    /// Whether all lanes have the same first factor. It is then in memory that they share.
    pub shared: bool,
}

impl LaneProduct {
    /// Parses the kernel.
    pub(super) fn read(words: &[&str], regions: &[DType]) -> Option<Arc<dyn Kernel>> {
        let [who, gemm @ ..] = words else {
            return None;
        };
        let shared = match *who {
            "shared" => true,
            "own" => false,
            _ => return None,
        };
        let gemm = *Gemm::read(gemm, regions)?.downcast_ref()?;
        Some(Arc::new(LaneProduct { gemm, shared }))
    }
}

impl Kernel for LaneProduct {
    fn text(&self) -> String {
        let who = if self.shared { "shared" } else { "own" };
        format!("{who} {}", self.gemm.text())
    }

    fn description(&self) -> String {
        let Gemm { m, n, k, .. } = self.gemm;
        let which = match self.shared {
            true => ", the same for all lanes,",
            false => "",
        };
        format!("a product of {m}×{k}{which} and {k}×{n} in each lane")
    }

    fn regions(&self) -> Regions {
        self.gemm.regions()
    }

    fn runs_in_lanes(&self) -> bool {
        true
    }

    fn is_shared(&self, region: usize) -> bool {
        self.shared && region == 1
    }

    fn nanoseconds(&self) -> f64 {
        let Gemm { m, n, k, .. } = self.gemm;
        2.0 + m as f64 * n as f64 * k as f64 / 12.0
    }

    fn run(&self, regions: &mut [Elements<'_>]) -> Result<(), Error> {
        self.gemm.run(regions)
    }

    fn write_loops(&self, site: &mut Site<'_>) -> bool {
        loops::product(site, &self.gemm);
        true
    }

    fn equals(&self, other: &dyn Kernel) -> bool {
        same_value(self, other)
    }
}
