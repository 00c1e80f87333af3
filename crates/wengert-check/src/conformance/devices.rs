//! Devices as back ends of the suite, and how their calls must behave.

use std::fmt::{self, Debug, Formatter};
use std::sync::Arc;

use wengert_loop::buffer::Data;
use wengert_loop::error::Error;
use wengert_loop::loops::Program;
use wengert_loop::loops::verify::verify;
use wengert_loop::testing::Stopped;
use wengert_run::{CompileError, Device, DeviceCode, DeviceMemory, Options, RunError};

use super::{Candidate, Example, Outcome};
use crate::Failure;

/// Code of each of several programs, or why there is none of all or of one.
pub type Compiled = Result<Vec<Result<Box<dyn DeviceCode>, CompileError>>, CompileError>;

type CompileAll<'a> = dyn Fn(&[&Program], &Options) -> Compiled + 'a;

/// A device as a back end of the suite. It compiles several programs at once, since compilers of devices are slow.
pub struct OnDevice<'a> {
    device: &'a dyn Device,
    at_once: usize,
    compile_all: Box<CompileAll<'a>>,
}

impl Debug for OnDevice<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_tuple("OnDevice").field(&self.device).finish()
    }
}

impl<'a> OnDevice<'a> {
    /// A device, and what compiles so many programs at once.
    pub fn new(
        device: &'a dyn Device,
        at_once: usize,
        compile_all: impl Fn(&[&Program], &Options) -> Compiled + 'a,
    ) -> OnDevice<'a> {
        OnDevice {
            device,
            at_once,
            compile_all: Box::new(compile_all),
        }
    }
}

impl Candidate for OnDevice<'_> {
    fn name(&self) -> String {
        self.device.name()
    }

    fn run_all(&self, examples: &[Example]) -> Result<Vec<Outcome>, Failure> {
        let mut outcomes = vec![];
        for (part, some) in examples.chunks(self.at_once).enumerate() {
            // Every other time as they are, without the passes that make programs faster.
            let options = Options {
                unroll: part % 2 == 0,
                ..Options::default()
            };
            let programs: Vec<&Program> = some.iter().map(|e| &e.program).collect();
            let codes = (self.compile_all)(&programs, &options);
            let codes = codes.map_err(|e| Failure(e.to_string()))?;
            for (code, example) in codes.into_iter().zip(some) {
                outcomes.push(match code {
                    Ok(code) => run(self.device, &*code, example),
                    Err(e) => Err(Stopped::Other(e.to_string())),
                });
            }
        }
        Ok(outcomes)
    }
}

/// Runs code on the arguments of an example.
fn run(device: &dyn Device, code: &dyn DeviceCode, example: &Example) -> Outcome {
    let other = |e: &RunError| Stopped::Other(e.to_string());
    let inputs: Result<Vec<Arc<dyn DeviceMemory>>, _> =
        example.inputs.iter().map(|x| device.upload(x)).collect();
    let inputs = inputs.map_err(|e| other(&e))?;
    let inputs: Vec<&Arc<dyn DeviceMemory>> = inputs.iter().collect();
    let done = code.run(&inputs).and_then(|results| {
        let named = results.iter().flatten();
        named
            .map(|r| r.download())
            .collect::<Result<Vec<Data>, _>>()
    });
    let failures = &example.program.failures;
    done.map_err(|e| match &e {
        RunError::Stopped(error) => {
            let number = failures.iter().position(|f| f.error() == *error);
            match (number, error) {
                (Some(n), _) => Stopped::Failed(n as u32),
                (None, Error::MaxSteps { limit, .. }) => Stopped::MaxSteps(*limit),
                (None, _) => other(&e),
            }
        }
        _ => other(&e),
    })
}

fn program(text: &str) -> Result<Program, Failure> {
    let program = Program::parse(text).map_err(|e| Failure(e.to_string()))?;
    verify(&program).map_err(|e| Failure(e.to_string()))?;
    Ok(program)
}

fn compiled(device: &dyn Device, text: &str) -> Result<Box<dyn DeviceCode>, Failure> {
    let code = device.compile(&program(text)?, &Options::default());
    code.map_err(|e| Failure(e.to_string()))
}

