//! Statements of the loop IR as text.
//!
//! The meaning of the loop IR is per lane, so a lane is a step of a loop here. A value is a constant of C under its
//! number; what a loop carries is a variable, the one that comes out of the loop, from which each step takes its own.

mod control;
pub(crate) mod device;
pub(crate) mod kernels;
mod lists;
mod ops;
mod said;

use std::collections::{HashMap, HashSet};
use std::fmt::Write;

use wengert_loop::loops::{
    Block, Buffer, BufferId, BufferKind, Function, Index, Program, Stmt, Value,
};
use wengert_loop::types::DType;
use wengert_run::plan;

use crate::CError;
use crate::dialect::Dialect;
use crate::live::Live;
use crate::plan::Memory;
use crate::unit::{Notes, Unit};

/// The name of a type.
pub(crate) fn ty(dtype: DType) -> &'static str {
    match dtype {
        DType::F32 => "f32",
        DType::F64 => "f64",
        DType::I32 => "i32",
        DType::I64 => "i64",
        DType::U32 => "u32",
        DType::U64 => "u64",
        DType::U8 | DType::Bool => "u8",
    }
}

/// A constant, by its bits.
pub(crate) fn number(dtype: DType, bits: u64) -> String {
    match dtype {
        DType::F64 => match f64::from_bits(bits) {
            x if x.is_finite() => format!("{x:?}"),
            _ => format!("f64_of(UINT64_C({bits:#x}))"),
        },
        DType::F32 => match f32::from_bits(bits as u32) {
            x if x.is_finite() => format!("{x:?}f"),
            _ => format!("f32_of(UINT32_C({bits:#x}))"),
        },
        DType::I64 if bits as i64 == i64::MIN => "INT64_MIN".into(),
        DType::I64 if i32::try_from(bits as i64).is_ok() => (bits as i64).to_string(),
        DType::I64 => format!("INT64_C({})", bits as i64),
        DType::U64 if bits <= u64::from(u16::MAX) => format!("{bits}u"),
        DType::U64 => format!("UINT64_C({bits})"),
        DType::I32 if bits as u32 as i32 == i32::MIN => "INT32_MIN".into(),
        DType::I32 => (bits as u32 as i32).to_string(),
        DType::U32 => format!("{}u", bits as u32),
        DType::U8 | DType::Bool => (bits as u8).to_string(),
    }
}

/// An element of a table: tables hold no calls.
fn element(dtype: DType, bits: u64) -> String {
    let odd = |x: f64, suffix: &str| match x {
        x if x.is_nan() => format!("0.0{suffix} / 0.0{suffix}"),
        x if x > 0.0 => format!("1.0{suffix} / 0.0{suffix}"),
        _ => format!("-1.0{suffix} / 0.0{suffix}"),
    };
    match dtype {
        DType::F64 if !f64::from_bits(bits).is_finite() => odd(f64::from_bits(bits), ""),
        DType::F32 if !f32::from_bits(bits as u32).is_finite() => {
            odd(f32::from_bits(bits as u32).into(), "f")
        }
        _ => number(dtype, bits),
    }
}

/// A table of constants.
pub(crate) fn table(name: &str, dtype: DType, bits: &[u64]) -> String {
    let len = bits.len().max(1);
    let mut text = format!("static const {} {name}[{len}] = {{", ty(dtype));
    if bits.is_empty() {
        text += "0";
    }
    let mut column = 1000;
    for (i, &b) in bits.iter().enumerate() {
        let x = element(dtype, b);
        if column + x.len() > 100 {
            text += "\n ";
            column = 1;
        }
        column += x.len() + 2;
        let comma = if i + 1 < bits.len() { "," } else { "" };
        let _ = write!(text, " {x}{comma}");
    }
    text + "\n};\n"
}

/// Writes the statements of a program, or of a function.
pub(crate) struct Emitter<'p> {
    program: &'p Program,
    unit: &'p mut Unit,
    memory: &'p Memory,
    dtypes: Vec<DType>,
    constants: Vec<Option<u64>>,
    live: Live,
    /// The names of values that are not numbered ones.
    names: HashMap<Value, String>,
    /// The names of functions.
    functions: HashMap<u32, String>,
    out: String,
    depth: usize,
    /// The index of the vector loop that is open.
    lane: Option<Value>,
    fresh: usize,
    /// The buffers that the text names.
    pub named: HashSet<BufferId>,
    /// The first mistake.
    error: Option<CError>,
    /// What is said in front of loops, by their marks.
    notes: Notes<'p>,
    dialect: Dialect,
    /// What the kernel of a device needs around it.
    needs: device::Needs,
    /// Whether a thread of a device may stop here: outside of functions.
    can_stop: bool,
    /// The line of the user's program that was said last.
    said: Option<(String, u32)>,
    in_function: bool,
    /// The names of elements of arguments.
    taken: HashSet<String>,
}

