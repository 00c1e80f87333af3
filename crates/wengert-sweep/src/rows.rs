//! Results as they come.

use std::fmt;
use std::marker::PhantomData;

use wengert::tree::{self, TreeDef};
use wengert::{Array, Tree, Var};

use crate::chunk::Chunk as Piece;
use crate::column::Column;
use crate::error::{Error, PointError, Result};
use crate::runner::Runner;
use crate::store::Store;
use crate::summary::Summary;

/// Points that lie behind one another: see [`Sweep::chunks`](crate::Sweep::chunks).
pub struct Chunk<P: Tree, Y: Tree> {
    /// The number of the first point.
    pub first: u64,
    /// The number of points.
    pub count: usize,
    /// Their parameters: arrays with an axis of points in front.
    pub params: P::With<Array>,
    /// Their results, in the same form. A point that failed has its row here, too.
    pub results: Y::With<Array>,
    /// The points that failed, in order.
    pub errors: Vec<PointError>,
}

/// A point, and what came of it: see [`Sweep::iter`](crate::Sweep::iter).
pub struct Row<P: Tree, Y: Tree> {
    /// The number of the point.
    pub index: u64,
    /// Its parameters.
    pub params: P::With<Array>,
    /// Its results, or why there are none.
    pub result: Result<Y::With<Array>, PointError>,
}

/// All results in memory: see [`Sweep::collect`](crate::Sweep::collect).
pub struct Collected<P: Tree, Y: Tree> {
    /// The parameters: arrays with an axis of points in front.
    pub params: P::With<Array>,
    /// The results, in the same form.
    pub results: Y::With<Array>,
    /// The points that failed, in order. Their rows have what [`Kind`](crate::Kind) says.
    pub errors: Vec<PointError>,
    /// What became of the sweep.
    pub summary: Summary,
}

/// An iterator over the pieces of a sweep: see [`Sweep::chunks`](crate::Sweep::chunks).
pub struct Chunks<P, Y> {
    runner: Runner,
    store: Option<Store>,
    /// Whether there is nothing more.
    over: bool,
    of: PhantomData<fn(P) -> Y>,
}

/// The tree of arrays with this structure.
fn tree_of<T: Tree>(def: &TreeDef, leaves: Vec<Array>) -> T::With<Array> {
    tree::unflatten(def, leaves).expect("the structure of the tree")
}

impl<P: Tree<Leaf = Var>, Y: Tree<Leaf = Var>> Chunks<P, Y> {
    pub(crate) fn new(runner: Runner, store: Option<Store>) -> Self {
        Chunks {
            runner,
            store,
            over: false,
            of: PhantomData,
        }
    }

    /// Returns what has become of the sweep so far.
    pub fn summary(&self) -> Summary {
        self.runner.summary()
    }

    fn piece(&mut self) -> Option<Result<Piece>> {
        if self.over {
            return None;
        }
        let piece = self.computed();
        // A chunk without points is what a point that ends the sweep leaves.
        if !matches!(&piece, Ok(Some(piece)) if piece.count > 0) {
            self.over = true;
        }
        match piece {
            Ok(Some(piece)) if piece.count > 0 => Some(Ok(piece)),
            Ok(_) => self.runner.stopped().map(Err),
            Err(e) => Some(Err(e)),
        }
    }

    fn computed(&mut self) -> Result<Option<Piece>> {
        let piece = self.runner.next()?;
        if let Some(store) = &mut self.store {
            match &piece {
                Some(piece) => store.push(piece)?,
                None => store.save()?,
            }
        }
        Ok(piece)
    }
}

impl<P, Y> Drop for Chunks<P, Y> {
    fn drop(&mut self) {
        if let Some(store) = &mut self.store {
            // There is nobody to tell: these rows are computed again.
            let _ = store.save();
        }
    }
}

impl<P: Tree<Leaf = Var>, Y: Tree<Leaf = Var>> Iterator for Chunks<P, Y> {
    type Item = Result<Chunk<P, Y>>;

    fn next(&mut self) -> Option<Self::Item> {
        let piece = match self.piece()? {
            Ok(piece) => piece,
            Err(e) => return Some(Err(e)),
        };
        let engine = &self.runner.engine;
        let columns = engine.columns();
        let [params, results] = engine.defs();
        let heads = |columns: &[Column], arrays: &[Array]| -> Vec<Array> {
            let head = |(c, a): (&Column, &Array)| match a.shape()[0] == piece.count {
                true => a.clone(),
                false => c.head(a, piece.count),
            };
            columns.iter().zip(arrays).map(head).collect()
        };
        Some(Ok(Chunk {
            first: piece.first,
            count: piece.count,
            params: tree_of::<P>(params, heads(&columns.params, &piece.params)),
            results: tree_of::<Y>(results, heads(&columns.outputs, &piece.outputs)),
            errors: piece
                .failed
                .iter()
                .map(|f| piece.error(columns, f))
                .collect(),
        }))
    }
}

