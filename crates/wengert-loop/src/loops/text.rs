//! The text form of programs, for dumps and tests.

use std::fmt::{self, Display, Formatter, Write};

use super::{
    Block, BufferKind, Carried, Function, Index, LoopKind, Program, Rows, ScalarOp, Stmt, Value,
    ValueType,
};
use crate::buffer::Element;
use crate::scalar;
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
        for (i, list) in self.lists.iter().enumerate() {
            let lanes = if list.lanes { "*" } else { "" };
            let fields: Vec<String> = list
                .fields
                .iter()
                .map(|(dtype, len)| format!("{dtype}[{len}]"))
                .collect();
            writeln!(f, "l{i}: list{lanes} ({})", fields.join(", "))?;
        }
        for (i, failure) in self.failures.iter().enumerate() {
            let at = failure.at.map_or(String::new(), |at| format!(" @ {at}"));
            writeln!(f, "failure {i}: {:?}{at}", failure.cause)?;
        }
        for (i, function) in self.functions.iter().enumerate() {
            write_function(f, i, function)?;
        }
        let types = |v: Value| self.values[v.0 as usize];
        Writer {
            types: &types,
            depth: 0,
        }
        .block(f, &self.body)
    }
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
    writeln!(f, "f{i} {}({}) {{", function.name, params.join(", "))?;
    w.depth = 1;
    w.block(f, &function.body)?;
    writeln!(f, "}}")
}

/// A value of a type, as a number people read.
fn number(dtype: DType, bits: u64) -> String {
    match dtype {
        DType::F32 => format!("{:?}", <f32 as Element>::from_bits(bits)),
        DType::F64 => format!("{:?}", <f64 as Element>::from_bits(bits)),
        DType::Bool => (bits != 0).to_string(),
        _ if dtype.is_signed_int() => {
            (scalar::apply(ScalarOp::Convert, dtype, DType::I64, &[bits]) as i64).to_string()
        }
        _ => bits.to_string(),
    }
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

fn index(i: &Index) -> String {
    let mut parts = Vec::new();
    parts.extend(i.base.map(|v| v.to_string()));
    match i.stride {
        0 => {}
        1 => parts.push("i".into()),
        s => parts.push(format!("{s}*i")),
    }
    parts.extend(i.each.map(|v| v.to_string()));
    if i.offset != 0 || parts.is_empty() {
        parts.push(i.offset.to_string());
    }
    parts.join(" + ")
}

fn rows(of: Rows) -> String {
    match of {
        Rows::Of { built, list, field } => format!("l{}({built}).{field}", list.0),
        Rows::Handle(handle) => format!("list({handle})"),
    }
}

impl Writer<'_> {
    /// A value where it is defined: with its type, and a star if it differs by lane.
    fn def(&self, v: Value) -> String {
        let t = (self.types)(v);
        format!("{v}: {}{}", t.dtype, if t.lanes { "*" } else { "" })
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
                let n = number((self.types)(*out).dtype, *bits);
                self.line(f, &format!("{} = {n}", self.def(*out)))
            }
            Stmt::Op { out, op, args } => {
                let text = format!("{} = {} {}", self.def(*out), op.row().name, list(args));
                self.line(f, &text)
            }
            Stmt::Call {
                out,
                function,
                args,
            } => {
                let text = format!("{} = f{function}({})", self.def(*out), list(args));
                self.line(f, &text)
            }
            Stmt::Load {
                out,
                buffer,
                index: i,
            } => {
                let text = format!("{} = b{}[{}]", self.def(*out), buffer.0, index(i));
                self.line(f, &text)
            }
            Stmt::Store {
                buffer,
                index: i,
                value,
            } => self.line(f, &format!("b{}[{}] = {value}", buffer.0, index(i))),
            Stmt::Copy {
                to,
                to_index,
                from,
                from_index,
                len,
            } => {
                let (to_index, from_index) = (index(to_index), index(from_index));
                let text = format!(
                    "copy {len}: b{}[{to_index}] = b{}[{from_index}]",
                    to.0, from.0
                );
                self.line(f, &text)
            }
            Stmt::For {
                kind,
                extent,
                index,
                carried,
                body,
            } => {
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
            Stmt::While {
                carried,
                cond,
                body,
                limit,
                ..
            } => {
                let (outs, params) = self.carried(carried);
                self.line(f, &format!("{outs}while{params} limit {limit} {{"))?;
                self.inner(f, cond)?;
                self.line(f, "} do {")?;
                self.inner(f, body)?;
                self.line(f, "}")
            }
            Stmt::If {
                pred,
                then,
                otherwise,
                outs,
            } => {
                let defs: Vec<String> = outs.iter().map(|&v| self.def(v)).collect();
                let outs = match defs.join(", ") {
                    defs if defs.is_empty() => defs,
                    defs => defs + " = ",
                };
                self.line(f, &format!("{outs}if {pred} {{"))?;
                self.inner(f, then)?;
                if !otherwise.stmts.is_empty() || !otherwise.results.is_empty() {
                    self.line(f, "} else {")?;
                    self.inner(f, otherwise)?;
                }
                self.line(f, "}")
            }
            Stmt::ListBegin { list } => self.line(f, &format!("begin l{}", list.0)),
            Stmt::ListPush { list, row } => self.line(f, &format!("push l{} {row}", list.0)),
            Stmt::ListStore {
                list,
                field,
                row,
                element,
                value,
            } => {
                let element = index(element);
                self.line(
                    f,
                    &format!("l{}.{field}[{row}][{element}] = {value}", list.0),
                )
            }
            Stmt::ListFinish { out, list, rows: n } => {
                let text = format!("{} = finish l{} rows {n}", self.def(*out), list.0);
                self.line(f, &text)
            }
            Stmt::ListHandle {
                out,
                built,
                list,
                field,
            } => {
                let of = rows(Rows::Of {
                    built: *built,
                    list: *list,
                    field: *field,
                });
                self.line(f, &format!("{} = handle {of}", self.def(*out)))
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
                    index(&cell.element)
                );
                self.line(f, &text)
            }
            Stmt::Kernel { kernel, regions } => {
                let regions: Vec<String> = regions
                    .iter()
                    .map(|(b, i)| format!("b{}[{}]", b.0, index(i)))
                    .collect();
                let text = format!("{}: {}", kernel.text(), regions.join(", "));
                self.line(f, &text)
            }
            Stmt::Fail { failure } => self.line(f, &format!("fail {failure}")),
        }
    }
}
