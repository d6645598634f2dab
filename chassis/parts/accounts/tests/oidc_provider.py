"""oidc-provider-mock as a process of its own, which checks PKCE besides, and lies or hangs when it is told to.

    python oidc_provider.py PORT

PUT /lie with {"how": ...} changes what it says from then on; GET /asked tells how often each path was asked.
"""

import base64
import hashlib
import json
import os
import sys
import threading
import warnings
from collections import Counter
from io import BytesIO
from urllib.parse import parse_qs, urlsplit

import authlib.deprecate
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey
from joserfc.jws import JWSRegistry
from oidc_provider_mock import app
from werkzeug.serving import make_server

TOKEN, JWKS, METADATA = "/oauth2/token", "/jwks", "/.well-known/openid-configuration"
FOREIGN = RSAKey.generate_key(2048)
CLAIMS = {
    "nonce": {"nonce": "another"},
    "no nonce": {"nonce": None},
    "audience": {"aud": "another"},
    "audiences": {"aud": ["client", "another"]},
    "presenter": {"aud": ["client", "another"], "azp": "another"},
    "issuer": {"iss": "http://localhost:1"},
    "expired": {"exp": 1_700_000_000, "iat": 1_699_999_000},
    "no expiry": {"exp": None},
    "future": {"iat": 4_000_000_000, "exp": 4_000_000_600},
    "no subject": {"sub": None},
    "long subject": {"sub": "x" * 300},
    "number": {"sub": 7},
    "access token": {"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"},
}


class Provider:
    """The mock behind what changes its answers."""

    def __init__(self, real):
        self.real, self.how, self.more, self.asked, self.challenges = real, "", {}, Counter(), {}
        self.let_go = threading.Event()

    def __call__(self, environ, start_response):
        path, method = environ["PATH_INFO"], environ["REQUEST_METHOD"]
        if path == "/lie":
            self.let_go.set()
            self.let_go = threading.Event()
            told = json.loads(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))
            self.how, self.more = told["how"], told.get("more", {})
            return answer(start_response, {})
        if path == "/asked":
            return answer(start_response, dict(self.asked))
        self.asked[path] += 1
        if path in (METADATA, JWKS, TOKEN) and (bad := self._bad(path, start_response)) is not None:
            return bad
        if path == TOKEN:
            return self._token(environ, start_response)
        status, headers, body = self._really(environ)
        if path == "/oauth2/authorize" and method == "POST":
            self._remember(parse_qs(environ["QUERY_STRING"]), dict(headers))
        if path == METADATA:
            said = {**json.loads(body), **self.more}
            return answer(start_response, said)
        start_response(status, headers)
        return [body]

    def _bad(self, path, start_response):
        where, _, what = self.how.partition(" at ")
        if what != path:
            return None
        if where == "hang":
            self.let_go.wait()
            return None
        if where == "drip":
            start_response("200 OK", [("Content-Type", "application/json")])
            return self._drip()
        if where == "flood":
            start_response("200 OK", [("Content-Type", "application/json")])
            return (b" " * 65_536 for _ in range(10_000))
        if where == "text":
            start_response("200 OK", [("Content-Type", "text/html")])
            return [b"<h1>Gateway</h1>"]
        if where == "list":
            return answer(start_response, [1])
        if where == "redirect":
            start_response("302 Found", [("Location", "/")])
            return [b""]
        status = {"broken": "500 Oops", "denied": "400 Bad"}.get(where, "200 OK")
        return answer(start_response, {"error": "invalid_grant"}, status)

    def _drip(self):
        until = self.let_go
        while not until.wait(0.2):
            yield b" "

    def _remember(self, query, headers):
        """Keep the challenge that a code was given for."""
        assert query["code_challenge_method"] == ["S256"]
        for code in parse_qs(urlsplit(headers.get("Location", "")).query).get("code", []):
            self.challenges[code] = query["code_challenge"][0]

    def _token(self, environ, start_response):
        """Answer as the mock does once the code verifier is right: the mock does not look at it."""
        sent = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        environ["wsgi.input"] = BytesIO(sent)
        form = parse_qs(sent.decode())
        verifier, code = form.get("code_verifier", [""])[0], form.get("code", [""])[0]
        digest = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        if self.challenges.get(code) != digest:
            return answer(start_response, {"error": "invalid_grant", "error_description": "PKCE"}, "400 Bad")
        status, headers, body = self._really(environ)
        if status.startswith("200") and self.how:
            body = json.dumps(self._changed(json.loads(body))).encode()
            headers = [(name, value) for name, value in headers if name.lower() != "content-length"]
        start_response(status, headers)
        return [body]

    def _changed(self, token):
        """Return the token's answer with a lie in it, signed by the provider's own key where that is not the lie."""
        if self.how == "no token":
            return {name: value for name, value in token.items() if name != "id_token"}
        payload = json.loads(base64.urlsafe_b64decode(token["id_token"].split(".")[1] + "=="))
        claims = {**payload, **CLAIMS.get(self.how, {}), **(self.more if self.how == "claims" else {})}
        claims = {name: value for name, value in claims.items() if value is not None}
        return {**token, "id_token": self._signed(claims)}

    def _signed(self, claims):
        own = self._own_key()
        public = json.dumps(own.as_dict(private=False)).encode()
        header, key = {"alg": "RS256", "kid": own.thumbprint()}, own
        if self.how == "none":
            header, key = {"alg": "none"}, OctKey.import_key("x" * 32)
        elif self.how == "public key as secret":
            header, key = {"alg": "HS256", "kid": own.thumbprint()}, OctKey.import_key(public)
        elif self.how == "foreign key":
            key = FOREIGN
        elif self.how == "unknown key":
            header, key = {"alg": "RS256", "kid": "unknown"}, FOREIGN
        every = JWSRegistry(algorithms=["none", "HS256", "RS256"], strict_check_header=False)
        if self.how == "own words":
            return "a.b"
        return jwt.encode(header, claims, key, registry=every)

    def _own_key(self):
        from oidc_provider_mock._storage import storage

        with self.real.test_request_context():
            self.real.preprocess_request()
            return RSAKey.import_key(storage.jwk.as_dict(is_private=True))

    def _really(self, environ):
        kept = []
        body = b"".join(self.real(environ, lambda status, headers, exc_info=None: kept.append((status, headers))))
        return *kept[-1], body


def answer(start_response, said, status="200 OK"):
    body = json.dumps(said).encode()
    start_response(status, [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [body]


if __name__ == "__main__":
    os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"
    warnings.simplefilter("ignore", authlib.deprecate.AuthlibDeprecationWarning)
    server = make_server("127.0.0.1", int(sys.argv[1]), Provider(app(require_nonce=True)), threaded=True)
    print("ready", flush=True)
    server.serve_forever()
