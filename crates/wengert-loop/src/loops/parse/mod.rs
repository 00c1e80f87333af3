//! Reading the text form of programs, exactly what [`Display`](std::fmt::Display) prints.
//!
//! ```text
//! program   = buffer* constant* list* failure* function* [ unused ] statement*
//! buffer    = "b"N ":" TYPE "[" LENGTH "]" kind
//! kind      = ( "input" | "output" | "constant" ) N | "call" | "task" | "local"
//! constant  = "constant" N ":" TYPE [ NUMBER [ "*" TIMES ] , .. ]
//! list      = "l"N ":" "list" [ "*" ] "(" TYPE "[" LENGTH "]" , .. ")" [ place ]
//! failure   = "failure" N ":" ( "Check" "(" STRING ")" | "MaxSteps" "(" STRING "," NUMBER ")" ) [ place ]
//! function  = "f"N ( NAME | STRING ) "(" def , .. ")" [ "is" ELEMENTARY ] "{" [ unused ] block "}"
//! unused    = "unused" def , ..
//! def       = VALUE ":" TYPE [ "*" ]
//! place     = "@" FILE:LINE:COLUMN ( "and" FILE:LINE:COLUMN )*
//! block     = statement* [ "yield" VALUE , .. ]
//!
//! statement = def "=" NUMBER
//!           | def "=" OPERATION VALUE , ..
//!           | def "=" "f"N "(" VALUE , .. ")"
//!           | def "=" element
//!           | element "=" VALUE
//!           | "copy" LENGTH ":" element "=" element
//!           | [ defs ] "for" [ "reverse" | "vector" | "parallel" ] VALUE "<" VALUE [ carried ]
//!             "{" block "}"
//!           | [ defs ] "while" [ carried ] "limit" NUMBER [ place ] "{" block "}" "do" "{" block "}"
//!           | [ defs ] "if" VALUE "{" block "}" [ "else" "{" block "}" ]
//!           | "begin" "l"N | "push" "l"N VALUE
//!           | "l"N "." FIELD "[" VALUE "]" "[" index "]" "=" VALUE
//!           | def "=" "finish" "l"N "rows" VALUE
//!           | def "=" "handle" rows
//!           | def "=" "rows" VALUE
//!           | def "=" rows "[" VALUE "]" "[" index "]"
//!           | kernel ":" element , ..
//!           | "fail" N
//! defs      = def , .. "="
//! carried   = "(" VALUE "=" VALUE , .. ")"
//! element   = "b"N "[" index "]"
//! index     = ( VALUE | "i" | STRIDE "*" "i" | "base" VALUE | "each" VALUE | NUMBER ) + ..
//! rows      = "l"N "(" VALUE ")" "." FIELD | "list" "(" VALUE ")"
//! kernel    = "gemm" MxNxK "strides" pair pair pair | "sort" ROWSxN [ "descending" ]
//!           | "block" "of" STREAM | "top_k" K "of" ROWSxN
//! pair      = "(" NUMBER "," NUMBER ")"
//! ```
//!
//! A star says that a value differs from lane to lane. A uniform value in an index is its `base`,
//! and one that differs by lane its `each`; a keyword marks the opposite case. Numbers are written
//! in Rust's notation, or as their bits in hexadecimal. A `;` starts a comment, and a line end
//! means the same as a space.
//!
//! Either all values are named `v0`, `v1` and so on, after their numbers, or all have other names;
//! each function has its own values.

mod kernels;
mod stmt;
pub(crate) mod tokens;

use std::collections::HashMap;

use super::verify::verify;
use super::{
    Buffer, BufferKind, Cause, Failure, Function, List, Program, Stmt, Value, ValueType, number,
    walk,
};
use crate::elementary::Elementary;
use crate::error::Error;
use crate::source::{Place, SourceId};
use crate::types::DType;
use tokens::{Kind, Parsed, Tokens};

