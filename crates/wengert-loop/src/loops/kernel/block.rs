//! Blocks of random words.

use std::sync::Arc;

use super::{Elements, Kernel, Region, Regions, Site, loops, same_value};
use crate::elementary::chacha::{KEY, Stream, WORDS};
use crate::error::Error;
use crate::types::DType;

/// A block of a [stream](crate::elementary::chacha::Stream). Its regions are the ten words of the
/// key and the block number, and the sixteen words of the result.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RandomBlock(pub Stream);

impl RandomBlock {
    /// Parses the kernel.
    pub(super) fn read(words: &[&str], _: &[DType]) -> Option<Arc<dyn Kernel>> {
        let ["block", "of", name] = words else {
            return None;
        };
        let mut streams = Stream::ALL.into_iter();
        let stream = streams.find(|s| format!("{s:?}") == *name)?;
        Some(Arc::new(RandomBlock(stream)))
    }
}

impl Kernel for RandomBlock {
    fn text(&self) -> String {
        format!("block of {:?}", self.0)
    }

    fn description(&self) -> String {
        "a block of random words".into()
    }

    fn regions(&self) -> Regions {
        let from = Region::read(DType::U32, KEY + 2);
        Regions::from_iter([from, Region::write(DType::U32, WORDS)])
    }

    fn runs_in_lanes(&self) -> bool {
        true
    }

    fn nanoseconds(&self) -> f64 {
        13.0
    }

    fn run(&self, regions: &mut [Elements<'_>]) -> Result<(), Error> {
        let [state, words] = regions else {
            panic!("a block has two regions");
        };
        let state: &[u32] = state.read().typed();
        let number = u64::from(state[KEY]) | (u64::from(state[KEY + 1]) << 32);
        let key = std::array::from_fn(|i| state[i]);
        let block = self.0.block(&key, number);
        words.write().typed().copy_from_slice(&block);
        Ok(())
    }

    fn write_loops(&self, site: &mut Site<'_>) -> bool {
        loops::words(site, self);
        true
    }

    fn equals(&self, other: &dyn Kernel) -> bool {
        same_value(self, other)
    }
}
