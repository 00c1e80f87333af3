//! What GPUs are bought for: ensembles, random numbers and products of matrices, on a device.
//!
//! ```text
//! cargo run --release --example gpu -- [--small] [--device NAME]
//! ```
//!
//! It prints, for each program, the milliseconds of the first call, which compiles, the median of five later ones, whose
//! arguments and results are on the device, and the mean of the results. `benches/gpu` runs it beside JAX on the same
//! device. The device is the first whose name contains `NAME`, of CUDA before OpenCL, or the processor where there is none.

use std::array::from_fn;
use std::error::Error;
use std::time::Instant;

use wengert::prelude::*;

type Done = Result<(), Box<dyn Error>>;

fn main() -> Done {
    let args: Vec<String> = std::env::args().collect();
    let small = args.iter().any(|a| a == "--small");
    let name = args.iter().skip_while(|a| *a != "--device").nth(1);
    let mut devices = vec![];
    let cuda = wengert_cuda::devices().map_err(|e| e.to_string());
    let opencl = wengert_opencl::devices().map_err(|e| e.to_string());
    for listed in [cuda, opencl] {
        match listed {
            Ok(all) => devices.extend(all),
            Err(e) => println!("{e}"),
        }
    }
    let device = Device::find(name.map_or("", |n| n), devices)?;
    println!("{}", device.name());
    let of = |full: usize, little: usize| if small { little } else { full };

    lorenz(&device, of(1_000_000, 200), of(100, 10))?;
    for (sets, steps) in [(of(120, 8), of(1000, 5)), (of(10_000, 16), of(100, 5))] {
        kuramoto(&device, sets, steps)?;
    }
    pi(&device, of(100_000, 100), of(10_000, 100))?;
    matmul(&device, of(4096, 64))
}

/// Times calls of a function on the device.
fn time(name: &str, device: &Device, call: impl Fn() -> wengert::Result<Array>) -> Done {
    // One element is read, so that the call is waited for and its results stay.
    let last = jit(|y: Var| y.reshape([-1]).at(-1)).on(device);
    let run = || -> wengert::Result<(f64, Array)> {
        let begin = Instant::now();
        let y = call()?;
        last.call(&y)?.to_host()?;
        Ok((begin.elapsed().as_secs_f64() * 1e3, y))
    };
    let (first, y) = run()?;
    let later: wengert::Result<Vec<f64>> = (0..5).map(|_| Ok(run()?.0)).collect();
    let mut later = later?;
    later.sort_by(f64::total_cmp);
    let mean = jit(|y: Var| y.mean()).call(&y.to_host()?)?;
    println!(
        "{name}: first {first:.0} ms, later {:.3} ms, mean {mean}",
        later[2]
    );
    Ok(())
}

/// A step of the classical Runge-Kutta method.
fn rk4<const N: usize>(f: impl Fn([Var; N]) -> [Var; N], x: [Var; N], h: f64) -> [Var; N] {
    let along = |h: f64, k: [Var; N]| from_fn(|i| x[i] + h * k[i]);
    let k1 = f(x);
    let k2 = f(along(h / 2.0, k1));
    let k3 = f(along(h / 2.0, k2));
    let k4 = f(along(h, k3));
    from_fn(|i| x[i] + h / 6.0 * (k1[i] + 2.0 * k2[i] + 2.0 * k3[i] + k4[i]))
}

/// The derivative of the end of Lorenz's equations by their parameter, for each of many.
fn lorenz(device: &Device, paths: usize, steps: usize) -> Done {
    let end = move |rho: Var| {
        let f =
            move |[x, y, z]: [Var; 3]| [10.0 * (y - x), x * (rho - z) - y, x * y - 8.0 / 3.0 * z];
        let [x, y, z] = fori(0..steps, [1.0; 3], move |_, u: [Var; 3]| rk4(f, u, 0.01));
        x + y + z
    };
    let rho: Vec<f64> = (0..paths)
        .map(|i| 20.0 + 10.0 * i as f64 / paths as f64)
        .collect();
    let f = jit(vmap(grad(end))).on(device);
    let rho = Array::from(rho).to_device(device)?;
    time("lorenz_grad", device, || f.call(&rho))
}

/// The order of 100 of Kuramoto's oscillators, for each of many couplings.
fn kuramoto(device: &Device, sets: usize, steps: usize) -> Done {
    let natural: Vec<f64> = (0..100).map(|i| (i as f64 * 0.618) % 1.0 - 0.5).collect();
    let start: Vec<f64> = (0..100).map(|i| 6.0 * ((i as f64 * 0.414) % 1.0)).collect();
    let (natural, start) = (Array::from(natural), Array::from(start));
    let order = move |coupling: Var| {
        let (natural, start) = (Var::from(&natural), Var::from(&start));
        let f = move |[phase]: [Var; 1]| {
            let pairs = (phase.at(s![NewAxis, ..]) - phase.at(s![.., NewAxis])).sin();
            [natural + coupling / 100.0 * pairs.sum_axis(1)]
        };
        let [phase] = fori(0..steps, [start], move |_, x| rk4(f, x, 0.05));
        (phase.cos().mean().square() + phase.sin().mean().square()).sqrt()
    };
    let couplings: Vec<f64> = (0..sets).map(|i| 2.0 * i as f64 / sets as f64).collect();
    let f = jit(vmap(order)).on(device);
    let couplings = Array::from(couplings).to_device(device)?;
    time(&format!("kuramoto_{sets}x{steps}"), device, || {
        f.call(&couplings)
    })
}

/// Pi by random points, so many for each of many keys.
fn pi(device: &Device, keys: usize, points: usize) -> Done {
    let inside = move |key: Key| {
        let p = key.uniform([points, 2]);
        p.square().sum_axis(1).le(1.0).to(DType::F64).sum()
    };
    let f = move |key: Key| {
        let all = vmap(inside)(key.split_into(keys));
        all.sum() * 4.0 / (keys as f64 * points as f64)
    };
    let f = jit(f).on(device);
    let key = device.put(&Key::from_seed(1))?;
    time("pi", device, || f.call(&key))
}

/// A product of two matrices.
fn matmul(device: &Device, n: usize) -> Done {
    let a: Vec<f64> = (0..n * n)
        .map(|i| ((i * 7919) % 1000) as f64 / 1000.0)
        .collect();
    let f = jit(|a: Var| a.matmul(a)).on(device);
    let a = Array::new([n, n], a)?.to_device(device)?;
    time("matmul", device, || f.call(&a))
}
