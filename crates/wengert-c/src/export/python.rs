//! A module of Python that calls a source's functions by `ctypes`.

use std::fmt::Write;

use wengert::DType;

use super::function::{Function, Leaf, Role};
use crate::CError;
use crate::names;
use crate::unit::Unit;

/// The part of the module that is the same for all functions.
const COMMON: &str = include_str!("module.py");

/// The words that Python keeps for itself, and the names of the parameters that are in every method.
const RESERVED: &str = "\
    False None True and as assert async await break class continue def del elif else except finally for from \
    global if import in is lambda nonlocal not or out pass raise return self try while with yield";

/// The modules that the module imports, of which it cannot have the name.
const IMPORTED: &str = "collections ctypes numpy pathlib sys threading";

/// The module.
pub(super) fn module(name: &str, unit: &Unit, functions: &[Function]) -> Result<String, CError> {
    if names::among(IMPORTED, name) || names::among(RESERVED, name) {
        return Err(CError::Abi {
            abi: "Python".into(),
            why: format!("{name} cannot name a module that imports {IMPORTED}"),
        });
    }
    let mut text = format!(
        r#""""{name}: written by Wengert.

Calls the functions of {name}.c by ctypes. They must be a shared library beside this file:

    cc -O2 -march=native -shared -fPIC {name}.c -o lib{name}.so

>>> import {name}
>>> model = {name}.Model()
>>> help(model.value)
"""

import collections
import ctypes
import pathlib
import sys
import threading

import numpy as np

_NAME = "{name}"
_WORDS = {}
"#,
        unit.scratch_words()
    );
    text += COMMON;
    let mut tables = String::new();
    for f in functions {
        let (table, method) = function(f);
        tables += &table;
        text += &method;
    }
    let all: Vec<String> = functions.iter().map(|f| constant(f.role).into()).collect();
    let _ = write!(text, "\n\n{tables}_FUNCTIONS = [{}]\n", all.join(", "));
    Ok(text)
}

/// The names of a method, of the tuple that it returns, and of what the module knows of the function.
fn titles(role: Role) -> (&'static str, &'static str) {
    match role {
        Role::Value => ("value", "Value"),
        Role::Jvp => ("jvp", "Jvp"),
        Role::Vjp => ("vjp", "Vjp"),
        Role::Jacobian => ("jacobian", "Jacobian"),
    }
}

fn constant(role: Role) -> &'static str {
    match role {
        Role::Value => "_VALUE",
        Role::Jvp => "_JVP",
        Role::Vjp => "_VJP",
        Role::Jacobian => "_JACOBIAN",
    }
}

/// A type of NumPy.
fn kind(dtype: DType) -> &'static str {
    match dtype {
        DType::F64 => "float64",
        DType::F32 => "float32",
        DType::I64 => "int64",
        DType::I32 => "int32",
        DType::U64 => "uint64",
        DType::U32 => "uint32",
        DType::U8 => "uint8",
        DType::Bool => "bool",
    }
}

/// What the module knows of a function, and its method.
fn function(f: &Function) -> (String, String) {
    let (method, tuple) = titles(f.role);
    let ports: Vec<&str> = f.leaf_names().map(String::as_str).collect();
    let same = |name: &str| name.to_string();
    let ports = names::elsewhere(&ports, |name| names::among(RESERVED, name), same);
    let (x, y) = ports.split_at(f.inputs.len());
    let mut table = format!("{} = _Function(\n    \"{}\",\n", constant(f.role), f.name);
    for (leaves, names) in [(&f.inputs, x), (&f.outputs, y)] {
        table += "    [\n";
        for (l, name) in leaves.iter().zip(names) {
            let _ = writeln!(
                table,
                "        (\"{name}\", \"{}\", {}),",
                kind(l.port.dtype),
                tupled(&l.spec.shape)
            );
        }
        table += "    ],\n";
    }
    table += ")\n";
    let returned = match y.len() {
        1 => "None".to_string(),
        _ => {
            let fields: Vec<String> = y.iter().map(|y| format!("\"{y}\"")).collect();
            let _ = writeln!(
                table,
                "{tuple} = collections.namedtuple(\"{tuple}\", [{}])",
                fields.join(", ")
            );
            tuple.to_string()
        }
    };
    let mut text = String::from("\n    def ");
    let mut params = vec!["self".to_string()];
    params.extend(x.iter().cloned());
    params.push("*".into());
    params.push("out=None".into());
    let _ = write!(
        text,
        "{method}({}):\n        \"\"\"{}\n\n        Arguments:\n",
        params.join(", "),
        f.said()
    );
    listed(&mut text, &f.inputs, x);
    text += "\n        Results:\n";
    listed(&mut text, &f.outputs, y);
    let given: String = x.iter().map(|x| format!("{x}, ")).collect();
    let _ = write!(
        text,
        "        \"\"\"\n        return self._call({}, ({}), out, {returned})\n",
        constant(f.role),
        given.trim_end()
    );
    (table, text)
}

fn listed(text: &mut String, leaves: &[Leaf], names: &[String]) {
    for (Leaf { port, spec, said }, name) in leaves.iter().zip(names) {
        let shape = match spec.shape[..] {
            [] => String::new(),
            _ => format!(" {}", tupled(&spec.shape)),
        };
        // What is said has the keys of maps, which may be any text.
        let said = said.replace('\\', "\\\\").replace('"', "\\\"");
        let _ = writeln!(
            text,
            "            {name}: {}{shape}, {said}",
            kind(port.dtype)
        );
    }
}

/// A tuple of Python.
fn tupled(shape: &[usize]) -> String {
    let all: String = shape.iter().map(|n| format!("{n}, ")).collect();
    match shape.len() {
        1 => format!("({})", all.trim_end()),
        _ => format!("({})", all.trim_end_matches(", ")),
    }
}
