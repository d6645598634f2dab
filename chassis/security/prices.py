"""What the tokens of a call cost."""

from dataclasses import dataclass

from chassis.base.money import MICRO, micro
from chassis.settings import Settings

MOST_TOKENS = 10**9  # of one call: what an API tells beyond it is a mistake
OTHER = "other"


@dataclass(frozen=True, slots=True)
class Usage:
    """The tokens of a call: of its input and output, and of texts that were embedded for an index."""

    input_tokens: int = 0
    output_tokens: int = 0
    index_tokens: int = 0

    def bounded(self) -> "Usage":
        """Return the usage without impossible numbers."""
        return Usage(*(min(max(0, n), MOST_TOKENS) for n in (self.input_tokens, self.output_tokens, self.index_tokens)))


class Prices:
    """Prices by model, in micro-units of the currency per million tokens."""

    def __init__(self, settings: Settings) -> None:
        usual = (settings.price_per_mtok_input, settings.price_per_mtok_output, settings.price_per_mtok_index)
        self._usual = tuple(map(micro, usual))
        self._of_models = {model: tuple(map(micro, prices)) for model, prices in settings.prices_of_models.items()}
        self._known = {*self._of_models, settings.upstream_model}

    def cost(self, model: str, usage: Usage) -> int:
        """Return what a call cost, in micro-units; a fraction of one counts as one."""
        tokens = (usage.input_tokens, usage.output_tokens, usage.index_tokens)
        prices = self._of_models.get(model, self._usual)
        return -(-sum(number * price for number, price in zip(tokens, prices, strict=True)) // MICRO)

    def label(self, model: str) -> str:
        """Return a model's name for metrics: models that no setting names are counted together."""
        return model if model in self._known else OTHER
