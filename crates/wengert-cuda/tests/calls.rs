//! Calls: they are queued, fail late, depend on each other, and are cut where they need much memory.

use std::sync::Arc;

use wengert::prelude::*;
use wengert_check::conformance::{chained_calls, cut_calls, failing_calls, wrong_arguments};
use wengert_run::Device as _;

use crate::standin::{device, open};

/// Memory from a pool of the driver's, and from one of the crate's own.
const POOLS: [&str; 2] = ["pools=1\n", "pools=0\n"];

#[test]
fn results_are_arguments_of_other_calls() {
    for (i, conf) in POOLS.iter().enumerate() {
        if let Some(device) = device(&format!("chained_{i}"), conf) {
            chained_calls(&*device).unwrap();
        }
    }
}

#[test]
fn what_does_not_fit_is_an_error() {
    for (i, conf) in POOLS.iter().enumerate() {
        if let Some(device) = device(&format!("wrong_{i}"), conf) {
            wrong_arguments(&*device).unwrap();
        }
    }
}

#[test]
fn a_failed_call_fails_those_that_depend_on_it() {
    if let Some(device) = device("failing", "") {
        failing_calls(&*device).unwrap();
    }
}

/// Both by memory, and by how many groups a launch may have.
#[test]
fn calls_are_cut() {
    if let Some(device) = device("cut", "pools=0\nblocks=3\n") {
        cut_calls(&|bytes| Box::new(device.with_scratch(bytes))).unwrap();
        chained_calls(&*device).unwrap();
    }
}

fn squares(n: usize) -> (Vec<f64>, Vec<f64>) {
    let x: Vec<f64> = (0..n).map(|i| i as f64).collect();
    let squares = x.iter().map(|x| x * x).collect();
    (x, squares)
}

#[test]
fn functions_of_users_run_on_a_device() {
    let Some(machine) = device("users", "") else {
        return;
    };
    let device = wengert::Device::from(machine);
    let said = "Stand-in (CUDA 12.4, compute capability 9.0, 4.0 GiB, device 0)";
    assert_eq!(device.name(), said);
    let f = |x: Var| (x * x).sum();
    let f = jit(value_and_grad(f)).on(&device);
    let (x, _) = squares(1000);
    let (value, slope) = f.call(Array::from(x.clone())).unwrap();
    assert_eq!(slope.device(), device);
    assert_eq!(value.item::<f64>().unwrap(), 332_833_500.0);
    let expected: Vec<f64> = x.iter().map(|x| 2.0 * x).collect();
    assert_eq!(slope.to_vec::<f64>().unwrap(), expected);
    let said = f.explain(Array::from(x)).unwrap().to_string();
    assert!(said.contains("on Stand-in (CUDA 12.4"), "{said}");
    assert!(said.contains("extern \"C\" __global__"), "{said}");
}

/// Memory goes back although nobody waits in between, and another device's is refused.
#[test]
fn memory_is_used_again() {
    for (i, pools) in POOLS.iter().enumerate() {
        let conf = format!("{pools}memory=300000\ndevices=2\n");
        let Some(all) = open(&format!("again_{i}"), &conf) else {
            return;
        };
        let all = all.unwrap();
        assert!(all[1].name().ends_with("device 1)"), "{:?}", all[1]);
        let [first, second] = [0, 1].map(|i| wengert::Device::from(all[i].clone()));
        let twice = jit(|x: Var| x + x).on(&first);
        let half = jit(|x: Var| 0.5 * x).on(&first);
        let (x, _) = squares(1000);
        let mut at = Array::from(x.clone()).to_device(&first).unwrap();
        for _ in 0..500 {
            at = half.call(twice.call(at).unwrap()).unwrap();
        }
        assert_eq!(at.to_vec::<f64>().unwrap(), x);
        let there = Array::from(x).to_device(&second).unwrap();
        let refused = twice.call(&there).unwrap_err().to_string();
        assert!(refused.contains("device 1"), "{refused}");
    }
}

