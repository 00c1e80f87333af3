//! Files of NIST's Statistical Reference Datasets, nonlinear regression.

/// A data set and what is certified of its fit.
#[derive(Debug)]
pub(crate) struct Dataset {
    pub(crate) name: String,
    /// Starts of the unknowns.
    pub(crate) starts: Vec<Vec<f64>>,
    /// The unknowns, and their standard deviations.
    pub(crate) certified: Vec<f64>,
    pub(crate) deviations: Vec<f64>,
    /// The residual sum of squares.
    #[cfg_attr(not(test), expect(dead_code))]
    pub(crate) rss: f64,
    pub(crate) y: Vec<f64>,
    /// A column for each input.
    pub(crate) x: Vec<Vec<f64>>,
}

impl Dataset {
    /// Reads a file: lines such as `b1 = start start value deviation`, and below the last line `Data:` the columns `y`
    /// and `x`.
    pub(crate) fn parse(text: &str) -> Result<Dataset, String> {
        let lines: Vec<&str> = text.lines().map(str::trim).collect();
        let after = |key: &str| lines.iter().find_map(|line| line.strip_prefix(key));
        let name = after("Dataset Name:").and_then(|rest| rest.split_whitespace().next());
        let name = name.ok_or("there is no line `Dataset Name:`")?.to_string();
        let rss = numbers(after("Residual Sum of Squares:").unwrap_or("none"))?[0];
        let (mut starts, mut certified, mut deviations) = (vec![vec![], vec![]], vec![], vec![]);
        for line in &lines {
            let Some((unknown, rest)) = line.split_once('=') else {
                continue;
            };
            let Some(number) = unknown.trim().strip_prefix('b') else {
                continue;
            };
            if number.parse() != Ok(certified.len() + 1) {
                continue;
            }
            let [a, b, value, deviation] = numbers(rest)?[..] else {
                return Err(format!("four numbers were expected in `{line}`"));
            };
            starts[0].push(a);
            starts[1].push(b);
            certified.push(value);
            deviations.push(deviation);
        }
        if certified.is_empty() {
            return Err("there are no lines of unknowns, `b1 = ..`".into());
        }
        let begin = lines.iter().rposition(|line| line.starts_with("Data:"));
        let begin = begin.ok_or("there is no line `Data:`")?;
        let rows = lines[begin + 1..].iter().filter(|line| !line.is_empty());
        let rows: Vec<Vec<f64>> = rows.map(|line| numbers(line)).collect::<Result<_, _>>()?;
        let columns = rows.first().map_or(0, Vec::len);
        if columns < 2 || rows.iter().any(|row| row.len() != columns) {
            return Err("the data are not rows of `y` and `x`".into());
        }
        let column = |i: usize| rows.iter().map(|row| row[i]).collect();
        Ok(Dataset {
            name,
            starts,
            certified,
            deviations,
            rss,
            y: column(0),
            x: (1..columns).map(column).collect(),
        })
    }
}

fn numbers(text: &str) -> Result<Vec<f64>, String> {
    let read = |word: &str| word.parse().map_err(|_| format!("`{word}` is no number"));
    let all: Vec<f64> = text
        .split_whitespace()
        .map(read)
        .collect::<Result<_, _>>()?;
    match all.is_empty() {
        true => Err("a number is missing".into()),
        false => Ok(all),
    }
}
