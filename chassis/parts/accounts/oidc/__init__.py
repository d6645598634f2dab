"""Sign-in by another service (OpenID Connect). Imported only where OIDC_ISSUER is set: it needs the extra `oidc`."""
