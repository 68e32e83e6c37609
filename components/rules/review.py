"""What the settings of review environments ask of each other. Pure."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from components.model import Review
from components.problems import Problem, config_rm, full_key, show

if TYPE_CHECKING:
    from components.keys import Path_


def between(parts: Mapping[str, Any], stack: str) -> Iterator[Problem]:
    """Find that a review environment would start with more than one kind of data."""
    review = parts.get("review")
    if not isinstance(review, Review):
        return
    said = [name for name, value in review.seed.model_dump().items() if value is not None]
    for name in said[1:]:
        path: Path_ = ("review", "seed", name)
        yield Problem(
            key=full_key(path),
            found=show(getattr(review.seed, name)),
            allowed=f"nothing, since {full_key(('review', 'seed', said[0]))} says what data there is",
            mend=config_rm(path, stack),
        )
