//! Decides which values of a straight line stay in registers.
//!
//! A value that lives long is in the frame, and could be loaded at each use. It stays in a register
//! from one use to the next if there is room: the values that are used again soonest are kept,
//! which keeps the number of loads nearly minimal.

use std::collections::HashMap;

use cranelift_codegen::ir;
use wengert_loop::loops::{Stmt, Value, walk};

/// The registers for values in lanes: of the sixteen, some are left for the operands of an
/// instruction.
pub(super) const FOR_LANES: usize = 12;
/// The registers for scalars.
pub(super) const FOR_SCALARS: usize = 14;

/// A piece of a value; constants and uniform values have one.
type Piece = (Value, u8);

/// The contents of registers while a segment is emitted, line by line.
pub(super) struct Near {
    /// The lines that use each value.
    uses: HashMap<Value, Vec<u32>>,
    /// The line that is being emitted.
    line: u32,
    /// The number of instructions of the function before the segment.
    start: u32,
    kept: Vec<(Piece, ir::Value)>,
    /// The largest number of kept pieces.
    room: usize,
}

impl Near {
    /// Starts a straight line of statements, after which the values `wanted` are used, with room
    /// for `room` pieces.
    pub(super) fn new<'p>(
        stmts: impl Iterator<Item = &'p Stmt>,
        wanted: &[Value],
        room: usize,
        start: u32,
    ) -> Near {
        let mut uses: HashMap<Value, Vec<u32>> = HashMap::new();
        let mut end = 0;
        for (n, s) in stmts.enumerate() {
            for v in walk::uses(s) {
                uses.entry(v).or_default().push(n as u32);
            }
            end = n as u32 + 1;
        }
        for &v in wanted {
            uses.entry(v).or_default().push(end);
        }
        Near {
            uses,
            line: 0,
            start,
            kept: Vec::with_capacity(room + 1),
            room,
        }
    }

    /// Goes on to a line.
    pub(super) fn at(&mut self, line: usize) {
        self.line = line as u32;
    }

    /// Forgets all registers, because another block begins, or another pass over the lines.
    pub(super) fn clear(&mut self) {
        self.kept.clear();
    }

    /// The register of a piece, if it was kept.
    pub(super) fn get(&self, piece: Piece) -> Option<ir::Value> {
        let found = self.kept.iter().find(|(p, _)| *p == piece);
        found.map(|&(_, x)| x)
    }

    /// Whether a value that was computed when the function had `at` instructions belongs to this
    /// segment.
    pub(super) fn is_here(&self, at: u32) -> bool {
        at >= self.start
    }

    /// The next line that uses a value.
    fn next(&self, v: Value) -> Option<u32> {
        let uses = self.uses.get(&v)?;
        let after = uses.partition_point(|&n| n <= self.line);
        uses.get(after).copied()
    }

    /// Keeps a piece that is in a register. Returns the piece that must make room for it: the one
    /// that is used again last.
    pub(super) fn keep(&mut self, piece: Piece, x: ir::Value) -> Option<(Piece, ir::Value)> {
        self.kept.retain(|(p, _)| *p != piece);
        self.next(piece.0)?;
        self.kept.push((piece, x));
        if self.kept.len() <= self.room {
            return None;
        }
        let mut kept = std::mem::take(&mut self.kept);
        kept.retain(|((v, _), _)| self.next(*v).is_some());
        self.kept = kept;
        if self.kept.len() <= self.room {
            return None;
        }
        let farthest = (0..self.kept.len()).max_by_key(|&i| self.next(self.kept[i].0.0));
        farthest.map(|i| self.kept.swap_remove(i))
    }
}
