#!/usr/bin/env bash
# `make doctor`: says what is missing for which verb, and how to get it. With verbs as
# arguments, only for these. Exit code 0 if they can run.
#
# It runs where tools are missing, and with bash 3.2 and BSD's tools, as macOS has them.
# shellcheck disable=SC2329 # `need` calls the functions by name.
set -euo pipefail
cd "$(dirname "$0")"

all="build up push test test-url bench e2e"
asked=" ${*:-$all} "
cannot_run=" "

main() {
  local rust go node verb cluster=e2e status=0
  for verb in $asked; do
    case " $all " in *" $verb "*) ;; *)
      echo "error: $verb is none of the verbs $all" >&2
      return 2
      ;;
    esac
  done
  rust=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
  # A broken manifest is for Cargo to explain.
  rust=${rust:-1}
  go=$(sed -n 's/^go //p' tests/go/go.mod)
  node=$(sed -n 's/.*"node": ">=\([0-9]*\)".*/\1/p' tests/outside/package.json)

  # On another cluster, `make e2e` needs less.
  [ -z "${E2E_KUBECONFIG:-}" ] || cluster=""

  # The verbs, what they need, where Debian has it, where macOS has it if elsewhere, and
  # the command that finds it.
  need "$all" "GNU make 3.81 or newer" \
    "apt-get install make" "xcode-select --install" at_least 3.81 make_version
  need "$all" "a temporary folder to which you can write" \
    "set TMPDIR to a folder that exists and has space" "" temporary_folder
  need "$all" "a C compiler that links (cc), which Rust needs to link" \
    "apt-get install gcc libc6-dev" "xcode-select --install" c_compiler
  need "$all" "Rust $rust or newer (rustc and cargo)" \
    "https://rustup.rs" "" rust "$rust"
  need "push test e2e" "git, which knows the version of the source" \
    "apt-get install git" "xcode-select --install" git_of_a_clone
  need "test e2e" "Rust's clippy and rustfmt" \
    "rustup component add clippy rustfmt" "" rust_components
  need "test bench e2e" "Python 3.11 or newer (python3) with venv and ensurepip" \
    "apt-get install python3 python3-venv" "brew install python" python
  need "test bench e2e" "Go $go or newer (go)" \
    "https://go.dev/dl" "brew install go" go_of_the_tests "$go"
  need "test bench" "Node $node or newer (node)" \
    "https://nodejs.org" "brew install node" at_least "$node" node --version
  need "test bench" "npm" \
    "apt-get install npm, or https://nodejs.org" "brew install node" npm --version
  need "test" "curl 7.82 or newer" \
    "apt-get install curl" "brew install curl" at_least 7.82 curl --version
  need "test" "perl" \
    "apt-get install perl" "brew install perl" perl -e 1
  need "bench $cluster" "Linux" \
    "a virtual machine with Linux" "" is_linux
  need "bench" "wrk, strace and valgrind, where this is not Debian 12" \
    "apt-get install wrk strace valgrind" "a virtual machine with Debian 12" bench_tools
  need "$cluster" "root" \
    "sudo make e2e" "" is_root
  need "$cluster" "Debian with apt-get and dpkg" \
    "a virtual machine with Debian 12" "" is_debian
  need "$cluster" "namespaces of mounts, network, processes and host name" \
    "a virtual machine or a privileged container" "" namespaces
  need "$cluster" "the kernel modules overlay, br_netfilter, nft_compat and xt_set" \
    "apt-get install kmod, and a kernel that has them" "" kernel_modules

  for verb in $asked; do
    case $cannot_run in
      *" $verb "*) status=1 ;;
      *) echo "ready: make $verb" ;;
    esac
  done
  return "$status"
}

# need VERBS WHAT DEBIAN MACOS COMMAND...: says what is missing if COMMAND fails.
need() {
  local verb verbs="" what=$2 remedy=$3
  for verb in $1; do
    case $asked in *" $verb "*) verbs="$verbs, make $verb" ;; esac
  done
  [ -n "$verbs" ] || return 0
  [ -z "$4" ] || ! is_macos || remedy=$4
  shift 4
  ! "$@" >/dev/null 2>&1 || return 0
  verbs=${verbs#, }
  echo "missing for $verbs: $what. Get it: $remedy" >&2
  cannot_run="$cannot_run${verbs//,/} "
}

# at_least MINIMUM COMMAND...: whether the first version that COMMAND prints is as new.
at_least() {
  local number='([0-9]+)(\.([0-9]+))?' minimum=$1 version
  shift
  version=$("$@")
  [[ "$minimum" =~ $number ]]
  local major=${BASH_REMATCH[1]} minor=${BASH_REMATCH[3]:-0}
  [[ "$version" =~ $number ]] && ((BASH_REMATCH[1] > major ||
    BASH_REMATCH[1] == major && ${BASH_REMATCH[3]:-0} >= minor))
}

# Of the make that runs this.
make_version() {
  echo "${MAKE_VERSION:-$(make --version)}"
}

temporary_folder() {
  local folder
  folder=$(mktemp -d) && rmdir "$folder"
}

# macOS has a cc that only says how to get one. Without a temporary folder, which is missing
# by itself, the compiler is not tried.
c_compiler() {
  local folder status=0
  folder=$(mktemp -d) || return 0
  echo 'int main(void) { return 0; }' >"$folder/main.c"
  # Its value may have arguments.
  # shellcheck disable=SC2086
  ${CC:-cc} "$folder/main.c" -o "$folder/main" || status=1
  rm -rf "${folder:?}"
  return "$status"
}

# rustup may download the toolchain now, and says so.
rust() {
  hash rustc cargo && at_least "$1" rustc --version 2>&3 && cargo --version
}

rust_components() {
  cargo clippy --version && cargo fmt --version
}

# Outside a repository, an artifact has no version of the source.
git_of_a_clone() {
  [ ! -e .git ] || git --version
}

python() {
  python3 -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))'
}

# Go may download a newer release for this folder than the one that is installed.
go_of_the_tests() {
  (cd tests/go && at_least "$1" go env GOVERSION)
}

bench_tools() {
  grep '^VERSION_CODENAME=bookworm' /etc/os-release || hash wrk strace valgrind
}

is_macos() {
  [ "$(uname -s)" = Darwin ]
}

is_linux() {
  [ "$(uname -s)" = Linux ]
}

is_root() {
  [ "$(id -u)" = 0 ]
}

is_debian() {
  grep '^ID=debian' /etc/os-release && hash apt-get dpkg
}

# Only root can tell.
namespaces() {
  ! is_root || unshare --mount --net --uts --pid --fork true
}

# A kernel that does not say what it has is trusted.
kernel_modules() {
  if [ -e /proc/config.gz ]; then
    [ "$(zcat /proc/config.gz | grep -cE '^CONFIG_(OVERLAY_FS|BRIDGE_NETFILTER|NFT_COMPAT|NETFILTER_XT_SET)=[my]')" = 4 ]
  elif hash modprobe; then
    modprobe --dry-run --all overlay br_netfilter nft_compat xt_set
  fi
}

exec 3>&2
main
