//! Test files: programs with runs.

use std::fmt::{self, Display, Formatter, Write};
use std::path::PathBuf;

use super::Stopped;
use crate::buffer::Data;
use crate::error::Error;
use crate::loops::Program;
use crate::loops::number::{literal, read};
use crate::loops::parse::tokens::{Kind, Parsed, Tokens};
use crate::types::DType;

/// Arguments of a program, and the expected results.
#[derive(Clone, PartialEq, Debug)]
pub struct Run {
    /// The line of the file on which it begins.
    pub line: usize,
    /// The arguments.
    pub inputs: Vec<Data>,
    /// The results, or why there are none.
    pub expected: Result<Vec<Data>, Stopped>,
}

/// A program with runs.
#[derive(Clone, PartialEq, Debug)]
pub struct File {
    /// Its name, without the extension.
    pub name: String,
    /// The program.
    pub program: Program,
    /// Its runs.
    pub runs: Vec<Run>,
    /// The number of vector loops that can be compiled for 512-bit registers, if the file states
    /// it.
    pub wide: Option<usize>,
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/loops")
}

impl File {
    /// The names of all test files of this crate, in order.
    ///
    /// # Panics
    /// If its sources are not there.
    pub fn names() -> Vec<String> {
        let found = std::fs::read_dir(folder()).expect("the sources of wengert-loop");
        let paths = found.map(|entry| entry.expect("an entry").path());
        let loops = paths.filter(|p| p.extension().is_some_and(|e| e == "loop"));
        let stem = |p: PathBuf| Some(p.file_stem()?.to_str()?.to_string());
        let mut names: Vec<String> = loops.filter_map(stem).collect();
        names.sort();
        names
    }

    /// The test file of this crate with this name.
    ///
    /// # Errors
    /// If it is not a program with runs.
    ///
    /// # Panics
    /// If it is not there.
    pub fn named(name: &str) -> Result<File, Error> {
        let path = folder().join(name).with_extension("loop");
        let text = std::fs::read_to_string(&path);
        let text = text.unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        File::parse(name, &text)
    }

    /// Reads a file.
    ///
    /// # Errors
    /// If it is not a program with runs.
    pub fn parse(name: &str, text: &str) -> Result<File, Error> {
        let program = Program::parse(text)?;
        // Runs are blanked out, so that lines and columns of the program stay the same.
        let mut kept = String::new();
        let mut in_run = false;
        for line in text.lines() {
            let begins = line.starts_with("; run:") || line.starts_with("; wide:");
            in_run = begins || in_run && line.starts_with(";  ");
            if in_run {
                kept += &line.replacen(';', " ", 1);
            }
            kept.push('\n');
        }
        let mut tokens = Tokens::new(&kept)?;
        let (mut runs, mut wide) = (vec![], None);
        while tokens.peek() != &Kind::End {
            let line = tokens.line();
            if tokens.passes_word("wide") {
                tokens.mark(':')?;
                wide = Some(tokens.number("a number of loops")?);
                continue;
            }
            tokens.word("run")?;
            tokens.mark(':')?;
            let inputs = read_arrays(&mut tokens)?;
            tokens.mark('-')?;
            tokens.mark('>')?;
            let expected = if tokens.passes_word("fails") {
                Err(Stopped::Failed(tokens.number("the number of a failure")?))
            } else if tokens.passes_word("max_steps") {
                Err(Stopped::MaxSteps(tokens.number("a number of steps")?))
            } else {
                Ok(read_arrays(&mut tokens)?)
            };
            runs.push(Run {
                line,
                inputs,
                expected,
            });
        }
        Ok(File {
            name: name.to_string(),
            program,
            runs,
            wide,
        })
    }
}

