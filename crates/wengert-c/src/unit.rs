//! A source of C: tables and functions that its entries share, and the entries.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt::Write;

use wengert_loop::loops::kernel::as_loops;
use wengert_loop::loops::{BufferId, BufferKind, Failure, Program, Stmt, walk};
use wengert_loop::types::DType;

use crate::CError;
use crate::dialect::Dialect;
use crate::emit::kernels::is_without_function;
use crate::emit::{self, Emitter, ty};
use crate::plan::Memory;
use crate::{names, prelude};

/// The status of a call whose lists found no memory.
pub const LISTS_FULL: i32 = 1;

/// The status of the first failure of a source; the others follow.
pub const FAILURES: i32 = 16;

/// An argument or a result of an entry.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Port {
    /// The name of the parameter.
    pub name: String,
    /// The element type.
    pub dtype: DType,
    /// The number of elements.
    pub len: usize,
}

impl Port {
    /// Returns a port of each input and each output of a program, `x0`, `x1`, .. and `y0`, `y1`, ..; a number that the
    /// program does not name is a `bool` without elements.
    pub fn of(program: &Program) -> (Vec<Port>, Vec<Port>) {
        let (mut inputs, mut outputs) = (vec![], vec![]);
        for b in &program.buffers {
            let (ports, n, letter) = match b.kind {
                BufferKind::Input(n) => (&mut inputs, n as usize, 'x'),
                BufferKind::Output(n) => (&mut outputs, n as usize, 'y'),
                _ => continue,
            };
            while ports.len() <= n {
                let i = ports.len();
                ports.push(Port {
                    name: format!("{letter}_{i}"),
                    dtype: DType::Bool,
                    len: 0,
                });
            }
            (ports[n].dtype, ports[n].len) = (b.dtype, b.len);
        }
        (inputs, outputs)
    }

    /// The parameter as a header declares it.
    pub(crate) fn plain(&self, is_const: bool) -> String {
        let constant = if is_const { "const " } else { "" };
        format!("{constant}{}* {}", plain(self.dtype), self.name)
    }
}

/// The name of a type in a header.
pub(crate) fn plain(dtype: DType) -> &'static str {
    match dtype {
        DType::F32 => "float",
        DType::F64 => "double",
        DType::I32 => "int32_t",
        DType::I64 => "int64_t",
        DType::U32 => "uint32_t",
        DType::U64 => "uint64_t",
        DType::U8 | DType::Bool => "uint8_t",
    }
}

/// Statements that come in front of loops, given the numbers by which they are [known](wengert_loop::loops::Marks):
/// comments, or lines that begin with `#`.
pub(crate) type Notes<'a> = &'a dyn Fn(&[u32]) -> Vec<String>;

/// A source of C in the making: functions made of programs, and what they share. All functions work in one struct of
/// scratch.
///
/// ```
/// use wengert_c::{Port, Unit};
/// use wengert_loop::loops::Program;
///
/// let program = Program::parse("
/// b0: f64[3] input 0
/// b1: f64[1] output 0
/// x: f64 = b0[2]
/// y: f64 = mul x, x
/// b1[0] = y
/// ")?;
/// let mut unit = Unit::new("square");
/// let (inputs, outputs) = Port::of(&program);
/// unit.add(&program, "square", &inputs, &outputs)?;
/// assert!(unit.source().contains("int square(const f64* restrict x_0, f64* restrict y_0"));
/// # Ok::<(), wengert_c::CError>(())
/// ```
#[derive(Debug)]
pub struct Unit {
    name: String,
    dialect: Dialect,
    list_bytes: usize,
    tables: Vec<(DType, Vec<u64>)>,
    table_names: HashMap<(DType, Vec<u64>), String>,
    functions: String,
    function_names: HashMap<String, String>,
    taken: HashSet<String>,
    failures: Vec<Failure>,
    entries: String,
    declarations: Vec<String>,
    lengths: BTreeMap<&'static str, i64>,
    keys: BTreeMap<&'static str, usize>,
    places: usize,
    lists: bool,
    /// The bytes that an object of the same functions works in.
    object_bytes: usize,
}

