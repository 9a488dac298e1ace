#!/bin/sh
# Loads the container images of this folder. It needs no network and no Ferry.
#
#   sh load.sh            into the first client that is there
#   sh load.sh CLIENT     docker, podman, nerdctl, ctr, k3s or rke2
#   sh load.sh check      only compares the checksums
#
# Images keep the names of their sources. For Kubernetes they belong on every node.
set -eu
cd "$(dirname "$0")"

fail() {
	echo "load.sh: $*" >&2
	exit 1
}

[ -s SHA256SUMS ] || fail "there is no file SHA256SUMS: copy the whole folder, or make the archive again"

client=${1-}

# The parts, in their order. Only these are read, whatever else is in the folder.
set --
while read -r _ part; do
	case $part in
	images.tar | images.tar.[0-9][0-9][0-9]) ;;
	*) fail "SHA256SUMS names a file that is not part of an archive: $part" ;;
	esac
	[ -f "$part" ] || fail "$part is missing: copy it again"
	set -- "$@" "$part"
done <SHA256SUMS

if command -v sha256sum >/dev/null 2>&1; then
	sum256="sha256sum"
elif command -v shasum >/dev/null 2>&1; then
	sum256="shasum -a 256"
elif command -v openssl >/dev/null 2>&1; then
	sum256="openssl dgst -r -sha256"
else
	sum256=
	echo "load.sh: no program computes checksums here, so nothing is checked" >&2
fi
if [ -n "$sum256" ]; then
	while read -r want part; do
		found=$($sum256 "$part")
		[ "${found%% *}" = "$want" ] || fail "$part is damaged: copy it again (SHA-256 ${found%% *}, not $want)"
		echo "$part: OK"
	done <SHA256SUMS
fi

has() { command -v "$1" >/dev/null 2>&1; }
rke2_ctr=/var/lib/rancher/rke2/bin/ctr

[ "$client" != check ] || exit 0
if [ -z "$client" ]; then
	if has docker && docker info >/dev/null 2>&1; then
		client=docker
	elif has podman; then
		client=podman
	elif has nerdctl && nerdctl info >/dev/null 2>&1; then
		client=nerdctl
	elif has k3s; then
		client=k3s
	elif [ -x "$rke2_ctr" ]; then
		client=rke2
	elif has ctr; then
		client=ctr
	elif has docker; then
		fail "docker does not answer: start it, or run this as root"
	else
		fail "there is no docker, podman, nerdctl, k3s, RKE2 or ctr"
	fi
fi

echo "loading into $client"
case $client in
docker | podman | nerdctl) cat "$@" | "$client" load ;;
ctr) cat "$@" | ctr -n k8s.io images import - ;;
k3s) cat "$@" | k3s ctr -n k8s.io images import - ;;
rke2) cat "$@" | "$rke2_ctr" --address /run/k3s/containerd/containerd.sock -n k8s.io images import - ;;
*) fail "there is no client $client: docker, podman, nerdctl, ctr, k3s or rke2" ;;
esac || fail "$client did not take the images"
echo "loaded into $client"
