//! Parses statements.

use smallvec::SmallVec;

use super::tokens::{Kind, Parsed};
use super::{Def, Parser, numbered};
use crate::loops::{
    Block, BufferId, Carried, Cell, For, If, Index, ListField, ListId, ListStore, LoopKind, Marks,
    Origin, Rows, ScalarOp, Stmt, Value, ValueType, While, number, walk,
};
use crate::types::DType;

/// The depth to which blocks may be nested, so that no text overflows the stack.
const MAX_DEPTH: usize = 256;

impl Parser {
    /// Statements up to a closing brace, or to the end.
    pub(super) fn block(&mut self) -> Parsed<Block> {
        if self.depth == MAX_DEPTH {
            let message = format!("blocks nested deeper than {MAX_DEPTH}");
            return Err(self.tokens.error(&message));
        }
        self.depth += 1;
        let mut block = Block::default();
        while !matches!(self.tokens.peek(), Kind::End | Kind::Mark('}')) {
            if self.tokens.passes_word("yield") {
                block.results = self.values()?.into_vec();
                break;
            }
            block.stmts.push(self.stmt()?);
        }
        self.depth -= 1;
        Ok(block)
    }

    /// A block in braces.
    fn inner(&mut self) -> Parsed<Block> {
        self.tokens.mark('{')?;
        let block = self.block()?;
        self.tokens.mark('}')?;
        Ok(block)
    }

    /// One or more values, separated by commas.
    fn values(&mut self) -> Parsed<SmallVec<[Value; 3]>> {
        let mut values = SmallVec::new();
        values.push(self.value()?);
        while self.tokens.passes(',') {
            values.push(self.value()?);
        }
        Ok(values)
    }

    fn stmt(&mut self) -> Parsed<Stmt> {
        let Kind::Word(word) = self.tokens.peek().clone() else {
            return Err(self.tokens.expected("a statement"));
        };
        if *self.tokens.second() == Kind::Mark(':') {
            let defs = self.defs()?;
            self.tokens.mark('=')?;
            return self.definition(defs);
        }
        match &*word {
            "for" | "while" | "if" => self.definition(vec![]),
            "copy" => {
                self.tokens.skip();
                let len = self.tokens.number("a number of elements")?;
                self.tokens.mark(':')?;
                let to = self.element()?;
                self.tokens.mark('=')?;
                let from = self.element()?;
                Ok(Stmt::Copy {
                    to,
                    from,
                    len,
                    at: Origin::default(),
                })
            }
            "begin" => {
                self.tokens.skip();
                let list = self.slot()?;
                Ok(Stmt::ListBegin { list })
            }
            "push" => {
                self.tokens.skip();
                let list = self.slot()?;
                let row = self.value()?;
                Ok(Stmt::ListPush { list, row })
            }
            "fail" => {
                self.tokens.skip();
                let failure = self.tokens.number("the number of a failure")?;
                Ok(Stmt::Fail { failure })
            }
            w if numbered(w, 'b').is_some() => {
                let (buffer, index) = self.element()?;
                self.tokens.mark('=')?;
                let value = self.value()?;
                Ok(Stmt::Store {
                    buffer,
                    index,
                    value,
                })
            }
            w if numbered(w, 'l').is_some() => {
                let list = self.slot()?;
                self.tokens.mark('.')?;
                let field = self.tokens.number("the number of a field")?;
                let (row, element) = self.row_element()?;
                self.tokens.mark('=')?;
                let value = self.value()?;
                Ok(Stmt::ListStore(ListStore {
                    list,
                    field,
                    row,
                    element,
                    value,
                }))
            }
            w => self.kernel(w),
        }
    }

    /// The right-hand side of a definition: a loop or a branch, or a statement with one result.
    fn definition(&mut self, defs: Vec<Def>) -> Parsed<Stmt> {
        if self.tokens.is_word("for") || self.tokens.is_word("while") {
            return self.looped(defs);
        }
        if self.tokens.passes_word("if") {
            let pred = self.value()?;
            let then = self.inner()?;
            let otherwise = match self.tokens.passes_word("else") {
                true => self.inner()?,
                false => Block::default(),
            };
            let outs: Parsed<_> = defs.into_iter().map(|d| self.define(d)).collect();
            return Ok(Stmt::If(If {
                pred,
                then,
                otherwise,
                outs: outs?,
            }));
        }
        let Ok([def]) = <[Def; 1]>::try_from(defs) else {
            let what = "`for`, `while` or `if`, which define several values";
            return Err(self.tokens.expected(what));
        };
        self.single(def)
    }

