"""Data types, and how they combine.

PyTorch's promotion differs from NumPy's, so it is stated here and applied before an array function sees its operands:
two tensors of the same category (bool < integral < floating < complex) promote along a small lattice; a 0-d tensor only
counts when its category is higher than that of every dimensioned one, and a Python number when it is higher still.
"""

import numpy as np

__all__ = ["can_cast", "dtype", "finfo", "get_default_dtype", "iinfo", "of", "promote_types", "set_default_dtype"]

_python_bool = bool  # the name is taken by a dtype below
_BOOL, _INTEGRAL, _FLOATING, _COMPLEX = range(4)


class dtype:  # noqa: N801 - PyTorch's name
    """The type of a tensor's elements, e.g. ``torch.float32``; one object for each type, compared by identity.

    ``numpy`` is the matching NumPy dtype (for ``bfloat16`` it comes from the ``ml_dtypes`` package at first use),
    ``itemsize`` is in bytes, ``legacy`` is the name PyTorch's error texts use (``Float``, ``Long``).
    """

    __slots__ = (
        *("category", "is_complex", "is_floating_point", "is_signed", "itemsize", "legacy", "name", "numpy"),
        # for the shortest path of elementwise operators: whether NumPy's arithmetic is PyTorch's, and Python numbers as arrays
        *("constants", "plain"),
    )

    def __init__(self, name, numpy, category, itemsize, legacy):
        self.name = name
        if numpy is not None:
            self.numpy = numpy
        self.category = category
        self.itemsize = itemsize
        self.legacy = legacy
        self.is_floating_point = category == _FLOATING
        self.is_complex = category == _COMPLEX
        self.is_signed = name != "bool" and not name.startswith("uint") and name != "float8_e8m0fnu"
        self.plain = name in ("float32", "float64")
        self.constants = {}

    def __getattr__(self, name):
        """``numpy`` where it is not there from the beginning."""
        if name != "numpy":
            raise AttributeError(f"'torch.dtype' object has no attribute '{name}'")
        if self is not bfloat16:
            raise TypeError(f"rushlight has no tensors of {self!r}; the name is for programs that only mention it")
        self.numpy = found = _load_bfloat16()
        return found

    @property
    def cpp_name(self):
        """The C++ type's name, which some of PyTorch's error texts use."""
        return _CPP.get(self.name, self.name)

    @property
    def abbr(self):
        """A short name: the kind's letter, and the bits of an element (``f32``, ``i64``, ``bf16``, ``b8``)."""
        kind = "bf" if self.name == "bfloat16" else self.name[0]
        return f"{kind}{8 * self.itemsize}{self.name.partition('_')[2]}"

    def to_real(self):
        """The floating dtype of the parts of a complex one; itself otherwise."""
        return {complex64: float32, complex128: float64, BY_NAME["complex32"]: float16}.get(self, self)

    def to_complex(self):
        """The complex dtype whose parts have this dtype (half precision types have ``complex64`` here)."""
        return {float64: complex128, float32: complex64, float16: complex64, bfloat16: complex64}.get(self, self)

    def __repr__(self):
        return f"torch.{self.name}"

    def __reduce__(self):
        return _by_name, (self.name,)

    def __copy__(self):
        return self

    def __deepcopy__(self, memo):
        return self


dtype.__module__ = "torch"

_CPP = {
    **{"float32": "float", "float64": "double", "float16": "c10::Half", "bfloat16": "c10::BFloat16"},
    **{"int64": "long int", "int32": "int", "int16": "short int", "int8": "signed char", "uint8": "unsigned char"},
    **{"uint16": "unsigned short", "uint32": "unsigned int", "uint64": "unsigned long"},
    **{"complex64": "c10::complex<float>", "complex128": "c10::complex<double>"},
}


def _by_name(name):
    return BY_NAME[name]


def _load_bfloat16():
    try:
        import ml_dtypes
    except ImportError:
        raise ImportError(
            "torch.bfloat16 needs the ml_dtypes package; install it with: pip install 'rushlight[full]'"
        ) from None
    found = np.dtype(ml_dtypes.bfloat16)
    _BY_NUMPY[found] = bfloat16
    return found


