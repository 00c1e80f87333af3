//! Ensembles and work on whole arrays: the bits of the processor, and the time beside its threads.

use std::time::{Duration, Instant};

use wengert::prelude::*;
use wengert_check::conformance::Example;
use wengert_ir::buffer::Data;
use wengert_ir::{rewrite, schedule};
use wengert_jit::Cranelift;
use wengert_loop::target::Target;
use wengert_run::{Backend, Device, Executable, Options};

use crate::suite::device;

/// The Lorenz system.
fn lorenz([a, b, c]: [Var; 3]) -> [Var; 3] {
    [10.0 * (b - a), a * (28.0 - c) - b, a * b - 8.0 / 3.0 * c]
}

/// The sum of the numbers at the end of so many steps of the classical Runge-Kutta method.
fn end(x: [Var; 3], steps: usize) -> Var {
    let h = 0.01;
    let at =
        |x: [Var; 3], d: [Var; 3], h: f64| -> [Var; 3] { std::array::from_fn(|i| x[i] + h * d[i]) };
    let [a, b, c] = fori(0..steps, x, move |_, x| {
        let k1 = lorenz(x);
        let k2 = lorenz(at(x, k1, h / 2.0));
        let k3 = lorenz(at(x, k2, h / 2.0));
        let k4 = lorenz(at(x, k3, h));
        let next: [Var; 3] =
            std::array::from_fn(|i| x[i] + h / 6.0 * (k1[i] + 2.0 * k2[i] + 2.0 * k3[i] + k4[i]));
        next
    });
    a + b + c
}

fn column(k: usize, n: usize) -> Data {
    let x = (0..n).map(|i| 1.0 + 0.001 * ((i * (k + 3)) % 997) as f64);
    Data::F64(x.collect())
}

/// The ends of so many paths of so many steps, and their gradients; work on as many numbers as given.
pub fn examples(paths: usize, steps: usize, numbers: usize, target: &Target) -> Vec<Example> {
    let spec = ShapeDtype::new(vec![paths], DType::F64);
    let specs = [spec.clone(), spec.clone(), spec];
    let inputs: Vec<Data> = (0..3).map(|k| column(k, paths)).collect();
    let mut all = vec![];
    let mut add = |name: &str, traced: wengert::Func, inputs: &[Data]| {
        let func = rewrite::optimise(&traced.into_ir(), true);
        all.push(Example {
            name: name.into(),
            program: schedule::lower_for(&func, target).unwrap(),
            inputs: inputs.to_vec(),
        });
    };
    let ends = vmap(move |x: [Var; 3]| end(x, steps));
    add("lorenz", wengert::trace(ends, &specs).unwrap(), &inputs);
    let slopes = vmap(grad(move |x: [Var; 3]| end(x, steps)));
    add(
        "lorenz_grad",
        wengert::trace(slopes, &specs).unwrap(),
        &inputs,
    );
    let wide = ShapeDtype::new(vec![numbers], DType::F64);
    let map = wengert::trace(|x: Var| x.sin() * x.exp() + x.tanh(), &wide).unwrap();
    add("map", map, &[column(0, numbers)]);
    let sum = wengert::trace(|x: Var| (x * x).sum(), &wide).unwrap();
    add("sum", sum, &[column(0, numbers)]);
    let rows = ShapeDtype::new(vec![numbers / 1000, 1000], DType::F64);
    let square = ShapeDtype::new(vec![200, 200], DType::F64);
    let product = wengert::trace(|x: Var| x.matmul(x), &square).unwrap();
    add("matmul", product, &[column(1, 40_000)]);
    let sort = wengert::trace(|x: Var| x.sort(1), &rows).unwrap();
    add("sort", sort, &[column(2, numbers)]);
    all
}

fn median(mut times: Vec<Duration>) -> f64 {
    times.sort();
    times[times.len() / 2].as_secs_f64() * 1e3
}

/// The milliseconds that all threads of this program have computed, where the system says so: others may be busy, too.
fn computed() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let rest = stat.rsplit(')').next().unwrap_or_default();
    let ticks = rest.split_whitespace().skip(11).take(2);
    ticks.filter_map(|t| t.parse::<f64>().ok()).sum::<f64>() * 10.0
}

/// The bits of compiled code; with `WENGERT_OPENCL_TIMES`, at full size and with times.
#[test]
fn a_device_computes_what_the_processor_computes() {
    let Some(device) = device() else { return };
    let timed = std::env::var("WENGERT_OPENCL_TIMES").is_ok();
    let options = Options::default();
    let (paths, steps, numbers) = match timed {
        true => (1000, 1000, 1_000_000),
        false => (100, 20, 20_000),
    };
    let all = |target: &Target| examples(paths, steps, numbers, target);
    let there = all(&device.target(&options));
    for (e, own) in there.into_iter().zip(all(&Cranelift.target(&options))) {
        let code = device.compile(&e.program, &options).unwrap();
        let inputs: Vec<_> = e.inputs.iter().map(|x| device.upload(x).unwrap()).collect();
        let inputs: Vec<_> = inputs.iter().collect();
        let here: Executable = Cranelift.compile(&own.program, &options).unwrap();
        let args: Vec<&Data> = e.inputs.iter().collect();
        let mut results = wengert_loop::testing::outputs(&e.program);
        let (mut there_times, mut here_times) = (vec![], vec![]);
        let mut there = vec![];
        let mut work = [0.0; 2];
        for round in 0..if timed { 20 } else { 1 } {
            // The device compiles as it runs for the first time.
            if round == 1 {
                work = [0.0; 2];
            }
            let (start, before) = (Instant::now(), computed());
            let made = code.run(&inputs).unwrap();
            there = made
                .iter()
                .flatten()
                .map(|r| r.download().unwrap())
                .collect();
            there_times.push(start.elapsed());
            work[0] += computed() - before;
            let (start, before) = (Instant::now(), computed());
            let mut outs: Vec<&mut Data> = results.iter_mut().collect();
            here.run(&args, &mut outs).unwrap();
            here_times.push(start.elapsed());
            work[1] += computed() - before;
        }
        // Large products of the processor's have the order of a library.
        if e.name != "matmul" {
            let differ = wengert_loop::testing::difference(&there, &results);
            assert_eq!(differ, None, "{}", e.name);
        } else {
            let interpreted = wengert_loop::testing::Runner::run(
                &wengert_loop::testing::Interpreter,
                &e.program,
                &e.inputs,
            );
            let differ = wengert_loop::testing::difference(&there, &interpreted.unwrap());
            assert_eq!(differ, None, "{}", e.name);
        }
        if timed {
            let (a, b) = (median(there_times), median(here_times));
            println!(
                "{}: device {a:.2} ms, processor {b:.2} ms, ratio {:.1}; work {} ms and {} ms, ratio {:.1}",
                e.name,
                a / b,
                work[0],
                work[1],
                work[0] / work[1]
            );
        }
    }
}
