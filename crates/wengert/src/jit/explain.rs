//! Descriptions of what the compiler made of a function.

use std::cell::RefCell;
use std::collections::HashSet;
use std::fmt;
use std::time::{Duration, Instant};

use wengert_ir::cost::nanoseconds::STEPS;
use wengert_ir::error::Result;
use wengert_ir::ir::view::Outline;
use wengert_ir::loops::{BufferId, BufferKind, LANES, LoopKind, Program, walk};
use wengert_ir::rewrite::Choice;
use wengert_ir::schedule::lower_with_notes;
use wengert_ir::schedule::notes::{Kept, Notes, OperationId, Part, PartKind, Steps};
use wengert_ir::source::SourceId;
use wengert_run::plan::cost::Assumed;

use super::compiled::Compiled;
use super::lowered;
use super::machine::{Code, machine_code};
use super::moves::{listed, moves};
use super::prices::{Estimate, Prices};
use crate::tree::TreeDef;

/// What the compiler made of a function: see [`Executable::explain`](super::Executable::explain).
///
/// `Display` writes plain text, one fact per line, with the lines of the program it concerns after an `@`;
/// [`Explanation::to_html`] returns the same as a page.
#[derive(Clone, PartialEq, Debug)]
pub struct Explanation {
    outline: Outline,
}

impl Explanation {
    /// Returns the explanation as a self-contained HTML page, with the lines of the program if their files can
    /// be read.
    ///
    /// ```
    /// use wengert::prelude::*;
    ///
    /// let explanation = jit(|x: Var| x.sin().sum()).explain(&ShapeDtype::new([100], DType::F64))?;
    /// assert!(explanation.to_html().contains("</html>"));
    /// # Ok::<(), wengert::Error>(())
    /// ```
    pub fn to_html(&self) -> String {
        self.outline.to_html()
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.outline.fmt(f)
    }
}

/// A stage of a function on its way to machine code: see [`Executable::dump`](super::Executable::dump). The
/// stage before is [`Executable::func`](super::Executable::func).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum Stage {
    /// Loop nests over scalars, as they are emitted: short loops are unrolled, small arrays are in registers.
    LoopIr,
    /// Cranelift's IR: one text for each native function.
    Clif,
    /// Machine instructions, in Cranelift's assembly syntax.
    MachineCode,
}

/// The program of a function, the notes on its lowering, its code with the listings, and the time that lowering
/// and emission took.
struct Again {
    program: Program,
    notes: Notes,
    code: Emitted,
    times: [Duration; 2],
}

/// Code with its text.
enum Emitted {
    Host(Box<wengert_run::Executable>),
    Device(String),
}

impl Again {
    /// Compiles again, because compiled code does not keep this information.
    fn of(compiled: &Compiled) -> Result<Again> {
        let begun = Instant::now();
        let machine = &compiled.machine;
        let target = machine.target(&compiled.options);
        let (program, notes) = lowered(|| lower_with_notes(compiled.func.ir(), &target))?;
        let between = Instant::now();
        let options = wengert_run::Options {
            listing: true,
            ..compiled.options.clone()
        };
        let code = match &compiled.code {
            // Code for a device keeps its text.
            Code::Device(code) => Emitted::Device(code.listing()),
            Code::Host(_) => {
                let code = machine_code(&program, &*machine.backend, &options)?;
                Emitted::Host(Box::new(code))
            }
        };
        Ok(Again {
            program,
            notes,
            code,
            times: [between - begun, between.elapsed()],
        })
    }

    /// Returns the code for the CPU, with its listing.
    fn host(&self) -> Option<(&wengert_run::Executable, &wengert_run::Listing)> {
        match &self.code {
            Emitted::Host(code) => Some((code, code.listing().expect("it was asked for"))),
            Emitted::Device(_) => None,
        }
    }

    /// Returns the program as it is emitted, as far as the compiler knows.
    fn emitted(&self) -> &Program {
        self.host()
            .map_or(&self.program, |(_, listing)| &listing.program)
    }
}

