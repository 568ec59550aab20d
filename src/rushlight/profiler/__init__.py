"""``torch.profiler``: profiles of operators, in steps if wanted."""

from ..autograd.profiler import ProfilerActivity, kineto_available, record_function
from ..autograd.profiler_util import DeviceType
from . import itt
from .profiler import (
    ExecutionTraceObserver,
    ProfilerAction,
    profile,
    schedule,
    supported_activities,
    tensorboard_trace_handler,
)

__all__ = [
    "DeviceType",
    "ExecutionTraceObserver",
    "ProfilerAction",
    "ProfilerActivity",
    "itt",
    "kineto_available",
    "profile",
    "record_function",
    "schedule",
    "supported_activities",
    "tensorboard_trace_handler",
]