impl Program {
    /// Reads the text form.
    ///
    /// # Errors
    /// [`Error::Parse`] if it is not a program, which says the line and the column, and
    /// [`Error::Invalid`] if it breaks a rule of the loop IR.
    pub fn parse(text: &str) -> Result<Program, Error> {
        let mut parser = Parser {
            tokens: Tokens::new(text)?,
            program: Program::default(),
            names: Names::default(),
            in_function: false,
            depth: 0,
        };
        parser.header()?;
        parser.unused()?;
        parser.program.body = parser.block()?;
        if parser.tokens.peek() != &Kind::End {
            return Err(parser.tokens.expected("a statement or the end"));
        }
        let names = std::mem::take(&mut parser.names);
        parser.program.values = parser.types(names)?;
        let program = parser.program;
        verify(&program).map_err(Error::invalid)?;
        Ok(program)
    }

    /// The program without source places, so that programs parsed from texts with and without
    /// places can be compared.
    pub fn without_places(&self) -> Program {
        let mut program = self.clone();
        program.lists.iter_mut().for_each(|l| l.at = None);
        program.failures.iter_mut().for_each(|f| f.at = None);
        walk::stmts_mut(&mut program.body, &mut |s| {
            if let Stmt::While(l) = s {
                l.at = None;
            }
        });
        program
    }
}

/// The values that have been named so far.
#[derive(Default)]
struct Names {
    ids: HashMap<String, Value>,
    types: Vec<Option<ValueType>>,
    /// Whether names give the numbers of values; the first definition decides.
    numbered: Option<bool>,
}

struct Parser {
    tokens: Tokens,
    program: Program,
    names: Names,
    in_function: bool,
    depth: usize,
}

/// The number after a letter, as in `b12`.
fn numbered(word: &str, letter: char) -> Option<u32> {
    let digits = word.strip_prefix(letter)?;
    let plain = digits == "0" || !digits.starts_with(['0', '+']);
    digits.parse().ok().filter(|_| plain)
}

/// The definition of a value: its name, its type and its position.
struct Def {
    name: String,
    ty: ValueType,
    here: usize,
}

impl Parser {
    fn header(&mut self) -> Parsed<()> {
        loop {
            let Kind::Word(word) = self.tokens.peek().clone() else {
                return Ok(());
            };
            let begins = *self.tokens.second() == Kind::Mark(':');
            match &*word {
                "constant" => self.constant()?,
                "failure" => self.failure()?,
                w if begins && numbered(w, 'b').is_some() => self.buffer()?,
                w if begins && numbered(w, 'l').is_some() => self.list()?,
                w if !begins && numbered(w, 'f').is_some() => self.function()?,
                _ => return Ok(()),
            }
        }
    }

    /// Passes a name such as `b3`, which must be the next of its kind.
    fn next_of(&mut self, letter: char, next: usize) -> Parsed<()> {
        let what = format!("`{letter}{next}`: they come in order");
        self.tokens.read(&what, |w| {
            numbered(w, letter).filter(|&n| n as usize == next)
        })?;
        Ok(())
    }

    fn dtype(&mut self) -> Parsed<DType> {
        self.tokens.read("an element type", DType::from_name)
    }

    /// An element type and a length.
    fn array(&mut self) -> Parsed<(DType, usize)> {
        let dtype = self.dtype()?;
        self.tokens.mark('[')?;
        let len = self.tokens.number("a length")?;
        self.tokens.mark(']')?;
        Ok((dtype, len))
    }

    fn buffer(&mut self) -> Parsed<()> {
        self.next_of('b', self.program.buffers.len())?;
        self.tokens.mark(':')?;
        let (dtype, len) = self.array()?;
        let what = "`input`, `output`, `constant`, `call`, `task` or `local`";
        let word = self.tokens.read(what, |w| Some(w.to_string()))?;
        let mut number = || self.tokens.number("a number");
        let kind = match &*word {
            "input" => BufferKind::Input(number()?),
            "output" => BufferKind::Output(number()?),
            "constant" => BufferKind::Constant(number()?),
            "call" => BufferKind::Call,
            "task" => BufferKind::Task,
            "local" => BufferKind::Local,
            _ => {
                let here = self.tokens.here() - 1;
                let message = format!("expected {what}, found `{word}`");
                return Err(self.tokens.error_at(here, &message));
            }
        };
        self.program.buffers.push(Buffer { dtype, len, kind });
        Ok(())
    }

    fn literal(&mut self, dtype: DType) -> Parsed<u64> {
        let what = format!("a number of type {dtype}");
        self.tokens.read(&what, |w| number::read(dtype, w))
    }

