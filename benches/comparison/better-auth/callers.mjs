// better-auth as its documentation sets it up: Postgres, the generic OAuth plugin pointed at Zoho's endpoints, and one
// signed-in person whose access token has run out. Then CALLERS calls of `auth.api.getAccessToken` at once.
import { createInterface } from "node:readline";
import { betterAuth } from "better-auth";
import { getMigrations } from "better-auth/db/migration";
import { genericOAuth } from "better-auth/plugins";
import pg from "pg";

const { ACCOUNTS_URL, CLIENT_ID, CLIENT_SECRET, DATABASE_URL, SITE } = process.env;
const callers = Number(process.env.CALLERS);

const auth = betterAuth({
  baseURL: SITE,
  secret: "a secret of this comparison and of nothing else",
  database: new pg.Pool({ connectionString: DATABASE_URL }),
  telemetry: { enabled: false },
  plugins: [
    genericOAuth({
      config: [
        {
          providerId: "zoho",
          authorizationUrl: `${ACCOUNTS_URL}/oauth/v2/auth`,
          tokenUrl: `${ACCOUNTS_URL}/oauth/v2/token`,
          clientId: CLIENT_ID,
          clientSecret: CLIENT_SECRET,
          scopes: ["AaaServer.profile.READ"],
          accessType: "offline",
          prompt: "consent",
          // Zoho's profile is no OpenID Connect claim set; this is the plugin's own place to say so.
          getUserInfo: async ({ accessToken }) => {
            const answer = await fetch(`${ACCOUNTS_URL}/oauth/user/info`, {
              headers: { authorization: `Zoho-oauthtoken ${accessToken}` },
            });
            const profile = await answer.json();
            return { id: String(profile.ZUID), email: profile.Email, name: profile.Display_Name, emailVerified: true };
          },
        },
      ],
    }),
  ],
});
await (await getMigrations(auth.options)).runMigrations();

// The sign-in, as a browser goes through it.
const jar = new Map();
async function visit(path, options = {}) {
  const headers = { ...options.headers, cookie: cookies(), origin: SITE };
  const answer = await auth.handler(new Request(new URL(path, SITE), { ...options, headers }));
  for (const cookie of answer.headers.getSetCookie()) {
    const [, name, value] = cookie.match(/^([^=]+)=([^;]*)/);
    jar.set(name, value);
  }
  return answer;
}
const cookies = () => [...jar].map(([name, value]) => `${name}=${value}`).join("; ");

const begun = await visit("/api/auth/sign-in/social", {
  method: "POST",
  headers: { "content-type": "application/json" },
  body: JSON.stringify({ provider: "zoho", callbackURL: "/" }),
});
const { url } = await begun.json();
const consented = await fetch(url, { redirect: "manual" });
const callback = consented.headers.get("location");
if (!callback) throw new Error(`the emulator answered ${consented.status} where it should have redirected`);
const landed = await visit(callback);
if (landed.headers.get("location") !== "/") {
  throw new Error(`the sign-in ended with ${landed.status} at ${landed.headers.get("location")}`);
}
const headers = new Headers({ cookie: cookies() });
const zoho = (await auth.api.listUserAccounts({ headers })).find((account) => account.providerId === "zoho");

console.log("ready");
for await (const _ of createInterface({ input: process.stdin })) break;

const call = () => auth.api.getAccessToken({ body: { accountId: zoho.id }, headers });
const answers = await Promise.allSettled(Array.from({ length: callers }, call));
const served = answers.filter((answer) => answer.status === "fulfilled" && answer.value.accessToken);
const refusal = answers.find((answer) => answer.status === "rejected");
console.log(
  JSON.stringify({
    served: served.length,
    distinct: new Set(served.map((answer) => answer.value.accessToken)).size,
    refusal: refusal ? String(refusal.reason?.body?.code ?? refusal.reason) : null,
  }),
);
process.exit(0);