/// An iterator over the points of a sweep: see [`Sweep::iter`](crate::Sweep::iter).
pub struct Rows<P, Y> {
    chunks: Chunks<P, Y>,
    piece: Option<(Piece, usize)>,
}

impl<P: Tree<Leaf = Var>, Y: Tree<Leaf = Var>> Rows<P, Y> {
    pub(crate) fn new(chunks: Chunks<P, Y>) -> Self {
        Rows {
            chunks,
            piece: None,
        }
    }

    /// Returns what has become of the sweep so far, with the points that have been computed and not yet given.
    pub fn summary(&self) -> Summary {
        self.chunks.summary()
    }
}

impl<P: Tree<Leaf = Var>, Y: Tree<Leaf = Var>> Iterator for Rows<P, Y> {
    type Item = Result<Row<P, Y>>;

    fn next(&mut self) -> Option<Self::Item> {
        if self
            .piece
            .as_ref()
            .is_none_or(|(piece, row)| *row == piece.count)
        {
            self.piece = match self.chunks.piece()? {
                Ok(piece) => Some((piece, 0)),
                Err(e) => return Some(Err(e)),
            };
        }
        let (piece, next) = self.piece.as_mut()?;
        let row = *next;
        *next += 1;
        let engine = &self.chunks.runner.engine;
        let columns = engine.columns();
        let [params, results] = engine.defs();
        let rows = |columns: &[Column], arrays: &[Array]| -> Vec<Array> {
            columns
                .iter()
                .zip(arrays)
                .map(|(c, a)| c.row(a, row))
                .collect()
        };
        Some(Ok(Row {
            index: piece.first + row as u64,
            params: tree_of::<P>(params, rows(&columns.params, &piece.params)),
            result: match piece.failure(row) {
                None => Ok(tree_of::<Y>(
                    results,
                    rows(&columns.outputs, &piece.outputs),
                )),
                Some(f) => Err(piece.error(columns, f)),
            },
        }))
    }
}

impl<P: Tree<Leaf = Var>, Y: Tree<Leaf = Var>> Collected<P, Y> {
    pub(crate) fn of(mut chunks: Chunks<P, Y>, memory: u64) -> Result<Self> {
        let columns = chunks.runner.engine.columns().clone();
        let mut pieces: Vec<Vec<Array>> = vec![vec![]; columns.all().count()];
        let mut errors = vec![];
        let mut points = 0;
        while let Some(piece) = chunks.piece() {
            let piece = piece?;
            points += piece.count as u64;
            // All pieces, and their sum.
            let need = 2 * points * columns.bytes() as u64;
            if need > memory {
                return Err(Error::Memory {
                    what: format!("to collect {points} points or more"),
                    need,
                    limit: memory,
                    hint: "`directory` or `chunks` do not keep them in memory",
                });
            }
            errors.extend(piece.failed.iter().map(|f| piece.error(&columns, f)));
            let arrays = piece.params.iter().chain(&piece.outputs);
            for ((column, array), to) in columns.all().zip(arrays).zip(&mut pieces) {
                to.push(column.head(array, piece.count));
            }
        }
        let mut all = vec![];
        for (column, arrays) in columns.all().zip(&pieces) {
            all.push(column.concat(arrays)?);
        }
        let outputs = all.split_off(columns.params.len());
        let [params, results] = chunks.runner.engine.defs();
        Ok(Collected {
            params: tree_of::<P>(params, all),
            results: tree_of::<Y>(results, outputs),
            errors,
            summary: chunks.summary(),
        })
    }
}

/// Says in one line what there is of each.
macro_rules! shown {
    ($($t:ident [$($bound:tt)*]: |$x:ident| $text:expr;)*) => {$(
        impl<P $($bound)*, Y $($bound)*> fmt::Debug for $t<P, Y> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let $x = self;
                f.write_str(&$text)
            }
        }
    )*};
}
shown! {
    Chunk [: Tree]: |c| format!("Chunk({} points from {}, {} failed)", c.count, c.first, c.errors.len());
    Row [: Tree]: |r| match &r.result {
        Ok(_) => format!("Row({})", r.index),
        Err(e) => format!("Row({e})"),
    };
    Collected [: Tree]: |c| format!("Collected({})", c.summary);
    Chunks []: |c| format!("Chunks({})", c.runner.summary());
    Rows []: |r| format!("Rows({})", r.chunks.runner.summary());
}
