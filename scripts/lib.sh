# Shared by the scripts beside it; source it, do not run it. Needs bash.
# shellcheck shell=bash

set -euo pipefail

ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"

die() {
    printf '%s\n' "$*" >&2
    exit 1
}

# Debian and Ubuntu package names, by what they are for. Libraries are opened at run time, so building needs no -dev
# packages.
packages_of() {
    case "$1" in
    build) echo gcc libc6-dev ;;
    run) echo libgl1 libgl1-mesa-dri libegl1 libx11-6 libx11-xcb1 libxcursor1 libxi6 libxkbcommon-x11-0 libwayland-egl1 libwayland-client0 ;;
    x11) echo xvfb util-linux ;;
    wayland) echo sway grim util-linux xvfb xkb-data ;;
    bench) echo xvfb util-linux libsdl2-dev libglfw3-dev ;;
    test) echo "$(packages_of build) $(packages_of run) $(packages_of x11) $(packages_of wayland)" ;;
    *) return 1 ;;
    esac
}

# Programs by the same names, for systems without dpkg.
programs_of() {
    case "$1" in
    build) echo cc ;;
    run) ;;
    x11) echo Xvfb setpriv ;;
    wayland) echo sway grim Xvfb setpriv ;;
    bench) echo Xvfb setpriv sdl2-config ;;
    test) echo "$(programs_of build) $(programs_of x11) $(programs_of wayland)" ;;
    *) return 1 ;;
    esac
}

# Those of the given packages that are not installed, one call to dpkg for all.
missing_packages() {
    local installed
    # dpkg-query fails when one is unknown and still lists the others.
    installed="$(dpkg-query -W -f '${db:Status-Abbrev} ${Package}\n' "$@" 2>/dev/null | awk '$1 == "ii" { print $2 }' || true)"
    printf '%s\n' "$@" | sort -u | grep -vxF -e "$installed" || true
}

need_cargo() {
    command -v cargo >/dev/null || die "cargo is not installed: see https://rustup.rs (Rust $(sed -n 's/^rust-version = "\(.*\)"/\1/p' "$ROOT/Cargo.toml") or newer)"
}
