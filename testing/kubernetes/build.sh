#!/bin/sh
# Builds the programs of a real Kubernetes cluster from the Go module proxy, so
# that tests need neither a container engine nor anything but Go.
#
#   build.sh DIR [newest|oldest|kubefedctl]
#
# newest (the default) builds kube-apiserver, kube-controller-manager,
# kube-scheduler, kubectl, etcd and kwok, and gathers the behaviour of kwok's
# nodes and pods in kwok-stages.yaml. oldest builds the three Kubernetes servers
# of the oldest supported release only; the rest is taken from the newest.
# kubefedctl builds the last one that KubeFed released.
#
# The versions are those of go.mod, here or in the folder of that name. A stamp
# makes the second run free; the first takes minutes.
set -eu

if [ $# -lt 1 ]; then
    echo "usage: $0 DIR [newest|oldest|kubefedctl]" >&2
    exit 2
fi

here=$(cd "$(dirname "$0")" && pwd)
case "${2:-newest}" in
newest) module=$here ;;
oldest | kubefedctl) module=$here/$2 ;;
*)
    echo "$0: unknown '$2': newest, oldest or kubefedctl" >&2
    exit 2
    ;;
esac

mkdir -p "$1"
output=$(cd "$1" && pwd)
stamp=$(cat "$module/go.mod" "$module/go.sum" "$here/build.sh" "$here"/*.patch | sha256sum | cut -d' ' -f1)
if [ "$(cat "$output/.stamp" 2>/dev/null)" = "$stamp" ]; then
    exit 0
fi

if ! command -v go >/dev/null 2>&1; then
    PATH=$PATH:/usr/local/go/bin
fi
if ! command -v go >/dev/null 2>&1; then
    echo "$0: Go is not installed" >&2
    exit 1
fi

version=$(sed -n 's/^.*k8s\.io\/\(kubernetes\|kubefed\) \(v[0-9.]*\).*$/\2/p' "$module/go.mod")
minor=$(echo "$version" | cut -d. -f2)
info=k8s.io/component-base/version
built=$(mktemp -d "$output/.build.XXXXXX")
trap 'rm -rf "$built"' EXIT
trap 'exit 1' HUP INT TERM

echo "building ${2:-newest} $version; the first time takes minutes" >&2
cd "$module"
# Static, stripped and with nothing of this machine in them. readonly keeps the
# build to exactly what go.mod and go.sum say.
export CGO_ENABLED=0 GOFLAGS="-mod=readonly -buildvcs=false" GOTOOLCHAIN=local GOWORK=off
mkdir "$built/bin"
export GOBIN="$built/bin"
install() {
    nice -n 5 go install -trimpath \
        -ldflags "-s -w -X $info.gitVersion=$version -X $info.gitMajor=1 -X $info.gitMinor=$minor" \
        "$@"
}

if [ "$module" = "$here" ]; then
    # kwok reports a failed command as an error of its own, which hides the exit
    # code that kubectl exec has to end with: see the patch.
    go mod download sigs.k8s.io/kwok
    cp -R "$(go list -m -f '{{.Dir}}' sigs.k8s.io/kwok)" "$built/kwok"
    chmod -R u+w "$built/kwok"
    # A repository around the copy would make git skip files outside of its index.
    (cd "$built/kwok" && GIT_CEILING_DIRECTORIES=$built git apply "$here/kwok-exit-codes.patch")
    cp go.mod go.sum "$built/"
    go mod edit -replace "sigs.k8s.io/kwok=$built/kwok" "$built/go.mod"

    install -modfile "$built/go.mod" tool
    mv "$GOBIN/server" "$GOBIN/etcd"
    for stage in node/fast/node-initialize \
        node/heartbeat-with-lease/node-heartbeat-with-lease \
        pod/fast/pod-ready pod/fast/pod-complete pod/fast/pod-delete; do
        echo "---"
        cat "$built/kwok/kustomize/stage/$stage.yaml"
    done >"$GOBIN/kwok-stages.yaml"
else
    install tool
fi

mv "$GOBIN"/* "$output/"
echo "$stamp" >"$output/.stamp"
