//! What becomes of the file that is written, and of the names in it.

use wengert::Array;
use wengert_interop::{npy, npz, safetensors};

use crate::common::Folder;

/// All functions that write, with an array.
type Write = fn(&std::path::Path, &Array) -> wengert_interop::Result<()>;
const WRITERS: [Write; 3] = [
    |path, a| npy::write(path, a),
    |path, a| npz::write(path, [("x", a)]),
    |path, a| safetensors::write(path, [("x", a)]),
];

#[test]
fn threads_that_write_one_file_leave_one_of_theirs() {
    let folder = Folder::new("threads");
    let path = folder.join("a.npy");
    std::thread::scope(|scope| {
        for k in 0..6 {
            let path = &path;
            scope.spawn(move || {
                for _ in 0..20 {
                    npy::write(path, &Array::full([1000 + k], k as f64)).unwrap();
                }
            });
        }
    });
    let found = npy::read(&path).unwrap().to_vec::<f64>().unwrap();
    assert_eq!(found.len(), 1000 + found[0] as usize);
    assert!(found.iter().all(|x| *x == found[0]));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn a_name_may_be_as_long_as_names_can_be() {
    let folder = Folder::new("long");
    for write in WRITERS {
        write(&folder.join(&"x".repeat(255)), &Array::from(1.0)).unwrap();
    }
    let error = npy::write(folder.path(), &Array::from(1.0)).unwrap_err();
    assert!(error.to_string().contains("directory"), "{error}");
}

#[cfg(unix)]
#[test]
fn what_is_there_stays_what_it_is() {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::{FileTypeExt, PermissionsExt, symlink};

    let folder = Folder::new("kinds");
    let a = Array::from([1.0, 2.0]);
    for write in WRITERS {
        // A file keeps its permissions.
        let file = folder.join("file");
        fs::write(&file, "former").unwrap();
        fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
        write(&file, &a).unwrap();
        assert_eq!(
            fs::metadata(&file).unwrap().permissions().mode() & 0o777,
            0o600
        );

        // A link stays one, whether there is a file where it leads to or not.
        let link = folder.join("link");
        symlink("named", &link).unwrap();
        for _ in 0..2 {
            write(&link, &a).unwrap();
            assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
            assert_eq!(
                fs::read(folder.join("named")).unwrap(),
                fs::read(&file).unwrap()
            );
        }

        // A pipe stays one, and its reader gets what the file has.
        let pipe = folder.join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status();
        assert!(made.unwrap().success());
        let reader = {
            let pipe = pipe.clone();
            std::thread::spawn(move || fs::read(pipe).unwrap())
        };
        write(&pipe, &a).unwrap();
        assert!(fs::symlink_metadata(&pipe).unwrap().file_type().is_fifo());
        assert_eq!(reader.join().unwrap(), fs::read(&file).unwrap());
        for name in ["file", "link", "named", "pipe"] {
            fs::remove_file(folder.join(name)).unwrap();
        }
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn names_are_read_as_they_were_written_or_refused() {
    let folder = Folder::new("names");
    let a = Array::from(1.0);
    let path = folder.join("a");
    for name in [
        "", "a", "/", "../a", "C:\\a", "a//b", "a.npy", "a\nb", "a~\0", "é", "a/é", "日本",
    ] {
        npz::write(&path, [(name, &a)]).unwrap();
        assert!(npz::read(&path).unwrap().keys().eq([name]), "{name:?}");
        safetensors::write(&path, [(name, &a)]).unwrap();
        assert!(
            safetensors::read(&path).unwrap().keys().eq([name]),
            "{name:?}"
        );
    }
    for name in [
        "/é",
        "../é",
        "./é",
        "é//b",
        "a/../é",
        "a\\é",
        "temperature: °C",
    ] {
        let error = npz::write(&path, [(name, &a)]).unwrap_err().to_string();
        assert!(error.contains(&format!("the name `{name}`")), "{error}");
        safetensors::write(&path, [(name, &a)]).unwrap();
        assert!(
            safetensors::read(&path).unwrap().keys().eq([name]),
            "{name:?}"
        );
    }
}

#[test]
fn a_file_of_another_kind_is_named() {
    let folder = Folder::new("others");
    let a = Array::from([1.0, 2.0]);
    let [one, many] = ["a.npy", "a.npz"].map(|name| folder.join(name));
    npy::write(&one, &a).unwrap();
    npz::write(&many, [("x", &a)]).unwrap();
    let ends = |error: wengert_interop::Error, text: &str| {
        assert!(error.to_string().ends_with(text), "{error}");
    };
    let (array, archive) = (
        "it is one array of NumPy, which `npy::read` reads",
        "it is an archive, which `npz::read` reads",
    );
    ends(npy::read(&many).unwrap_err(), archive);
    ends(npz::read(&one).unwrap_err(), array);
    ends(safetensors::read(&one).unwrap_err(), array);
    ends(safetensors::read(&many).unwrap_err(), archive);
    // Types with fields whose names are in Latin-1.
    let header = b"{'descr': [('\xe9', '<f8')], 'fortran_order': False, 'shape': (1,)}";
    let mut file = b"\x93NUMPY\x01\x00".to_vec();
    file.extend((header.len() as u16).to_le_bytes());
    file.extend(header);
    ends(
        npy::read_from(&file[..]).unwrap_err(),
        "its header has a type with fields, of which `Array` has none",
    );
}