impl Unit {
    /// Begins a source. Its struct of scratch is `NAME_scratch`, and its header `NAME.h`.
    pub fn new(name: &str) -> Unit {
        Unit {
            name: name.to_string(),
            dialect: Dialect::C,
            list_bytes: crate::LIST_BYTES,
            tables: vec![],
            table_names: HashMap::new(),
            functions: String::new(),
            function_names: HashMap::new(),
            taken: HashSet::new(),
            failures: vec![],
            entries: String::new(),
            declarations: vec![],
            lengths: BTreeMap::new(),
            keys: BTreeMap::new(),
            places: 0,
            lists: false,
            object_bytes: 0,
        }
    }

    /// Begins a source in a dialect.
    pub(crate) fn in_dialect(name: &str, dialect: Dialect) -> Unit {
        Unit {
            dialect,
            ..Unit::new(name)
        }
    }

    pub(crate) fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// Sets the bytes of scratch for the lists of a call: what loops of unknown length keep for their derivatives.
    pub fn list_bytes(mut self, bytes: usize) -> Unit {
        self.list_bytes = bytes;
        self
    }

    /// Adds a function for a [verified](wengert_loop::loops::verify) program:
    /// `int NAME(const double* x, .., double* y, .., UNIT_scratch* scratch)`. It returns 0, [`LISTS_FULL`], or
    /// [`FAILURES`] and more for one of [`Unit::failures`].
    ///
    /// # Errors
    /// If the program has a kernel for which there is no C, or a port does not fit it.
    pub fn add(
        &mut self,
        program: &Program,
        name: &str,
        inputs: &[Port],
        outputs: &[Port],
    ) -> Result<(), CError> {
        self.add_noted(program, name, inputs, outputs, &|_| vec![])
    }

    pub(crate) fn add_noted(
        &mut self,
        program: &Program,
        name: &str,
        inputs: &[Port],
        outputs: &[Port],
        notes: Notes<'_>,
    ) -> Result<(), CError> {
        crate::check_name(name)?;
        let program = &*as_loops(program, &is_without_function);
        let mut ports = HashMap::new();
        for (i, b) in program.buffers.iter().enumerate() {
            let port = match b.kind {
                BufferKind::Input(n) => inputs.get(n as usize),
                BufferKind::Output(n) => outputs.get(n as usize),
                _ => continue,
            };
            let port = port.filter(|p| p.dtype == b.dtype && p.len == b.len);
            let port = port.ok_or_else(|| CError::Port(format!("b{i}: {}[{}]", b.dtype, b.len)))?;
            ports.insert(BufferId(i as u32), port.name.clone());
        }
        let memory = Memory::of(program, ports);
        let emitter = Emitter::new(program, self, &memory, notes);
        let (body, named) = emitter.program()?;
        let pointer = |p: &Port, is_const: bool| {
            let constant = if is_const { "const " } else { "" };
            format!("{constant}{}* restrict {}", ty(p.dtype), p.name)
        };
        let mut params: Vec<String> = inputs.iter().map(|p| pointer(p, true)).collect();
        params.extend(outputs.iter().map(|p| pointer(p, false)));
        params.push(format!("{}_scratch* restrict scratch", self.name));
        let mut text = format!(
            "\nint {name}({}) {{\n  int status = 0;\n",
            params.join(", ")
        );
        let used: HashSet<String> = named.iter().map(|&b| memory.name(b)).collect();
        for port in inputs.iter().chain(outputs) {
            if !used.contains(&port.name) {
                let _ = writeln!(text, "  (void){};", port.name);
            }
        }
        let mut uses_scratch = body.contains("scratch->");
        let mut buffers: Vec<BufferId> = named.into_iter().collect();
        buffers.sort();
        for b in buffers {
            let Some(place) = memory.place(b) else {
                continue;
            };
            let t = ty(program.buffers[b.0 as usize].dtype);
            let name = memory.name(b);
            let _ = writeln!(text, "  {t}* const {name} = scratch->{t}s + {place};");
            uses_scratch = true;
        }
        for (&t, &n) in &memory.lengths {
            let most = self.lengths.entry(t).or_default();
            *most = (*most).max(n);
        }
        let mut slots = vec![];
        let mut lists = false;
        walk::stmts(&program.body, &mut |s| {
            lists |= matches!(
                s,
                Stmt::ListBegin { .. } | Stmt::ListRows { .. } | Stmt::ListLoad { .. }
            );
            if let Stmt::ListBegin { list } = s
                && !slots.contains(list)
            {
                slots.push(*list);
            }
        });
        if body.contains("lists") {
            self.lists = true;
            uses_scratch = true;
            text += "  list_memory lists = {(unsigned char*)scratch->lists, 8, (i64)sizeof(scratch->lists)};\n";
            for l in slots {
                let _ = writeln!(text, "  list_slot l{} = {{0, 0, 0}};", l.0);
            }
        }
        if !uses_scratch {
            text += "  (void)scratch;\n";
        }
        text += &body;
        if body.contains("goto done;") {
            text += "done:\n";
        }
        text += "  return status;\n}\n";
        self.entries += &text;
        let mut plain: Vec<String> = inputs.iter().map(|p| p.plain(true)).collect();
        plain.extend(outputs.iter().map(|p| p.plain(false)));
        plain.push(format!("{}_scratch* scratch", self.name));
        self.declarations
            .push(format!("int {name}({});", plain.join(", ")));
        Ok(())
    }

