//! Tokens of the text form.

use crate::error::Error;
use crate::quoted::quoted;

/// A token.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Kind {
    /// A name or a number.
    Word(String),
    /// The text between quotation marks, or the source place after an `@`.
    Text(String),
    Mark(char),
    End,
}

struct Token {
    kind: Kind,
    line: usize,
    column: usize,
}

/// Whether a word continues with this character. Numbers contain points, and signs of exponents.
fn goes_on(word: &str, c: char) -> bool {
    let is_number = word.starts_with(|c: char| c.is_ascii_digit() || c == '-');
    let is_hex = word.starts_with("0x");
    let sign = "+-".contains(c) && word.ends_with(['e', 'E']);
    c.is_ascii_alphanumeric() || c == '_' || is_number && (c == '.' || sign && !is_hex)
}

/// Whether a word begins here.
fn begins(rest: &str) -> bool {
    let mut chars = rest.chars();
    match chars.next() {
        Some('-') => chars.next().is_some_and(|c| c.is_ascii_alphanumeric()),
        Some(c) => c.is_ascii_alphanumeric() || c == '_',
        None => false,
    }
}

/// The tokens of a text, read one after the other. A `;` starts a comment.
pub(crate) struct Tokens {
    tokens: Vec<Token>,
    next: usize,
}

pub(crate) type Parsed<T> = Result<T, Error>;

fn wrong(line: usize, column: usize, message: &str) -> Error {
    let message = format!("column {column}: {message}");
    Error::parse(line, message)
}

impl Tokens {
    pub(crate) fn new(text: &str) -> Parsed<Tokens> {
        let mut tokens = vec![];
        // Whether a source place comes next, and whether the last token was one.
        let (mut place, mut placed) = (false, false);
        for (number, content) in text.lines().enumerate() {
            let line = number + 1;
            let mut rest = content.trim_start();
            while let Some(c) = rest.chars().next().filter(|&c| c != ';') {
                let column = content[..content.len() - rest.len()].chars().count() + 1;
                let (kind, length) = if c == '"' {
                    let Some((text, length)) = quoted(rest) else {
                        return Err(wrong(line, column, "a string that does not end"));
                    };
                    (Kind::Text(text), length)
                } else if place {
                    let length = rest.find(char::is_whitespace).unwrap_or(rest.len());
                    (Kind::Text(rest[..length].to_string()), length)
                } else if begins(rest) {
                    let mut length = 1;
                    while rest[length..]
                        .chars()
                        .next()
                        .is_some_and(|c| goes_on(&rest[..length], c))
                    {
                        length += 1;
                    }
                    (Kind::Word(rest[..length].to_string()), length)
                } else {
                    (Kind::Mark(c), c.len_utf8())
                };
                let and = placed && kind == Kind::Word("and".into());
                placed = place;
                place = and || kind == Kind::Mark('@');
                tokens.push(Token { kind, line, column });
                rest = rest[length..].trim_start();
            }
        }
        tokens.push(Token {
            kind: Kind::End,
            line: text.lines().count().max(1),
            column: text.lines().last().map_or(0, |l| l.chars().count()) + 1,
        });
        Ok(Tokens { tokens, next: 0 })
    }

    pub(crate) fn peek(&self) -> &Kind {
        &self.tokens[self.next].kind
    }

    /// The token after the next one.
    pub(crate) fn second(&self) -> &Kind {
        let last = self.tokens.len() - 1;
        &self.tokens[(self.next + 1).min(last)].kind
    }

    /// The line of the next token.
    #[cfg(any(test, feature = "testing"))]
    pub(crate) fn line(&self) -> usize {
        self.tokens[self.next].line
    }

    pub(crate) fn skip(&mut self) {
        self.next = (self.next + 1).min(self.tokens.len() - 1);
    }

    /// The position of the parser, for [`Self::error_at`].
    pub(crate) fn here(&self) -> usize {
        self.next
    }

    /// An error at the next token.
    pub(crate) fn error(&self, message: &str) -> Error {
        self.error_at(self.next, message)
    }

    /// An error at an earlier position.
    pub(crate) fn error_at(&self, here: usize, message: &str) -> Error {
        let Token { line, column, .. } = self.tokens[here];
        wrong(line, column, message)
    }

    pub(crate) fn expected(&self, what: &str) -> Error {
        self.error(&match self.peek() {
            Kind::Word(w) => format!("expected {what}, found `{w}`"),
            Kind::Text(t) => format!("expected {what}, found {t:?}"),
            Kind::Mark(c) => format!("expected {what}, found `{c}`"),
            Kind::End => format!("expected {what}, found the end"),
        })
    }

    pub(crate) fn is_mark(&self, mark: char) -> bool {
        *self.peek() == Kind::Mark(mark)
    }

    pub(crate) fn is_word(&self, word: &str) -> bool {
        matches!(self.peek(), Kind::Word(w) if w == word)
    }

    /// Passes a mark if it comes next.
    pub(crate) fn passes(&mut self, mark: char) -> bool {
        let is_there = self.is_mark(mark);
        if is_there {
            self.skip();
        }
        is_there
    }

    /// Passes a word if it comes next.
    pub(crate) fn passes_word(&mut self, word: &str) -> bool {
        let is_there = self.is_word(word);
        if is_there {
            self.skip();
        }
        is_there
    }

    pub(crate) fn mark(&mut self, mark: char) -> Parsed<()> {
        match self.passes(mark) {
            true => Ok(()),
            false => Err(self.expected(&format!("`{mark}`"))),
        }
    }

    pub(crate) fn word(&mut self, word: &str) -> Parsed<()> {
        match self.passes_word(word) {
            true => Ok(()),
            false => Err(self.expected(&format!("`{word}`"))),
        }
    }

    /// Passes the next word, which `read` must accept.
    pub(crate) fn read<T>(
        &mut self,
        what: &str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Parsed<T> {
        let found = match self.peek() {
            Kind::Word(w) => read(w),
            _ => None,
        };
        match found {
            Some(found) => {
                self.skip();
                Ok(found)
            }
            None => Err(self.expected(what)),
        }
    }

    pub(crate) fn number<T: std::str::FromStr>(&mut self, what: &str) -> Parsed<T> {
        self.read(what, |w| w.parse().ok())
    }

    /// The text between quotation marks.
    pub(crate) fn text(&mut self, what: &str) -> Parsed<String> {
        match self.peek() {
            Kind::Text(t) => {
                let text = t.clone();
                self.skip();
                Ok(text)
            }
            _ => Err(self.expected(what)),
        }
    }
}