impl<'p> Emitter<'p> {
    pub fn new(
        program: &'p Program,
        unit: &'p mut Unit,
        memory: &'p Memory,
        notes: Notes<'p>,
    ) -> Emitter<'p> {
        let values = program.values.len();
        Emitter {
            dialect: unit.dialect(),
            needs: device::Needs::default(),
            can_stop: false,
            dtypes: program.values.iter().map(|v| v.dtype).collect(),
            constants: plan::constants(values, &program.body),
            live: Live::of(values, &program.buffers, &program.body, &[]),
            program,
            unit,
            memory,
            names: HashMap::new(),
            functions: HashMap::new(),
            out: String::new(),
            depth: 1,
            lane: None,
            fresh: 0,
            named: HashSet::new(),
            error: None,
            notes,
            said: None,
            in_function: false,
            taken: HashSet::new(),
        }
    }

    /// Writes the body of the program, and returns its text.
    pub fn program(mut self) -> Result<(String, HashSet<BufferId>), CError> {
        self.functions();
        self.block(&self.program.body);
        match self.error {
            Some(error) => Err(error),
            None => Ok((self.out, self.named)),
        }
    }

    /// Writes the functions that the program calls.
    pub fn functions(&mut self) {
        let program = self.program;
        self.in_function = true;
        for (i, f) in program.functions.iter().enumerate() {
            let name = self.function(f);
            self.functions.insert(i as u32, name);
        }
        self.in_function = false;
    }

    /// Writes a function of scalars, and returns its name.
    fn function(&mut self, f: &Function) -> String {
        let result = f.body.results[0];
        let dtypes = std::mem::replace(&mut self.dtypes, f.values.clone());
        let known = plan::constants(f.values.len(), &f.body);
        let known = std::mem::replace(&mut self.constants, known);
        let buffers = &self.program.buffers;
        let needed = Live::of(f.values.len(), buffers, &f.body, &[result]);
        let needed = std::mem::replace(&mut self.live, needed);
        let out = std::mem::take(&mut self.out);
        let names = std::mem::take(&mut self.names);
        let depth = std::mem::replace(&mut self.depth, 1);

        let params: Vec<String> = f.params.iter().map(|&p| self.declared(p)).collect();
        for &p in &f.params {
            if !self.is_live(p) {
                let name = self.v(p);
                self.line(&format!("(void){name};"));
            }
        }
        self.block(&f.body);
        let r = self.v(result);
        self.line(&format!("return {r};"));
        let head = format!("static inline {} ", ty(self.dtype(result)));
        let body = format!("({}) {{\n{}}}\n", params.join(", "), self.out);
        let name = self.unit.function(&head, &f.name, &body);

        self.dtypes = dtypes;
        self.constants = known;
        self.live = needed;
        self.names = names;
        self.out = out;
        self.depth = depth;
        name
    }

    fn line(&mut self, text: &str) {
        let _ = writeln!(self.out, "{:1$}{text}", "", 2 * self.depth);
    }

    fn open(&mut self, text: &str) {
        self.say_again();
        self.line(&format!("{text} {{"));
        self.depth += 1;
    }

    fn close(&mut self) {
        self.say_again();
        self.depth -= 1;
        self.line("}");
    }

    fn refuse(&mut self, what: String, instead: &str) {
        let instead = instead.to_string();
        self.error
            .get_or_insert(CError::Unsupported { what, instead });
    }

    fn dtype(&self, v: Value) -> DType {
        self.dtypes[v.0 as usize]
    }

    fn is_live(&self, v: Value) -> bool {
        self.live.values[v.0 as usize]
    }

    /// An operand: a constant, or a name.
    fn v(&self, v: Value) -> String {
        match self.constants[v.0 as usize] {
            Some(bits) => number(self.dtype(v), bits),
            None => self.name(v),
        }
    }

    fn name(&self, v: Value) -> String {
        let name = self.names.get(&v).cloned();
        name.unwrap_or_else(|| format!("v{}", v.0))
    }

    /// The declaration of a value without its end.
    fn declared(&self, v: Value) -> String {
        format!("const {} {}", ty(self.dtype(v)), self.name(v))
    }

    fn define(&mut self, out: Value, text: &str) {
        let declared = self.declared(out);
        self.line(&format!("{declared} = {text};"));
    }

    fn buffer(&self, b: BufferId) -> &'p Buffer {
        &self.program.buffers[b.0 as usize]
    }

    /// Whether each of eight lanes has a copy of a buffer.
    fn has_copies(&self, b: BufferId) -> bool {
        self.buffer(b).kind == BufferKind::Local && self.memory.gathering.contains(&b)
    }

    /// The number of an element, with another number of elements further on.
    fn place(&self, i: &Index, further: Option<&str>) -> String {
        let mut parts = vec![];
        parts.extend(i.base.map(|b| self.v(b)));
        match (i.stride, self.lane) {
            (0, _) | (_, None) => {}
            (1, Some(l)) => parts.push(self.v(l)),
            (s, Some(l)) => parts.push(format!("{s} * {}", self.v(l))),
        }
        parts.extend(i.each.map(|e| self.v(e)));
        parts.extend(further.map(String::from));
        match (i.offset, parts.is_empty()) {
            (0, false) => parts.join(" + "),
            (offset, true) => offset.to_string(),
            (offset, false) if offset < 0 => {
                format!("{} - {}", parts.join(" + "), -(offset as i128))
            }
            (offset, false) => format!("{} + {offset}", parts.join(" + ")),
        }
    }

    /// Whether nobody reads what would be written to a buffer here.
    fn is_lost(&self, b: BufferId) -> bool {
        !self.live.buffers[b.0 as usize] || (self.lane.is_none() && self.memory.is_own(b))
    }

    /// The name of a buffer's memory.
    fn region(&mut self, b: BufferId) -> String {
        let program = self.program;
        if let BufferKind::Constant(n) = self.buffer(b).kind {
            return self
                .unit
                .table(self.buffer(b).dtype, &program.constants[n as usize]);
        }
        self.named.insert(b);
        self.memory.name(b)
    }

    /// An element of a buffer.
    fn element(&mut self, b: BufferId, i: &Index, further: Option<&str>) -> String {
        let at = self.place(i, further);
        let region = self.region(b);
        match self.has_copies(b) {
            true => {
                let copy = self.copy();
                format!("{region}[{copy} * {} + {at}]", self.buffer(b).len)
            }
            false if self.is_spread(b) => format!("{region}[({at}) * threads]"),
            false => format!("{region}[{at}]"),
        }
    }

    /// The copy of a lane.
    fn copy(&self) -> String {
        self.lane
            .map_or("c".into(), |l| format!("({} & 7)", self.v(l)))
    }

    /// Whether a statement acts on all copies of a buffer, and so needs a loop over `c`.
    fn over_copies(&self, b: BufferId) -> &'static str {
        match self.lane.is_none() && self.has_copies(b) {
            true => "for (int c = 0; c < 8; c++) ",
            false => "",
        }
    }

    fn block(&mut self, block: &Block) {
        block.stmts.iter().for_each(|s| self.stmt(s));
    }

    fn stmt(&mut self, s: &Stmt) {
        match s {
            Stmt::Const { .. } => {}
            Stmt::Op { out, op, args } if self.is_live(*out) => {
                self.say_line(s);
                let text = self.op(*out, *op, args);
                self.define(*out, &text);
            }
            Stmt::Call { out, callee, args } if self.is_live(*out) => {
                self.say_line(s);
                let args: Vec<String> = args.iter().map(|&a| self.v(a)).collect();
                let text = format!("{}({})", self.functions[callee], args.join(", "));
                self.define(*out, &text);
            }
            Stmt::Load { out, buffer, index } if self.is_live(*out) => {
                self.say_line(s);
                self.name_after_port(*out, *buffer, index);
                let text = self.element(*buffer, index, None);
                match self.over_copies(*buffer) {
                    "" => self.define(*out, &text),
                    copies => {
                        let (t, name) = (ty(self.dtype(*out)), self.name(*out));
                        self.line(&format!("{t} {name}[8];"));
                        self.line(&format!("{copies}{name}[c] = {text};"));
                    }
                }
            }
            Stmt::Op { .. } | Stmt::Call { .. } | Stmt::Load { .. } => {}
            Stmt::Store {
                buffer,
                index,
                value,
            } => {
                if self.is_lost(*buffer) {
                    return;
                }
                self.say_line(s);
                let (to, value) = (self.element(*buffer, index, None), self.v(*value));
                let copies = self.over_copies(*buffer);
                self.line(&format!("{copies}{to} = {value};"));
            }
            Stmt::Copy { to, from, len, .. } => {
                if self.is_lost(to.0) {
                    return;
                }
                self.say_line(s);
                let a = self.element(to.0, &to.1, Some("e"));
                let b = self.element(from.0, &from.1, Some("e"));
                let copies = self.over_copies(to.0);
                // A region without copies of its own has one for all.
                self.line(&format!(
                    "{copies}for (i64 e = 0; e < {len}; e++) {a} = {b};"
                ));
            }
            Stmt::For(l) => self.for_(l),
            Stmt::While(l) => self.while_(l),
            Stmt::If(i) => self.if_(i),
            Stmt::Kernel {
                kernel,
                regions,
                at,
            } => {
                self.say_line(s);
                self.kernel(&**kernel, regions, at.0);
            }
            Stmt::Fail { failure } => {
                let status = self.unit.failure(&self.program.failures[*failure as usize]);
                self.stop(status);
            }
            _ if self.dialect != Dialect::C => self.device_list(s),
            _ => self.list(s),
        }
    }

    /// Ends the call.
    fn stop(&mut self, status: i32) {
        if self.dialect != Dialect::C {
            return self.stop_thread(status);
        }
        self.line(&format!("status = {status};"));
        self.line("goto done;");
    }
}
