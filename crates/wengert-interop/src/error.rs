//! What can be wrong with a file.

use std::path::Path;

use wengert::ShapeDtype;

/// What went wrong with a file. `Display` gives the complete message: the file, the leaf, and what was expected there.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The system could not open, read or write a file.
    #[error("{file}: {source}")]
    #[non_exhaustive]
    Io {
        /// The file.
        file: String,
        /// What the system says.
        source: std::io::Error,
    },
    /// A file is damaged, of another format, or holds what an [`Array`](wengert::Array) cannot.
    #[error("{file}: {message}")]
    #[non_exhaustive]
    Format {
        /// The file, and in an archive the entry.
        file: String,
        /// What is wrong.
        message: String,
    },
    /// A file lacks a leaf of the tree.
    #[error(
        "{file}: nothing is named `{name}`, for the leaf {}; the file has {}",
        leaf(path),
        listed(has)
    )]
    #[non_exhaustive]
    Missing {
        /// The file.
        file: String,
        /// The path of the leaf in the tree.
        path: String,
        /// The name that it has in files.
        name: String,
        /// The names that the file has.
        has: Vec<String>,
    },
    /// A file has more than the tree.
    #[error(
        "{file}: no leaf of the tree is for {}; `read` reads all that a file has",
        listed(names)
    )]
    #[non_exhaustive]
    Extra {
        /// The file.
        file: String,
        /// The names that are too many.
        names: Vec<String>,
    },
    /// What a file has for a leaf is of another type or shape.
    #[error("{file}: {}: expected {expected}, got {got}", leaf(path))]
    #[non_exhaustive]
    Type {
        /// The file.
        file: String,
        /// The path of the leaf in the tree.
        path: String,
        /// The type and shape of the leaf.
        expected: ShapeDtype,
        /// Those in the file.
        got: ShapeDtype,
    },
    /// Two leaves of a tree would have one name in a file.
    #[error(
        "the leaves {} and {} would both be named `{name}`",
        leaf(first),
        leaf(second)
    )]
    #[non_exhaustive]
    Name {
        /// The name.
        name: String,
        /// The path of one leaf.
        first: String,
        /// The path of the other.
        second: String,
    },
    /// An error of an array or a tree.
    #[error(transparent)]
    Array(#[from] wengert::Error),
}

/// The result of what reads or writes files.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    #[cold]
    pub(crate) fn format(file: &str, message: impl Into<String>) -> Error {
        Error::Format {
            file: file.into(),
            message: message.into(),
        }
    }

    #[cold]
    pub(crate) fn io(file: &str, source: std::io::Error) -> Error {
        Error::Io {
            file: file.into(),
            source,
        }
    }
}

/// A path in a tree as a message shows it.
fn leaf(path: &str) -> &str {
    match path {
        "" => "that is the whole tree",
        path => path,
    }
}

fn listed(names: &[String]) -> String {
    const SHOWN: usize = 8;
    let mut all: Vec<String> = (names.iter().take(SHOWN))
        .map(|n| format!("`{n}`"))
        .collect();
    if names.len() > SHOWN {
        all.push(format!("{} more", names.len() - SHOWN));
    }
    match all.pop() {
        None => "nothing".into(),
        Some(last) if all.is_empty() => last,
        Some(last) => format!("{} and {last}", all.join(", ")),
    }
}

/// The name of a file, for messages.
pub(crate) fn shown(path: &Path) -> String {
    path.display().to_string()
}