/// Estimates a call, where loops of unknown length take this number of steps.
pub(super) fn estimate(compiled: &Compiled, steps: f64) -> Result<Estimate> {
    compiled.machine.only_cpu("estimate")?;
    let again = Again::of(compiled)?;
    let prices = prices(&again, steps).expect("it is compiled for the CPU");
    Ok(prices.call())
}

/// Returns the prices of the CPU, if the code is for that.
fn prices(again: &Again, steps: f64) -> Option<Prices> {
    let (code, listing) = again.host()?;
    let assumed = Assumed {
        threads: wengert_run::threads(),
        parallel_above: code.parallel_above() as f64,
        steps,
    };
    Some(Prices::of(&listing.costs, &assumed))
}

pub(super) fn dump(compiled: &Compiled, stage: Stage) -> Result<String> {
    let again = Again::of(compiled)?;
    let functions = |text: fn(&wengert_run::Listed) -> &str| match &again.code {
        Emitted::Device(text) => text.clone(),
        Emitted::Host(code) => {
            let each = code.listing().into_iter().flat_map(|l| &l.functions);
            let each = each.map(|f| format!("; {}\n{}", f.name, text(f)));
            each.collect::<Vec<_>>().join("\n")
        }
    };
    Ok(match stage {
        Stage::LoopIr => again.emitted().to_string(),
        Stage::Clif => functions(|f| &f.text),
        Stage::MachineCode => functions(|f| &f.assembly),
    })
}

pub(super) fn explain(compiled: &Compiled, def: &TreeDef) -> Result<Explanation> {
    let again = Again::of(compiled)?;
    let paths = |def: &TreeDef, what: &str| -> Vec<String> {
        def.paths().iter().map(|p| format!("{what}{p}")).collect()
    };
    let mut used = HashSet::new();
    walk::stmts(&again.emitted().body, &mut |s| {
        used.extend(walk::buffers(s));
    });
    let writer = Writer {
        again: &again,
        prices: prices(&again, STEPS).map(RefCell::new),
        args: paths(def, "args"),
        results: paths(&compiled.out, "out"),
        used,
    };
    let mut outline = Outline::new(format!("A function of {} equations", compiled.func.count()));
    if let Code::Device(code) = &compiled.code {
        outline.push(moves(compiled, code, &writer.args, &writer.results));
    }
    outline.push(writer.loops());
    outline.push(writer.memory());
    if !compiled.choices.is_empty() {
        outline.push(kept(&compiled.choices));
    }
    match &again.code {
        Emitted::Host(code) => {
            outline.push(writer.places(code));
            outline.push(writer.code(code));
        }
        Emitted::Device(text) => outline.push(listed(text)),
    }
    Ok(Explanation { outline })
}

/// Describes what loops keep for their derivatives.
fn kept(choices: &[Choice]) -> Outline {
    let mut out = Outline::new("kept for derivatives");
    for choice in choices {
        let text = format!("{}: {}", choice.name, choice.said());
        out.push(Outline::at(text, Some(choice.source)));
    }
    out
}

struct Writer<'a> {
    again: &'a Again,
    /// What the parts cost on the CPU, if they run there.
    prices: Option<RefCell<Prices>>,
    /// Names of arguments and results.
    args: Vec<String>,
    results: Vec<String>,
    /// The buffers that the final code touches.
    used: HashSet<BufferId>,
}

