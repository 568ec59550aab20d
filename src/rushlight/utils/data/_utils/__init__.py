"""What a loader is made of: ``collate`` makes batches, ``fetch`` gets items, ``worker`` runs in other processes."""

from . import collate, fetch, worker

__all__ = ["MP_STATUS_CHECK_INTERVAL", "collate", "fetch", "worker"]

#: seconds between two looks at whether the other process is still alive
MP_STATUS_CHECK_INTERVAL = 5.0
