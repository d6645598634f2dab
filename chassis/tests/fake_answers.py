"""What the fake API answers to a prompt: `echo: <prompt>`, unless a marker asks for something else.

Markers in a prompt:
    [429]        first attempt 429 with `Retry-After: 1`, then good; [429xN] N times
    [500x2]      two 500, then good (any status, any count); [400] [401] [500]: always
    [error502]   200 with an error of that code in the body, first attempt only, as OpenRouter does
    [malformed]  not JSON              [empty]  JSON without choices
    [reset]      the connection is reset on the first attempt
    [slow]       no answer for 30 s    [drip]   an answer that takes 30 s, a byte at a time
    [large]      an answer of 3 MB     [surrogate]  a text and a model with half a surrogate pair and a null character
    [cut]        half an answer        [filtered]   half an answer, stopped by a filter
    [redirect]   307 to another host   [leak]   400 whose message repeats the key and is long
    [refused]    400 whose message has half a surrogate pair and a null character
"""

import json
import re

UNSTORABLE = "bad \ud83d end\x00"
RETRY = {"Retry-After": "1"}


def choose(prompt: str, attempt: int, model: str, key: str) -> tuple | None:
    """Return the status, the text and further headers that answer an attempt, or None for a usual answer."""
    if found := re.search(r"\[([3-5]\d\d)(?:x(\d+))?\]", prompt):
        status = int(found[1])
        times = int(found[2]) if found[2] else 1 if status == 429 else None
        if times is None or attempt <= times:
            return status, error_body(status, f"asked for {status}"), RETRY if status == 429 else {}
    if (found := re.search(r"\[error(\d+)\]", prompt)) and attempt == 1:
        return 200, error_body(int(found[1]), "the model failed")
    if "[leak]" in prompt:
        return 400, error_body(400, f"bad key {key} " + "and a long story " * 50)
    if "[malformed]" in prompt:
        return 200, "<html>not JSON</html>"
    if "[empty]" in prompt:
        return 200, json.dumps({"id": "x", "choices": []})
    if "[large]" in prompt:
        return 200, completion(prompt + "x" * 3_000_000, model)
    if "[surrogate]" in prompt:
        return 200, completion(UNSTORABLE, f"{model}{UNSTORABLE}")
    if "[refused]" in prompt:
        return 400, error_body(400, UNSTORABLE)
    if found := re.search(r"\[(cut|filtered)\]", prompt):
        return 200, completion(prompt, model, {"cut": "length", "filtered": "content_filter"}[found[1]])
    if "[redirect]" in prompt:
        return 307, "{}", {"Location": "http://localhost:1/v1/chat/completions"}
    return None


def error_body(code: int, message: str) -> str:
    return json.dumps({"error": {"code": code, "message": message}})


def completion(prompt: str, model: str, finish_reason: str = "stop") -> str:
    text = f"echo: {prompt}"
    asked, answered = len(prompt.split()), len(text.split())
    return json.dumps(
        {
            "id": "chatcmpl-fake",
            "object": "chat.completion",
            "model": model,
            "choices": [
                {"index": 0, "finish_reason": finish_reason, "message": {"role": "assistant", "content": text}}
            ],
            "usage": {"prompt_tokens": asked, "completion_tokens": answered, "total_tokens": asked + answered},
        }
    )


def vectors(texts: list[str], model: str) -> str:
    """Return how often each text has each letter as its vector; the last text comes first, with its place."""
    data = [{"index": n, "embedding": [text.count(chr(97 + c)) for c in range(26)]} for n, text in enumerate(texts)]
    tokens = sum(len(text.split()) for text in texts)
    return json.dumps({"model": model, "data": data[::-1], "usage": {"prompt_tokens": tokens, "total_tokens": tokens}})
