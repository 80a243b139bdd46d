"""The way in and the way out: a form to sign in, or an identity provider."""
