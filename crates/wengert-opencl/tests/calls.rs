//! Calls: they are queued, fail late, depend on each other, and are cut where they need much memory.

use std::sync::Arc;

use wengert_loop::buffer::Data;
use wengert_loop::loops::Program;
use wengert_run::{Device, DeviceMemory, Options};

use crate::suite::device;

fn program(text: &str) -> Program {
    let program = Program::parse(text).unwrap();
    wengert_loop::loops::verify::verify(&program).unwrap();
    program
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

#[test]
fn results_are_arguments_of_other_calls() {
    let Some(device) = device() else { return };
    let squares = program(SQUARES);
    let code = device.compile(&squares, &Options::default()).unwrap();
    let x: Vec<f64> = (0..1000).map(|i| 1.0 + 1e-6 * f64::from(i)).collect();
    let mut at: Arc<dyn DeviceMemory> = device.upload(&Data::F64(x.clone())).unwrap();
    // More calls than may depend on each other without being waited for.
    for _ in 0..100 {
        at = code.run(&[&at]).unwrap().remove(0).unwrap();
    }
    let expected = x.iter().map(|&x| (0..100).fold(x, |x, _| x * x));
    assert_eq!(at.download().unwrap(), Data::F64(expected.collect()));
    assert!(
        code.listing().contains("1000 threads"),
        "{}",
        code.listing()
    );
}

#[test]
fn what_does_not_fit_is_an_error() {
    let Some(device) = device() else { return };
    let code = device
        .compile(&program(SQUARES), &Options::default())
        .unwrap();
    let said = |inputs: &[&Arc<dyn DeviceMemory>]| code.run(inputs).unwrap_err().to_string();
    assert!(
        said(&[]).contains("input 0: expected f64[1000], and there is none"),
        "{}",
        said(&[])
    );
    let short = device.upload(&Data::F64(vec![1.0; 3])).unwrap();
    assert!(
        said(&[&short]).contains("expected f64[1000], found f64[3]"),
        "{}",
        said(&[&short])
    );
    let other = device.upload(&Data::F32(vec![1.0; 1000])).unwrap();
    assert!(
        said(&[&other]).contains("found f32[1000]"),
        "{}",
        said(&[&other])
    );
    assert_eq!(short.download().unwrap(), Data::F64(vec![1.0; 3]));
    let none = device.upload(&Data::Bool(vec![])).unwrap();
    assert!(none.is_empty() && none.download().unwrap().is_empty());
}

/// Halves until it is small, in a loop of the host, and squares the whole array in each step.
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

#[test]
fn a_failed_call_fails_those_that_depend_on_it() {
    let Some(device) = device() else { return };
    let halves = device
        .compile(&program(HALVES), &Options::default())
        .unwrap();
    let up = |x: Vec<f64>| device.upload(&Data::F64(x)).unwrap();
    let array = up(vec![1.0; 500]);
    let good = halves
        .run(&[&up(vec![8.0]), &array])
        .unwrap()
        .remove(0)
        .unwrap();
    assert_eq!(good.download().unwrap(), Data::F64(vec![15.0; 500]));
    // A loop that does not end in time, and a check that does not hold.
    let endless = halves
        .run(&[&up(vec![1e9]), &array])
        .unwrap()
        .remove(0)
        .unwrap();
    let said = endless.download().unwrap_err().to_string();
    assert!(said.contains("more than 9 steps"), "{said}");
    for x in [-1.0, f64::NAN] {
        let failed = halves
            .run(&[&up(vec![x]), &array])
            .unwrap()
            .remove(0)
            .unwrap();
        let after = halves.run(&[&up(vec![2.0]), &failed]);
        let said = match after {
            Ok(all) => all[0].as_ref().unwrap().download().unwrap_err().to_string(),
            Err(e) => e.to_string(),
        };
        assert!(said.contains("it is positive"), "{said}");
        let said = failed.download().unwrap_err().to_string();
        assert!(
            said.contains("it is positive") && said.contains("program.rs:3:5"),
            "{said}"
        );
    }
    // The arguments are as they were.
    assert_eq!(array.download().unwrap(), Data::F64(vec![1.0; 500]));
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

#[test]
fn calls_are_cut_where_they_need_much_memory() {
    let Some(device) = device() else { return };
    let rows = program(ROWS);
    let x: Vec<f64> = (0..6000).map(|i| f64::from(i % 17)).collect();
    let expected: Vec<f64> = x.iter().map(|x| x + 780.0 * x + 1.0).collect();
    // All at once, some rows at a time, and some threads of a row at a time.
    for bytes in [1 << 24, 10_000, 1] {
        let code = device
            .with_scratch(bytes)
            .compile(&rows, &Options::default())
            .unwrap();
        let x = device.upload(&Data::F64(x.clone())).unwrap();
        let y = code.run(&[&x]).unwrap().remove(0).unwrap();
        assert_eq!(
            y.download().unwrap(),
            Data::F64(expected.clone()),
            "{bytes}"
        );
    }
}

/// An array that one part of a program has put on a device is there for a function of another part.
#[test]
fn devices_are_the_same_whenever_they_are_listed() {
    if device().is_none() {
        return;
    }
    let first = || wengert::Device::from(wengert_opencl::devices().unwrap().remove(0));
    assert_eq!(first(), first());
    let x = wengert::Array::from([1.0, 2.0])
        .to_device(&first())
        .unwrap();
    let twice = wengert::jit(|x: wengert::Var| 2.0 * x).on(first());
    let y = twice.call(&x).unwrap();
    assert_eq!(y.device(), first());
    assert_eq!(y.to_vec::<f64>().unwrap(), [2.0, 4.0]);
}
