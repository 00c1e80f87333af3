//! The same program on every machine there is: an ensemble of Lorenz's equations with the gradient of its mean, on the
//! processor and on each device of CUDA and OpenCL.
//!
//! ```text
//! cargo run --release --example devices -- [--paths 10000] [--steps 1000]
//! ```
//!
//! It prints, for each machine, the time of the first call, which compiles, and the median of later ones with arguments
//! and results in its own memory, and checks that the results have the same bits everywhere. With PoCL the processor
//! itself is a device of OpenCL, which shows that the program runs and not how fast a GPU is.

use std::error::Error;
use std::time::{Duration, Instant};

use wengert::prelude::*;

/// The time of a step.
const DT: f64 = 0.01;

fn main() -> Result<(), Box<dyn Error>> {
    let (paths, steps) = (argument("--paths", 10_000)?, argument("--steps", 1_000)?);
    let mut machines = vec![Device::cpu()];
    let cuda = wengert_cuda::devices().map_err(|e| e.to_string());
    let opencl = wengert_opencl::devices().map_err(|e| e.to_string());
    for listed in [cuda, opencl] {
        match listed {
            Ok(devices) => machines.extend(devices.into_iter().map(Device::from)),
            Err(e) => println!("{e}"),
        }
    }
    let mut expected: Option<Vec<u64>> = None;
    for machine in machines {
        let (bits, first, later) = run(&machine, paths, steps)?;
        println!(
            "{}: first call {:.0} ms, later ones {:.2} ms",
            machine.name(),
            first.as_secs_f64() * 1e3,
            later.as_secs_f64() * 1e3
        );
        match &expected {
            None => expected = Some(bits),
            Some(expected) if *expected == bits => println!("  with the same bits"),
            Some(_) => return Err(format!("{} has other bits", machine.name()).into()),
        }
    }
    Ok(())
}

/// The bits of the results on a machine, the time of the first call, and the median of five more.
fn run(
    machine: &Device,
    paths: usize,
    steps: usize,
) -> Result<(Vec<u64>, Duration, Duration), Box<dyn Error>> {
    let end = move |(rho, x): (Var, Var)| {
        let start = [x, Var::from(1.0), Var::from(20.0)];
        let [x, _, _] = fori(0..steps as i64, start, move |_, u: [Var; 3]| step(rho, u));
        x
    };
    let f = jit(vmap(value_and_grad(end))).on(machine);
    let rho: Vec<f64> = (0..paths)
        .map(|i| 20.0 + 10.0 * i as f64 / paths as f64)
        .collect();
    let start = vec![1.0; paths];
    let args = machine.put(&(Array::from(rho), Array::from(start)))?;

    let begin = Instant::now();
    let (value, (slope, _)) = f.call(&args)?;
    let (value, slope) = (value.to_host()?, slope.to_host()?);
    let first = begin.elapsed();

    let mut times = vec![];
    for _ in 0..5 {
        let begin = Instant::now();
        let (value, _) = f.call(&args)?;
        // One element is waited for, so that all of the call is.
        value.to_host()?;
        times.push(begin.elapsed());
    }
    times.sort();
    let all = [value, slope];
    let bits = all.iter().map(|a| a.to_vec::<f64>());
    let bits = bits.collect::<Result<Vec<_>, _>>()?.concat();
    Ok((bits.iter().map(|x| x.to_bits()).collect(), first, times[2]))
}

/// A step of Euler's method.
fn step(rho: Var, [x, y, z]: [Var; 3]) -> [Var; 3] {
    [
        x + DT * 10.0 * (y - x),
        y + DT * (x * (rho - z) - y),
        z + DT * (x * y - 8.0 / 3.0 * z),
    ]
}

/// The number after an argument, or what it is if it is not given.
fn argument(name: &str, default: usize) -> Result<usize, Box<dyn Error>> {
    let mut args = std::env::args().skip_while(|a| a != name);
    match (args.next(), args.next()) {
        (None, _) => Ok(default),
        (Some(_), Some(n)) => Ok(n.parse()?),
        (Some(_), None) => Err(format!("{name} needs a number").into()),
    }
}
