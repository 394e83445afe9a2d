"""ONNX with weights of 8 bits: onnxruntime's dynamic quantisation, and what it costs in loss.

Every matrix of a product becomes integers with one scale per column, and so does the embedding.  Activations are
quantised while the graph runs, so no calibration data is needed.

The loss is that of the model's own validation: the same rows, the same masks.  It is measured for the float32 graph and
for the quantised one, if the model's corpus is there.
"""

from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from onnxruntime.quantization.shape_inference import quant_pre_process
from torch import Tensor

from corpusmill.export.figures import Figure
from corpusmill.export.formats import Request, Written
from corpusmill.export.onnx import FILE, Graph, exportable, write_beside, write_graph
from corpusmill.train.batch import Batch
from corpusmill.train.evaluate import Validation
from corpusmill.train.job import Job
from corpusmill.train.objectives import objective_class
from corpusmill.train.objectives.base import token_losses

Losses = dict[tuple[str, str | None], float]  # by metric and source


def write(request: Request) -> Written:
    """Write the quantised graph, and measure the losses of it and of the float32 graph."""
    model, trained = exportable(request)
    job, why_not = model.job()
    with TemporaryDirectory(dir=request.out.parent) as folder:
        whole, prepared = Path(folder) / "whole.onnx", Path(folder) / "prepared.onnx"
        request.progress("writing the graph")
        write_graph(trained, whole)
        request.progress("quantising")
        quant_pre_process(whole, prepared, skip_symbolic_shape=True)
        quantize_dynamic(prepared, request.out / FILE, weight_type=QuantType.QInt8, per_channel=True)
        write_beside(model, request.out, "int8")
        figures = [Figure("model_bytes", _size(request.out / FILE), _size(whole))]
        if job is None:
            return Written(tuple(figures), (f"its loss was not measured: {why_not}",))
        validation = validation_of(job)
        if validation.n_targets == 0:
            return Written(tuple(figures), ("its loss was not measured: the corpus has no validation documents",))
        request.progress("measuring the loss in float32")
        baseline = graph_losses(validation, Graph(whole))
        request.progress("measuring the loss with 8 bits")
        quantised = graph_losses(validation, Graph(request.out / FILE))
    figures += [
        Figure(metric, value, baseline[metric, source], source) for (metric, source), value in quantised.items()
    ]
    return Written(tuple(figures))


def validation_of(job: Job) -> Validation:
    """The rows that were validated in training."""
    settings = job.settings.objective
    kind = objective_class(settings)
    return Validation(job, kind(settings, job.vocabulary(kind.tokens(settings))))


def graph_losses(validation: Validation, graph: Graph) -> Losses:
    """The figures of validation with the scores of a graph.  A second loss, of the order of lines, is left out."""

    def losses_of(batch: Batch) -> tuple[Tensor]:
        found = []
        for row, targets in enumerate(batch.targets[0]):  # one at a time, because the graph scores every token
            read = batch.inputs.row(row)
            scores = graph.run(read)
            if read.positions is not None:
                scores = scores.gather(1, read.positions[..., None].expand(-1, -1, scores.shape[2]))
            found.append(token_losses(scores, targets[None]))
        return (torch.cat(found),)

    return {(metric, source): value for metric, source, value in validation.measure(losses_of)}


def _size(file: Path) -> float:
    return float(sum(each.stat().st_size for each in file.parent.glob(f"{file.name}*")))
