//! Random draws: numbered blocks of a key's stream, computed where they are read.
//!
//! A draw waits like any other expression. Blocks do not line up with elements, so a nest that reads a draw
//! runs in strips: it computes the blocks of a strip side by side into scratch memory that stays in the
//! cache, then the elements of the strip.

use std::rc::Rc;
use std::sync::Arc;

use super::Lowering;
use super::Wanted;
use super::nest::{Axis, Space, Visit};
use super::node::{Expr, FEW, NodeId, Position, positions};
use super::notes::StoreReason;
use super::store::buffer_of;
use super::view::{AxisMap, PerAxis, View, contiguous};
use crate::elementary::chacha::{KEY, Stream, WORDS};
use crate::error::Result;
use crate::ir::{DType, Type};
use crate::loops::affine::Affine;
use crate::loops::builder::Builder;
use crate::loops::kernel::RandomBlock;
use crate::loops::{LANES, LoopKind, ScalarOp, Value};

/// Maximum number of keys in a draw that is computed at once and read where its blocks are, because such keys
/// are needed one by one.
const FEW_KEYS: usize = 8;

/// The stream that words come from.
pub(super) struct Source {
    key: [Value; KEY],
    /// The number of the first block, a `u64`.
    start: Value,
    stream: Stream,
}

/// Elements of a draw, in the order of the stream.
#[derive(Clone)]
pub(super) struct Draw {
    pub source: Rc<Source>,
    /// The number of the first element in the stream.
    pub offset: Affine,
    pub strides: PerAxis<i64>,
}

/// Elements of a draw that are in memory.
pub(super) struct Filled {
    view: View,
    /// The number of the first of these elements in the stream.
    first: Affine,
}

/// Returns the number of elements in a block.
fn per_block(dtype: DType) -> usize {
    4 * WORDS / dtype.bytes()
}

impl Draw {
    /// Returns the number in the stream of the element at a position.
    fn number(&self, b: &mut Builder, at: &[Affine]) -> Affine {
        let mut sum = self.offset.clone();
        for (i, &stride) in at.iter().zip(&self.strides) {
            sum = b.add_scaled(&sum, i, stride);
        }
        sum
    }
}

impl Lowering {
    /// Returns the maximum number of elements in a strip.
    pub(super) fn strip_limit(&self) -> usize {
        match self.in_lanes() {
            true => self.target.lane_strip,
            false => self.target.strip,
        }
    }

    /// Draws words of a key's stream from a block on; see [`crate::ops::random`].
    ///
    /// # Errors
    /// As [`Lowering::force`].
    pub fn draw(
        &mut self,
        key: NodeId,
        start: NodeId,
        stream: Stream,
        want: &Wanted,
    ) -> Result<NodeId> {
        self.force(&[key, start], StoreReason::Whole)?;
        if want.ty.size() == 0 {
            return Ok(self.literal(want.ty.clone(), 0));
        }
        if self.ty(key).rank() > 1 {
            return self.draw_each(key, start, stream, want);
        }
        let source = self.source(key, start, stream)?;
        let strides = contiguous(&want.ty.dims());
        let offset = Affine::default();
        let draw = Draw {
            source: Rc::new(source),
            offset,
            strides,
        };
        let n = want.ty.size();
        if stream != Stream::Draws && n <= FEW_KEYS * KEY {
            let dims = want.ty.dims();
            let filled = self.fill(&draw.source, want.ty.dtype, &draw.offset, n);
            let view = View {
                strides: draw.strides,
                ..filled.view
            };
            return Ok(self.stored(want.ty.dtype, dims, view));
        }
        self.drawn(want.ty.clone(), draw)
    }

    fn source(&mut self, key: NodeId, start: NodeId, stream: Stream) -> Result<Source> {
        let key = self.elements(key)?;
        Ok(Source {
            key: key.try_into().expect("eight words"),
            start: self.value(start),
            stream,
        })
    }

