"""``torch.utils._dtype_abbrs``: short names of dtypes, for logs."""

from ..dtypes import BY_NAME, NAMES_ONLY

__all__ = ["dtype_abbrs"]

#: of the dtypes that tensors have
dtype_abbrs = {each: each.abbr for each in BY_NAME.values() if each not in NAMES_ONLY}
