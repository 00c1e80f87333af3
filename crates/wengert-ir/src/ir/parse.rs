//! The parser of the text form.
//!
//! ```text
//! program   = "wengert 1" function
//! function  = "fn" "(" values ")" "{" equation* "return" operands "}"
//! equation  = [ values "=" ] NAME [ "{" NAME "=" attribute , .. "}" ] "(" operands ")"
//!             [ "@" source ] function*
//! values    = NAME ":" type , ..
//! operands  = ( NAME | NUMBER ":" type ) , ..
//! type      = NAME [ "[" ( NUMBER | "?" ) , .. "]" ]
//! attribute = NUMBER | NAME | STRING | type | "[" attribute , .. "]"
//! source    = member ( "and" member )*
//! member    = [ "derivative" ] place
//! place     = FILE ":" LINE ":" COLUMN [ "in" ( member | "(" source ")" ) ]
//! ```

use std::collections::HashMap;

use crate::buffer::Element;
use crate::error::Error;
use crate::ir::text::{Attribute, Given, HEADER, is_word_char};
use crate::ir::verify::verify;
use crate::ir::{Atom, Atoms, DType, Dim, Eqn, Func, Shape, Splat, Type};
use crate::ops;
use crate::quoted::quoted;
use crate::source::{Place, SourceId};

/// The maximum nesting depth of functions and places, so that no text overflows the stack.
const MAX_DEPTH: usize = 64;

impl Func {
    /// Parses the text form. Names of values can be chosen freely. An equation without a place gets the
    /// place that it has in the text itself, in a file called `text`.
    ///
    /// # Errors
    /// [`Error::Parse`] if the text is not a program, [`Error::Invalid`] if the program breaks a rule of the IR.
    pub fn parse(text: &str) -> Result<Func, Error> {
        let (first, rest) = text.split_once('\n').unwrap_or((text, ""));
        if first.trim_end() != HEADER {
            return Err(Error::parse(
                1usize,
                format!("a program begins with the line `{HEADER}`"),
            ));
        }
        let mut parser = Parser {
            tokens: tokens(rest)?,
            next: 0,
            depth: 0,
        };
        parser.word("fn")?;
        let func = parser.func()?;
        if parser.peek() != &Kind::End {
            return Err(parser.expected("the end"));
        }
        verify(&func)?;
        Ok(func)
    }
}

#[derive(Clone, PartialEq, Debug)]
enum Kind {
    Word(String),
    Text(String),
    Mark(char),
    End,
}

struct Token {
    kind: Kind,
    line: u32,
    column: u32,
}

/// Splits the text after the header line into tokens and appends an end token.
fn tokens(text: &str) -> Result<Vec<Token>, Error> {
    let mut tokens = vec![];
    let mut line = 1;
    for content in text.lines() {
        line += 1;
        let mut rest = content.trim_start();
        while let Some(c) = rest.chars().next() {
            let column = (content.len() - rest.len() + 1) as u32;
            let (kind, length) = if c == '"' {
                let (text, length) = quoted(rest)
                    .ok_or_else(|| Error::parse(line as usize, "a string that does not end"))?;
                (Kind::Text(text), length)
            } else if is_word_char(c) {
                let end = rest.find(|c| !is_word_char(c)).unwrap_or(rest.len());
                (Kind::Word(rest[..end].to_string()), end)
            } else {
                (Kind::Mark(c), c.len_utf8())
            };
            tokens.push(Token { kind, line, column });
            rest = rest[length..].trim_start();
        }
    }
    tokens.push(Token {
        kind: Kind::End,
        line,
        column: 1,
    });
    Ok(tokens)
}

struct Parser {
    tokens: Vec<Token>,
    next: usize,
    depth: usize,
}

/// The values of a function that have been defined so far.
#[derive(Default)]
struct Names {
    ids: HashMap<String, u32>,
    types: Vec<Type>,
}

type Parsed<T> = Result<T, Error>;