    /// Draws from each of several keys.
    fn draw_each(
        &mut self,
        key: NodeId,
        start: NodeId,
        stream: Stream,
        want: &Wanted,
    ) -> Result<NodeId> {
        let dims = want.ty.dims();
        let (batch, own) = dims.split_at(self.ty(key).rank() - 1);
        let (keys, n): (usize, usize) = (batch.iter().product(), own.iter().product());
        let key = self.reshape(key, &[keys, KEY])?;
        let start = match self.ty(start).rank() {
            0 => start,
            _ => self.reshape(start, &[keys])?,
        };
        let numbers = self.ty(start).rank() == 1;
        let place = self.place(want);
        let whole = flattened(&place, &dims, &[keys, n]);
        let rows = match &whole {
            Some(view) => view.clone(),
            None => self.alloc(want.ty.dtype, &[keys, n]),
        };
        let space = Space::new(&[keys], &[]);
        let dtype = want.ty.dtype;
        let per = per_block(dtype);
        // Keys run side by side, and the blocks of each one after the other.
        self.over(&space, n.div_ceil(per) * WORDS, &mut |l, at| {
            let row = l.row(key, &at[0])?;
            let first = match numbers {
                true => l.row(start, &at[0])?,
                false => start,
            };
            let source = l.source(row, first, stream)?;
            let put = |l: &mut Lowering, b: &Affine, len: usize| {
                let words = l.block(&source, b, dtype);
                for (e, word) in words.into_iter().enumerate().take(len) {
                    let i = l.b.scale(b, per as i64).plus(e as i64);
                    l.store(&rows, &[at[0].clone(), i], word);
                }
                Ok(())
            };
            let (full, rest) = (n / per, n % per);
            if full > 0 {
                let count = l.b.i64(full as i64);
                l.repeat(LoopKind::SERIAL, count, |l, b| put(l, &b, per))?;
            }
            if rest > 0 {
                put(l, &Affine::constant(full as i64), rest)?;
            }
            Ok(())
        })?;
        if whole.is_some() {
            return Ok(self.stored(dtype, dims, place));
        }
        let rows = self.stored(dtype, vec![keys, n], rows);
        self.reshape(rows, &dims)
    }

    /// Makes a draw that waits; few elements are computed at once.
    pub(super) fn drawn(&mut self, ty: Type, draw: Draw) -> Result<NodeId> {
        let n = ty.size();
        if n > FEW {
            return Ok(self.push(ty, Expr::Draw(draw)));
        }
        let dtype = ty.dtype;
        let (first, phase) = self.b.div_rem(&draw.offset, per_block(dtype) as i64);
        let elements = match phase.as_constant() {
            Some(phase) => {
                let phase = phase as usize;
                let blocks = (phase + n).div_ceil(per_block(dtype)) as i64;
                let words = (0..blocks)
                    .flat_map(|b| self.block(&draw.source, &first.clone().plus(b), dtype));
                words.skip(phase).take(n).collect()
            }
            None => {
                let filled = self.fill(&draw.source, dtype, &draw.offset, n);
                let places = positions(&ty.dims());
                let places = places.iter();
                places
                    .map(|at| {
                        let number = draw.number(&mut self.b, at);
                        self.filled(&filled, &number)
                    })
                    .collect::<Vec<Value>>()
            }
        };
        Ok(self.of_elements(&ty, &elements))
    }

    /// Returns the draw read in another order, if that order is a run of elements in the stream.
    pub(super) fn redrawn(
        &mut self,
        ty: Type,
        draw: &Draw,
        map: &AxisMap,
    ) -> Result<Option<NodeId>> {
        let (offset, strides) = self.map_walk(&draw.offset, &draw.strides, map);
        if !super::view::is_contiguous(&map.dims, &strides) {
            return Ok(None);
        }
        let draw = Draw {
            source: draw.source.clone(),
            offset,
            strides: contiguous(&map.dims),
        };
        self.drawn(ty, draw).map(Some)
    }