fn read_arrays(tokens: &mut Tokens) -> Parsed<Vec<Data>> {
    let mut arrays = vec![];
    while let Kind::Word(w) = tokens.peek()
        && let Some(dtype) = DType::from_name(w)
    {
        tokens.skip();
        tokens.mark('[')?;
        let len: usize = tokens.number("a length")?;
        tokens.mark(']')?;
        let mut bits: Vec<u64> = vec![];
        while bits.len() < len {
            let what = format!("{} more elements of type {dtype}", len - bits.len());
            let one = tokens.read(&what, |w| read(dtype, w))?;
            let times = match tokens.passes('*') {
                true => tokens.number("how many of them")?,
                false => 1,
            };
            if times > len - bits.len() {
                return Err(tokens.error(&format!("more elements than {len}, in front of this")));
            }
            bits.resize(bits.len() + times, one);
            tokens.passes(',');
        }
        let mut data = Data::zeros(dtype, len);
        for (i, bits) in bits.into_iter().enumerate() {
            data.set_bits(i, bits);
        }
        arrays.push(data);
        tokens.passes(',');
    }
    Ok(arrays)
}

/// An array in the notation of runs.
fn array(data: &Data, nan: impl Fn(u64) -> bool) -> String {
    let mut text = format!("{}[{}]", data.dtype(), data.len());
    let bits: Vec<u64> = (0..data.len()).map(|i| data.bits(i)).collect();
    for run in bits.chunk_by(|a, b| a == b) {
        let one = match nan(run[0]) {
            true => "NaN".to_string(),
            false => literal(data.dtype(), run[0]),
        };
        let _ = match run.len() {
            n @ 4.. => write!(text, " {one} * {n}"),
            n => write!(text, " {}", vec![&*one; n].join(" ")),
        };
    }
    text
}

/// Arrays as arguments, bit for bit.
fn arguments(all: &[Data]) -> String {
    let each: Vec<String> = all.iter().map(|data| array(data, |_| false)).collect();
    each.join(", ")
}

/// A result, in which all NaNs are written alike.
pub(super) fn result(data: &Data) -> String {
    array(data, |bits| match data.dtype() {
        DType::F32 => f32::from_bits(bits as u32).is_nan(),
        DType::F64 => f64::from_bits(bits).is_nan(),
        _ => false,
    })
}

pub(super) fn results(all: &[Data]) -> String {
    let each: Vec<String> = all.iter().map(result).collect();
    each.join(", ")
}

impl Display for Run {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("; run: ")?;
        if !self.inputs.is_empty() {
            write!(f, "{} ", arguments(&self.inputs))?;
        }
        f.write_str("-> ")?;
        match &self.expected {
            Ok(all) => write!(f, "{}", results(all)),
            Err(stopped) => write!(f, "{stopped}"),
        }
    }
}

impl Display for File {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.program)?;
        if let Some(wide) = self.wide {
            writeln!(f, "; wide: {wide}")?;
        }
        self.runs.iter().try_for_each(|run| writeln!(f, "{run}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "b0: f64[9] input 0
b1: f64[1] output 0
failure 0: Check(\"it is small\")
v0: f64 = b0[8]
b1[0] = v0
; wide: 0
; run: f64[9] -0.0 * 8 0x7ff8000000000001 -> f64[1] NaN
; run: f64[9] 1.0 2.0 3.0 4.0 5.0 6.0 7.0 8.0 inf -> fails 0
";

    #[test]
    fn what_is_written_is_read() {
        let file = File::parse("it", TEXT).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(file.to_string(), TEXT);
        assert_eq!(file.runs[1].line, 8);
        let wrong = super::super::check(&file, &super::super::Interpreter);
        let wrong = wrong.expect_err("it does not fail");
        assert_eq!(
            wrong,
            "it.loop, line 8:      got 1 results\nexpected fails 0"
        );
    }

    #[test]
    fn a_run_that_is_short_of_elements() {
        let text = "; run: f64[3] 1.0 2.0 -> f64[1] 3.0";
        let error = File::parse("it", text).expect_err("two of three");
        assert_eq!(
            error.to_string(),
            "line 1: column 23: expected 1 more elements of type f64, found `-`"
        );
    }
}
