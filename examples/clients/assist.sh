#!/usr/bin/env bash
# Asks Zoho Assist who a customer is, with a token from Login with Zoho. Needs curl and jq.
#
#   export LWZ_URL=http://localhost:8080 LWZ_API_KEY=lwz_… LWZ_TENANT=acme LWZ_ORGANIZATION=77000000
#   ./assist.sh          # with a token of our own
#   ./assist.sh proxy    # without ever seeing one
set -euo pipefail

wanted=(--data-urlencode product=assist --data-urlencode "tenant=$LWZ_TENANT" --data-urlencode "organization=$LWZ_ORGANIZATION")
head=$(mktemp)
trap 'rm -f "$head"' EXIT

# A GET: the body into `body`, its status into `status`, its head into the file. What is secret goes to curl by its
# standard input, where no list of processes shows it.
fetch() { # Authorization, URL, more for curl
  local answer
  answer=$(curl -sS -G -D "$head" -w '\n%{http_code}' -K - "${@:3}" "$2" <<<"header = \"Authorization: $1\"")
  body=${answer%$'\n'*} status=${answer##*$'\n'}
}

# A call to the vault; told to come back later, it does.
ask() { # path, query
  local wait
  for _ in 1 2 3 4 5; do
    fetch "Bearer $LWZ_API_KEY" "$LWZ_URL/api/v1$1" "${@:2}"
    wait=$(tr -d '\r' <"$head" | sed -n 's/^[Rr]etry-[Aa]fter: *//p')
    [[ $status =~ ^(429|503)$ && -n $wait ]] || break
    echo "$(jq -r .type <<<"$body"): again in $wait s" >&2
    sleep "$wait"
  done
  case $status:$(jq -r '.type? // empty' <<<"$body") in
    200:*) ;;
    # Zoho's consent is gone; only the person who gave it can renew it.
    409:/problems/needs-reconnect) echo "Ask the customer to open $(jq -r .reconnect_url <<<"$body")" >&2; exit 1 ;;
    *) echo "$body" >&2; exit 1 ;;
  esac
}

# A call to the product with the token in `body`.
call_assist() { # path
  fetch "$(jq -r '.token_type + " " + .access_token' <<<"$body")" "$(jq -r .product_url <<<"$body")$1"
}

if [[ ${1-} == proxy ]]; then
  ask /connections "${wanted[@]}" -d status=active
  ask "/connections/$(jq -r '.connections[0].id' <<<"$body")/proxy/api/v2/user"
else
  ask /access-token "${wanted[@]}"
  token_id=$(jq -r .token_id <<<"$body")
  call_assist /api/v2/user
  if [[ $status == 401 ]]; then
    echo "Zoho refused token $token_id" >&2
    ask /access-token "${wanted[@]}" -d "rejected=$token_id"
    call_assist /api/v2/user
  fi
  [[ $status == 200 ]] || { echo "Zoho Assist answered $status" >&2; exit 1; }
fi
jq -r '.representation | .org_details.org_name + ": " + .user_email' <<<"$body"
