"""Which entries of PyTorch's operator database are in scope, and what each is called here.

An entry is identified by its name and, where the database has several variants of one operator, the variant:
`div[floor_rounding]`. Out of scope is what issue 4 of the project lists, each with its sentence.
"""

import re

# (pattern on the operator's name, why it is not in scope)
OUT_OF_SCOPE = (
    (r"(__getitem__|__r\w+__)$", None),  # public in spite of their underscores
    (r"_", "private (leading underscore)"),
    (r"torch\.", "private (an operator of PyTorch's internal namespaces)"),
    (r"sparse\.|to_sparse$", "sparse"),
    (r"jiterator_", "jiterator (CUDA source code)"),
    (
        r"(expand|diagonal|alias|as_strided|permute|squeeze|unsqueeze|transpose|t|unbind|unfold|narrow|view"
        r"|split_with_sizes)_copy$",
        "copying twin of a view",
    ),
    (r"resize_$", "resize_"),
    (r"linalg\.ldl_", "LDL"),
    (r"(geqrf|ormqr)$", "geqrf/ormqr"),
    (r"(svd|pca)_lowrank$", "low-rank SVD/PCA"),
    (r"nn\.functional\.fractional_max_pool", "fractional pooling"),
    (r"special\.(\w+_polynomial_\w+|airy_ai)$", "orthogonal polynomials and Airy functions"),
    (r"special\.(scaled_)?(modified_|spherical_)?bessel_", "Bessel functions beyond i0, i0e, i1, i1e"),
    (r"(native_dropout|max_pool2d_with_indices)_backward$", "no public name in PyTorch (torch.ops.aten only)"),
)
OUT_OF_SCOPE_ENTRIES = {
    "as_strided[partial_views]": "as_strided on partial storages",
    "bmm[triton_optimized]": "no CPU dtype",
    "nn.functional.batch_norm[without_cudnn]": "no CPU dtype",
}


def entry_id(op):
    """The name an entry has in reports and in the list of gaps: `name` or `name[variant]`."""
    return f"{op.name}[{op.variant_test_name}]" if op.variant_test_name else op.name


def why_out_of_scope(op):
    """The sentence for an entry that does not count, or None for one that does."""
    reason = OUT_OF_SCOPE_ENTRIES.get(entry_id(op))
    if reason:
        return reason
    for pattern, reason in OUT_OF_SCOPE:
        if re.match(pattern, op.name):
            return reason
    return None


def entries(pattern=None):
    """All entries in scope, in the database's order; `pattern` is a regular expression on whole names or ids."""
    from torch.testing._internal.common_methods_invocations import op_db

    chosen = [op for op in op_db if why_out_of_scope(op) is None]
    if pattern:
        wanted = re.compile(pattern)
        chosen = [op for op in chosen if wanted.fullmatch(op.name) or wanted.fullmatch(entry_id(op))]
    return chosen


_LINALG = (
    r"linalg\.|fft\.|stft|istft|(add)?(mm|bmm|mv|r|bmm)$|baddbmm|addbmm|dot$|vdot|bmm|mm$|mv$|matmul|matrix_exp"
    r"|cholesky|lu$|lu_|svd$|qr$|pinverse|logdet|triangular_solve|einsum|tensordot|inner|outer|kron|__rmatmul__|cdist"
    r"|cross$|corrcoef|cov$|trace$|norm$|dist$|renorm|block_diag"
)
_CORE = (
    r"item|arange|linspace|logspace|cauchy|exponential|geometric|log_normal|normal|uniform|empty|zeros|ones|full|new_"
    r"|rand|eye|scalar_tensor|multinomial|bernoulli|tril_indices|triu_indices|clone|contiguous|to$|complex$|polar$"
    r"|bfloat16|bool|byte|char|double|float$|half|int$|long|short|cdouble|cfloat|chalf|resize|fill$|zero_|as_strided"
    r"|signal\.|allclose|equal$|broadcast_shapes|resolve_"
)


def family(op):
    """The family an entry belongs to: elementwise, reduce, nn, linalg or core (constructors, casts, random)."""
    if op.name.startswith("nn.functional.") or re.match(
        r"softmax|log_softmax|native_|grid_sampler|constant_pad|max_pool2d_with", op.name
    ):
        return "nn"
    if re.match(_LINALG, op.name):
        return "linalg"
    if re.match(_CORE, op.name):
        return "core"
    kind = type(op).__name__
    if kind in ("UnaryUfuncInfo", "BinaryUfuncInfo") or re.match(
        r"add|lerp|clamp|logaddexp2|where|frexp|special\.|is", op.name
    ):
        return "elementwise"
    return "reduce"
