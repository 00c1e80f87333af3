//! Lists: built by one, by lanes and by tasks, and read wherever their handles get to.

use crate::common::compare::{agree, check, wide_loops};
use crate::common::*;
use wengert_jit::{Options, RunError, compile};
use wengert_loop::buffer::Data;
use wengert_loop::loops::ScalarOp::*;
use wengert_loop::loops::*;
use wengert_loop::types::DType;

impl Build {
    fn list_store(&mut self, list: ListId, field: u32, row: Value, k: i64, value: Value) {
        self.push(Stmt::ListStore(ListStore {
            list,
            field,
            row,
            element: at(k),
            value,
        }));
    }

    fn handle(&mut self, built: Value, list: ListId, field: u32) -> Value {
        self.list_handle(list.field(built, field))
    }

    fn list_load(&mut self, dtype: DType, rows: Rows, row: Value, element: Index) -> Value {
        let lanes = match rows {
            Rows::Of(of) => self.list_of(of.list).lanes,
            Rows::Handle(handle) => self.ty(handle).lanes,
        };
        let out = self.value(dtype, lanes || element.each.is_some());
        let cell = Cell { rows, row, element };
        self.push(Stmt::ListLoad { out, cell });
        out
    }

    /// A list of the squares of the numbers below `n`, beside the numbers themselves.
    fn squares(&mut self, n: Value) -> (ListId, Value) {
        let list = self.list(vec![(DType::I64, 1), (DType::F64, 2)], None);
        self.push(Stmt::ListBegin { list });
        self.for_loop(LoopKind::SERIAL, n, &[], |b, row, _| {
            b.push(Stmt::ListPush { list, row });
            let x = b.op_to(Convert, DType::F64, &[row]);
            let y = b.op(Mul, &[x, x]);
            b.list_store(list, 0, row, 0, row);
            b.list_store(list, 1, row, 0, x);
            b.list_store(list, 1, row, 1, y);
            vec![]
        });
        (list, self.list_finish(list, n))
    }

    /// The sum of an element of all rows of the list behind a handle.
    fn total(&mut self, dtype: DType, handle: Value, element: Index) -> Value {
        let rows = self.list_rows(handle);
        let zero = self.value(dtype, false);
        self.push(Stmt::Const { out: zero, bits: 0 });
        let lanes = self.ty(handle).lanes || element.each.is_some();
        self.for_loop(LoopKind::SERIAL, rows, &[(zero, lanes)], |b, row, p| {
            let v = b.list_load(dtype, Rows::Handle(handle), row, element);
            vec![b.op(Add, &[p[0], v])]
        })[0]
    }
}

