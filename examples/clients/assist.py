#!/usr/bin/env python3
"""Asks Zoho Assist who a customer is, with a token from Login with Zoho. Needs `requests`.

    export LWZ_URL=http://localhost:8080 LWZ_API_KEY=lwz_… LWZ_TENANT=acme LWZ_ORGANIZATION=77000000
    python3 assist.py          # with a token of our own
    python3 assist.py proxy    # without ever seeing one
"""
import os
import sys
import time

import requests

URL = os.environ["LWZ_URL"]
WANTED = {
    "product": "assist",
    "tenant": os.environ["LWZ_TENANT"],
    "organization": os.environ["LWZ_ORGANIZATION"],
}

vault = requests.Session()  # keeps its connection open: a token is there within a millisecond
vault.headers["Authorization"] = f"Bearer {os.environ['LWZ_API_KEY']}"


class NeedsReconnect(Exception):
    """Zoho's consent is gone; only the person who gave it can renew it, at this address."""


def ask(path, **query):
    """A call to the vault; told to come back later, it does."""
    for _ in range(5):
        answer = vault.get(f"{URL}/api/v1{path}", params=query, timeout=70)
        if answer.status_code not in (429, 503) or "Retry-After" not in answer.headers:
            break
        wait = int(answer.headers["Retry-After"])
        print(f"{answer.json()['type']}: again in {wait} s", file=sys.stderr)
        time.sleep(wait)
    if answer.status_code == 409 and answer.json().get("type") == "/problems/needs-reconnect":
        raise NeedsReconnect(answer.json()["reconnect_url"])
    answer.raise_for_status()
    return answer.json()


def call_assist(path):
    """A call to the product, with one fresh token where it refuses the first."""
    token = ask("/access-token", **WANTED)
    answer = get(token, path)
    if answer.status_code == 401:
        print(f"Zoho refused token {token['token_id']}", file=sys.stderr)
        token = ask("/access-token", **WANTED, rejected=token["token_id"])
        answer = get(token, path)
    answer.raise_for_status()
    return answer.json()


def get(token, path):
    header = f"{token['token_type']} {token['access_token']}"
    return requests.get(token["product_url"] + path, headers={"Authorization": header}, timeout=60)


def call_assist_through_the_proxy(path):
    """The same without a token in our hands: the vault sends the call, and renews the token if need be."""
    connections = ask("/connections", **WANTED, status="active")["connections"]
    return ask(f"/connections/{connections[0]['id']}/proxy{path}")


try:
    call = call_assist_through_the_proxy if sys.argv[1:] == ["proxy"] else call_assist
    user = call("/api/v2/user")["representation"]
    print(f"{user['org_details']['org_name']}: {user['user_email']}")
except NeedsReconnect as problem:
    sys.exit(f"Ask the customer to open {problem}")
