//! Damaged files are errors: never a panic, and never more memory than their bytes need.

use wengert::Array;

use crate::common::{Folder, data};

/// Numbers that look random.
fn next(state: &mut u64) -> usize {
    *state = state
        .wrapping_mul(6364136223846793005)
        .wrapping_add(1442695040888963407);
    (*state >> 33) as usize
}

/// Calls `read` with a file that is cut at each place, and with bytes changed here and there.
fn spoil(file: &[u8], mut read: impl FnMut(&[u8])) {
    for n in 0..file.len().min(400) {
        read(&file[..n]);
    }
    let mut state = 1;
    for _ in 0..1500 {
        let mut other = file.to_vec();
        for _ in 0..1 + next(&mut state) % 3 {
            // Most of the time in the header.
            let end = if next(&mut state).is_multiple_of(4) {
                file.len()
            } else {
                file.len().min(160)
            };
            other[next(&mut state) % end] = match next(&mut state) % 3 {
                0 => next(&mut state) as u8,
                1 => b"0123456789(),'<>{}[]"[next(&mut state) % 20],
                _ => 0xff,
            };
        }
        read(&other);
    }
}

/// A `.npy` file with this header and these bytes after it.
#[cfg(feature = "npy")]
fn npy_file(header: &str, elements: &[u8]) -> Vec<u8> {
    let mut file = b"\x93NUMPY\x01\x00".to_vec();
    file.extend((header.len() as u16).to_le_bytes());
    file.extend(header.bytes());
    file.extend(elements);
    file
}

#[cfg(feature = "npy")]
#[test]
fn npy_files_that_claim_what_they_have_not() {
    use wengert_interop::npy;
    let header =
        |shape: &str| format!("{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}\n");
    let wrong = |header: &str| {
        npy::read_from(&npy_file(header, &[0; 24])[..])
            .unwrap_err()
            .to_string()
    };
    for (shape, message) in [
        ("(4,)", "ends after 3 of its 4 elements"),
        ("(9223372036854775808,)", "is larger than memory can be"),
        (
            "(1152921504606846975,)",
            "ends after 3 of its 1152921504606846975 elements",
        ),
        ("(4294967296, 4294967296)", "is larger than memory can be"),
        ("(0, 9223372036854775807)", "is larger than memory can be"),
        (
            "(99999999999999999999999,)",
            "its header has no length at \"999999999999\"",
        ),
        ("(-3,)", "its header has no length at \"-3,), }"),
        ("(3 4)", "its header lacks ')' before \"4), }"),
        ("3", "its header lacks '(' before \"3, }"),
    ] {
        let error = wrong(&header(shape));
        assert!(error.contains(message), "{shape}: {error}");
    }
    let axes = format!("({})", "1, ".repeat(65));
    assert!(wrong(&header(&axes)).contains("at most 64 axes"));
    // Deep brackets take no stack.
    let deep = format!("{{'shape': {}", "(".repeat(60_000));
    assert!(wrong(&deep).contains("its header has no length"));
    for (header, message) in [
        ("", "lacks '{' before its end"),
        ("{}", "has no \"descr\""),
        ("{'descr': '<f8'}", "has no \"fortran_order\""),
        ("{'descr': '<f8', 'descr': '<f8'}", "has \"descr\" twice"),
        ("{'color': 'red'}", "has an unknown part, \"color\""),
        (
            "{'fortran_order': Maybe}",
            "lacks True or False before \"Maybe}\"",
        ),
        (
            "{'descr': '<q9', 'fortran_order': False, 'shape': ()}",
            "no elements that `Array` has",
        ),
        (
            "{'descr': '<f8', 'fortran_order': False, 'shape': ()} 1",
            "has more than a dictionary",
        ),
        (
            "{'descr': '', 'fortran_order': False, 'shape': ()}",
            "no elements that `Array` has",
        ),
        (
            "{'descr': 'é', 'fortran_order': False, 'shape': ()}",
            "no elements that `Array` has",
        ),
    ] {
        let error = wrong(header);
        assert!(error.contains(message), "{header}: {error}");
    }
    // A header of four gigabytes.
    let long = b"\x93NUMPY\x02\x00\xff\xff\xff\xff{}";
    let error = npy::read_from(&long[..]).unwrap_err().to_string();
    assert!(
        error.ends_with("has a header of 4294967295 bytes"),
        "{error}"
    );
    let error = npy::read_from(&b"\x93NUMPY\x04\x00"[..])
        .unwrap_err()
        .to_string();
    assert!(error.contains("has version 4 of the format"), "{error}");
    assert!(npy::read_from(&[][..]).is_err());
}

