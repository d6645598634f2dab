"""Grace, whom the provider knows, and her role here."""

GRACE = {"email": "grace@example.org", "email_verified": True, "name": "Grace  Hopper"}
DOMAIN = {"oidc_allowed_domains": ("example.org",)}


def role_of(people, email):
    line = next(line for line in people.run("list").output.splitlines() if line.startswith(email))
    return line.split()[1]
