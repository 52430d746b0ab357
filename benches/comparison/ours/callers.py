"""Login with Zoho as an operator runs it: three replicas of the released program over one Postgres, a person who has
signed in, an API key. The access token has run out. Then CALLERS callers, spread over the replicas, ask for it at once."""

import base64
import http.client
import http.cookiejar
import json
import os
import subprocess
import sys
import threading
import urllib.parse
import urllib.request

environment, scratch = os.environ, os.environ["SCRATCH"]
program, public = environment["PROGRAM"], environment["SITE"]
settings = {
    "PATH": environment["PATH"],
    "PUBLIC_URL": public,
    "DATABASE_URL": environment["DATABASE_URL"],
    "ENCRYPTION_KEYS": "comparison:" + base64.b64encode(os.urandom(32)).decode(),
    "ZOHO_CLIENT_ID": environment["CLIENT_ID"],
    "ZOHO_CLIENT_SECRET": environment["CLIENT_SECRET"],
    "ZOHO_SERVERS": environment["SERVERS_FILE"],
    "ZOHO_DATA_CENTRES": "us",
    "LOGIN_PRODUCT": "crm",
}
replicas = []


def start(listen):
    log = open(os.path.join(scratch, f"replica-{len(replicas)}.log"), "wb")
    settings_of_one = settings | {"LISTEN": listen, "MANAGEMENT_LISTEN": "127.0.0.1:0"}
    replica = subprocess.Popen([program, "serve"], env=settings_of_one, stdout=subprocess.PIPE, stderr=log)
    replicas.append(replica)
    line = replica.stdout.readline()
    if not line:
        sys.exit(f"a replica did not start; see {log.name}")
    return urllib.parse.urlsplit(json.loads(line)["listening"]).netloc


def sign_in():
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))
    landed = browser.open(public + "/login").geturl()
    if not landed.startswith(public + "/connections"):
        sys.exit(f"the sign-in ended at {landed}")


def run():
    addresses = [start(urllib.parse.urlsplit(public).netloc), start("127.0.0.1:0"), start("127.0.0.1:0")]
    sign_in()
    made = subprocess.run(
        [program, "api-key", "create", "--name", "comparison", "--grants", "tokens:read,connections:read", "--json"],
        env=settings, capture_output=True, check=True,
    )
    headers = {"Authorization": "Bearer " + json.loads(made.stdout)["key"]}

    def get(connection, path):
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())

    _, listed = get(http.client.HTTPConnection(addresses[0]), "/api/v1/connections")
    path = f"/api/v1/connections/{listed['connections'][0]['id']}/access-token"

    print("ready", flush=True)
    sys.stdin.readline()

    callers = int(environment["CALLERS"])
    together, answers = threading.Barrier(callers), []

    def call(number):
        connection = http.client.HTTPConnection(addresses[number % len(addresses)])
        connection.connect()
        together.wait()
        answers.append(get(connection, path))

    threads = [threading.Thread(target=call, args=(number,)) for number in range(callers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    served = [answer["access_token"] for status, answer in answers if status == 200]
    refusals = [answer.get("type") for status, answer in answers if status != 200]
    print(json.dumps({
        "served": len(served), "distinct": len(set(served)), "refusal": refusals[0] if refusals else None,
    }), flush=True)


try:
    run()
finally:
    for replica in replicas:
        replica.kill()
        replica.wait()
