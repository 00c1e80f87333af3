//! What a directory holds results of.

use std::path::Path;

use wengert::DType;
use xxhash_rust::xxh3::xxh3_128;

use super::part::Format;
use crate::column::{Column, Columns};
use crate::error::{Error, Result};
use crate::identity::Identity;

/// The file, and those with the texts of which it has the digests.
pub(crate) const FILE: &str = "sweep.txt";
pub(crate) const PROGRAM: &str = "program.txt";
pub(crate) const DESIGN: &str = "design.txt";

/// The lines of the file: what a sweep is, word by word.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Manifest {
    fields: Vec<(String, String)>,
}

const VERSION: &str = env!("CARGO_PKG_VERSION");

impl Manifest {
    /// Describes a sweep. `options` are those that change results.
    pub fn new(
        identity: &Identity,
        columns: &Columns,
        options: &[(&str, String)],
        part: usize,
        format: Format,
    ) -> Manifest {
        let mut fields = vec![("wengert-sweep".to_string(), VERSION.to_string())];
        let mut add = |key: &str, value: String| fields.push((key.to_string(), value));
        add("points", identity.points.to_string());
        add("program", identity.program.digest.clone());
        add("captured", identity.program.values.clone());
        add("design", identity.design.digest.clone());
        add("values", identity.design.values.clone());
        for (key, value) in options {
            // A version may have several lines.
            let line = value.replace('\\', "\\\\").replace('\n', "\\n");
            add(key, line.replace('\r', "\\r"));
        }
        add("part", part.to_string());
        add("format", format.extension().to_string());
        for (key, columns) in [("parameter", &columns.params), ("result", &columns.outputs)] {
            for c in columns {
                let lengths: Vec<String> = c.shape.iter().map(usize::to_string).collect();
                add(
                    key,
                    format!("{} [{}] {}", c.dtype, lengths.join(","), c.name),
                );
            }
        }
        Manifest { fields }
    }

    pub fn text(&self) -> String {
        let lines = self.fields.iter().map(|(k, v)| format!("{k} {v}\n"));
        lines.collect()
    }

    pub fn parse(text: &str) -> Option<Manifest> {
        let field = |line: &str| {
            let (key, value) = line.split_once(' ')?;
            Some((key.to_string(), value.to_string()))
        };
        let fields: Option<Vec<_>> = text.lines().map(field).collect();
        let fields = fields.filter(|f| f.first().is_some_and(|(k, _)| k == "wengert-sweep"))?;
        Some(Manifest { fields })
    }

    /// What is written into each file of results.
    pub fn digest(&self) -> String {
        format!("wengert-sweep {:032x}", xxh3_128(self.text().as_bytes()))
    }

    fn get(&self, key: &str) -> Option<&str> {
        let found = self.fields.iter().find(|(k, _)| k == key);
        found.map(|(_, v)| v.as_str())
    }

    fn number(&self, key: &str) -> Option<u64> {
        self.get(key)?.parse().ok()
    }

    pub fn points(&self) -> Option<u64> {
        self.number("points")
    }

    pub fn part(&self) -> Option<usize> {
        self.number("part")
            .filter(|&n| n > 0 && n <= 1 << 31)
            .map(|n| n as usize)
    }

    pub fn format(&self) -> Option<Format> {
        [Format::Npz, Format::Csv]
            .into_iter()
            .find(|f| self.get("format") == Some(f.extension()))
    }

    pub fn columns(&self) -> Option<Columns> {
        let mut columns = Columns::default();
        for (key, value) in &self.fields {
            let to = match key.as_str() {
                "parameter" => &mut columns.params,
                "result" => &mut columns.outputs,
                _ => continue,
            };
            let mut words = value.splitn(3, ' ');
            let (dtype, shape, name) = (words.next()?, words.next()?, words.next()?);
            let shape = shape.strip_prefix('[')?.strip_suffix(']')?;
            let lengths = shape.split(',').filter(|n| !n.is_empty()).map(str::parse);
            to.push(Column {
                name: name.to_string(),
                dtype: dtype_of(dtype)?,
                shape: lengths.collect::<Result<_, _>>().ok()?,
            });
        }
        Some(columns)
    }

    /// Says how another sweep differs from the one that is asked for. `folder` has the texts of the other one.
    pub fn difference(
        &self,
        there: &Manifest,
        folder: &Path,
        identity: &Identity,
    ) -> Option<String> {
        let n = self.fields.len().max(there.fields.len());
        let at = (0..n).find(|&i| self.fields.get(i) != there.fields.get(i))?;
        let text = |m: &Manifest| {
            let field = m.fields.get(at);
            field.map_or("nothing".into(), |(k, v)| format!("`{k} {v}`"))
        };
        let key = self
            .fields
            .get(at)
            .or(there.fields.get(at))
            .map(|(k, _)| k.as_str());
        Some(match key {
            Some("wengert-sweep") => {
                let [here, there] = [self, there].map(|m| m.fields[at].1.clone());
                format!("it was made by version {there}, and this is {here}")
            }
            Some("points") => {
                let [here, there] = [self, there].map(|m| m.fields[at].1.clone());
                format!("it has {there} points, and this one has {here}")
            }
            Some("program") => {
                format!(
                    "the function differs{}",
                    first_line(&folder.join(PROGRAM), &identity.program.text)
                )
            }
            Some("captured") => "the function captures other data".into(),
            Some("design") => {
                format!(
                    "the design differs{}",
                    first_line(&folder.join(DESIGN), &identity.design.text)
                )
            }
            Some("values") => "the design has other values, or another key".into(),
            _ => format!("it has {}, and this one {}", text(there), text(self)),
        })
    }
}

/// The first line in which a text differs from that of a file.
fn first_line(path: &Path, here: &str) -> String {
    let Ok(there) = std::fs::read_to_string(path) else {
        return String::new();
    };
    let mut pairs = (there.lines().map(Some).chain(std::iter::repeat(None)))
        .zip(here.lines().map(Some).chain(std::iter::repeat(None)))
        .take(there.lines().count().max(here.lines().count()))
        .enumerate();
    match pairs.find(|(_, (a, b))| a != b) {
        Some((i, (there, here))) => {
            let [there, here] = [there, here].map(|l| match l {
                None => "nothing".to_string(),
                Some(l) => format!("`{}`", l.trim().chars().take(80).collect::<String>()),
            });
            format!(", first in line {}: {there} there, {here} here", i + 1)
        }
        None => String::new(),
    }
}

fn dtype_of(name: &str) -> Option<DType> {
    let all = [
        DType::F32,
        DType::F64,
        DType::I32,
        DType::I64,
        DType::U32,
        DType::U64,
        DType::U8,
        DType::Bool,
    ];
    all.into_iter().find(|d| d.to_string() == name)
}

/// Reads the file of a directory; `None` if there is none.
pub(crate) fn read(folder: &Path) -> Result<Option<Manifest>> {
    let path = folder.join(FILE);
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(Error::io(&path, "read what the sweep is")(e)),
    };
    match Manifest::parse(&text) {
        Some(manifest) => Ok(Some(manifest)),
        None => Err(Error::corrupt(
            &path,
            "it does not say what the sweep is; remove the directory",
        )),
    }
}
