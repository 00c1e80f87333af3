//! The text form of programs: printed programs are parsed again, and errors in a text are reported
//! with their positions.

use expect_test::{Expect, expect};

use crate::loops::{Program, Stmt, While};
use crate::source::{Place, SourceId};

/// Everything that a program may have.
const WHOLE: &str = r#"b0: f64[4] input 0
b1: f64[8] output 0
b2: i64[4] constant 0
b3: f64[8] call
b4: f64[2] task
b5: u32[26] local
b6: f64[2] constant 1
constant 0: i64 1, -2, 0, 0
constant 1: f64 NaN, 0x7ff8000000000001
constant 2: u64 7, 0 * 4
l0: list (f64[2], i64[1]) @ a.rs:1:2
l1: list* (bool[1])
failure 0: Check("a \"b\"\n\u{1b}") @ a.rs:3:4 and "b c.rs:5:6"
failure 1: MaxSteps("fori", 9)
f0 half(v0: f64*) {
  unused v3: bool*
  v1: f64* = 0.5
  v2: f64* = mul v0, v1
  yield v2
}
f1 "e to the x"(v0: f64*) is exp {
  v1: i64* = 0
  v2: i64* = b2[base v1 + 1]
  v4: i64* = while (v3 = v2) limit 18446744073709551615 {
    v5: bool* = lt v3, v1
    yield v5
  } do {
    v6: i64* = add v3, v3
    yield v6
  }
  yield v0
}
unused v8: bool*, v9: u8
v0: i64 = 4
v1: f64 = -inf
v4: f64 = for reverse v2 < v0 (v3 = v1) {
  v5: f64 = b0[v2]
  v6: f64 = f0(v5)
  v7: f64 = add v3, v6
  yield v7
}
b1[7] = v4
copy 4: b3[4] = b0[0]
gemm 2x2x2 strides (2, 1) (2, 1) (1, 2): b3[0], b0[0], b0[0]
sort 2x4 descending: b3[0]
for parallel v10 < v0 {
  b4[1] = v1
}
for vector v11 < v0 {
  v12: f64* = b0[i]
  v13: f64* = b0[v11]
  v14: f64* = b0[v0 + -1*i + v11 + -4]
  v15: bool* = lt v12, v13
  v16: f64*, v17: f64* = if v15 {
    fail 0
    yield v14, v12
  } else {
    yield v1, v1
  }
  b1[2*i] = v16
  block of Draws: b5[0], b5[10]
  begin l1
  v18: i64 = 0
  push l1 v18
  l1.0[v18][0] = v15
  v19: i64 = 1
  v20: i64 = finish l1 rows v19
  v21: bool* = l1(v20).0[v18][0]
}
begin l0
v22: i64 = finish l0 rows v0
v23: i64 = handle l0(v22).1
v24: i64 = rows v23
v25: i64 = list(v23)[v24][0]
v27: f64 = while (v26 = v4) limit 10 @ a.rs:7:8 {
  v28: bool = lt v26, v1
  yield v28
} do {
  yield v26
}
"#;

#[test]
fn what_is_printed_is_read() {
    let program = Program::parse(WHOLE).unwrap_or_else(|e| panic!("{e}"));
    let printed = program.to_string();
    assert_eq!(printed, WHOLE);
    assert_eq!(Program::parse(&printed).expect("it is read"), program);
    let Some(Stmt::While(While { at, .. })) = program.body.stmts.last() else {
        panic!("{program}");
    };
    let place = Place {
        file: "a.rs".into(),
        line: 7,
        column: 8,
        parent: None,
    };
    assert_eq!(*at, Some(SourceId::at(place)));
    let unplaced = format!("{program:#}");
    assert!(!unplaced.contains('@'), "{unplaced}");
}

