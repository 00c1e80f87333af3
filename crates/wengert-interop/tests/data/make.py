"""Writes the files in this folder: `python make.py`, with NumPy. The numbers are those of `values` in `../npy.rs`."""

import numpy as np


def values(shape, dtype):
    k = np.arange(int(np.prod(shape)))
    kind = np.dtype(dtype).kind
    if kind == "b":
        v = k % 3 == 1
    elif kind == "u":
        v = k * k + 3
    elif kind == "i":
        v = k * k - 3
    elif kind == "c":
        v = (k * k - 3) / 4 + 1j * k
    else:
        v = (k * k - 3) / 4
    return v.astype(dtype).reshape(shape)


for dtype in ["b1", "u1", "u2", "u4", "u8", "i1", "i2", "i4", "i8", "f2", "f4", "f8", "c8", "c16"]:
    np.save(f"{dtype}.npy", values((2, 3), "<" + dtype))
    np.save(f"big_{dtype}.npy", values((2, 3), ">" + dtype))
    np.save(f"fortran_{dtype}.npy", np.asfortranarray(values((2, 3, 2), "<" + dtype)))
np.save("scalar.npy", np.array(2.5))
np.save("empty.npy", np.zeros((0, 3), "f4"))
np.save("vector.npy", values((5,), "f8"))
np.save("halves.npy", np.array([0.1, -0.0, 6e-8, 65504, np.inf, -np.inf, np.nan], "f2"))
for version in [2, 3]:
    with open(f"version{version}.npy", "wb") as f:
        np.lib.format.write_array(f, values((2, 3), "f8"), version=(version, 0))
np.save("object.npy", np.array([{}, None], object))
np.save("text.npy", np.array(["a", "bc"]))
np.save("time.npy", np.array(["2020-01-01"], "M8[D]"))
np.save("fields.npy", np.zeros(2, [("a", "f8"), ("b", "i4")]))
np.save("long.npy", np.zeros(2, np.longdouble))
tree = {"rate": np.array(0.5), "layers[0].w": values((2, 3), "f4"), "layers[1].w": values((2, 3), "f4"), "z": values((2,), "c16")}
np.savez("tree.npz", **tree)
np.savez_compressed("compressed.npz", **tree)

# With the package `safetensors`.
from safetensors.numpy import save_file

save_file({name: values((2, 3), name) for name in ["b1", "u1", "u2", "u4", "u8", "i1", "i2", "i4", "i8", "f2", "f4", "f8"]}, "types.safetensors", metadata={"by": "make.py"})
save_file({"0.weight": values((2, 3), "f4"), "0.bias": np.zeros(2, "f4"), "scale": np.array(2.5), "none": np.zeros((0, 2), "i8")}, "net.safetensors")
