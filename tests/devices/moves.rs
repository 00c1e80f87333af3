//! What moves, when, and what is released.

use std::sync::Arc;

use wengert::prelude::*;

use super::Simulated;

fn gpu() -> (Arc<Simulated>, Device) {
    let gpu = Simulated::new("a GPU");
    (gpu.clone(), gpu.into())
}

#[test]
fn results_stay_until_they_are_read() {
    let (gpu, device) = gpu();
    let step = jit(|x: Var| 0.5 * x + 1.0).on(&device);
    let x = device.put(&Array::from([0.0, 4.0, 8.0, 16.0])).unwrap();
    let mut y = x.clone();
    for _ in 0..10 {
        y = step.call(&y).unwrap();
    }
    assert_eq!(gpu.counts().all(), [1, 0, 10]);
    // Shape and type are known without reading; the array in another shape is the same memory.
    assert_eq!((y.shape(), y.dtype(), y.len()), (&[4][..], DType::F64, 4));
    let square = y.clone().reshape([2, 2]).unwrap();
    assert_eq!(
        (square.device(), square.shape()),
        (device.clone(), &[2, 2][..])
    );
    assert_eq!(step.call(&square).unwrap().shape(), [2, 2]);
    assert_eq!(gpu.counts().all(), [1, 0, 11]);

    let half = 0.5f64.powi(10);
    let wanted = [0.0, 4.0, 8.0, 16.0].map(|x| 2.0 + (x - 2.0) * half);
    assert_eq!(y.to_vec::<f64>().unwrap(), wanted);
    assert_eq!(square.get::<f64>([1, 0]).unwrap(), wanted[2]);
    assert_eq!(format!("{y}"), format!("{}", Array::from(wanted)));
    assert_eq!(format!("{y:?}"), format!("{:?}", Array::from(wanted)));
    assert_eq!(y, Array::from(wanted));
    assert!(y.all_close(&Array::from(wanted), 0.0, 0.0));
    assert_eq!(gpu.counts().all(), [1, 1, 11]);
    // Having been read, it is still there.
    assert_eq!(y.device(), device);
    step.call(&y).unwrap();
    assert_eq!(gpu.counts().all(), [1, 1, 12]);
}

#[test]
fn a_call_returns_before_it_runs() {
    let (gpu, device) = gpu();
    let f = jit(|x: Var| x * x).on(&device);
    let paused = gpu.pause();
    let y = f.call([3.0]).unwrap();
    let z = f.call(&y).unwrap();
    assert_eq!(gpu.counts().all(), [1, 0, 2]);
    drop(paused);
    assert_eq!(z.to_vec::<f64>().unwrap(), [81.0]);
    assert_eq!(gpu.counts().all(), [1, 1, 2]);
}

#[test]
fn memory_is_released() {
    let (gpu, device) = gpu();
    let step = jit(|x: Var| x + 1.0).on(&device);
    let bytes = 8 * 1000;
    let mut x = device.put(&Array::zeros([1000], DType::F64)).unwrap();
    assert_eq!(gpu.counts().live(), bytes);
    for _ in 0..10 {
        // An argument that is moved in is given up.
        x = step.call(x).unwrap();
    }
    assert_eq!(x.get::<f64>(0).unwrap(), 10.0);
    assert_eq!(gpu.counts().live(), bytes);
    // One that is lent is not, and what is copied for a call goes with it.
    let y = step.call(&x).unwrap();
    let z = step.call(vec![0.0; 1000]).unwrap();
    assert_eq!(
        (y.get::<f64>(0).unwrap(), z.get::<f64>(0).unwrap()),
        (11.0, 1.0)
    );
    assert_eq!(gpu.counts().live(), 3 * bytes);
    // What the host has of it does not keep the device's memory.
    let host = y.to_host().unwrap();
    drop((x, y, z));
    assert_eq!(gpu.counts().live(), 0);
    assert_eq!(
        (host.device(), host.get::<f64>(0).unwrap()),
        (Device::cpu(), 11.0)
    );
}

#[test]
fn arrays_on_the_host_are_copied_in_each_call() {
    let (gpu, device) = gpu();
    let f = jit(|(x, y): (Var, Var)| x * y).on(&device);
    let x = Array::from([1.0, 2.0]);
    for n in 1..4 {
        f.call((&x, 2.0)).unwrap();
        assert_eq!(gpu.counts().all(), [2 * n, 0, n]);
    }
    let there = x.to_device(&device).unwrap();
    // There it is: nothing to copy.
    assert_eq!(there.to_device(&device).unwrap().device(), device);
    f.call((&there, 2.0)).unwrap();
    assert_eq!(gpu.counts().all(), [8, 0, 4]);
}

