"""``torch.__future__``: how modules treat their parameters in conversions and when they read states."""

__all__ = [
    *("get_overwrite_module_params_on_conversion", "get_swap_module_params_on_conversion"),
    *("set_overwrite_module_params_on_conversion", "set_swap_module_params_on_conversion"),
]

_overwrite_module_params_on_conversion = False
_swap_module_params_on_conversion = False


def set_overwrite_module_params_on_conversion(value):
    """Whether ``module.double()`` and its like put new parameters in the place of the old, which keep their dtype then."""
    global _overwrite_module_params_on_conversion
    _overwrite_module_params_on_conversion = value


def get_overwrite_module_params_on_conversion():
    """Whether conversions make new parameters (False by default)."""
    return _overwrite_module_params_on_conversion


def set_swap_module_params_on_conversion(value):
    """Whether a parameter stays the same object in ``load_state_dict(..., assign=True)`` too.

    In conversions it does so anyway, unless `set_overwrite_module_params_on_conversion` says otherwise; swapping goes first.
    """
    global _swap_module_params_on_conversion
    _swap_module_params_on_conversion = value


def get_swap_module_params_on_conversion():
    """Whether parameters stay the same objects when values are assigned (False by default)."""
    return _swap_module_params_on_conversion
