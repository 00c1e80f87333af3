//! Laws that must hold for every program, and for the result of each transform on it.
//!
//! A law takes a [`Case`] and says whether it holds. If it does not, [`Law::broken`] shrinks the program.

mod batches;
mod case;
mod code;
mod derivatives;
mod subject;

pub use batches::flattened;
pub(crate) use batches::stacked;
pub use case::Case;
pub(crate) use case::Given;
pub use subject::Subject;

use std::panic::{AssertUnwindSafe, catch_unwind};

use wengert::Error;
use wengert_ir::error::said;

use crate::close::Failure;
use crate::program::{Program, shrunk};

/// The outcome of testing a law.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// It holds.
    Held,
    /// The test is inconclusive: the finite differences do not converge, as at a jump or a kink.
    Unclear,
    /// The program's derivatives are too large to test.
    TooLarge,
}

/// A law, by name.
#[derive(Clone, Copy, Debug)]
pub struct Law {
    /// Its name.
    pub name: &'static str,
    /// Tests whether it holds.
    pub holds: fn(&Case) -> Result<Verdict, Failure>,
}

/// Every law.
pub const LAWS: &[Law] = &[
    Law {
        name: "first derivatives",
        holds: derivatives::first,
    },
    Law {
        name: "second derivatives",
        holds: derivatives::second,
    },
    Law {
        name: "vmap is a loop",
        holds: batches::a_loop,
    },
    Law {
        name: "flattened batches",
        holds: batches::flattening,
    },
    Law {
        name: "plain style",
        holds: derivatives::plain_style,
    },
    Law {
        name: "checkpoint",
        holds: derivatives::recomputed,
    },
    Law {
        name: "rewrites",
        holds: code::rewrites,
    },
    Law {
        name: "text form",
        holds: code::text_form,
    },
    Law {
        name: "machine code",
        holds: code::machine_code,
    },
    Law {
        name: "lanes",
        holds: code::machine_code_in_lanes,
    },
];

impl Law {
    /// Tests the law on a function; a panic counts as a failure.
    ///
    /// # Errors
    /// If it does not.
    pub fn check(&self, case: &Case) -> Result<Verdict, Failure> {
        let check = || (self.holds)(case);
        catch_unwind(AssertUnwindSafe(check)).unwrap_or_else(|payload| {
            let message = said(&*payload).map(|s| format!("panic: {s}"));
            let message = message.or(payload.downcast_ref::<Error>().map(|e| e.to_string()));
            Err(Failure(message.unwrap_or_else(|| "panic".into())))
        })
    }

    /// Describes the failure of a case; if it is a program, for a version shrunk by at most `tries` attempts.
    pub fn broken(&self, case: &Case, failure: Failure, tries: usize) -> Broken {
        let alone = |program: &Program| self.check(&Case::new(program.clone().into()));
        let Subject::Program(program) = &case.subject else {
            return Broken {
                law: self.name,
                subject: case.subject.clone(),
                failure,
            };
        };
        let small = shrunk(program, tries, |p| alone(p).is_err());
        Broken {
            law: self.name,
            failure: alone(&small).err().unwrap_or(failure),
            subject: small.into(),
        }
    }
}

/// A law that does not hold, and the function for which it fails.
#[derive(Clone, Debug)]
pub struct Broken {
    /// The law.
    pub law: &'static str,
    /// The function.
    pub subject: Subject,
    /// The description of the failure.
    pub failure: Failure,
}

impl std::fmt::Display for Broken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "the law \"{}\" is broken: {}", self.law, self.failure)?;
        writeln!(f, "{}", self.subject)?;
        let traced = catch_unwind(AssertUnwindSafe(|| {
            Case::new(self.subject.clone()).value().cloned()
        }));
        match traced {
            Ok(Ok(func)) => write!(f, "{func:#}"),
            Ok(Err(error)) => write!(f, "(it cannot be traced: {error})"),
            Err(_) => write!(f, "(tracing it panics)"),
        }
    }
}