    /// Computes the elements of the block with this number, counted from the first block of the source.
    fn block(&mut self, source: &Source, number: &Affine, dtype: DType) -> Vec<Value> {
        let b = &mut self.b;
        let number = b.materialize(number);
        let mut number = b.convert(number, DType::U64);
        if b.known(source.start) != Some(0) {
            number = b.add(number, source.start);
        }
        let low = b.convert(number, DType::U32);
        let half = b.constant(DType::U64, 32);
        let high = b.op(ScalarOp::ShrLogical, &[number, half]);
        let high = b.convert(high, DType::U32);
        let (state, words) = (
            self.alloc(DType::U32, &[KEY + 2]),
            self.alloc(DType::U32, &[WORDS]),
        );
        for (i, &word) in source.key.iter().chain(&[low, high]).enumerate() {
            self.store(&state, &[Affine::constant(i as i64)], word);
        }
        let regions = [&state, &words].map(|v| buffer_of(v).expect("it has just been made"));
        if let Some(nest) = &mut self.nest {
            nest.written.extend(regions);
        }
        let regions = regions.map(|buffer| (buffer, Affine::default()));
        let kernel = Arc::new(RandomBlock(source.stream));
        self.b.kernel(kernel, &regions);
        let words: Vec<Value> = (0..WORDS as i64)
            .map(|i| self.load(&words, &[Affine::constant(i)]))
            .collect();
        let b = &mut self.b;
        match dtype {
            DType::U32 => words,
            _ => (words.as_chunks::<2>().0.iter())
                .map(|&[low, high]| {
                    let (low, high) = (b.convert(low, dtype), b.convert(high, dtype));
                    let high = b.op(ScalarOp::Shl, &[high, half]);
                    b.op(ScalarOp::Or, &[high, low])
                })
                .collect(),
        }
    }

    /// Computes the blocks that hold `count` elements from number `from` on, and stores them.
    fn fill(&mut self, source: &Source, dtype: DType, from: &Affine, count: usize) -> Filled {
        let per = per_block(dtype);
        let (first, phase) = self.b.div_rem(from, per as i64);
        let phase = phase.as_constant().map_or(per - 1, |p| p as usize);
        let blocks = (phase + count).div_ceil(per);
        // Round up to whole groups of lanes, so that none is partial.
        let kind = match self.in_lanes() || blocks == 1 {
            true => LoopKind::SERIAL,
            false => LoopKind::Vector,
        };
        let blocks = match kind {
            LoopKind::Vector => blocks.next_multiple_of(LANES),
            _ => blocks,
        };
        let view = self.alloc(dtype, &[blocks, per]);
        if let (Some(nest), Some(buffer)) = (&mut self.nest, buffer_of(&view)) {
            nest.written.push(buffer);
        }
        let put = |l: &mut Lowering, i: &Affine| {
            let number = l.b.add_scaled(&first, i, 1);
            let words = l.block(source, &number, dtype);
            for (e, word) in words.into_iter().enumerate().take(phase + count) {
                l.store(&view, &[i.clone(), Affine::constant(e as i64)], word);
            }
        };
        if blocks == 1 {
            put(self, &Affine::default());
        } else {
            let count = self.b.i64(blocks as i64);
            let done = self.repeat(kind, count, |l, i| {
                put(l, &i);
                Ok(())
            });
            done.expect("nothing in it can fail");
        }
        let first = self.b.scale(&first, per as i64);
        Filled { view, first }
    }

    /// Loads an element that has been computed, by its number in the stream.
    fn filled(&mut self, filled: &Filled, number: &Affine) -> Value {
        let place = self.b.add_scaled(number, &filled.first, -1);
        let flat = View {
            strides: PerAxis::from_slice(&[1]),
            ..filled.view.clone()
        };
        self.load(&flat, &[place])
    }

    /// Lowers an element of a draw: from the current strip, or from a block of its own.
    pub(super) fn drawn_element(&mut self, id: NodeId, draw: &Draw, at: &[Affine]) -> Value {
        let number = draw.number(&mut self.b, at);
        if let Some(filled) = self.strips.remove(&id) {
            let value = self.filled(&filled, &number);
            self.strips.insert(id, filled);
            return value;
        }
        let dtype = self.ty(id).dtype;
        let filled = self.fill(&draw.source, dtype, &number, 1);
        self.filled(&filled, &number)
    }

    /// Returns the draws among expressions.
    pub(super) fn draws(&self, nodes: &[NodeId]) -> Vec<NodeId> {
        let draw = |id: &&NodeId| matches!(self.expr(**id), Expr::Draw(_));
        nodes.iter().filter(draw).copied().collect()
    }

    /// Computes `count` elements of each draw, starting at a position.
    pub(super) fn begin_strip(&mut self, draws: &[NodeId], at: &[Affine], count: usize) {
        for &id in draws {
            let Expr::Draw(draw) = self.expr(id).clone() else {
                unreachable!("a draw waits until its nest is written")
            };
            let dtype = self.ty(id).dtype;
            let from = draw.number(&mut self.b, at);
            let filled = self.fill(&draw.source, dtype, &from, count);
            self.strips.insert(id, filled);
        }
    }