impl Parser {
    fn peek(&self) -> &Kind {
        &self.tokens[self.next].kind
    }

    fn take(&mut self) -> Kind {
        let kind = self.peek().clone();
        if kind != Kind::End {
            self.next += 1;
        }
        kind
    }

    fn error(&self, message: impl Into<String>) -> Error {
        Error::parse(self.tokens[self.next].line as usize, message)
    }

    fn expected(&self, what: &str) -> Error {
        self.error(match self.peek() {
            Kind::Word(w) => format!("expected {what}, found `{w}`"),
            Kind::Text(t) => format!("expected {what}, found {t:?}"),
            Kind::Mark(c) => format!("expected {what}, found `{c}`"),
            Kind::End => format!("expected {what}, found the end"),
        })
    }

    fn is_mark(&self, mark: char) -> bool {
        *self.peek() == Kind::Mark(mark)
    }

    fn is_word(&self, word: &str) -> bool {
        matches!(self.peek(), Kind::Word(w) if w == word)
    }

    fn mark(&mut self, mark: char) -> Parsed<()> {
        match self.is_mark(mark) {
            true => {
                self.next += 1;
                Ok(())
            }
            false => Err(self.expected(&format!("`{mark}`"))),
        }
    }

    fn word(&mut self, word: &str) -> Parsed<()> {
        match self.is_word(word) {
            true => {
                self.next += 1;
                Ok(())
            }
            false => Err(self.expected(&format!("`{word}`"))),
        }
    }

    fn any_word(&mut self, what: &str) -> Parsed<String> {
        match self.peek() {
            Kind::Word(_) => match self.take() {
                Kind::Word(w) => Ok(w),
                _ => unreachable!(),
            },
            _ => Err(self.expected(what)),
        }
    }

    /// Parses a word, quoted or not.
    fn word_or_text(&mut self, what: &str) -> Parsed<String> {
        match self.peek() {
            Kind::Word(_) | Kind::Text(_) => match self.take() {
                Kind::Word(w) | Kind::Text(w) => Ok(w),
                _ => unreachable!(),
            },
            _ => Err(self.expected(what)),
        }
    }

    fn number<T: std::str::FromStr>(&mut self, what: &str) -> Parsed<T> {
        let parsed = match self.peek() {
            Kind::Word(w) => w.parse().ok(),
            _ => None,
        };
        let Some(n) = parsed else {
            return Err(self.expected(what));
        };
        self.next += 1;
        Ok(n)
    }

    /// Parses items separated by commas, up to the closing mark `end`.
    fn list<T>(&mut self, end: char, item: impl Fn(&mut Self) -> Parsed<T>) -> Parsed<Vec<T>> {
        let mut items = vec![];
        while !self.is_mark(end) {
            if !items.is_empty() {
                self.mark(',')?;
            }
            items.push(item(self)?);
        }
        self.mark(end)?;
        Ok(items)
    }

    fn nested<T>(&mut self, item: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        if self.depth == MAX_DEPTH {
            return Err(self.error(format!("nested deeper than {MAX_DEPTH}")));
        }
        self.depth += 1;
        let item = item(self);
        self.depth -= 1;
        item
    }

    /// Parses a function whose `fn` has been consumed.
    fn func(&mut self) -> Parsed<Func> {
        let mut names = Names::default();
        self.mark('(')?;
        for (name, ty) in self.list(')', Self::value)? {
            self.define(&mut names, name, ty)?;
        }
        let params = names.types.len() as u32;
        self.mark('{')?;
        let mut eqns = vec![];
        while !self.is_word("return") {
            eqns.push(self.equation(&mut names)?);
        }
        self.word("return")?;
        let mut results = vec![];
        while !self.is_mark('}') {
            if !results.is_empty() {
                self.mark(',')?;
            }
            results.push(self.atom(&names)?);
        }
        self.mark('}')?;
        Ok(Func {
            params,
            types: names.types,
            eqns,
            results,
        })
    }

