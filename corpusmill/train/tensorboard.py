"""The metrics as TensorBoard reads them, in the folder `tensorboard` of a model.

The folder is written anew from all metrics each time, so that a resumed training leaves no step twice.
"""

import shutil
import uuid
from pathlib import Path

import pyarrow as pa

from corpusmill.errors import InputError
from corpusmill.store import full_disk_is_a_run_error


def write_tensorboard(folder: Path, metrics: pa.Table) -> None:
    """Write models/NAME/tensorboard.  A figure of one source has the tag `metric/source`.

    InputError if the package that writes such files is missing.
    """
    try:
        from tensorboardX import SummaryWriter
    except ModuleNotFoundError as error:
        raise InputError(
            f"train.tensorboard needs the package '{error.name}'; "
            "install it with: pip install 'corpusmill[tensorboard]'"
        ) from None
    temporary, final = folder / f".tensorboard.{uuid.uuid4().hex}.tmp", folder / "tensorboard"
    with full_disk_is_a_run_error(folder):
        with SummaryWriter(str(temporary)) as writer:
            for row in metrics.to_pylist():
                tag = row["metric"] if row["source"] is None else f"{row['metric']}/{row['source']}"
                writer.add_scalar(tag, row["value"], row["step"], walltime=row["seconds"])
        if final.exists():
            shutil.rmtree(final)
        temporary.rename(final)
