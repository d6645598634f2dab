"""The batch that ships with the example."""

from pathlib import Path

from app.features.predictions import service, upload
from app.features.predictions.predictor import predictor
from app.features.predictions.rows import Rows

NAME = "200 bacterial species"
PROMPT = "Is {species} pathogenic to humans? Answer with one word: pathogenic, opportunistic or harmless."
FILE = Path(__file__).parent / "species.csv"


def rows() -> Rows:
    """Return the rows of the file."""
    return upload.read_csv(FILE.read_bytes(), predictor.max_rows)


def seed() -> str:
    """Store the batch in a development database without batches; its job runs when the service does."""
    if service.listing(1, 1)["total"]:
        return "there are batches already"
    found = rows()
    service.create(name=NAME, prompt=PROMPT, rows=found)
    return f"a batch of {len(found)} rows, which runs when the service does"
