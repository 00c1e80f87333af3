//! Kernels that no back end knows: they are run as they are, once or in each lane.

use std::sync::Arc;

use crate::common::compare::agree;
use wengert_jit::{Options, RunError, compile};
use wengert_loop::buffer::Data;
use wengert_loop::error::Error;
use wengert_loop::loops::affine::Affine;
use wengert_loop::loops::builder::Builder;
use wengert_loop::loops::kernel::{Elements, Gemm, Kernel, Region, Regions, same_value};
use wengert_loop::loops::{BufferKind, Cause, Failure, LoopKind, Program, verify};
use wengert_loop::types::DType;

/// Writes the running sums of its first region to the second, whether they are odd to the third, and turns the fourth
/// round.
#[derive(Clone, Copy, PartialEq, Debug)]
struct Everything {
    n: usize,
}

impl Kernel for Everything {
    fn text(&self) -> String {
        format!("everything {}", self.n)
    }

    fn description(&self) -> String {
        "everything at once".into()
    }

    fn regions(&self) -> Regions {
        Regions::from_iter([
            Region::read(DType::I32, self.n),
            Region::write(DType::I64, self.n),
            Region::write(DType::Bool, self.n),
            Region::change(DType::F64, self.n),
        ])
    }

    fn runs_in_lanes(&self) -> bool {
        true
    }

    fn nanoseconds(&self) -> f64 {
        10.0 * self.n as f64
    }

    fn run(&self, regions: &mut [Elements<'_>]) -> Result<(), Error> {
        let [from, sums, odd, turned] = regions else {
            panic!("four regions");
        };
        let from: &[i32] = from.read().typed();
        let (sums, odd) = (sums.write().typed::<i64>(), odd.write().typed::<bool>());
        let mut sum = 0;
        for (i, &x) in from.iter().enumerate() {
            sum += i64::from(x);
            sums[i] = sum;
            odd[i] = sum % 2 != 0;
        }
        turned.write().typed::<f64>().reverse();
        Ok(())
    }

    fn equals(&self, other: &dyn Kernel) -> bool {
        same_value(self, other)
    }
}

/// Fails, or panics.
#[derive(Debug)]
struct Fails {
    panics: bool,
}

impl Kernel for Fails {
    fn text(&self) -> String {
        "fails".into()
    }

    fn description(&self) -> String {
        "a failure".into()
    }

    fn regions(&self) -> Regions {
        Regions::from_iter([Region::write(DType::F64, 1)])
    }

    fn nanoseconds(&self) -> f64 {
        1.0
    }

