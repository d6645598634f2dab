"""Texts that the outside API embeds."""

import json

import pytest

from chassis.upstream import Cancelled, UpstreamError
from chassis.upstream.embeddings import EmbeddingCall, _vectors


def test_each_text_has_its_vector_in_the_order_of_the_texts(fake, client_for):
    vectors = client_for(fake.url).embed(["aab", "b", "zz"], "acme/embed")
    assert [vector[:2] for vector in vectors] == [[2.0, 1.0], [0.0, 1.0], [0.0, 0.0]]
    assert vectors[2][25] == 2.0
    (body,) = fake.stats()["bodies"]
    assert body == {"model": "acme/embed", "input": ["aab", "b", "zz"], "encoding_format": "float"}


def test_no_texts_need_no_call(fake, client_for):
    assert client_for(fake.url).embed([], "acme/embed") == []
    assert fake.stats()["requests"] == 0


def test_what_may_pass_is_tried_again(fake, client_for):
    client = client_for(fake.url, upstream_max_retries=2)
    assert len(client.embed(["[500x2] a"], "acme/embed")) == 1
    assert fake.stats()["requests"] == 3


@pytest.mark.parametrize(("text", "code"), [("[401]", "upstream_unauthorized"), ("[empty]", "upstream_malformed")])
def test_a_refusal_has_its_code(fake, client_for, text, code):
    with pytest.raises(UpstreamError) as raised:
        client_for(fake.url).embed([text], "acme/embed")
    assert raised.value.code == code


def test_a_cancelled_call_ends(fake, client_for):
    with pytest.raises(Cancelled):
        client_for(fake.url).embed(["a"], "acme/embed", cancelled=lambda: True)


@pytest.mark.parametrize(
    "data",
    [
        None,
        [],
        [{"index": 0, "embedding": [1.0]}],
        [{"index": 0, "embedding": [1.0]}, {"index": 1, "embedding": [1.0, 2.0]}],
        [{"index": 0, "embedding": [1.0]}, {"index": 1, "embedding": ["1.0"]}],
        [{"index": 0, "embedding": [1.0]}, {"index": 1, "embedding": [float("nan")]}],
        [{"index": 0, "embedding": [1.0]}, {"index": 1, "embedding": [10**400]}],
        [{"index": 0, "embedding": [1.0]}, {"index": 1, "embedding": [-1e39]}],
        [{"index": 0, "embedding": []}, {"index": 1, "embedding": []}],
        ["no", "objects"],
    ],
)
def test_vectors_that_are_missing_or_wrong_are_not_used(data):
    assert _vectors({"data": json.loads(json.dumps(data))}, 2) is None


def test_the_size_of_the_texts_counts_in_bytes():
    assert EmbeddingCall(["é", "abc"], "acme/embed").input_bytes == 5
