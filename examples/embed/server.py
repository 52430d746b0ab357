#!/usr/bin/env python3
"""A SaaS in miniature that lets its customer connect Zoho: two pages, and two calls to Login with Zoho.

    LWZ_URL=http://localhost:8080 LWZ_KEY=lwz_… python3 server.py

Login with Zoho must know where its last page may lead: RETURN_ORIGINS=http://localhost:3000
The key needs the grant onboarding:write, and stays here: a browser never sees it.
"""

import json
import os
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

API = os.environ["LWZ_URL"].rstrip("/") + "/api/v1"
KEY = os.environ["LWZ_KEY"]
PORT = int(os.environ.get("PORT", "3000"))
HERE = f"http://localhost:{PORT}"
PAGES = {"/": "index.html", "/connected": "connected.html"}
# Links that were made here, for whom: nobody asks about another customer's.
MADE: dict[str, str] = {}


def call(method: str, path: str, body: dict | None = None) -> dict:
    data = None if body is None else json.dumps(body).encode()
    headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
    request = urllib.request.Request(API + path, data, headers, method=method)
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


class Site(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        path = self.path.split("?")[0]
        if path in PAGES:
            self.answer(200, Path(__file__).with_name(PAGES[path]).read_bytes(), {"Content-Type": "text/html"})
        elif path.removeprefix("/links/") in MADE:
            told = call("GET", "/onboarding-links/" + path.removeprefix("/links/"))
            self.answer(200, json.dumps(told).encode(), {"Content-Type": "application/json"})
        else:
            self.answer(404)

    def do_POST(self) -> None:
        # A form of another site must not make invitations. A real SaaS checks its session here, too.
        if self.path != "/connect" or self.headers.get("Origin") != HERE:
            return self.answer(403)
        customer = {"external_id": "customer-1", "name": "Example Customer"}
        wanted = {"tenant": customer, "product": "crm", "return_url": f"{HERE}/connected", "expires_in": "1h"}
        try:
            made = call("POST", "/onboarding-links", wanted)
        except urllib.error.HTTPError as refused:
            return self.answer(502, refused.read(), {"Content-Type": "application/json"})
        MADE[made["id"]] = customer["external_id"]
        self.answer(303, b"", {"Location": made["url"]})

    def answer(self, status: int, body: bytes = b"", headers: dict | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), "Cache-Control": "no-store", **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_request(self, code: object = "-", size: object = "-") -> None:
        """Addresses of invitations are secrets: nothing is logged."""


if __name__ == "__main__":
    print(HERE, flush=True)
    ThreadingHTTPServer(("localhost", PORT), Site).serve_forever()