    fn run(&self, _: &mut [Elements<'_>]) -> Result<(), Error> {
        assert!(!self.panics, "the kernel's own words");
        let cause = Cause::Check("the kernel's own error".into());
        Err(Failure { cause, at: None }.error())
    }
}

fn kernel_at(start: i64, n: usize) -> Program {
    let mut b = Builder::new();
    let from = b.buffer(DType::I32, n + 3, BufferKind::Input(0));
    let turned = b.buffer(DType::F64, n + 3, BufferKind::Output(0));
    let sums = b.buffer(DType::I64, n, BufferKind::Output(1));
    let odd = b.buffer(DType::Bool, n, BufferKind::Output(2));
    for i in 0..n + 3 {
        let x = b.f64(i as f64);
        b.store(turned, &Affine::constant(i as i64), x);
    }
    let at = |at| Affine::constant(at);
    let regions = [
        (from, at(start)),
        (sums, at(0)),
        (odd, at(0)),
        (turned, at(start)),
    ];
    b.kernel(Arc::new(Everything { n }), &regions);
    b.finish()
}

#[test]
fn on_whole_arrays() {
    for n in [0, 1, 7, 100] {
        let from = Data::I32((0..n as i32 + 3).map(|i| i * 7 - 20).collect());
        let out = agree(&kernel_at(2, n), &[from]);
        let [Data::F64(turned), Data::I64(sums), Data::Bool(odd)] = &out[..] else {
            panic!("three results");
        };
        let mut wanted: Vec<f64> = (0..n + 3).map(|i| i as f64).collect();
        wanted[2..n + 2].reverse();
        assert_eq!(*turned, wanted);
        let mut sum = 0;
        for i in 0..n {
            sum += (i as i64 + 2) * 7 - 20;
            assert_eq!((sums[i], odd[i]), (sum, sum % 2 != 0));
        }
    }
}

/// The same in lanes, with a last block that is not full and inside a branch.
#[test]
fn in_lanes() {
    let (lanes, n) = (19, 3);
    let mut b = Builder::new();
    let x = b.buffer(DType::I32, lanes * n, BufferKind::Input(0));
    let y = b.buffer(DType::I64, lanes * n, BufferKind::Output(0));
    let z = b.buffer(DType::F64, lanes * n, BufferKind::Output(1));
    let nothing = b.f64(-1.0);
    let none = b.i64(-1);
    let extent = b.i64(lanes as i64);
    b.for_(LoopKind::Vector, extent, &[], |b, i, _| {
        let [from, sums, odd, turned] = [DType::I32, DType::I64, DType::Bool, DType::F64]
            .map(|dtype| b.buffer(dtype, n, BufferKind::Local));
        let lane = b.affine(i);
        let row = b.scale(&lane, n as i64);
        let at = |k: i64| Affine::constant(k);
        for k in 0..n as i64 {
            let place = b.add_scaled(&row, &at(k), 1);
            let v = b.load(x, &place);
            b.store(from, &at(k), v);
            let v = b.convert(v, DType::F64);
            b.store(turned, &at(k), v);
        }
        let two = b.i64(2);
        let rest = b.op(wengert_loop::loops::ScalarOp::Rem, &[i, two]);
        let zero = b.i64(0);
        let even = b.op(wengert_loop::loops::ScalarOp::Eq, &[rest, zero]);
        let results = b.if_(
            even,
            |b| {
                let regions = [from, sums, odd, turned].map(|buffer| (buffer, at(0)));
                b.kernel(Arc::new(Everything { n }), &regions);
                let mut results = vec![];
                for k in 0..n as i64 {
                    let sum = b.load(sums, &at(k));
                    let odd = b.load(odd, &at(k));
                    let odd = b.convert(odd, DType::I64);
                    let ten = b.i64(10);
                    let tens = b.mul(sum, ten);
                    results.push(b.add(tens, odd));
                    results.push(b.load(turned, &at(k)));
                }
                results
            },
            |_| [none, nothing].repeat(n),
        );
        for k in 0..n {
            let place = b.add_scaled(&row, &at(k as i64), 1);
            b.store(y, &place, results[2 * k]);
            b.store(z, &place, results[2 * k + 1]);
        }
        vec![]
    });
    let from = |i: usize| (i as i32 * 11) % 17 - 8;
    let out = agree(
        &b.finish(),
        &[Data::I32((0..lanes * n).map(from).collect())],
    );
    let [Data::I64(y), Data::F64(z)] = &out[..] else {
        panic!("two results");
    };
    for lane in 0..lanes {
        let mut sum = 0;
        for k in 0..n {
            sum += i64::from(from(lane * n + k));
            let turned = f64::from(from(lane * n + n - 1 - k));
            let wanted = match lane % 2 {
                0 => (sum * 10 + i64::from(sum % 2 != 0), turned),
                _ => (-1, -1.0),
            };
            assert_eq!((y[lane * n + k], z[lane * n + k]), wanted, "{lane} {k}");
        }
    }
}

fn failing(panics: bool) -> Result<(), RunError> {
    let mut b = Builder::new();
    let y = b.buffer(DType::F64, 1, BufferKind::Output(0));
    b.kernel(Arc::new(Fails { panics }), &[(y, Affine::default())]);
    let exe = compile(&b.finish(), &Options::default()).expect("it compiles");
    exe.run(&[], &mut [&mut Data::F64(vec![0.0])])
}

#[test]
fn errors_and_panics_are_the_caller_s() {
    let error = failing(false).expect_err("it fails");
    assert!(
        error.to_string().contains("the kernel's own error"),
        "{error}"
    );
    let panic = std::panic::catch_unwind(|| failing(true)).expect_err("it panics");
    assert!(
        panic
            .downcast_ref::<&str>()
            .is_some_and(|m| m.contains("own words"))
    );
}

/// What does not fit is refused before anything is emitted.
#[test]
fn regions_are_verified() {
    let refused = |program: &Program| verify::verify(program).expect_err("it does not fit");
    assert!(refused(&kernel_at(4, 7)).contains("region 0 of everything 7"));
    assert!(refused(&kernel_at(-1, 7)).contains("region 0 of everything 7"));
    let product = Gemm {
        dtype: DType::F64,
        m: 2,
        n: 2,
        k: 2,
        c: (2, 1),
        a: (2, 1),
        b: (2, 1),
    };
    let with = |regions: &[(bool, i64)]| {
        let mut b = Builder::new();
        let x = b.buffer(DType::F64, 4, BufferKind::Input(0));
        let y = b.buffer(DType::F64, 8, BufferKind::Output(0));
        let regions = regions.iter().map(|&(output, at)| {
            let buffer = if output { y } else { x };
            (buffer, Affine::constant(at))
        });
        let regions: Vec<_> = regions.collect();
        b.kernel(Arc::new(product), &regions);
        b.finish()
    };
    let (x, y) = (false, true);
    verify::verify(&with(&[(y, 0), (x, 0), (x, 0)])).expect("factors may be one");
    verify::verify(&with(&[(y, 0), (y, 4), (x, 0)])).expect("parts of one buffer");
    assert!(refused(&with(&[(y, 0), (y, 3), (x, 0)])).contains("overlap"));
    assert!(refused(&with(&[(x, 0), (y, 0), (y, 0)])).contains("read-only"));
    assert!(refused(&with(&[(y, 5), (x, 0), (x, 0)])).contains("region 0"));
    assert!(refused(&with(&[(y, 0), (x, 0)])).contains("of 2 regions"));
}

/// The sum of each row, and the row with that added to its elements. Rows with a NaN fail.
#[derive(Clone, Copy, PartialEq, Debug)]
struct RowSums {
    rows: usize,
    n: usize,
}

impl Kernel for RowSums {
    fn text(&self) -> String {
        format!("row_sums {}x{}", self.rows, self.n)
    }

