//! What ended a solver, for each element of a batch.

use std::fmt::{self, Display};

use wengert::{Array, Error};

/// Declares the reasons, each with its code and its sentence.
macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $text:literal;)*) => {
        /// What ended a solver. In a trace it is a number of type `i64`, its [code](Status::code), with a
        /// value of its own for each element of a batch.
        ///
        /// Codes of success are positive; 0 and below are failures.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        #[non_exhaustive]
        pub enum Status {
            $($(#[$doc])* $name,)*
        }

        impl Status {
            /// All reasons.
            pub const ALL: &'static [Status] = &[$(Status::$name),*];

            /// The number that stands for it in a trace.
            pub const fn code(self) -> i64 {
                match self {
                    $(Status::$name => $code,)*
                }
            }
        }

        impl Display for Status {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self {
                    $(Status::$name => $text,)*
                })
            }
        }
    };
}

reasons! {
    /// The value, such as the sum of squares, changes by less than `ftol` of itself.
    ValueConverged = 1, "converged: the value changes by less than ftol";
    /// The unknowns change by less than `xtol` of their size.
    StepConverged = 2, "converged: the unknowns change by less than xtol";
    /// The gradient, or the angle between residuals and Jacobian, is below `gtol`.
    GradientConverged = 3, "converged: the gradient is below gtol";
    /// The residual is below its tolerance, as of a root or a linear system.
    ResidualConverged = 4, "converged: the residual is below its tolerance";
    /// The estimate of the error is below its tolerance, as of an integral.
    ErrorConverged = 5, "converged: the estimate of the error is below its tolerance";
    /// The interval that holds the solution is shorter than its tolerance.
    IntervalConverged = 6, "converged: the interval is shorter than its tolerance";
    /// The end of the span was reached, as of an integration.
    Finished = 7, "finished: the end was reached";
    /// An event ended the integration.
    Event = 8, "finished: an event ended it";
    /// The limit of steps was reached before any test of convergence held. What was best so far is returned.
    StepLimit = 0, "stopped: the limit of steps was reached";
    /// The function gave NaN or infinity where no shorter step could avoid it.
    NotFinite = -1, "failed: the function is not finite";
    /// The function is not finite at the start.
    StartNotFinite = -2, "failed: the function is not finite at the start";
    /// No step makes progress, and no test of convergence holds.
    Stalled = -3, "failed: no step makes progress";
    /// A linear system on the way has no solution.
    Singular = -4, "failed: a linear system is singular";
    /// The function has the same sign at both ends of the interval.
    NoBracket = -5, "failed: the function does not change its sign in the interval";
    /// The constraints cannot be met together, as far as the solver can see; or the times at which a solution is wanted do not
    /// go one way.
    Infeasible = -6, "failed: the constraints are not met";
    /// The step that the tolerances ask for is shorter than the numbers resolve, or than `dt_min`.
    StepTooSmall = -7, "failed: the steps become too small";
}

impl Status {
    /// The reason that has a code; `None` if there is none.
    ///
    /// ```
    /// use wengert_solve::Status;
    ///
    /// assert_eq!(Status::of(0), Some(Status::StepLimit));
    /// assert_eq!(Status::of(99), None);
    /// ```
    pub fn of(code: i64) -> Option<Status> {
        Status::ALL.iter().copied().find(|s| s.code() == code)
    }

    /// Whether a test of convergence ended the solver, or an integration came to its end.
    pub const fn is_converged(self) -> bool {
        self.code() > 0
    }
}

/// An element of a batch, or the only problem, that a solver did not solve.
#[derive(Clone, PartialEq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Failed {
    /// The only problem.
    #[error("{solver} {status}")]
    One {
        /// The solver's name.
        solver: &'static str,
        /// What ended it.
        status: Status,
    },
    /// The first of the elements of a batch that failed, and how many did.
    #[error("{solver} {status}, for element {element}; {failed} of {all} failed")]
    Element {
        /// The solver's name.
        solver: &'static str,
        /// What ended the first of them.
        status: Status,
        /// Its number, row-major if the batch has several axes.
        element: usize,
        /// The number of elements that failed.
        failed: usize,
        /// The number of elements.
        all: usize,
    },
    /// The array holds no codes of a solver.
    #[error(transparent)]
    Codes(#[from] Error),
}

/// Reads the reasons from an array of codes.
///
/// # Errors
/// If it is not of `i64`, or one of its numbers is no code.
pub fn statuses(codes: &Array) -> Result<Vec<Status>, Error> {
    let read = |&code: &i64| {
        let unknown = || Error::value("status", format!("{code} is no code of a solver"), None);
        Status::of(code).ok_or_else(unknown)
    };
    codes.to_vec::<i64>()?.iter().map(read).collect()
}

/// Requires all elements to have converged; `solver` is its name in the error.
///
/// # Errors
/// If one did not.
pub fn require(solver: &'static str, codes: &Array) -> Result<(), Failed> {
    let all = statuses(codes)?;
    let Some(element) = all.iter().position(|s| !s.is_converged()) else {
        return Ok(());
    };
    let status = all[element];
    Err(match codes.shape().is_empty() {
        true => Failed::One { solver, status },
        false => Failed::Element {
            solver,
            status,
            element,
            failed: all.iter().filter(|s| !s.is_converged()).count(),
            all: all.len(),
        },
    })
}

/// Gives a solver's result, a tree with a leaf `status`, what reads it outside a trace.
macro_rules! outcome {
    ($solver:literal, $result:ident $(<$($p:ident),+>)?) => {
        impl<$($($p),+)?> $result<$($($p,)+)? ::wengert::Array> {
            /// What ended the solver, for each element of the batch in order, or for the only problem.
            ///
            /// # Errors
            /// If the leaf `status` holds no codes.
            pub fn statuses(&self) -> ::wengert::Result<Vec<$crate::Status>> {
                $crate::statuses(&self.status)
            }

            /// Returns the result if every element converged.
            ///
            /// # Errors
            /// If one did not: with the number of the first, what ended it, and how many failed.
            pub fn ok(self) -> Result<Self, $crate::Failed> {
                $crate::status::require($solver, &self.status)?;
                Ok(self)
            }
        }
    };
}
pub(crate) use outcome;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_distinct_and_read_back() {
        for &s in Status::ALL {
            assert_eq!(Status::of(s.code()), Some(s));
            let is_success = ["converged", "finished"]
                .iter()
                .any(|w| s.to_string().starts_with(w));
            assert_eq!(s.is_converged(), is_success);
        }
    }

    #[test]
    fn the_first_failure_is_named() {
        let codes = Array::from([1i64, 0, -3, 2]);
        let error = require("fit", &codes).unwrap_err().to_string();
        assert_eq!(
            error,
            "fit stopped: the limit of steps was reached, for element 1; 2 of 4 failed"
        );
        assert_eq!(require("fit", &Array::from([3i64, 2])), Ok(()));
        let error = require("fit", &Array::from(-3i64)).unwrap_err().to_string();
        assert_eq!(error, "fit failed: no step makes progress");
    }
}
