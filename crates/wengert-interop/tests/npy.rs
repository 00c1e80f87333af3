//! Files that NumPy has written, and files for it.

use wengert::{Array, Complex, DType};
use wengert_interop::npy::{self, Layout};
use wengert_interop::npz;

use crate::common::{Folder, data, made, same};

/// The numbers of `data/make.py`.
fn values(shape: &[usize], dtype: DType) -> Array {
    match dtype {
        DType::F32 => made(shape, |k| (k * k - 3) as f32 / 4.0),
        DType::F64 => made(shape, |k| f64::from(k * k - 3) / 4.0),
        DType::I32 => made(shape, |k| k * k - 3),
        DType::I64 => made(shape, |k| i64::from(k * k - 3)),
        DType::U32 => made(shape, |k| (k * k + 3) as u32),
        DType::U64 => made(shape, |k| (k * k + 3) as u64),
        DType::U8 => made(shape, |k| (k * k + 3) as u8),
        DType::Bool => made(shape, |k| k % 3 == 1),
    }
}

/// The names of types in NumPy, and what they are here.
const TYPES: [(&str, DType); 12] = [
    ("b1", DType::Bool),
    ("u1", DType::U8),
    ("u2", DType::U32),
    ("u4", DType::U32),
    ("u8", DType::U64),
    ("i1", DType::I32),
    ("i2", DType::I32),
    ("i4", DType::I32),
    ("i8", DType::I64),
    ("f2", DType::F32),
    ("f4", DType::F32),
    ("f8", DType::F64),
];

#[test]
fn arrays_of_every_type_order_and_byte_order_are_read() {
    for (name, dtype) in TYPES {
        let c = npy::read(data(&format!("{name}.npy"))).unwrap();
        same(&c, &values(&[2, 3], dtype));
        let big = npy::read(data(&format!("big_{name}.npy"))).unwrap();
        same(&big, &values(&[2, 3], dtype));
        let fortran = npy::read(data(&format!("fortran_{name}.npy"))).unwrap();
        same(&fortran, &values(&[2, 3, 2], dtype));
    }
}

#[test]
fn complex_numbers_are_two_arrays() {
    for (name, dtype) in [("c8", DType::F32), ("c16", DType::F64)] {
        for (prefix, shape) in [
            ("", &[2, 3][..]),
            ("big_", &[2, 3]),
            ("fortran_", &[2, 3, 2]),
        ] {
            let path = data(&format!("{prefix}{name}.npy"));
            let z = npy::read_complex(&path).unwrap();
            let im = match dtype {
                DType::F32 => made(shape, |k| k as f32),
                _ => made(shape, f64::from),
            };
            same(&z.re, &values(shape, dtype));
            same(&z.im, &im);
            let error = npy::read(&path).unwrap_err().to_string();
            assert!(
                error.ends_with("`npy::read_complex` reads them, as two arrays"),
                "{error}"
            );
        }
    }
    let error = npy::read_complex(data("f8.npy")).unwrap_err().to_string();
    assert!(
        error.ends_with("type f64, not complex numbers: `npy::read` reads them"),
        "{error}"
    );
}

#[test]
fn scalars_empty_arrays_and_later_versions_are_read() {
    same(&npy::read(data("scalar.npy")).unwrap(), &Array::from(2.5));
    let empty = npy::read(data("empty.npy")).unwrap();
    assert_eq!((empty.dtype(), empty.shape()), (DType::F32, &[0, 3][..]));
    same(
        &npy::read(data("vector.npy")).unwrap(),
        &values(&[5], DType::F64),
    );
    for file in ["version2.npy", "version3.npy"] {
        same(
            &npy::read(data(file)).unwrap(),
            &values(&[2, 3], DType::F64),
        );
    }
}

#[test]
fn halves_are_widened_without_rounding() {
    let read = npy::read(data("halves.npy"))
        .unwrap()
        .to_vec::<f32>()
        .unwrap();
    // 0.1 and 6e-8 are rounded to 10 bits, or to a multiple of 2^-24.
    let expected = [
        0.099_975_586,
        -0.0,
        2f32.powi(-24),
        65504.0,
        f32::INFINITY,
        f32::NEG_INFINITY,
    ];
    assert_eq!(read[..6], expected);
    assert!(read[1].is_sign_negative() && read[6].is_nan());
}

