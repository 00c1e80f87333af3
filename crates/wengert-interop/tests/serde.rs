//! Arrays, keys, types and trees of them, in text and in binary.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use wengert::prelude::*;

use crate::common::{made, same};

#[derive(Tree, Serialize, Deserialize, Clone, PartialEq, Debug)]
struct Model<T = Var> {
    rate: T,
    layers: Vec<(T, Option<T>)>,
    phase: Complex<T>,
    #[tree(skip)]
    name: String,
}

fn text<T: Serialize + DeserializeOwned>(x: &T) -> T {
    serde_json::from_str(&serde_json::to_string(x).unwrap()).unwrap()
}

fn binary<T: Serialize + DeserializeOwned>(x: &T) -> T {
    postcard::from_bytes(&postcard::to_allocvec(x).unwrap()).unwrap()
}

#[test]
fn every_number_survives() {
    let floats = [
        0.1,
        -0.0,
        f64::NAN,
        f64::INFINITY,
        f64::NEG_INFINITY,
        5e-324,
        f64::MAX,
        1e23,
        3.0,
    ];
    let singles = [
        0.1f32,
        -0.0,
        f32::NAN,
        f32::INFINITY,
        f32::NEG_INFINITY,
        1e-45,
        f32::MAX,
        16777216.0,
    ];
    let arrays = [
        Array::from(floats),
        Array::from(singles),
        Array::from([i64::MIN, -1, i64::MAX]),
        Array::from([i32::MIN, i32::MAX]),
        Array::from([0, u64::MAX]),
        Array::from([0, u32::MAX]),
        Array::from([[0u8, 255]]),
        Array::from([true, false]),
        Array::from(1.5),
        Array::zeros([2, 0, 3], DType::F32),
        made(&[2, 3, 4], |k| k),
    ];
    for a in &arrays {
        same(&text(a), a);
        same(&binary(a), a);
    }
    // Bits that look random; a NaN of text has no payload.
    let mut state = 1u64;
    let bits = (0..2000).map(|_| {
        state = state
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        state
    });
    let bits: Vec<u64> = bits.collect();
    let all = Array::from(bits.iter().map(|&b| f64::from_bits(b)).collect::<Vec<_>>());
    same(&binary(&all), &all);
    let finite: Vec<f64> = (bits.iter().map(|&b| f64::from_bits(b)))
        .filter(|x| x.is_finite())
        .collect();
    same(&text(&Array::from(&finite)), &Array::from(&finite));
    let finite: Vec<f32> = (bits.iter().map(|&b| f32::from_bits(b as u32)))
        .filter(|x| x.is_finite())
        .collect();
    same(&text(&Array::from(&finite)), &Array::from(&finite));
}

#[test]
fn keys_types_and_trees() {
    let key = Key::from_seed(7);
    assert_eq!((text(&key), binary(&key)), (key.clone(), key));
    let spec = ShapeDtype::new([3, 4], DType::F32);
    assert_eq!((text(&spec), binary(&spec)), (spec.clone(), spec));
    let model = Model {
        rate: Array::from(0.5),
        layers: vec![
            (Array::from([1, 2]), None),
            (Array::from(true), Some(Array::from([0.5f32]))),
        ],
        phase: Complex {
            re: Array::from(1.0),
            im: Array::from(2.0),
        },
        name: "a".into(),
    };
    assert_eq!(
        (text(&model), binary(&model)),
        (model.clone(), model.clone())
    );
    let specs = tree::specs(&model);
    assert_eq!((text(&specs), binary(&specs)), (specs.clone(), specs));
    let pair = (Array::from(1.0), [Array::from(2.0), Array::from(3.0)]);
    assert_eq!((text(&pair), binary(&pair)), (pair.clone(), pair));
}

#[test]
fn text_is_easily_written_by_hand() {
    let read = |text: &str| serde_json::from_str::<Array>(text);
    let a = read(r#"{"data": [1, 2.5, "inf", -3], "shape": [2, 2], "dtype": "f64"}"#).unwrap();
    assert_eq!(a, Array::from([[1.0, 2.5], [f64::INFINITY, -3.0]]));
    let key = serde_json::to_string(&Key::from_seed(1)).unwrap();
    assert_eq!(
        key,
        r#"{"words":{"dtype":"u32","shape":[8],"data":[1,0,0,0,0,0,0,0]}}"#
    );
}

#[test]
fn what_is_wrong_is_an_error_that_says_so() {
    let read = |text: &str| serde_json::from_str::<Array>(text).unwrap_err().to_string();
    for (text, message) in [
        (
            r#"{"dtype":"f64","shape":[3],"data":[1,2]}"#,
            "data: 2 elements do not fill the shape [3]",
        ),
        (
            r#"{"dtype":"f16","shape":[],"data":[1]}"#,
            "expected the name of an element type, such as f64",
        ),
        (
            r#"{"dtype":"i32","shape":[1],"data":[1.5]}"#,
            "data: an element is not of type i32",
        ),
        (
            r#"{"dtype":"u8","shape":[1],"data":[256]}"#,
            "data: an element is not of type u8",
        ),
        (
            r#"{"dtype":"bool","shape":[1],"data":[1]}"#,
            "data: an element is not of type bool",
        ),
        (
            r#"{"dtype":"f64","shape":[1],"data":["one"]}"#,
            "expected a number, a truth value",
        ),
        (
            r#"{"dtype":"f64","shape":[9223372036854775807,4],"data":[]}"#,
            "is larger than memory can be",
        ),
        (r#"{"dtype":"f64","shape":[-1],"data":[]}"#, "invalid value"),
        (r#"{"dtype":"f64","shape":[1]}"#, "missing field `data`"),
        (r#"{"dtype":"f64","data":[1]}"#, "missing field `shape`"),
        (r#"{"shape":[1],"data":[1]}"#, "missing field `dtype`"),
        (
            r#"{"dtype":"f64","shape":[],"data":[1],"order":"F"}"#,
            "unknown field `order`",
        ),
        (
            r#"{"dtype":"f64","dtype":"f64","shape":[],"data":[1]}"#,
            "`dtype` is there twice",
        ),
        ("[1, 2]", "expected"),
    ] {
        let error = read(text);
        assert!(error.contains(message), "{text}: {error}");
    }
    // Bytes that are spoilt.
    let good = postcard::to_allocvec(&Array::from([[1.0, 2.0], [3.0, 4.0]])).unwrap();
    for n in 0..good.len() {
        assert!(postcard::from_bytes::<Array>(&good[..n]).is_err());
        for b in [0, 1, 7, 8, 127, 128, 255] {
            let mut other = good.clone();
            other[n] = b;
            if let Ok(a) = postcard::from_bytes::<Array>(&other) {
                assert_eq!(a.len(), a.shape().iter().product::<usize>());
            }
        }
    }
}
