//! A directory of results: a file for each part of a sweep, written whole or not at all.
//!
//! ```text
//! sweep.txt               what the sweep is
//! program.txt design.txt  the functions, in text form
//! part-000000000000.npz   the points from number 0
//! part-000001048576.partial   finished rows of a part that is not complete: records with checksums
//! lock                    held by the process that works on the directory
//! ```
//!
//! A file is written under another name, brought to the disk, and renamed. A record of a `.partial` file counts if its
//! checksum is right, so a crash costs what was not yet recorded and nothing else.

mod files;
pub(crate) mod manifest;
mod merge;
pub(crate) mod npz;
pub(crate) mod part;
mod stored;

use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use xxhash_rust::xxh3::xxh3_64;

use self::files::{State, atomically, locked, part_path, state, sweep_away};
use self::manifest::Manifest;
pub use self::merge::merge;
use self::part::{Format, Part};
pub use self::stored::Stored;
use crate::chunk::Chunk;
use crate::column::Columns;
use crate::error::{Error, Result};
use crate::identity::Identity;
use crate::shard::Shard;

/// How a directory is to be written.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub folder: PathBuf,
    pub format: Format,
    /// Points in a file, if they are given.
    pub part: Option<usize>,
    pub shard: Shard,
    pub save_every: Duration,
}

/// The bytes of a part, unless a number of points is given.
const PART_BYTES: u64 = 32 << 20;

/// The most points and bytes of a part: lengths in files have 32 bits.
const MOST_POINTS: usize = 1 << 20;
const MOST_BYTES: u64 = 1 << 31;

/// How many points a part has: the same for all processes that run a sweep. Each of several shares has a few parts.
fn points_of_a_part(
    settings: &Settings,
    columns: &Columns,
    points: u64,
    memory: u64,
) -> Result<usize> {
    let row = columns.bytes() as u64 + 1;
    let option = "part_points";
    match settings.part {
        None => {
            let shares = match settings.shard.of() {
                1 => u64::MAX,
                n => points / n.saturating_mul(4),
            };
            let fit = (part_bytes(memory) / row).min(shares);
            let fit = fit.clamp(1, MOST_POINTS as u64) as usize;
            Ok(1 << fit.ilog2())
        }
        Some(0) => {
            let message = "a file has one point at least".into();
            Err(Error::Option { option, message })
        }
        Some(n) if n as u64 * row > MOST_BYTES || n > MOST_BYTES as usize => {
            let message =
                format!("{n} points of {row} bytes are more than {MOST_BYTES} bytes in a file");
            Err(Error::Option { option, message })
        }
        Some(n) => Ok(n),
    }
}

/// The bytes of a part, if a sweep may have so many in memory.
pub(crate) fn part_bytes(memory: u64) -> u64 {
    PART_BYTES.min(memory / 8)
}

/// A directory that this process writes.
pub(crate) struct Store {
    folder: PathBuf,
    columns: Columns,
    format: Format,
    comment: String,
    points: u64,
    part: u64,
    save_every: Duration,
    open: Option<Open>,
    /// Held as long as the store is.
    _locks: Vec<File>,
    /// Points that are there.
    pub done: u64,
    /// Points that are to be computed.
    pub todo: Vec<Range<u64>>,
}

/// The part that is being filled.
struct Open {
    part: Part,
    /// Rows that it will have.
    rows: usize,
    /// Rows that are recorded.
    recorded: usize,
    file: Option<File>,
    saved: Instant,
}

/// The start of a record: a mark, the number of rows and of bytes, and a checksum.
const HEAD: usize = 32;
const MARK: u64 = 0x7465_6b63_6f72_7731;