impl Writer<'_> {
    fn name(&self, operation: Option<OperationId>) -> &str {
        operation.map_or("the call", |o| &self.again.notes.operations[o].name)
    }

    fn source(&self, operation: Option<OperationId>) -> Option<SourceId> {
        Some(self.again.notes.operations[operation?].source)
    }

    /// Returns the name of a buffer, or `None` for a table of constants.
    fn buffer(&self, b: BufferId) -> Option<String> {
        let own = "an array of the function's own";
        match self.again.program.buffers[b.0 as usize].kind {
            BufferKind::Input(i) => {
                let name = self.args.get(i as usize);
                Some(name.map_or(own, String::as_str).to_string())
            }
            BufferKind::Output(i) => Some(self.results[i as usize].clone()),
            BufferKind::Constant(_) => None,
            BufferKind::Call | BufferKind::Task | BufferKind::Local => Some(format!("b{}", b.0)),
        }
    }

    /// Returns the names of buffers, each with what is said of it.
    fn buffers<'b>(
        &self,
        all: impl IntoIterator<Item = &'b BufferId>,
        said: impl Fn(&BufferId) -> String,
    ) -> String {
        let names = all.into_iter().filter_map(|b| {
            let name = self.buffer(*b)?;
            Some(name + &said(b))
        });
        names.collect::<Vec<_>>().join(", ")
    }

    /// Describes what is computed in which loop.
    fn loops(&self) -> Outline {
        let total = self.prices.as_ref().map(|p| p.borrow().total());
        let mut out = Outline::new(format!("loops{}", total.unwrap_or_default()));
        let call = &self.again.notes.body;
        out.lines.extend(call.parts.iter().map(|p| self.part(p)));
        let mut once = Outline::new("in no loop");
        self.done(&mut once, call, &[]);
        if !once.lines.is_empty() {
            out.push(once);
        }
        out
    }

    fn part(&self, part: &Part) -> Outline {
        let (name, source) = (self.name(part.by), self.source(part.by));
        let price = self.prices.as_ref().map(|p| p.borrow_mut().said(part));
        let price = price.unwrap_or_default();
        let own: Vec<OperationId> = part.by.into_iter().collect();
        let mut parts = vec![part];
        let title = match &part.kind {
            PartKind::Call => unreachable!("a call is in nothing"),
            PartKind::While => format!("{name}: a loop while its condition holds"),
            PartKind::Branch => format!("{name}: one of two functions"),
            PartKind::Kernel(kernel) => format!("{name}: {}", kernel.description()),
            &PartKind::For { kind, steps } => {
                // Loops that contain nothing but a loop are shown as one.
                let mut shape = steps_of(kind, steps);
                let mut last = part;
                while let [inner] = &last.parts[..]
                    && last.operations.is_empty()
                    && last.rows.is_empty()
                    && let PartKind::For { kind, steps } = inner.kind
                {
                    shape = format!("{shape} × {}", steps_of(kind, steps));
                    parts.push(inner);
                    last = inner;
                }
                format!("{name}: {shape}")
            }
            PartKind::Nest => {
                let shape = nested(part);
                let by = part.by.is_some_and(|o| part.operations.contains(&o));
                match (by, part.operations.is_empty()) {
                    (true, _) => format!("{name}: {shape}"),
                    (false, true) => match &part.copied {
                        Some(copied) => {
                            format!("a copy of {} bytes for {name}: {shape}", copied.bytes)
                        }
                        None => format!("a copy for {name}: {shape}"),
                    },
                    (false, false) => {
                        let mut out = Outline::new(format!("elements: {shape}{price}"));
                        self.inside(&mut out, part, &[]);
                        return out;
                    }
                }
            }
        };
        let mut out = Outline::at(title + &price, source);
        for part in parts.iter().rev().skip(1).rev() {
            self.touched(&mut out, part);
        }
        self.inside(&mut out, parts[parts.len() - 1], &own);
        if let Some(kept) = part.copied.as_ref().and_then(|c| c.kept.as_ref()) {
            self.kept(&mut out, kept);
        }
        out
    }

    /// Says why an array was copied instead of being changed where it lies.
    fn kept(&self, out: &mut Outline, kept: &Kept) {
        match kept {
            Kept::Given => out.push(Outline::new("an argument is not changed")),
            Kept::Outside => out.push(Outline::new(
                "the old value is read again: after the loop or branch, or in a later step",
            )),
            Kept::Read(readers) => out.lines.extend(readers.iter().map(|o| {
                Outline::at(
                    format!("{} reads the old value afterwards", o.name),
                    Some(o.source),
                )
            })),
        }
    }

    /// Describes what a part does itself, and the parts in it.
    fn inside(&self, out: &mut Outline, part: &Part, named: &[OperationId]) {
        self.done(out, part, named);
        let parts = match part.kind {
            PartKind::Nest => not_loops(part),
            _ => part.parts.iter().collect(),
        };
        out.lines.extend(parts.into_iter().map(|p| self.part(p)));
    }

    /// Describes what a part computes, without the operations that its title names, and what memory it touches.
    fn done(&self, out: &mut Outline, part: &Part, named: &[OperationId]) {
        let mut groups: Vec<(SourceId, Vec<(&str, usize)>)> = vec![];
        for &o in part.operations.iter().filter(|o| !named.contains(o)) {
            let operation = &self.again.notes.operations[o];
            let group = match groups.iter_mut().position(|g| g.0 == operation.source) {
                Some(i) => &mut groups[i].1,
                None => {
                    groups.push((operation.source, vec![]));
                    &mut groups.last_mut().expect("just pushed").1
                }
            };
            match group.iter_mut().find(|(name, _)| *name == operation.name) {
                Some((_, n)) => *n += 1,
                None => group.push((&operation.name, 1)),
            }
        }
        for (source, names) in groups {
            let names = names.into_iter().map(|(name, n)| match n {
                1 => name.to_string(),
                n => format!("{name} ×{n}"),
            });
            let names: Vec<String> = names.collect();
            out.push(Outline::at(names.join(", "), Some(source)));
        }
        self.touched(out, part);
        if !part.rows.is_empty() {
            let bytes = part.rows.iter().map(|ty| match ty.shape.has_run() {
                // The handle of a list.
                true => 8,
                false => ty.size() * ty.dtype.bytes(),
            });
            let bytes: usize = bytes.sum();
            let rows: Vec<String> = part.rows.iter().map(ToString::to_string).collect();
            let rows = rows.join(", ");
            out.push(Outline::new(format!(
                "each step leaves {bytes} bytes: {rows}"
            )));
        }
    }

    fn touched(&self, out: &mut Outline, part: &Part) {
        let touched = [("reads", &part.reads), ("writes", &part.writes)];
        let touched = touched.map(|(does, buffers)| {
            // Arguments are loaded first; an unused one is not read in the final code.
            let idle = |b: &BufferId| {
                let kind = self.again.program.buffers[b.0 as usize].kind;
                matches!(kind, BufferKind::Input(_)) && !self.used.contains(b)
            };
            let strides = |b: &BufferId| match part.strides.get(b) {
                Some(stride) if does == "reads" => format!(" in strides of {stride}"),
                _ => String::new(),
            };
            let buffers = buffers.iter().filter(|b| !idle(b));
            (does, self.buffers(buffers, strides))
        });
        let touched: Vec<String> = (touched.into_iter())
            .filter(|(_, names)| !names.is_empty())
            .map(|(does, names)| format!("{does} {names}"))
            .collect();
        if !touched.is_empty() {
            out.push(Outline::new(touched.join("; ")));
        }
    }

    /// Describes the intermediate values in memory, and why they are stored.
    fn memory(&self) -> Outline {
        let mut out = Outline::new("memory on the way");
        for stored in &self.again.notes.stored {
            let buffer = &self.again.program.buffers[stored.buffer.0 as usize];
            let mut bytes = buffer.len * buffer.dtype.bytes();
            let lanes = buffer.kind == BufferKind::Local;
            if lanes {
                bytes *= LANES;
            }
            let place = match self.used.contains(&stored.buffer) {
                true => format!("{bytes} bytes"),
                false => "moved to registers".to_string(),
            };
            let text = format!(
                "{}: {}[{}]{}, {place}, of {}: {}",
                self.buffer(stored.buffer).unwrap_or_default(),
                buffer.dtype,
                buffer.len,
                copies(lanes),
                self.name(stored.operation),
                stored.why
            );
            out.push(Outline::at(text, self.source(stored.operation)));
        }
        for (i, list) in self.again.program.lists.iter().enumerate() {
            let fields = list.fields.iter();
            let bytes: usize = fields.map(|(dtype, n)| dtype.bytes() * n).sum();
            let copies = copies(list.lanes);
            let text = format!("l{i}: a list that grows by {bytes} bytes a step{copies}");
            out.push(Outline::at(text, list.at));
        }
        if out.lines.is_empty() {
            out.push(Outline::new("none"));
        }
        out
    }

    /// Describes where results are written.
    fn places(&self, code: &wengert_run::Executable) -> Outline {
        let mut out = Outline::new("results");
        for (i, name) in self.results.iter().enumerate() {
            let choices = code.choices(i).iter();
            let over: Vec<&str> = choices
                .filter_map(|&c| self.args.get(c as usize))
                .map(String::as_str)
                .collect();
            out.push(Outline::new(match over.is_empty() {
                true => format!("{name}: in memory of its own"),
                false => format!("{name}: over {}, if that is moved in", over.join(" or ")),
            }));
        }
        out
    }

    /// Describes the size of the code.
    fn code(&self, code: &wengert_run::Executable) -> Outline {
        let program = self.again.emitted();
        let mut out = Outline::new("code");
        let (mut statements, mut parallel) = (0, false);
        walk::stmts(&program.body, &mut |s| {
            statements += 1;
            parallel |= walk::loop_kind(s) == Some(LoopKind::Parallel);
        });
        let size = code.size();
        out.push(Outline::new(format!(
            "{statements} statements, {} native functions, {} bytes of instructions",
            size.functions, size.bytes
        )));
        if size.wide_loops > 0 {
            out.push(Outline::new(format!(
                "{} loops over lanes in registers of {} bits",
                size.wide_loops,
                wengert_run::Cpu::host().wide_loops().unwrap_or_default()
            )));
        }
        out.push(Outline::new(format!(
            "{} bytes of scratch for a call",
            code.scratch_bytes()
        )));
        if parallel {
            out.push(Outline::new(format!(
                "{} bytes for each thread of a parallel loop, which takes several (here {}) from {} µs of \
                 work on, as estimated",
                code.task_scratch_bytes(),
                wengert_run::threads(),
                code.parallel_above() / 1000
            )));
        }
        let [lowering, emission] = self.again.times.map(|t| t.as_secs_f64() * 1e3);
        out.push(Outline::new(format!(
            "compiled in {:.1} ms: {lowering:.1} to loops, {emission:.1} to machine code",
            lowering + emission
        )));
        out
    }
}