#[test]
fn captured_arrays_are_copied_once() {
    let (gpu, device) = gpu();
    let weights = Array::from([1.0, 2.0, 3.0]);
    let there = Array::from([0.5, 0.25, 0.125]).to_device(&device).unwrap();
    let copy = there.clone();
    let f = jit(move |x: Var| x * &weights + &copy).on(&device);
    let x = Array::from([1.0, 1.0, 1.0]).to_device(&device).unwrap();
    assert_eq!(gpu.counts().all(), [2, 0, 0]);
    let first = f.call(&x).unwrap();
    // One is copied when the function is compiled; the other is there, and read when it is traced.
    assert_eq!(gpu.counts().all(), [3, 1, 1]);
    let second = f.call(&x).unwrap();
    assert_eq!(gpu.counts().all(), [3, 1, 2]);
    assert_eq!(first, Array::from([1.5, 2.25, 3.125]));
    assert_eq!(first, second);
    // The code keeps them, as long as it lives.
    drop((there, first, second, x));
    assert_eq!(gpu.counts().live(), 6 * 8);
    drop(f);
    assert_eq!(gpu.counts().live(), 0);
}

#[test]
fn functions_of_the_cpu_read_once() {
    let (gpu, device) = gpu();
    let x = Array::from([1.0, 2.0]).to_device(&device).unwrap();
    let f = jit(|x: Var| x + 1.0);
    for _ in 0..3 {
        assert_eq!(f.call(&x).unwrap(), Array::from([2.0, 3.0]));
        assert_eq!(&x + 1.0, Array::from([2.0, 3.0]));
        assert_eq!((&x + 1.0).device(), Device::cpu());
    }
    let code = f.compile(&x).unwrap();
    let mut y = device.put(&Array::zeros([2], DType::F64)).unwrap();
    code.call_into(&x, &mut y).unwrap();
    assert_eq!((y.device(), y), (Device::cpu(), Array::from([2.0, 3.0])));
    assert_eq!(f.call(x).unwrap(), Array::from([2.0, 3.0]));
    assert_eq!(gpu.counts().all(), [2, 1, 0]);
}

#[test]
fn what_is_written_moves_to_the_host() {
    let (gpu, device) = gpu();
    let x = Array::from([1.0, 2.0]).to_device(&device).unwrap();
    let mut y = x.clone();
    y.set(0, 5.0).unwrap();
    assert_eq!((y.device(), &y), (Device::cpu(), &Array::from([5.0, 2.0])));
    assert_eq!((x.device(), &x), (device.clone(), &Array::from([1.0, 2.0])));
    let mut z = x.clone();
    z.as_mut_slice::<f64>().unwrap().reverse();
    z += 1.0;
    assert_eq!(z, Array::from([3.0, 2.0]));
    assert_eq!(x.clone().into_vec::<f64>().unwrap(), [1.0, 2.0]);
    let pair: [f64; 2] = x.try_into().unwrap();
    assert_eq!(pair, [1.0, 2.0]);
    assert_eq!(gpu.counts().all(), [1, 1, 0]);
    assert_eq!(gpu.counts().live(), 0);
}

#[test]
fn other_crates_and_files_read() {
    use wengert_interop::ndarray_0_17::{ToNdarray, ndarray};
    use wengert_interop::npy;

    let (gpu, device) = gpu();
    let x = jit(|x: Var| x * 2.0).on(&device).call([1.0, 2.0]).unwrap();
    let wanted = Array::from([2.0, 4.0]);
    let text = serde_json::to_string(&x).unwrap();
    assert_eq!(serde_json::from_str::<Array>(&text).unwrap(), wanted);
    let table: ndarray::Array1<f64> = x.to_ndarray().unwrap();
    assert_eq!(table[1], 4.0);
    let mut file = vec![];
    npy::write_to(&mut file, &x, npy::Layout::default()).unwrap();
    assert_eq!(npy::read_from(&file[..]).unwrap(), wanted);
    assert_eq!(gpu.counts().all(), [1, 1, 1]);
}

#[test]
fn from_one_device_to_another() {
    let ((one, a), (two, b)) = (gpu(), gpu());
    assert_ne!(a, b);
    let f = jit(|x: Var| x * 3.0);
    let (on_a, on_b) = (f.on(&a), jit(|x: Var| x + 1.0).on(&b));
    let x = on_a.call([1.0, 2.0]).unwrap();
    let error = on_b.call(&x).unwrap_err().to_string();
    assert!(
        error.starts_with(
            "call: args is on a GPU, and the function runs on a GPU: move it there, by `to_device`, at "
        ),
        "{error}"
    );
    let y = on_b.call(x.to_device(&b).unwrap()).unwrap();
    assert_eq!((y.device(), &y), (b.clone(), &Array::from([4.0, 7.0])));
    assert_eq!(one.counts().all(), [1, 1, 1]);
    assert_eq!(two.counts().all(), [1, 1, 1]);
    let home = Device::cpu().put(&(x, y)).unwrap();
    assert_eq!(home.0.device(), Device::cpu());
    assert_eq!(home.1, Array::from([4.0, 7.0]));
    assert_eq!(one.counts().all(), [1, 1, 1]);
}

