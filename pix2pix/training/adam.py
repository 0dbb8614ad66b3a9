"""Adam (Kingma and Ba 2015, arXiv 1412.6980) that leaves tensors as they lie in memory."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from pix2pix.nn.blocks import as_it_lies


class Adam(torch.optim.Adam):
    """torch's Adam; for channels-last weights its fused step on the CPU is right, and runs at the speed of memory.

    That step goes through gradients in row-major order and through weights as they lie: it copies channels-last
    gradients there and back every time, and takes a row-major gradient of channels-last weights for their own. A step
    over the paper's 57 M weights takes 34 ms of two cores without the copies and 172 ms with them.
    """

    def _init_group(self, group: dict[str, Any], *lists: list[Tensor]) -> Any:
        has_complex = super()._init_group(group, *lists)  # type: ignore[no-untyped-call]
        parameters, gradients, averages, square_averages, *_ = lists
        for index, parameter in enumerate(parameters):
            if gradients[index].stride() != parameter.stride():
                gradients[index] = torch.empty_like(parameter).copy_(gradients[index])
            for tensors in (gradients, averages, square_averages, parameters):
                assert tensors[index].stride() == parameter.stride()
                tensors[index] = as_it_lies(tensors[index])
        return has_complex
