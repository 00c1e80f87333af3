//! Loops, interpreted.

use super::{Error, Machine, unwritten};
use crate::loops::{Block, BufferKind, Carried, LANES, Value, scope};

impl Machine<'_> {
    pub(super) fn serial(
        &mut self,
        id: scope::LoopId,
        reverse: bool,
        extent: i64,
        index: Value,
        carried: &[Carried],
        body: &Block,
    ) -> Result<(), Error> {
        let mut state: Vec<u64> = carried.iter().map(|c| self.get(c.init)).collect();
        for step in 0..extent.max(0) {
            let i = if reverse { extent - 1 - step } else { step };
            self.begin_step(id)?;
            self.set(index, i as u64);
            for (c, &bits) in carried.iter().zip(&state) {
                self.set(c.param, bits);
            }
            self.block(body)?;
            state = self.results(body);
        }
        for (c, &bits) in carried.iter().zip(&state) {
            self.set(c.out, bits);
        }
        Ok(())
    }

    pub(super) fn vector(
        &mut self,
        id: scope::LoopId,
        extent: i64,
        index: Value,
        carried: &[Carried],
        body: &Block,
    ) -> Result<(), Error> {
        let mut state: Vec<[u64; LANES]> =
            carried.iter().map(|c| [self.get(c.init); LANES]).collect();
        for i in 0..extent.max(0) {
            let copy = i as usize % LANES;
            self.lane = Some(i);
            self.begin_step(id)?;
            self.set(index, i as u64);
            for (c, copies) in carried.iter().zip(&state) {
                self.set(c.param, copies[copy]);
            }
            self.block(body)?;
            for (copies, bits) in state.iter_mut().zip(self.results(body)) {
                copies[copy] = bits;
            }
        }
        self.lane = None;
        for (c, copies) in carried.iter().zip(state) {
            self.copies.insert(c.out, copies);
        }
        Ok(())
    }

    pub(super) fn tasks(
        &mut self,
        id: scope::LoopId,
        extent: i64,
        index: Value,
        body: &Block,
    ) -> Result<(), Error> {
        let outer = std::mem::replace(&mut self.parallel, true);
        for i in 0..extent.max(0) {
            if !outer {
                for (memory, b) in self.memory.iter_mut().zip(&self.program.buffers) {
                    if matches!(b.kind, BufferKind::Task | BufferKind::Local) {
                        memory.fill(unwritten(self.trial, b.dtype, b.len)?);
                    }
                }
            }
            self.begin_step(id)?;
            self.set(index, i as u64);
            self.block(body)?;
        }
        self.parallel = outer;
        Ok(())
    }

    pub(super) fn while_(
        &mut self,
        id: scope::LoopId,
        carried: &[Carried],
        cond: &Block,
        body: &Block,
        limit: u64,
    ) -> Result<(), Error> {
        let mut state: Vec<u64> = carried.iter().map(|c| self.get(c.init)).collect();
        let mut steps = 0;
        loop {
            for (c, &bits) in carried.iter().zip(&state) {
                self.set(c.param, bits);
            }
            self.begin_step(id)?;
            self.block(cond)?;
            if self.get(cond.results[0]) == 0 {
                break;
            }
            if steps == limit {
                return Err(Error::MaxSteps(limit));
            }
            steps += 1;
            self.block(body)?;
            state = self.results(body);
        }
        for (c, &bits) in carried.iter().zip(&state) {
            self.set(c.out, bits);
        }
        Ok(())
    }
}