    fn constant(&mut self) -> Parsed<()> {
        self.tokens.word("constant")?;
        let next = self.program.constants.len();
        let what = format!("`{next}`: they come in order");
        let is_next = |w: &str| w.parse().ok().filter(|&n: &usize| n == next);
        self.tokens.read(&what, is_next)?;
        self.tokens.mark(':')?;
        let dtype = self.dtype()?;
        let mut table = vec![];
        let literal = |w: &str| number::read(dtype, w).is_some();
        let mut more = matches!(self.tokens.peek(), Kind::Word(w) if literal(w));
        while more {
            let bits = self.literal(dtype)?;
            let times = match self.tokens.passes('*') {
                true => self.tokens.number("how many of them")?,
                false => 1,
            };
            if table.try_reserve(times).is_err() {
                return Err(self.tokens.error("a table that there is no memory for"));
            }
            table.resize(table.len() + times, bits);
            more = self.tokens.passes(',');
        }
        self.program.constants.push(table);
        Ok(())
    }

    fn list(&mut self) -> Parsed<()> {
        self.next_of('l', self.program.lists.len())?;
        self.tokens.mark(':')?;
        self.tokens.word("list")?;
        let lanes = self.tokens.passes('*');
        self.tokens.mark('(')?;
        let fields = self.listed(')', Self::array)?;
        let at = self.place()?;
        self.program.lists.push(List { fields, lanes, at });
        Ok(())
    }

    fn failure(&mut self) -> Parsed<()> {
        self.tokens.word("failure")?;
        let next = self.program.failures.len();
        let what = format!("`{next}`: they come in order");
        let is_next = |w: &str| w.parse().ok().filter(|&n: &usize| n == next);
        self.tokens.read(&what, is_next)?;
        self.tokens.mark(':')?;
        let cause = if self.tokens.passes_word("Check") {
            self.tokens.mark('(')?;
            Cause::Check(self.tokens.text("what is to hold, in quotation marks")?)
        } else {
            self.tokens
                .word("MaxSteps")
                .map_err(|_| self.tokens.expected("`Check` or `MaxSteps`"))?;
            self.tokens.mark('(')?;
            let op = self.tokens.text("an operation, in quotation marks")?;
            self.tokens.mark(',')?;
            Cause::MaxSteps(op, self.tokens.number("a number of steps")?)
        };
        self.tokens.mark(')')?;
        let at = self.place()?;
        self.program.failures.push(Failure { cause, at });
        Ok(())
    }

    /// A source place, if there is one.
    fn place(&mut self) -> Parsed<Option<SourceId>> {
        if !self.tokens.passes('@') {
            return Ok(None);
        }
        let mut at = self.one_place()?;
        while self.tokens.passes_word("and") {
            at = at.union(self.one_place()?);
        }
        Ok(Some(at))
    }

    fn one_place(&mut self) -> Parsed<SourceId> {
        let here = self.tokens.here();
        let text = self.tokens.text("a place")?;
        let mut parts = text.rsplitn(3, ':');
        let mut part = || parts.next();
        let column = part().and_then(|c| c.parse().ok());
        let line = part().and_then(|l| l.parse().ok());
        match (part(), line, column) {
            (Some(file), Some(line), Some(column)) => Ok(SourceId::at(Place {
                file: file.to_string(),
                line,
                column,
                parent: None,
            })),
            _ => Err(self.tokens.error_at(
                here,
                "expected a file, a line and a column: FILE:LINE:COLUMN",
            )),
        }
    }

    fn function(&mut self) -> Parsed<()> {
        self.next_of('f', self.program.functions.len())?;
        let name = match self.tokens.peek() {
            Kind::Text(_) => self.tokens.text("a name")?,
            _ => self.tokens.read("a name", |w| Some(w.to_string()))?,
        };
        let outer = std::mem::take(&mut self.names);
        self.in_function = true;
        self.tokens.mark('(')?;
        let defs = self.listed(')', Self::def)?;
        let params: Parsed<_> = defs.into_iter().map(|d| self.define(d)).collect();
        let params = params?;
        let elementary = match self.tokens.passes_word("is") {
            true => Some(self.tokens.read("an elementary function", |w| {
                Elementary::ALL.iter().copied().find(|e| e.name() == w)
            })?),
            false => None,
        };
        self.tokens.mark('{')?;
        self.unused()?;
        let body = self.block()?;
        self.tokens.mark('}')?;
        self.in_function = false;
        let names = std::mem::replace(&mut self.names, outer);
        let types = self.types(names)?;
        self.program.functions.push(Function {
            name,
            elementary,
            values: types.into_iter().map(|t| t.dtype).collect(),
            params,
            body,
        });
        Ok(())
    }

