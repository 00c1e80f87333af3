//! Errors of a sweep as a whole, and of a point.

use std::fmt;
use std::path::{Path, PathBuf};

/// An error of a sweep as a whole. A point that fails is a [`PointError`], and ends the sweep only by
/// [`OnError::Stop`](crate::OnError).
///
/// `Debug` shows what `Display` shows, because that is what `main` prints of an error that it returns.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The function, or the one that makes the points, has a mistake.
    #[error(transparent)]
    Function(#[from] wengert::Error),
    /// A design cannot be made.
    #[error("{op}: {message}")]
    #[non_exhaustive]
    Design {
        /// The function that was called, such as `Design::grid`.
        op: &'static str,
        /// What is wrong.
        message: String,
    },
    /// An option does not fit the sweep.
    #[error("{option}: {message}")]
    #[non_exhaustive]
    Option {
        /// The option, such as `status`.
        option: &'static str,
        /// What is wrong, and what to do instead.
        message: String,
    },
    /// The limit on memory is too small.
    #[error(
        "memory: {what} takes {need} bytes, and the limit is {limit}{}",
        hinted(hint)
    )]
    #[non_exhaustive]
    Memory {
        /// What does not fit.
        what: String,
        /// The bytes that it takes.
        need: u64,
        /// The bytes that are allowed.
        limit: u64,
        /// What to do instead.
        hint: &'static str,
    },
    /// The directory holds the results of another sweep.
    #[error("{} holds another sweep: {difference}; take another directory, or remove this one", path.display())]
    #[non_exhaustive]
    OtherSweep {
        /// The directory.
        path: PathBuf,
        /// What differs.
        difference: String,
    },
    /// Another process works on the directory, or on the same share of the sweep.
    #[error("{} is in use: another process works on {what}", path.display())]
    #[non_exhaustive]
    InUse {
        /// The directory.
        path: PathBuf,
        /// What the other process works on.
        what: String,
    },
    /// The file system refuses something.
    #[error("{}: {doing}: {error}", path.display())]
    #[non_exhaustive]
    Io {
        /// The file or the directory.
        path: PathBuf,
        /// What was to be done.
        doing: &'static str,
        /// What the system says.
        error: std::io::Error,
    },
    /// A file is not what a sweep writes.
    #[error("{}: {message}", path.display())]
    #[non_exhaustive]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        message: String,
    },
    /// Results are missing.
    #[error("{}: {missing} of {points} points are missing, the first is number {first}", path.display())]
    #[non_exhaustive]
    Incomplete {
        /// The directory.
        path: PathBuf,
        /// How many points are missing.
        missing: u64,
        /// How many there are.
        points: u64,
        /// The first that is missing.
        first: u64,
    },
    /// A point failed, and [`OnError::Stop`](crate::OnError) was asked for.
    #[error("{0}")]
    Point(PointError),
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

fn hinted(hint: &str) -> String {
    match hint {
        "" => String::new(),
        hint => format!("; {hint}"),
    }
}

impl Error {
    pub(crate) fn io(path: &Path, doing: &'static str) -> impl FnOnce(std::io::Error) -> Error {
        let path = path.to_path_buf();
        move |error| Error::Io { path, doing, error }
    }

    pub(crate) fn corrupt(path: &Path, message: impl Into<String>) -> Error {
        Error::Corrupt {
            path: path.to_path_buf(),
            message: message.into(),
        }
    }

    pub(crate) fn design(op: &'static str, message: impl Into<String>) -> Error {
        let message = message.into();
        Error::Design { op, message }
    }
}

/// The result of a function of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a point has no result, or none to be trusted.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[non_exhaustive]
#[repr(u8)]
pub enum Kind {
    /// A result is NaN or infinite. The row has it.
    NotFinite = 1,
    /// The status says that a solver failed. The row has what it found.
    Status = 2,
    /// A [`check`](wengert::check) does not hold. The row has NaN, zeros and `false`.
    Check = 3,
    /// The function returned an error, or a loop exceeded its limit. The row is as that of a check.
    Failed = 4,
    /// The function panicked. The row is as that of a check.
    Panic = 5,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Kind; 5] = [
        Kind::NotFinite,
        Kind::Status,
        Kind::Check,
        Kind::Failed,
        Kind::Panic,
    ];

    /// Returns the number that stands for it in files, where 0 is a point that did not fail.
    pub const fn code(self) -> u8 {
        self as u8
    }

    pub(crate) fn of(code: u8) -> Option<Kind> {
        Kind::ALL.into_iter().find(|k| k.code() == code)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kind::NotFinite => "not finite",
            Kind::Status => "status",
            Kind::Check => "check",
            Kind::Failed => "failed",
            Kind::Panic => "panic",
        })
    }
}

/// The error of a point.
#[derive(Clone, PartialEq, Debug, thiserror::Error)]
#[error("point {index}{}: {message}", at(params))]
#[non_exhaustive]
pub struct PointError {
    /// The number of the point, from 0, in the whole sweep.
    pub index: u64,
    /// Its parameters, as text: `rate = 0.5, depth = 3`.
    pub params: String,
    /// The kind.
    pub kind: Kind,
    /// What went wrong.
    pub message: String,
}

fn at(params: &str) -> String {
    match params {
        "" => String::new(),
        params => format!(" ({params})"),
    }
}

/// What becomes of a sweep when a point fails.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum OnError {
    /// The point is a row with its error, and the sweep goes on.
    #[default]
    Keep,
    /// The sweep ends with [`Error::Point`]. What comes before the point is kept; a later run begins with it.
    Stop,
}
