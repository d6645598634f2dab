"""The interface, as OpenAI's own client sees it."""

import openai
import pytest

from app.features.gateway.tests.conftest import ADMIN


@pytest.fixture
def asked(gateway, backends):
    """Return OpenAI's client, the gateway's, and a backend."""
    one = backends()
    client = gateway(one, GATEWAY_LOG_CONTENTS="true")
    return openai.OpenAI(base_url=f"{client.url}/v1", api_key=ADMIN, max_retries=0), client, one


def test_openais_client_gets_what_it_expects(asked, wait_for):
    client, gateway, backend = asked
    hello = [{"role": "user", "content": "hello"}]
    assert [model.id for model in client.models.list()] == ["small"]
    answer = client.chat.completions.create(model="small", messages=hello, temperature=0.5)
    assert (answer.choices[0].message.content, answer.usage.total_tokens) == ("one: hello", 12)
    assert backend.seen[-1]["temperature"] == 0.5
    assert client.completions.create(model="small", prompt="hello").choices[0].text == "one: hello"
    made = client.embeddings.create(model="small", input="hello", encoding_format="float")
    assert made.data[0].embedding == [0.5, 0.25]
    calls = wait_for(lambda: len(found := gateway.calls()) == 3 and found)
    assert {call["path"] for call in calls} == {"/chat/completions", "/completions", "/embeddings"}
    assert "hello" in calls[-1]["content"]["request"]
    assert (calls[-1]["input_tokens"], calls[-1]["output_tokens"]) == (7, 5)


def test_openais_client_streams(asked, wait_for):
    client, gateway, backend = asked
    hello = [{"role": "user", "content": "hello"}]
    parts = list(client.chat.completions.create(model="small", messages=hello, stream=True))
    assert "".join(part.choices[0].delta.content or "" for part in parts) == "0 1 2 "
    assert backend.seen[-1]["stream_options"] == {"include_usage": True}  # which the client does not see
    parts = list(
        client.chat.completions.create(
            model="small", messages=hello, stream=True, stream_options={"include_usage": True}
        )
    )
    assert parts[-1].usage.total_tokens == 12
    calls = wait_for(lambda: len(found := gateway.calls()) == 2 and found)
    assert {(call["outcome"], call["output_tokens"]) for call in calls} == {("done", 5)}


def test_openais_client_understands_the_errors(asked):
    client, gateway, _ = asked
    hello = [{"role": "user", "content": "hello"}]
    with pytest.raises(openai.NotFoundError) as missing:
        client.chat.completions.create(model="nothing", messages=hello)
    assert (missing.value.code, missing.value.type) == ("model_not_found", "invalid_request_error")
    with pytest.raises(openai.AuthenticationError):
        openai.OpenAI(base_url=f"{gateway.url}/v1", api_key="ak_wrong", max_retries=0).models.list()
    with pytest.raises(openai.InternalServerError) as failed:
        client.chat.completions.create(model="small", messages=[{"role": "user", "content": "[500]"}])
    assert failed.value.code == "no_backend"
    cut = client.chat.completions.create(model="small", messages=[{"role": "user", "content": "[cut]"}], stream=True)
    with pytest.raises(openai.APIError, match="in the middle"):
        list(cut)


def test_a_body_that_is_not_a_request_is_refused(asked):
    _, gateway, _ = asked
    for body in ([], {}, {"model": 5}, {"model": "small", "stream": "yes"}):
        status, told, _ = gateway.ask("POST", "/v1/chat/completions", body)
        assert (status, told["error"]["type"]) == (400, "invalid_request_error"), body
