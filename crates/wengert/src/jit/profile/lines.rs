//! From places to lines of the user's program.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::Path;

use wengert_ir::source::{Place, SourceId};

use super::Line;
use super::plan::Work;

/// A file and the number of a line.
type Key = (String, u32);

/// The lines of a program, by file and number.
#[derive(Default)]
pub(super) struct ByLine {
    lines: BTreeMap<Key, Line>,
    /// Where each place is, since many instructions have the same.
    known: HashMap<SourceId, Vec<(Key, bool)>>,
}

impl ByLine {
    /// The lines of the members of a place, each with whether it is there for a derivative alone.
    fn of(&mut self, source: SourceId) -> &[(Key, bool)] {
        self.known.entry(source).or_insert_with(|| {
            let mut lines: Vec<(Key, bool)> = vec![];
            for member in source.members() {
                let place = users(member.place());
                let line = ((place.file, place.line), member.is_derivative());
                if !lines.contains(&line) {
                    lines.push(line);
                }
            }
            lines
        })
    }

    /// Changes the lines of a place; each has as large a part of it, and knows whether it is one of a derivative.
    fn each(&mut self, source: SourceId, change: impl Fn(&mut Line, f64, bool)) {
        let lines = self.of(source).to_vec();
        let part = 1.0 / lines.len() as f64;
        for (key, derivative) in lines {
            let line = self.lines.entry(key.clone()).or_insert_with(|| Line {
                file: key.0,
                line: key.1,
                ..Line::default()
            });
            change(line, part, derivative);
        }
    }

    /// Adds a share of the time.
    pub fn time(&mut self, source: SourceId, share: f64) {
        self.each(source, |line, part, derivative| {
            line.share += share * part;
            if derivative {
                line.derivative += share * part;
            }
        });
    }

    /// Adds what the plan does.
    pub fn work(&mut self, source: SourceId, work: &Work) {
        self.each(source, |line, part, _| {
            line.runs = line.runs.max(work.runs);
            line.read += work.read * part;
            line.written += work.written * part;
            line.results += (work.results * part) as usize;
            line.per_step |= work.per_step;
        });
    }

    /// Adds an intermediate array.
    pub fn scratch(&mut self, source: SourceId, bytes: usize) {
        self.each(source, |line, part, _| {
            line.scratch += (bytes as f64 * part) as usize;
        });
    }

    /// The lines, those that take the most time first, with their text.
    pub fn finish(self, nanoseconds: f64) -> Vec<Line> {
        let mut files = Files::default();
        let mut lines: Vec<Line> = self.lines.into_values().collect();
        for line in &mut lines {
            line.nanoseconds = line.share * nanoseconds;
            line.text = files.line(&line.file, line.line).map(str::to_string);
        }
        lines.sort_by(|a, b| b.share.total_cmp(&a.share));
        lines
    }
}

/// The place where the user wrote it: a line of a crate of this library is that of the call around it.
fn users(mut place: Place) -> Place {
    while is_own(&place.file)
        && let Some(around) = place.parent
    {
        place = around.place();
    }
    place
}

/// Whether a file is one of the crates of this library.
fn is_own(file: &str) -> bool {
    let own = ["wengert", "wengert-solve", "wengert-ir"];
    let mut parts = file.split(['/', '\\']).peekable();
    while let Some(part) = parts.next() {
        let is = |name: &&str| {
            let rest = part.strip_prefix(*name);
            rest.is_some_and(|r| r.is_empty() || r.strip_prefix('-').is_some_and(is_version))
        };
        if own.iter().any(is) && parts.peek() == Some(&"src") {
            return true;
        }
    }
    false
}

fn is_version(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit())
}

/// The user's source files, as far as they can be read.
#[derive(Default)]
pub(super) struct Files {
    read: HashMap<String, Vec<String>>,
}

impl Files {
    /// The lines of a file; none if it cannot be read.
    pub fn lines(&mut self, file: &str) -> &[String] {
        if !self.read.contains_key(file) {
            let text = read(file).unwrap_or_default();
            let lines = text.lines().map(str::to_string).collect();
            self.read.insert(file.to_string(), lines);
        }
        &self.read[file]
    }

    fn line(&mut self, file: &str, line: u32) -> Option<&str> {
        let at = (line as usize).checked_sub(1)?;
        self.lines(file).get(at).map(|l| l.trim())
    }
}

/// Reads a Rust source file and no other, from its path or from below one of the directories above the current one:
/// compilers get paths relative to the root of a workspace.
fn read(file: &str) -> Option<String> {
    const LARGE: u64 = 16 << 20;
    if Path::new(file).extension().is_none_or(|e| e != "rs") {
        return None;
    }
    let here = std::env::current_dir().ok();
    let above = here
        .iter()
        .flat_map(|d| d.ancestors())
        .map(|d| d.join(file));
    let found = std::iter::once(Path::new(file).to_path_buf())
        .chain(above)
        .find(|p| fs::metadata(p).is_ok_and(|m| m.is_file() && m.len() <= LARGE))?;
    fs::read_to_string(found).ok()
}

/// A place as the name of a piece of time.
pub(super) fn said(source: SourceId) -> String {
    let place = users(source.place());
    let of = match source.is_derivative() {
        true => "derivative of ",
        false => "",
    };
    format!("{of}{}:{}", place.file, place.line)
}
