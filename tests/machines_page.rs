//! The book's table of how each operation is written on each machine is what the code generator says.
//!
//! `UPDATE_EXPECT=1 cargo test -p wengert-tests machines_page` writes it anew.

use expect_test::expect_file;
use wengert_jit::{Cpu, How, how};
use wengert_loop::loops::ScalarOp::{self, *};
use wengert_loop::types::DType;

#[path = "../crates/wengert-jit/tests/common/mod.rs"]
mod common;

use common::single::{OPS, signatures};

/// Processors with vectors of 128 bits, for which the table is.
const NARROW: [Cpu; 3] = [Cpu::X86_64, Cpu::X86_64_V3, Cpu::ARM64];

/// The word of the table: one for all machines, or one for each in their order.
fn cell(op: ScalarOp, from: DType, to: DType, even: bool) -> String {
    let word = |cpu| match how(op, from, to, even, cpu).expect("the machine is known") {
        How::Native => "native",
        How::Composed => "composed",
        How::PerLane => "per lane",
    };
    let [a, b, c] = NARROW.map(word);
    match (a == b, b == c) {
        (true, true) => a.to_string(),
        (false, true) => format!("{a} / {b}"),
        _ => format!("{a} / {b} / {c}"),
    }
}

#[test]
fn the_table_is_current() {
    let now = include_str!("../docs/src/machines.md");
    let text = now.split("\n| | ").next().expect("what the page says");
    let mut page = String::from(text);
    let heads: Vec<String> = DType::ALL.iter().map(|d| format!("`{d}`")).collect();
    let rule = "|---".repeat(DType::ALL.len() + 1);
    page += &format!("\n| | {} |\n{rule}|\n", heads.join(" | "));
    let mut row = |name: String, cells: Vec<String>| {
        page += &format!("| {name} | {} |\n", cells.join(" | "));
    };
    for op in OPS {
        let shift = matches!(op, Shl | Shr | ShrLogical | Rotl);
        if op == Convert {
            continue;
        }
        for even in [false, true] {
            if even && !shift {
                continue;
            }
            let name = match (shift, even) {
                (true, true) => format!("`{op:?}`, evenly"),
                _ => format!("`{op:?}`"),
            };
            let known = signatures(op);
            let cells = DType::ALL.map(|d| {
                let found = known.iter().find(|(ds, _)| ds.last() == Some(&d));
                found.map_or(String::new(), |&(_, o)| cell(op, d, o, even))
            });
            row(name, cells.to_vec());
        }
    }
    for from in DType::ALL {
        let cells = DType::ALL.map(|to| cell(Convert, from, to, false));
        row(format!("`{from}` to"), cells.to_vec());
    }
    expect_file!["../docs/src/machines.md"].assert_eq(&page);
}