impl Store {
    pub fn open(
        settings: &Settings,
        identity: &Identity,
        columns: &Columns,
        options: &[(&str, String)],
        memory: u64,
    ) -> Result<Store> {
        let folder = &settings.folder;
        fs::create_dir_all(folder).map_err(Error::io(folder, "make the directory"))?;
        let locks = locked(folder, settings.shard)?;
        let mut there = manifest::read(folder)?;
        if there.is_none()
            && let Err(error) = files::expect_no_parts(folder)
        {
            // Another share may have begun meanwhile.
            there = Some(manifest::read(folder)?.ok_or(error)?);
        }
        // A directory keeps the size of its parts, if it is not asked for.
        let known = there
            .as_ref()
            .and_then(Manifest::part)
            .filter(|_| settings.part.is_none());
        let part = match known {
            Some(part) => part,
            None => points_of_a_part(settings, columns, identity.points, memory)?,
        };
        // The part in hand, and a record of it.
        let need = 2 * part as u64 * columns.bytes() as u64;
        if need > memory {
            return Err(Error::Memory {
                what: format!("a file of {part} points"),
                need,
                limit: memory,
                hint: "`part_points` says how many there are",
            });
        }
        let manifest = Manifest::new(identity, columns, options, part, settings.format);
        match &there {
            Some(there) => {
                if let Some(difference) = manifest.difference(there, folder, identity) {
                    let path = folder.clone();
                    return Err(Error::OtherSweep { path, difference });
                }
            }
            None => {
                let texts = [
                    (manifest::PROGRAM, identity.program.text.clone()),
                    (manifest::DESIGN, identity.design.text.clone()),
                    (manifest::FILE, manifest.text()),
                ];
                for (name, text) in texts {
                    atomically(&folder.join(name), |f| f.write_all(text.as_bytes()))?;
                }
            }
        }
        let mut store = Store {
            folder: folder.clone(),
            columns: columns.clone(),
            format: settings.format,
            comment: manifest.digest(),
            points: identity.points,
            part: part as u64,
            save_every: settings.save_every,
            open: None,
            _locks: locks,
            done: 0,
            todo: vec![],
        };
        store.look(settings.shard)?;
        Ok(store)
    }

    /// Finds what is there, and what is to be done.
    fn look(&mut self, shard: Shard) -> Result<()> {
        for number in shard.parts(self.points.div_ceil(self.part)) {
            let first = number * self.part;
            let rows = self.rows(first);
            let path = part_path(&self.folder, first, self.format.extension());
            match state(&path, self.format, first, rows, &self.comment)? {
                State::Whole => {
                    // Left by a process that ended between two steps.
                    sweep_away(&partial(&self.folder, first))?;
                    self.done += rows as u64;
                    continue;
                }
                State::Damaged => sweep_away(&path)?,
                State::Missing => {}
            }
            let from = match self.recorded(first)? {
                Some(part) => part.rows as u64,
                None => 0,
            };
            self.done += from;
            let range = first + from..first + rows as u64;
            match self.todo.last_mut() {
                Some(last) if last.end == range.start => last.end = range.end,
                _ => self.todo.push(range),
            }
        }
        self.todo.retain(|r| !r.is_empty());
        Ok(())
    }

    /// The number of rows of the part that begins here.
    fn rows(&self, first: u64) -> usize {
        (self.points - first).min(self.part) as usize
    }

    /// Reads what is recorded of a part that is not complete.
    fn recorded(&self, first: u64) -> Result<Option<Part>> {
        let path = partial(&self.folder, first);
        let mut bytes = vec![];
        match File::open(&path) {
            Ok(mut file) => {
                file.read_to_end(&mut bytes)
                    .map_err(Error::io(&path, "read recorded rows"))?;
            }
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(Error::io(&path, "read recorded rows")(e)),
        }
        Ok(Some(self.parsed(first, &bytes).0))
    }

    /// The rows in records, and the number of bytes up to the first record that is not whole.
    fn parsed(&self, first: u64, bytes: &[u8]) -> (Part, usize) {
        let rows = self.rows(first);
        let mut part = Part::new(first, &self.columns, 0);
        let mut rest = bytes;
        while let Some((head, after)) = rest.split_at_checked(HEAD) {
            let word =
                |i: usize| u64::from_le_bytes(head[8 * i..][..8].try_into().expect("eight bytes"));
            let (count, len) = (word(1) as usize, word(2) as usize);
            let Some((record, after)) = after.split_at_checked(len) else {
                break;
            };
            if word(0) != MARK
                || word(3) != self.checksum(record, part.rows)
                || count > rows - part.rows
            {
                break;
            }
            if part.take(&self.columns, count, record).is_none() {
                break;
            }
            rest = after;
        }
        (part, bytes.len() - rest.len())
    }

    /// The checksum of a record, of this sweep and with so many rows before it.
    fn checksum(&self, record: &[u8], before: usize) -> u64 {
        let context = format!("{} {before} {:x}", self.comment, xxh3_64(record));
        xxh3_64(context.as_bytes())
    }