    fn value(&mut self) -> Parsed<(String, Type)> {
        let name = self.any_word("a name")?;
        self.mark(':')?;
        Ok((name, self.ty()?))
    }

    fn define(&self, names: &mut Names, name: String, ty: Type) -> Parsed<()> {
        let id = names.types.len() as u32;
        names.types.push(ty);
        match names.ids.insert(name.clone(), id) {
            None => Ok(()),
            Some(_) => Err(self.error(format!("`{name}` is defined twice"))),
        }
    }

    fn equation(&mut self, names: &mut Names) -> Parsed<Eqn> {
        let Token { line, column, .. } = self.tokens[self.next];
        let mut outputs = vec![];
        if let Some(Kind::Mark(':')) = self.tokens.get(self.next + 1).map(|t| &t.kind) {
            outputs.push(self.value()?);
            while self.is_mark(',') {
                self.mark(',')?;
                outputs.push(self.value()?);
            }
            self.mark('=')?;
        }
        let name = self.word_or_text("an operation or `return`")?;
        let mut given = Given::default();
        if self.is_mark('{') {
            self.mark('{')?;
            given.0 = self.list('}', |p| {
                let name = p.any_word("the name of a parameter")?;
                p.mark('=')?;
                Ok((name, p.attribute()?))
            })?;
        }
        self.mark('(')?;
        let inputs: Atoms = self.list(')', |p| p.atom(names))?.into();
        let source = match self.is_mark('@') {
            true => {
                self.mark('@')?;
                self.source()?
            }
            false => SourceId::at(Place {
                file: "text".into(),
                line,
                column,
                parent: None,
            }),
        };
        let mut bodies = vec![];
        while self.is_word("fn") {
            self.word("fn")?;
            bodies.push(self.nested(Self::func)?);
        }
        let op = ops::parse(&name, &given, &bodies);
        // An attribute or a body that the operation does not use is an error.
        let taken = |op: &ops::Op| {
            let attributes = op.attributes();
            let known = |n: &String| attributes.iter().any(|(a, _)| a == n);
            given.0.len() == attributes.len()
                && given.0.iter().all(|(n, _)| known(n))
                && bodies.len() == op.bodies().len()
        };
        let Some(op) = op.filter(taken) else {
            let message = match &*name {
                "debug_print" | "pure_callback" => format!(
                    "`{name}` calls a function of the program that recorded it, which a text does not \
                     hold; leave it out before the function is written down"
                ),
                _ => format!("no operation `{name}` with these parameters"),
            };
            return Err(Error::parse(line as usize, message));
        };
        let start = names.types.len() as u32;
        for (name, ty) in outputs {
            self.define(names, name, ty)?;
        }
        Ok(Eqn {
            op,
            inputs,
            outputs: start..names.types.len() as u32,
            source,
        })
    }

    fn atom(&mut self, names: &Names) -> Parsed<Atom> {
        if self.tokens.get(self.next + 1).map(|t| &t.kind) == Some(&Kind::Mark(':')) {
            let number = self.any_word("a number")?;
            self.mark(':')?;
            let ty = self.ty()?;
            let Some(bits) = bits(&number, ty.dtype) else {
                return Err(self.error(format!("`{number}` is not a number of type {}", ty.dtype)));
            };
            return Ok(Atom::Lit(Splat::new(&ty, bits)));
        }
        let name = match self.peek() {
            Kind::Word(w) => w,
            _ => return Err(self.expected("a value")),
        };
        let Some(&id) = names.ids.get(name) else {
            return Err(self.error(format!("`{name}` is not defined before")));
        };
        self.next += 1;
        Ok(Atom::Var(id))
    }

    fn ty(&mut self) -> Parsed<Type> {
        let dtype = match self.peek() {
            Kind::Word(w) => DType::from_name(w),
            _ => None,
        };
        let Some(dtype) = dtype else {
            return Err(self.expected("a type"));
        };
        self.next += 1;
        let mut shape = Shape::default();
        if self.is_mark('[') {
            self.mark('[')?;
            let dims = self.list(']', |p| match p.is_mark('?') {
                true => p.mark('?').map(|()| Dim::Run),
                false => p.number("a length").map(Dim::N),
            })?;
            shape = Shape(dims.into());
        }
        Ok(Type { dtype, shape })
    }

