//! The text form of programs, for dumps and tests. [`Program::parse`] reads it and documents the
//! grammar.
//!
//! `{}` prints everything but the parents of source places; `{:#}` leaves source places out.

use std::collections::HashSet;
use std::fmt::{self, Display, Formatter, Write};

use super::number::literal;
use super::{
    Block, BufferId, BufferKind, Carried, For, Function, Index, LoopKind, Program, Rows, Stmt,
    Value, ValueType, walk,
};
use crate::source::SourceId;
use crate::types::DType;

impl Display for Program {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for (i, b) in self.buffers.iter().enumerate() {
            let kind = match b.kind {
                BufferKind::Input(i) => format!("input {i}"),
                BufferKind::Output(i) => format!("output {i}"),
                BufferKind::Constant(i) => format!("constant {i}"),
                BufferKind::Call => "call".into(),
                BufferKind::Task => "task".into(),
                BufferKind::Local => "local".into(),
            };
            writeln!(f, "b{i}: {}[{}] {kind}", b.dtype, b.len)?;
        }
        for (i, table) in self.constants.iter().enumerate() {
            let is_its = |kind| kind == BufferKind::Constant(i as u32);
            let of = self.buffers.iter().find(|b| is_its(b.kind));
            let dtype = of.map_or(DType::U64, |b| b.dtype);
            writeln!(f, "constant {i}: {dtype}{}", elements(dtype, table))?;
        }
        for (i, list) in self.lists.iter().enumerate() {
            let lanes = if list.lanes { "*" } else { "" };
            let fields: Vec<String> = list
                .fields
                .iter()
                .map(|(dtype, len)| format!("{dtype}[{len}]"))
                .collect();
            let at = place(f, list.at);
            writeln!(f, "l{i}: list{lanes} ({}){at}", fields.join(", "))?;
        }
        for (i, failure) in self.failures.iter().enumerate() {
            let at = place(f, failure.at);
            writeln!(f, "failure {i}: {:?}{at}", failure.cause)?;
        }
        for (i, function) in self.functions.iter().enumerate() {
            write_function(f, i, function)?;
        }
        let types = |v: Value| self.values[v.0 as usize];
        let w = Writer {
            types: &types,
            depth: 0,
        };
        w.unused(f, self.values.len(), &[], &self.body)?;
        w.block(f, &self.body)
    }
}

/// The source place of something, if it is known and to be printed.
fn place(f: &Formatter<'_>, at: Option<SourceId>) -> String {
    let Some(at) = at.filter(|_| !f.alternate()) else {
        return String::new();
    };
    let places = at.places().into_iter().map(|p| {
        let text = p.to_string();
        let plain = !text.contains(|c: char| c.is_whitespace() || "\"\\".contains(c));
        if plain { text } else { format!("{text:?}") }
    });
    let mut places: Vec<String> = places.collect();
    // One place may be reached through several calls.
    let mut seen = HashSet::new();
    places.retain(|p| seen.insert(p.clone()));
    format!(" @ {}", places.join(" and "))
}

/// The elements of a table; repeated elements are written once.
fn elements(dtype: DType, table: &[u64]) -> String {
    let mut text = String::new();
    for (i, run) in table.chunk_by(|a, b| a == b).enumerate() {
        let comma = if i == 0 { " " } else { ", " };
        let one = literal(dtype, run[0]);
        let _ = match run.len() {
            n @ 4.. => write!(text, "{comma}{one} * {n}"),
            n => write!(text, "{comma}{}", vec![&*one; n].join(", ")),
        };
    }
    text
}

fn write_function(f: &mut Formatter<'_>, i: usize, function: &Function) -> fmt::Result {
    let types = |v: Value| ValueType {
        dtype: function.values[v.0 as usize],
        lanes: true,
    };
    let mut w = Writer {
        types: &types,
        depth: 0,
    };
    let params: Vec<String> = function.params.iter().map(|&p| w.def(p)).collect();
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let name = match &function.name {
        name if name.starts_with(|c: char| c.is_ascii_alphabetic()) && name.chars().all(plain) => {
            name.clone()
        }
        name => format!("{name:?}"),
    };
    let known = function.elementary;
    let known = known.map_or(String::new(), |e| format!(" is {}", e.name()));
    writeln!(f, "f{i} {name}({}){known} {{", params.join(", "))?;
    w.depth = 1;
    w.unused(f, function.values.len(), &function.params, &function.body)?;
    w.block(f, &function.body)?;
    writeln!(f, "}}")
}

