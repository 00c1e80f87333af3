//! What makes a sweep the sweep that it is.

use std::fmt::Write;

use wengert::{Array, Func};
use xxhash_rust::xxh3::{Xxh3, xxh3_128};

use crate::column::{Bytes, with_dtype};

/// A function as it is recorded: its text without places, and a digest of the arrays that it captures.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Text {
    pub text: String,
    pub digest: String,
    /// The digest of the arrays.
    pub values: String,
}

impl Text {
    pub fn of(func: &Func, captured: &[Array]) -> Text {
        Text::new(same_in_all_processes(&format!("{func:#}")), captured)
    }

    /// A function of the host's, of which only the name is known.
    pub fn plain(name: &str, version: &str) -> Text {
        Text::new(format!("plain Rust: {name}\nversion: {version}\n"), &[])
    }

    fn new(text: String, captured: &[Array]) -> Text {
        let mut values = Xxh3::new();
        let mut bytes = vec![];
        for array in captured {
            bytes.clear();
            let _ = write!(Ascii(&mut bytes), "{}{:?};", array.dtype(), array.shape());
            with_dtype!(array.dtype(), T => {
                T::put(array.as_slice::<T>().expect("its own type"), &mut bytes);
            });
            values.update(&bytes);
        }
        Text {
            digest: format!("{:032x}", xxh3_128(text.as_bytes())),
            values: format!("{:032x}", values.digest128()),
            text,
        }
    }
}

struct Ascii<'a>(&'a mut Vec<u8>);

impl Write for Ascii<'_> {
    fn write_str(&mut self, s: &str) -> std::fmt::Result {
        self.0.extend_from_slice(s.as_bytes());
        Ok(())
    }
}

/// Functions of the host are counted as a process goes on: their numbers say nothing.
fn same_in_all_processes(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("function=") {
        let end = at + "function=".len();
        out.push_str(&rest[..end]);
        rest = rest[end..].trim_start_matches(|c: char| c.is_ascii_digit());
        out.push('_');
    }
    out.push_str(rest);
    out
}

/// The program, the design, and how many points there are.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Identity {
    pub program: Text,
    pub design: Text,
    pub points: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_functions_of_the_host_do_not_count() {
        let text = "a{function=17, size=3}(v1) b{function=9}";
        assert_eq!(
            same_in_all_processes(text),
            "a{function=_, size=3}(v1) b{function=_}"
        );
    }
}
