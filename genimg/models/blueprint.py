"""A model without values: its tensors have shapes and dtypes, and take no memory.

So a file can be compared with its configuration before it is read, and what a model costs can be
told before it is built. It also shows whether a model follows from its configuration and its
weights alone: a tensor without a value once these are read could never get one.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from genimg.configuration import Configuration
from genimg.models import kind_named


def blueprint(kind: str, config: Configuration) -> nn.Module:
    """Build a model whose tensors have shapes and dtypes but no values.

    Raises:
        ValueError: building it needs values.
    """
    build = kind_named(kind).build
    try:
        with torch.device("meta"), _ShapesOnly():
            return build(config)
    except (RuntimeError, TypeError) as error:  # PyTorch's; and NumPy's, of a tensor without values
        reason = str(error).partition("\n")[0]
        raise ValueError(
            f"the {kind} cannot be made again from its configuration: its __init__ computes with"
            f" weights, which are read later ({reason}); keep the result in a buffer, or compute"
            " it in forward"
        ) from error


def without_values(model: nn.Module) -> str:
    """Return what of a model has no value, in words such as "buffer body.scale"; '' if nothing."""
    for name, value in model.named_parameters():
        if value.is_meta:
            return f"parameter {name}"
    for name, buffer in model.named_buffers():
        if buffer.is_meta:
            return f"buffer {name}"
    for path, module in model.named_modules():
        for name, value in vars(module).items():
            if isinstance(value, Tensor) and value.is_meta:
                return f"tensor {f'{path}.{name}'.removeprefix('.')}"
    return ""


class _ShapesOnly(TorchFunctionMode):
    """Skips what initialisation computes: on the meta device there are no values to compute with.

    Left to itself PyTorch loads its compiler to find out the shapes: 1.5 s at every start.
    """

    def __torch_function__(self, function, types, args=(), kwargs=None):
        if getattr(function, "__module__", "") == "torch.nn.init":
            return kwargs["tensor"]
        if function in (Tensor.normal_, F.normalize):
            return args[0]
        # The rest is the power iteration of spectral norm.
        if function is torch.mv:
            return args[0].new_empty(len(args[0]))
        if function is torch.vdot:
            return args[0].new_empty(())
        divides = function in (Tensor.__truediv__, Tensor.div)
        if divides and (isinstance(args[1], (int, float)) or args[1].dim() == 0):
            return args[0]
        return function(*args, **(kwargs or {}))
