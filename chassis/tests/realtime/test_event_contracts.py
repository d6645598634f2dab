"""Events and answers that do not fit their models fail where they are sent, and are counted in production."""

import pytest

from chassis.extensions import socketio
from chassis.observability.metrics import SOCKET_CONTRACT_BREAKS
from chassis.realtime import contracts, relay
from chassis.realtime.publisher import publish
from chassis.settings import Settings
from chassis.tests.documents import blocks


class Level(contracts.Event):
    """The level of a tank."""

    litres: float
    tank: str


@pytest.fixture
def declared(monkeypatch):
    """An event with a model, in development."""
    monkeypatch.setattr(contracts, "_sent", {})
    monkeypatch.setattr(contracts, "_strict", contracts._strict)
    contracts.configure(Settings(app_env="development"))
    contracts.sends("level", Level, to="the viewers of a tank")


def production():
    contracts.configure(Settings.model_construct(app_env="production"))


@pytest.mark.parametrize(
    ("data", "where"),
    [
        ({"litres": 1.5}, "tank: Field required"),
        ({"litres": "1.5", "tank": "a"}, "litres: Input should be a valid number"),
        ({"litres": 1.5, "tank": "a", "colour": "red"}, "colour: Extra inputs are not permitted"),
        (None, "The data: Input should be a valid dictionary"),
    ],
)
def test_what_does_not_fit_fails_in_development(declared, data, where):
    with pytest.raises(contracts.ContractBroken, match=f"level does not fit Level: {where}"):
        contracts.check("level", data)


def test_what_fits_and_what_is_not_declared_passes(declared):
    contracts.check("level", {"litres": 2, "tank": "a"})
    contracts.check("another", {"anything": object()})


def test_production_counts_and_goes_on(declared):
    production()
    counter = SOCKET_CONTRACT_BREAKS.labels("level")
    before = counter._value.get()
    contracts.check("level", {"litres": 1.5})
    contracts.check("level", {"litres": 1.5, "tank": "a"})
    assert counter._value.get() == before + 1


def test_publish_sends_nothing_that_does_not_fit(declared, monkeypatch):
    monkeypatch.setattr(relay, "numbers", lambda: False)
    monkeypatch.setattr(socketio, "emit", lambda *_, **__: pytest.fail("it was sent"))
    with pytest.raises(contracts.ContractBroken):
        publish("tank:a", "level", {"litres": 1.5})


def test_the_guide_s_event_is_checked(declared):
    (block,) = [block for block in blocks("chassis/docs/features-reference.md", "Events") if "sends(" in block]
    known = {}
    exec(block, known)
    known["register"](None)
    contracts.check("album:image", {"title": "At the sea"})
    with pytest.raises(contracts.ContractBroken):
        contracts.check("album:image", {"name": "At the sea"})


def test_an_answer_is_compared_with_its_model(declared):
    @contracts.answers(Level)
    def ask():
        return {"litres": 1.5, "tanks": "a"}

    with pytest.raises(contracts.ContractBroken, match="ask does not fit Level: tank: Field required"):
        contracts.check_answer("ask", ask, ask())
    contracts.check_answer("ask", ask, {"litres": 1.5, "tank": "a"})