    /// Forgets the elements of the strip.
    pub(super) fn end_strip(&mut self, draws: &[NodeId]) {
        for id in draws {
            self.strips.remove(id);
        }
    }

    /// Visits every point as [`Lowering::over`] does, in strips for which the draws are computed first.
    pub(super) fn over_strips(
        &mut self,
        space: &Space,
        draws: &[NodeId],
        visit: &mut Visit<'_>,
    ) -> Result<()> {
        if draws.is_empty() {
            return self.over(space, 1, visit);
        }
        let limit = self.strip_limit();
        let axes = &space.axes;
        // A strip is made of the innermost axes that fit together, and some steps of the next axis.
        let (mut inner, mut inside) = (axes.len(), 1);
        while inner > 1 && inside * axes[inner - 1].extent <= limit {
            inner -= 1;
            inside *= axes[inner].extent;
        }
        let (outer, strip, inner) = (&axes[..inner - 1], axes[inner - 1], &axes[inner..]);
        let steps = (limit / inside).clamp(1, strip.extent);
        // Use whole blocks where possible.
        let steps = match steps < strip.extent && steps > WORDS {
            true => steps / WORDS * WORDS,
            false => steps,
        };
        // Run rows or strips in tasks, whichever there are more of.
        let tasks = self.wants_tasks(space.size());
        let rows: usize = outer.iter().map(|a| a.extent).product();
        let by_strips = rows < strip.extent.div_ceil(steps);
        let kind = match tasks && by_strips {
            true => LoopKind::Parallel,
            false => LoopKind::SERIAL,
        };
        let mut at = space.origin();
        let mut strips = |l: &mut Lowering, at: &mut Position| {
            if steps == strip.extent {
                let len = l.b.i64(steps as i64);
                let all = (Affine::default(), len);
                return l.strip(draws, at, (strip, all, steps), inner, visit);
            }
            l.chunks(kind, strip.extent, steps, &mut |l, start, len, _| {
                l.strip(draws, at, (strip, (start, len), steps), inner, visit)
            })
        };
        let row = strip.extent * inside;
        self.outer(outer, &mut at, row, tasks && !by_strips, &mut strips)
    }

    /// Lowers one strip: `len` steps (at most `steps`) from `start` along an axis, and the axes inside.
    fn strip(
        &mut self,
        draws: &[NodeId],
        at: &mut Position,
        (axis, (start, len), steps): (Axis, (Affine, Value), usize),
        inner: &[Axis],
        visit: &mut Visit<'_>,
    ) -> Result<()> {
        at[axis.axis] = start.clone();
        for axis in inner {
            at[axis.axis] = Affine::default();
        }
        let inside: usize = inner.iter().map(|a| a.extent).product();
        self.begin_strip(draws, at, steps * inside);
        // Vectorize the innermost axis that is long enough, as everywhere.
        let long = inner.iter().rposition(|a| a.extent >= LANES);
        let (kind, vector) = match (self.in_lanes(), long) {
            (true, _) => (LoopKind::SERIAL, None),
            (false, None) => (LoopKind::Vector, None),
            (false, Some(v)) => (LoopKind::SERIAL, Some(v)),
        };
        self.repeat(kind, len, |l, i| {
            at[axis.axis] = l.b.add_scaled(&start, &i, 1);
            let Some(v) = vector else {
                return l.serial(inner, at, visit);
            };
            let (before, vector, rest) = (&inner[..v], inner[v], &inner[v + 1..]);
            l.serial(before, &mut at.clone(), &mut |l, at| {
                let extent = l.b.i64(vector.extent as i64);
                let mut at: Position = at.into();
                l.repeat(LoopKind::Vector, extent, |l, i| {
                    at[vector.axis] = i;
                    l.serial(rest, &mut at, visit)
                })
            })
        })?;
        self.end_strip(draws);
        Ok(())
    }
}

/// Views memory with other lengths of the axes, if its strides allow that.
fn flattened(place: &View, from: &[usize], to: &[usize]) -> Option<View> {
    let strides = super::view::reshape(from, &place.strides, to)?;
    Some(View {
        strides,
        ..place.clone()
    })
}
