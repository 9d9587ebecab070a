"""Batches and their results between protobuf and values."""

from ebpfd.host.modules import BatchOutcome
from ebpfd.objects.chains import Batch
from ebpfd_api.v1 import hook_pb2 as pb


def decode_batch(message: pb.Batch) -> Batch:
    """A batch as it arrived."""
    return Batch(
        count=message.count or 1,
        contexts=message.contexts,
        data=message.data,
        data_lengths=message.data_lengths,
        meta_lengths=message.meta_lengths,
    )


def encode_batch(batch: Batch, message: pb.Batch) -> None:
    """Fill *message*."""
    message.count = batch.count
    message.contexts, message.data = batch.contexts, batch.data
    message.data_lengths, message.meta_lengths = batch.data_lengths, batch.meta_lengths


def decode_result(message: pb.BatchResult) -> BatchOutcome:
    """What a batch came to."""
    return BatchOutcome(
        code=message.code,
        message=message.message,
        codes=message.codes,
        results=message.results,
        contexts=message.contexts,
        data=message.data,
        failure_result=message.failure_result,
    )


def encode_result(outcome: BatchOutcome, message: pb.BatchResult) -> None:
    """Fill *message*."""
    message.code, message.message = outcome.code, outcome.message
    message.codes, message.results = outcome.codes, outcome.results
    message.contexts, message.data = outcome.contexts, outcome.data
    message.failure_result = outcome.failure_result
