"""Sign-in with another service (OpenID Connect). Imported only if OIDC_ISSUER is set: it needs the extra `oidc`."""
