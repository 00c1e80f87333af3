//! The whole way round, where there is a Python with NumPy: it writes, this reads and writes, it reads.

use std::path::PathBuf;
use std::process::Command;

use wengert_interop::npy::{self, Layout};
use wengert_interop::npz;

use crate::common::Folder;

/// The variable that says which Python is used.
const VARIABLE: &str = "WENGERT_PYTHON";

/// Returns a Python with NumPy: the one that the variable names, or one of the path.
fn python() -> Option<PathBuf> {
    let named = std::env::var_os(VARIABLE).map(PathBuf::from);
    let known = ["python3", "python"].map(PathBuf::from);
    let has_numpy = |python: &PathBuf| {
        let ran = Command::new(python).args(["-c", "import numpy"]).output();
        ran.is_ok_and(|o| o.status.success())
    };
    match named {
        Some(named) => {
            assert!(
                has_numpy(&named),
                "{VARIABLE} names no Python with NumPy: {named:?}"
            );
            Some(named)
        }
        None => known.into_iter().find(has_numpy),
    }
}

const WRITES: &str = "
import numpy as np, sys
rng = np.random.default_rng(0)
all = {}
for dtype in ['?', 'u1', 'u4', 'u8', 'i4', 'i8', 'f4', 'f8']:
    for shape in [(), (1,), (7,), (3, 5), (2, 3, 4), (0,), (4, 0, 2)]:
        n = int(np.prod(shape))
        size = np.dtype(dtype).itemsize
        # Any bits there are, so NaNs, infinities and the extreme integers too.
        bits = rng.integers(0, 2 if dtype == '?' else 256, n * size, dtype='u1')
        a = bits.view(dtype).reshape(shape)
        if np.dtype(dtype).kind == 'f' and n > 3:
            a.flat[:3] = [np.nan, np.inf, -0.0]
        for order in 'CF':
            for end in '<>':
                name = f'{np.dtype(dtype).name}_{\"x\".join(map(str, shape))}_{order}_{\"lb\"[end == \">\"]}'
                all[name] = np.asarray(a, order=order).astype(np.dtype(dtype).newbyteorder(end), order=order)
np.savez(sys.argv[1], **all)
print(len(all))
";

const READS: &str = "
import numpy as np, sys
a, b = np.load(sys.argv[1]), np.load(sys.argv[2])
assert set(a.files) == set(b.files)
for name in a.files:
    x, y = a[name], b[name]
    z = np.load(sys.argv[3] + '/' + name + '.npy')
    for other in [y, z]:
        assert x.shape == other.shape and x.dtype.newbyteorder('=') == other.dtype.newbyteorder('='), name
        native = lambda v: np.ascontiguousarray(v.astype(v.dtype.newbyteorder('='))).tobytes()
        assert native(x) == native(other), name
    assert z.dtype.byteorder == ('|' if z.dtype.itemsize == 1 else '>'), name
    assert z.flags.f_contiguous, name
print('the same')
";

#[test]
fn arrays_survive_the_way_from_numpy_and_back() {
    let Some(python) = python() else {
        println!("skipped: no Python with NumPy is on the path, and {VARIABLE} names none");
        return;
    };
    let folder = Folder::new("numpy");
    let (theirs, ours) = (folder.join("theirs.npz"), folder.join("ours.npz"));
    let run = |script: &str, args: &[&std::path::Path]| {
        let ran = Command::new(&python)
            .args(["-c", script])
            .args(args)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&ran.stderr).into_owned();
        assert!(ran.status.success(), "{said}");
        String::from_utf8(ran.stdout).unwrap().trim().to_string()
    };
    let n = run(WRITES, &[&theirs]);
    let arrays = npz::read(&theirs).unwrap();
    assert_eq!((arrays.len(), &*n), (8 * 7 * 4, "224"));
    npz::write(&ours, arrays.iter().map(|(name, a)| (name.as_str(), a))).unwrap();
    for (name, array) in &arrays {
        let mut file = vec![];
        let layout = Layout::default().big_endian().fortran_order();
        npy::write_to(&mut file, array, layout).unwrap();
        std::fs::write(folder.join(&format!("{name}.npy")), file).unwrap();
    }
    assert_eq!(run(READS, &[&theirs, &ours, folder.path()]), "the same");
}