/// A number that each lane makes smaller until it is small, its tape by the list itself and by
/// handles; then the handles read by others: behind the loop, and in lanes that choose between their
/// own list, one of all, and none.
#[test]
fn lists_of_one_and_of_lanes() {
    for n in [1i64, 8, 13] {
        let mut b = Build::new();
        let x = b.input(DType::F64, n as usize);
        let y = b.output(DType::F64, n as usize);
        let z = b.output(DType::F64, n as usize);
        let w = b.output(DType::F32, n as usize);
        let handles = b.buffer(DType::I64, n as usize, BufferKind::Call);
        let hundred = b.constant(100i64);
        let (one, squares) = b.squares(hundred);
        let shared = b.handle(squares, one, 1);
        let zero = b.constant(0i64);
        let fzero = b.constant(0.0f64);
        let limit = b.constant(0.01f64);
        let step = b.constant(1i64);
        b.vector(n, |b, _| {
            let v = b.load(x, row());
            let lanes = b.list(
                vec![(DType::F64, 1), (DType::Bool, 1), (DType::F32, 3)],
                None,
            );
            b.push(Stmt::ListBegin { list: lanes });
            let out = b.while_loop(
                &[(v, true), (zero, false), (zero, true)],
                1000,
                |b, p| {
                    let a = b.op(Abs, &[p[0]]);
                    b.op(Lt, &[limit, a])
                },
                |b, p| {
                    let (list, row) = (lanes, p[1]);
                    b.push(Stmt::ListPush { list, row });
                    let half = b.constant(0.7f64);
                    let q = b.op(Mul, &[p[0], half]);
                    let s = b.op(Lt, &[q, fzero]);
                    let f = b.op_to(Convert, DType::F32, &[q]);
                    b.list_store(lanes, 0, row, 0, p[0]);
                    b.list_store(lanes, 1, row, 0, s);
                    b.list_store(lanes, 2, row, 2, f);
                    let q = b.op(Neg, &[q]);
                    let count = b.op(Add, &[p[2], step]);
                    vec![q, b.op(Add, &[row, step]), count]
                },
            );
            let built = b.list_finish(lanes, out[2]);
            let signs = b.handle(built, lanes, 1);
            let floats = b.handle(built, lanes, 2);
            let longs = b.handle(built, lanes, 0);
            let rows = b.list_rows(signs);
            let reverse = LoopKind::Serial { reverse: true };
            let back = b.for_loop(reverse, rows, &[(out[0], true)], |b, i, p| {
                let of = |field| Rows::Of(lanes.field(built, field));
                let t = b.list_load(DType::F64, of(0), i, at(0));
                let s = b.list_load(DType::Bool, Rows::Handle(signs), i, at(0));
                let f = b.list_load(DType::F32, of(2), i, at(2));
                let f = b.op_to(Convert, DType::F64, &[f]);
                let u = b.op(Select, &[s, f, t]);
                vec![b.op(Add, &[p[0], u])]
            });
            b.store(y, row(), back[0]);
            b.store(handles, row(), floats);
            let two = b.constant(2i64);
            let kind = b.op(Rem, &[out[2], two]);
            let even = b.op(Eq, &[kind, zero]);
            let negative = b.op(Lt, &[v, fzero]);
            let other = b.op(Select, &[negative, zero, shared]);
            let chosen = b.op(Select, &[even, longs, other]);
            let total = b.total(DType::F64, chosen, at(0));
            b.store(z, row(), total);
        });
        b.serial(n, |b, i| {
            let handle = b.load(handles, base(i));
            let total = b.total(DType::F32, handle, at(2));
            b.store(w, base(i), total);
        });
        let x: Vec<f64> = (0..n).map(|i| (3 * i - 7) as f64 / 8.0).collect();
        agree(&b.finish(), &[Data::F64(x)]);
    }
}

/// An element that each lane chooses, of a list that all see.
#[test]
fn elements_that_lanes_choose() {
    let mut b = Build::new();
    let n = 11i64;
    let y = b.output(DType::F64, n as usize);
    let z = b.output(DType::F64, n as usize);
    let five = b.constant(5i64);
    let (list, built) = b.squares(five);
    let handle = b.handle(built, list, 1);
    let (one, four) = (b.constant(1i64), b.constant(4i64));
    b.vector(n, |b, i| {
        let odd = b.op(And, &[i, one]);
        let total = b.total(DType::F64, handle, each(odd));
        b.store(y, row(), total);
        let of = Rows::Of(list.field(built, 1));
        let last = b.list_load(DType::F64, of, four, each(odd));
        b.store(z, row(), last);
    });
    let got = agree(&b.finish(), &[]);
    let pick = |even: f64, odd: f64| {
        let all = (0..n).map(|i| if i % 2 == 0 { even } else { odd });
        Data::F64(all.collect())
    };
    assert_eq!(got, [pick(10.0, 30.0), pick(4.0, 16.0)]);
}

/// A handle goes from step to step of a loop, and into the rows of another list.
#[test]
fn handles_are_carried_and_kept_in_lists() {
    let mut b = Build::new();
    let y = b.output(DType::I64, 4);
    let (zero, four) = (b.constant(0i64), b.constant(4i64));
    let list = b.list(vec![(DType::I64, 1)], None);
    let lists = b.list(vec![(DType::I64, 1)], None);
    b.push(Stmt::ListBegin { list: lists });
    // Each list is the one before with a row more, ten times as large.
    b.for_loop(LoopKind::SERIAL, four, &[(zero, false)], |b, i, p| {
        b.push(Stmt::ListPush {
            list: lists,
            row: i,
        });
        b.list_store(lists, 0, i, 0, p[0]);
        let before = b.list_rows(p[0]);
        let one = b.constant(1i64);
        let rows = b.op(Add, &[before, one]);
        b.push(Stmt::ListBegin { list });
        b.for_loop(LoopKind::SERIAL, rows, &[], |b, row, _| {
            b.push(Stmt::ListPush { list, row });
            let has = b.op(Lt, &[row, before]);
            let from = b.op(Select, &[has, p[0], zero]);
            let v = b.list_load(DType::I64, Rows::Handle(from), row, at(0));
            let ten = b.constant(10i64);
            let v = b.op(Mul, &[v, ten]);
            let v = b.op(Add, &[v, one]);
            b.list_store(list, 0, row, 0, v);
            vec![]
        });
        let built = b.list_finish(list, rows);
        vec![b.handle(built, list, 0)]
    });
    let built = b.list_finish(lists, four);
    let lists = b.handle(built, lists, 0);
    b.for_loop(LoopKind::SERIAL, four, &[], |b, i, _| {
        let handle = b.list_load(DType::I64, Rows::Handle(lists), i, at(0));
        let total = b.total(DType::I64, handle, at(0));
        b.store(y, base(i), total);
        vec![]
    });
    assert_eq!(agree(&b.finish(), &[]), [i64s(&[0, 1, 12, 123])]);
}

