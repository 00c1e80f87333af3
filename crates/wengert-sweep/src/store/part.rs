//! Parts: as many points as there are in a file, as bytes.

use std::io::{BufWriter, Write};
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use wengert::Array;

use super::npz::{Archive, entries, npy_data, npy_header};
use crate::chunk::{Chunk, Failure};
use crate::column::{Bytes, Column, Columns, with_dtype};
use crate::error::{Error, Kind, Result};

/// What files look like.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Format {
    /// Archives of NumPy's arrays, one for each parameter and each result, and `error`, whose numbers are those of
    /// [`Kind::code`], 0 for a point that did not fail. `errors.csv` in the archive has the messages.
    #[default]
    Npz,
    /// Text with a line for each point. The first file has a line with names, so that the files behind one another
    /// are one table.
    Csv,
}

impl Format {
    pub(crate) fn extension(self) -> &'static str {
        match self {
            Format::Npz => "npz",
            Format::Csv => "csv",
        }
    }
}

/// The rows of a part that are there.
#[derive(Clone, Default, Debug)]
pub(crate) struct Part {
    pub first: u64,
    pub rows: usize,
    /// The bytes of each column.
    pub columns: Vec<Vec<u8>>,
    /// In order of rows, which count from the first of the part.
    pub failed: Vec<Failure>,
}

impl Part {
    pub fn new(first: u64, columns: &Columns, rows: usize) -> Part {
        Part {
            first,
            rows: 0,
            columns: columns
                .all()
                .map(|c| Vec::with_capacity(c.bytes() * rows))
                .collect(),
            failed: vec![],
        }
    }

    /// Appends rows of a chunk.
    pub fn push(&mut self, columns: &Columns, chunk: &Chunk, rows: Range<usize>) {
        let arrays = chunk.params.iter().chain(&chunk.outputs);
        for ((column, array), to) in columns.all().zip(arrays).zip(&mut self.columns) {
            column.put(array, rows.clone(), to);
        }
        let from = chunk.failed.partition_point(|f| f.row < rows.start);
        for failure in chunk.failed[from..].iter().take_while(|f| f.row < rows.end) {
            let row = self.rows + failure.row - rows.start;
            self.failed.push(Failure {
                row,
                ..failure.clone()
            });
        }
        self.rows += rows.len();
    }

    /// Some rows as bytes: the columns of all, then the failures.
    pub fn record(&self, columns: &Columns, from: usize) -> Vec<u8> {
        let mut bytes = vec![];
        for (column, data) in columns.all().zip(&self.columns) {
            bytes.extend_from_slice(&data[from * column.bytes()..]);
        }
        for failure in self.failed.iter().filter(|f| f.row >= from) {
            bytes.extend_from_slice(&((failure.row - from) as u32).to_le_bytes());
            bytes.push(failure.kind.code());
            bytes.extend_from_slice(&(failure.message.len() as u32).to_le_bytes());
            bytes.extend_from_slice(failure.message.as_bytes());
        }
        bytes
    }

    /// Appends rows from their bytes. `None`, and nothing is appended, if they are not what [`Part::record`] gives.
    pub fn take(&mut self, columns: &Columns, rows: usize, bytes: &[u8]) -> Option<()> {
        let (lengths, failed): (Vec<usize>, usize) = (
            self.columns.iter().map(Vec::len).collect(),
            self.failed.len(),
        );
        let taken = self.append(columns, rows, bytes);
        if taken.is_none() {
            for (column, len) in self.columns.iter_mut().zip(lengths) {
                column.truncate(len);
            }
            self.failed.truncate(failed);
        }
        taken
    }