#[test]
fn threads_share_functions_and_arrays() {
    let (gpu, device) = gpu();
    let f = jit(|x: Var| x.sin().sum()).on(&device);
    let x = device.put(&Array::full([100], 0.5)).unwrap();
    let y = f.call(&x).unwrap();
    let wanted = jit(|x: Var| x.sin().sum()).call(vec![0.5; 100]).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..5 {
                    assert_eq!(f.call(&x).unwrap(), wanted);
                    assert_eq!(y, wanted);
                }
            });
        }
    });
    // The array that all read has been copied once.
    assert_eq!(gpu.counts().all(), [1, 21, 21]);
}

#[test]
fn the_cpu_is_a_device() {
    let cpu = Device::cpu();
    let f = jit(|x: Var| 2.0 * x).on(&cpu);
    let x = cpu.put(&Array::from([1.0, 2.0])).unwrap();
    let place = x.as_slice::<f64>().unwrap().as_ptr();
    // Nothing has changed: memory that is moved in is written over.
    assert_eq!(
        f.call(x).unwrap().as_slice::<f64>().unwrap().as_ptr(),
        place
    );
    assert_eq!((cpu.name(), cpu.is_cpu()), ("CPU".to_string(), true));
    assert_eq!(format!("{cpu} {cpu:?}"), "CPU Device(CPU)");
    assert_eq!(Device::default(), cpu);
    // A back end is the CPU's, whatever was said before.
    let (gpu, device) = gpu();
    let f = jit(|x: Var| 2.0 * x)
        .on(&device)
        .backend(wengert::backend::Interpreter);
    assert_eq!(f.call(1.0).unwrap().device(), cpu);
    assert_eq!(gpu.counts().all(), [0, 0, 0]);
}

#[test]
fn devices_are_found_by_name() {
    let all = [Simulated::new("GeForce RTX 4090"), Simulated::new("Radeon")];
    let find = |name| Device::find(name, all.clone());
    assert_eq!(find("").unwrap(), Device::from(all[0].clone()));
    assert_eq!(find("radeon").unwrap(), Device::from(all[1].clone()));
    assert_eq!(find("cpu").unwrap(), Device::cpu());
    let error = find("a100").unwrap_err().to_string();
    assert!(
        error.starts_with(
            "Device::find: no device is called `a100`: there are GeForce RTX 4090, Radeon, CPU, at "
        ),
        "{error}"
    );
}

#[test]
fn an_explanation_says_what_moves() {
    let (_, device) = gpu();
    let table = Array::from([1.0, 2.0]);
    let f = jit(move |(x, n): (Var, Var)| (x * &table).sum() * n).on(&device);
    let text = f.explain(([1.0, 2.0], 3.0)).unwrap().to_string();
    for line in [
        "on a GPU | a call moves 24 bytes if its arguments are on the host",
        "args.0: f64[2], 16 bytes to the device, unless it is there",
        "args.1: f64, 8 bytes to the device, unless it is there",
        "an array of the function's own: f64[2], 16 bytes that stay there",
        "out: f64, stays there; 8 bytes to the host when it is read",
        "loops",
        "memory on the way",
        "code for the device",
        "a program of the simulated device",
        "  1 launch",
    ] {
        assert!(
            text.contains(&format!("{line}\n")) || text.ends_with(line),
            "{line}: {text}"
        );
    }
    assert!(!text.contains("bytes of instructions"), "{text}");
    let code = f.compile(([1.0, 2.0], 3.0)).unwrap();
    assert!(code.dump(wengert::Stage::LoopIr).unwrap().contains("mul"));
    let listed = code.dump(wengert::Stage::MachineCode).unwrap();
    assert!(listed.starts_with("a program of the simulated device"));
    assert_eq!(code.scratch_bytes(), 0);
    let error = code.estimate(1.0).unwrap_err().to_string();
    assert!(
        error.starts_with("estimate: the function runs on a GPU"),
        "{error}"
    );
    let error = f.profile(([1.0, 2.0], 3.0)).unwrap_err().to_string();
    assert!(
        error.starts_with("profile: the function runs on a GPU"),
        "{error}"
    );
}
