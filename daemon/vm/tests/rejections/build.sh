#!/bin/sh
# Rebuild the committed object files: needs clang and llvm-objcopy.
# Only BTF is kept of the debug information, with relative file names.
set -eu
cd "$(dirname "$0")"
for source in *.c; do
    object="${source%.c}.o"
    ${CLANG:-clang} -O2 -g -target bpf -mcpu=v3 -fno-ident -fdebug-compilation-dir=. -Wall -Wno-unused \
        -Wno-array-bounds -Wno-infinite-recursion -c "$source" -o "$object"
    ${OBJCOPY:-llvm-objcopy} --strip-debug "$object"
done