/// Says how many copies there are of memory that differs by lane.
fn copies(lanes: bool) -> String {
    match lanes {
        true => format!(" in each of {LANES} lanes"),
        false => String::new(),
    }
}

/// Says how a loop runs.
fn steps_of(kind: LoopKind, steps: Steps) -> String {
    let kind = match kind {
        LoopKind::Parallel => "parallel",
        LoopKind::Vector => "lanes",
        LoopKind::Serial { reverse: false } => "serial",
        LoopKind::Serial { reverse: true } => "serial, backwards,",
    };
    match steps {
        Steps::Exactly(n) => format!("{kind} {n}"),
        Steps::UpTo(n) => format!("{kind} ≤ {n}"),
        Steps::Unknown => format!("{kind} as many as there are"),
    }
}

/// Describes the loops of a nest.
fn nested(part: &Part) -> String {
    let mut loops: Vec<String> = vec![];
    for inner in &part.parts {
        if let PartKind::For { kind, steps } = inner.kind {
            let own = steps_of(kind, steps);
            let within = nested(inner);
            let text = match (within.is_empty(), within.contains(" then ")) {
                (true, _) => own,
                (false, false) => format!("{own} × {within}"),
                (false, true) => format!("{own} × ({within})"),
            };
            if loops.last() != Some(&text) {
                loops.push(text);
            }
        }
    }
    loops.join(" then ")
}

/// Returns the parts of a nest that are not loops themselves.
fn not_loops(part: &Part) -> Vec<&Part> {
    let each = part.parts.iter().flat_map(|p| match p.kind {
        PartKind::For { .. } => not_loops(p),
        _ => vec![p],
    });
    each.collect()
}