    fn unused(&mut self) -> Parsed<()> {
        if self.tokens.passes_word("unused") {
            for def in self.defs()? {
                self.define(def)?;
            }
        }
        Ok(())
    }

    /// Items separated by commas, up to a closing mark.
    fn listed<T>(&mut self, end: char, item: fn(&mut Self) -> Parsed<T>) -> Parsed<Vec<T>> {
        let mut items = vec![];
        while !self.tokens.is_mark(end) {
            if !items.is_empty() {
                self.tokens.mark(',')?;
            }
            items.push(item(self)?);
        }
        self.tokens.mark(end)?;
        Ok(items)
    }

    fn defs(&mut self) -> Parsed<Vec<Def>> {
        let mut defs = vec![self.def()?];
        while self.tokens.passes(',') {
            defs.push(self.def()?);
        }
        Ok(defs)
    }

    /// A name with its type; the name is in scope from [`Self::define`] on.
    fn def(&mut self) -> Parsed<Def> {
        let here = self.tokens.here();
        let name = self.name()?;
        self.tokens.mark(':')?;
        let dtype = self.dtype()?;
        let lanes = self.tokens.passes('*') || self.in_function;
        let ty = ValueType { dtype, lanes };
        Ok(Def { name, ty, here })
    }

    /// A valid name of a value.
    fn name(&mut self) -> Parsed<String> {
        let taken = |w: &str| {
            let buffer = ['b', 'l', 'f', 'h']
                .iter()
                .any(|&c| numbered(w, c).is_some());
            buffer || ["i", "base", "each", "list"].contains(&w)
        };
        let is_name = |w: &str| !w.starts_with(|c: char| c.is_ascii_digit() || c == '-');
        self.tokens.read("a name of a value", |w| {
            (is_name(w) && !taken(w)).then(|| w.to_string())
        })
    }

    fn define(&mut self, def: Def) -> Parsed<Value> {
        let Def { name, ty, here } = def;
        let number = numbered(&name, 'v');
        let first = number.is_some();
        let is_numbered = *self.names.numbered.get_or_insert(first);
        let value = match (is_numbered, number) {
            (true, Some(n)) if n < 1 << 24 => Value(n),
            (true, _) => {
                let message = format!("`{name}` among values that are called v0, v1 and so on");
                return Err(self.tokens.error_at(here, &message));
            }
            (false, _) => Value(self.names.types.len() as u32),
        };
        let place = value.0 as usize;
        let types = &mut self.names.types;
        types.resize(types.len().max(place + 1), None);
        types[place] = Some(ty);
        match self.names.ids.insert(name.clone(), value) {
            None => Ok(value),
            Some(_) => {
                let message = format!("`{name}` is defined twice");
                Err(self.tokens.error_at(here, &message))
            }
        }
    }

    /// The types of all values, none of which is missing.
    fn types(&self, names: Names) -> Parsed<Vec<ValueType>> {
        let missing = names.types.iter().position(Option::is_none);
        match missing {
            None => Ok(names.types.into_iter().flatten().collect()),
            Some(n) => Err(self.tokens.error(&format!(
                "there is no v{n}: values are numbered without gaps, or named; one that nothing \
                 defines is declared by `unused v{n}: f64` in front of the first statement"
            ))),
        }
    }

    /// A value that has been defined.
    fn value(&mut self) -> Parsed<Value> {
        let Kind::Word(name) = self.tokens.peek() else {
            return Err(self.tokens.expected("a value"));
        };
        let Some(&value) = self.names.ids.get(name) else {
            let message = format!("expected a value, and `{name}` is not defined before");
            return Err(self.tokens.error(&message));
        };
        self.tokens.skip();
        Ok(value)
    }

    fn ty(&self, v: Value) -> ValueType {
        self.names.types[v.0 as usize].expect("it is defined")
    }
}
