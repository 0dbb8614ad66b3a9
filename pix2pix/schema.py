"""What every configuration is made of: strict models, YAML laid over YAML, and errors a person can act on."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, TypeVar

import tyro
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError


def flag(name: str, metavar: str | None = None) -> Any:
    """A short command-line name beside the field's dotted one."""
    return tyro.conf.arg(aliases=(name,), metavar=metavar)


class Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True, allow_inf_nan=False)


class Run(Frozen):
    """Length, seed and machine of a training, and what is saved when."""

    images: Annotated[int, flag("--images", "N")] = Field(80_000, gt=0, description="length of the run, in images seen")
    batch: Annotated[int, flag("--batch", "B")] = Field(1, gt=0, description="images a step")
    seed: Annotated[int, flag("--seed", "S")] = Field(
        0, ge=0, lt=2**63, description="of weights, order, augmentation and dropout"
    )
    precision: Literal["auto", "fp32", "bf16"] = Field("auto", description="auto: bf16 where the processor has it")
    compile: bool = Field(
        False, description="compile the networks where a compiler is there; pays on long runs of large ones"
    )
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    init: Annotated[str | None, flag("--init", "MODEL")] = Field(None, description="released model to start from")
    save_every: Annotated[int | None, flag("--save-every", "IMAGES")] = Field(
        None, gt=0, description="images between two saved states; default: about five minutes"
    )
    sample_every: int | None = Field(
        None,
        gt=0,
        description="images between two looks at `dev`: samples, metrics; default: 200, or a twentieth of the run",
    )
    patience: Annotated[int | None, flag("--patience", "IMAGES")] = Field(
        None, gt=0, description="stop early after this many images without a better model on `dev`; default: never"
    )


class Configuration(Frozen):
    """What a run is started with and a released model carries, whatever is learned."""

    kind: ClassVar[str]  # in the metadata of a released model
    name: str
    title: str = ""
    if TYPE_CHECKING:

        @property
        def train(self) -> Run: ...


C = TypeVar("C", bound=Configuration)


def nearest(name: str, valid: Iterable[str]) -> str:
    """The end of an error line: the name that was probably meant, else all that would do."""
    names = sorted(valid)
    lower = {each.lower(): each for each in names}
    close = difflib.get_close_matches(name.lower(), lower, n=1, cutoff=0.5)
    return f"did you mean '{lower[close[0]]}'?" if close else f"expected one of: {', '.join(names)}"


def read_yaml(path: Path) -> dict[str, Any]:
    """A YAML file as a mapping. Raises ValueError naming the file when it is missing, broken, or no mapping."""
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ValueError(f"{path}: cannot be read: {error.strerror}") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:  # ValueError: no UTF-8, or a date like 2024-13-45
        raise ValueError(f"{path}: not valid YAML: {' '.join(str(error).split())}") from None
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise ValueError(f"{path}: got a {type(content).__name__}, expected 'field: value' lines")
    return content


def merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """`over` laid on `base`, section by section. A palette is replaced whole: its classes belong together."""
    merged = dict(base)
    for key, value in over.items():
        if isinstance(value, Mapping) and isinstance(merged.get(key), Mapping) and key != "palette":
            merged[key] = merge(merged[key], value)
        else:
            merged[key] = value
    return merged


def validate_as(model: type[C], content: Mapping[str, Any], where: str) -> C:
    """`content` as a configuration of one kind. Raises ValueError as `validate` does."""
    try:
        return model.model_validate(content)
    except ValidationError as error:
        raise ValueError(f"{where}: {explain(error, model)}") from None


def explain(error: ValidationError, model: type[BaseModel]) -> str:
    """The first problem of a pydantic error on a `model` as `field: got, expected, nearest`."""
    problem = error.errors()[0]
    field = ".".join(str(part) for part in problem["loc"])
    if problem["type"] == "extra_forbidden":
        known = _fields_beside(problem["loc"], model)
        return f"unknown field '{field}'; {nearest(str(problem['loc'][-1]), known)}"
    if problem["type"] == "missing":
        return f"{field}: missing, expected a value"
    message = problem["msg"].removeprefix("Value error, ")
    if problem["type"] == "literal_error" and isinstance(problem["input"], str):
        valid = [part.strip(" '") for part in problem["ctx"]["expected"].replace(" or ", ", ").split(",")]
        return f"{field}: got '{problem['input']}'; {nearest(problem['input'], valid)}"
    if problem["type"] == "value_error":
        return f"{field}.{message}" if field else message
    expected = f"got {problem['input']!r}; {message[0].lower()}{message[1:]}"
    return f"{field}: {expected}" if field else expected


def _fields_beside(location: tuple[int | str, ...], model: type[BaseModel]) -> list[str]:
    for part in location[:-1]:
        for candidate in _models_in(model.model_fields[str(part)].annotation):
            model = candidate
    return list(model.model_fields)


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    parts = getattr(annotation, "__args__", ()) or (annotation,)
    return [part for part in parts if isinstance(part, type) and issubclass(part, BaseModel)]


def dump(configuration: Configuration) -> str:
    """The resolved configuration as YAML; `--config`, and `--task` under the preset `paper`, give the same again."""
    return yaml.safe_dump(configuration.model_dump(mode="json"), sort_keys=False, allow_unicode=True, width=120)


def differences(old: Configuration, new: Configuration) -> dict[str, tuple[Any, Any]]:
    """Dotted field -> (old, new) for every field that differs. A palette's order counts: its classes are channels."""

    def walk(a: Any, b: Any, prefix: str) -> Iterable[tuple[str, tuple[Any, Any]]]:
        if isinstance(a, dict) and isinstance(b, dict) and (list(a) == list(b) or set(a) != set(b)):
            for key in [*a, *(key for key in b if key not in a)]:
                yield from walk(a.get(key), b.get(key), f"{prefix}.{key}" if prefix else key)
        elif a != b or isinstance(a, dict):
            yield prefix, (a, b)

    return dict(walk(old.model_dump(), new.model_dump(), ""))
