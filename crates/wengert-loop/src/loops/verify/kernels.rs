//! The memory of kernels.

use super::{Check, Checker, ensure};
use crate::loops::kernel::{Access, Kernel, Region};
use crate::loops::{BufferId, BufferKind, Index};

impl Checker<'_> {
    pub(super) fn kernel(&self, kernel: &dyn Kernel, regions: &[(BufferId, Index)]) -> Check {
        ensure(!self.vector || kernel.runs_in_lanes(), || {
            format!("{} in a vector loop", kernel.text())
        })?;
        let wanted = kernel.regions();
        ensure(regions.len() == wanted.len(), || {
            let (found, wanted) = (regions.len(), wanted.len());
            format!("{} of {found} regions, not {wanted}", kernel.text())
        })?;
        for (i, ((buffer, index), wanted)) in regions.iter().zip(&wanted).enumerate() {
            let b = self.buffer(*buffer)?;
            let own = self.vector && !kernel.is_shared(i);
            ensure((b.kind == BufferKind::Local) == own, || {
                "a kernel on memory of another side of a vector loop's border".into()
            })?;
            let each = self.index(index)?;
            ensure(!each, || "a region that differs by lane".into())?;
            ensure(
                !kernel.is_shared(i) || wanted.access == Access::Read,
                || "a kernel that changes memory that lanes share".into(),
            )?;
            let Region { dtype, len, .. } = *wanted;
            let start = usize::try_from(known(index).unwrap_or(0)).unwrap_or(usize::MAX);
            let fits = start.checked_add(len).is_some_and(|end| end <= b.len);
            ensure(b.dtype == dtype && (len == 0 || fits), || {
                format!("region {i} of {}: not {len} of {dtype}", kernel.text())
            })?;
            if wanted.access != Access::Read {
                self.writable(b)?;
            }
        }
        self.apart(kernel, regions, &wanted)
    }

    /// Checks that written regions overlap no others, as far as the indices are known.
    fn apart(
        &self,
        kernel: &dyn Kernel,
        regions: &[(BufferId, Index)],
        wanted: &[Region],
    ) -> Check {
        for (i, (a, a_index)) in regions.iter().enumerate() {
            for (j, (b, b_index)) in regions.iter().enumerate().skip(i + 1) {
                let written = [i, j].iter().any(|&r| wanted[r].access != Access::Read);
                let (Some(from), Some(to), true) =
                    (known(a_index), known(b_index), a == b && written)
                else {
                    continue;
                };
                let (from_end, to_end) = (from + wanted[i].len as i64, to + wanted[j].len as i64);
                ensure(from_end <= to || to_end <= from, || {
                    format!("{} on regions that overlap", kernel.text())
                })?;
            }
        }
        Ok(())
    }
}

/// The element, if it is constant.
fn known(index: &Index) -> Option<i64> {
    (index.base.is_none() && index.each.is_none()).then_some(index.offset)
}
