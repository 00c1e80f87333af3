//! Plain Rust functions: one call for each point, on all threads.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use rayon::prelude::*;
use wengert::tree::{self, TreeDef};
use wengert::{Array, Tree, Var};

use super::{Engine, Limits, Pace, Points, Stop, fitting};
use crate::chunk::{Chunk, Failure};
use crate::column::Columns;
use crate::design::Design;
use crate::error::{Kind, Result};
use crate::identity::{Identity, Text};
use crate::outputs::Outputs;

/// What came of a point.
type Came = Result<Vec<Array>, (Kind, String)>;

/// A function that gives the leaves of its results, or says what went wrong.
type Function = Box<dyn Fn(Vec<Array>, &TreeDef) -> Result<Vec<Array>, String> + Send + Sync>;

pub(crate) struct Source {
    f: Function,
    blank: Vec<Array>,
    def: TreeDef,
    name: &'static str,
}

impl Source {
    pub fn new<P, R, E, F>(f: F) -> Source
    where
        P: Tree<Leaf = Var>,
        R: Outputs,
        E: std::fmt::Display,
        F: Fn(P::With<Array>) -> Result<R, E> + Send + Sync + 'static,
    {
        let (blank, def) = tree::flatten(R::blank().tree());
        Source {
            f: Box::new(move |leaves, def| {
                let p = tree::unflatten(def, leaves).expect("the structure of a point");
                match f(p) {
                    Ok(results) => Ok(tree::flatten(results.tree()).0),
                    Err(e) => Err(e.to_string()),
                }
            }),
            blank,
            def,
            name: std::any::type_name::<F>(),
        }
    }

    pub fn engine<P: Tree<Leaf = Var> + 'static>(
        self,
        design: &Design<P>,
        limits: &Limits,
        version: &str,
    ) -> Result<Plain> {
        let points = Points::new(design)?;
        let outputs = self.def.paths().into_iter();
        let outputs = outputs.zip(self.blank.iter().map(tree::specs)).collect();
        let columns = Columns::new(points.leaves.clone(), outputs);
        // Arrays for each point, and the lists that hold them.
        let row = columns.bytes() as u64 + 96 * columns.all().count() as u64;
        let most = fitting(limits, row, 0.0)?;
        let start = limits.chunk.unwrap_or(rayon::current_num_threads());
        Ok(Plain {
            identity: Identity {
                program: Text::plain(self.name, version),
                design: points.text.clone(),
                points: design.points(),
            },
            points,
            f: self.f,
            columns,
            def: self.def,
            pace: Pace::new(start.min(most)),
            most,
            fixed: limits.chunk.is_some(),
        })
    }
}

pub(crate) struct Plain {
    points: Points,
    f: Function,
    columns: Columns,
    def: TreeDef,
    identity: Identity,
    pace: Pace,
    most: usize,
    /// Whether the size of chunks is given.
    fixed: bool,
}

/// The text of a panic.
fn said(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|s| s.to_string());
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a panic without a message".into())
}

fn on_the_host(leaves: &[Array]) -> wengert::Result<Vec<Array>> {
    leaves.iter().map(Array::to_host).collect()
}

impl Engine for Plain {
    fn columns(&self) -> &Columns {
        &self.columns
    }

    fn defs(&self) -> [&TreeDef; 2] {
        [&self.points.def, &self.def]
    }

    fn identity(&self) -> &Identity {
        &self.identity
    }

    fn want(&self) -> usize {
        self.pace.want
    }

    fn run(&mut self, first: u64, count: usize, stop: Stop<'_>) -> Result<Chunk> {
        let size = count.next_power_of_two().max(super::LANES);
        let mut params = self.points.run(first, count, size)?;
        params.truncate(self.columns.params.len());
        let start = Instant::now();
        let (columns, def, f) = (&self.columns, &self.points.def, &self.f);
        let call = |row: usize| {
            if stop() {
                return None;
            }
            let pairs = columns.params.iter().zip(&params);
            let leaves = pairs
                .map(|(column, array)| column.row(array, row))
                .collect();
            let result = match catch_unwind(AssertUnwindSafe(|| f(leaves, def))) {
                // An array on a device is read here, where its error is the point's.
                Ok(Ok(leaves)) => fits(columns, &leaves)
                    .and_then(|()| on_the_host(&leaves).map_err(|e| e.to_string()))
                    .map_err(|m| (Kind::Failed, m)),
                Ok(Err(message)) => Err((Kind::Failed, message)),
                Err(panic) => Err((
                    Kind::Panic,
                    format!("the function panicked: {}", said(&*panic)),
                )),
            };
            Some(result)
        };
        let found: Vec<Option<Came>> = (0..count)
            .into_par_iter()
            .with_max_len(1)
            .map(call)
            .collect();
        // Points behind one that was not begun are forgotten, so that rows have no gaps.
        let done = found.iter().position(Option::is_none).unwrap_or(count);
        let found: Vec<_> = found.into_iter().map_while(|x| x).collect();
        let mut failed = vec![];
        for (row, result) in found.iter().enumerate() {
            if let Err((kind, message)) = result {
                failed.push(Failure::new(row, *kind, message.as_str()));
            }
        }
        let outputs = columns.outputs.iter().enumerate().map(|(k, column)| {
            let at = |result: &Came| result.as_ref().ok().map(|leaves| leaves[k].clone());
            let arrays: Vec<Option<Array>> = found.iter().map(at).collect();
            let rows: Vec<Option<(&Array, usize)>> =
                arrays.iter().map(|a| a.as_ref().map(|a| (a, 0))).collect();
            column.gather(&rows)
        });
        let outputs = outputs.collect();
        if !self.fixed && done == count {
            self.pace.ran(count, start.elapsed(), 1, self.most);
        }
        Ok(Chunk {
            first,
            count: done,
            params,
            outputs,
            failed,
        })
    }
}

/// Requires results to have the types of their columns.
fn fits(columns: &Columns, leaves: &[Array]) -> Result<(), String> {
    for (column, leaf) in columns.outputs.iter().zip(leaves) {
        let got = tree::specs(leaf);
        if got != column.spec() {
            return Err(format!(
                "`{}` is {got}, and not {} as announced",
                column.name,
                column.spec()
            ));
        }
    }
    Ok(())
}