bool = dtype("bool", np.dtype(np.bool_), _BOOL, 1, "Bool")
uint8 = dtype("uint8", np.dtype(np.uint8), _INTEGRAL, 1, "Byte")
int8 = dtype("int8", np.dtype(np.int8), _INTEGRAL, 1, "Char")
int16 = dtype("int16", np.dtype(np.int16), _INTEGRAL, 2, "Short")
int32 = dtype("int32", np.dtype(np.int32), _INTEGRAL, 4, "Int")
int64 = dtype("int64", np.dtype(np.int64), _INTEGRAL, 8, "Long")
uint16 = dtype("uint16", np.dtype(np.uint16), _INTEGRAL, 2, "UInt16")
uint32 = dtype("uint32", np.dtype(np.uint32), _INTEGRAL, 4, "UInt32")
uint64 = dtype("uint64", np.dtype(np.uint64), _INTEGRAL, 8, "UInt64")
float16 = dtype("float16", np.dtype(np.float16), _FLOATING, 2, "Half")
bfloat16 = dtype("bfloat16", None, _FLOATING, 2, "BFloat16")
float32 = dtype("float32", np.dtype(np.float32), _FLOATING, 4, "Float")
float64 = dtype("float64", np.dtype(np.float64), _FLOATING, 8, "Double")
complex64 = dtype("complex64", np.dtype(np.complex64), _COMPLEX, 8, "ComplexFloat")
complex128 = dtype("complex128", np.dtype(np.complex128), _COMPLEX, 16, "ComplexDouble")

ALL = (
    *(bool, uint8, int8, int16, int32, int64, uint16, uint32, uint64),
    *(float16, bfloat16, float32, float64, complex64, complex128),
)
BY_NAME = {each.name: each for each in ALL}

#: types that have a name and a size, but no tensors here: programs put them into lists and compare with them
NAMES_ONLY = (
    dtype("complex32", None, _COMPLEX, 4, "ComplexHalf"),
    *(
        dtype(f"float8_{kind}", None, _FLOATING, 1, f"Float8_{kind}")
        for kind in ("e4m3fn", "e5m2", "e4m3fnuz", "e5m2fnuz", "e8m0fnu")
    ),
    dtype("float4_e2m1fn_x2", None, _FLOATING, 1, "Float4_e2m1fn_x2"),
    *(dtype(f"uint{bits}", None, _INTEGRAL, 1, f"UInt{bits}") for bits in range(1, 8)),
    *(dtype(f"int{bits}", None, _INTEGRAL, 1, f"Int{bits}") for bits in range(1, 8)),
    *(dtype(f"bits{kind}", None, _INTEGRAL, 1, f"Bits{kind}") for kind in ("1x8", "2x4", "4x2", "8")),
    dtype("bits16", None, _INTEGRAL, 2, "Bits16"),
    dtype("quint8", None, _INTEGRAL, 1, "QUInt8"),
    dtype("qint8", None, _INTEGRAL, 1, "QInt8"),
    dtype("qint32", None, _INTEGRAL, 4, "QInt32"),
    dtype("quint4x2", None, _INTEGRAL, 1, "QUInt4x2"),
    dtype("quint2x4", None, _INTEGRAL, 1, "QUInt2x4"),
)
BY_NAME.update((each.name, each) for each in NAMES_ONLY)


class qscheme:  # noqa: N801 - PyTorch's name
    """How quantised tensors map numbers to integers. There are none here; the schemes exist to be named."""

    def __init__(self, name):
        self.name = name

    def __repr__(self):
        return f"torch.{self.name}"

    def __reduce__(self):
        return _qscheme, (self.name,)


qscheme.__module__ = "torch"


def _qscheme(name):
    return QSCHEMES[name]


QSCHEMES = {
    name: qscheme(name)
    for name in (
        *("per_tensor_affine", "per_channel_affine", "per_tensor_symmetric", "per_channel_symmetric"),
        "per_channel_affine_float_qparams",
    )
}

#: second names that PyTorch gives to the same objects
ALIASES = {
    "half": float16,
    "float": float32,
    "double": float64,
    "short": int16,
    "int": int32,
    "long": int64,
    "chalf": BY_NAME["complex32"],
    "bit": BY_NAME["uint1"],
    "cfloat": complex64,
    "cdouble": complex128,
}
_BY_NUMPY = {each.numpy: each for each in ALL if each is not bfloat16}
_BY_NUMPY[np.dtype(np.longlong)] = int64
_BY_NUMPY[np.dtype(np.ulonglong)] = uint64