#[cfg(feature = "npy")]
#[test]
fn spoilt_npy_files() {
    use wengert_interop::npy;
    for name in ["f8.npy", "fortran_i4.npy", "big_f2.npy", "c16.npy"] {
        let mut whole = 0;
        spoil(&std::fs::read(data(name)).unwrap(), |file| {
            whole += usize::from(npy::read_from(file).is_ok());
        });
        // Some changes are in the spaces of the header or in numbers; most are not.
        assert!(whole < 1000, "{whole}");
    }
}

#[cfg(feature = "npy")]
#[test]
fn spoilt_archives() {
    use wengert_interop::npz;
    let folder = Folder::new("spoilt");
    let path = folder.join("a.npz");
    for name in ["tree.npz", "compressed.npz"] {
        spoil(&std::fs::read(data(name)).unwrap(), |file| {
            std::fs::write(&path, file).unwrap();
            let _ = npz::read(&path).map(|found| found.len());
        });
    }
}

#[cfg(feature = "safetensors")]
#[test]
fn spoilt_safetensors() {
    use wengert_interop::safetensors;
    let folder = Folder::new("spoilt-tensors");
    let path = folder.join("a.safetensors");
    let arrays = [
        ("w", &Array::from([[1f32, 2.0]; 3])),
        ("n", &Array::from([1i64, 2])),
    ];
    safetensors::write(&path, arrays).unwrap();
    let good = std::fs::read(&path).unwrap();
    spoil(&good, |file| {
        std::fs::write(&path, file).unwrap();
        let _ = safetensors::read(&path).map(|found| found.len());
    });
    let wrong = |header: &str, message: &str| {
        let mut file = (header.len() as u64).to_le_bytes().to_vec();
        file.extend(header.bytes());
        file.extend([0; 16]);
        std::fs::write(&path, file).unwrap();
        let error = safetensors::read(&path).unwrap_err().to_string();
        assert!(error.contains(message), "{header}: {error}");
    };
    let entry = |dtype: &str, shape: &str, span: &str| {
        format!("{{\"x\":{{\"dtype\":\"{dtype}\",\"shape\":{shape},\"data_offsets\":{span}}}}}")
    };
    wrong(
        &entry("F64", "[3]", "[0,16]"),
        "x: its bytes are not those of 3 elements",
    );
    wrong(
        &entry("F64", "[2]", "[8,24]"),
        "x: its bytes are not those of 2 elements",
    );
    wrong(
        &entry("F64", "[2]", "[16,0]"),
        "x: its bytes are not those of 2 elements",
    );
    wrong(
        &entry("U8", "[18446744073709551615]", "[0,18446744073709551615]"),
        "is larger than memory can be",
    );
    wrong(
        &entry("U8", "[9223372036854775807]", "[0,9223372036854775807]"),
        "beyond the end of the file",
    );
    wrong(
        &entry("F64", "[4294967296,4294967296]", "[0,16]"),
        "is larger than memory can be",
    );
    wrong(
        &entry("F8_E4M3", "[2]", "[0,2]"),
        "has elements of the type F8_E4M3",
    );
    wrong(&entry("F64", "[-2]", "[0,16]"), "x: has no shape");
    wrong(&entry("F64", "[2]", "[0]"), "x: has no data_offsets");
    wrong("{\"x\":7}", "x: has no dtype");
    wrong("[]", "its header is no JSON");
    wrong(&"[".repeat(5000), "its header is no JSON");
    let mut long = good.clone();
    long[..8].copy_from_slice(&u64::MAX.to_le_bytes());
    std::fs::write(&path, long).unwrap();
    assert!(
        safetensors::read(&path)
            .unwrap_err()
            .to_string()
            .ends_with("ends within its header")
    );
}
