//! The text form: what is written is parsed back, bit by bit, and mistakes are reported.

use expect_test::{Expect, expect};
use wengert_ir::ir::verify::verify;
use wengert_ir::ir::{Atom, DType, Func, Splat, Type};
use wengert_ir::ops::check::check;
use wengert_ir::ops::rows;
use wengert_ir::source::{Place, SourceId};
use wengert_ir::trace::{Kind, Var, closed, iota};

fn trace(params: &[Type], f: impl FnOnce(&[Var]) -> Vec<Var>) -> Func {
    closed(Kind::Door, params, f).func
}

#[track_caller]
fn round_trip(func: &Func) {
    let text = func.to_string();
    let back = Func::parse(&text).unwrap_or_else(|e| panic!("{e}\n{text}"));
    assert_eq!(back, *func, "\n{text}");
    assert_eq!(back.to_string(), text);
}

#[track_caller]
fn refused(text: &str, expected: Expect) {
    let error = Func::parse(text).expect_err("a program that is not valid");
    expected.assert_eq(&error.to_string());
}

#[test]
fn it_reads_well() {
    let vector = Type::new(DType::F64, &[3]);
    let func = trace(&[vector.clone(), vector], |x| {
        let y = (2.0 * x[0] - x[1]).to(DType::F32);
        vec![y.lt(0.0).select(y.sin(), -0.0), iota(3, DType::I64)]
    });
    let expected = expect![[r#"
        wengert 1
        fn(v0: f64[3], v1: f64[3]) {
          v2: f64[3] = mul(2.0: f64[3], v0)
          v3: f64[3] = sub(v2, v1)
          v4: f32[3] = convert{to=f32}(v3)
          v5: bool[3] = lt(v4, 0.0: f32[3])
          v6: f32[3] = sin(v4)
          v7: f32[3] = select(v5, v6, -0.0: f32[3])
          v8: i64[3] = iota{ty=i64[3], axis=0}()
          return v7, v8
        }
    "#]];
    expected.assert_eq(&format!("{func:#}"));
    round_trip(&func);
}

#[test]
fn checks_are_read_back() {
    let func = trace(&[Type::new(DType::F64, &[3])], |x| {
        check(x[0].gt(0.0), "all \"x\" are {positive}");
        vec![]
    });
    let expected = expect![[r#"
        wengert 1
        fn(v0: f64[3]) {
          v1: bool[3] = lt(0.0: f64[3], v0)
          v2: bool = all{axes=[0]}(v1)
          check{message="all \"x\" are {positive}"}(v2)
          return
        }
    "#]];
    expected.assert_eq(&format!("{func:#}"));
    round_trip(&func);
}

#[test]
fn every_row_is_read_back() {
    for op in rows::all() {
        let signature = op.row().signature;
        for dtype in DType::ALL {
            if !signature.elements.contains(dtype) {
                continue;
            }
            let mut params = vec![Type::new(dtype, &[2, 3]); signature.arity];
            if signature.predicate {
                params[0] = params[0].with_dtype(DType::Bool);
            }
            round_trip(&trace(&params, |x| vec![op.apply(x)]));
        }
    }
}

#[test]
fn literals_are_read_back_bit_by_bit() {
    let f64s = [
        0.0,
        -0.0,
        0.1,
        1e300,
        5e-324,
        f64::MAX,
        f64::INFINITY,
        f64::NEG_INFINITY,
        f64::NAN,
        -f64::NAN,
    ];
    let mut bits: Vec<(DType, u64)> = f64s.map(|x| (DType::F64, x.to_bits())).to_vec();
    bits.push((DType::F64, 0x7ff0_0000_0000_0001));
    let f32s = [0.1f32, -0.0, f32::MIN_POSITIVE, f32::NAN, f32::INFINITY];
    bits.extend(f32s.map(|x| (DType::F32, u64::from(x.to_bits()))));
    bits.push((DType::F32, 0xffc0_1234));
    bits.push((DType::I32, u64::from(i32::MIN as u32)));
    bits.push((DType::I64, -1i64 as u64));
    bits.extend([DType::U32, DType::U64, DType::U8, DType::Bool].map(|d| (d, 1)));
    bits.push((DType::U64, u64::MAX));
    let literal = |&(dtype, bits): &(DType, u64)| {
        [Type::scalar(dtype), Type::new(dtype, &[2, 0])].map(|ty| Splat::new(&ty, bits))
    };
    let func = Func {
        results: bits.iter().flat_map(literal).map(Atom::Lit).collect(),
        ..Func::default()
    };
    round_trip(&func);
    let text = func.to_string();
    for shown in [
        "0.1: f64",
        "inf: f64[2,0]",
        "nan: f64",
        "0x7ff0000000000001: f64",
        "true: bool",
    ] {
        assert!(text.contains(shown), "{shown} in {text}");
    }
}

#[test]
fn run_time_axes_are_read_back() {
    let text = "wengert 1\nfn(a: f64[?,3], b: f64[2,?]) {\n  c: f64[?,3] = add(a, 0.0: f64[?,3])\n  \
                return c, b\n}\n";
    let func = Func::parse(text).expect("a program");
    round_trip(&func);
}

#[test]
fn places_are_read_back() {
    let place = |file: &str, line: u32, parent: Option<SourceId>| {
        SourceId::at(Place {
            file: file.into(),
            line,
            column: 3,
            parent,
        })
    };
    let outer = place("src/outer.rs", 1, None);
    let both = outer.union(place("/tmp/a \"b\"\n.rs", 2, None));
    let sources = [
        outer,
        both,
        place("C:\\src\\model.rs", 3, Some(outer)),
        place("src/model.rs", 4, Some(both)),
        place("src/model.rs", 5, Some(place("and", 6, Some(both)))).union(outer),
        place("", 7, Some(place("in", 8, Some(outer)))),
    ];
    let mut func = trace(&[Type::scalar(DType::F64)], |x| {
        vec![
            sources
                .iter()
                .enumerate()
                .fold(x[0], |y, (i, _)| y + i as f64),
        ]
    });
    for (eqn, source) in func.eqns.iter_mut().zip(sources) {
        eqn.source = source;
    }
    round_trip(&func);
}

#[test]
fn what_is_not_a_program() {
    refused(
        "wengert 2\nfn() {\n return\n}",
        expect!["line 1: a program begins with the line `wengert 1`"],
    );
    refused(
        "wengert 1\n",
        expect!["line 1: expected `fn`, found the end"],
    );
    refused(
        "wengert 1\nfn() {\n  return v0\n}",
        expect!["line 3: `v0` is not defined before"],
    );
    refused(
        "wengert 1\nfn(x: f64, x: f64) {\n  return x\n}",
        expect!["line 2: `x` is defined twice"],
    );
    refused(
        "wengert 1\nfn(x: f16) {\n  return x\n}",
        expect!["line 2: expected a type, found `f16`"],
    );
    refused(
        "wengert 1\nfn(x: f64) {\n  y: f64 = sine(x)\n  return y\n}",
        expect!["line 3: no operation `sine` with these parameters"],
    );
    refused(
        "wengert 1\nfn(x: f64) {\n  y: f64 = sin{n=3}(x)\n  return y\n}",
        expect!["line 3: no operation `sin` with these parameters"],
    );
    refused(
        "wengert 1\nfn(x: f64) {\n  y: f32 = convert{to=3}(x)\n  return y\n}",
        expect!["line 3: no operation `convert` with these parameters"],
    );
    refused(
        "wengert 1\nfn() {\n  return 300: u8\n}",
        expect!["line 4: `300` is not a number of type u8"],
    );
    refused(
        "wengert 1\nfn() {\n  return\n} x",
        expect!["line 4: expected the end, found `x`"],
    );
    refused(
        "wengert 1\nfn(x: f64) {\n  return \"x\n}",
        expect!["line 3: a string that does not end"],
    );
    let deep = format!(
        "wengert 1\nfn(x: f64) {{\n{}",
        "y: f64 = sin(x) fn(x: f64) {\n".repeat(10_000)
    );
    refused(&deep, expect!["line 67: nested deeper than 64"]);
}

/// Texts with a few characters changed are either refused or parsed, and a parsed function can be written.
#[test]
fn no_text_panics() {
    let vector = Type::new(DType::F64, &[3]);
    let func = trace(&[vector.clone(), vector], |x| {
        let y = (2.0 * x[0] - x[1]).to(DType::F32);
        vec![y.lt(0.0).select(y.sin(), f32::NAN), iota(3, DType::I64)]
    });
    let text = func.to_string();
    let mut state = 1u64;
    let mut random = |n: usize| {
        state = state
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        (state >> 33) as usize % n
    };
    let pieces = [
        "\"", "9", "-", ":", ",", "[", "]", "{", "}", "(", ")", "?", "@", "\n", "\\", "v1", "fn",
        "é", " ",
    ];
    let mut read = 0;
    for _ in 0..5_000 {
        let mut chars: Vec<char> = text.chars().collect();
        for _ in 0..=random(3) {
            let (at, length) = (random(chars.len()), random(3));
            let end = (at + length).min(chars.len());
            let piece = pieces[random(pieces.len())];
            chars.splice(at..end, piece.chars());
        }
        let changed: String = chars.into_iter().collect();
        if let Ok(func) = Func::parse(&changed) {
            read += 1;
            round_trip(&func);
        }
    }
    assert!(read > 50, "{read} changed texts were programs");
}

#[test]
fn what_breaks_a_rule() {
    refused(
        "wengert 1\nfn(x: f64) {\n  y: f32 = sin(x)\n  return y\n}",
        expect!["not a valid program: equation 0 (sin, at text:3:3): gives (f64), not (f32)"],
    );
    refused(
        "wengert 1\nfn(x: f64) {\n  y: f64, z: f64 = sin(x)\n  return y\n}",
        expect!["not a valid program: equation 0 (sin, at text:3:3): gives (f64), not (f64, f64)"],
    );
    refused(
        "wengert 1\nfn(x: f64) {\n  y: f64 = add(x, 1.0: f32)\n  return y\n}",
        expect![
            "not a valid program: equation 0 (add, at text:3:3): f64 and f32 have different element types"
        ],
    );
    refused(
        "wengert 1\nfn() {\n  y: f64 = iota{ty=f64, axis=0}() @ a.rs:1:2\n  return y\n}",
        expect!["not a valid program: equation 0 (iota, at a.rs:1:2): f64 has no axis 0"],
    );
    refused(
        "wengert 1\nfn() {\n  return 1.0: f64[?]\n}",
        expect!["not a valid program: result 0: a literal of type f64[?] is not zero"],
    );
    refused(
        "wengert 1\nfn() {\n  y: f64[9999999999,9999999999] = iota{ty=f64[9999999999,9999999999], axis=0}()\n  return\n}",
        expect!["not a valid program: f64[9999999999,9999999999] is larger than memory can be"],
    );
    refused(
        "wengert 1\nfn() {\n  return 0x100: u8\n}",
        expect!["not a valid program: result 0: a literal has more bits than u8"],
    );
}

#[test]
fn the_verifier_sees_numbering() {
    let scalar = Type::scalar(DType::F64);
    let good = trace(std::slice::from_ref(&scalar), |x| vec![x[0].sin().cos()]);
    assert_eq!(verify(&good), Ok(()));
    let check = |spoil: &dyn Fn(&mut Func), expected: Expect| {
        let mut func = good.clone();
        for eqn in &mut func.eqns {
            let (file, line, column) = ("a.rs".into(), 1, 2);
            eqn.source = SourceId::at(Place {
                file,
                line,
                column,
                parent: None,
            });
        }
        spoil(&mut func);
        expected.assert_eq(&verify(&func).expect_err("a broken rule").to_string());
    };
    check(
        &|f| f.eqns.swap(0, 1),
        expect![
            "not a valid program: equation 0 (cos, at a.rs:1:2): operand 0: v1 is used before it is defined"
        ],
    );
    check(
        &|f| f.eqns[0].inputs[0] = Atom::Var(1),
        expect![
            "not a valid program: equation 0 (sin, at a.rs:1:2): operand 0: v1 is used before it is defined"
        ],
    );
    check(
        &|f| f.results[0] = Atom::Var(3),
        expect!["not a valid program: result 0: v3 is used before it is defined"],
    );
    check(
        &|f| f.types.push(scalar.clone()),
        expect!["not a valid program: 3 values are defined, and 4 have a type"],
    );
    check(
        &|f| f.params = 5,
        expect!["not a valid program: 5 parameters, but only 3 values"],
    );
    check(
        &|f| drop(f.eqns.remove(1)),
        expect!["not a valid program: 2 values are defined, and 3 have a type"],
    );
}