#[test]
fn what_arrays_cannot_hold_is_an_error_that_says_so() {
    for (file, message) in [
        (
            "object.npy",
            "\"|O\", which are objects of Python: save them as numbers",
        ),
        ("text.npy", "\"<U2\", which are texts"),
        (
            "time.npy",
            "which are times: convert them by `.astype('int64')` in NumPy",
        ),
        (
            "fields.npy",
            "its header has a type with fields, of which `Array` has none",
        ),
        ("long.npy", "convert them by `.astype('float64')` in NumPy"),
        ("make.py", "is no .npy file: it does not begin as one"),
        (
            "tree.npz",
            "is no .npy file: it is an archive, which `npz::read` reads",
        ),
    ] {
        let error = npy::read(data(file)).unwrap_err().to_string();
        assert!(error.contains(file) && error.ends_with(message), "{error}");
    }
    let error = npy::read(data("nowhere.npy")).unwrap_err().to_string();
    assert!(error.contains("nowhere.npy: "), "{error}");
}

#[test]
fn what_is_written_is_read_again() {
    let shapes: [&[usize]; 7] = [&[], &[1], &[5], &[2, 3], &[2, 3, 4], &[0], &[2, 0, 3]];
    for dtype in DType::ALL {
        for shape in shapes {
            let array = values(shape, dtype);
            for layout in [
                Layout::default(),
                Layout::default().big_endian(),
                Layout::default().fortran_order(),
                Layout::default().big_endian().fortran_order(),
            ] {
                let mut file = vec![];
                npy::write_to(&mut file, &array, layout).unwrap();
                // Elements begin at a multiple of 64 bytes.
                assert_eq!((file.len() - array.len() * dtype.bytes()) % 64, 0);
                same(&npy::read_from(&file[..]).unwrap(), &array);
            }
        }
    }
}

/// What NumPy writes of these numbers is what is written here, byte by byte.
#[test]
fn files_are_those_of_numpy() {
    let folder = Folder::new("bytes");
    for (name, dtype) in TYPES {
        if ["u2", "i1", "i2", "f2"].contains(&name) {
            continue;
        }
        let numpys = |prefix: &str| std::fs::read(data(&format!("{prefix}{name}.npy"))).unwrap();
        let path = folder.join("a.npy");
        npy::write(&path, &values(&[2, 3], dtype)).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), numpys(""), "{name}");
        let mut fortran = vec![];
        let layout = Layout::default().fortran_order();
        npy::write_to(&mut fortran, &values(&[2, 3, 2], dtype), layout).unwrap();
        assert_eq!(fortran, numpys("fortran_"), "{name}");
        let mut big = vec![];
        npy::write_to(
            &mut big,
            &values(&[2, 3], dtype),
            Layout::default().big_endian(),
        )
        .unwrap();
        assert_eq!(big, numpys("big_"), "{name}");
    }
    for name in ["c8.npy", "c16.npy"] {
        let path = folder.join(name);
        npy::write_complex(&path, &npy::read_complex(data(name)).unwrap()).unwrap();
        assert_eq!(
            std::fs::read(&path).unwrap(),
            std::fs::read(data(name)).unwrap()
        );
    }
    let uneven = Complex {
        re: Array::from([1.0]),
        im: Array::from([1.0, 2.0]),
    };
    let error = npy::write_complex(folder.join("z.npy"), &uneven).unwrap_err();
    let error = error.to_string();
    assert!(
        error.ends_with("its parts are f64[1] and f64[2], not floats of one type and shape"),
        "{error}"
    );
}

#[test]
fn archives_of_numpy_are_read() {
    for file in ["tree.npz", "compressed.npz"] {
        let found = npz::read(data(file)).unwrap();
        let names: Vec<&str> = found.keys().map(String::as_str).collect();
        assert_eq!(
            names,
            ["layers[0].w", "layers[1].w", "rate", "z.im", "z.re"]
        );
        same(&found["layers[1].w"], &values(&[2, 3], DType::F32));
        same(&found["z.im"], &Array::from([0.0, 1.0]));
    }
    let error = npz::read(data("f8.npy")).unwrap_err().to_string();
    assert!(error.contains("f8.npy: is no .npz file: "), "{error}");
}

#[test]
fn a_file_is_replaced_as_a_whole() {
    let folder = Folder::new("whole");
    let path = folder.join("a.npz");
    npz::write(&path, [("x", &Array::from([1.0]))]).unwrap();
    let twice = [("x", &Array::from([2.0])), ("x", &Array::from([3.0]))];
    assert!(npz::write(&path, twice).is_err());
    assert_eq!(npz::read(&path).unwrap()["x"], Array::from([1.0]));
    let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
    assert_eq!(left.len(), 1, "{left:?}");
    let error = npy::write(folder.join("no/such/folder.npy"), &Array::from(1.0)).unwrap_err();
    assert!(error.to_string().contains("folder.npy: "), "{error}");
}
