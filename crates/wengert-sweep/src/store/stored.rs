//! Results on the disk, to be read.

use std::path::{Path, PathBuf};

use wengert::Array;

use super::files::{State, part_path, state};
use super::manifest::{self, Manifest};
use super::part::{Format, Part};
use crate::chunk::Chunk;
use crate::column::Columns;
use crate::error::{Error, Kind, PointError, Result};

/// The results of a sweep in a directory.
///
/// ```
/// use wengert::prelude::*;
/// use wengert_sweep::{Design, Stored, Sweep};
///
/// # let folder = std::env::temp_dir().join(format!("wengert-sweep-stored-{}", std::process::id()));
/// let design = Design::grid(vec![1.0, -1.0, 4.0])?;
/// Sweep::new(design, |x: Var| x.sqrt()).directory(&folder).run()?;
///
/// let stored = Stored::open(&folder)?;
/// assert_eq!(stored.names(), ["x", "y"]);
/// assert_eq!(stored.column("y")?.to_vec::<f64>()?[2], 2.0);
/// assert_eq!(stored.errors()?[0].index, 1);
/// # std::fs::remove_dir_all(folder).unwrap();
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Stored {
    folder: PathBuf,
    manifest: Manifest,
    columns: Columns,
    points: u64,
    part: u64,
    format: Format,
}

impl Stored {
    /// Opens a directory that a sweep has written, complete or not.
    ///
    /// # Errors
    /// If it holds no results of a sweep.
    pub fn open(folder: impl AsRef<Path>) -> Result<Stored> {
        let folder = folder.as_ref();
        let Some(manifest) = manifest::read(folder)? else {
            return Err(Error::corrupt(
                folder,
                "there is no `sweep.txt`: it holds no results of a sweep",
            ));
        };
        let parts = (
            manifest.columns(),
            manifest.points(),
            manifest.part(),
            manifest.format(),
        );
        let (Some(columns), Some(points), Some(part), Some(format)) = parts else {
            let path = folder.join(manifest::FILE);
            return Err(Error::corrupt(&path, "it does not say what the sweep is"));
        };
        Ok(Stored {
            folder: folder.to_path_buf(),
            manifest,
            columns,
            points,
            part: part as u64,
            format,
        })
    }

    /// Returns the number of points of the whole sweep.
    pub fn points(&self) -> u64 {
        self.points
    }

    /// Returns the names of the columns: parameters, then results.
    pub fn names(&self) -> Vec<&str> {
        self.columns.all().map(|c| c.name.as_str()).collect()
    }

    /// Returns the files of results that are complete, in the order of points.
    ///
    /// # Errors
    /// If the directory cannot be read.
    pub fn files(&self) -> Result<Vec<PathBuf>> {
        Ok(self
            .parts()?
            .into_iter()
            .filter(|p| p.whole)
            .map(|p| p.path)
            .collect())
    }

    /// Requires all points to be there.
    ///
    /// # Errors
    /// [`Error::Incomplete`] if some are missing.
    pub fn expect_complete(&self) -> Result<()> {
        let (mut missing, mut first) = (0, None);
        for part in self.parts()?.into_iter().filter(|p| !p.whole) {
            missing += part.rows as u64;
            first = first.or(Some(part.first));
        }
        match first {
            None => Ok(()),
            Some(first) => Err(Error::Incomplete {
                path: self.folder.clone(),
                missing,
                points: self.points,
                first,
            }),
        }
    }

    /// Reads a column, with an axis of all points in front. Checksums are compared.
    ///
    /// # Errors
    /// If there is no column of that name, points are missing, a file is damaged, or files are CSV, which other tools
    /// read.
    pub fn column(&self, name: &str) -> Result<Array> {
        let Some(place) = self.columns.all().position(|c| c.name == name) else {
            return Err(Error::Option {
                option: "column",
                message: format!(
                    "there is no `{name}`; there are {}",
                    self.names().join(", ")
                ),
            });
        };
        self.expect_complete()?;
        let mut arrays = vec![];
        self.each(|part| {
            arrays.push(part.array(&self.columns, place)?);
            Ok(())
        })?;
        let column = self.columns.all().nth(place).expect("it has been found");
        Ok(column.concat(&arrays)?)
    }

    /// Reads the points that failed, of the files that are complete.
    ///
    /// # Errors
    /// As [`Stored::column`].
    pub fn errors(&self) -> Result<Vec<PointError>> {
        let mut errors = vec![];
        self.each(|part| {
            if part.failed.is_empty() {
                return Ok(());
            }
            let n = self.columns.params.len();
            let arrays: Result<Vec<Array>> = (0..n).map(|k| part.array(&self.columns, k)).collect();
            let chunk = Chunk {
                first: part.first,
                count: part.rows,
                params: arrays?,
                outputs: vec![],
                failed: vec![],
            };
            errors.extend(part.failed.iter().map(|f| chunk.error(&self.columns, f)));
            Ok(())
        })?;
        Ok(errors)
    }

    /// Counts the points that failed, by kind.
    ///
    /// # Errors
    /// As [`Stored::column`].
    pub fn failures(&self) -> Result<Vec<(Kind, u64)>> {
        let mut counts = [0u64; Kind::ALL.len()];
        self.each(|part| {
            for f in &part.failed {
                counts[usize::from(f.kind.code()) - 1] += 1;
            }
            Ok(())
        })?;
        let all = Kind::ALL.into_iter().zip(counts);
        Ok(all.filter(|(_, n)| *n > 0).collect())
    }

    /// Reads every complete file in turn.
    fn each(&self, mut f: impl FnMut(Part) -> Result<()>) -> Result<()> {
        if self.format != Format::Npz {
            let message = "files are CSV: read them as text".into();
            return Err(Error::Option {
                option: "format",
                message,
            });
        }
        for p in self.parts()?.into_iter().filter(|p| p.whole) {
            f(Part::read(&self.columns, p.first, p.rows, &p.path)?)?;
        }
        Ok(())
    }

    fn parts(&self) -> Result<Vec<Found>> {
        let comment = self.manifest.digest();
        let part = |number: u64| {
            let first = number * self.part;
            let rows = (self.points - first).min(self.part) as usize;
            let path = part_path(&self.folder, first, self.format.extension());
            let whole = state(&path, self.format, first, rows, &comment)? == State::Whole;
            Ok(Found {
                first,
                rows,
                path,
                whole,
            })
        };
        (0..self.points.div_ceil(self.part)).map(part).collect()
    }
}

struct Found {
    first: u64,
    rows: usize,
    path: PathBuf,
    whole: bool,
}
