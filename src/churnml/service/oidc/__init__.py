"""Signing in by an identity provider: OpenID Connect, authorization code flow with PKCE.

In comes a browser that wants to sign in, out it goes to the provider; in it comes again with a code, out comes a
session, or a refusal with its reason. Read `entrance.py` first, which tells the way, then `id_token.py`, which tells
what is believed. Nothing is exported: `entrance.py` needs PyJWT and is imported only where a provider is named.

References
----------
OpenID Connect Core 1.0 (with errata 2), section 3.1; OpenID Connect Discovery 1.0, section 4. RFC 7636 (PKCE),
RFC 9207 (the issuer in the answer), RFC 9700 (best current practice for the security of OAuth 2.0).
"""
