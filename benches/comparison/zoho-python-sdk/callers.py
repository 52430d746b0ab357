"""Zoho's own SDK as its documentation sets it up for one user and several threads: initialized once with a grant code and
the file store; its access token has run out. Then CALLERS threads ask CRM for the organization at once."""

import json
import os
import sys
import threading

from zohocrmsdk.src.com.zoho.api.authenticator.oauth_token import OAuthToken
from zohocrmsdk.src.com.zoho.api.authenticator.store import FileStore
from zohocrmsdk.src.com.zoho.crm.api.dc import DataCenter
from zohocrmsdk.src.com.zoho.crm.api.initializer import Initializer
from zohocrmsdk.src.com.zoho.crm.api.org import OrgOperations, ResponseWrapper

environment, scratch = os.environ, os.environ["SCRATCH"]
# The only thing that differs from a program that talks to Zoho: an Environment of our own in place of, say,
# USDataCenter.PRODUCTION(). It holds the two addresses, and is public.
zoho = DataCenter.Environment(
    environment["API_URL"], environment["ACCOUNTS_URL"] + "/oauth/v2/token", environment["API_URL"]
)
token = OAuthToken(
    client_id=environment["CLIENT_ID"], client_secret=environment["CLIENT_SECRET"], grant_token=environment["GRANT_CODE"]
)
Initializer.initialize(zoho, token, store=FileStore(os.path.join(scratch, "tokens.csv")), resource_path=scratch)

print("ready", flush=True)
sys.stdin.readline()

callers = int(environment["CALLERS"])
together = threading.Barrier(callers)
outcomes = []


def call():
    together.wait()
    try:
        answer = OrgOperations().get_organization()
        good = answer is not None and isinstance(answer.get_object(), ResponseWrapper)
        outcomes.append((good, None if good else "an answer without an organization"))
    except Exception as error:  # what a caller sees; the SDK wraps its own exceptions
        while getattr(error, "cause", None) is not None:
            error = error.cause
        outcomes.append((False, str(error)))


threads = [threading.Thread(target=call) for _ in range(callers)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
refusals = [why for good, why in outcomes if not good]
print(json.dumps({"served": callers - len(refusals), "distinct": None, "refusal": refusals[0] if refusals else None}))
