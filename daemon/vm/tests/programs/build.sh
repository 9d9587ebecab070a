#!/bin/sh
# Rebuild the committed object files: needs clang 14 and 16, and llvm-objcopy-16.
# Only BTF is kept of the debug information, with relative file names.  Another folder may be named
# to write to; both compilers are looked for by their numbers.
set -eu
cd "$(dirname "$0")"
out="${1:-.}"
mkdir -p "$out/clang16" "$out/layouts" "$out/refused" "$out/stripped"

strip_debug() { llvm-objcopy-16 --strip-debug "$1"; }

for source in *.c; do
    for object in "$out/${source%.c}.o" "$out/clang16/${source%.c}.o"; do
        case "$object" in */clang16/*) clang=clang-16 ;; *) clang=clang-14 ;; esac
        "$clang" -O2 -g -target bpf -fdebug-compilation-dir=. -Wall -Wno-unused -c "$source" -o "$object"
        strip_debug "$object"
    done
done
# The types of a context, as an extension ships them.
for source in layouts/*.c; do
    clang-14 -O2 -g -target bpf -fdebug-compilation-dir=. -c "$source" -o "$out/layouts/whole.o"
    llvm-objcopy-16 --dump-section .BTF="$out/${source%.c}.btf" "$out/layouts/whole.o"
    rm "$out/layouts/whole.o"
done
clang-14 -O2 -g -target bpfeb -fdebug-compilation-dir=. -c plain.c -o "$out/refused/big_endian.o"
strip_debug "$out/refused/big_endian.o"
clang-14 -O2 -target x86_64 -c plain.c -o "$out/refused/x86_64.o"
clang-14 -O2 -target i386 -c plain.c -o "$out/refused/i386.o"
# What tools leave of an object, and one that they left alone.
clang-14 -O2 -g -target bpf -fdebug-compilation-dir=. -c globals.c -o "$out/stripped/nothing.o"
clang-14 -O2 -target bpf -c globals.c -o "$out/stripped/no_btf.o"
clang-14 -O2 -target bpf -c maps.c -o "$out/stripped/no_btf_maps.o"
llvm-objcopy-16 --set-section-type .BTF=8 --set-section-type .BTF.ext=8 "$out/globals.o" "$out/stripped/empty_btf.o"
llvm-objcopy-16 --strip-all --remove-section '.rel*' "$out/plain.o" "$out/stripped/no_symbols.o"
