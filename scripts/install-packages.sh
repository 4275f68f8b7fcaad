#!/bin/sh
# Sees to it that this machine has what a target of the Makefile needs.
#
#   install-packages.sh build    to build and run Atoll: a C compiler, Rust, Node.js
#   install-packages.sh test     also to test it: git, Go, PostgreSQL, Chromium, fonts, faketime
#
# Missing Debian packages are installed when this runs as root; everybody else is
# told the command. Rust, Go and Node.js are expected to be there: their versions
# are checked, and rustup fetches the toolchain that rust-toolchain.toml pins.
# Debian keeps one build of a package per release, so the release is what pins them.
#
# When all is there it takes a fraction of a second and changes nothing.
set -eu

node_needed=20.19.0
npm_needed=10.0.0
go_needed=1.26.0

root=$(cd "$(dirname "$0")/.." && pwd)
failed=0

fail() {
    echo "install: $1" >&2
    failed=1
}

has() {
    command -v "$1" >/dev/null 2>&1
}

# Whether a file of this pattern exists.
present() {
    for file in $1; do
        test -e "$file" && return 0
    done
    return 1
}

# Whether the version in $2 is at least the one in $1.
at_least() {
    test "$(printf '%s\n%s\n' "$1" "$2" | sort -V | head -n 1)" = "$1"
}

# Names the Debian packages that are missing, for building ($1 = build) or for everything.
missing_packages() {
    has cc && present "/usr/include/stdlib.h /usr/include/*/stdlib.h" || echo build-essential
    has make || echo make
    if [ "$1" = test ]; then
        has git || echo git
        present /etc/ssl/certs/ca-certificates.crt || echo ca-certificates
        has setpriv || echo util-linux
        has faketime || echo faketime
        present "/usr/lib/postgresql/*/bin/initdb" || echo postgresql
        has "${ATOLL_CHROMIUM:-/usr/bin/chromium}" || echo chromium
        present "/usr/share/fonts/*/inter" || echo fonts-inter
        present "/usr/share/fonts/*/noto/*CJK*" || echo fonts-noto-cjk
    fi
}

install_packages() {
    missing=$(missing_packages "$1" | tr '\n' ' ')
    missing=${missing% }
    test -n "$missing" || return 0
    if ! has apt-get; then
        fail "missing: $missing (names of Debian's packages; install your system's counterparts)"
    elif [ "$(id -u)" != 0 ]; then
        fail "missing packages. Run: sudo apt-get install --no-install-recommends $missing"
    else
        echo "install: $missing" >&2
        export DEBIAN_FRONTEND=noninteractive
        # The lists of a new machine are empty or old.
        apt-get update --quiet --quiet
        # shellcheck disable=SC2086 # one word for each package
        apt-get install --yes --quiet --quiet --no-install-recommends $missing >/dev/null
        missing=$(missing_packages "$1" | tr '\n' ' ')
        test -z "$missing" || fail "still missing after the installation: $missing"
    fi
}

check_rust() {
    channel=$(sed -n 's/^channel *= *"\(.*\)"/\1/p' "$root/rust-toolchain.toml")
    if ! has cargo; then
        fail "Rust is missing: install rustup, which then fetches Rust $channel by itself"
        return
    fi
    if toolchain_works "$channel"; then
        return
    fi
    if ! has rustup; then
        fail "Rust $channel with rustfmt and clippy is needed; found $(cargo --version 2>/dev/null || echo none)"
        return
    fi
    echo "install: Rust $channel" >&2
    if rustup toolchain install "$channel" --profile minimal --component rustfmt --component clippy >&2; then
        return
    fi
    # Without a way to the release server, an installed toolchain of the same version does as well.
    if rustc +stable --version 2>/dev/null | grep -qF "rustc $channel "; then
        rustup toolchain link "$channel" "$(rustc +stable --print sysroot)"
    fi
    toolchain_works "$channel" || fail "Rust $channel with rustfmt and clippy cannot be installed by rustup"
}

toolchain_works() (
    cd "$root"
    rustc --version 2>/dev/null | grep -qF "rustc $1 " && cargo fmt --version >/dev/null 2>&1 && cargo clippy --version >/dev/null 2>&1
)

check_node() {
    if ! has node || ! has npm; then
        fail "Node.js $node_needed or newer with npm $npm_needed or newer is missing"
        return
    fi
    node=$(node --version | tr -d v)
    npm=$(npm --version)
    at_least "$node_needed" "$node" || fail "Node.js $node_needed or newer is needed; found $node"
    at_least "$npm_needed" "$npm" || fail "npm $npm_needed or newer is needed; found $npm"
}

check_go() {
    has go || PATH=$PATH:/usr/local/go/bin
    if ! has go; then
        fail "Go $go_needed or newer is missing"
        return
    fi
    go=$(GOTOOLCHAIN=local go env GOVERSION | sed 's/^go//; s/[- ].*//')
    at_least "$go_needed" "$go" || fail "Go $go_needed or newer is needed; found $go"
}

case "${1:-}" in
build)
    install_packages build
    check_rust
    check_node
    ;;
test)
    install_packages test
    check_rust
    check_node
    check_go
    ;;
*)
    echo "usage: $0 build|test" >&2
    exit 2
    ;;
esac
exit "$failed"
