//! Parses kernels: the text before the colon is the kernel's own.

use smallvec::SmallVec;

use super::Parser;
use super::tokens::{Kind, Parsed};
use crate::loops::{BufferId, Index, Origin, Stmt, kernel};

impl Parser {
    /// Parses a kernel whose text begins with `word`.
    pub(super) fn kernel(&mut self, word: &str) -> Parsed<Stmt> {
        let here = self.tokens.here();
        let mut words = vec![];
        while !self.tokens.is_mark(':') {
            match self.tokens.peek() {
                Kind::Word(w) => words.push(w.clone()),
                Kind::Mark('(' | ')' | ',') => {}
                _ => return Err(self.tokens.error_at(here, &unknown(word))),
            }
            self.tokens.skip();
        }
        self.tokens.mark(':')?;
        let mut regions: SmallVec<[(BufferId, Index); 3]> = smallvec::smallvec![self.element()?];
        while self.tokens.passes(',') {
            regions.push(self.element()?);
        }
        let dtypes: Vec<_> = (regions.iter())
            .map(|(b, _)| self.program.buffers[b.0 as usize].dtype)
            .collect();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        match kernel::read(&words, &dtypes) {
            Some(kernel) => Ok(Stmt::Kernel {
                kernel,
                regions,
                at: Origin::default(),
            }),
            None => Err(self.tokens.error_at(here, &unknown(word))),
        }
    }
}

fn unknown(word: &str) -> String {
    format!(
        "expected a statement, or a kernel that can be read, found `{word}`: a function of the host, or a kernel of \
         somebody's own, belongs to the process that printed the text; build the program with `loops::builder` and the \
         kernel at hand, or leave it out"
    )
}
