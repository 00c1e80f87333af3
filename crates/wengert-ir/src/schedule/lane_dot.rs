//! Contractions in lanes: products by tiles in registers.

use std::sync::Arc;

use super::dot::{Matrices, Product};
use super::nest::Axis;
use super::node::{Expr, NodeId};
use super::notes::StoreReason;
use super::store::buffer_of;
use super::view::{AxisMap, PerAxis, View};
use super::{Lowering, Wanted};
use crate::error::Result;
use crate::loops::BufferKind;
use crate::loops::affine::Affine;
use crate::loops::kernel::{Gemm, Kernel, LaneProduct};
use crate::order::CHUNK;

/// The number of terms from which a product in lanes is done by tiles.
const SOME: usize = 256;

/// The number of sums from which they share what they read.
const SUMS: usize = 4;

impl Lowering {
    /// Lowers a product in lanes to a kernel, if it is large enough and a lane has a factor of its own. The sums have
    /// the order of the product of one element, however many lanes there are.
    ///
    /// # Errors
    /// As [`Lowering::force`].
    pub(super) fn lane_product(
        &mut self,
        p: &Product,
        want: &Wanted,
        factors: [NodeId; 2],
    ) -> Result<Option<NodeId>> {
        let kept = want.ty.rank();
        let size = |axes: &[usize]| -> usize { axes.iter().product() };
        let (sums, terms) = (size(&p.dims[p.batch..kept]), size(&p.dims[kept..]));
        if !self.in_lanes()
            || p.zero_wins
            || !want.ty.is_float()
            || sums < SUMS
            || sums * terms < SOME
            || !(2..=CHUNK).contains(&terms)
        {
            return Ok(None);
        }
        let axes = [&p.a.1, &p.b.1];
        let mut places = [Memory::Own; 2];
        for (&id, place) in factors.iter().zip(&mut places) {
            let Expr::Stored(view) = self.expr(id) else {
                return Ok(None);
            };
            *place = self.memory_of(view);
            // A copy pays if its elements are read more than once.
            if *place == Memory::Outside && 2 * size(&self.dims(id)) > sums * terms {
                return Ok(None);
            }
        }
        let shared = places.map(|place| place == Memory::Shared);
        if shared == [true; 2] {
            return Ok(None);
        }
        let mut views = vec![];
        for ((&id, axes), place) in factors.iter().zip(axes).zip(places) {
            let mut id = id;
            if place == Memory::Outside {
                let copy = self.copied(id, StoreReason::Factor)?;
                let ty = self.ty(id).clone();
                id = self.stored(ty.dtype, ty.dims(), copy);
            }
            let broadcast = self.remap(id, &AxisMap::broadcast(&p.dims, axes))?;
            let Expr::Stored(view) = self.expr(broadcast) else {
                return Ok(None);
            };
            views.push(view.clone());
        }
        let Some(matrices) = Matrices::of(p, kept, want.ty.dtype, [&views[0], &views[1]]) else {
            return Ok(None);
        };
        // Lanes may share the first factor.
        let (gemm, factors) = match shared {
            [_, true] => (turned(&matrices.kernel), [&views[1], &views[0]]),
            _ => (matrices.kernel, [&views[0], &views[1]]),
        };
        let kernel: Arc<dyn Kernel> = Arc::new(LaneProduct {
            gemm,
            shared: shared != [false; 2],
        });
        // In memory of its own, since lanes that are not live are computed too.
        let place = self.alloc(want.ty.dtype, &want.ty.dims());
        let axes: Vec<Axis> = (0..p.batch)
            .map(|axis| Axis {
                extent: p.dims[axis],
                axis,
            })
            .collect();
        let mut at: PerAxis<Affine> = p.dims.iter().map(|_| Affine::default()).collect();
        self.serial(&axes, &mut at, &mut |l, at| {
            let regions = [&place, factors[0], factors[1]].map(|view| {
                let buffer = buffer_of(view).expect("in a buffer");
                (buffer, l.place_of(view, &at[..p.batch]))
            });
            let [to, a, b] = [0, 1, 2].map(|i| regions[i].0);
            l.note_kernel(&kernel, &[a, b], &[to]);
            l.b.kernel(kernel.clone(), &regions);
            Ok(())
        })?;
        Ok(Some(self.stored(want.ty.dtype, want.ty.dims(), place)))
    }

    /// Returns whose memory an array is in.
    fn memory_of(&self, view: &View) -> Memory {
        let own = |b| self.b.buffer_of(b).kind == BufferKind::Local;
        match buffer_of(view) {
            // A part that each lane chooses is in no one place.
            _ if !view.offset.is_uniform() => Memory::Outside,
            Some(b) if own(b) => Memory::Own,
            Some(_) => Memory::Shared,
            None => Memory::Outside,
        }
    }
}

/// The memory of an array that a lane reads.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Memory {
    /// The lane's own.
    Own,
    /// That of an array which is the same for all lanes.
    Shared,
    /// That of an array of which each lane reads a part of its own, or of a list.
    Outside,
}

/// Returns the product of the transposed factors, which is transposed.
fn turned(gemm: &Gemm) -> Gemm {
    let back = |(row, column): (usize, usize)| (column, row);
    Gemm {
        m: gemm.n,
        n: gemm.m,
        c: back(gemm.c),
        a: back(gemm.b),
        b: back(gemm.a),
        ..*gemm
    }
}
