"""A pass of fixed shape as a CUDA graph: one launch instead of some hundred."""

from __future__ import annotations

from collections.abc import Callable

import torch

from inference.api import EngineError
from inference.memory.out_of_memory import is_out_of_memory

# (a pass over fixed buffers, its device) -> what replays it over the same buffers
Capture = Callable[[Callable[[], None], torch.device], Callable[[], None]]

_WARM_UPS = 3


def capture_graph(run: Callable[[], None], device: torch.device) -> Callable[[], None]:
    """Capture what ``run`` launches; what it reads and writes stays where it is.

    Warmed up on the very stream of the capture, as libraries make their handles and workspaces by
    stream, and neither may be made while capturing. What other threads do on the device is no
    matter of this graph's ("thread_local"). What run allocates lies in the graph's own memory from
    then on (PyTorch, "CUDA Graphs").
    """
    with torch.cuda.device(device):
        stream = torch.cuda.Stream(device)
        stream.wait_stream(torch.cuda.current_stream(device))
        with torch.cuda.stream(stream):
            for _ in range(_WARM_UPS):
                run()
        torch.cuda.current_stream(device).wait_stream(stream)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, stream=stream, capture_error_mode="thread_local"):
            run()
    return graph.replay


def capture_or_refuse(
    capture: Capture,
    run: Callable[[], None],
    device: torch.device,
    computes: Callable[[Callable[[], None]], bool],
) -> Callable[[], None]:
    """What replays run. EngineError where it can't be captured: never a slower pass in silence.

    computes: whether a replay does compute; a graph may well be captured empty.
    """
    failure = "a replay of the graph computes nothing"
    try:
        replay = capture(run, device)
        if computes(replay):
            return replay
    except RuntimeError as error:
        cause = _first_cause(error)
        if is_out_of_memory(cause):
            raise cause from None
        failure = str(cause).split("\n", 1)[0]
    # Outside the handler: its traceback would keep the pass's tensors.
    raise EngineError(
        f"{device}: decoding could not be captured as a CUDA graph ({failure}). It runs without "
        'graphs, slower, if the model is loaded with passes="one-shape" or with the environment '
        "variable ECHO_PASSES=one-shape"
    )


def _first_cause(error: Exception) -> Exception:
    """Ending a capture that failed fails too, and hides what failed first."""
    while isinstance(error.__context__, Exception):
        error = error.__context__
    return error
