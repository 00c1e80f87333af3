//! Command line options.

pub const USAGE: &str = "\
Times of calls, of compilation and of runs.

Usage: wengert-bench [PREFIX ..] [--peers PYTHON [--rounds N] [--markdown FILE]]

  PREFIX ..        the workloads whose names begin so; all unless given
  --exact NAME     the one workload of that name
  --list           the names of the workloads
  --prices         the estimated time of a run of each, and the shortest measured one
  --threads-table  what all threads gain on batches of long runs, and what batches of gradients cost
  --work-precision true error and time of each method of integration at tolerances from 1e-4 to 1e-10
  --explain        what became of each function, instead of its times
  --peers PYTHON   also in JAX, Numba and SciPy, as far as that Python has them, and in C if there is a gcc:
                   in turns, each in a process of its own, and one table
  --rounds N       how often each takes its turn; the table has medians [3]
  --markdown FILE  writes the table to a file, too
  --help           this text";

pub struct Options {
    pub prefixes: Vec<String>,
    pub exact: Option<String>,
    pub list: bool,
    pub explain: bool,
    pub prices: bool,
    pub threads_table: bool,
    pub work_precision: bool,
    pub peers: Option<String>,
    pub rounds: usize,
    pub markdown: Option<String>,
}

impl Options {
    /// Parses a command line; returns `None` for help.
    pub fn parse(mut args: impl Iterator<Item = String>) -> Result<Option<Options>, String> {
        let mut options = Options {
            prefixes: vec![],
            exact: None,
            list: false,
            explain: false,
            prices: false,
            threads_table: false,
            work_precision: false,
            peers: None,
            rounds: 3,
            markdown: None,
        };
        while let Some(arg) = args.next() {
            let mut value = || args.next().ok_or(format!("{arg} wants a value"));
            match arg.as_str() {
                "--help" | "-h" => return Ok(None),
                "--list" => options.list = true,
                "--explain" => options.explain = true,
                "--threads-table" => options.threads_table = true,
                "--work-precision" => options.work_precision = true,
                "--prices" => options.prices = true,
                "--exact" => options.exact = Some(value()?),
                "--peers" => options.peers = Some(value()?),
                "--markdown" => options.markdown = Some(value()?),
                "--rounds" => {
                    let n = value()?;
                    options.rounds = match n.parse() {
                        Ok(n) if n > 0 => n,
                        _ => return Err(format!("--rounds wants a number above 0, not {n}")),
                    }
                }
                _ if arg.starts_with('-') => return Err(format!("unknown flag {arg}")),
                _ => options.prefixes.push(arg),
            }
        }
        match options.markdown.is_some() && options.peers.is_none() {
            true => Err("--markdown is for the table of --peers".into()),
            false => Ok(Some(options)),
        }
    }

    /// Returns whether a workload is selected.
    pub fn want(&self, name: &str) -> bool {
        match &self.exact {
            Some(exact) => name == exact,
            None => {
                let begins = |p: &String| name.starts_with(p.as_str());
                self.prefixes.is_empty() || self.prefixes.iter().any(begins)
            }
        }
    }
}