def of(numpy_dtype):
    """The dtype of a NumPy dtype; TypeError with PyTorch's text where there is none."""
    found = _BY_NUMPY.get(numpy_dtype)
    if found is None:
        if numpy_dtype.name == "bfloat16":
            _BY_NUMPY[numpy_dtype] = bfloat16
            return bfloat16
        found = _BY_NUMPY.get(numpy_dtype.newbyteorder("="))
        if found is not None and not numpy_dtype.isnative:
            raise ValueError(
                "given numpy array has byte order different from the native byte order. "
                "Conversion between byte orders is currently not supported."
            )
        shown = "numpy." + (numpy_dtype.type.__name__ if numpy_dtype.type is not np.void else "void")
        raise TypeError(
            f"can't convert np.ndarray of type {shown}. The only supported types are: float64, float32, float16, "
            "complex64, complex128, int64, int32, int16, int8, uint64, uint32, uint16, uint8, and bool."
        )
    return found


# ------------------------------------------------------------------------------------------------ default dtype

_default = [float32]


def get_default_dtype():
    """The floating dtype of new tensors where none is named; ``torch.float32`` unless changed."""
    return _default[0]


def set_default_dtype(d):
    """Make ``d`` the default; only floating dtypes can be."""
    if not isinstance(d, dtype):
        raise TypeError(f"invalid dtype object: only floating-point types are supported as the default type, got {d!r}")
    if not d.is_floating_point:
        raise TypeError("only floating-point types are supported as the default type")
    _default[0] = d


def default_complex():
    return complex128 if _default[0] is float64 else complex64


# ---------------------------------------------------------------------------------------------------- promotion

_WIDE_UNSIGNED = (uint16, uint32, uint64)
_SIGNED = (int8, int16, int32, int64)


def _promote(a, b):
    if a is b:
        return a
    if a.category < b.category:
        a, b = b, a
    if (a in _WIDE_UNSIGNED or b in _WIDE_UNSIGNED) and a.category != _FLOATING:
        return None
    if a.category > b.category:
        # a half or single complex beside a double stays what it is wide enough for
        return complex128 if a is complex64 and b is float64 else a
    if a.category == _INTEGRAL:
        if uint8 in (a, b):
            other = b if a is uint8 else a
            return int16 if other is int8 else other
        return a if a.itemsize > b.itemsize else b
    if a.itemsize == b.itemsize:  # float16 with bfloat16
        return float32
    return a if a.itemsize > b.itemsize else b


_PROMOTED = {(a, b): _promote(a, b) for a in ALL for b in ALL}


def promote_types(type1, type2):
    """The smallest dtype that both can be converted to without leaving their category.

    Raises RuntimeError for ``uint16``, ``uint32``, ``uint64`` beside another integer type, as PyTorch does.
    """
    found = _PROMOTED.get((type1, type2))
    if found is None:
        type1.numpy, type2.numpy  # noqa: B018 - raises where there are no such tensors
        raise RuntimeError(
            "Promotion for uint16, uint32, uint64 types is not supported, "
            f"attempted to promote {type1.legacy} and {type2.legacy}"
        )
    return found


def of_number(value):
    """The dtype a Python (or NumPy) number stands for when it meets tensors."""
    kind = type(value)
    if kind is float:
        return _default[0]
    if kind is int:
        return int64
    if kind is complex:
        return default_complex()
    if kind is _python_bool or isinstance(value, np.bool_):
        return bool
    if isinstance(value, (int, np.integer)):
        return int64
    if isinstance(value, (float, np.floating)):
        return _default[0]
    return default_complex()


def combine(dimensioned, zero_dim, numbers):
    """The result dtype of operands given as (dtype or None) for each of the three ranks that PyTorch tells apart."""
    result = dimensioned
    if zero_dim is not None:
        if result is None:
            result = zero_dim
        elif zero_dim.category > result.category:
            # a complex number beside a floating tensor only makes it complex, it does not widen it
            both = zero_dim.is_complex and result.is_floating_point
            result = result.to_complex() if both else promote_types(result, zero_dim)
    if numbers is not None:
        if result is None:
            result = numbers
        elif numbers.category > result.category:
            result = result.to_complex() if numbers.is_complex and result.is_floating_point else numbers
    return result