fn long_list(rows: i64) -> Program {
    let mut b = Build::new();
    let y = b.output(DType::F64, 1);
    let list = b.list(vec![(DType::F64, 100)], None);
    b.push(Stmt::ListBegin { list });
    b.serial(rows, |b, i| {
        b.push(Stmt::ListPush { list, row: i });
        let f = b.op_to(Convert, DType::F64, &[i]);
        b.list_store(list, 0, i, 99, f);
    });
    let (all, last) = (b.constant(rows), b.constant(rows - 1));
    let built = b.list_finish(list, all);
    let of = Rows::Of(list.field(built, 0));
    let v = b.list_load(DType::F64, of, last, at(99));
    b.store(y, at(0), v);
    b.finish()
}

#[test]
fn lists_grow_up_to_a_limit() {
    let p = long_list(20_000);
    let exe = compile(&p, &Options::default()).expect("it compiles");
    for _ in 0..3 {
        let got = run(&exe, &[], &[(DType::F64, 1)]);
        assert_eq!(got[0], f64s(&[19_999.0]));
    }
    let small = Options {
        list_limit: 1 << 20,
        ..Options::default()
    };
    let exe = compile(&p, &small).expect("it compiles");
    for _ in 0..2 {
        match try_run(&exe, &[], &[(DType::F64, 1)]) {
            Err(RunError::ListMemory { need, limit, .. }) => {
                assert!(need > limit && limit == 1 << 20);
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn lists_in_parallel_tasks() {
    let mut b = Build::new();
    let n = 50i64;
    let y = b.output(DType::I64, n as usize);
    let handles = b.buffer(DType::I64, n as usize, BufferKind::Call);
    let extent = b.constant(n);
    b.for_loop(LoopKind::Parallel, extent, &[], |b, r, _| {
        let (list, built) = b.squares(r);
        let handle = b.handle(built, list, 0);
        b.store(handles, base(r), handle);
        vec![]
    });
    b.for_loop(LoopKind::SERIAL, extent, &[], |b, r, _| {
        let handle = b.load(handles, base(r));
        let total = b.total(DType::I64, handle, at(0));
        b.store(y, base(r), total);
        vec![]
    });
    let p = b.finish();
    let want = agree(&p, &[]);
    let always_parallel = Options {
        parallel_above: 0,
        ..Options::default()
    };
    let exe = compile(&p, &always_parallel).expect("it compiles");
    for _ in 0..20 {
        check(&exe, &[], &want);
    }
}

/// Rows of each type, written and read at elements that all lanes share and at those that each lane chooses, in branches
/// that lanes take and do not take, while memory runs out at steps that differ by lane.
#[test]
fn rows_of_every_type_in_lanes() {
    use DType::*;
    for (d, n) in [F64, F32, I64, I32, U32, U64, U8, Bool]
        .into_iter()
        .flat_map(|d| [1i64, 8, 21].map(|n| (d, n)))
    {
        let mut b = Build::new();
        let x = b.input(F64, n as usize);
        let outs: Vec<BufferId> = (0..5).map(|_| b.output(F64, n as usize)).collect();
        let three = b.constant(3i64);
        let (zero, one) = (b.constant(0i64), b.constant(1i64));
        let fzero = b.constant(0.0f64);
        let (common, shared) = b.squares(three);
        b.vector(n, |b, i| {
            let v = b.load(x, row());
            let chosen = b.op(Rem, &[i, three]);
            let next = b.op(Add, &[chosen, one]);
            let next = b.op(Rem, &[next, three]);
            let list = b.list(vec![(Bool, 1), (d, 3)], None);
            b.push(Stmt::ListBegin { list });
            let out = b.while_loop(
                &[(v, true), (zero, false), (zero, true)],
                1000,
                |b, p| {
                    let one = b.constant(1.0f64);
                    b.op(Lt, &[one, p[0]])
                },
                |b, p| {
                    let row = p[1];
                    // Values that live across the push.
                    let kept: Vec<Value> = (0..40)
                        .map(|k| {
                            let c = b.constant(1.0 + f64::from(k));
                            b.op(Mul, &[p[0], c])
                        })
                        .collect();
                    let even = b.op(Rem, &[p[2], three]);
                    let even = b.op(Eq, &[even, zero]);
                    b.push(Stmt::ListPush { list, row });
                    let sum = (kept[1..].iter()).fold(kept[0], |s, &k| b.op(Add, &[s, k]));
                    let of = |b: &mut Build, v: Value| match d {
                        F64 => v,
                        Bool => {
                            let c = b.constant(40.0f64);
                            b.op(Lt, &[c, v])
                        }
                        U8 => {
                            let c = b.constant(200.0f64);
                            let v = b.op(Min, &[c, v]);
                            b.op_to(Convert, U8, &[v])
                        }
                        _ => b.op_to(Convert, d, &[v]),
                    };
                    b.list_store(list, 0, row, 0, even);
                    for k in 0..3 {
                        let v = of(b, kept[k as usize]);
                        b.list_store(list, 1, row, k, v);
                    }
                    let v = of(b, kept[30]);
                    let store = |b: &mut Build, element: Index, value: Value| {
                        b.push(Stmt::ListStore(ListStore {
                            list,
                            field: 1,
                            row,
                            element,
                            value,
                        }));
                    };
                    b.if_else(
                        even,
                        |b| {
                            store(b, each(chosen), v);
                            vec![]
                        },
                        |b| {
                            let v = of(b, kept[7]);
                            store(b, at(2), v);
                            vec![]
                        },
                    );
                    let part = b.constant(1.0f64 / 1024.0);
                    let half = b.constant(0.75f64);
                    let less = b.op(Mul, &[p[0], half]);
                    let nothing = b.op(Mul, &[sum, fzero]);
                    let nothing = b.op(Mul, &[nothing, part]);
                    vec![
                        b.op(Add, &[less, nothing]),
                        b.op(Add, &[row, one]),
                        b.op(Add, &[p[2], one]),
                    ]
                },
            );
            let built = b.list_finish(list, out[2]);
            let handle = b.handle(built, list, 1);
            let rows = b.list_rows(handle);
            let reverse = LoopKind::Serial { reverse: true };
            let init = [(fzero, true); 5];
            let sums = b.for_loop(reverse, rows, &init, |b, i, p| {
                let direct = Rows::Of(list.field(built, 1));
                let handle = Rows::Handle(handle);
                let cells = [
                    (direct, at(1)),
                    (direct, each(next)),
                    (handle, at(2)),
                    (handle, each(chosen)),
                ];
                let mut sums: Vec<Value> = (cells.into_iter().zip(p))
                    .map(|((rows, element), &sum)| {
                        let v = b.list_load(d, rows, i, element);
                        let v = match d {
                            F64 => v,
                            _ => b.op_to(Convert, F64, &[v]),
                        };
                        b.op(Add, &[sum, v])
                    })
                    .collect();
                let of = Rows::Of(common.field(shared, 1));
                let parity = b.op(Rem, &[chosen, one]);
                let last = b.list_load(F64, of, one, each(parity));
                let even = b.list_load(Bool, Rows::Of(list.field(built, 0)), i, at(0));
                let last = b.op(Select, &[even, last, fzero]);
                sums.push(b.op(Add, &[p[4], last]));
                sums
            });
            for (out, sum) in outs.iter().zip(sums) {
                b.store(*out, row(), sum);
            }
        });
        let x: Vec<f64> = (0..n).map(|i| ((i * 7) % 19) as f64 * 0.9).collect();
        let p = b.finish();
        assert_eq!(wide_loops(&p).0, 1, "{d:?}");
        agree(&p, &[Data::F64(x)]);
    }
}
