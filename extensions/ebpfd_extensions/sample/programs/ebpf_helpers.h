// What any eBPF program of ebpfd needs: sections, map declarations, general helpers.
// Numbers are those of eBPF for Windows, which differ from those of Linux.
#pragma once

typedef unsigned char uint8_t;
typedef unsigned short uint16_t;
typedef unsigned int uint32_t;
typedef unsigned long long uint64_t;
typedef int int32_t;
typedef long long int64_t;

#define NULL ((void *)0)

// Puts a program or a map where the loader looks for it.
#define SEC(name) __attribute__((section(name), used))

// Fields of a map declaration: the loader reads them from the types (BTF), not from memory.
#define __uint(name, value) int(*name)[value]
#define __type(name, type_) typeof(type_) *name

#define BPF_MAP_TYPE_HASH 1
#define BPF_MAP_TYPE_ARRAY 2

#define BPF_ANY 0

// A helper is called through its number.
static void *(*const bpf_map_lookup_elem)(void *map, const void *key) = (void *)1;
static int64_t (*const bpf_map_update_elem)(void *map, const void *key, const void *value, uint64_t flags) = (void *)2;
static int64_t (*const bpf_map_delete_elem)(void *map, const void *key) = (void *)3;
static int64_t (*const bpf_trace_printk2)(const char *format, uint32_t size) = (void *)12;
static int64_t (*const bpf_trace_printk3)(const char *format, uint32_t size, uint64_t first) = (void *)13;
