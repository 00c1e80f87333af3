//! Sorts of much: passes in which every key finds its place in twice as long a run.

use wengert_loop::loops::kernel::{Sort, TopK};
use wengert_loop::loops::{BufferId, Index, Kernel, Stmt};
use wengert_loop::types::DType;

use super::memory::held_as;
use super::split::{Place, Split};
use super::write::{Given, Piece, Shape};
use super::{Step, Word};
use crate::emit::ty;

/// Where keys and their places are: pointers, of which that of the places may be none.
#[derive(Clone)]
struct Keys {
    keys: String,
    places: Option<String>,
}

impl Keys {
    fn places(&self) -> &str {
        self.places.as_deref().unwrap_or("(W_GLOBAL i64*)0")
    }
}

/// Rows of keys.
#[derive(Clone, Copy)]
struct Shelf {
    dtype: DType,
    rows: usize,
    n: usize,
    descending: bool,
}

impl Shelf {
    /// The number of passes after which each row is one run.
    fn passes(self) -> usize {
        self.n.max(1).next_power_of_two().ilog2() as usize
    }
}

impl<'p> Split<'p> {
    /// Sorts, or selects the largest keys.
    pub fn sorted(
        &mut self,
        s: &'p Stmt,
        kernel: &'p dyn Kernel,
        regions: &'p [(BufferId, Index)],
        steps: &mut Vec<Step>,
    ) {
        // Pointers are written once to be known here, and again in each kernel, for its parameters.
        self.emitter.begin();
        let p: Vec<String> = regions.iter().map(|r| self.emitter.pointer(r)).collect();
        self.emitter.end();
        if let Some(k) = kernel.downcast_ref::<Sort>() {
            let shelf = Shelf {
                dtype: k.dtype,
                rows: k.rows,
                n: k.n,
                descending: k.descending,
            };
            let own = Keys {
                keys: p[0].clone(),
                places: p.get(1).cloned(),
            };
            let other = self.more(shelf, 0, k.places);
            if let Some(places) = own.places.clone() {
                let n = k.n;
                self.each(s, regions, shelf.rows * n, None, steps, move || {
                    format!("({places})[column] = column % {n};")
                });
            }
            self.passes(s, regions, shelf, [&own, &other], steps);
            if shelf.passes() % 2 == 1 {
                self.each(s, regions, shelf.rows * k.n, None, steps, move || {
                    let places = match &own.places {
                        Some(p) => format!(" ({p})[column] = ({})[column];", other.places()),
                        None => String::new(),
                    };
                    format!("({})[column] = ({})[column];{places}", own.keys, other.keys)
                });
            }
        } else if let Some(k) = kernel.downcast_ref::<TopK>() {
            let shelf = Shelf {
                dtype: k.dtype,
                rows: k.rows,
                n: k.n,
                descending: true,
            };
            let (one, other) = (self.more(shelf, 0, true), self.more(shelf, 1, true));
            let (n, most, from) = (k.n, k.k, p[0].clone());
            let first = one.clone();
            self.each(s, regions, shelf.rows * n, None, steps, move || {
                format!(
                    "({})[column] = ({from})[column]; ({})[column] = column % {n};",
                    first.keys,
                    first.places()
                )
            });
            self.passes(s, regions, shelf, [&one, &other], steps);
            let done = if shelf.passes() % 2 == 1 { other } else { one };
            if most > 0 {
                self.each(s, regions, shelf.rows * most, None, steps, move || {
                    let at = format!("column / {most} * {n} + column % {most}");
                    format!(
                        "({})[column] = ({})[{at}]; ({})[column] = ({})[{at}];",
                        p[1],
                        done.keys,
                        p[2],
                        done.places()
                    )
                });
            }
        }
    }

    /// More memory of the call for as many keys, and places if they are wanted; there may be two of it.
    fn more(&mut self, shelf: Shelf, number: usize, places: bool) -> Keys {
        let len = shelf.rows * shelf.n;
        let mut take = |dtype: DType, before: usize| {
            let held = held_as(dtype);
            let base = self.call.lengths.get(&held).copied().unwrap_or(0);
            let extra = self.extra.entry(held).or_default();
            *extra = (*extra).max(before + len);
            format!("call_{} + {}", ty(held), base + before)
        };
        // Both arrays may be of one type.
        let width = if held_as(shelf.dtype) == DType::I64 {
            2
        } else {
            1
        };
        let keys = take(shelf.dtype, number * width * len);
        let places = places.then(|| take(DType::I64, (number * width + width - 1) * len));
        Keys { keys, places }
    }

    fn passes(
        &mut self,
        s: &'p Stmt,
        regions: &'p [(BufferId, Index)],
        shelf: Shelf,
        [from, to]: [&Keys; 2],
        steps: &mut Vec<Step>,
    ) {
        let index = self.index_count;
        self.index_count += 1;
        let merge = |a: &Keys, b: &Keys| {
            format!(
                "merge_{}({}, {}, {}, {}, {}, INT64_C(1) << pass, {}, column);",
                ty(shelf.dtype),
                a.keys,
                a.places(),
                b.keys,
                b.places(),
                shelf.n,
                u8::from(shelf.descending)
            )
        };
        let text = format!("if (pass & 1) {} else {}", merge(to, from), merge(from, to));
        let mut inside = vec![];
        let columns = shelf.rows * shelf.n;
        self.each(s, regions, columns, Some(index), &mut inside, move || {
            text.clone()
        });
        if shelf.passes() > 0 {
            steps.push(Step::For {
                extent: Word::Known(shelf.passes() as u64),
                index,
                reverse: false,
                steps: inside,
            });
        }
    }

    /// A kernel with a thread for each of some elements.
    fn each(
        &mut self,
        s: &'p Stmt,
        regions: &'p [(BufferId, Index)],
        columns: usize,
        pass: Option<usize>,
        steps: &mut Vec<Step>,
        text: impl Fn() -> String + 'p,
    ) {
        let write: Given<'p> = Box::new(move |e| {
            regions.iter().for_each(|r| {
                e.pointer(r);
            });
            e.text(&text());
        });
        let shape = Shape::Each {
            columns,
            pass,
            write,
        };
        steps.extend(self.kernel(&Place::default(), shape, &[Piece::Stmt(s)]));
    }
}
