"""Exceptions on their way from one process or thread to another, with the traceback of where they happened as text."""

import sys
import traceback

__all__ = ["ExceptionWrapper", "KeyErrorMessage"]


class KeyErrorMessage(str):
    """The text of a KeyError, which would else be shown as a quoted string with its line breaks escaped."""

    __slots__ = ()

    def __repr__(self):
        return str(self)


class ExceptionWrapper:
    """An exception that can be pickled: its class ``exc_type``, its traceback as text, and ``where`` it happened.

    ``exc_info`` is what ``sys.exc_info()`` returns; by default of the exception that is being handled.
    """

    def __init__(self, exc_info=None, where="in background"):
        exc_info = sys.exc_info() if exc_info is None else exc_info
        self.exc_type = exc_info[0]
        self.exc_msg = "".join(traceback.format_exception(*exc_info))
        self.where = where

    def reraise(self):
        """Raise an exception of the same class, whose text has the traceback; RuntimeError for classes made otherwise than by a text."""
        text = f"Caught {self.exc_type.__name__} {self.where}.\nOriginal {self.exc_msg}"
        if self.exc_type is KeyError:
            raise KeyError(KeyErrorMessage(text))
        if getattr(self.exc_type, "message", None):
            raise self.exc_type(message=text)
        try:
            error = self.exc_type(text)
        except Exception:
            raise RuntimeError(text) from None
        raise error
