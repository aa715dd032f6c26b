#!/bin/sh
# Fails if a program needs a newer C library than it promises.
#
#   collector/build/check-glibc.sh PROGRAM [NEWEST-GLIBC]
#
# Every versioned symbol that the program imports names the version that brought it; the newest of them is what the
# oldest machine must have. Libraries other than those of glibc must not be needed at all.
set -eu
program=${1:?usage: check-glibc.sh PROGRAM [NEWEST-GLIBC]}
allowed=${2:-2.17}
needed=$(readelf --version-info --wide "$program" | grep -o 'GLIBC_[0-9][0-9.]*' | sort -u -t_ -k2V)
newest=$(printf '%s\n' "$needed" | tail -n 1)
newest=${newest#GLIBC_}
if [ -n "$newest" ] && [ "$(printf '%s\n%s\n' "$newest" "$allowed" | sort -V | tail -n 1)" != "$allowed" ]; then
    echo "$program needs glibc $newest, allowed is $allowed; the symbols:" >&2
    readelf --dyn-syms --wide "$program" | grep -F "@GLIBC_$newest" >&2
    exit 1
fi
foreign=$(readelf --dynamic --wide "$program" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' |
    grep -Ev '^(libc|libm|libpthread|libdl|librt|libutil|ld-linux.*)\.so' || :)
if [ -n "$foreign" ]; then
    echo "$program needs libraries that an old machine may lack: $foreign" >&2
    exit 1
fi
echo "$program: glibc ${newest:-none}, $(wc -c <"$program") bytes"