fn wrong(e: RunError) -> Failure {
    Failure(e.to_string())
}

fn up(device: &dyn Device, x: Vec<f64>) -> Result<Arc<dyn DeviceMemory>, Failure> {
    device.upload(&Data::F64(x)).map_err(wrong)
}

/// The first result of a call.
fn first(
    code: &dyn DeviceCode,
    inputs: &[&Arc<dyn DeviceMemory>],
) -> Result<Arc<dyn DeviceMemory>, Failure> {
    let results = code.run(inputs).map_err(wrong)?;
    let first = results.into_iter().flatten().next();
    first.ok_or_else(|| Failure("a call without results".into()))
}

fn same(what: &str, found: &Data, expected: &Data) -> Result<(), Failure> {
    match found == expected {
        true => Ok(()),
        false => Err(Failure(format!("{what}: {found:?} is not {expected:?}"))),
    }
}

fn says(what: &str, said: &str, words: &[&str]) -> Result<(), Failure> {
    match words.iter().all(|w| said.contains(w)) {
        true => Ok(()),
        false => Err(Failure(format!("{what}: {said:?} does not say {words:?}"))),
    }
}

/// What a call or its result says when one of them must fail.
fn refused(
    result: Result<Vec<Option<Arc<dyn DeviceMemory>>>, RunError>,
) -> Result<String, Failure> {
    let read = result.and_then(|all| {
        all.iter()
            .flatten()
            .try_for_each(|r| r.download().map(drop))
    });
    match read {
        Ok(()) => Err(Failure("a call that must fail does not".into())),
        Err(e) => Ok(e.to_string()),
    }
}

const SQUARES: &str = "
b0: f64[1000] input 0
b1: f64[1000] output 0
n: i64 = 1000
for vector k < n {
  x: f64* = b0[i]
  y: f64* = mul x, x
  b1[i] = y
}
";

/// Checks that results are arguments of other calls, more of them in a row than a device may let wait.
///
/// # Errors
/// If they are not.
pub fn chained_calls(device: &dyn Device) -> Result<(), Failure> {
    let code = compiled(device, SQUARES)?;
    let x: Vec<f64> = (0..1000).map(|i| 1.0 + 1e-6 * f64::from(i)).collect();
    let mut at = up(device, x.clone())?;
    for _ in 0..100 {
        at = first(&*code, &[&at])?;
    }
    let expected = x.iter().map(|&x| (0..100).fold(x, |x, _| x * x));
    let found = at.download().map_err(wrong)?;
    same("squares", &found, &Data::F64(expected.collect()))?;
    says("the listing", &code.listing(), &["1000 threads"])
}

/// Checks that arguments that do not fit are errors, and that arrays of all lengths and types go there and back.
///
/// # Errors
/// If they are not, or do not.
pub fn wrong_arguments(device: &dyn Device) -> Result<(), Failure> {
    let code = compiled(device, SQUARES)?;
    let said = |inputs: &[&Arc<dyn DeviceMemory>]| refused(code.run(inputs));
    let none = "input 0: expected f64[1000], and there is none";
    says("no argument", &said(&[])?, &[none])?;
    let short = up(device, vec![1.0; 3])?;
    let words = ["expected f64[1000], found f64[3]"];
    says("a short one", &said(&[&short])?, &words)?;
    let other = device.upload(&Data::F32(vec![1.0; 1000])).map_err(wrong)?;
    says("another type", &said(&[&other])?, &["found f32[1000]"])?;
    let kept = [
        Data::F64(vec![1.0; 3]),
        Data::Bool(vec![]),
        Data::Bool(vec![true, false, true]),
        Data::U8(vec![1, 2, 3, 4, 5]),
        Data::F32(vec![0.5]),
        Data::I32(vec![-1, i32::MIN, 7]),
        Data::U64(vec![u64::MAX]),
    ];
    for data in kept {
        let there = device.upload(&data).map_err(wrong)?;
        let back = there.download().map_err(wrong)?;
        same("there and back", &back, &data)?;
        if there.len() != data.len() || there.is_empty() != data.is_empty() {
            return Err(Failure(format!("{there:?} has another length")));
        }
    }
    Ok(())
}

