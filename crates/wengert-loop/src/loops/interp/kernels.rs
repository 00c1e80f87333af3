//! Interpretation of kernels.

use super::{Error, Machine, garbage};
use crate::buffer::{Data, Slice, SliceMut};
use crate::loops::kernel::{Access, Elements, Kernel};
use crate::loops::{BufferId, Index};

impl Machine<'_> {
    /// Runs a kernel on copies of its regions, in each lane that sees copies of its own.
    pub(super) fn kernel(
        &mut self,
        kernel: &dyn Kernel,
        regions: &[(BufferId, Index)],
    ) -> Result<(), Error> {
        let wanted = kernel.regions();
        let copies = regions.first().map_or(0..1, |r| self.copies_seen(r.0));
        for copy in copies {
            let mut all: Vec<(usize, Data)> = vec![];
            for (i, ((buffer, index), region)) in regions.iter().zip(&wanted).enumerate() {
                let start = self.region(*buffer, index, region.len)?;
                let copy = if kernel.is_shared(i) { 0 } else { copy };
                let data = match region.access {
                    Access::Write => garbage(region.dtype, region.len)?,
                    _ => self.memory[buffer.0 as usize][copy].pick(start..start + region.len),
                };
                all.push((start, data));
            }
            let elements = all.iter_mut().zip(&wanted);
            let elements = elements.map(|((_, data), region)| match region.access {
                Access::Read => Elements::Read(Slice::from(&*data)),
                _ => Elements::Write(SliceMut::from(data)),
            });
            let mut elements: Vec<Elements<'_>> = elements.collect();
            kernel.run(&mut elements).map_err(Error::Host)?;
            for (((buffer, _), region), (start, data)) in regions.iter().zip(&wanted).zip(&all) {
                if region.access != Access::Read {
                    for i in 0..region.len {
                        self.memory[buffer.0 as usize][copy].set_bits(start + i, data.bits(i));
                    }
                }
            }
        }
        Ok(())
    }

    /// The position of the first of `len` elements, all of which are in bounds.
    fn region(&self, buffer: BufferId, index: &Index, len: usize) -> Result<usize, Error> {
        let Some(last) = len.checked_sub(1) else {
            return Ok(0);
        };
        let offset = index.offset + last as i64;
        self.element(buffer, &Index { offset, ..*index })?;
        self.element(buffer, index)
    }
}
