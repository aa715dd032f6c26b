#!/bin/sh
# Builds casebook-collect and casebook-analyze for any Linux with glibc 2.17 (CentOS 7.9) or newer.
#
#   collector/build/release.sh [x86_64|aarch64] [OUTPUT-DIRECTORY]
#
# The compiler and linker are zig's, which carries the symbol tables of old C libraries; zig and cargo-zigbuild come
# from PyPI into a virtual environment below target/. Needs: cargo, python3, and for another processor than this
# machine's `rustup target add aarch64-unknown-linux-gnu`.
set -eu
cd "$(dirname "$0")/../.."
arch=${1:-x86_64}
out=${2:-target/dist}
glibc=2.17
tools=target/zig
if [ ! -x "$tools/bin/cargo-zigbuild" ]; then
    python3 -m venv "$tools"
    "$tools/bin/pip" install --quiet 'ziglang>=0.13' 'cargo-zigbuild>=0.19'
fi
PATH="$PWD/$tools/bin:$PATH"
export PATH CARGO_ZIGBUILD_ZIG_PATH="$PWD/$tools/bin/python-zig"
# The package has no program called zig: it is run as a module of its Python.
printf '#!/bin/sh\nexec "%s/bin/python" -m ziglang "$@"\n' "$PWD/$tools" >"$CARGO_ZIGBUILD_ZIG_PATH"
chmod 755 "$CARGO_ZIGBUILD_ZIG_PATH"
cargo zigbuild --release --locked -p collector -p analyzer --target "$arch-unknown-linux-gnu.$glibc"
mkdir -p "$out"
for program in casebook-collect casebook-analyze; do
    cp "target/$arch-unknown-linux-gnu/release/$program" "$out/$program"
    collector/build/check-glibc.sh "$out/$program" "$glibc"
done
# kubectl finds it as `kubectl casebook`.
ln -sf casebook-collect "$out/kubectl-casebook"