def can_cast(from_, to):
    """Whether a result of dtype ``from_`` may be written into a tensor of dtype ``to`` (categories only go up)."""
    if from_.is_complex and not to.is_complex:
        return False
    if from_.is_floating_point and to.category < _FLOATING:
        return False
    return not (from_ is not bool and to is bool)


# -------------------------------------------------------------------------------------------------------- limits


#: resolution, eps, max, min and smallest normal number of the eight-bit types
_SMALL_FLOATS = {
    "float8_e4m3fn": (1.0, 2.0**-3, 448.0, -448.0, 2.0**-6),
    "float8_e5m2": (1.0, 2.0**-2, 57344.0, -57344.0, 2.0**-14),
    "float8_e4m3fnuz": (1.0, 2.0**-3, 240.0, -240.0, 2.0**-7),
    "float8_e5m2fnuz": (1.0, 2.0**-3, 57344.0, -57344.0, 2.0**-15),
    "float8_e8m0fnu": (1.0, 1.0, 2.0**127, 2.0**-127, 2.0**-127),
}


class _Limits:
    """Limits of a dtype, equal where the dtypes are."""

    def __eq__(self, other):
        return self.dtype == other.dtype if type(other) is type(self) else NotImplemented

    def __hash__(self):
        return hash(self.dtype)


class finfo(_Limits):  # noqa: N801 - PyTorch's name
    """Limits of a floating dtype: ``bits``, ``eps``, ``max``, ``min``, ``tiny``, ``smallest_normal``, ``resolution``."""

    def __init__(self, type=None):
        if type is None:
            type = get_default_dtype()
        if not isinstance(type, dtype):
            raise TypeError(f"finfo(): argument 'type' (position 1) must be torch.dtype, not {_class_name(type)}")
        if not (type.is_floating_point or type.is_complex):
            raise TypeError(
                "torch.finfo() requires a floating point input type. Use torch.iinfo to handle 'torch.finfo'"
            )
        part = type.to_real()
        self.dtype = part.name
        if part.name in _SMALL_FLOATS:
            self.bits = 8
            self.resolution, self.eps, self.max, self.min, self.tiny = _SMALL_FLOATS[part.name]
            self.smallest_normal = self.tiny
            return
        if part is bfloat16:
            self.bits, self.eps, self.max, self.tiny = 16, 2.0**-7, (2 - 2.0**-7) * 2.0**127, 2.0**-126
            self.resolution = 0.01
        else:
            info = np.finfo(part.numpy)
            self.bits, self.eps, self.max, self.tiny = info.bits, float(info.eps), float(info.max), float(info.tiny)
            self.resolution = float(f"{float(info.resolution):.0e}")
        self.min = -self.max
        self.smallest_normal = self.tiny

    def __repr__(self):
        return (
            f"finfo(resolution={self.resolution:g}, min={self.min:g}, max={self.max:g}, eps={self.eps:g}, "
            f"smallest_normal={self.smallest_normal:g}, tiny={self.tiny:g}, dtype={self.dtype})"
        )


class iinfo(_Limits):  # noqa: N801 - PyTorch's name
    """Limits of an integer dtype: ``bits``, ``max``, ``min``."""

    def __init__(self, type):
        if not isinstance(type, dtype):
            raise TypeError(f"iinfo(): argument 'type' (position 1) must be torch.dtype, not {_class_name(type)}")
        if type.category != _INTEGRAL:
            if type is bool:
                raise TypeError("torch.bool is not supported by torch.iinfo")
            raise TypeError("torch.iinfo() requires an integer input type. Use torch.finfo to handle 'torch.iinfo'")
        info = np.iinfo(type.numpy)
        self.dtype, self.bits, self.max, self.min = type.name, info.bits, int(info.max), int(info.min)

    def __repr__(self):
        return f"iinfo(min={self.min:g}, max={self.max:g}, dtype={self.dtype})"


def _class_name(value):
    return type(value).__name__