    /// Takes the rows of a chunk. Rows come in the order of `todo`.
    pub fn push(&mut self, chunk: &Chunk) -> Result<()> {
        let mut row = 0;
        while row < chunk.count {
            let at = chunk.first + row as u64;
            let first = at / self.part * self.part;
            if self.open.as_ref().is_none_or(|o| o.part.first != first) {
                self.save()?;
                self.open = Some(self.begin(first, at)?);
            }
            let open = self.open.as_mut().expect("it has just been opened");
            let rows = (open.rows - open.part.rows).min(chunk.count - row);
            open.part.push(&self.columns, chunk, row..row + rows);
            row += rows;
            if open.part.rows == open.rows {
                self.complete()?;
            } else if open.saved.elapsed() >= self.save_every {
                self.save()?;
            }
        }
        Ok(())
    }

    /// Opens the part that begins at `first`, whose next row is that of point `at`.
    fn begin(&self, first: u64, at: u64) -> Result<Open> {
        let rows = self.rows(first);
        let path = partial(&self.folder, first);
        let mut open = Open {
            part: Part::new(first, &self.columns, rows),
            rows,
            recorded: 0,
            file: None,
            saved: Instant::now(),
        };
        if path.exists() {
            let mut file = self.lock(&path)?;
            let mut bytes = vec![];
            file.read_to_end(&mut bytes)
                .map_err(Error::io(&path, "read recorded rows"))?;
            let (part, good) = self.parsed(first, &bytes);
            // What a crash has left behind the last whole record.
            file.set_len(good as u64)
                .map_err(Error::io(&path, "cut off a broken record"))?;
            file.seek(SeekFrom::End(0))
                .map_err(Error::io(&path, "find the end"))?;
            open.recorded = part.rows;
            open.part = part;
            open.file = Some(file);
        }
        match first + open.part.rows as u64 == at {
            true => Ok(open),
            false => Err(in_use(&self.folder, first)),
        }
    }

    /// Opens the file of a part's records for this process alone.
    fn lock(&self, path: &Path) -> Result<File> {
        let file = (File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path))
        .map_err(Error::io(path, "open for records"))?;
        match files::try_lock(&file) {
            Ok(true) => Ok(file),
            Ok(false) => Err(Error::InUse {
                path: self.folder.clone(),
                what: path
                    .file_name()
                    .unwrap_or_default()
                    .to_string_lossy()
                    .into_owned(),
            }),
            Err(e) => Err(Error::io(path, "lock")(e)),
        }
    }

    /// Records rows of the open part that are not yet on the disk.
    pub fn save(&mut self) -> Result<()> {
        let Some(mut open) = self.open.take() else {
            return Ok(());
        };
        if open.part.rows > open.recorded {
            let path = partial(&self.folder, open.part.first);
            let mut file = match open.file.take() {
                Some(file) => file,
                None => self.lock(&path)?,
            };
            let record = open.part.record(&self.columns, open.recorded);
            let rows = open.part.rows - open.recorded;
            let sum = self.checksum(&record, open.recorded);
            let mut bytes = Vec::with_capacity(HEAD + record.len());
            for word in [MARK, rows as u64, record.len() as u64, sum] {
                bytes.extend_from_slice(&word.to_le_bytes());
            }
            bytes.extend_from_slice(&record);
            file.write_all(&bytes)
                .map_err(Error::io(&path, "record rows"))?;
            file.sync_data().map_err(Error::io(&path, "record rows"))?;
            open.recorded = open.part.rows;
            open.file = Some(file);
        }
        open.saved = Instant::now();
        self.open = Some(open);
        Ok(())
    }

    /// Writes the file of the open part, which has all of its rows.
    fn complete(&mut self) -> Result<()> {
        let Some(open) = self.open.take() else {
            return Ok(());
        };
        let first = open.part.first;
        let path = part_path(&self.folder, first, self.format.extension());
        atomically(&path, |to| {
            open.part
                .write(&self.columns, self.format, &self.comment, to)
        })?;
        if open.file.is_some() {
            sweep_away(&partial(&self.folder, first))?;
        }
        Ok(())
    }
}

fn partial(folder: &Path, first: u64) -> PathBuf {
    part_path(folder, first, "partial")
}

fn in_use(folder: &Path, first: u64) -> Error {
    Error::InUse {
        path: folder.to_path_buf(),
        what: format!("the points from {first} on"),
    }
}
