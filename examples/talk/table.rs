//! The same subjects in Numba and JAX, each in a process of its own, and the table of the book.

use std::process::Command;

use super::Failure;
use super::measure::{Row, Scale, seconds};

/// What a peer has measured.
pub(crate) struct Peer {
    pub tool: String,
    /// Seconds of the first call and the median of later ones.
    pub first: f64,
    pub run: f64,
}

/// Runs a subject in Numba and in JAX, and compares their results with ours.
pub(crate) fn peers(python: &str, row: &Row, scale: Scale) -> Result<Vec<Peer>, Failure> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/talk/peers.py");
    let mut found = vec![];
    for tool in ["numba", "jax"] {
        let mut command = Command::new(python);
        command.args([script, tool, row.name]);
        if scale == Scale::Small {
            command.arg("--small");
        }
        let output = command
            .output()
            .map_err(|error| format!("{python}: {error}"))?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            return Err(format!("{tool} {}: {said}", row.name).into());
        }
        let said = String::from_utf8(output.stdout)?;
        let numbers: Vec<f64> = said
            .split_whitespace()
            .map(str::parse)
            .collect::<Result<_, _>>()
            .map_err(|_| format!("{tool} {}: not numbers: {said}", row.name))?;
        let [first, run, check] = numbers[..] else {
            return Err(format!("{tool} {}: not three numbers: {said}", row.name).into());
        };
        // Random numbers differ between tools; so may a point at the edge of the set.
        let allowed = match row.name {
            "random" | "mandelbrot" => 2e-2,
            _ => 1e-8,
        };
        let off = (check - row.check).abs() / row.check.abs();
        if off.is_nan() || off > allowed {
            return Err(format!("{tool} {}: {check} instead of {}", row.name, row.check).into());
        }
        println!(
            "{:18} {tool}: first call {}, run {}",
            "",
            seconds(first),
            seconds(run)
        );
        found.push(Peer {
            tool: tool.into(),
            first,
            run,
        });
    }
    Ok(found)
}

/// The table of the book.
pub(crate) fn markdown(lines: &[(Row, Vec<Peer>)]) -> String {
    let mut table = String::from(
        "| subject | first call | run | plain Rust | Numba, first | run | JAX, first | run |\n\
         |---|---|---|---|---|---|---|---|\n",
    );
    for (row, peers) in lines {
        let mut cells = vec![
            format!("`{}`", row.name),
            seconds(row.times.first),
            seconds(row.times.run),
            seconds(row.times.plain),
        ];
        for tool in ["numba", "jax"] {
            match peers.iter().find(|peer| peer.tool == tool) {
                Some(peer) => cells.extend([seconds(peer.first), seconds(peer.run)]),
                None => cells.extend(["-".to_string(), "-".to_string()]),
            }
        }
        table.push_str(&format!("| {} |\n", cells.join(" | ")));
    }
    table
}