    /// Adds the text of a function that is no program.
    pub(crate) fn add_text(&mut self, declaration: &str, text: &str) {
        if !declaration.is_empty() {
            self.declarations.push(declaration.to_string());
        }
        self.entries += text;
    }

    /// Returns the failures of the functions so far: that of status [`FAILURES`]` + i` is number `i`.
    pub fn failures(&self) -> &[Failure] {
        &self.failures
    }

    /// The declarations of the functions, in the order in which they were added.
    pub(crate) fn declarations(&self) -> &[String] {
        &self.declarations
    }

    /// The status of a failure.
    pub(crate) fn failure(&mut self, failure: &Failure) -> i32 {
        let at = self.failures.iter().position(|f| f == failure);
        let at = at.unwrap_or_else(|| {
            self.failures.push(failure.clone());
            self.failures.len() - 1
        });
        FAILURES + at as i32
    }

    /// The name of a table of constants.
    pub(crate) fn table(&mut self, dtype: DType, bits: &[u64]) -> String {
        let key = (dtype, bits.to_vec());
        if let Some(name) = self.table_names.get(&key) {
            return name.clone();
        }
        let name = format!("t{}", self.tables.len());
        self.tables.push(key.clone());
        self.table_names.insert(key, name.clone());
        name
    }

    /// The name of a function of scalars, given the text before and after its name.
    pub(crate) fn function(&mut self, head: &str, name: &str, body: &str) -> String {
        let key = format!("{head}{body}");
        if let Some(name) = self.function_names.get(&key) {
            return name.clone();
        }
        let letters = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
        let mut free = format!("f_{}", name.chars().map(letters).collect::<String>());
        while !self.taken.insert(free.clone()) {
            free.push('_');
        }
        let _ = write!(self.functions, "{head}{free}{body}");
        self.function_names.insert(key, free.clone());
        free
    }

    /// Memory for a row of keys while it is sorted.
    pub(crate) fn sorted(&mut self, dtype: DType, n: usize) -> String {
        let most = self.keys.entry(ty(dtype)).or_default();
        *most = (*most).max(n);
        format!("scratch->sorted_{}s", ty(dtype))
    }

    /// Memory for their places.
    pub(crate) fn sorted_places(&mut self, n: usize) -> String {
        self.places = self.places.max(n);
        "scratch->places".into()
    }

