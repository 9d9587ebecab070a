#!/bin/sh
# Rebuild the committed object files: needs clang and llvm-objcopy.
# Only BTF is kept of the debug information, with relative file names.
set -eu
cd "$(dirname "$0")"
for source in *.c; do
    object="${source%.c}.o"
    clang -O2 -g -target bpf -fdebug-compilation-dir=. -Wall -Wno-unused -c "$source" -o "$object"
    llvm-objcopy --strip-debug "$object"
done
# The types of a context, as an extension ships them.
for source in layouts/*.c; do
    clang -O2 -g -target bpf -fdebug-compilation-dir=. -c "$source" -o layouts/whole.o
    llvm-objcopy --dump-section .BTF="${source%.c}.btf" layouts/whole.o
    rm layouts/whole.o
done
clang -O2 -g -target bpfeb -fdebug-compilation-dir=. -c plain.c -o refused/big_endian.o
llvm-objcopy --strip-debug refused/big_endian.o
clang -O2 -target x86_64 -c plain.c -o refused/x86_64.o
clang -O2 -target i386 -c plain.c -o refused/i386.o