    fn attribute(&mut self) -> Parsed<Attribute> {
        let attribute = match self.peek() {
            Kind::Text(t) => Attribute::Name(t.clone()),
            Kind::Word(w) if w == "true" || w == "false" => Attribute::Bool(w == "true"),
            Kind::Word(w) if DType::from_name(w).is_some() => {
                let ty = self.ty()?;
                return Ok(match ty.rank() {
                    0 => Attribute::DType(ty.dtype),
                    _ => Attribute::Type(ty),
                });
            }
            Kind::Word(w) if w.starts_with(|c: char| c.is_ascii_alphabetic()) => {
                Attribute::Name(w.clone())
            }
            Kind::Word(_) => return self.number("a parameter").map(Attribute::Int),
            Kind::Mark('[') => return self.attributes(),
            _ => return Err(self.expected("a parameter")),
        };
        self.next += 1;
        Ok(attribute)
    }

    /// Parses a list of whole numbers, truth values or types.
    fn attributes(&mut self) -> Parsed<Attribute> {
        self.mark('[')?;
        let first = match self.peek() {
            Kind::Word(w) => w.clone(),
            _ => String::new(),
        };
        if first == "true" || first == "false" {
            return self
                .list(']', |p| p.number("`true` or `false`"))
                .map(Attribute::Bools);
        }
        if DType::from_name(&first).is_some() {
            return self.list(']', Self::ty).map(Attribute::Types);
        }
        self.list(']', |p| p.number("a whole number"))
            .map(Attribute::Ints)
    }

    fn source(&mut self) -> Parsed<SourceId> {
        let mut source = self.member()?;
        while self.is_word("and") {
            self.word("and")?;
            source = source.union(self.member()?);
        }
        Ok(source)
    }

    fn member(&mut self) -> Parsed<SourceId> {
        match self.is_word("derivative") {
            false => self.place(),
            true => {
                self.word("derivative")?;
                Ok(self.place()?.derivative())
            }
        }
    }

    fn place(&mut self) -> Parsed<SourceId> {
        let file = self.word_or_text("a file")?;
        self.mark(':')?;
        let line = self.number("a line")?;
        self.mark(':')?;
        let column = self.number("a column")?;
        let parent = match self.is_word("in") {
            false => None,
            true => {
                self.word("in")?;
                Some(self.nested(|p| match p.is_mark('(') {
                    false => p.member(),
                    true => {
                        p.mark('(')?;
                        let source = p.source()?;
                        p.mark(')')?;
                        Ok(source)
                    }
                })?)
            }
        };
        Ok(SourceId::at(Place {
            file,
            line,
            column,
            parent,
        }))
    }
}

/// Returns the bits of a number in the form that [`literal`](crate::ir::text::literal) writes.
fn bits(number: &str, dtype: DType) -> Option<u64> {
    fn of<T: Element + std::str::FromStr>(number: &str) -> Option<u64> {
        number.parse().ok().map(T::to_bits)
    }
    if let Some(hex) = number.strip_prefix("0x") {
        return u64::from_str_radix(hex, 16).ok();
    }
    match (number, dtype) {
        ("nan", DType::F32) => Some(f32::NAN.to_bits().into()),
        ("nan", DType::F64) => Some(f64::NAN.to_bits()),
        (_, DType::F32) => of::<f32>(number),
        (_, DType::F64) => of::<f64>(number),
        (_, DType::I32) => of::<i32>(number),
        (_, DType::I64) => of::<i64>(number),
        (_, DType::U32) => of::<u32>(number),
        (_, DType::U64) => of::<u64>(number),
        (_, DType::U8) => of::<u8>(number),
        (_, DType::Bool) => of::<bool>(number),
    }
}
