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

// Programs of a PROG_ARRAY, or the template of a map of maps: __array(values, int(void *)).
#define __array(name, type_) typeof(type_) *name[]

#define BPF_MAP_TYPE_PROG_ARRAY 3
#define BPF_MAP_TYPE_PERCPU_HASH 4
#define BPF_MAP_TYPE_PERCPU_ARRAY 5
#define BPF_MAP_TYPE_HASH_OF_MAPS 6
#define BPF_MAP_TYPE_ARRAY_OF_MAPS 7
#define BPF_MAP_TYPE_LRU_HASH 8
#define BPF_MAP_TYPE_LPM_TRIE 9
#define BPF_MAP_TYPE_QUEUE 10
#define BPF_MAP_TYPE_LRU_PERCPU_HASH 11
#define BPF_MAP_TYPE_STACK 12
#define BPF_MAP_TYPE_RINGBUF 13
#define BPF_MAP_TYPE_PERF_EVENT_ARRAY 14

#define BPF_NOEXIST 1
#define BPF_EXIST 2

// The ring of the processor that runs the program, and how much data shall follow the record.
#define BPF_F_CURRENT_CPU 0xffffffffULL
#define BPF_F_CTXLEN(bytes) ((uint64_t)(bytes) << 32)

// Does not return if there is a program under this index.
static int64_t (*const bpf_tail_call)(void *context, void *map, uint32_t index) = (void *)5;
static uint64_t (*const bpf_get_smp_processor_id)(void) = (void *)8;
static int64_t (*const bpf_ringbuf_output)(void *map, void *data, uint64_t size, uint64_t flags) = (void *)11;
static int64_t (*const bpf_map_push_elem)(void *map, const void *value, uint64_t flags) = (void *)16;
static int64_t (*const bpf_map_pop_elem)(void *map, void *value) = (void *)17;
static int64_t (*const bpf_map_peek_elem)(void *map, void *value) = (void *)18;
static int64_t (*const bpf_perf_event_output)(
    void *context, void *map, uint64_t flags, void *data, uint64_t size) = (void *)32;
