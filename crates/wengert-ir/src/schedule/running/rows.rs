//! Lines that lie side by side in memory.

use super::{Lines, Position};
use crate::error::Result;
use crate::loops::affine::Affine;
use crate::loops::{FoldOp, LoopKind, ScalarOp, Value};
use crate::order::CHUNK;
use crate::schedule::Lowering;
use crate::schedule::nest::Space;
use crate::schedule::notes::StoreReason;
use crate::schedule::view::{PerAxis, View};

/// Number of elements of a row that one task computes, if it goes row by row.
const ROW_PART: usize = 512;

/// What the values of a row are made from.
struct Row {
    /// Whether it is the first row.
    first: Value,
    /// Whether it is the first row of its chunk.
    first_of_chunk: Value,
    /// Whether its chunk is the first.
    in_first: Value,
    /// The row before it, or itself if it is the first.
    before: Affine,
    /// The last row of the chunk before, or some row if its chunk is the first.
    last: Affine,
}

impl Lowering {
    /// Lowers many lines that lie side by side in memory: one place of all of them, then the next, so that
    /// memory is walked in order. Each step loads the values before from where they were stored.
    pub(super) fn row_by_row(
        &mut self,
        lines: &Lines<'_>,
        dims: &[usize],
        walks: &[Option<PerAxis<i64>>],
    ) -> Result<()> {
        let axis = lines.running.axis;
        let (front, behind): (Vec<usize>, Vec<usize>) = (0..dims.len())
            .filter(|&a| a != axis)
            .partition(|&a| a < axis);
        let rows = Space::of_axes(dims, &behind, walks);
        let (last, outer) = rows.axes.split_last().expect("a row of some length");
        let long: usize = outer.iter().map(|a| a.extent).product();
        let serial = LoopKind::Serial {
            reverse: lines.running.reverse,
        };
        // Lowers a part of the rows, at a position of the axes before `axis`. Where the values begin anew in each chunk,
        // those of the last row are kept beside the rows, which hold what they are joined to.
        let part =
            |l: &mut Lowering, at: &[Affine], start: &Affine, (len, most): (Value, usize)| {
                let mut at: PerAxis<Affine> = at.into();
                let extents: Vec<usize> = outer.iter().map(|a| a.extent).chain([most]).collect();
                let anew = lines.chunked().map(|join| {
                    let values = l.alloc_because(l.dtype_of(lines), &extents, StoreReason::Parts);
                    (join, values)
                });
                let none = l.b.bool(false);
                let chunk = if anew.is_some() { CHUNK } else { lines.n };
                let whole = (&Affine::default(), lines.n);
                let reverse = lines.running.reverse;
                l.pieces(reverse, whole, chunk, none, &mut |l, piece, none| {
                    let extent = l.b.i64(piece.1 as i64);
                    l.repeat(serial, extent, |l, i| {
                        at[axis] = l.b.add_scaled(piece.0, &i, 1);
                        let row = l.row_at(lines, &at, piece);
                        l.serial(outer, &mut at, &mut |l, at| {
                            let mut at: PerAxis<Affine> = at.into();
                            l.repeat(LoopKind::Vector, len, |l, j| {
                                at[last.axis] = l.b.add_scaled(start, &j, 1);
                                let mut own: Position =
                                    outer.iter().map(|a| at[a.axis].clone()).collect();
                                own.push(j);
                                let anew = anew
                                    .as_ref()
                                    .map(|(join, values)| (*join, values, &own[..]));
                                l.row_element(lines, &at, &row, anew)
                            })
                        })
                    })?;
                    Ok(none)
                })?;
                Ok(())
            };
        let fronts = Space::of_axes(dims, &front, walks);
        let size: usize = dims.iter().product();
        let own = lines.n * long * last.extent;
        let tasks = size >= self.target.tasks_from && !self.parallel;
        if tasks && fronts.size() * 4 * ROW_PART < size / lines.n && last.extent > ROW_PART {
            // There are few positions before `axis`: parts of the rows become the tasks.
            let origin = fronts.origin();
            let front_axes = fronts.axes.clone();
            return self.chunks(
                LoopKind::Parallel,
                last.extent,
                ROW_PART,
                &mut |l, start, len, _| {
                    let mut at = origin.clone();
                    l.serial(&front_axes, &mut at, &mut |l, at| {
                        part(l, at, &start, (len, ROW_PART))
                    })
                },
            );
        }
        let len = self.b.i64(last.extent as i64);
        self.over_serially(&fronts, own, &mut |l, at| {
            part(l, at, &Affine::default(), (len, last.extent))
        })
    }

    /// Locates what the values of a row are made from.
    fn row_at(&mut self, lines: &Lines<'_>, at: &[Affine], piece: (&Affine, usize)) -> Row {
        let reverse = lines.running.reverse;
        let step = self.b.materialize(&at[lines.running.axis]);
        let is_first = |l: &mut Lowering, piece: (&Affine, usize)| {
            let back = if reverse { piece.1 as i64 - 1 } else { 0 };
            let first = piece.0.clone().plus(back);
            let first = l.b.materialize(&first);
            (l.b.op(ScalarOp::Eq, &[step, first]), first)
        };
        let (first, _) = is_first(self, (&Affine::default(), lines.n));
        let (first_of_chunk, begin) = is_first(self, piece);
        let end = self.b.i64(if reverse { lines.n as i64 - 1 } else { 0 });
        let in_first = self.b.op(ScalarOp::Eq, &[begin, end]);
        // The first place has none before it: load from the place itself, whose address is valid, and ignore
        // the value.
        let back = self.b.i64(if reverse { 1 } else { -1 });
        let mut before = |place: Value, first: Value| {
            let near = self.b.add(place, back);
            self.b.select(first, place, near)
        };
        let (near, last) = (before(step, first), before(begin, in_first));
        Row {
            first,
            first_of_chunk,
            in_first,
            before: self.b.affine(near),
            last: self.b.affine(last),
        }
    }

    /// Lowers one element of a row. `anew` holds, where values begin anew in each chunk, the operation that joins
    /// chunks, the memory of the last row's values before they are joined, and the place in it.
    fn row_element(
        &mut self,
        lines: &Lines<'_>,
        at: &[Affine],
        row: &Row,
        anew: Option<(FoldOp, &View, &[Affine])>,
    ) -> Result<()> {
        let axis = lines.running.axis;
        let start = self.b.constant(self.dtype_of(lines), lines.running.start);
        let mut other: PerAxis<Affine> = at.into();
        let Some((join, values, own)) = anew else {
            other[axis] = row.before.clone();
            let written = self.load(&lines.place, &other);
            let before = self.b.select(row.first, start, written);
            self.place_on_line(lines, at, Some((row.first, before)))?;
            return Ok(());
        };
        other[axis] = row.last.clone();
        let last = self.load(&lines.place, &other);
        let last = self.b.select(row.in_first, start, last);
        let before = self.load(values, own);
        let before = self.b.select(row.first_of_chunk, start, before);
        let x = self.operands(lines, at)?;
        let value = (lines.running.step)(&mut self.b, row.first, before, &x);
        self.store(values, own, value);
        self.store_joined(lines, at, value, Some((join, last)));
        Ok(())
    }
}
