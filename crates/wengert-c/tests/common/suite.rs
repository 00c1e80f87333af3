//! C, and objects, as back ends of the conformance suite: all programs are functions of one source, or of one object, which a
//! compiler makes a program of; it reads arguments and writes results as bytes.

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::{Command, Stdio};

use wengert_c::{FAILURES, Port, Unit, elf};
use wengert_check::Failure;
use wengert_check::conformance::{Candidate, Example, Outcome};
use wengert_jit::Cpu;
use wengert_jit::object::Object;
use wengert_loop::buffer::Data;
use wengert_loop::loops::kernel::as_loops;
use wengert_loop::loops::prepare::prepare;
use wengert_loop::loops::{Cause, Failure as Stop, Program};
use wengert_loop::testing::{Stopped, outputs};
use wengert_loop::types::DType;

use super::{Folder, compiler, ran};

/// C, by the compiler of the machine with these flags.
pub struct C(pub &'static [&'static str]);

/// C, by a compiler of this name.
pub struct By(pub &'static str, pub &'static [&'static str]);

/// Objects for a processor, with a program that a compiler of C makes of them and of what calls them.
pub struct Linked(pub Cpu);

/// What makes functions of programs.
enum Made {
    Text(Unit),
    Code {
        object: Object,
        failures: Vec<Stop>,
        declarations: String,
    },
}

/// The bytes of lists of a call.
const LISTS: usize = 1 << 20;

impl Made {
    fn text() -> Made {
        Made::Text(Unit::new("suite").list_bytes(LISTS))
    }

    fn code(cpu: Cpu) -> Made {
        Made::Code {
            // In lanes it is eight times as much.
            object: Object::new(cpu, LISTS / 8).unwrap(),
            failures: vec![],
            declarations: String::new(),
        }
    }

    fn add(
        &mut self,
        program: &Program,
        name: &str,
        inputs: &[Port],
        results: &[Port],
    ) -> Result<(), String> {
        match self {
            Made::Text(unit) => {
                let added = unit.add(program, name, inputs, results);
                added.map_err(|e| e.to_string())
            }
            Made::Code {
                object,
                failures,
                declarations,
            } => {
                let ports = (inputs.len(), results.len());
                let params = "void*, ".repeat(inputs.len() + results.len());
                let _ = writeln!(declarations, "int {name}({params}suite_scratch*);");
                let program = as_loops(program, &|_| true);
                let mut status = |failure: &Stop| {
                    let at = failures.iter().position(|f| f == failure);
                    let at = at.unwrap_or_else(|| {
                        failures.push(failure.clone());
                        failures.len() - 1
                    });
                    FAILURES + at as i32
                };
                let added = object.add(&program, name, ports, &mut status);
                added.map_err(|e| e.to_string())
            }
        }
    }

    /// The text in front of what calls the functions, the failures, and a file to be linked, if there is one.
    #[allow(clippy::type_complexity)]
    fn finish(
        self,
        folder: &Folder,
    ) -> Result<(String, Vec<Stop>, Vec<std::path::PathBuf>), Failure> {
        match self {
            Made::Text(unit) => Ok((unit.source(), unit.failures().to_vec(), vec![])),
            Made::Code {
                object,
                failures,
                declarations,
            } => {
                let words = object.scratch_bytes().div_ceil(8);
                let types = "typedef double f64;\ntypedef float f32;\ntypedef int64_t i64;\ntypedef uint64_t u64;\ntypedef int32_t i32;\ntypedef uint32_t u32;\ntypedef uint8_t u8;\n";
                let text = format!(
                    "#include <stdint.h>\n#include <string.h>\n{types}typedef struct {{ uint64_t words[{words}]; }} suite_scratch;\n{declarations}"
                );
                let file = folder.path().join("suite.o");
                let bytes = elf("suite", object).map_err(|e| Failure(e.to_string()))?;
                std::fs::write(&file, bytes).map_err(|e| Failure(e.to_string()))?;
                Ok((text, failures, vec![file]))
            }
        }
    }
}

/// What complains of nothing that a user's compiler may complain of.
pub const STRICT: &[&str] = &["-std=c11", "-Wall", "-Wextra", "-Werror", "-pedantic"];

const HARNESS: &str = r#"
#include <stdio.h>
#include <stdlib.h>
static suite_scratch scratch;
static void* get(size_t bytes, size_t given) {
  void* p = calloc(bytes ? bytes : 1, 1);
  if (!p || fread(p, 1, given, stdin) != given) exit(3);
  return p;
}
static void begin(void) { memset(&scratch, 0xa5, sizeof(scratch)); }
static void put(const void* p, size_t bytes) {
  if (fwrite(p, 1, bytes, stdout) != bytes) exit(4);
}
"#;

fn bytes(data: &Data) -> Vec<u8> {
    let width = data.dtype().bytes();
    let each = (0..data.len()).map(|i| data.bits(i).to_le_bytes());
    each.flat_map(|b| b[..width].to_vec()).collect()
}

fn c_type(dtype: DType) -> &'static str {
    match dtype {
        DType::F64 => "f64",
        DType::F32 => "f32",
        DType::I64 => "i64",
        DType::I32 => "i32",
        DType::U64 => "u64",
        DType::U32 => "u32",
        DType::U8 | DType::Bool => "u8",
    }
}

impl Candidate for C {
    fn name(&self) -> String {
        By(compiler().unwrap_or("no C compiler"), self.0).name()
    }

    fn run_all(&self, examples: &[Example]) -> Result<Vec<Outcome>, Failure> {
        By(compiler().expect("the test asked for it"), self.0).run_all(examples)
    }
}

impl Candidate for By {
    fn name(&self) -> String {
        format!("{} {}", self.0, self.1.join(" "))
    }

    fn run_all(&self, examples: &[Example]) -> Result<Vec<Outcome>, Failure> {
        self.outcomes(examples, Made::text())
    }
}

impl Candidate for Linked {
    fn name(&self) -> String {
        format!("an object for {}", self.0)
    }

    fn run_all(&self, examples: &[Example]) -> Result<Vec<Outcome>, Failure> {
        let cc = compiler().expect("the test asked for it");
        By(cc, &["-O0"]).outcomes(examples, Made::code(self.0))
    }
}

impl By {
    fn outcomes(&self, examples: &[Example], mut made: Made) -> Result<Vec<Outcome>, Failure> {
        let fail = |e: &dyn std::fmt::Display| Failure(e.to_string());
        let (mut cases, mut calls, mut given) = (String::new(), String::new(), vec![]);
        // An example for which there is no C has an outcome at once.
        let mut refused = vec![None; examples.len()];
        for (k, example) in examples.iter().enumerate() {
            // Every other program as an export writes it.
            let program = match k % 2 {
                0 => example.program.clone(),
                _ => prepare(&example.program),
            };
            let (inputs, results) = Port::of(&example.program);
            let name = format!("program_{k}");
            if let Err(e) = made.add(&program, &name, &inputs, &results) {
                refused[k] = Some(Stopped::Other(e));
                continue;
            }
            let size = |p: &Port| p.len * p.dtype.bytes();
            let mut args = vec![];
            let _ = writeln!(cases, "static void case_{k}(void) {{\n  begin();");
            for (i, p) in inputs.iter().chain(&results).enumerate() {
                let t = c_type(p.dtype);
                let read = if i < inputs.len() { size(p) } else { 0 };
                let _ = writeln!(cases, "  {t}* const a{i} = get({}, {read});", size(p));
                args.push(format!("a{i}"));
            }
            args.push("&scratch".into());
            let _ = writeln!(
                cases,
                "  const i32 s = {name}({});\n  put(&s, 4);",
                args.join(", ")
            );
            for (i, p) in results.iter().enumerate() {
                let _ = writeln!(cases, "  put(a{}, {});", inputs.len() + i, size(p));
            }
            for i in 0..inputs.len() + results.len() {
                let _ = writeln!(cases, "  free(a{i});");
            }
            cases += "}\n";
            let _ = writeln!(calls, "  case_{k}();");
            // A port that the program does not name has no elements.
            example
                .inputs
                .iter()
                .take(inputs.len())
                .for_each(|d| given.extend(bytes(d)));
        }
        let folder = Folder::new();
        let (source, failures, linked) = made.finish(&folder)?;
        let source = format!("{source}{HARNESS}{cases}int main(void) {{\n{calls}  return 0;\n}}\n");
        let (c, program) = (
            folder.write("suite.c", &source),
            folder.path().join("suite"),
        );
        if let Ok(kept) = std::env::var("WENGERT_C_KEEP") {
            std::fs::write(kept, &source).map_err(|e| fail(&e))?;
        }
        let mut command = Command::new(self.0);
        command
            .args(STRICT)
            .args(self.1)
            .arg(&c)
            .args(linked)
            .arg("-o")
            .arg(&program)
            .arg("-lm");
        ran(&mut command).map_err(Failure)?;

        let mut child = Command::new(&program)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|e| fail(&e))?;
        let mut to = child.stdin.take().expect("a pipe");
        let writer = std::thread::spawn(move || to.write_all(&given));
        let output = child.wait_with_output().map_err(|e| fail(&e))?;
        let written = writer.join().expect("it does not panic");
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            return Err(Failure(format!("the program: {} {said}", output.status)));
        }
        written.map_err(|e| fail(&e))?;

        let mut rest = &output.stdout[..];
        let mut take = |n: usize| {
            let (part, after) = rest.split_at_checked(n)?;
            rest = after;
            Some(part.to_vec())
        };
        let mut outcomes: Vec<Outcome> = vec![];
        for (example, refused) in examples.iter().zip(refused) {
            if let Some(stopped) = refused {
                outcomes.push(Err(stopped));
                continue;
            }
            let short = || Failure(format!("{}: too few results", example.name));
            let status = take(4).ok_or_else(short)?;
            let status = i32::from_le_bytes(status.try_into().expect("four"));
            let mut results = outputs(&example.program);
            for data in &mut results {
                let width = data.dtype().bytes();
                let bytes = take(data.len() * width).ok_or_else(short)?;
                for (i, each) in bytes.chunks(width).enumerate() {
                    let mut bits = [0; 8];
                    bits[..width].copy_from_slice(each);
                    data.set_bits(i, u64::from_le_bytes(bits));
                }
            }
            outcomes.push(match status {
                0 => Ok(results),
                s if s >= FAILURES => {
                    let failure = &failures[(s - FAILURES) as usize];
                    let own = example.program.failures.iter().position(|f| f == failure);
                    Err(match (own, &failure.cause) {
                        (Some(n), _) => Stopped::Failed(n as u32),
                        (None, Cause::MaxSteps(_, limit)) => Stopped::MaxSteps(*limit),
                        (None, other) => Stopped::Other(format!("{other:?}")),
                    })
                }
                s => Err(Stopped::Other(format!("status {s}"))),
            });
        }
        Ok(outcomes)
    }
}