/// Names are free, and so are spaces, ends of lines and comments.
#[test]
fn a_person_names_values() {
    let text = "b0: f64[3] output 0 ; the result
        n: i64 = 3 x: f64 = 1.5
        total: f64 = for k < n (sum = x) { next: f64 = add sum, x yield next }
        b0[2] = total";
    let program = Program::parse(text).unwrap_or_else(|e| panic!("{e}"));
    let numbered = expect![[r#"
        b0: f64[3] output 0
        v0: i64 = 3
        v1: f64 = 1.5
        v5: f64 = for v2 < v0 (v3 = v1) {
          v4: f64 = add v3, v1
          yield v4
        }
        b0[2] = v5
    "#]];
    numbered.assert_eq(&program.to_string());
}

#[track_caller]
fn refused(text: &str, message: Expect) {
    let error = Program::parse(text).expect_err("it is not a program");
    message.assert_eq(&error.to_string());
}

#[test]
fn mistakes_have_places() {
    refused(
        "b0: f16[3] input 0",
        expect!["line 1: column 5: expected an element type, found `f16`"],
    );
    refused(
        "b0: f64[3] inputs 0",
        expect![
            "line 1: column 12: expected `input`, `output`, `constant`, `call`, `task` or `local`, found `inputs`"
        ],
    );
    refused(
        "b0: f64[3] input 0\nb2: f64[3] output 0",
        expect!["line 2: column 1: expected `b1`: they come in order, found `b2`"],
    );
    refused(
        "v0: f64 = 1.0\nv1: f64 = add v0, v2",
        expect!["line 2: column 19: expected a value, and `v2` is not defined before"],
    );
    refused(
        "v0: f64 = 1.0\nv0: f64 = 2.0",
        expect!["line 2: column 1: `v0` is defined twice"],
    );
    refused(
        "v0: f64 = 1.0\nx: f64 = 2.0",
        expect!["line 2: column 1: `x` among values that are called v0, v1 and so on"],
    );
    refused(
        "v1: f64 = 1.0",
        expect![
            "line 1: column 14: there is no v0: values are numbered without gaps, or named; one that nothing defines is declared by `unused v0: f64` in front of the first statement"
        ],
    );
    refused(
        "v0: u8 = 300",
        expect![
            "line 1: column 10: expected a number of type u8, an operation, an element, a call, or rows of a list, found `300`"
        ],
    );
    refused(
        "v0: f64 = sine v0",
        expect![
            "line 1: column 11: expected a number of type f64, an operation, an element, a call, or rows of a list, found `sine`"
        ],
    );
    refused(
        "n: i64 = 2\nfor k < n (a = n) { }",
        expect!["line 2: column 1: the loop carries 1 values, and defines 0"],
    );
    refused(
        "n: i64 = 2\nfor k < n {",
        expect!["line 2: column 12: expected `}`, found the end"],
    );
    refused(
        "b0: f64[3] output 0\nn: i64 = 2\nx: f64 = b0[n + n]",
        expect![
            "line 3: column 17: an index is a sum of one number, one multiple of `i`, one value that is the same in all lanes, and one that is not: add them first"
        ],
    );
    refused(
        "failure 0: Check(\"a",
        expect!["line 1: column 18: a string that does not end"],
    );
    refused(
        "failure 0: MaxSteps(\"fori\", 3) @ here",
        expect!["line 1: column 34: expected a file, a line and a column: FILE:LINE:COLUMN"],
    );
    refused(
        "}",
        expect!["line 1: column 1: expected a statement or the end, found `}`"],
    );
    let deep = format!("p: bool = true {}", "if p {".repeat(300));
    refused(
        &deep,
        expect!["line 1: column 1552: blocks nested deeper than 256"],
    );
}

#[test]
fn kernels_of_others_cannot_be_read() {
    for text in [
        "host print: b0[0]",
        "mine 3 of 4: b0[0]",
        "sort 2x2 up: b0[0]",
    ] {
        let word = text.split(' ').next().unwrap();
        let error = Program::parse(&format!("b0: f64[4] output 0\n{text}")).unwrap_err();
        let wanted = format!(
            "line 2: column 1: expected a statement, or a kernel that can be read, found `{word}`"
        );
        assert!(error.to_string().starts_with(&wanted), "{error}");
    }
}

/// A text with arbitrary deletions or insertions is parsed or refused, without a panic.
#[test]
fn no_text_panics() {
    let places: Vec<usize> = (0..WHOLE.len())
        .filter(|&i| WHOLE.is_char_boundary(i))
        .collect();
    let mut read = 0;
    for (n, &start) in places.iter().enumerate().step_by(7) {
        for (length, instead) in [(1, ""), (3, ""), (40, ""), (1, "0"), (0, "v1"), (2, "}")] {
            let end = places.get(n + length).copied().unwrap_or(WHOLE.len());
            let text = [&WHOLE[..start], instead, &WHOLE[end..]].concat();
            read += usize::from(Program::parse(&text).is_ok());
        }
    }
    assert!(read > 0);
}

/// A parsed program is verified.
#[test]
fn rules_are_kept() {
    let error = Program::parse("v0: f64 = 1.0\nv1: f64 = 2.0\nv2: f64 = xor v0, v1");
    let message = error.expect_err("floats").to_string();
    assert!(
        message.starts_with("not a valid program: Xor is not for f64"),
        "{message}"
    );
}