#[test]
fn too_little_memory_is_an_error() {
    for (i, pools) in POOLS.iter().enumerate() {
        let Some(machine) = device(&format!("little_{i}"), &format!("{pools}memory=100000\n"))
        else {
            return;
        };
        let device = wengert::Device::from(machine);
        let large = Array::zeros([20_000], DType::F64).to_device(&device);
        let said = large.unwrap_err().to_string();
        assert!(said.contains("160000 bytes; at most 100000"), "{said}");
        // Each array fits, and not both.
        let (x, expected) = squares(8_000);
        let square = jit(|x: Var| x * x).on(&device);
        let there = Array::from(x.clone()).to_device(&device).unwrap();
        let said = square.call(&there).unwrap_err().to_string();
        assert!(said.contains("CUDA_ERROR_OUT_OF_MEMORY"), "{said}");
        drop(there);
        // And then there is room.
        let few = square.call(Array::from(x[..100].to_vec())).unwrap();
        assert_eq!(few.to_vec::<f64>().unwrap(), expected[..100]);
    }
}

/// Functions and results go while calls still wait, and so does memory that others want.
#[test]
fn what_waits_is_kept() {
    for (i, pools) in POOLS.iter().enumerate() {
        let conf = format!("{pools}memory=100000\n");
        let Some(machine) = device(&format!("waits_{i}"), &conf) else {
            return;
        };
        let device = wengert::Device::from(machine);
        let (x, _) = squares(1000);
        let there = Array::from(x.clone()).to_device(&device).unwrap();
        let square = jit(|x: Var| x * x).on(&device);
        drop(square.call(&there).unwrap());
        // There is no room but that of the result.
        let other = Array::zeros([11_000], DType::F64).to_device(&device);
        let zeros = vec![0.0; 11_000];
        assert_eq!(other.unwrap().to_vec::<f64>().unwrap(), zeros);
        drop(square.call(&there).unwrap());
        drop(square);
        assert_eq!(there.to_vec::<f64>().unwrap(), x);
    }
}

/// An error of a kernel shows where a result is read, and from then on everywhere; nothing panics.
#[test]
fn a_broken_device_is_an_error() {
    for (i, pools) in POOLS.iter().enumerate() {
        let Some(machine) = device(&format!("broken_{i}"), &format!("{pools}fails=2\n")) else {
            return;
        };
        let device = wengert::Device::from(machine);
        let square = jit(|x: Var| x * x).on(&device);
        let (x, expected) = squares(100);
        let x = Array::from(x).to_device(&device).unwrap();
        let good = square.call(&x).unwrap();
        let broken = square.call(&x).unwrap();
        // The first call has run before the second one breaks the device, but nobody has read its result.
        let said = broken.to_vec::<f64>().unwrap_err().to_string();
        assert!(
            said.contains("CUDA_ERROR_ILLEGAL_ADDRESS, an illegal"),
            "{said}"
        );
        assert!(said.contains("device Stand-in"), "{said}");
        for again in [good.to_host(), square.call(&x), x.to_host()] {
            let said = again.unwrap_err().to_string();
            assert!(said.contains("CUDA_ERROR_ILLEGAL_ADDRESS"), "{said}");
        }
        assert_eq!(expected.len(), 100);
    }
}

#[test]
fn threads_call_at_once() {
    let Some(machine) = device("threads", "pools=0\n") else {
        return;
    };
    let device = wengert::Device::from(machine);
    let square = Arc::new(jit(|x: Var| x * x).on(&device));
    let calls = |k: usize| {
        let (x, expected) = squares(500 + k);
        for _ in 0..20 {
            let y = square.call(Array::from(x.clone())).unwrap();
            assert_eq!(y.to_vec::<f64>().unwrap(), expected);
        }
    };
    std::thread::scope(|s| {
        for k in 0..4 {
            s.spawn(move || calls(k % 2));
        }
    });
}
