"""Custom map types: the functions of their providers, and what calls say of themselves."""

from enum import IntEnum, IntFlag


class MapFunction(IntEnum):
    """``ebpf_base_map_provider_dispatch_table_t``, numbered by the places in it."""

    PREPROCESS_MAP_CREATE = 1
    POSTPROCESS_MAP_DELETE = 2
    PREPROCESS_ASSOCIATE_PROGRAM_TYPE = 3
    POSTPROCESS_MAP_FIND_ELEMENT = 4
    PREPROCESS_MAP_UPDATE_ELEMENT = 5
    PREPROCESS_MAP_DELETE_ELEMENT = 6
    POSTPROCESS_MAP_DELETE_ELEMENT = 7


class MapOperation(IntFlag):
    """``EBPF_MAP_OPERATION_...``: why a function of an element is called."""

    NONE = 0
    HELPER = 1
    """A program does it; otherwise a user does."""

    UPDATE = 2
    """A value makes room for another, or was never stored after all."""

    MAP_CLEANUP = 4
    """The map itself goes."""