    /// The members of the struct of scratch.
    fn members(&self) -> Vec<String> {
        let plain = |t: &str| match t {
            "f64" => "double".to_string(),
            "f32" => "float".to_string(),
            t if t.starts_with('u') => format!("uint{}_t", &t[1..]),
            t => format!("int{}_t", &t[1..]),
        };
        let mut members = vec![];
        for (t, n) in &self.lengths {
            members.push(format!("{} {t}s[{n}];", plain(t)));
        }
        for (t, n) in &self.keys {
            members.push(format!("{} sorted_{t}s[{}];", plain(t), n.max(&1)));
        }
        if self.places > 0 {
            members.push(format!("int64_t places[{}];", self.places));
        }
        if self.lists {
            members.push(format!(
                "uint64_t lists[{}];",
                self.list_bytes.div_ceil(8).max(8)
            ));
        }
        if self.room() > 0 {
            members.push(format!("uint64_t object[{}];", self.room()));
        }
        if members.is_empty() {
            members.push("uint8_t none;".into());
        }
        members
    }

    /// Makes the struct of scratch no smaller than an object of the same functions needs, which works in all of it.
    pub(crate) fn make_room(&mut self, bytes: usize) {
        self.object_bytes = self.object_bytes.max(bytes);
    }

    /// The words that the struct of scratch has for an object alone.
    fn room(&self) -> usize {
        let words = self.object_bytes.div_ceil(8);
        words.saturating_sub(self.own_bytes() / 8)
    }

    /// Returns about how many bytes the struct of scratch has.
    pub fn scratch_bytes(&self) -> usize {
        (self.own_bytes()).saturating_add(self.room().saturating_mul(8))
    }

    /// The bytes that the source works in, at least.
    fn own_bytes(&self) -> usize {
        let width = |t: &str| t[1..].parse::<usize>().map_or(8, |bits| bits / 8);
        let own = self
            .lengths
            .iter()
            .map(|(t, &n)| width(t).saturating_mul(n as usize));
        let keys = self.keys.iter().map(|(t, n)| width(t) * n);
        let lists = if self.lists { self.list_bytes } else { 0 };
        own.chain(keys)
            .fold(lists + 8 * self.places, usize::saturating_add)
    }

    /// The words of eight bytes that hold the struct of scratch under any rule of alignment.
    pub(crate) fn scratch_words(&self) -> usize {
        let members = self.lengths.len() + self.keys.len() + 3;
        self.scratch_bytes().div_ceil(8).saturating_add(members)
    }

    /// Whether the functions build lists.
    pub fn has_lists(&self) -> bool {
        self.lists
    }

    /// Returns the declaration of the struct of scratch.
    pub fn scratch(&self) -> String {
        let name = &self.name;
        let members = self.members().join("\n  ");
        format!("typedef struct {name}_scratch {{\n  {members}\n}} {name}_scratch;\n")
    }

    /// Returns the source without the declaration of its scratch: what follows the header.
    pub(crate) fn text(&self) -> String {
        let mut tables = String::new();
        for (i, (dtype, bits)) in self.tables.iter().enumerate() {
            tables += &emit::table(&format!("t{i}"), *dtype, bits);
        }
        let shared = format!("{tables}{}", self.functions);
        let own = format!("{shared}{}", self.entries);
        let prelude = prelude::of(&own, self.dialect);
        match self.dialect {
            Dialect::C => format!("{prelude}\n{own}"),
            dialect => {
                let qualified = dialect.qualified(&format!("{prelude}\n{shared}"));
                format!("{qualified}{}", self.entries)
            }
        }
    }

    /// Returns the whole source, with the declaration of its scratch.
    pub fn source(&self) -> String {
        match self.dialect {
            Dialect::C => format!("{}\n{}\n{}", prelude::TYPES, self.scratch(), self.text()),
            dialect => format!("{}\n{}", dialect.types(), self.text()),
        }
    }
}

/// Whether a name may be that of a function.
pub(crate) fn check_name(name: &str) -> Result<(), CError> {
    match names::is_identifier(name) && names::is_free(name) && !names::is_of_library(name) {
        true => Ok(()),
        false => Err(CError::Name(name.to_string())),
    }
}