/// Halves until it is small, in a loop of the host, and adds to the whole array in each step.
const HALVES: &str = "
b0: f64[1] input 0
b1: f64[500] input 1
b2: f64[500] output 0
failure 0: Check(\"it is positive\") @ program.rs:3:5
n: i64 = 500
zero: f64 = 0.0
one: f64 = 1.0
half: f64 = 0.5
x: f64 = b0[0]
positive: bool = lt zero, x
if positive {
} else {
  fail 0
}
for vector k < n {
  c: f64* = b1[i]
  b2[i] = c
}
y: f64 = while (a = x) limit 9 {
  go: bool = lt one, a
  yield go
} do {
  b: f64 = mul a, half
  for vector j < n {
    d: f64* = b2[i]
    e: f64* = add d, a
    b2[i] = e
  }
  yield b
}
";

/// Checks that calls fail when their results are read, and that a failed one fails those that depend on it.
///
/// # Errors
/// If they do not, or others do.
pub fn failing_calls(device: &dyn Device) -> Result<(), Failure> {
    let halves = compiled(device, HALVES)?;
    let array = up(device, vec![1.0; 500])?;
    let good = first(&*halves, &[&up(device, vec![8.0])?, &array])?;
    let found = good.download().map_err(wrong)?;
    same("a good call", &found, &Data::F64(vec![15.0; 500]))?;
    // A loop that does not end in time, and a check that does not hold.
    let endless = halves.run(&[&up(device, vec![1e9])?, &array]);
    let words = ["more than 9 steps"];
    says("an endless loop", &refused(endless)?, &words)?;
    for x in [-1.0, f64::NAN] {
        let failed = first(&*halves, &[&up(device, vec![x])?, &array])?;
        let after = halves.run(&[&up(device, vec![2.0])?, &failed]);
        let words = ["it is positive", "program.rs:3:5"];
        says("a call after a failed one", &refused(after)?, &words)?;
        match failed.download() {
            Ok(_) => return Err(Failure(format!("a call on {x} must fail"))),
            Err(e) => says("a failed call", &e.to_string(), &words)?,
        }
    }
    let found = array.download().map_err(wrong)?;
    same("an argument", &found, &Data::F64(vec![1.0; 500]))
}

/// Each row, and each lane, has memory of its own.
const ROWS: &str = "
b0: f64[6000] input 0
b1: f64[6000] output 0
b2: f64[60] task
b3: f64[40] local
rows: i64 = 100
n: i64 = 60
forty: i64 = 40
one: f64 = 1.0
for parallel r < rows {
  start: i64 = mul r, n
  for vector k < n {
    x: f64* = b0[start + i]
    for s < forty {
      t: f64 = convert s
      u: f64* = mul t, x
      b3[s] = u
    }
    y: f64* = for q < forty (sum = x) {
      w: f64* = b3[q]
      next: f64* = add sum, w
      yield next
    }
    b2[i] = y
  }
  for vector j < n {
    z: f64* = b2[i]
    a: f64* = add z, one
    b1[start + i] = a
  }
}
";

/// Checks that calls are cut where they need much memory. What is given makes a device whose scratch takes so many bytes.
///
/// # Errors
/// If results are others.
pub fn cut_calls(with_scratch: &dyn Fn(usize) -> Box<dyn Device>) -> Result<(), Failure> {
    let x: Vec<f64> = (0..6000).map(|i| f64::from(i % 17)).collect();
    let expected: Vec<f64> = x.iter().map(|x| x + 780.0 * x + 1.0).collect();
    // All at once, some rows at a time, and some threads of a row at a time.
    for bytes in [1 << 24, 10_000, 1] {
        let device = with_scratch(bytes);
        let code = compiled(&*device, ROWS)?;
        let y = first(&*code, &[&up(&*device, x.clone())?])?;
        let found = y.download().map_err(wrong)?;
        let what = format!("with {bytes} bytes of scratch");
        same(&what, &found, &Data::F64(expected.clone()))?;
    }
    Ok(())
}
