//! Messages and their answers.

use serde_json::{Value, json};

use crate::timing::{Answer, Limits};
use crate::{ba, det, gmm, hello, ht, kmeans, llsq, lse, lstm, nested, ode};

/// An answer, or a description of the error.
pub type Outcome = Result<Answer, String>;

/// A function that evaluates a function of a problem.
pub type Problem = fn(&str, &Value, Limits) -> Outcome;

const PROBLEMS: &[(&str, Problem)] = &[
    ("hello", hello::evaluate),
    ("lse", lse::evaluate),
    ("llsq", llsq::evaluate),
    ("ode", ode::evaluate),
    ("kmeans", kmeans::evaluate),
    ("gmm", gmm::evaluate),
    ("lstm", lstm::evaluate),
    ("ba", ba::evaluate),
    ("ht", ht::evaluate),
    ("det", det::evaluate),
    ("particle", nested::particle),
    ("saddle", nested::saddle),
];

/// Returns the problem with this name.
pub fn find(name: &str) -> Option<Problem> {
    PROBLEMS.iter().find(|p| p.0 == name).map(|p| p.1)
}

/// Returns the answer to a line.
pub fn answer(line: &str) -> Value {
    let message: Value = match serde_json::from_str(line) {
        Ok(message) => message,
        Err(e) => return failed(&Value::Null, &format!("this is no message: {e}")),
    };
    let id = &message["id"];
    let name = message["module"].as_str().unwrap_or_default();
    match (message["kind"].as_str(), find(name)) {
        (Some("start"), _) => json!({"id": id, "tool": "wengert"}),
        (Some("define" | "evaluate"), None) => failed(id, &format!("there is no module {name}")),
        (Some("define"), Some(_)) => json!({"id": id, "success": true}),
        (Some("evaluate"), Some(evaluate)) => {
            let function = message["function"].as_str().unwrap_or_default();
            let input = &message["input"];
            match Limits::of(input).and_then(|limits| evaluate(function, input, limits)) {
                Ok(Answer { output, timings }) => {
                    json!({"id": id, "success": true, "output": output, "timings": timings})
                }
                Err(error) => failed(id, &error),
            }
        }
        _ => json!({"id": id}),
    }
}

fn failed(id: &Value, error: &str) -> Value {
    json!({"id": id, "success": false, "error": error})
}

/// Returns the error for a function that a problem does not have.
pub fn unknown(function: &str) -> Outcome {
    Err(format!("there is no function {function}"))
}