    fn append(&mut self, columns: &Columns, rows: usize, bytes: &[u8]) -> Option<()> {
        let mut rest = bytes;
        for (column, to) in columns.all().zip(&mut self.columns) {
            let (data, after) = rest.split_at_checked(column.bytes() * rows)?;
            to.extend_from_slice(data);
            rest = after;
        }
        while !rest.is_empty() {
            let (row, after) = rest.split_first_chunk::<4>()?;
            let (kind, after) = after.split_first()?;
            let (len, after) = after.split_first_chunk::<4>()?;
            let (message, after) = after.split_at_checked(u32::from_le_bytes(*len) as usize)?;
            rest = after;
            self.failed.push(Failure {
                row: self.rows + u32::from_le_bytes(*row) as usize,
                kind: Kind::of(*kind)?,
                message: Arc::from(std::str::from_utf8(message).ok()?),
            });
        }
        self.rows += rows;
        Some(())
    }

    /// Writes the file of a part.
    pub fn write(
        &self,
        columns: &Columns,
        format: Format,
        comment: &str,
        to: impl Write,
    ) -> std::io::Result<()> {
        let mut to = BufWriter::with_capacity(1 << 16, to);
        match format {
            Format::Npz => self.write_npz(columns, comment, &mut to)?,
            Format::Csv => self.write_csv(columns, &mut to)?,
        }
        to.flush()
    }

    fn write_npz(&self, columns: &Columns, comment: &str, to: impl Write) -> std::io::Result<()> {
        let mut archive = Archive::new(to);
        for (column, data) in columns.all().zip(&self.columns) {
            let header = npy_header(numpy(column), &shape(column, self.rows));
            archive.add(&format!("{}.npy", column.name), &[&header, data])?;
        }
        let header = npy_header("|u1", &[self.rows]);
        let mut kinds = vec![0; self.rows];
        let mut messages = String::from("index,kind,message\n");
        for f in &self.failed {
            kinds[f.row] = f.kind.code();
            let index = self.first + f.row as u64;
            messages.push_str(&format!("{index},{},{}\n", f.kind, quoted(&f.message)));
        }
        archive.add("error.npy", &[&header, &kinds])?;
        archive.add("errors.csv", &[messages.as_bytes()])?;
        archive.finish(comment).map(drop)
    }

    fn write_csv(&self, columns: &Columns, mut to: impl Write) -> std::io::Result<()> {
        let mut arrays = vec![];
        for (column, data) in columns.all().zip(&self.columns) {
            let array = column
                .array(self.rows, data)
                .map_err(std::io::Error::other)?;
            arrays.push((column, array));
        }
        let mut line = String::new();
        if self.first == 0 {
            line.push_str(&csv_names(columns));
            to.write_all(line.as_bytes())?;
        }
        let mut failed = self.failed.iter().peekable();
        for row in 0..self.rows {
            line.clear();
            line.push_str(&format!("{},", self.first + row as u64));
            for (column, array) in &arrays {
                let w = column.width();
                with_dtype!(column.dtype, T => {
                    let all = array.as_slice::<T>().map_err(std::io::Error::other)?;
                    for &x in &all[row * w..][..w] {
                        x.text(&mut line);
                        line.push(',');
                    }
                });
            }
            match failed.next_if(|f| f.row == row) {
                None => line.push_str(",\n"),
                Some(f) => line.push_str(&format!("{},{}\n", f.kind, quoted(&f.message))),
            }
            to.write_all(line.as_bytes())?;
        }
        Ok(())
    }

    /// Reads the file of a part.
    pub fn read(columns: &Columns, first: u64, rows: usize, path: &Path) -> Result<Part> {
        let bytes = std::fs::read(path).map_err(Error::io(path, "read results"))?;
        let damaged = || Error::corrupt(path, "it is damaged: remove it, and run the sweep again");
        let files = entries(&bytes).ok_or_else(damaged)?;
        let find = |name: &str| files.iter().find(|(n, _)| n == name).map(|(_, data)| *data);
        let mut part = Part::new(first, columns, 0);
        part.rows = rows;
        for (column, to) in columns.all().zip(&mut part.columns) {
            let file = find(&format!("{}.npy", column.name)).ok_or_else(damaged)?;
            let data = npy_data(file, numpy(column), &shape(column, rows)).ok_or_else(damaged)?;
            to.extend_from_slice(data);
        }
        let kinds = find("error.npy").ok_or_else(damaged)?;
        let kinds = npy_data(kinds, "|u1", &[rows]).ok_or_else(damaged)?;
        let messages = find("errors.csv").and_then(|m| std::str::from_utf8(m).ok());
        let mut messages = messages.ok_or_else(damaged)?.lines().skip(1);
        for (row, &code) in kinds.iter().enumerate().filter(|(_, k)| **k != 0) {
            let line = messages.next().ok_or_else(damaged)?;
            let message = line.splitn(3, ',').nth(2).ok_or_else(damaged)?;
            let kind = Kind::of(code).ok_or_else(damaged)?;
            part.failed.push(Failure::new(row, kind, unquoted(message)));
        }
        Ok(part)
    }

