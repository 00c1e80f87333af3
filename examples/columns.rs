//! Columns of a table of text as arrays, and a line through two of them.
//!
//! `cargo run --release --example columns -- --file data/lynx_hare.csv --x year --y hare`

use std::collections::BTreeMap;
use std::error::Error;

use csv_core::{ReadFieldResult, Reader, ReaderBuilder};
use wengert::prelude::*;

/// Reads the fields of the next line, and returns whether there was one.
fn line(reader: &mut Reader, text: &mut &[u8], fields: &mut Vec<String>) -> bool {
    fields.clear();
    let mut field = vec![0; text.len() + 1];
    let mut n = 0;
    loop {
        let (result, read, written) = reader.read_field(text, &mut field[n..]);
        *text = &text[read..];
        n += written;
        match result {
            ReadFieldResult::Field { record_end } => {
                fields.push(String::from_utf8_lossy(&field[..n]).trim().to_string());
                n = 0;
                if record_end {
                    return true;
                }
            }
            ReadFieldResult::End => return false,
            // What is left is empty: the next call sees the end.
            ReadFieldResult::InputEmpty | ReadFieldResult::OutputFull => {}
        }
    }
}

/// Makes arrays of the columns of a table whose first line has their names. Lines that begin with `#` are comments; a
/// column is made of `f64`s, and an empty field is a NaN.
fn columns(text: &str) -> Result<BTreeMap<String, Array>, Box<dyn Error>> {
    let mut reader = ReaderBuilder::new().comment(Some(b'#')).build();
    let (mut rest, mut names, mut fields) = (text.as_bytes(), vec![], vec![]);
    line(&mut reader, &mut rest, &mut names);
    let mut columns = vec![vec![]; names.len()];
    while line(&mut reader, &mut rest, &mut fields) {
        let at = || text[..text.len() - rest.len()].trim_end().lines().count();
        if fields.len() != names.len() {
            let (n, m) = (fields.len(), names.len());
            return Err(format!("line {} has {n} fields, and there are {m} columns", at()).into());
        }
        for ((field, column), name) in fields.iter().zip(&mut columns).zip(&names) {
            column.push(match &**field {
                "" => f64::NAN,
                field => (field.parse())
                    .map_err(|_| format!("line {}, column {name}: {field:?} is no number", at()))?,
            });
        }
    }
    let mut arrays = BTreeMap::new();
    for (name, column) in names.into_iter().zip(columns) {
        if arrays.insert(name.clone(), Array::from(column)).is_some() {
            return Err(format!("two columns are named {name}").into());
        }
    }
    Ok(arrays)
}

fn main() -> Result<(), Box<dyn Error>> {
    let given: Vec<String> = std::env::args().skip(1).collect();
    let option = |name: &str, default: &str| {
        let at = given
            .iter()
            .position(|a| a.strip_prefix("--") == Some(name));
        at.and_then(|i| given.get(i + 1))
            .map_or(default.to_string(), String::clone)
    };
    let default = concat!(env!("CARGO_MANIFEST_DIR"), "/../data/lynx_hare.csv");
    let file = option("file", default);
    let table = columns(&std::fs::read_to_string(&file).map_err(|e| format!("{file}: {e}"))?)?;
    let column = |name: &str| {
        let has = || table.keys().cloned().collect::<Vec<_>>().join(", ");
        table
            .get(name)
            .ok_or_else(|| format!("{file} has no column {name}; it has {}", has()))
    };
    let (x, y) = (option("x", "year"), option("y", "hare"));

    // Least squares: the slope is a ratio of centred sums.
    let line = jit(|(x, y): (Var, Var)| {
        let (dx, dy) = (x - x.mean(), y - y.mean());
        let slope = (dx * dy).sum() / dx.square().sum();
        (slope, y.mean() - slope * x.mean())
    });
    let (slope, height) = line.call((column(&x)?, column(&y)?))?;
    let (slope, height): (f64, f64) = (slope.try_into()?, height.try_into()?);
    println!(
        "{y} = {slope:.4} {x} + {height:.4}, of {} rows",
        column(&x)?.len()
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_becomes_arrays() {
        let table = columns("# units\nt, x\n0, 1.5\n1, \n2, -3e2\n").unwrap();
        assert_eq!(table["t"], Array::from([0.0, 1.0, 2.0]));
        let x = table["x"].to_vec::<f64>().unwrap();
        assert!(x[0] == 1.5 && x[1].is_nan() && x[2] == -300.0);
    }

    #[test]
    fn mistakes_have_their_line() {
        let wrong = |text: &str| columns(text).unwrap_err().to_string();
        assert_eq!(
            wrong("t,x\n0,1\n1,one\n"),
            "line 3, column x: \"one\" is no number"
        );
        assert_eq!(wrong("t,t\n0,1\n"), "two columns are named t");
        assert_eq!(
            wrong("t,x\n0\n"),
            "line 2 has 1 fields, and there are 2 columns"
        );
    }
}
