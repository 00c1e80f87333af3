//! Interpretation of loops.

use super::{Error, Machine, unwritten};
use crate::loops::{BufferKind, For, LANES, LoopKind, While, scope};

impl Machine<'_> {
    pub(super) fn for_(&mut self, id: scope::LoopId, l: &For) -> Result<(), Error> {
        match l.kind {
            LoopKind::Serial { reverse } => self.serial(id, l, reverse),
            LoopKind::Vector => self.vector(id, l),
            LoopKind::Parallel => self.tasks(id, l),
        }
    }

    fn serial(&mut self, id: scope::LoopId, l: &For, reverse: bool) -> Result<(), Error> {
        let extent = self.int(l.extent);
        let mut state: Vec<u64> = l.carried.iter().map(|c| self.get(c.init)).collect();
        for step in 0..extent.max(0) {
            let i = if reverse { extent - 1 - step } else { step };
            self.begin_step(id)?;
            self.set(l.index, i as u64);
            for (c, &bits) in l.carried.iter().zip(&state) {
                self.set(c.param, bits);
            }
            self.block(&l.body)?;
            state = self.results(&l.body);
        }
        for (c, &bits) in l.carried.iter().zip(&state) {
            self.set(c.out, bits);
        }
        Ok(())
    }

    fn vector(&mut self, id: scope::LoopId, l: &For) -> Result<(), Error> {
        let inits = l.carried.iter().map(|c| [self.get(c.init); LANES]);
        let mut state: Vec<[u64; LANES]> = inits.collect();
        for i in 0..self.int(l.extent).max(0) {
            let copy = i as usize % LANES;
            self.lane = Some(i);
            self.begin_step(id)?;
            self.set(l.index, i as u64);
            for (c, copies) in l.carried.iter().zip(&state) {
                self.set(c.param, copies[copy]);
            }
            self.block(&l.body)?;
            for (copies, bits) in state.iter_mut().zip(self.results(&l.body)) {
                copies[copy] = bits;
            }
        }
        self.lane = None;
        for (c, copies) in l.carried.iter().zip(state) {
            self.copies.insert(c.out, copies);
        }
        Ok(())
    }

    fn tasks(&mut self, id: scope::LoopId, l: &For) -> Result<(), Error> {
        let outer = std::mem::replace(&mut self.parallel, true);
        for i in 0..self.int(l.extent).max(0) {
            if !outer {
                for (memory, b) in self.memory.iter_mut().zip(&self.program.buffers) {
                    if matches!(b.kind, BufferKind::Task | BufferKind::Local) {
                        memory.fill(unwritten(self.trial, b.dtype, b.len)?);
                    }
                }
            }
            self.begin_step(id)?;
            self.set(l.index, i as u64);
            self.block(&l.body)?;
        }
        self.parallel = outer;
        Ok(())
    }

    pub(super) fn while_(&mut self, id: scope::LoopId, l: &While) -> Result<(), Error> {
        let mut state: Vec<u64> = l.carried.iter().map(|c| self.get(c.init)).collect();
        let mut steps = 0;
        loop {
            for (c, &bits) in l.carried.iter().zip(&state) {
                self.set(c.param, bits);
            }
            self.begin_step(id)?;
            self.block(&l.cond)?;
            if self.get(l.cond.results[0]) == 0 {
                break;
            }
            if steps == l.limit {
                let (limit, at) = (l.limit, l.at);
                return Err(Error::MaxSteps { limit, at });
            }
            steps += 1;
            self.block(&l.body)?;
            state = self.results(&l.body);
        }
        for (c, &bits) in l.carried.iter().zip(&state) {
            self.set(c.out, bits);
        }
        Ok(())
    }
}
