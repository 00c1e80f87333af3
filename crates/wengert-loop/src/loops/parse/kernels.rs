//! Reading the calls of libraries.

use super::Parser;
use super::tokens::Parsed;
use crate::elementary::chacha::Stream;
use crate::loops::{Kernel, Stmt};

/// Numbers with an `x` between them.
fn product<const N: usize>(word: &str) -> Option<[usize; N]> {
    let numbers: Option<Vec<usize>> = word.split('x').map(|n| n.parse().ok()).collect();
    numbers?.try_into().ok()
}

impl Parser {
    pub(super) fn kernel(&mut self, word: &str) -> Parsed<Stmt> {
        self.tokens.skip();
        let kernel = match word {
            "gemm" => self.gemm()?,
            "sort" => {
                let [rows, n] = self.tokens.read("a size, as in `2x3`", product)?;
                let descending = self.tokens.passes_word("descending");
                Kernel::Sort {
                    rows,
                    n,
                    descending,
                }
            }
            _ => {
                self.tokens.word("of")?;
                Kernel::Block(self.tokens.read("a stream", |w| {
                    Stream::ALL.into_iter().find(|s| format!("{s:?}") == w)
                })?)
            }
        };
        self.tokens.mark(':')?;
        let mut regions = smallvec::smallvec![self.element()?];
        while self.tokens.passes(',') {
            regions.push(self.element()?);
        }
        Ok(Stmt::Kernel { kernel, regions })
    }

    fn gemm(&mut self) -> Parsed<Kernel> {
        let [m, n, k] = self.tokens.read("a size, as in `2x3x4`", product)?;
        self.tokens.word("strides")?;
        let (c, a, b) = (self.pair()?, self.pair()?, self.pair()?);
        Ok(Kernel::Gemm { m, n, k, c, a, b })
    }

    fn pair(&mut self) -> Parsed<(usize, usize)> {
        self.tokens.mark('(')?;
        let first = self.tokens.number("a stride")?;
        self.tokens.mark(',')?;
        let second = self.tokens.number("a stride")?;
        self.tokens.mark(')')?;
        Ok((first, second))
    }
}
