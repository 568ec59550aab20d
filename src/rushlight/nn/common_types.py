"""``torch.nn.common_types``: names for the types of sizes, for annotations."""

from typing import Optional, TypeVar, Union

from ..tensor import Tensor

T = TypeVar("T")


def _several(kind, count):
    """One value of a type, or a tuple of `count` of them (None: of any number)."""
    return Union[kind, tuple[kind, ...] if count is None else tuple[(kind,) * count]]  # noqa: UP007 - made at run time


_scalar_or_tuple_any_t = _several(T, None)
_scalar_or_tuple_1_t, _scalar_or_tuple_2_t, _scalar_or_tuple_3_t = (_several(T, count) for count in (1, 2, 3))
_scalar_or_tuple_4_t, _scalar_or_tuple_5_t, _scalar_or_tuple_6_t = (_several(T, count) for count in (4, 5, 6))
_size_any_t = _several(int, None)
_size_1_t, _size_2_t, _size_3_t = (_several(int, count) for count in (1, 2, 3))
_size_4_t, _size_5_t, _size_6_t = (_several(int, count) for count in (4, 5, 6))
_size_any_opt_t, _size_2_opt_t, _size_3_opt_t = (
    Optional[_several(Optional[int], count)]  # noqa: UP045
    for count in (None, 2, 3)
)
_ratio_any_t, _ratio_2_t, _ratio_3_t = (_several(float, count) for count in (None, 2, 3))
_tensor_list_t = _several(Tensor, None)
_maybe_indices_t = Union[Tensor, tuple[Tensor, Tensor]]  # noqa: UP007
