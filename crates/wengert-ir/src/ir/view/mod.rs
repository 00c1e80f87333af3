//! Views of functions: a graph for Graphviz, a page of HTML, and pages of the same kind for other outlines.

mod dot;
mod html;
mod outline;

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::source::Place;

pub use outline::Outline;

/// The size in bytes above which a source file is not read.
const LARGE: u64 = 16 << 20;

/// The lines of the user's source files, as far as the files can be read.
#[derive(Default)]
struct Lines {
    files: HashMap<String, Vec<String>>,
}

impl Lines {
    /// Returns the text of a line without surrounding space.
    fn of(&mut self, place: &Place) -> Option<&str> {
        let lines = match self.files.contains_key(&place.file) {
            true => &self.files[&place.file],
            false => {
                let text = read(Path::new(&place.file)).unwrap_or_default();
                let lines = text.lines().map(|l| l.trim().to_string()).collect();
                self.files.entry(place.file.clone()).or_insert(lines)
            }
        };
        let line = lines.get((place.line as usize).checked_sub(1)?)?;
        (!line.is_empty()).then_some(line)
    }
}

/// Reads a Rust source file and no other file, since a function may have been parsed from a text that names any
/// file. Compilers get paths relative to the root of a workspace and programs run below it, so the directories above
/// the current one are tried too.
fn read(file: &Path) -> Option<String> {
    if file.extension().is_none_or(|e| e != "rs") {
        return None;
    }
    let here = std::env::current_dir().ok();
    let above = here
        .iter()
        .flat_map(|d| d.ancestors())
        .map(|d| d.join(file));
    let small = |p: &PathBuf| fs::metadata(p).is_ok_and(|m| m.is_file() && m.len() <= LARGE);
    let found = std::iter::once(file.to_path_buf())
        .chain(above)
        .find(small)?;
    fs::read_to_string(found).ok()
}
