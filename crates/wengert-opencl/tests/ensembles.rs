//! Ensembles and work on whole arrays: the bits of the processor, and the time beside its threads.

use std::time::{Duration, Instant};

use wengert_check::conformance::ensembles;
use wengert_ir::buffer::Data;
use wengert_jit::Cranelift;
use wengert_loop::target::Target;
use wengert_run::{Backend, Device, Executable, Options};

use crate::suite::device;

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
    let all = |target: &Target| ensembles(paths, steps, numbers, target);
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
