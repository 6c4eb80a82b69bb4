#!/usr/bin/env bash
# Checks the variables of the verbs that are its arguments, before make compiles anything
# for them. Exit code 2 if one is wrong.
#
# It runs with bash 3.2, as macOS has it.
set -euo pipefail
# In other locales, [a-z] also matches capital letters.
LC_ALL=C

main() {
  local verb
  for verb in "$@"; do
    case $verb in
      up) port && flag ACCESS_LOG ;;
      push) image && format && flag FORCE && flag PLAIN_HTTP ;;
      test-url) url && flag PROXY ;;
      bench) flag QUICK && flag NOISY && number SEED ;;
      bench-compare) file BEFORE "the component to compare with" ;;
      bench-installer) number NODES ;;
      lock) flag UPGRADE ;;
      e2e | e2e-suite) [ -z "${SHIM:-}" ] || program SHIM ;;
      test-installer-nodes) number SEQUENCES && number SEED ;;
    esac
  done
}

port() {
  [[ "$PORT" =~ ^(0|[1-9][0-9]{0,4})$ && "$PORT" -le 65535 ]] ||
    refuse "PORT=$PORT is not a port: give a number from 1 to 65535, or 0 for any free port, as in make up PORT=8080"
  [ "$PORT" = 0 ] || ! listens 127.0.0.1 ||
    refuse "another program listens on port $PORT (on macOS, AirPlay Receiver has port 5000): take another port, as in make up PORT=8080"
}

# Whether a program listens there.
listens() {
  (: >"/dev/tcp/$1/$PORT") 2>/dev/null
}

image() {
  local example="make push IMAGE=gcr.io/my-project/swiss:v1" name
  local part='[a-z0-9]+([._-]+[a-z0-9]+)*'
  local host='([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]+)?'
  IMAGE=${IMAGE:-}
  [ -n "$IMAGE" ] || refuse "IMAGE is not set: $example"
  [[ "$IMAGE" != *://* ]] ||
    refuse "IMAGE=$IMAGE begins with ${IMAGE%%://*}://: give the name without it, as in $example"
  [[ "$IMAGE" != *@* ]] ||
    refuse "IMAGE=$IMAGE has a digest, which is known only after the push: give a tag, as in $example"
  # Without the registry and without the tag.
  name=${IMAGE#*/}
  name=${name%:*}
  [[ "$name" != *[[:upper:]]* ]] ||
    refuse "IMAGE=$IMAGE has a capital letter in $name: write it in lower case, as in $example"
  [[ ! "$name" =~ ^([a-z0-9.-]+):([a-z0-9-]+)/ ]] ||
    refuse "IMAGE=$IMAGE names the project ${BASH_REMATCH[1]}:${BASH_REMATCH[2]} of a domain: write it as ${BASH_REMATCH[1]}/${BASH_REMATCH[2]}"
  [[ "$IMAGE" =~ ^($host/)?$part(/$part)*(:[A-Za-z0-9_][A-Za-z0-9_.-]*)?$ ]] ||
    refuse "IMAGE=$IMAGE is not the name of an image: give a registry, a path in it and a tag, as in $example"
}

format() {
  [[ "$FORMAT" == component || "$FORMAT" == spin ]] ||
    refuse "FORMAT=$FORMAT is not a kind of artifact: make push FORMAT=component, which is the default, or FORMAT=spin"
}

url() {
  [[ "${URL:-}" =~ ^https?://[^/?#[:space:]]+/?$ ]] ||
    refuse "URL=${URL:-} is not the address of a server: give http or https, the host and at most a port, as in make test-url URL=https://swiss.example.com"
}

# 1 is yes, and 0 or nothing is no.
flag() {
  [[ "${!1:-}" =~ ^[01]?$ ]] || refuse "$1=${!1} is neither 1 nor 0: set $1=1 or leave it out"
}

number() {
  [[ "${!1:-1}" =~ ^[0-9]+$ ]] || refuse "$1=${!1} is not a number: set a number or leave it out"
}

file() {
  [ -f "${!1:-}" ] || refuse "$1=${!1:-} is not a file: set $1 to $2"
}

program() {
  [[ -f "${!1}" && -x "${!1}" ]] ||
    refuse "$1=${!1} is not a program: set $1 to the path of one that is executable, or leave it out"
}

refuse() {
  echo "error: $1" >&2
  exit 2
}

main "$@"
