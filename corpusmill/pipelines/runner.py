"""Where a pipeline runs: on the runner that Beam's options name, or else on this machine.

The local runner is FnApiRunner.  It is named explicitly, because Beam's default first tries to download another one.
With one worker it runs in the driver's process.  With more, each worker is a process (`workers.py`).  Threads are never
used: `multi_threading` loses elements in GroupByKey without an error.

Beam's own `multi_processing` writes the interpreter's path into a shell command without quotes, which fails if a
folder's name contains a space.  So we give the command that starts a worker.
"""

import shlex
import sys
from collections.abc import Sequence

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.runners.portability.fn_api_runner.fn_runner import FnApiRunner
from apache_beam.transforms.environments import SubprocessSDKEnvironment

from corpusmill.pipelines.request import names_a_runner

WORKER = "apache_beam.runners.worker.sdk_worker_main"


def new_pipeline(options: Sequence[str], *, workers: int = 1, worker_command: str | None = None) -> beam.Pipeline:
    """An empty pipeline with Beam's `options`.  The other arguments matter only if the options name no runner.

    workers: number of processes; with one, all work is done in this process.
    worker_command: the command that starts one of several workers, see `workers.py`.
    """
    if names_a_runner(options):
        return beam.Pipeline(options=PipelineOptions(list(options)))
    environment = None
    if workers > 1:
        command = worker_command or f"{shlex.quote(sys.executable)} -P -m {WORKER}"
        environment = SubprocessSDKEnvironment.from_command_string(command)
    local = PipelineOptions([f"--direct_num_workers={workers}", *options])
    return beam.Pipeline(runner=FnApiRunner(default_environment=environment), options=local)
