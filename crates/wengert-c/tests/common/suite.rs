//! C as a back end of the conformance suite: all programs are functions of one source, which a compiler makes a program
//! of; it reads arguments and writes results as bytes.

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::{Command, Stdio};

use wengert_c::{FAILURES, Port, Unit};
use wengert_check::Failure;
use wengert_check::conformance::{Candidate, Example, Outcome};
use wengert_loop::buffer::Data;
use wengert_loop::loops::Cause;
use wengert_loop::loops::prepare::prepare;
use wengert_loop::testing::{Stopped, outputs};
use wengert_loop::types::DType;

use super::{Folder, compiler, ran};

/// C, by the compiler of the machine with these flags.
pub struct C(pub &'static [&'static str]);

/// C, by a compiler of this name.
pub struct By(pub &'static str, pub &'static [&'static str]);

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
        let fail = |e: &dyn std::fmt::Display| Failure(e.to_string());
        let mut unit = Unit::new("suite").list_bytes(1 << 20);
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
            if let Err(e) = unit.add(&program, &name, &inputs, &results) {
                refused[k] = Some(Stopped::Other(e.to_string()));
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
        let source = unit.source();
        let source = format!("{source}{HARNESS}{cases}int main(void) {{\n{calls}  return 0;\n}}\n");
        let folder = Folder::new();
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
            .arg("-o")
            .arg(&program);
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
                    let failure = &unit.failures()[(s - FAILURES) as usize];
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