struct Writer<'a> {
    types: &'a dyn Fn(Value) -> ValueType,
    depth: usize,
}

impl Display for Value {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "v{}", self.0)
    }
}

fn list(values: &[Value]) -> String {
    let names: Vec<String> = values.iter().map(Value::to_string).collect();
    names.join(", ")
}

fn rows(of: Rows) -> String {
    match of {
        Rows::Of(of) => format!("l{}({}).{}", of.list.0, of.built, of.field),
        Rows::Handle(handle) => format!("list({handle})"),
    }
}

impl Writer<'_> {
    /// A value where it is defined: with its type, and a star if it differs by lane.
    fn def(&self, v: Value) -> String {
        let t = (self.types)(v);
        format!("{v}: {}{}", t.dtype, if t.lanes { "*" } else { "" })
    }

    /// Declares the values that no statement defines.
    fn unused(
        &self,
        f: &mut Formatter<'_>,
        values: usize,
        params: &[Value],
        body: &Block,
    ) -> fmt::Result {
        let mut unused = vec![true; values];
        let mut define = |v: Value| {
            if let Some(unused) = unused.get_mut(v.0 as usize) {
                *unused = false;
            }
        };
        params.iter().copied().for_each(&mut define);
        walk::stmts(body, &mut |s| {
            walk::definitions(s).into_iter().for_each(&mut define)
        });
        let unused = (0..values).filter(|&i| unused[i]);
        let unused: Vec<String> = unused.map(|i| self.def(Value(i as u32))).collect();
        match unused.is_empty() {
            true => Ok(()),
            false => self.line(f, &format!("unused {}", unused.join(", "))),
        }
    }

    /// Writes an index. A value that differs by lane is its `each`, and a uniform value is its
    /// `base`; a keyword marks the opposite case.
    fn index(&self, i: &Index) -> String {
        let mut parts = Vec::new();
        let lanes = |v| (self.types)(v).lanes;
        parts.extend(i.base.map(|v| match lanes(v) {
            true => format!("base {v}"),
            false => v.to_string(),
        }));
        match i.stride {
            0 => {}
            1 => parts.push("i".into()),
            s => parts.push(format!("{s}*i")),
        }
        parts.extend(i.each.map(|v| match lanes(v) {
            true => v.to_string(),
            false => format!("each {v}"),
        }));
        if i.offset != 0 || parts.is_empty() {
            parts.push(i.offset.to_string());
        }
        parts.join(" + ")
    }

    fn element(&self, buffer: BufferId, index: &Index) -> String {
        format!("b{}[{}]", buffer.0, self.index(index))
    }

    fn line(&self, f: &mut Formatter<'_>, text: &str) -> fmt::Result {
        writeln!(f, "{:1$}{text}", "", 2 * self.depth)
    }

    fn block(&self, f: &mut Formatter<'_>, block: &Block) -> fmt::Result {
        for stmt in &block.stmts {
            self.stmt(f, stmt)?;
        }
        if !block.results.is_empty() {
            self.line(f, &format!("yield {}", list(&block.results)))?;
        }
        Ok(())
    }

    fn inner(&self, f: &mut Formatter<'_>, block: &Block) -> fmt::Result {
        Writer {
            types: self.types,
            depth: self.depth + 1,
        }
        .block(f, block)
    }

    fn carried(&self, carried: &[Carried]) -> (String, String) {
        let mut outs = String::new();
        let mut params = String::new();
        for c in carried {
            let comma = if outs.is_empty() { "" } else { ", " };
            let _ = write!(outs, "{comma}{}", self.def(c.out));
            let _ = write!(params, "{comma}{} = {}", c.param, c.init);
        }
        if !outs.is_empty() {
            outs += " = ";
            params = format!(" ({params})");
        }
        (outs, params)
    }

    fn stmt(&self, f: &mut Formatter<'_>, stmt: &Stmt) -> fmt::Result {
        match stmt {
            Stmt::Const { out, bits } => {
                let n = literal((self.types)(*out).dtype, *bits);
                self.line(f, &format!("{} = {n}", self.def(*out)))
            }
            Stmt::Op { out, op, args } => {
                let text = format!("{} = {} {}", self.def(*out), op.row().name, list(args));
                self.line(f, &text)
            }
            Stmt::Call { out, callee, args } => {
                let text = format!("{} = f{callee}({})", self.def(*out), list(args));
                self.line(f, &text)
            }
            Stmt::Load { out, buffer, index } => {
                let text = format!("{} = {}", self.def(*out), self.element(*buffer, index));
                self.line(f, &text)
            }
            Stmt::Store {
                buffer,
                index,
                value,
            } => self.line(f, &format!("{} = {value}", self.element(*buffer, index))),
            Stmt::Copy { to, from, len, .. } => {
                let (to, from) = (self.element(to.0, &to.1), self.element(from.0, &from.1));
                self.line(f, &format!("copy {len}: {to} = {from}"))
            }
            Stmt::For(For {
                kind,
                extent,
                index,
                carried,
                body,
                ..
            }) => {
                let kind = match kind {
                    LoopKind::Serial { reverse: false } => "for",
                    LoopKind::Serial { reverse: true } => "for reverse",
                    LoopKind::Vector => "for vector",
                    LoopKind::Parallel => "for parallel",
                };
                let (outs, params) = self.carried(carried);
                self.line(f, &format!("{outs}{kind} {index} < {extent}{params} {{"))?;
                self.inner(f, body)?;
                self.line(f, "}")
            }
            Stmt::While(l) => {
                let at = place(f, l.at);
                let (outs, params) = self.carried(&l.carried);
                self.line(f, &format!("{outs}while{params} limit {}{at} {{", l.limit))?;
                self.inner(f, &l.cond)?;
                self.line(f, "} do {")?;
                self.inner(f, &l.body)?;
                self.line(f, "}")
            }
            Stmt::If(i) => {
                let defs: Vec<String> = i.outs.iter().map(|&v| self.def(v)).collect();
                let outs = match defs.join(", ") {
                    defs if defs.is_empty() => defs,
                    defs => defs + " = ",
                };
                self.line(f, &format!("{outs}if {} {{", i.pred))?;
                self.inner(f, &i.then)?;
                if i.otherwise != Block::default() {
                    self.line(f, "} else {")?;
                    self.inner(f, &i.otherwise)?;
                }
                self.line(f, "}")
            }
            Stmt::ListBegin { list } => self.line(f, &format!("begin l{}", list.0)),
            Stmt::ListPush { list, row } => self.line(f, &format!("push l{} {row}", list.0)),
            Stmt::ListStore(to) => {
                let (list, element) = (to.list.0, self.index(&to.element));
                let text = format!("l{list}.{}[{}][{element}] = {}", to.field, to.row, to.value);
                self.line(f, &text)
            }
            Stmt::ListFinish { out, list, rows: n } => {
                let text = format!("{} = finish l{} rows {n}", self.def(*out), list.0);
                self.line(f, &text)
            }
            Stmt::ListHandle { out, of } => {
                let text = format!("{} = handle {}", self.def(*out), rows(Rows::Of(*of)));
                self.line(f, &text)
            }
            Stmt::ListRows { out, handle } => {
                self.line(f, &format!("{} = rows {handle}", self.def(*out)))
            }
            Stmt::ListLoad { out, cell } => {
                let text = format!(
                    "{} = {}[{}][{}]",
                    self.def(*out),
                    rows(cell.rows),
                    cell.row,
                    self.index(&cell.element)
                );
                self.line(f, &text)
            }
            Stmt::Kernel {
                kernel, regions, ..
            } => {
                let regions: Vec<String> =
                    regions.iter().map(|(b, i)| self.element(*b, i)).collect();
                let text = format!("{}: {}", kernel.text(), regions.join(", "));
                self.line(f, &text)
            }
            Stmt::Fail { failure } => self.line(f, &format!("fail {failure}")),
        }
    }
}
