#!/usr/bin/env node
// Asks Zoho Assist who a customer is, with a token from Login with Zoho. Needs Node 18 or later, and nothing else.
//
//   export LWZ_URL=http://localhost:8080 LWZ_API_KEY=lwz_… LWZ_TENANT=acme LWZ_ORGANIZATION=77000000
//   node assist.mjs          # with a token of our own
//   node assist.mjs proxy    # without ever seeing one
import { setTimeout as sleep } from "node:timers/promises";

const { LWZ_URL, LWZ_API_KEY, LWZ_TENANT: tenant, LWZ_ORGANIZATION: organization } = process.env;
const wanted = { product: "assist", tenant, organization };

/** Zoho's consent is gone; only the person who gave it can renew it, at this address. */
class NeedsReconnect extends Error {}

/** A call to the vault; told to come back later, it does. */
async function ask(path, query = {}) {
  const url = `${LWZ_URL}/api/v1${path}?${new URLSearchParams(query)}`;
  let answer, body;
  for (let attempt = 0; attempt < 5; attempt++) {
    answer = await fetch(url, { headers: { authorization: `Bearer ${LWZ_API_KEY}` } });
    body = await answer.json();
    const wait = answer.headers.get("retry-after");
    if (![429, 503].includes(answer.status) || !wait) break;
    console.error(`${body.type}: again in ${wait} s`);
    await sleep(Number(wait) * 1000);
  }
  if (body.type === "/problems/needs-reconnect") throw new NeedsReconnect(body.reconnect_url);
  if (!answer.ok) throw new Error(`${answer.status} ${body.type}: ${body.detail}`);
  return body;
}

/** A call to the product, with one fresh token where it refuses the first. */
async function callAssist(path) {
  let token = await ask("/access-token", wanted);
  let answer = await get(token, path);
  if (answer.status === 401) {
    console.error(`Zoho refused token ${token.token_id}`);
    token = await ask("/access-token", { ...wanted, rejected: token.token_id });
    answer = await get(token, path);
  }
  if (!answer.ok) throw new Error(`Zoho Assist answered ${answer.status}`);
  return answer.json();
}

function get(token, path) {
  const authorization = `${token.token_type} ${token.access_token}`;
  return fetch(token.product_url + path, { headers: { authorization } });
}

/** The same without a token in our hands: the vault sends the call, and renews the token if need be. */
async function callAssistThroughTheProxy(path) {
  const { connections } = await ask("/connections", { ...wanted, status: "active" });
  return ask(`/connections/${connections[0].id}/proxy${path}`);
}

try {
  const call = process.argv[2] === "proxy" ? callAssistThroughTheProxy : callAssist;
  const { representation: user } = await call("/api/v2/user");
  console.log(`${user.org_details.org_name}: ${user.user_email}`);
} catch (problem) {
  console.error(problem instanceof NeedsReconnect ? `Ask the customer to open ${problem.message}` : problem);
  process.exitCode = 1;
}
