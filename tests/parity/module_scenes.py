"""What scenes about modules show: plain numbers, texts and warnings in place of tensors and modules."""

import warnings


def shown(value):
    """Numbers in place of tensors (with their dtype), printed forms in place of modules."""
    if isinstance(value, type):
        return value.__name__
    if hasattr(value, "detach"):
        return [str(value.dtype).partition(".")[2], list(value.shape), value.detach().tolist()]
    if hasattr(value, "named_modules"):
        return repr(value)
    if hasattr(value, "_fields"):
        return [type(value).__name__, *(shown(getattr(value, name)) for name in value._fields)]
    if isinstance(value, (tuple, list)):
        return [type(value).__name__, *map(shown, value)]
    if isinstance(value, dict):
        return ["dict", list(value), *map(shown, value.values())]
    return value


def warned(function):
    """(what it returned or raised, shown; kinds and texts of its warnings)."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            result = shown(function())
        except Exception as error:
            result = ["raised", type(error).__name__, str(error).replace("rushlight.", "torch.")]
    said = [(each.category.__name__, str(each.message).partition(" (Triggered internally")[0]) for each in caught]
    return result, said


def add_lines(scene, **lines):
    """A scene for each function without arguments."""
    for name, function in lines.items():

        def run(log, function=function):
            return warned(function)

        run.__name__ = name
        scene(run)
