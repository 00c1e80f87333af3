//! The parameters of a case.

use serde_json::{Map, Value};

/// What only describes a case to its reader.
const LABELS: [&str; 2] = ["broadcast", "clamped"];

/// The parameters of a case, each taken out by the operation that understands it.
pub struct Params(Map<String, Value>);

impl Params {
    pub fn new(given: &Map<String, Value>) -> Params {
        let mut left = given.clone();
        left.retain(|name, _| !LABELS.contains(&&name[..]));
        Params(left)
    }

    /// What no operation has taken.
    pub fn left(&self) -> Vec<&str> {
        self.0.keys().map(String::as_str).collect()
    }

    pub fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// A parameter, if it is there and not null.
    fn take<T>(&mut self, name: &str, read: impl Fn(&Value) -> Option<T>) -> Option<T> {
        let value = self.0.remove(name).filter(|v| !v.is_null())?;
        let found = read(&value);
        Some(found.unwrap_or_else(|| panic!("the parameter `{name}` is {value}")))
    }

    fn need<T>(&mut self, name: &str, read: impl Fn(&Value) -> Option<T>) -> T {
        self.take(name, read)
            .unwrap_or_else(|| panic!("the parameter `{name}` is missing"))
    }

    pub fn int(&mut self, name: &str) -> i64 {
        self.need(name, Value::as_i64)
    }

    pub fn int_or(&mut self, name: &str, default: i64) -> i64 {
        self.take(name, Value::as_i64).unwrap_or(default)
    }

    pub fn count(&mut self, name: &str) -> usize {
        self.int(name) as usize
    }

    pub fn float(&mut self, name: &str) -> f64 {
        self.need(name, Value::as_f64)
    }

    pub fn float_or(&mut self, name: &str, default: f64) -> f64 {
        self.take(name, Value::as_f64).unwrap_or(default)
    }

    pub fn flag(&mut self, name: &str) -> bool {
        self.take(name, Value::as_bool).unwrap_or(false)
    }

    pub fn text(&mut self, name: &str) -> String {
        self.need(name, text)
    }

    pub fn text_or(&mut self, name: &str, default: &str) -> String {
        self.take(name, text).unwrap_or(default.into())
    }

    pub fn ints(&mut self, name: &str) -> Vec<i64> {
        self.need(name, ints)
    }

    /// An axis or several, all if it is null or not there.
    pub fn axes(&mut self, name: &str) -> Option<Vec<i64>> {
        self.take(name, ints)
    }

    /// Pairs of numbers, one behind the other.
    pub fn pairs(&mut self, name: &str) -> Vec<(usize, usize)> {
        let pair = |v: &Value| match &ints(v)?[..] {
            [a, b] => Some((*a as usize, *b as usize)),
            _ => None,
        };
        self.need(name, |v| v.as_array()?.iter().map(pair).collect())
    }

    /// Several lists of numbers.
    pub fn lists(&mut self, name: &str) -> Vec<Vec<i64>> {
        self.need(name, |v| v.as_array()?.iter().map(ints).collect())
    }
}

fn text(v: &Value) -> Option<String> {
    v.as_str().map(str::to_string)
}

fn ints(v: &Value) -> Option<Vec<i64>> {
    match v.as_array() {
        Some(list) => list.iter().map(Value::as_i64).collect(),
        None => Some(vec![v.as_i64()?]),
    }
}
