"""A step as a task file writes it, `edges` or `noise: {sigma: [5, 50]}`, and its parameters checked and bound."""

from __future__ import annotations

import functools
import inspect
import typing
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import numpy as np
import yaml
from pydantic import BaseModel, ConfigDict, ValidationError, create_model

from pix2pix.schema import nearest

Step = Callable[..., np.ndarray]
Number = TypeVar("Number", int, float)


def ordered(limits: tuple[Number, Number]) -> tuple[Number, Number]:
    """The range as it is. Raises ValueError where the lower limit is not first."""
    if limits[0] > limits[1]:
        raise ValueError(f"got the range {limits}, expected the lower limit first")
    return limits


def bind(text: str, registry: Mapping[str, Step], kind: str) -> functools.partial[np.ndarray]:
    """The function that the step `text` names, with its parameters; `kind` is the word for the registry in errors.

    The keyword-only parameters of the function, with their types and defaults, are what a task file may say.
    Raises ValueError naming the step and the parameter when there is no such step, or a parameter does not fit.
    """
    name, parameters = parse(text)
    if name not in registry:
        raise ValueError(f"no {kind} step '{name}', {nearest(name, registry)}")
    function = registry[name]
    schema = _schema(function)
    for given in parameters:
        if given not in schema.model_fields:
            known = nearest(given, schema.model_fields) if schema.model_fields else "it has none"
            raise ValueError(f"{kind} step '{name}': unknown parameter '{given}'; {known}")
    try:
        checked = schema.model_validate(parameters)
    except ValidationError as error:
        problems = error.errors()  # of a number or a range, both are told
        problem = next((each for each in problems if each["type"] == "value_error"), problems[0])
        field = ".".join(str(part) for part in problem["loc"])
        message = f"got {problem['input']!r}; {problem['msg'][0].lower()}{problem['msg'][1:]}"
        raise ValueError(f"{kind} step '{name}': {field}: {message}") from None
    return functools.partial(function, **{field: getattr(checked, field) for field in parameters})


@functools.cache
def parse(text: str) -> tuple[str, dict[str, Any]]:
    """Name and parameters of a step. Raises ValueError for what is neither a name nor `name: {parameter: value}`."""
    try:
        content = yaml.safe_load(text)
    except yaml.YAMLError:
        content = None
    if isinstance(content, str):
        return content, {}
    if isinstance(content, dict) and len(content) == 1:
        ((name, parameters),) = content.items()
        if isinstance(name, str) and isinstance(parameters, dict | None):
            return name, parameters or {}
    raise ValueError(f"step '{text}': expected a name, or 'name: {{parameter: value}}'")


@functools.cache
def _schema(function: Step) -> type[BaseModel]:
    """A model of the function's keyword-only parameters."""
    types = typing.get_type_hints(function, include_extras=True)
    fields: dict[str, Any] = {
        parameter.name: (types[parameter.name], parameter.default)
        for parameter in inspect.signature(function).parameters.values()
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY and parameter.name != "palette"
    }
    return create_model(f"{function.__name__}_parameters", __config__=ConfigDict(extra="forbid"), **fields)
