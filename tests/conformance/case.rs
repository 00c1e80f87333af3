//! A reference case, and reading it.

use serde_json::{Map, Value};
use wengert::{Array, DType};
use wengert_ir::buffer::{Data, Dense};
use wengert_ir::scalar::bits_of;

/// One operation at one point: its value and, where it has a derivative, the tangent of the value
/// for tangents of the arguments, and the cotangents of the arguments for one of the value.
pub struct Case {
    pub op: String,
    pub params: Map<String, Value>,
    pub args: Vec<Array>,
    pub out: Vec<Array>,
    /// One for each argument that has a derivative.
    pub tangents: Vec<Option<Array>>,
    /// One for each result that has a derivative.
    pub jvp: Vec<Option<Array>>,
    pub cotangents: Vec<Option<Array>>,
    pub vjp: Vec<Option<Array>>,
}

/// The cases of a file.
pub fn read(text: &str) -> Result<Vec<Case>, String> {
    let cases: Vec<Map<String, Value>> = serde_json::from_str(text).map_err(|e| e.to_string())?;
    cases.iter().map(case).collect()
}

fn case(of: &Map<String, Value>) -> Result<Case, String> {
    let op = of["op"].as_str().ok_or("`op` is not a name")?.to_string();
    let params = of["params"]
        .as_object()
        .ok_or("`params` is not an object")?;
    let optional = |name: &str| -> Result<Vec<Option<Array>>, String> {
        let Some(list) = of.get(name) else {
            return Ok(vec![]);
        };
        let list = list.as_array().ok_or(format!("`{name}` is not a list"))?;
        let read = |x: &Value| (!x.is_null()).then(|| array(x)).transpose();
        list.iter().map(read).collect()
    };
    let all = |name: &str| -> Result<Vec<Array>, String> {
        let list: Option<Vec<Array>> = optional(name)?.into_iter().collect();
        list.ok_or(format!("`{name}` holds null"))
    };
    Ok(Case {
        params: params.clone(),
        args: all("args")?,
        out: all("out")?,
        tangents: optional("tangents")?,
        jvp: optional("jvp")?,
        cotangents: optional("cotangents")?,
        vjp: optional("vjp")?,
        op,
    })
}

fn array(of: &Value) -> Result<Array, String> {
    let dtype = of["dtype"].as_str().and_then(DType::from_name);
    let dtype = dtype.ok_or(format!("{} is not an element type", of["dtype"]))?;
    let dims = of["shape"].as_array().ok_or("`shape` is not a list")?;
    let dims: Option<Vec<usize>> = dims.iter().map(|n| Some(n.as_u64()? as usize)).collect();
    let dims = dims.ok_or("`shape` is not a shape")?;
    let elements = of["data"].as_array().ok_or("`data` is not a list")?;
    if elements.len() != dims.iter().product::<usize>() {
        return Err(format!("{} elements for {dims:?}", elements.len()));
    }
    let mut data = Data::zeros(dtype, elements.len());
    for (i, x) in elements.iter().enumerate() {
        let bits = bits(x, dtype).ok_or(format!("{x} is not a {dtype}"))?;
        data.set_bits(i, bits);
    }
    Ok(Array::from_dense(Dense::new(dims, data)))
}

fn bits(x: &Value, dtype: DType) -> Option<u64> {
    if dtype.is_float() {
        let x = match x.as_str() {
            Some(name) => name.parse().ok()?,
            None => x.as_f64()?,
        };
        return Some(bits_of(x, dtype));
    }
    match x {
        Value::Bool(b) => Some(bits_of(*b, dtype)),
        _ => x.as_i64().map(|n| bits_of(n as u64, dtype)).or(x.as_u64()),
    }
}