    /// A statement without blocks that defines a value.
    fn single(&mut self, def: Def) -> Parsed<Stmt> {
        let Kind::Word(word) = self.tokens.peek().clone() else {
            return Err(self.tokens.expected("what the value is"));
        };
        // The number of the value is known after its operands have been read.
        let out = Value(u32::MAX);
        let mut stmt = match &*word {
            "finish" => {
                self.tokens.skip();
                let list = self.slot()?;
                self.tokens.word("rows")?;
                let rows = self.value()?;
                Stmt::ListFinish { out, list, rows }
            }
            "handle" => {
                self.tokens.skip();
                let here = self.tokens.here();
                let Rows::Of(of) = self.rows()? else {
                    let message = "expected rows of a list that was built here, as `l0(v1).0`";
                    return Err(self.tokens.error_at(here, message));
                };
                Stmt::ListHandle { out, of }
            }
            "rows" => {
                self.tokens.skip();
                let handle = self.value()?;
                Stmt::ListRows { out, handle }
            }
            "list" => self.list_load(out)?,
            w if numbered(w, 'l').is_some() => self.list_load(out)?,
            w if numbered(w, 'b').is_some() => {
                let (buffer, index) = self.element()?;
                Stmt::Load { out, buffer, index }
            }
            w if let Some(callee) = numbered(w, 'f') => {
                self.tokens.skip();
                self.tokens.mark('(')?;
                let args = self.listed(')', Self::value)?.into();
                Stmt::Call { out, callee, args }
            }
            w if let Some(op) = ScalarOp::from_name(w) => {
                self.tokens.skip();
                let args = self.values()?;
                Stmt::Op { out, op, args }
            }
            w => match number::read(def.ty.dtype, w) {
                Some(bits) => {
                    self.tokens.skip();
                    Stmt::Const { out, bits }
                }
                None => {
                    let what = format!(
                        "a number of type {}, an operation, an element, a call, or rows of a list",
                        def.ty.dtype
                    );
                    return Err(self.tokens.expected(&what));
                }
            },
        };
        let defined = self.define(def)?;
        if let Some(out) = walk::result_mut(&mut stmt) {
            *out = defined;
        }
        Ok(stmt)
    }

    fn list_load(&mut self, out: Value) -> Parsed<Stmt> {
        let rows = self.rows()?;
        let (row, element) = self.row_element()?;
        let cell = Cell { rows, row, element };
        Ok(Stmt::ListLoad { out, cell })
    }

    fn looped(&mut self, defs: Vec<Def>) -> Parsed<Stmt> {
        let here = self.tokens.here();
        if self.tokens.passes_word("while") {
            let params = self.params()?;
            self.tokens.word("limit")?;
            let limit = self.tokens.number("a number of steps")?;
            let at = self.place()?;
            let (inits, params) = self.open(here, &defs, params)?;
            let cond = self.inner()?;
            self.tokens.word("do")?;
            let body = self.inner()?;
            return Ok(Stmt::While(While {
                marks: Marks::default(),
                carried: self.close(defs, &inits, &params)?,
                cond,
                body,
                limit,
                at,
            }));
        }
        self.tokens.word("for")?;
        let kind = if self.tokens.passes_word("vector") {
            LoopKind::Vector
        } else if self.tokens.passes_word("parallel") {
            LoopKind::Parallel
        } else {
            let reverse = self.tokens.passes_word("reverse");
            LoopKind::Serial { reverse }
        };
        let place = self.tokens.here();
        let index = Def {
            name: self.name()?,
            ty: ValueType {
                dtype: DType::I64,
                lanes: kind == LoopKind::Vector || self.in_function,
            },
            here: place,
        };
        self.tokens.mark('<')?;
        let extent = self.value()?;
        let params = self.params()?;
        let index = self.define(index)?;
        let (inits, params) = self.open(here, &defs, params)?;
        let body = self.inner()?;
        Ok(Stmt::For(For {
            marks: Marks::default(),
            kind,
            extent,
            index,
            carried: self.close(defs, &inits, &params)?,
            body,
        }))
    }

