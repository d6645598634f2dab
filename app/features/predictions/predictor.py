"""Answers one prompt: from the cache, from the outside API, or, without a key, with the built-in demo."""

import hashlib
import random
import re
import time

from prometheus_client import Counter

from app.features.predictions import known
from app.features.predictions.settings import PredictionSettings
from app.features.predictions.store import FAILED, SUCCEEDED, Answer
from chassis.db import db
from chassis.settings import Settings
from chassis.upstream import Check, Pace, UpstreamError, sleep, upstream

CACHE_LOOKUPS = Counter("prediction_cache_lookups_total", "Answer cache lookups.", ["result"])
DEMO_MODEL = "demo"
DEMO_SECONDS = (0.05, 0.4)
BETWEEN_WORDS = re.compile(r",|\bor\b")
REPAIRED = "Characters of the answer that cannot be stored were replaced by \ufffd."


class Predictor:
    """The process's predictor; `configure` decides what answers."""

    def configure(self, settings: Settings) -> None:
        """Set the model and the limits from the settings."""
        own = settings.section(PredictionSettings)
        has_key = bool(settings.openrouter_api_key.get_secret_value())
        self.demo = not has_key and (own.demo_predictor or not settings.production)
        self.model = DEMO_MODEL if self.demo else settings.upstream_model
        self.max_rows = own.prediction_max_rows
        self.max_prompt_characters = own.prediction_max_prompt_characters
        self.concurrency = settings.upstream_max_concurrent_requests
        self.rows_per_second = settings.upstream_requests_per_second
        usual = (settings.price_per_mtok_input, settings.price_per_mtok_output, 0)
        of_input, of_output, _ = (0, 0, 0) if self.demo else settings.prices_of_models.get(self.model, usual)
        prices = {"input_price": float(of_input), "output_price": float(of_output)}
        self.prices = {**prices, "currency": settings.budget_currency}
        self.problem = None if has_key or self.demo else "OPENROUTER_API_KEY is not set, so no model can be called."
        self._cache_seconds = own.prediction_cache_seconds
        self._pace = Pace(settings.upstream_requests_per_second, settings.upstream_burst)

    def answer(self, prompt: str, cancelled: Check) -> Answer:
        """Return a row's answer; only an error that every other row would meet too is raised."""
        if self.demo:
            return self._demo(prompt, cancelled)
        key = hashlib.sha256(f"{self.model}\0{prompt}".encode(errors="surrogatepass")).hexdigest()
        earlier = self._cached(key)
        if earlier is not None:
            return Answer(SUCCEEDED, output=earlier, model=self.model, cached=True)
        try:
            completion = upstream.complete(prompt, cancelled=cancelled)
        except UpstreamError as error:
            if error.of_the_account:
                raise
            return Answer(FAILED, output=error.text, error=error.message, model=self.model)
        if completion.repaired:
            return Answer(SUCCEEDED, output=completion.text, error=REPAIRED, model=completion.model)
        kept = key if self._cache_seconds else None
        return Answer(SUCCEEDED, output=completion.text, model=completion.model, cache_key=kept)

    def _cached(self, key: str) -> str | None:
        if not self._cache_seconds:
            return None
        earlier = db.read(lambda conn: known.find(conn, key, time.time() - self._cache_seconds))
        CACHE_LOOKUPS.labels("miss" if earlier is None else "hit").inc()
        return earlier

    def _demo(self, prompt: str, cancelled: Check) -> Answer:
        self._pace.wait(cancelled)
        sleep(random.uniform(*DEMO_SECONDS), cancelled)
        choices = _choices(prompt)
        chosen = int.from_bytes(hashlib.sha256(prompt.encode()).digest()[:4]) % len(choices)
        return Answer(SUCCEEDED, output=choices[chosen], model=DEMO_MODEL)


def _choices(prompt: str) -> list[str]:
    """Return the words offered after the prompt's last colon, or yes, no and not sure."""
    offered = BETWEEN_WORDS.split(prompt.rpartition(":")[2].strip(" .?!")) if ":" in prompt else []
    words = [word.strip() for word in offered if 0 < len(word.strip()) <= 40]
    return words if len(words) > 1 else ["yes", "no", "not sure"]


predictor = Predictor()
