# shellcheck shell=bash
# Sourced by scripts/demo and scripts/test: `require NAME…` installs what is missing with the system's package manager.
# Where that is not possible it says which command to run.

export PATH=$PATH:${CARGO_HOME:-$HOME/.cargo}/bin:/usr/sbin:/sbin

first_of() { # the first of these programs or files that there is
  local name
  for name; do
    if command -v "$name" 2>/dev/null; then return; fi
  done
  return 1
}

find_compiler() { first_of cc gcc clang; }
find_postgres() { (shopt -s nullglob && first_of initdb /usr/lib/postgresql/*/bin/initdb /usr/pgsql-*/bin/initdb /usr/lib/postgresql*/bin/initdb \
  /usr/libexec/postgresql*/initdb /opt/homebrew/opt/postgresql*/bin/initdb /usr/local/opt/postgresql*/bin/initdb \
  /home/linuxbrew/.linuxbrew/opt/postgresql*/bin/initdb /Applications/Postgres.app/Contents/Versions/*/bin/initdb); }
find_chromium() { first_of chromium chromium-browser google-chrome-stable google-chrome \
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome" /Applications/Chromium.app/Contents/MacOS/Chromium; }
find_chromedriver() { first_of chromedriver chromium.chromedriver /usr/lib/chromium/chromedriver /usr/lib/chromium-browser/chromedriver \
  /usr/lib64/chromium-browser/chromedriver; }
find_faketime() { first_of faketime; }
find_pgbouncer() { first_of pgbouncer; }
find_curl() { first_of curl; }
find_jq() { first_of jq; }
find_node() { node -e fetch 2>/dev/null && first_of node; } # 18 or later
find_python() { first_of python3; }
find_requests() { python3 -c 'import requests; print(requests.__file__)' 2>/dev/null; } # what the client example in Python needs
find_certificates() { # certificate authorities, without which TLS cannot be set up
  local file
  for file in "${SSL_CERT_FILE:-}" /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt /etc/ssl/ca-bundle.pem \
    /etc/ssl/cert.pem; do
    [[ ! -s $file ]] || { echo "$file"; return; }
  done
  return 1
}

# What the packages are called.
packages() { # manager, need
  case $1:$2 in
    apt-get:compiler) echo build-essential ;;
    dnf:compiler | zypper:compiler) echo gcc ;;
    apk:compiler) echo build-base ;;
    pacman:compiler) echo base-devel ;;
    dnf:postgres | zypper:postgres) echo postgresql-server postgresql ;;
    apk:postgres) echo postgresql postgresql-client ;;
    brew:postgres) echo postgresql@17 ;;
    *:postgres) echo postgresql ;;
    brew:chromium) echo --cask chromium ;;
    apt-get:chromium) echo chromium fonts-dejavu-core ;;
    *:chromium) echo chromium ;;
    apt-get:chromedriver) echo chromium-driver ;;
    dnf:chromedriver | zypper:chromedriver) echo chromedriver ;;
    apk:chromedriver) echo chromium-chromedriver ;;
    brew:chromedriver) echo --cask chromedriver ;;
    pacman:chromedriver) echo chromium ;;
    dnf:faketime | apk:faketime | zypper:faketime | pacman:faketime | brew:faketime) echo libfaketime ;;
    brew:node) echo node ;;
    *:node) echo nodejs ;;
    dnf:python | apt-get:python | apk:python | zypper:python) echo python3 ;;
    apk:requests) echo py3-requests ;;
    pacman:requests) echo python-requests ;;
    apt-get:requests | dnf:requests | zypper:requests) echo python3-requests ;;
    *:certificates) echo ca-certificates ;;
    *) echo "$2" ;;
  esac
}

install() { # manager, packages
  local manager=$1
  shift
  local -a as_root=()
  if [[ $manager != brew && $(id -u) != 0 ]]; then
    as_root=(sudo)
    # Without a terminal nobody could answer sudo's question.
    [[ -t 0 ]] || as_root+=(-n)
    command -v sudo >/dev/null || return 1
  fi
  case $manager in
    apt-get)
      ${as_root[@]+"${as_root[@]}"} apt-get update -q &&
        ${as_root[@]+"${as_root[@]}"} env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$@"
      ;;
    dnf) ${as_root[@]+"${as_root[@]}"} dnf install -y "$@" ;;
    zypper) ${as_root[@]+"${as_root[@]}"} zypper --non-interactive install "$@" ;;
    apk) ${as_root[@]+"${as_root[@]}"} apk add "$@" ;;
    pacman) ${as_root[@]+"${as_root[@]}"} pacman -S --noconfirm --needed "$@" ;;
    brew) brew install "$@" ;;
  esac </dev/null >&2
}

require() {
  local need manager
  local -a missing=() names=()
  for need; do
    "find_$need" >/dev/null || missing+=("$need")
  done
  ((${#missing[@]})) || return 0
  manager=$(basename "$(first_of apt-get dnf zypper apk pacman brew || true)")
  if [[ -z $manager ]]; then
    echo "missing: ${missing[*]}; no package manager known here (apt-get, dnf, zypper, apk, pacman, brew): install them by hand" >&2
    return 1
  fi
  for need in "${missing[@]}"; do
    # One `brew install` takes either casks or formulae.
    if [[ $manager == brew ]]; then
      # shellcheck disable=SC2046 # several words
      install brew $(packages brew "$need") || true
    else
      # shellcheck disable=SC2207 # several words
      names+=($(packages "$manager" "$need"))
    fi
  done
  if ((${#names[@]})); then
    echo "installing what is missing: ${names[*]}" >&2
    if ! install "$manager" "${names[@]}"; then
      echo "installing all at once failed; as root it would be: $manager install ${names[*]}" >&2
      # One that does not exist here (Ubuntu names Chromium's driver differently) must not keep out the others.
      for need in "${names[@]}"; do
        install "$manager" "$need" || true
      done
    fi
  fi
  for need in "${missing[@]}"; do
    "find_$need" >/dev/null || { echo "still missing: $need" >&2; return 1; }
  done
}
