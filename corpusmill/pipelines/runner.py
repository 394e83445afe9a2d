"""Where a pipeline runs: on the runner that Beam's options name, else on this machine.

The local runner is FnApiRunner, named explicitly (Beam's default first tries to download another one): in the
driver itself for one worker, with processes for more (`workers.py`).  Never with threads: `multi_threading` silently
loses elements in GroupByKey.  Beam's own `multi_processing` writes the interpreter's path into a shell command without
quotes, which fails in a folder with a space in its name; so the command of the worker processes is ours.
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
    """An empty pipeline with Beam's `options`; the rest counts if they name no runner.

    workers: processes; with one, all work is done in this process.
    worker_command: starts one of several, see `workers.py`.
    """
    if names_a_runner(options):
        return beam.Pipeline(options=PipelineOptions(list(options)))
    environment = None
    if workers > 1:
        command = worker_command or f"{shlex.quote(sys.executable)} -P -m {WORKER}"
        environment = SubprocessSDKEnvironment.from_command_string(command)
    local = PipelineOptions([f"--direct_num_workers={workers}", *options])
    return beam.Pipeline(runner=FnApiRunner(default_environment=environment), options=local)
