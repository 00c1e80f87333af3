_FOLDER = pathlib.Path(__file__).resolve().parent
_SUFFIX = {"win32": ".dll", "darwin": ".dylib"}.get(sys.platform, ".so")


class Error(RuntimeError):
    """A call that did not end well: `status` is what it returned."""

    def __init__(self, status, message):
        super().__init__(message)
        self.status = status


class _Function:
    """A function of the library: its name, and name, element type and shape of each argument and result."""

    def __init__(self, name, arguments, results):
        self.name = name
        self.arguments = [(n, np.dtype(d), s) for n, d, s in arguments]
        self.results = [(n, np.dtype(d), s) for n, d, s in results]


def _shaped(array, name, shape):
    if array.shape != shape:
        raise ValueError(f"{name} must have the shape {shape}, and has {array.shape}")


def _argument(given, name, dtype, shape):
    """An array as the function reads it: what is given, unless its type or its order is another."""
    kinds = {bool: "biuf", int: "iuf", float: "f"}.get(type(given), "")
    if dtype.kind in kinds:
        array = np.array(given, dtype)
    else:
        array = np.asarray(given)
        if not np.can_cast(array.dtype, dtype, "safe"):
            raise TypeError(
                f"{name} must be {dtype}, and is {array.dtype}: "
                f"where it may be rounded, give {name}.astype(np.{dtype.name})"
            )
    _shaped(array, name, shape)
    return np.require(array, dtype, "CA")


def _result(given, name, dtype, shape):
    """An array that the function writes: what is given, and nothing else."""
    if not isinstance(given, np.ndarray):
        raise TypeError(f"out: {name} must be an array of NumPy, and is a {type(given).__name__}")
    if given.dtype != dtype:
        raise TypeError(f"out: {name} must be {dtype}, and is {given.dtype}")
    _shaped(given, f"out: {name}", shape)
    if not (given.flags.c_contiguous and given.flags.aligned and given.flags.writeable):
        raise ValueError(f"out: {name} must be contiguous, aligned and writeable")
    return given


def _apart(arguments, results):
    """What a function writes must not be what it reads, or writes elsewhere."""
    for i, (name, array) in enumerate(results):
        for other, memory in arguments + results[:i]:
            if np.may_share_memory(array, memory):
                raise ValueError(f"out: {name} and {other} share memory")


def _load(library):
    if library is None:
        library = _FOLDER / f"lib{_NAME}{_SUFFIX}"
        if not library.exists():
            raise FileNotFoundError(
                f"{library} is not there: make it by "
                f"cc -O2 -march=native -shared -fPIC {_NAME}.c -o {library.name}"
            )
    library = ctypes.CDLL(str(library))
    for f in _FUNCTIONS:
        try:
            function = getattr(library, f.name)
        except AttributeError:
            raise ImportError(
                f"{library._name} has no function {f.name}: it was made of another {_NAME}.c"
            ) from None
        function.restype = ctypes.c_int
        function.argtypes = [ctypes.c_void_p] * (len(f.arguments) + len(f.results) + 1)
    message = getattr(library, f"{_NAME}_message")
    message.restype = ctypes.c_char_p
    message.argtypes = [ctypes.c_int]
    return library


class Model:
    """The functions of the library at a path, which is that beside this file if none is given.

    Any number of threads may call the same model. Arguments are numbers, or whatever NumPy makes arrays of; arrays
    of another type are converted if that loses nothing, and those that are not contiguous are copied. A method
    returns its result, or its results by name, in new arrays, or in those of `out`.
    """

    def __init__(self, library=None):
        self._library = _load(library)
        self._own = threading.local()

    def _call(self, function, given, out, named):
        arguments = [_argument(x, *port) for x, port in zip(given, function.arguments)]
        if out is None:
            results = [np.empty(shape, dtype) for _, dtype, shape in function.results]
        else:
            out = [out] if named is None else list(out)
            if len(out) != len(function.results):
                raise ValueError(f"out: {len(function.results)} arrays are wanted, and {len(out)} given")
            results = [_result(x, *port) for x, port in zip(out, function.results)]
            names = [name for name, _, _ in function.arguments + function.results]
            split = len(arguments)
            _apart(list(zip(names, arguments)), list(zip(names[split:], results)))
        scratch = getattr(self._own, "scratch", None)
        if scratch is None:
            scratch = self._own.scratch = (ctypes.c_uint64 * _WORDS)()
        places = [x.ctypes.data for x in arguments + results]
        status = getattr(self._library, function.name)(*places, ctypes.addressof(scratch))
        if status:
            message = getattr(self._library, f"{_NAME}_message")(status)
            raise Error(status, message.decode(errors="replace"))
        if out is None:
            # A number for an array without axes.
            results = [x[()] for x in results]
        return results[0] if named is None else named(*results)
