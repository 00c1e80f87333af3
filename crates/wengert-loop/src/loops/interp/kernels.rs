//! Work of libraries and of the host, interpreted.

use super::{Error, Machine, garbage};
use crate::buffer::Data;
use crate::elementary::chacha::{KEY, Stream, WORDS};
use crate::loops::host::{Slice, SliceMut};
use crate::loops::{BufferId, Index, Kernel, ScalarOp};
use crate::scalar;
use crate::sort::sort_with_places;
use crate::with_data;

impl Machine<'_> {
    pub(super) fn kernel(
        &mut self,
        kernel: &Kernel,
        regions: &[(BufferId, Index)],
    ) -> Result<(), Error> {
        match *kernel {
            Kernel::Host(function) => self.host(function, regions),
            Kernel::Gemm { m, n, k, c, a, b } => {
                let dtype = self.program.buffers[regions[0].0.0 as usize].dtype;
                let at = |machine: &Self, which: usize, steps: usize| {
                    let (buffer, index) = &regions[which];
                    let offset = index.offset + steps as i64;
                    let i = machine.element(*buffer, &Index { offset, ..*index })?;
                    Ok((buffer.0 as usize, i))
                };
                for i in 0..m {
                    for j in 0..n {
                        let mut sum = 0;
                        for l in 0..k {
                            let (x, xi) = at(self, 1, i * a.0 + l * a.1)?;
                            let (y, yi) = at(self, 2, l * b.0 + j * b.1)?;
                            let (x, y) = (self.memory[x][0].bits(xi), self.memory[y][0].bits(yi));
                            let xy = scalar::apply(ScalarOp::Mul, dtype, dtype, &[x, y]);
                            sum = match l {
                                0 => xy,
                                _ => scalar::apply(ScalarOp::Add, dtype, dtype, &[sum, xy]),
                            };
                        }
                        let (z, zi) = at(self, 0, i * c.0 + j * c.1)?;
                        self.memory[z][0].set_bits(zi, sum);
                    }
                }
                Ok(())
            }
            Kernel::Sort {
                rows,
                n,
                descending,
            } => {
                for row in 0..rows {
                    self.sort(regions, row * n, n, descending)?;
                }
                Ok(())
            }
            Kernel::Block(stream) => self.words(stream, regions),
        }
    }

    fn host(&mut self, function: u32, regions: &[(BufferId, Index)]) -> Result<(), Error> {
        let host = &self.program.hosts[function as usize];
        let (from, to) = regions.split_at(host.inputs.len());
        let mut inputs = vec![];
        for ((buffer, index), &(_, len)) in from.iter().zip(&host.inputs) {
            let start = self.region(*buffer, index, len)?;
            let data = &self.memory[buffer.0 as usize][0];
            inputs.push(data.pick(start..start + len));
        }
        let outputs = host.outputs.iter();
        let outputs: Result<_, _> = outputs.map(|&(dtype, len)| garbage(dtype, len)).collect();
        let mut outputs: Vec<Data> = outputs?;
        let slices: Vec<Slice<'_>> = inputs.iter().map(Slice::from).collect();
        let mut results: Vec<SliceMut<'_>> = outputs.iter_mut().map(SliceMut::from).collect();
        host.function
            .call(&slices, &mut results)
            .map_err(Error::Host)?;
        for ((buffer, index), data) in to.iter().zip(&outputs) {
            let start = self.region(*buffer, index, data.len())?;
            for i in 0..data.len() {
                self.memory[buffer.0 as usize][0].set_bits(start + i, data.bits(i));
            }
        }
        Ok(())
    }

    fn words(&mut self, stream: Stream, regions: &[(BufferId, Index)]) -> Result<(), Error> {
        let (from, to) = (&regions[0], &regions[1]);
        let first = self.region(from.0, &from.1, KEY + 2)?;
        let out = self.region(to.0, &to.1, WORDS)?;
        for copy in self.copies_seen(from.0) {
            let data = &self.memory[from.0.0 as usize][copy];
            let key = std::array::from_fn(|i| data.bits(first + i) as u32);
            let number = data.bits(first + KEY) | (data.bits(first + KEY + 1) << 32);
            for (i, word) in stream.block(&key, number).into_iter().enumerate() {
                self.memory[to.0.0 as usize][copy].set_bits(out + i, word.into());
            }
        }
        Ok(())
    }

    /// Sorts the `n` keys that are `steps` behind the first, and puts down their places if wanted.
    fn sort(
        &mut self,
        regions: &[(BufferId, Index)],
        steps: usize,
        n: usize,
        descending: bool,
    ) -> Result<(), Error> {
        if n == 0 {
            return Ok(());
        }
        let mut firsts = vec![];
        for (buffer, index) in regions {
            let first = index.offset + steps as i64;
            let at = |offset| Index { offset, ..*index };
            self.element(*buffer, &at(first + n as i64 - 1))?;
            firsts.push(self.element(*buffer, &at(first))?);
        }
        let mut places = vec![0; n];
        let keys = firsts[0]..firsts[0] + n;
        with_data!(&mut self.memory[regions[0].0.0 as usize][0], v => {
            sort_with_places(&mut v[keys], &mut places, descending);
        });
        if let [_, (buffer, _)] = regions {
            for (k, place) in places.into_iter().enumerate() {
                self.memory[buffer.0 as usize][0].set_bits(firsts[1] + k, place as u64);
            }
        }
        Ok(())
    }

    /// The first of `len` elements that are there.
    fn region(&self, buffer: BufferId, index: &Index, len: usize) -> Result<usize, Error> {
        let Some(last) = len.checked_sub(1) else {
            return Ok(0);
        };
        let offset = index.offset + last as i64;
        self.element(buffer, &Index { offset, ..*index })?;
        self.element(buffer, index)
    }
}
