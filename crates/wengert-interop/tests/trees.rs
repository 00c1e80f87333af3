//! Trees saved and loaded by the paths of their leaves.

use std::collections::BTreeMap;

use wengert::prelude::*;
use wengert_interop::{names, npz, safetensors};

use crate::common::{Folder, data, made, same};

#[derive(Tree, Clone, PartialEq, Debug)]
struct Layer<T = Var> {
    weight: T,
    bias: Option<T>,
}

#[derive(Tree, Clone, PartialEq, Debug)]
struct Model<T = Var> {
    rate: T,
    layers: Vec<Layer<T>>,
    named: BTreeMap<String, T>,
    phase: Complex<T>,
}

fn model() -> Model<Array> {
    let layer = |n: i64| Layer {
        weight: made(&[2, n as usize], |k| k as f32 / 4.0),
        bias: (n > 2).then(|| Array::from([n, -n])),
    };
    Model {
        rate: Array::from(0.5),
        layers: vec![layer(2), layer(3)],
        named: [("a b", 1.0), ("ü", 2.0)]
            .map(|(k, x)| (k.to_string(), Array::from(x)))
            .into(),
        phase: Complex {
            re: Array::from([1.0]),
            im: Array::from([2.0]),
        },
    }
}

#[test]
fn a_tree_is_what_it_was() {
    let folder = Folder::new("trees");
    let model = model();
    let like = tree::specs(&model);
    let (a, b, c) = (
        folder.join("a.npz"),
        folder.join("b.npz"),
        folder.join("c.safetensors"),
    );
    npz::save(&a, &model).unwrap();
    npz::save_compressed(&b, &model).unwrap();
    safetensors::save(&c, &model).unwrap();
    for path in [&a, &b] {
        assert_eq!(npz::load(path, &like).unwrap(), model);
        assert_eq!(npz::load(path, &model).unwrap(), model);
    }
    assert_eq!(safetensors::load(&c, &like).unwrap(), model);
    let found: Vec<String> = npz::read(&a).unwrap().into_keys().collect();
    let expected = [
        "layers[0].weight",
        "layers[1].bias",
        "layers[1].weight",
        "named[\"a b\"]",
        "named[\"ü\"]",
        "phase.im",
        "phase.re",
        "rate",
    ];
    assert_eq!(found, expected);
    assert_eq!(
        safetensors::read(&c)
            .unwrap()
            .into_keys()
            .collect::<Vec<_>>(),
        expected
    );

    // Trees of other kinds: one leaf, a list, a map, a tuple, none.
    let path = folder.join("d.npz");
    let one = Array::from([1, 2]);
    npz::save(&path, &one).unwrap();
    assert_eq!(npz::load(&path, &one).unwrap(), one);
    assert!(npz::read(&path).unwrap().contains_key("arr_0"));
    let list = vec![one.clone(), Array::from(true)];
    npz::save(&path, &list).unwrap();
    assert_eq!(npz::load(&path, &list).unwrap(), list);
    let map: BTreeMap<String, Array> = [("x".to_string(), one.clone())].into();
    npz::save(&path, &map).unwrap();
    assert_eq!(npz::load(&path, &map).unwrap(), map);
    assert_eq!(npz::read(&path).unwrap(), map);
    let key = Key::from_seed(3);
    npz::save(&path, &key).unwrap();
    assert_eq!(npz::load(&path, &tree::specs(&key)).unwrap(), key);
    let none: Vec<Array> = vec![];
    npz::save(&path, &none).unwrap();
    assert_eq!(npz::load(&path, &none).unwrap(), none);
    safetensors::save(&path, &none).unwrap();
    assert_eq!(safetensors::load(&path, &none).unwrap(), none);
}

#[test]
fn names_with_dots() {
    let folder = Folder::new("dotted");
    let path = folder.join("a.safetensors");
    let model = model();
    safetensors::save_named(&path, &model.layers, names::dotted).unwrap();
    let found: Vec<String> = safetensors::read(&path).unwrap().into_keys().collect();
    assert_eq!(found, ["0.weight", "1.bias", "1.weight"]);
    assert_eq!(
        safetensors::load_named(&path, &model.layers, names::dotted).unwrap(),
        model.layers
    );
    for (path, plain, dotted) in [
        ("", "arr_0", "arr_0"),
        (".0", "0", "0"),
        ("[2]", "[2]", "2"),
        (".a.b[0][12].c", "a.b[0][12].c", "a.b.0.12.c"),
        ("[\"x.y\"].z", "x.y.z", "x.y.z"),
        (".m[\"k [0]\"][1]", "m[\"k [0]\"][1]", "m.k [0].1"),
    ] {
        assert_eq!(
            (&*names::plain(path), &*names::dotted(path)),
            (plain, dotted),
            "{path}"
        );
    }
}