    /// The array of a column.
    pub fn array(&self, columns: &Columns, place: usize) -> Result<Array> {
        let column = columns.all().nth(place).expect("a column of the sweep");
        Ok(column.array(self.rows, &self.columns[place])?)
    }
}

pub(crate) fn numpy(column: &Column) -> &'static str {
    with_dtype!(column.dtype, T => <T as Bytes>::NUMPY)
}

fn shape(column: &Column, rows: usize) -> Vec<usize> {
    std::iter::once(rows)
        .chain(column.shape.iter().copied())
        .collect()
}

/// The names of the columns of text, with a number for each element of an array.
fn csv_names(columns: &Columns) -> String {
    let mut line = String::from("index,");
    for column in columns.all() {
        for i in 0..column.width() {
            match column.shape.is_empty() {
                true => line.push_str(&column.name),
                false => line.push_str(&format!("{}[{i}]", column.name)),
            }
            line.push(',');
        }
    }
    line.push_str("error,message\n");
    line
}

/// A message as one field of one line.
fn quoted(message: &str) -> String {
    let line = message
        .replace('\\', "\\\\")
        .replace('\n', "\\n")
        .replace('\r', "\\r");
    format!("\"{}\"", line.replace('"', "\"\""))
}

fn unquoted(field: &str) -> String {
    let inner = field
        .strip_prefix('"')
        .and_then(|f| f.strip_suffix('"'))
        .unwrap_or(field);
    let inner = inner.replace("\"\"", "\"");
    let mut out = String::new();
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('n') => out.push('\n'),
                Some('r') => out.push('\r'),
                Some(c) => out.push(c),
                None => {}
            },
            c => out.push(c),
        }
    }
    out
}

/// Whether text has this many lines of points and ends with one.
pub(crate) fn csv_is_whole(text: &[u8], first: u64, rows: usize) -> bool {
    let lines = text.iter().filter(|&&b| b == b'\n').count();
    text.ends_with(b"\n") && lines == rows + usize::from(first == 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use wengert::{DType, ShapeDtype};

    #[test]
    fn a_broken_record_leaves_the_part_as_it_was() {
        let spec = |name: &str, dtype| (name.to_string(), ShapeDtype::new([2], dtype));
        let columns = Columns::new(
            vec![spec(".a", DType::F64)],
            vec![spec(".b", DType::F32), spec(".c", DType::U8)],
        );
        let mut part = Part::new(0, &columns, 0);
        for data in &mut part.columns {
            data.extend(0..48);
        }
        part.columns[1].truncate(24);
        part.columns[2].truncate(6);
        part.rows = 3;
        part.failed = vec![Failure::new(1, Kind::Check, "why")];
        let record = part.record(&columns, 0);
        let shown = |part: &Part| format!("{part:?}");
        let mut read = Part::new(0, &columns, 0);
        read.take(&columns, 3, &record).unwrap();
        assert_eq!(shown(&read), shown(&part));
        for n in (0..record.len()).filter(|n| *n != record.len() - 12) {
            assert!(read.take(&columns, 3, &record[..n]).is_none(), "{n}");
            assert_eq!(shown(&read), shown(&part), "{n}");
        }
    }

    #[test]
    fn messages_read_as_they_were_written() {
        for text in ["", "plain", "a \"word\", a\nline\\n", "\r\\"] {
            assert_eq!(unquoted(&quoted(text)), text);
            assert!(!quoted(text).contains('\n'));
        }
    }
}