    /// The carried values of a loop: the name of each parameter, its position, and the initial
    /// value.
    fn params(&mut self) -> Parsed<Vec<(String, usize, Value)>> {
        if !self.tokens.passes('(') {
            return Ok(vec![]);
        }
        self.listed(')', |p| {
            let here = p.tokens.here();
            let name = p.name()?;
            p.tokens.mark('=')?;
            Ok((name, here, p.value()?))
        })
    }

    /// Defines the parameters of a loop, which have the types of its results.
    fn open(
        &mut self,
        here: usize,
        defs: &[Def],
        carried: Vec<(String, usize, Value)>,
    ) -> Parsed<(Vec<Value>, Vec<Value>)> {
        if carried.len() != defs.len() {
            let message = format!(
                "the loop carries {} values, and defines {}",
                carried.len(),
                defs.len()
            );
            return Err(self.tokens.error_at(here, &message));
        }
        let (mut inits, mut params) = (vec![], vec![]);
        for ((name, here, init), out) in carried.into_iter().zip(defs) {
            inits.push(init);
            params.push(self.define(Def {
                name,
                ty: out.ty,
                here,
            })?);
        }
        Ok((inits, params))
    }

    /// Defines the results of a loop.
    fn close(&mut self, defs: Vec<Def>, inits: &[Value], params: &[Value]) -> Parsed<Vec<Carried>> {
        let pairs = inits.iter().zip(params);
        let carried = defs.into_iter().zip(pairs).map(|(def, (&init, &param))| {
            let out = self.define(def)?;
            Ok(Carried { init, param, out })
        });
        carried.collect()
    }

    /// The slot of a list.
    fn slot(&mut self) -> Parsed<ListId> {
        let list = self.tokens.read("a list, as `l0`", |w| numbered(w, 'l'))?;
        Ok(ListId(list))
    }

    fn rows(&mut self) -> Parsed<Rows> {
        let handle = self.tokens.passes_word("list");
        let list = if handle { None } else { Some(self.slot()?) };
        self.tokens.mark('(')?;
        let value = self.value()?;
        self.tokens.mark(')')?;
        let Some(list) = list else {
            return Ok(Rows::Handle(value));
        };
        self.tokens.mark('.')?;
        let field = self.tokens.number("the number of a field")?;
        let built = value;
        Ok(Rows::Of(ListField { built, list, field }))
    }

    /// The number of a row, and an element of it.
    fn row_element(&mut self) -> Parsed<(Value, Index)> {
        self.tokens.mark('[')?;
        let row = self.value()?;
        self.tokens.mark(']')?;
        Ok((row, self.index()?))
    }

    /// An element of a buffer.
    pub(super) fn element(&mut self) -> Parsed<(BufferId, Index)> {
        let buffers = self.program.buffers.len();
        let buffer = self.tokens.read("a buffer that is declared above", |w| {
            numbered(w, 'b').filter(|&b| (b as usize) < buffers)
        })?;
        Ok((BufferId(buffer), self.index()?))
    }

    /// An index in brackets.
    fn index(&mut self) -> Parsed<Index> {
        self.tokens.mark('[')?;
        let mut index = Index::default();
        loop {
            self.term(&mut index)?;
            if !self.tokens.passes('+') {
                break;
            }
        }
        self.tokens.mark(']')?;
        Ok(index)
    }

    fn term(&mut self, index: &mut Index) -> Parsed<()> {
        let here = self.tokens.here();
        let again = "an index is a sum of one number, one multiple of `i`, one value that is the \
                     same in all lanes, and one that is not: add them first";
        let Kind::Word(word) = self.tokens.peek().clone() else {
            return Err(self.tokens.expected("a part of an index"));
        };
        let fresh = if word == "i" {
            self.tokens.skip();
            std::mem::replace(&mut index.stride, 1) == 0
        } else if let Ok(n) = word.parse::<i64>() {
            self.tokens.skip();
            if self.tokens.passes('*') {
                self.tokens.word("i")?;
                std::mem::replace(&mut index.stride, n) == 0
            } else {
                std::mem::replace(&mut index.offset, n) == 0
            }
        } else {
            let (base, each) = (
                self.tokens.passes_word("base"),
                self.tokens.passes_word("each"),
            );
            let value = self.value()?;
            let to = match each || !base && self.ty(value).lanes {
                true => &mut index.each,
                false => &mut index.base,
            };
            to.replace(value).is_none()
        };
        match fresh {
            true => Ok(()),
            false => Err(self.tokens.error_at(here, again)),
        }
    }
}