#[test]
fn errors_name_the_leaf() {
    let folder = Folder::new("errors");
    let (z, s) = (folder.join("a.npz"), folder.join("a.safetensors"));
    let model = model();
    npz::save(&z, &model).unwrap();
    safetensors::save(&s, &model).unwrap();
    let wrong = |like: &Model<ShapeDtype>, message: &str| {
        for (error, file) in [
            (npz::load(&z, like), "a.npz"),
            (safetensors::load(&s, like), "a.safetensors"),
        ] {
            let error = error.unwrap_err().to_string();
            assert!(error.contains(file) && error.ends_with(message), "{error}");
        }
    };
    let good = tree::specs(&model);
    let mut like = good.clone();
    like.layers[1].weight = ShapeDtype::new([2, 4], DType::F32);
    wrong(
        &like,
        ": .layers[1].weight: expected f32[2,4], got f32[2,3]",
    );
    let mut like = good.clone();
    like.rate = ShapeDtype::scalar(DType::F32);
    wrong(&like, ": .rate: expected f32, got f64");
    let mut like = good.clone();
    like.layers[0].bias = Some(ShapeDtype::new([2], DType::I64));
    wrong(
        &like,
        "nothing is named `layers[0].bias`, for the leaf .layers[0].bias; the file has \
         `layers[0].weight`, `layers[1].bias`, `layers[1].weight`, `named[\"a b\"]`, `named[\"ü\"]`, `phase.im`, \
         `phase.re` and `rate`",
    );
    let mut like = good.clone();
    like.layers.pop();
    wrong(
        &like,
        "no leaf of the tree is for `layers[1].bias` and `layers[1].weight`; `read` reads all that a file has",
    );

    // Two leaves with one name.
    let map = |keys: [&str; 2]| -> BTreeMap<String, Vec<Array>> {
        keys.map(|k| (k.to_string(), vec![Array::from(1.0)])).into()
    };
    let error = npz::save(&z, &(map(["a", "b"]))).err();
    assert!(error.is_none(), "{error:?}");
    let two: BTreeMap<String, BTreeMap<String, Array>> = [("a", "b.c"), ("a.b", "c")]
        .map(|(k, l)| (k.to_string(), [(l.to_string(), Array::from(1.0))].into()))
        .into();
    let error = safetensors::save_named(&s, &two, names::dotted)
        .unwrap_err()
        .to_string();
    assert_eq!(
        error,
        "the leaves [\"a\"][\"b.c\"] and [\"a.b\"][\"c\"] would both be named `a.b.c`"
    );
}

#[test]
fn trees_of_numpy_are_read() {
    #[derive(Tree, Clone, PartialEq, Debug)]
    struct Net<T = Var> {
        rate: T,
        layers: Vec<Weights<T>>,
        z: Complex<T>,
    }
    #[derive(Tree, Clone, PartialEq, Debug)]
    struct Weights<T = Var> {
        w: T,
    }
    let w = ShapeDtype::new([2, 3], DType::F32);
    let (scalar, two) = (
        ShapeDtype::scalar(DType::F64),
        ShapeDtype::new([2], DType::F64),
    );
    let like = Net {
        rate: scalar,
        layers: vec![Weights { w: w.clone() }, Weights { w }],
        z: Complex {
            re: two.clone(),
            im: two,
        },
    };
    for file in ["tree.npz", "compressed.npz"] {
        let net = npz::load(data(file), &like).unwrap();
        same(&net.rate, &Array::from(0.5));
        same(
            &net.layers[1].w,
            &made(&[2, 3], |k| (k * k - 3) as f32 / 4.0),
        );
        same(&net.z.im, &Array::from([0.0, 1.0]));
    }
}

#[test]
fn safetensors_of_python_are_read_and_written() {
    let found = safetensors::read(data("types.safetensors")).unwrap();
    let names: Vec<&str> = found.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "b1", "f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8"
        ]
    );
    for (name, dtype) in [
        ("b1", DType::Bool),
        ("f2", DType::F32),
        ("i1", DType::I32),
        ("u2", DType::U32),
        ("u8", DType::U64),
    ] {
        assert_eq!(
            (found[name].dtype(), found[name].shape()),
            (dtype, &[2, 3][..])
        );
    }
    same(&found["f2"], &made(&[2, 3], |k| (k * k - 3) as f32 / 4.0));
    same(&found["i2"], &made(&[2, 3], |k| k * k - 3));
    same(&found["b1"], &made(&[2, 3], |k| k % 3 == 1));

    // What is written of these is what Python's library has written.
    let net = safetensors::read(data("net.safetensors")).unwrap();
    let folder = Folder::new("tensors");
    let path = folder.join("net.safetensors");
    safetensors::write(&path, net.iter().map(|(name, a)| (name.as_str(), a))).unwrap();
    let read = |path| {
        let file = std::fs::read(path).unwrap();
        let n = u64::from_le_bytes(file[..8].try_into().unwrap()) as usize;
        let header: serde_json::Value = serde_json::from_slice(&file[8..8 + n]).unwrap();
        (header, file[8 + n..].to_vec(), (8 + n) % 8)
    };
    assert_eq!(read(path), read(data("net.safetensors")));
}