    fn description(&self) -> String {
        "sums of rows".into()
    }

    fn regions(&self) -> Regions {
        Regions::from_iter([
            Region::write(DType::F64, self.rows),
            Region::change(DType::F64, self.rows * self.n),
        ])
    }

    fn rows(&self) -> usize {
        self.rows
    }

    fn nanoseconds(&self) -> f64 {
        10_000.0 * self.rows as f64
    }

    fn run(&self, regions: &mut [Elements<'_>]) -> Result<(), Error> {
        let [sums, rows] = regions else {
            panic!("two regions");
        };
        let (mut sums, mut rows) = (sums.write(), rows.write());
        let (sums, rows): (&mut [f64], &mut [f64]) =
            (sums.reborrow().typed(), rows.reborrow().typed());
        assert_eq!(sums.len() * self.n, rows.len(), "whole rows");
        for (i, to) in sums.iter_mut().enumerate() {
            let row = &mut rows[i * self.n..(i + 1) * self.n];
            *to = row.iter().sum();
            if to.is_nan() {
                let cause = Cause::Check("a row with a NaN".into());
                return Err(Failure { cause, at: None }.error());
            }
            row.iter_mut().for_each(|x| *x += *to);
        }
        Ok(())
    }

    fn equals(&self, other: &dyn Kernel) -> bool {
        same_value(self, other)
    }
}

fn sums_of_rows(rows: usize, n: usize) -> Program {
    let mut b = Builder::new();
    let from = b.buffer(DType::F64, rows * n, BufferKind::Input(0));
    let sums = b.buffer(DType::F64, rows, BufferKind::Output(0));
    let to = b.buffer(DType::F64, rows * n, BufferKind::Output(1));
    for i in 0..rows * n {
        let at = Affine::constant(i as i64);
        let x = b.load(from, &at);
        b.store(to, &at, x);
    }
    let start = Affine::constant(0);
    b.kernel(
        Arc::new(RowSums { rows, n }),
        &[(sums, start.clone()), (to, start)],
    );
    b.finish()
}

/// Threads share the rows of a kernel; each is given whole rows, and each row once.
#[test]
fn threads_share_rows() {
    for (rows, n) in [(0, 3), (1, 3), (7, 1), (50, 2), (5, 0)] {
        let from: Vec<f64> = (0..rows * n).map(|i| i as f64).collect();
        let out = agree(&sums_of_rows(rows, n), &[Data::F64(from.clone())]);
        let [Data::F64(sums), Data::F64(to)] = &out[..] else {
            panic!("two results");
        };
        for row in 0..rows {
            let want: f64 = from[row * n..row * n + n].iter().sum();
            assert_eq!(sums[row], want);
            for i in row * n..row * n + n {
                assert_eq!(to[i], from[i] + want);
            }
        }
    }
}

#[test]
fn a_row_that_fails_ends_the_call() {
    let mut from = vec![1.0; 100];
    from[63] = f64::NAN;
    let program = sums_of_rows(50, 2);
    let code = compile(&program, &Options::default()).unwrap();
    let (mut sums, mut rows) = (Data::zeros(DType::F64, 50), Data::zeros(DType::F64, 100));
    let from = Data::F64(from);
    let error = code.run(&[&from], &mut [&mut sums, &mut rows]).unwrap_err();
    assert!(error.to_string().contains("a row with a NaN"), "{error}");
}
