#!/bin/sh
# Installs the released binary of Ferry for Linux or macOS:
#
#   curl -fsSLO https://github.com/imageferry/ferry/releases/latest/download/install.sh
#   sh install.sh
#
# FERRY_VERSION   the version, such as v1.2.3; the newest otherwise
# FERRY_BIN       the folder; otherwise /usr/local/bin if it is writable, else ~/.local/bin
# FERRY_RELEASES  where releases are, for machines that cannot reach GitHub
# FERRY_ATTESTED  1 to install only if "gh" verifies where the archive comes from
#
# The archive is compared with the digest in the release's list. That list comes
# from the same place, so only the attestation proves who built the archive: it is
# verified if the GitHub CLI is there and logged in.
set -eu

repository=imageferry/ferry
releases=${FERRY_RELEASES:-https://github.com/$repository/releases}

fail() {
  echo "install.sh: $*" >&2
  exit 1
}

case $(uname -s) in
  Linux) os=linux ;;
  Darwin) os=darwin ;;
  *) fail "there is no release for $(uname -s): on Windows use install.ps1, elsewhere \"go install\"" ;;
esac
case $(uname -m) in
  x86_64 | amd64) arch=amd64 ;;
  aarch64 | arm64) arch=arm64 ;;
  *) fail "there is no release for $(uname -m): build it with \"go install\"" ;;
esac

if command -v sha256sum >/dev/null; then
  digest() { sha256sum "$1" | cut -d ' ' -f 1; }
elif command -v shasum >/dev/null; then
  digest() { shasum -a 256 "$1" | cut -d ' ' -f 1; }
else
  fail "neither sha256sum nor shasum is installed"
fi

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
download() { # a file of the release, into the folder
  curl -fsSL --retry 2 --connect-timeout 20 -o "$folder/$1" "$base/$1" || fail "$base/$1 could not be downloaded"
}

base=$releases/latest/download
[ -z "${FERRY_VERSION:-}" ] || base=$releases/download/v${FERRY_VERSION#v}
download checksums.txt
row=$(grep -E "^[0-9a-f]{64}  ferry_[0-9A-Za-z.+-]+_${os}_$arch\.tar\.gz\$" "$folder/checksums.txt") ||
  fail "the release has no archive for $os/$arch"
[ "$(echo "$row" | wc -l)" -eq 1 ] || fail "the release lists several archives for $os/$arch"
archive=${row#*  }
download "$archive"
have=$(digest "$folder/$archive")
[ "$have" = "${row%% *}" ] || fail "$archive has the digest $have, the release lists ${row%% *}"

if command -v gh >/dev/null && gh auth status >/dev/null 2>&1; then
  gh attestation verify "$folder/$archive" --repo "$repository" >/dev/null ||
    fail "$archive was not built by the workflow of $repository, says gh attestation verify"
  echo "the attestation of $archive is valid"
elif [ "${FERRY_ATTESTED:-}" = 1 ]; then
  fail "the attestation cannot be verified: install the GitHub CLI and run \"gh auth login\""
else
  echo "the digest of $archive is right; its attestation was not verified, because gh is not installed or not logged in"
fi

bin=${FERRY_BIN:-/usr/local/bin}
[ -n "${FERRY_BIN:-}" ] || [ -w "$bin" ] || bin=$HOME/.local/bin
mkdir -p "$bin"
tar -xzf "$folder/$archive" -C "$folder" ferry
mv "$folder/ferry" "$bin/.ferry.new"
chmod 755 "$bin/.ferry.new"
mv "$bin/.ferry.new" "$bin/ferry" # replaced at once, so that a running ferry is not disturbed
"$bin/ferry" version || fail "$bin/ferry does not run"
case :$PATH: in
  *:"$bin":*) ;;
  *) echo "add $bin to PATH" ;;
esac
