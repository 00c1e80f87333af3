//! Drawing a function as a graph in the language of Graphviz.

use std::fmt::Write;

use super::Lines;
use crate::ir::text::{atom, commas, operation};
use crate::ir::{Atom, Eqn, Func};

impl Func {
    /// Returns the function as a graph for Graphviz (`dot -Tsvg`). Each equation is a node with its types, the place
    /// where it is written and, if the file can be read, the line itself. Each use of a value is an edge. The
    /// functions that an operation holds are clusters within the cluster of the function around them.
    ///
    /// ```
    /// use wengert_ir::ir::Func;
    ///
    /// let f = Func::parse("wengert 1\nfn(v0: f64) {\n  v1: f64 = sin(v0) @ model.rs:3:7\n  return v1\n}\n")?;
    /// assert!(f.to_dot().contains("f0v0 -> f0e0"));
    /// # Ok::<(), wengert_ir::error::Error>(())
    /// ```
    pub fn to_dot(&self) -> String {
        let mut graph = Graph {
            text: String::new(),
            functions: 0,
            lines: Lines::default(),
        };
        graph.line(0, "digraph wengert {");
        graph.line(1, "node [shape=box, fontname=\"monospace\"];");
        graph.line(1, "edge [fontname=\"monospace\"];");
        graph.line(1, "compound=true;");
        graph.function(self, "fn", 1);
        graph.line(0, "}");
        graph.text
    }
}

struct Graph {
    text: String,
    /// The number of functions so far, which is the prefix of the next function's nodes.
    functions: usize,
    lines: Lines,
}

impl Graph {
    fn line(&mut self, depth: usize, text: &str) {
        writeln!(self.text, "{:1$}{text}", "", 2 * depth).expect("a string takes everything");
    }

    /// Writes a function as a cluster and returns its number.
    fn function(&mut self, func: &Func, title: &str, depth: usize) -> usize {
        let own = self.functions;
        self.functions += 1;
        self.line(depth, &format!("subgraph cluster_f{own} {{"));
        self.line(depth + 1, &format!("label={};", quoted(title)));
        self.line(depth + 1, &format!("f{own} [shape=point, style=invis];"));
        // The node that defines each value.
        let mut nodes: Vec<String> = vec![];
        for id in 0..func.params {
            let label = quoted(&format!("v{id}: {}", func.types[id as usize]));
            let node = format!("f{own}v{id}");
            self.line(
                depth + 1,
                &format!("{node} [label={label}, shape=ellipse];"),
            );
            nodes.push(node);
        }
        for (n, eqn) in func.eqns.iter().enumerate() {
            let node = format!("f{own}e{n}");
            let label = self.label(func, eqn);
            self.line(depth + 1, &format!("{node} [label={}];", quoted(&label)));
            self.edges(func, &nodes, &eqn.inputs, &node, depth + 1);
            let bodies = eqn.op.bodies();
            for (i, body) in bodies.iter().enumerate() {
                let name = operation(&eqn.op);
                let title = format!("{name}, function {} of {}", i + 1, bodies.len());
                let inner = self.function(body, &title, depth + 1);
                let to = format!("f{inner} [style=dashed, lhead=cluster_f{inner}]");
                self.line(depth + 1, &format!("{node} -> {to};"));
            }
            nodes.extend(eqn.outputs.clone().map(|_| node.clone()));
        }
        let results = commas(func.results.iter().map(atom));
        let label = quoted(format!("return {results}").trim_end());
        let node = format!("f{own}r");
        self.line(
            depth + 1,
            &format!("{node} [label={label}, shape=ellipse];"),
        );
        self.edges(func, &nodes, &func.results, &node, depth + 1);
        self.line(depth, "}");
        own
    }

    fn edges(&mut self, func: &Func, nodes: &[String], from: &[Atom], to: &str, depth: usize) {
        for a in from {
            if let Atom::Var(id) = a {
                let label = quoted(&format!("v{id}: {}", func.type_of(*a)));
                let from = &nodes[*id as usize];
                self.line(depth, &format!("{from} -> {to} [label={label}];"));
            }
        }
    }

    /// Returns the label of an equation: its text and each place where it is written.
    fn label(&mut self, func: &Func, eqn: &Eqn) -> String {
        let value = |id: u32| format!("v{id}: {}", func.types[id as usize]);
        let outputs = commas(eqn.outputs.clone().map(value));
        let equals = if outputs.is_empty() { "" } else { " = " };
        let inputs = commas(eqn.inputs.iter().map(atom));
        let mut label = format!("{outputs}{equals}{}({inputs})", operation(&eqn.op));
        for place in eqn.source.places() {
            write!(label, "\n{place}").expect("a string takes everything");
            if let Some(line) = self.lines.of(&place) {
                write!(label, "  {line}").expect("a string takes everything");
            }
        }
        label
    }
}

/// Quotes a string for Graphviz; its lines are aligned to the left.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\l"),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    if text.contains('\n') {
        out.push_str("\\l");
    }
    out.push('"');
    out
}
